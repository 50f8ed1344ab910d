//! The detail of one meeting, as the server pushes it, and the view of it on screen.

mod update;
pub mod view;

use std::collections::{BTreeMap, VecDeque};

use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::{
    Attendee, DetailUpdate, MeetingTotals, Stay, TimelineEntry, TimelineKind,
};
use plenary_shared::time::Timestamp;
use plenary_shared::unicode::fold;

use crate::command::Context;
use crate::model::filter::Filter;
use crate::text;

/// The most timeline entries that are kept: a few screens.
const TIMELINE_MAX: usize = 500;

/// The detail of one meeting.
#[derive(Clone, Debug)]
pub struct MeetingDetail {
    pub instance: InstanceId,
    /// Whether an update was received.
    pub known: bool,
    /// The error message, if the server refused to send it.
    pub refused: Option<String>,
    pub totals: MeetingTotals,
    /// Everyone who has ever joined.
    pub participants: BTreeMap<UserId, Attendee>,
    /// What happened, oldest first.
    pub timeline: VecDeque<TimelineEntry>,
}

impl MeetingDetail {
    /// The detail before the first update.
    pub fn new(instance: InstanceId) -> Self {
        Self {
            instance,
            known: false,
            refused: None,
            totals: MeetingTotals::default(),
            participants: BTreeMap::new(),
            timeline: VecDeque::new(),
        }
    }

    /// Applies an update from the server. Updates for another instance are ignored.
    pub fn apply(&mut self, update: DetailUpdate) {
        if update.instance != self.instance {
            return;
        }
        if update.reset {
            *self = Self::new(self.instance);
        }
        self.known = true;
        if let Some(totals) = update.totals {
            self.totals = totals;
        }
        let participants = update.attendees.into_iter();
        self.participants
            .extend(participants.map(|one| (one.user, one)));
        self.timeline.extend(update.timeline);
        let excess = self.timeline.len().saturating_sub(TIMELINE_MAX);
        self.timeline.drain(..excess);
    }

    /// How many participants are here, have left, and are reconnecting.
    pub fn counts(&self) -> (usize, usize, usize) {
        let here = self.participants.values().filter(|one| is_here(one));
        let here = here.count();
        let lost = self
            .participants
            .values()
            .filter(|one| is_reconnecting(one));
        (here, self.participants.len() - here, lost.count())
    }

    /// The average length of a stay in milliseconds; open stays count up to `now`.
    pub fn average_stay_ms(&self, now: Timestamp) -> Option<i64> {
        let last_stays = self
            .participants
            .values()
            .filter_map(|one| one.stays.last());
        let (mut stays, mut ms) = (self.totals.stays, self.totals.stayed_ms);
        for stay in last_stays.filter(|stay| stay.to.is_none()) {
            stays += 1;
            ms += now.ms_since(stay.from).max(0);
        }
        let stays = i64::try_from(stays).ok().filter(|stays| *stays > 0)?;
        Some(ms / stays)
    }
}

fn is_here(one: &Attendee) -> bool {
    one.stays.last().is_some_and(|stay| stay.to.is_none())
}

/// Whether a participant is here, but has lost all connections.
pub fn is_reconnecting(one: &Attendee) -> bool {
    is_here(one) && one.connections > 0 && one.lost == one.connections
}

/// The length of a stay, up to now if it is open, in milliseconds.
pub fn stay_ms(stay: &Stay, now: Timestamp) -> i64 {
    stay.to.unwrap_or(now).ms_since(stay.from).max(0)
}

/// The length of all stays of a participant, in milliseconds.
pub fn total_stay_ms(one: &Attendee, now: Timestamp) -> i64 {
    let listed: i64 = one.stays.iter().map(|stay| stay_ms(stay, now)).sum();
    one.earlier_ms + listed
}

/// The pane that has the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// Everyone who has ever joined.
    #[default]
    Participants,
    Timeline,
}

impl Pane {
    /// The name on screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Participants => "participants",
            Self::Timeline => "timeline",
        }
    }
}

/// The column that participants are sorted by, each in its most useful direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParticipantSort {
    /// The earliest first.
    #[default]
    Joined,
    /// The longest total stay first.
    Stayed,
    /// The most messages first.
    Messages,
    Name,
}

impl ParticipantSort {
    /// All columns, in the order of their keys.
    pub const ALL: [Self; 4] = [Self::Joined, Self::Stayed, Self::Messages, Self::Name];

