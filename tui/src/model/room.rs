//! One opened meeting: its log, how far one has looked, when one was away.

use std::collections::BTreeMap;

use plenary_shared::domain::{Event, Participant, Presence, What};
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::protocol::{Absent, PresenceTold, Unread};
use plenary_shared::replica::Replica;
use plenary_shared::time::Timestamp;

use crate::model::scroll::Scroll;

/// Absences that one log shows; the oldest goes.
const ABSENCES_MAX: usize = 32;

/// The wait after the first refusal that may pass; each further one doubles it.
const AGAIN_FIRST_MS: i64 = 500;

/// By then the longest wait is reached.
const AGAIN_DOUBLINGS_MAX: u32 = 5;

/// No wait for another try is longer, unless the server says so.
const AGAIN_LONGEST_MS: i64 = 10_000;

/// An opened meeting.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Room {
    /// Which.
    pub id: InstanceId,
    /// What is known of it, once it has been read.
    pub log: Option<Replica>,
    /// When what is shown of it was kept on this machine, until the server has said how it is.
    pub kept_at: Option<Timestamp>,
    /// Whether this connection follows it.
    pub following: bool,
    /// Whether one means to be in it.
    pub wants_in: bool,
    /// What the chat shows of it.
    pub scroll: Scroll,
    /// Messages of others that have not been looked at.
    pub unread: usize,
    /// Those of them that speak of the reader.
    pub mentions: usize,
    /// The last seq that has been looked at.
    pub seen: Seq,
    /// Whether something was read of which the server has not been told.
    pub untold: bool,
    /// When it was told last.
    pub told_at: Option<Timestamp>,
    /// Who has left and is not back: since when they were here, where that is known, and until when.
    pub left: BTreeMap<UserId, (Option<Timestamp>, Timestamp)>,
    /// Who is in but not here, and since when.
    pub away: BTreeMap<UserId, (Presence, Timestamp)>,
    /// Who is invited and has not been in, as far as the server said it.
    pub absent: Option<Absent>,
    /// Who else is writing, and until when that is shown.
    pub typing: BTreeMap<UserId, Timestamp>,
    /// When it was told last that one is writing.
    pub typed_at: Option<Timestamp>,
    /// When it was looked at last.
    pub looked_at: Timestamp,
    /// Whether the reader wants them to stay unread although they are looked at.
    pub kept_unread: bool,
    /// Where the unread messages began.
    pub divider: Option<Divider>,
    /// When one was offline.
    pub absences: Vec<Absence>,
    /// The event whose missing ones before it have been asked for; the last of all where none is known.
    pub asked_older: Option<Seq>,
    /// Whether newer events have been asked for.
    pub asked_newer: bool,
    /// The remaining minutes that were told last.
    pub warned_minutes: i64,
    /// How often in a row reading or joining it was refused for a reason that may pass.
    pub refusals: u32,
    /// When it is tried again.
    pub again_at: Option<Timestamp>,
}

/// Where the unread messages began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divider {
    /// After this seq.
    pub after: Seq,
    /// When one looked away, where that is known.
    pub at: Option<Timestamp>,
    /// Messages since.
    pub count: usize,
}

/// When one was offline, and where that stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// From.
    pub from: Timestamp,
    /// To.
    pub to: Timestamp,
    /// The last seq that was known before.
    pub after: Seq,
}

impl Room {
    /// Not read yet.
    pub fn new(id: InstanceId, now: Timestamp) -> Self {
        Self {
            id,
            log: None,
            kept_at: None,
            following: false,
            wants_in: false,
            scroll: Scroll::Newest,
            unread: 0,
            mentions: 0,
            seen: Seq::default(),
            untold: false,
            told_at: None,
            left: BTreeMap::new(),
            away: BTreeMap::new(),
            absent: None,
            typing: BTreeMap::new(),
            typed_at: None,
            looked_at: now,
            kept_unread: false,
            divider: None,
            absences: Vec::new(),
            asked_older: None,
            asked_newer: false,
            warned_minutes: i64::MAX,
            refusals: 0,
            again_at: None,
        }
    }

