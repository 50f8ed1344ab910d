//! Edits and deletions of messages: the last change of each message, and how to undo it after a fence.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{Event, EventKind};
use crate::ids::Seq;
use crate::text::MessageBody;

/// The known changes of one instance's messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// The last change of each message that has one.
    last: HashMap<Seq, Seq>,
    /// The message before each change that a fence may void.
    before: BTreeMap<Seq, Event>,
}

impl Changes {
    /// Records an event.
    pub(super) fn note(&mut self, event: &Event) {
        if let EventKind::Edited { target, .. } | EventKind::Deleted { target, .. } = &event.kind {
            let last = self.last.entry(*target).or_default();
            *last = event.seq.max(*last);
        }
    }

    /// Returns the seq of the last known change of a message.
    pub(super) fn last_of(&self, message: Seq) -> Option<Seq> {
        self.last.get(&message).copied()
    }

    /// Returns the seqs of the last change of each message, ascending.
    pub(super) fn seqs(&self) -> Vec<Seq> {
        let mut seqs: Vec<Seq> = self.last.values().copied().collect();
        seqs.sort_unstable();
        seqs
    }

    /// Applies a change to its message, unless the message was read after the change.
    pub(super) fn make(&mut self, message: &mut Event, change: &Event) {
        let before = message.clone();
        let EventKind::Message {
            user,
            body,
            edited,
            deleted,
            ..
        } = &mut message.kind
        else {
            return;
        };
        // The server accepts changes only of the sender's own messages.
        if change.kind.user() != Some(*user) || deleted.is_some() {
            return;
        }
        match &change.kind {
            EventKind::Edited { body: new, .. }
                if edited.is_none_or(|at| at <= change.timestamp) =>
            {
                *body = new.clone();
                *edited = Some(change.timestamp);
            }
            EventKind::Deleted { .. } => {
                *body = MessageBody::deleted();
                *deleted = Some(change.timestamp);
            }
            EventKind::Opened
            | EventKind::Join { .. }
            | EventKind::Leave { .. }
            | EventKind::Message { .. }
            | EventKind::Edited { .. }
            | EventKind::Moderated(_)
            | EventKind::Closed { .. } => return,
        }
        self.before.entry(change.seq).or_insert(before);
    }

    /// Forgets how to undo changes up to this seq, which are durable.
    pub(super) fn settle(&mut self, durable: Seq) {
        self.before = self.before.split_off(&durable.next());
    }

