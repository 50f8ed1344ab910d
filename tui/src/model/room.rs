//! One open meeting: its log, its read position, and the times offline.

use std::collections::BTreeMap;

use plenary_shared::domain::{Event, EventKind, Participant, Presence};
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::protocol::{Absent, OwnRestrictions, PresenceChange, Unread};
use plenary_shared::replica::Replica;
use plenary_shared::time::Timestamp;

use crate::model::place::Scroll;

/// Offline periods shown in one log. The oldest is dropped first.
const OFFLINE_PERIODS_MAX: usize = 32;

/// Delay before the first retry, doubled for each further one.
const RETRY_FIRST_MS: i64 = 500;

/// Doublings of the delay until it reaches its maximum.
const RETRY_DOUBLINGS_MAX: u32 = 5;

/// Longest delay before a retry, unless the server asks for a longer one.
const RETRY_LONGEST_MS: i64 = 10_000;

/// An open meeting.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Room {
    pub id: InstanceId,
    /// The log, once it was read.
    pub log: Option<Replica>,
    /// When the content was cached, until the server sends it.
    pub cached_at: Option<Timestamp>,
    /// Whether this connection is subscribed to the meeting.
    pub following: bool,
    /// Whether the user wants to be a participant.
    pub wants_to_join: bool,
    /// The scroll position of the chat.
    pub scroll: Scroll,
    /// Unread messages from others.
    pub unread: usize,
    /// Unread messages that mention the user.
    pub mentions: usize,
    /// The read position.
    pub seen: Seq,
    /// Whether the read position was not reported to the server yet.
    pub read_unreported: bool,
    /// When the read position was last reported.
    pub read_reported_at: Option<Timestamp>,
    /// Participants who left: when they joined, if known, and when they left.
    pub left: BTreeMap<UserId, (Option<Timestamp>, Timestamp)>,
    /// Participants who are idle or reconnecting, and since when.
    pub presence: BTreeMap<UserId, (Presence, Timestamp)>,
    /// Invited users who have not joined, as far as the server sent them.
    pub absent: Option<Absent>,
    /// Other users who are typing, and until when to show that.
    pub typing: BTreeMap<UserId, Timestamp>,
    /// When typing was last reported to the server.
    pub typing_reported_at: Option<Timestamp>,
    /// When the user last viewed the end of the log.
    pub viewed_at: Timestamp,
    /// Whether the user marked messages as unread, so that viewing them does not mark them as read.
    pub marked_unread: bool,
    /// The divider above the first unread message.
    pub divider: Option<Divider>,
    pub offline_periods: Vec<OfflinePeriod>,
    /// The event before which missing events were requested.
    pub requested_older: Option<Seq>,
    pub requested_newer: bool,
    /// The remaining minutes of the last warning.
    pub warned_minutes: i64,
    /// Consecutive temporary errors on opening or joining.
    pub failures: u32,
    pub retry_at: Option<Timestamp>,
    /// What an admin has restricted for the user.
    pub restrictions: OwnRestrictions,
}

/// The divider above the first unread message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divider {
    /// The last read event.
    pub after: Seq,
    /// When the user looked away, if known.
    pub at: Option<Timestamp>,
    /// Messages below the divider.
    pub count: usize,
}

/// A period offline, and its place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfflinePeriod {
    pub from: Timestamp,
    pub to: Timestamp,
    /// The last event known before the loss.
    pub after: Seq,
}

impl Room {
    /// Returns a room whose log was not read yet.
    pub fn new(id: InstanceId, now: Timestamp) -> Self {
        Self {
            id,
            log: None,
            cached_at: None,
            following: false,
            wants_to_join: false,
            scroll: Scroll::Newest,
            unread: 0,
            mentions: 0,
            seen: Seq::default(),
            read_unreported: false,
            read_reported_at: None,
            left: BTreeMap::new(),
            presence: BTreeMap::new(),
            absent: None,
            typing: BTreeMap::new(),
            typing_reported_at: None,
            viewed_at: now,
            marked_unread: false,
            divider: None,
            offline_periods: Vec::new(),
            requested_older: None,
            requested_newer: false,
            warned_minutes: i64::MAX,
            failures: 0,
            retry_at: None,
            restrictions: OwnRestrictions::default(),
        }
    }