    /// Whether this person is in it, as far as the log says.
    pub fn has(&self, user: Option<UserId>) -> bool {
        let log = self.log.as_ref();
        log.zip(user).is_some_and(|(log, user)| log.is_member(user))
    }

    /// Whether the server has said how it is.
    pub fn was_read(&self) -> bool {
        self.log.is_some() && self.kept_at.is_none()
    }

    /// Whether it is over, as the server said.
    pub fn is_closed(&self) -> bool {
        self.kept_at.is_none() && self.log.as_ref().is_some_and(Replica::is_closed)
    }

    /// The last seq that is known.
    pub fn last(&self) -> Seq {
        self.log
            .as_ref()
            .map_or(Seq::default(), |log| log.position().seq)
    }

    /// An event has been applied: whether it is news to the reader.
    pub fn noted(&mut self, event: &Event, me: Option<UserId>, looking: bool, mentioned: bool) {
        let What::Message { user, .. } = &event.what else {
            if looking {
                self.seen = event.seq;
            }
            return;
        };
        if Some(*user) == me {
            return;
        }
        self.typing.remove(user);
        if looking {
            self.seen = event.seq;
            self.untold = true;
            return;
        }
        if self.unread == 0 {
            self.divider = Some(Divider {
                after: self.seen,
                at: Some(self.looked_at),
                count: 0,
            });
        }
        self.unread += 1;
        self.mentions += usize::from(mentioned);
        if let Some(divider) = &mut self.divider {
            divider.count += 1;
        }
    }

    /// Who has left, as all that is known of the log says it.
    pub fn count_left(&mut self) {
        let (mut came, mut left) = (BTreeMap::new(), BTreeMap::new());
        for event in self.log.iter().flat_map(Replica::events) {
            if let What::Join { user, .. } = &event.what {
                came.insert(*user, event.timestamp);
                left.remove(user);
            } else if let What::Leave { user, .. } = &event.what {
                left.insert(*user, (came.remove(user), event.timestamp));
            }
        }
        self.left = left;
    }

    /// Who is there, and who has not been, as the server says it at once.
    pub fn attended(&mut self, people: &[Participant], absent: Option<Absent>) {
        let away = people.iter().filter(|one| !one.presence.is_here());
        self.away = away
            .map(|one| (one.id, (one.presence, one.since.unwrap_or(one.joined))))
            .collect();
        self.absent = absent;
    }

    /// Somebody is there, or is not.
    pub fn presence(&mut self, told: PresenceTold) {
        match told.state {
            Presence::Here => self.away.remove(&told.user),
            Presence::Idle | Presence::Reconnecting => {
                self.away.insert(told.user, (told.state, told.since))
            }
        };
    }

    /// Somebody came or went: whatever was known of how they are there is over.
    pub fn came_or_went(&mut self, user: UserId) {
        self.away.remove(&user);
        self.typing.remove(&user);
        if let Some(absent) = &mut self.absent {
            let before = absent.people.len();
            absent.people.retain(|one| one.id != Some(user));
            absent.count -= (before - absent.people.len()).min(absent.count);
        }
    }

    /// From this event on all is unread again, until the reader comes back to it.
    pub fn unread_from(&mut self, from: Seq, me: Option<UserId>, is_meant: impl Fn(&str) -> bool) {
        let Some(log) = &self.log else {
            return;
        };
        let after = log.events_before(from).next_back();
        let after = after.map_or(Seq::default(), |event| event.seq);
        self.seen = after;
        self.count(me, is_meant);
        self.kept_unread = self.unread > 0;
        self.divide(Some(self.looked_at));
    }

    /// It was opened: how far it has been read, and what is left, as the server knows it.
    pub fn read_before(&mut self, left: &Unread) {
        self.seen = left.read.min(self.last());
        self.unread = usize::try_from(left.unread).unwrap_or(usize::MAX);
        self.mentions = usize::try_from(left.mentions).unwrap_or(usize::MAX);
        // Nobody looked away from what they have never seen.
        if left.read > Seq::default() {
            let log = self.log.as_ref();
            let last = log.and_then(|log| log.events_before(self.seen.next()).next_back());
            self.divide(last.map(|event| event.timestamp));
        }
    }

