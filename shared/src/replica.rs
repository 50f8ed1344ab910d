//! A client's copy of one instance: its log and the state that follows from it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::{
    EndChange, Event, EventKind, Instance, InstanceState, ModerationAction, Participant, Presence,
    UserRef,
};
use crate::ids::{Generation, InstanceId, Seq, UserId};
use crate::protocol::{Durable, EventsOk, Fence, OpenOk, OwnRestrictions, Position};
use crate::time::Timestamp;

mod changes;

use changes::Changes;

/// The result of applying an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The event was the next one and is applied.
    Applied,
    /// The event was known.
    Known,
    /// Events are missing before this one. The client asks for the events after `after`.
    Gap {
        /// The last known seq.
        after: Seq,
    },
    /// The event belongs to another generation. The client opens the instance again.
    OtherGeneration,
}

/// A participant as far as events describe them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The user's id.
    pub id: UserId,
    /// When the participant joined.
    pub joined: Timestamp,
    /// The full record, if a list of participants contained it.
    pub profile: Option<Participant>,
}

/// The end of an instance's log without gaps, the older pages that were requested, and the state that
/// follows from them.
#[derive(Clone, Debug)]
pub struct Replica {
    instance: Instance,
    generation: Generation,
    seq: Seq,
    durable: Seq,
    /// The events; each message as it is now.
    events: BTreeMap<Seq, Event>,
    changes: Changes,
    /// Whether the server has events before the first of these.
    more_before: bool,
    members: BTreeMap<UserId, Member>,
    names: HashMap<UserId, String>,
}

impl Replica {
    /// Creates a replica from the answer to `open`.
    pub fn new(opened: OpenOk) -> Self {
        let mut replica = Self {
            instance: opened.instance,
            generation: opened.generation,
            seq: opened.seq,
            durable: opened.durable,
            events: opened
                .events
                .into_iter()
                .map(|event| (event.seq, event))
                .collect(),
            changes: Changes::default(),
            more_before: opened.more,
            members: BTreeMap::new(),
            names: opened
                .users
                .into_iter()
                .map(|person| (person.id, person.name))
                .collect(),
        };
        for event in replica.events.values() {
            replica.changes.note(event);
        }
        for event in replica.events.clone().values() {
            replica.name_those_of(event);
        }
        for participant in opened.roster {
            replica
                .names
                .insert(participant.id, participant.name.clone());
            let member = Member {
                id: participant.id,
                joined: participant.joined,
                profile: Some(participant),
            };
            replica.members.insert(member.id, member);
        }
        replica
    }

    /// Returns the id of the instance.
    pub fn id(&self) -> InstanceId {
        self.instance.id
    }

    /// Returns the instance.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Returns the position for a resume.
    pub fn position(&self) -> Position {
        Position {
            instance: self.instance.id,
            generation: self.generation,
            seq: self.seq,
        }
    }

    /// Returns the last seq in the durable store.
    pub fn durable(&self) -> Seq {
        self.durable
    }

    /// Whether the instance has ended.
    pub fn is_closed(&self) -> bool {
        self.instance.state == InstanceState::Ended
    }