    /// Returns whether the user is a participant according to the log.
    pub fn has(&self, user: Option<UserId>) -> bool {
        let log = self.log.as_ref();
        log.zip(user).is_some_and(|(log, user)| log.is_member(user))
    }

    /// Returns whether the server has sent the log.
    pub fn is_loaded(&self) -> bool {
        self.log.is_some() && self.cached_at.is_none()
    }

    /// Returns whether the meeting has ended according to the server.
    pub fn is_closed(&self) -> bool {
        self.cached_at.is_none() && self.log.as_ref().is_some_and(Replica::is_closed)
    }

    /// Returns the seq of the last known event.
    pub fn last(&self) -> Seq {
        self.log
            .as_ref()
            .map_or(Seq::default(), |log| log.position().seq)
    }

    /// Updates the read position or the unread counts for an applied event.
    pub fn event_applied(
        &mut self,
        event: &Event,
        me: Option<UserId>,
        looking: bool,
        mentioned: bool,
    ) {
        let EventKind::Message { user, .. } = &event.kind else {
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
            self.read_unreported = true;
            return;
        }
        if self.unread == 0 {
            self.divider = Some(Divider {
                after: self.seen,
                at: Some(self.viewed_at),
                count: 0,
            });
        }
        self.unread += 1;
        self.mentions += usize::from(mentioned);
        if let Some(divider) = &mut self.divider {
            divider.count += 1;
        }
    }

    /// Derives the participants who left from the known events.
    pub fn derive_left(&mut self) {
        let (mut came, mut left) = (BTreeMap::new(), BTreeMap::new());
        for event in self.log.iter().flat_map(Replica::events) {
            if let EventKind::Join { user, .. } = &event.kind {
                came.insert(*user, event.timestamp);
                left.remove(user);
            } else if let EventKind::Leave { user, .. } = &event.kind {
                left.insert(*user, (came.remove(user), event.timestamp));
            }
        }
        self.left = left;
    }

    /// Replaces presence and absent users with the server's data.
    pub fn set_attendance(&mut self, people: &[Participant], absent: Option<Absent>) {
        let away = people.iter().filter(|one| !one.presence.is_present());
        self.presence = away
            .map(|one| (one.id, (one.presence, one.since.unwrap_or(one.joined))))
            .collect();
        self.absent = absent;
    }

    /// Updates the presence of one participant.
    pub fn set_presence(&mut self, told: PresenceChange) {
        match told.state {
            Presence::Present => self.presence.remove(&told.user),
            Presence::Idle | Presence::Reconnecting => {
                self.presence.insert(told.user, (told.state, told.since))
            }
        };
    }

    /// Resets presence and typing of a user who joined or left.
    pub fn reset_presence(&mut self, user: UserId) {
        self.presence.remove(&user);
        self.typing.remove(&user);
        if let Some(absent) = &mut self.absent {
            let before = absent.users.len();
            absent.users.retain(|one| one.id != Some(user));
            absent.count -= (before - absent.users.len()).min(absent.count);
        }
    }

    /// Marks all events from this one on as unread until the user returns to the meeting.
    pub fn unread_from(
        &mut self,
        from: Seq,
        me: Option<UserId>,
        is_mention: impl Fn(&str) -> bool,
    ) {
        let Some(log) = &self.log else {
            return;
        };
        let after = log.events_before(from).next_back();
        let after = after.map_or(Seq::default(), |event| event.seq);
        self.seen = after;
        self.count(me, is_mention);
        self.marked_unread = self.unread > 0;
        self.set_divider(Some(self.viewed_at));
    }

    /// Takes the read position and unread counts from the server after opening.
    pub fn set_read_position(&mut self, left: &Unread) {
        self.seen = left.read.min(self.last());
        self.unread = usize::try_from(left.unread).unwrap_or(usize::MAX);
        self.mentions = usize::try_from(left.mentions).unwrap_or(usize::MAX);
        // Without a read position, the user has never looked away from this meeting.
        if left.read > Seq::default() {
            let log = self.log.as_ref();
            let last = log.and_then(|log| log.events_before(self.seen.next()).next_back());
            self.set_divider(last.map(|event| event.timestamp));
        }
    }