    /// Counts what is unread anew. Where not all of it is known, only what the server counts can be
    /// said, and false comes back.
    pub fn recount(&mut self, me: Option<UserId>, is_meant: impl Fn(&str) -> bool) -> bool {
        let Some(log) = &self.log else {
            return false;
        };
        let known = log.events_after(self.seen).count() as u64;
        let is_whole = known == self.last().get().saturating_sub(self.seen.get());
        if is_whole {
            self.count(me, is_meant);
            if let Some(divider) = &mut self.divider
                && divider.after == self.seen
            {
                divider.count = self.unread;
            }
        }
        is_whole
    }

    /// It has been read up to here, and what comes after it is counted anew.
    pub fn read_to(
        &mut self,
        seq: Seq,
        me: Option<UserId>,
        is_meant: impl Fn(&str) -> bool,
    ) -> bool {
        self.seen = self.seen.max(seq.min(self.last()));
        if self.seen == self.last() {
            (self.unread, self.mentions) = (0, 0);
            return true;
        }
        self.recount(me, is_meant)
    }

    fn count(&mut self, me: Option<UserId>, is_meant: impl Fn(&str) -> bool) {
        let (mut unread, mut meant) = (0, 0);
        for event in self.log.iter().flat_map(|log| log.events_after(self.seen)) {
            if let What::Message {
                user,
                body,
                deleted: None,
                ..
            } = &event.what
                && Some(*user) != me
            {
                unread += 1;
                meant += usize::from(is_meant(body.as_str()));
            }
        }
        (self.unread, self.mentions) = (unread, meant);
    }

    fn divide(&mut self, at: Option<Timestamp>) {
        self.divider = (self.unread > 0).then_some(Divider {
            after: self.seen,
            at,
            count: self.unread,
        });
    }

    /// The reader sees the end of the log.
    pub fn looked(&mut self, now: Timestamp) {
        self.seen = self.last();
        self.looked_at = now;
        self.untold |= self.unread > 0;
        self.unread = 0;
        self.mentions = 0;
    }

    /// One was offline, and is back.
    pub fn was_offline(&mut self, from: Timestamp, to: Timestamp) {
        if self.absences.len() == ABSENCES_MAX {
            self.absences.remove(0);
        }
        self.absences.push(Absence {
            from,
            to,
            after: self.last(),
        });
    }

    /// What is known above this may be void: what came while one was offline begins no later.
    pub fn void_above(&mut self, seq: Seq) {
        self.seen = self.seen.min(seq);
        for absence in &mut self.absences {
            absence.after = absence.after.min(seq);
        }
    }

    /// The connection is lost, and with it what was asked.
    pub fn lost(&mut self) {
        self.following = false;
        self.asked_older = None;
        self.asked_newer = false;
        self.typing.clear();
        self.away.clear();
        self.settled();
    }

    /// Reading or joining it was refused for a reason that may pass: it is tried again after a wait.
    ///
    /// `dice`, any number, puts off by up to half, so that many who were refused at once do not come
    /// back in step.
    pub fn refused(&mut self, now: Timestamp, at_least_s: Option<u32>, dice: u64) {
        let wait_ms = (AGAIN_FIRST_MS << self.refusals).min(AGAIN_LONGEST_MS);
        let wait_ms = wait_ms.max(i64::from(at_least_s.unwrap_or(0)) * 1_000);
        let spread = i64::try_from(dice % 1_000).unwrap_or(0);
        self.refusals = self.refusals.saturating_add(1).min(AGAIN_DOUBLINGS_MAX);
        self.again_at = Some(now.plus_ms(wait_ms + wait_ms * spread / 2_000));
    }

    /// Nothing is to be tried again.
    pub fn settled(&mut self) {
        self.refusals = 0;
        self.again_at = None;
    }
}