    /// Returns the known events, ascending.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.values()
    }

    /// Returns the event with this seq, if it is known; a message as it is now.
    pub fn event(&self, seq: Seq) -> Option<&Event> {
        self.events.get(&seq)
    }

    /// Returns the known events above this seq, ascending.
    pub fn events_after(&self, seq: Seq) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.range(seq.next()..).map(|(_, event)| event)
    }

    /// Returns the known events below this seq, ascending.
    pub fn events_before(&self, seq: Seq) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.range(..seq).map(|(_, event)| event)
    }

    /// Returns all known names, unordered.
    pub fn names(&self) -> impl Iterator<Item = (UserId, &str)> {
        self.names.iter().map(|(id, name)| (*id, name.as_str()))
    }

    /// Returns the end of the log as `open` would: at most `limit` events, without gaps.
    pub fn last_page(&self, limit: usize) -> OpenOk {
        let mut events: Vec<Event> = Vec::new();
        for event in self.events.values().rev().take(limit) {
            if events
                .last()
                .is_some_and(|after| event.seq.next() != after.seq)
            {
                break;
            }
            events.push(event.clone());
        }
        events.reverse();
        let known = self.events.keys().next();
        let is_whole = events.first().map(|event| &event.seq) == known;
        let spoken_of: BTreeSet<UserId> = events.iter().filter_map(|e| e.kind.user()).collect();
        let person = |id: &UserId| Some((*id, self.names.get(id)?.clone()));
        OpenOk {
            instance: self.instance.clone(),
            generation: self.generation,
            seq: self.seq,
            durable: self.durable,
            roster: self
                .members()
                .into_iter()
                .map(|m| self.profile(m))
                .collect(),
            events,
            more: self.more_before || !is_whole,
            users: spoken_of
                .iter()
                .filter_map(person)
                .map(|(id, name)| UserRef { id, name })
                .collect(),
            unread: None,
            absent: None,
            restrictions: OwnRestrictions::default(),
        }
    }

    /// Returns the record of a participant.
    fn profile(&self, member: &Member) -> Participant {
        // The log does not contain the presence.
        let known = member.profile.clone().map(|profile| Participant {
            presence: Presence::Present,
            since: None,
            ..profile
        });
        known.unwrap_or_else(|| Participant {
            name: self.name(member.id),
            age: None,
            gender: None,
            email: None,
            id: member.id,
            joined: member.joined,
            presence: Presence::Present,
            since: None,
        })
    }

    /// Returns the seq before which the server has older events, if it has any.
    pub fn older_than(&self) -> Option<Seq> {
        self.more_before.then(|| {
            self.events
                .keys()
                .next()
                .copied()
                .unwrap_or(self.seq.next())
        })
    }

    /// Whether the known events have no gap.
    pub fn is_contiguous(&self) -> bool {
        let (first, last) = (self.events.keys().next(), self.events.keys().next_back());
        let span = first
            .zip(last)
            .map(|(first, last)| last.get() - first.get() + 1);
        span.is_none_or(|span| span == self.events.len() as u64)
    }

    /// Returns the seq after which events are missing directly before a known event: 0 if no earlier event
    /// is known, `None` if no event is missing.
    pub fn missing_before(&self, event: Seq) -> Option<Seq> {
        let before = self.events_before(event).next_back().map(|one| one.seq);
        match before {
            Some(before) => (before.next() < event).then_some(before),
            None => self.more_before.then(Seq::default),
        }
    }

    /// Returns the participants, in the order of joining.
    pub fn members(&self) -> Vec<&Member> {
        let mut members: Vec<&Member> = self.members.values().collect();
        members.sort_by_key(|member| (member.joined, member.id));
        members
    }

    /// Whether this user is a participant.
    pub fn is_member(&self, user: UserId) -> bool {
        self.members.contains_key(&user)
    }

    /// Returns the name of a user, or `#7` if it is unknown.
    pub fn name(&self, user: UserId) -> String {
        self.names
            .get(&user)
            .cloned()
            .unwrap_or_else(|| format!("#{user}"))
    }

    /// Applies a pushed event. Only the event with seq = last + 1 of the same generation is applied.
    pub fn apply(&mut self, event: Event) -> Applied {
        if event.generation != self.generation && event.generation != Generation::default() {
            return Applied::OtherGeneration;
        }
        if event.seq <= self.seq {
            return Applied::Known;
        }
        if event.seq != self.seq.next() {
            return Applied::Gap { after: self.seq };
        }
        self.fold(&event);
        self.seq = event.seq;
        self.insert(event);
        Applied::Applied
    }

    /// Inserts an unknown event and applies the change that it makes, or that changed it.
    fn insert(&mut self, event: Event) {
        let seq = event.seq;
        if self.events.contains_key(&seq) {
            return;
        }
        let by = match &event.kind {
            EventKind::Message { .. } => self.changes.last_of(seq),
            EventKind::Edited { .. } | EventKind::Deleted { .. } => {
                self.changes.note(&event);
                Some(seq)
            }
            EventKind::Opened
            | EventKind::Join { .. }
            | EventKind::Leave { .. }
            | EventKind::Moderated(_)
            | EventKind::Closed { .. } => None,
        };
        self.name_those_of(&event);
        self.events.insert(seq, event);
        if let Some(by) = by {
            self.change(by);
        }
    }

    /// Records names that only the event contains.
    fn name_those_of(&mut self, event: &Event) {
        let EventKind::Moderated(done) = &event.kind else {
            return;
        };
        let mut note = |id: UserId, name: &String| {
            if !name.is_empty() {
                self.names.entry(id).or_insert_with(|| name.clone());
            }
        };
        note(done.user, &done.name);
        if let Some(whom) = done.action.target() {
            note(whom.id, &whom.name);
        }
    }

    /// Applies the change with this seq to its message, if both are known.
    fn change(&mut self, by: Seq) {
        let Some(change) = self.events.get(&by).cloned() else {
            return;
        };
        let (EventKind::Edited { target, .. } | EventKind::Deleted { target, .. }) = &change.kind
        else {
            return;
        };
        if let Some(message) = self.events.get_mut(target) {
            self.changes.make(message, &change);
        }
    }

    /// Adds a requested page of older or newer events.
    pub fn add_page(&mut self, page: EventsOk, before: Option<Seq>) {
        for person in page.users {
            self.names.entry(person.id).or_insert(person.name);
        }
        // `more` of a page is that of the log if the page becomes its start.
        let first = self.events.keys().next().copied();
        let begins = page.events.first().map(|event| event.seq).or(before);
        if before.is_some() && (first.is_none() || begins <= first) {
            self.more_before = page.more;
        }
        for event in page.events {
            if event.generation != self.generation && event.generation != Generation::default() {
                // Requested before a fence: the event may be void.
                continue;
            }
            if event.seq <= self.seq {
                self.insert(event);
            } else {
                // A page that starts above the gap has no effect; the next event asks again.
                let _ = self.apply(event);
            }
        }
    }

    /// Replaces the state by the answer to `open`. Keeps older events if no event is missing between them
    /// and the new ones; others can be requested again. Of another generation, keeps only events that were
    /// durable: the others may be void.
    pub fn reopen(&mut self, opened: OpenOk) {
        let mut new = Self::new(opened);
        if new.generation != self.generation {
            for message in self.changes.take_back(self.durable) {
                self.events.insert(message.seq, message);
            }
            self.events.split_off(&self.durable.next());
        }
        let first = new.events.keys().next().copied().unwrap_or(new.seq.next());
        let reaches = self
            .events
            .keys()
            .next_back()
            .is_some_and(|last| last.next() >= first);
        if reaches {
            for (seq, event) in std::mem::take(&mut self.events) {
                if seq < first {
                    new.insert(event);
                }
            }
            // Newer changes apply to the older messages too.
            for seq in new.changes.seqs() {
                new.change(seq);
            }
            new.more_before = self.more_before;
        }
        for (user, name) in std::mem::take(&mut self.names) {
            new.names.entry(user).or_insert(name);
        }
        *self = new;
    }

    /// Records the last durable seq. Ignores other generations, whose seqs may mean other events.
    pub fn set_durable(&mut self, durable: Durable) {
        if durable.generation == self.generation {
            self.durable = self.durable.max(durable.durable);
            self.changes.settle(self.durable);
        }
    }

    /// Drops and returns the events that a fence voids. The client then opens the instance again. Returns
    /// `None` and changes nothing if this or a later generation is known.
    pub fn fence(&mut self, fence: Fence) -> Option<Vec<Event>> {
        if fence.generation <= self.generation {
            return None;
        }
        self.generation = fence.generation;
        for message in self.changes.take_back(fence.base) {
            self.events.insert(message.seq, message);
        }
        self.seq = self.seq.min(fence.base);
        let void = self.events.split_off(&fence.base.next());
        Some(void.into_values().collect())
    }

    fn fold(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Opened => self.instance.state = InstanceState::Active,
            EventKind::Join { user, name } => {
                self.names.insert(*user, name.clone());
                let member = Member {
                    id: *user,
                    joined: event.timestamp,
                    profile: None,
                };
                self.members.insert(*user, member);
            }
            EventKind::Leave { user, .. } => {
                self.members.remove(user);
            }
            EventKind::Moderated(done) => {
                if let ModerationAction::Extend(EndChange { todatetime, .. }) = done.action {
                    self.instance.todatetime = todatetime;
                }
            }
            EventKind::Message { .. } | EventKind::Edited { .. } | EventKind::Deleted { .. } => {}
            EventKind::Closed { .. } => {
                self.instance.state = InstanceState::Ended;
                self.members.clear();
            }
        }
        self.instance.participants = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Reason;
    use crate::ids::{MeetingId, OrderId};

    fn id() -> InstanceId {
        InstanceId::new(
            MeetingId::new(1).expect("small"),
            OrderId::new(4).expect("small"),
        )
    }

    fn user(n: u64) -> UserId {
        UserId::new(n).expect("small")
    }

    fn replica() -> Replica {
        Replica::new(OpenOk {
            instance: Instance {
                title: "BDMS".into(),
                description: String::new(),
                is_public: true,
                fromdatetime: Timestamp::from_ms(0),
                todatetime: Timestamp::from_ms(1_000_000),
                id: id(),
                state: InstanceState::Active,
                participants: 0,
                joined: None,
                cancelled: false,
                ended_at: None,
            },
            generation: Generation::new(1).expect("small"),
            seq: Seq::new(1).expect("small"),
            durable: Seq::default(),
            roster: vec![],
            events: vec![],
            more: true,
            users: vec![],
            unread: None,
            absent: None,
            restrictions: OwnRestrictions::default(),
        })
    }

    fn event(generation: u64, seq: u64, what: EventKind) -> Event {
        Event {
            instance: id(),
            generation: Generation::new(generation).expect("small"),
            seq: Seq::new(seq).expect("small"),
            kind: what,
            timestamp: Timestamp::from_ms(i64::try_from(seq).expect("small")),
        }
    }

    fn join(seq: u64, who: u64) -> Event {
        event(
            1,
            seq,
            EventKind::Join {
                user: user(who),
                name: format!("u{who}"),
            },
        )
    }

    #[test]
    fn pages_out_of_the_middle_leave_gaps_that_are_known() {
        let seq = |n: u64| Seq::new(n).expect("small");
        let page = |seqs: std::ops::Range<u64>, more| EventsOk {
            events: seqs.map(|seq| join(seq, seq)).collect(),
            more,
            users: vec![],
        };
        let mut replica = replica();
        replica.seq = seq(90);
        replica.add_page(page(80..91, true), Some(seq(91)));
        assert_eq!(replica.missing_before(seq(80)), Some(seq(0)));
        assert!(replica.is_contiguous());
        replica.add_page(page(40..50, true), Some(seq(50)));
        assert_eq!(replica.missing_before(seq(80)), Some(seq(49)));
        assert!(!replica.is_contiguous());
        assert_eq!(replica.missing_before(seq(81)), None);
        assert_eq!(replica.older_than(), Some(seq(40)));
        // A page that fills a gap says nothing of the beginning.
        replica.add_page(page(60..80, false), Some(seq(80)));
        replica.add_page(page(50..55, false), None);
        assert_eq!(replica.missing_before(seq(60)), Some(seq(54)));
        assert_eq!(replica.older_than(), Some(seq(40)));
        replica.add_page(page(55..60, true), Some(seq(60)));
        replica.add_page(page(1..40, false), Some(seq(40)));
        assert_eq!(replica.older_than(), None);
        assert_eq!(seqs(&replica), (1..=90).collect::<Vec<_>>());
        assert!((1..=90).all(|n| replica.missing_before(seq(n)).is_none()));
    }

    #[test]
    fn the_clients_rule() {
        let mut replica = replica();
        assert_eq!(replica.apply(join(2, 7)), Applied::Applied);
        assert_eq!(replica.apply(join(2, 7)), Applied::Known);
        let after = Seq::new(2).expect("small");
        assert_eq!(replica.apply(join(4, 8)), Applied::Gap { after });
        assert_eq!(
            replica.apply(event(2, 3, EventKind::Opened)),
            Applied::OtherGeneration
        );
        assert_eq!(replica.apply(join(3, 8)), Applied::Applied);
        assert_eq!(replica.members().len(), 2);
        assert_eq!(replica.name(user(8)), "u8");
        let left = EventKind::Leave {
            user: user(7),
            reason: Reason::Left,
        };
        assert_eq!(replica.apply(event(1, 4, left)), Applied::Applied);
        assert!(!replica.is_member(user(7)));
        let closed = EventKind::Closed {
            reason: Reason::Scheduled,
        };
        assert_eq!(replica.apply(event(1, 5, closed)), Applied::Applied);
        assert!(replica.is_closed() && replica.members().is_empty());
    }

    fn opened(seqs: std::ops::RangeInclusive<u64>) -> OpenOk {
        OpenOk {
            instance: replica().instance,
            generation: Generation::new(1).expect("small"),
            seq: Seq::new(*seqs.end()).expect("small"),
            durable: Seq::default(),
            roster: vec![],
            events: seqs.map(|seq| join(seq, seq)).collect(),
            more: true,
            users: vec![],
            unread: None,
            absent: None,
            restrictions: OwnRestrictions::default(),
        }
    }

    #[test]
    fn opened_again_it_keeps_what_reaches_up_to_the_new() {
        let mut replica = Replica::new(opened(3..=5));
        replica.reopen(opened(6..=7));
        assert_eq!(seqs(&replica), [3, 4, 5, 6, 7]);
        replica.reopen(opened(7..=8));
        assert_eq!(seqs(&replica), [3, 4, 5, 6, 7, 8]);
        replica.reopen(opened(10..=11));
        assert_eq!(seqs(&replica), [10, 11]);
        assert_eq!(replica.older_than(), Seq::new(10).ok());
    }

    #[test]
    fn a_page_fills_a_gap_and_a_fence_drops_what_is_above_it() {
        let mut replica = replica();
        let page = EventsOk {
            events: vec![join(2, 7), join(3, 8)],
            more: false,
            users: vec![],
        };
        replica.add_page(page, None);
        assert_eq!(replica.position().seq.get(), 3);
        let base = Seq::new(2).expect("small");
        let generation = Generation::new(2).expect("small");
        replica.fence(Fence {
            instance: id(),
            generation,
            base,
        });
        assert_eq!(
            replica.position(),
            Position {
                instance: id(),
                generation,
                seq: base
            }
        );
        assert_eq!(replica.events().count(), 1);
    }

    fn seqs(replica: &Replica) -> Vec<u64> {
        replica.events().map(|event| event.seq.get()).collect()
    }

    fn fence(generation: u64, base: u64) -> Fence {
        Fence {
            instance: id(),
            generation: Generation::new(generation).expect("small"),
            base: Seq::new(base).expect("small"),
        }
    }

    fn durable(generation: u64, seq: u64) -> Durable {
        Durable {
            instance: id(),
            generation: Generation::new(generation).expect("small"),
            durable: Seq::new(seq).expect("small"),
        }
    }

    fn of_generation(generation: u64, seq: u64) -> Event {
        let mut event = join(seq, seq);
        event.generation = Generation::new(generation).expect("small");
        event
    }

    #[test]
    fn a_fence_gives_back_what_is_void_and_only_a_newer_one_counts() {
        let mut replica = Replica::new(opened(3..=5));
        let void = replica.fence(fence(2, 4)).expect("it is newer");
        let void: Vec<u64> = void.iter().map(|event| event.seq.get()).collect();
        assert_eq!((void, seqs(&replica)), (vec![5], vec![3, 4]));
        assert_eq!(replica.fence(fence(2, 0)), None);
        assert_eq!(replica.fence(fence(1, 0)), None);
        assert_eq!(seqs(&replica), [3, 4]);
        // A base above what is known makes nothing void and nothing known.
        assert_eq!(replica.fence(fence(3, 9)), Some(vec![]));
        assert_eq!(replica.position().seq.get(), 4);
    }

    #[test]
    fn what_is_durable_counts_in_its_generation_alone() {
        let mut replica = Replica::new(opened(1..=5));
        replica.set_durable(durable(2, 5));
        assert_eq!(replica.durable().get(), 0);
        replica.set_durable(durable(1, 4));
        replica.set_durable(durable(1, 3));
        assert_eq!(replica.durable().get(), 4);
    }

    #[test]
    fn opened_in_another_generation_it_keeps_only_what_the_archive_had() {
        let mut replica = Replica::new(opened(1..=8));
        replica.set_durable(durable(1, 4));
        let mut rebuilt = opened(7..=9);
        rebuilt.generation = Generation::new(2).expect("small");
        replica.reopen(rebuilt);
        // 5 and 6 may be others now: they are asked for again.
        assert_eq!(seqs(&replica), [7, 8, 9]);
        assert_eq!(replica.older_than(), Seq::new(7).ok());
        let mut replica = Replica::new(opened(1..=8));
        replica.set_durable(durable(1, 6));
        let mut rebuilt = opened(7..=9);
        rebuilt.generation = Generation::new(2).expect("small");
        replica.reopen(rebuilt);
        assert_eq!(seqs(&replica), (1..=9).collect::<Vec<_>>());
    }

    #[test]
    fn a_page_that_was_asked_for_before_a_fence_changes_nothing() {
        let mut replica = Replica::new(opened(3..=5));
        replica.fence(fence(2, 4));
        let page = |generation| EventsOk {
            events: (1..=6).map(|seq| of_generation(generation, seq)).collect(),
            more: false,
            users: vec![],
        };
        replica.add_page(page(1), None);
        assert_eq!(seqs(&replica), [3, 4]);
        replica.add_page(page(2), None);
        assert_eq!(seqs(&replica), [1, 2, 3, 4, 5, 6]);
        // The archive has no generations.
        let mut replica = Replica::new(opened(3..=5));
        replica.add_page(page(0), None);
        assert_eq!(replica.position().seq.get(), 6);
    }

    #[test]
    fn every_event_is_applied_once_and_in_order_however_often_it_comes() {
        // Each event comes up to three times, out of order, and after each gap a page is asked for.
        for seed in 0..200_u64 {
            let mut replica = replica();
            let mut applied = vec![];
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let mut random = |below: u64| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state % below
            };
            for step in 0..60 {
                let seq = 2 + (step / 3 + random(6)).saturating_sub(3);
                match replica.apply(join(seq, seq)) {
                    Applied::Applied => applied.push(seq),
                    Applied::Known => assert!(seq <= replica.position().seq.get()),
                    Applied::Gap { after } => {
                        assert!(seq > after.get() + 1 && after == replica.position().seq);
                        let from = after.get() + 1;
                        let page = EventsOk {
                            events: (from..=seq).map(|seq| join(seq, seq)).collect(),
                            more: false,
                            users: vec![],
                        };
                        replica.add_page(page, None);
                        applied.extend(from..=seq);
                    }
                    Applied::OtherGeneration => unreachable!("there is one generation"),
                }
            }
            let all: Vec<u64> = (2..=replica.position().seq.get()).collect();
            assert_eq!(applied, all, "seed {seed}");
            assert_eq!(seqs(&replica), all, "seed {seed}");
        }
    }
}