    /// Counts the unread messages. Returns false if the log is incomplete, so that only the server
    /// can count them.
    pub fn recount(&mut self, me: Option<UserId>, is_mention: impl Fn(&str) -> bool) -> bool {
        let Some(log) = &self.log else {
            return false;
        };
        let known = log.events_after(self.seen).count() as u64;
        let is_whole = known == self.last().get().saturating_sub(self.seen.get());
        if is_whole {
            self.count(me, is_mention);
            if let Some(divider) = &mut self.divider
                && divider.after == self.seen
            {
                divider.count = self.unread;
            }
        }
        is_whole
    }

    /// Advances the read position and counts the rest, as [`Self::recount`].
    pub fn read_to(
        &mut self,
        seq: Seq,
        me: Option<UserId>,
        is_mention: impl Fn(&str) -> bool,
    ) -> bool {
        self.seen = self.seen.max(seq.min(self.last()));
        if self.seen == self.last() {
            (self.unread, self.mentions) = (0, 0);
            return true;
        }
        self.recount(me, is_mention)
    }

    fn count(&mut self, me: Option<UserId>, is_mention: impl Fn(&str) -> bool) {
        let (mut unread, mut meant) = (0, 0);
        for event in self.log.iter().flat_map(|log| log.events_after(self.seen)) {
            if let EventKind::Message {
                user,
                body,
                deleted: None,
                ..
            } = &event.kind
                && Some(*user) != me
            {
                unread += 1;
                meant += usize::from(is_mention(body.as_str()));
            }
        }
        (self.unread, self.mentions) = (unread, meant);
    }

    fn set_divider(&mut self, at: Option<Timestamp>) {
        self.divider = (self.unread > 0).then_some(Divider {
            after: self.seen,
            at,
            count: self.unread,
        });
    }

    /// Marks everything as read: the user sees the end of the log.
    pub fn mark_read(&mut self, now: Timestamp) {
        self.seen = self.last();
        self.viewed_at = now;
        self.read_unreported |= self.unread > 0;
        self.unread = 0;
        self.mentions = 0;
    }

    /// Records a period offline.
    pub fn add_offline_period(&mut self, from: Timestamp, to: Timestamp) {
        if self.offline_periods.len() == OFFLINE_PERIODS_MAX {
            self.offline_periods.remove(0);
        }
        self.offline_periods.push(OfflinePeriod {
            from,
            to,
            after: self.last(),
        });
    }

    /// Moves the read position and offline periods down to `seq`: later events may be void.
    pub fn void_above(&mut self, seq: Seq) {
        self.seen = self.seen.min(seq);
        for absence in &mut self.offline_periods {
            absence.after = absence.after.min(seq);
        }
    }

    /// Resets what depended on the lost connection.
    pub fn connection_lost(&mut self) {
        self.following = false;
        self.requested_older = None;
        self.requested_newer = false;
        self.typing.clear();
        self.presence.clear();
        self.cancel_retry();
    }

    /// Schedules a retry after a temporary error.
    ///
    /// `dice` is any random number. It extends the delay by up to half, so that many clients do not
    /// retry at the same time.
    pub fn retry_later(&mut self, now: Timestamp, at_least_s: Option<u32>, dice: u64) {
        let wait_ms = (RETRY_FIRST_MS << self.failures).min(RETRY_LONGEST_MS);
        let wait_ms = wait_ms.max(i64::from(at_least_s.unwrap_or(0)) * 1_000);
        let spread = i64::try_from(dice % 1_000).unwrap_or(0);
        self.failures = self.failures.saturating_add(1).min(RETRY_DOUBLINGS_MAX);
        self.retry_at = Some(now.plus_ms(wait_ms + wait_ms * spread / 2_000));
    }

    /// Cancels a scheduled retry.
    pub fn cancel_retry(&mut self) {
        self.failures = 0;
        self.retry_at = None;
    }
}