    /// The heading of the column.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Joined => "JOINED",
            Self::Stayed => "STAYED",
            Self::Messages => "MSGS",
            Self::Name => "NAME",
        }
    }
}

/// The view of one meeting's detail.
#[derive(Clone, Debug)]
pub struct DetailView {
    pub instance: InstanceId,
    /// The pane that has the focus.
    pub pane: Pane,
    /// The column that participants are sorted by.
    pub sort: ParticipantSort,
    /// Whether that order is reversed.
    pub reversed: bool,
    /// The filter of participants and timeline entries.
    pub filter: Filter,
    pub participant: Option<UserId>,
    /// The number of the selected timeline entry; `None` follows the newest.
    pub entry: Option<u64>,
}

impl DetailView {
    /// A view of an instance, unfiltered.
    pub fn new(instance: InstanceId) -> Self {
        Self {
            instance,
            pane: Pane::default(),
            sort: ParticipantSort::default(),
            reversed: false,
            filter: Filter::default(),
            participant: None,
            entry: None,
        }
    }

    /// The filtered participants, in their order.
    pub fn participants<'a>(&self, detail: &'a MeetingDetail, now: Timestamp) -> Vec<&'a Attendee> {
        let participants = detail.participants.values();
        let mut participants: Vec<&Attendee> = participants
            .filter(|one| self.filter.is_match(&text::one_line(&one.name)))
            .collect();
        let first = |one: &Attendee| one.stays.first().map(|stay| stay.from);
        participants.sort_by(|a, b| {
            let order = match self.sort {
                ParticipantSort::Joined => first(a).cmp(&first(b)),
                ParticipantSort::Stayed => total_stay_ms(b, now).cmp(&total_stay_ms(a, now)),
                ParticipantSort::Messages => b.messages.cmp(&a.messages),
                ParticipantSort::Name => fold(&a.name).cmp(&fold(&b.name)),
            };
            let order = if self.reversed {
                order.reverse()
            } else {
                order
            };
            order.then(a.user.cmp(&b.user))
        });
        participants
    }

    /// The filtered timeline, newest first.
    pub fn timeline<'a>(&self, detail: &'a MeetingDetail) -> Vec<&'a TimelineEntry> {
        let entries = detail.timeline.iter().rev();
        entries
            .filter(|one| {
                let name = text::one_line(&one.name);
                self.filter
                    .is_match(&format!("{} {name}", keyword(&one.kind)))
            })
            .collect()
    }

    /// The index of the selected participant; 0 if they are filtered out.
    pub fn participant_index(&self, participants: &[&Attendee]) -> usize {
        let is_selected = |one: &&Attendee| Some(one.user) == self.participant;
        participants.iter().position(is_selected).unwrap_or(0)
    }

    /// The index of the selected timeline entry; 0 if it is filtered out.
    pub fn entry_index(&self, timeline: &[&TimelineEntry]) -> usize {
        let is_selected = |one: &&TimelineEntry| Some(one.number) == self.entry;
        timeline.iter().position(is_selected).unwrap_or(0)
    }

    /// The selected participant with their name, while their pane has the focus.
    pub fn selected_participant(
        &self,
        detail: &MeetingDetail,
        now: Timestamp,
    ) -> Option<(UserId, String)> {
        if self.pane != Pane::Participants {
            return None;
        }
        let participants = self.participants(detail, now);
        let one = participants.get(self.participant_index(&participants))?;
        Some((one.user, one.name.clone()))
    }

    /// The parts of the key table that apply. The actions of the dashboard work here too.
    pub const fn contexts(&self) -> &'static [Context] {
        use Context::{Anywhere, Detail, Edit, Filter, Lists, MeetingActions};
        if self.filter.has_focus {
            &[Filter, Edit, Anywhere]
        } else {
            &[Detail, MeetingActions, Lists, Anywhere]
        }
    }
}

/// The word that stands for a kind of timeline entry.
pub const fn keyword(what: &TimelineKind) -> &'static str {
    match what {
        TimelineKind::Opened => "open",
        TimelineKind::Join => "join",
        TimelineKind::Leave { .. } => "leave",
        TimelineKind::Message { .. } => "msg",
        TimelineKind::Edited { .. } => "edit",
        TimelineKind::Deleted { .. } => "delete",
        TimelineKind::Moderated { .. } => "admin",
        TimelineKind::Closed { .. } => "close",
        TimelineKind::Denied { .. } => "deny",
        TimelineKind::ConnectionLost => "lost",
        TimelineKind::Reconnected => "back",
    }
}
