//! Delivery of published items to the hubs, and the invariants of events.

use plenary_server::store::Feed;
use plenary_shared::domain::{Event, EventKind, Reason};
use plenary_shared::ids::{Generation, InstanceId, Seq};
use plenary_shared::time::Timestamp;

use crate::run::{BEGIN_MS, Run};

impl Run<'_> {
    /// Publishes an item: from Redis to all servers, or from an SQLite store to its own server.
    pub(crate) fn publish(&mut self, only: Option<usize>, item: &Feed) {
        let instance = match item {
            Feed::Event(event) => {
                self.rebuilt |= event.generation.get() > 1;
                if event.kind == EventKind::Opened {
                    self.clear_bindings(event.instance);
                }
                self.check_event(event, "published");
                self.check_leave(event);
                event.instance
            }
            Feed::Fence { instance, .. } => {
                self.rebuilt = true;
                self.clear_bindings(*instance);
                *instance
            }
            Feed::Durable { instance, .. } => *instance,
            Feed::Gap
            | Feed::Changed
            | Feed::SignedOut(_)
            | Feed::Access(_)
            | Feed::Denied(_)
            | Feed::Server(_)
            | Feed::Read(_)
            | Feed::Typing { .. }
            | Feed::Waiting(_)
            | Feed::Presence(_) => return,
        };
        for (at, server) in self.servers.iter_mut().enumerate() {
            let Some(server) = server else { continue };
            if only.is_none_or(|only| only == at) && server.store.follows(instance) {
                server.pending.push_back(item.clone());
            }
        }
    }

    /// Clears all bindings, because a rebuilt live state has no connections.
    fn clear_bindings(&mut self, here: InstanceId) {
        for client in self.clients.iter_mut().filter(|one| one.here == here) {
            if let Some(link) = &mut client.link {
                link.bound_since = None;
            }
        }
    }

    /// Checks that no two different events have the same generation and seq, and that nothing is
    /// accepted after the end.
    pub(crate) fn check_event(&mut self, event: &Event, who: &str) {
        if event.generation == Generation::default() {
            return;
        }
        let key = (event.instance, event.generation, event.seq);
        let fact = (event.kind.clone(), event.timestamp);
        match self.seen.get(&key) {
            Some((known, first)) if *known != fact => {
                let wrong = format!("{key:?} is {known:?} to {first}, and {fact:?} to {who}");
                self.violate(wrong);
            }
            Some(_) => {}
            None => {
                self.seen.insert(key, (fact, who.to_owned()));
            }
        }
        let to = self.end_of(event.instance);
        let accepted = matches!(
            event.kind,
            EventKind::Join { .. } | EventKind::Message { .. }
        );
        if accepted && event.timestamp >= to {
            self.violate(format!("accepted after the end: {event:?}"));
        }
    }

    pub(crate) fn end_of(&self, here: InstanceId) -> Timestamp {
        let found = self.fixture.instances.iter().find(|(id, _, _)| *id == here);
        found.expect("it is in the fixture").2
    }

    /// Checks that a user whose stay is bound to a live connection is not removed.
    fn check_leave(&mut self, event: &Event) {
        let EventKind::Leave { user, reason } = &event.kind else {
            return;
        };
        // A request from before the stay may have been bound to the previous one.
        let joined_ms = self
            .seen
            .range((event.instance, event.generation, Seq::default())..)
            .take_while(|((id, generation, seq), _)| {
                (*id, *generation) == (event.instance, event.generation) && *seq < event.seq
            })
            .filter(|(_, ((what, _), _))| {
                matches!(what, EventKind::Join { user: joined, .. } if joined == user)
            })
            .map(|(_, ((_, at), _))| at.as_ms())
            .max();
        let mut wrong = Vec::new();
        for (at, client) in self.clients.iter_mut().enumerate() {
            if client.user.id != *user || client.here != event.instance {
                continue;
            }
            let Some(link) = &mut client.link else {
                continue;
            };
            let bound_at = link.bound_since.take();
            let server = self.servers[link.server].as_ref();
            let alive = server.filter(|server| server.process.number == link.process);
            if let (Reason::ConnectionLost, Some(since), Some(server)) = (reason, bound_at, alive)
                && since > server.lapsed_at
                && joined_ms.is_none_or(|joined| since > joined)
            {
                wrong.push(format!(
                    "{user} was removed although client {at} holds the stay since +{} ms: {event:?}",
                    since - BEGIN_MS
                ));
            }
        }
        for one in wrong {
            self.violate(one);
        }
    }

    pub(crate) fn deliver(&mut self, at: usize) {
        let server = self.servers[at].as_mut().expect("it is up");
        if let Some(item) = server.pending.pop_front() {
            self.note(format!("s{at} receives {}", describe(&item)));
            self.feed(at, item);
        }
    }

    pub(crate) fn feed(&mut self, at: usize, item: Feed) {
        let server = self.servers[at].as_ref().expect("it is up");
        let taken = server.feed.try_send(item);
        assert!(taken.is_ok(), "the hub has ended");
    }
}

fn describe(item: &Feed) -> String {
    match item {
        Feed::Event(event) => format!(
            "{} gen {} seq {}: {:?}",
            event.instance, event.generation, event.seq, event.kind
        ),
        other => format!("{other:?}"),
    }
}