    /// Undoes the changes above this seq. Returns the messages as they were before.
    pub(super) fn take_back(&mut self, base: Seq) -> Vec<Event> {
        self.last.retain(|_, by| *by <= base);
        let void = self.before.split_off(&base.next());
        // The earliest change determines the restored message.
        void.into_values().rev().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use crate::domain::Instance;
    use crate::ids::Cmid;
    use crate::text::MessageBody;

    fn seq(n: u64) -> Seq {
        Seq::new(n).expect("small")
    }

    fn event(n: u64, what: EventKind) -> Event {
        Event {
            instance: "1/4".parse().expect("an instance"),
            generation: Generation::new(1).expect("small"),
            seq: seq(n),
            kind: what,
            timestamp: Timestamp::from_ms(i64::try_from(n).expect("small")),
        }
    }

    fn cmid(n: u64) -> Cmid {
        Cmid(uuid::Uuid::from_u128(n.into()))
    }

    fn said(n: u64, text: &str) -> Event {
        let what = EventKind::Message {
            user: UserId::new(7).expect("small"),
            cmid: cmid(n),
            body: MessageBody::parse(text).expect("a body"),
            reply_to: None,
            edited: None,
            deleted: None,
        };
        event(n, what)
    }

    fn edited(n: u64, target: u64, text: &str) -> Event {
        let what = EventKind::Edited {
            user: UserId::new(7).expect("small"),
            cmid: cmid(n),
            target: seq(target),
            body: MessageBody::parse(text).expect("a body"),
        };
        event(n, what)
    }

    fn deleted(n: u64, target: u64) -> Event {
        let what = EventKind::Deleted {
            user: UserId::new(7).expect("small"),
            cmid: cmid(n),
            target: seq(target),
        };
        event(n, what)
    }

    fn opened(events: Vec<Event>) -> OpenOk {
        OpenOk {
            instance: Instance {
                title: "BDMS".into(),
                description: String::new(),
                is_public: true,
                fromdatetime: Timestamp::from_ms(0),
                todatetime: Timestamp::from_ms(1_000_000),
                id: "1/4".parse().expect("an instance"),
                state: InstanceState::Active,
                participants: 0,
                joined: None,
                cancelled: false,
                ended_at: None,
            },
            generation: Generation::new(1).expect("small"),
            seq: events.last().map(|event| event.seq).unwrap_or_default(),
            durable: Seq::default(),
            roster: vec![],
            events,
            more: true,
            users: vec![],
            unread: None,
            absent: None,
            restrictions: OwnRestrictions::default(),
        }
    }

    /// What a message says; "-" where it was deleted, "?" where it is not known.
    fn text(replica: &Replica, n: u64) -> String {
        match replica.event(seq(n)).map(|event| &event.kind) {
            Some(EventKind::Message { deleted, .. }) if deleted.is_some() => "-".to_owned(),
            Some(EventKind::Message { body, edited, .. }) => {
                format!("{body}{}", if edited.is_some() { "*" } else { "" })
            }
            _ => "?".to_owned(),
        }
    }

    fn page(events: Vec<Event>) -> EventsOk {
        EventsOk {
            events,
            more: true,
            users: vec![],
        }
    }

    #[test]
    fn a_message_is_shown_as_it_is_now() {
        let mut replica = Replica::new(opened(vec![said(5, "a"), said(6, "b")]));
        assert_eq!(replica.apply(edited(7, 5, "a2")), Applied::Applied);
        assert_eq!(replica.apply(edited(8, 5, "a3")), Applied::Applied);
        assert_eq!(replica.apply(deleted(9, 6)), Applied::Applied);
        assert_eq!(
            (text(&replica, 5), text(&replica, 6)),
            ("a3*".into(), "-".into())
        );
        // What is deleted stays so.
        assert_eq!(replica.apply(edited(10, 6, "no")), Applied::Applied);
        assert_eq!(text(&replica, 6), "-");
    }

    #[test]
    fn somebody_elses_change_changes_nothing() {
        let mut replica = Replica::new(opened(vec![said(5, "a")]));
        let mut forged = deleted(6, 5);
        if let EventKind::Deleted { user, .. } = &mut forged.kind {
            *user = UserId::new(8).expect("small");
        }
        replica.apply(forged);
        assert_eq!(text(&replica, 5), "a");
    }

    #[test]
    fn an_older_page_that_was_read_before_a_change_is_changed() {
        let mut replica = Replica::new(opened(vec![said(6, "b")]));
        replica.apply(edited(7, 4, "now"));
        replica.apply(deleted(8, 5));
        replica.add_page(page(vec![said(4, "then"), said(5, "then")]), Some(seq(6)));
        assert_eq!(
            (text(&replica, 4), text(&replica, 5)),
            ("now*".into(), "-".into())
        );
    }

    #[test]
    fn an_older_page_that_was_read_after_a_change_stays() {
        let mut replica = Replica::new(opened(vec![said(6, "b")]));
        replica.apply(edited(7, 4, "older"));
        let mut newer = said(4, "newest");
        if let EventKind::Message { edited, .. } = &mut newer.kind {
            *edited = Some(Timestamp::from_ms(9));
        }
        replica.add_page(page(vec![newer]), Some(seq(6)));
        assert_eq!(text(&replica, 4), "newest*");
    }

    #[test]
    fn opened_again_what_was_kept_is_changed_too() {
        let mut replica = Replica::new(opened(vec![said(5, "a"), said(6, "b")]));
        replica.reopen(opened(vec![
            said(7, "c"),
            edited(8, 5, "a2"),
            deleted(9, 6),
        ]));
        assert_eq!(
            (text(&replica, 5), text(&replica, 6)),
            ("a2*".into(), "-".into())
        );
    }

    #[test]
    fn a_fence_takes_back_what_was_not_durable() {
        let mut replica = Replica::new(opened(vec![said(5, "a"), said(6, "b")]));
        replica.apply(edited(7, 5, "durable"));
        replica.set_durable(Durable {
            instance: "1/4".parse().expect("an instance"),
            generation: Generation::new(1).expect("small"),
            durable: seq(7),
        });
        replica.apply(edited(8, 5, "void"));
        replica.apply(edited(9, 5, "void too"));
        replica.apply(deleted(10, 6));
        replica.fence(Fence {
            instance: "1/4".parse().expect("an instance"),
            generation: Generation::new(2).expect("small"),
            base: seq(7),
        });
        assert_eq!(
            (text(&replica, 5), text(&replica, 6)),
            ("durable*".into(), "b".into())
        );
        replica.add_page(page(vec![said(5, "a")]), Some(seq(6)));
        assert_eq!(text(&replica, 5), "durable*");
    }
}
