//! A fresh store with users and meetings, and the invariants that hold at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use plenary_server::clock;
use plenary_server::error::{Answer, Error};
use plenary_server::store::{
    ConnectionId, EndStep, Feed, NewMeeting, NewUser, NodeId, Page, Stepped, Store,
};
use plenary_shared::domain::{Code, Event, EventKind, Gender, Reason, Role, User};
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, OrderId, Seq, UserId};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::Posted;
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use plenary_testkit::until_async;

use crate::back_end::BackEnd;

/// The length of an instance that does not end during a test.
pub const HOUR_MS: i64 = 3_600_000;

/// The length of an instance whose end a test waits for: enough time to act on a busy machine.
pub const SHORT_MS: i64 = 2_500;

/// A store, and helpers to fill and to check it.
pub struct Harness {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Its back end.
    pub back_end: Box<dyn BackEnd>,
    /// An admin who is not invited anywhere.
    pub root: User,
    fed: Arc<Mutex<Vec<Feed>>>,
    instances: Vec<InstanceId>,
    /// Instances with invalidated events; their feeds are not checked.
    voided: BTreeSet<InstanceId>,
    next: u64,
}

impl Harness {
    /// Follows everything that happens in it.
    pub async fn on(back_end: Box<dyn BackEnd>) -> Self {
        let store = back_end.store();
        let mut news = store.feed().await.expect("the first feed of a store");
        let fed = Arc::new(Mutex::new(Vec::new()));
        let into = fed.clone();
        // Ends with the store.
        tokio::spawn(async move {
            while let Some(one) = news.recv().await {
                into.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(one);
            }
        });
        let root = store
            .add_user(new_user("root", Role::Admin))
            .await
            .expect("the address is free");
        Self {
            store,
            back_end,
            root,
            fed,
            instances: Vec::new(),
            voided: BTreeSet::new(),
            next: 1,
        }
    }

    // --- users and meetings ---

    /// Adds a user, `NAME@example.org`.
    pub async fn member(&self, name: &str) -> User {
        let added = self.store.add_user(new_user(name, Role::Member)).await;
        added.expect("the address is free")
    }

    /// Adds this many users.
    pub async fn crowd(&self, count: usize) -> Vec<User> {
        let names: Vec<String> = (0..count).map(|n| format!("person{n}")).collect();
        join_all(names.iter().map(|name| self.member(name))).await
    }

    /// Adds a meeting: public without an audience.
    pub async fn meeting(&self, title: &str, audience: Option<&[&User]>) -> MeetingId {
        let new = NewMeeting {
            by: None,
            title: title.to_owned(),
            description: format!("About {title}"),
            is_public: audience.is_none(),
            audience: audience
                .unwrap_or_default()
                .iter()
                .map(|user| user.email_key())
                .collect(),
        };
        self.store
            .add_meeting(new)
            .await
            .expect("it can be added")
            .id
    }

    /// Schedules an instance and follows it.
    pub async fn schedule(
        &mut self,
        meeting: MeetingId,
        from: Timestamp,
        to: Timestamp,
    ) -> InstanceId {
        let here = self
            .store
            .schedule(meeting, from, to, None)
            .await
            .expect("the time is good");
        self.store.follow(here).await.expect("there is a feed");
        self.instances.push(here);
        here
    }

    /// An instance that has started and ends in this many milliseconds.
    pub async fn active(&mut self, meeting: MeetingId, lasts_ms: i64) -> InstanceId {
        let now = now();
        let here = self.schedule(meeting, now, now.plus_ms(lasts_ms)).await;
        let started = self
            .store
            .start(here, now)
            .await
            .expect("the store answers");
        assert_eq!(started, Some(now.plus_ms(lasts_ms)), "{here} is due");
        here
    }

    /// A public instance that has started and lasts an hour.
    pub async fn public(&mut self) -> InstanceId {
        let meeting = self.meeting("Seminar", None).await;
        self.active(meeting, HOUR_MS).await
    }

    /// A private instance that has started and lasts an hour.
    pub async fn private(&mut self, audience: &[&User]) -> InstanceId {
        let meeting = self.meeting("Plans", Some(audience)).await;
        self.active(meeting, HOUR_MS).await
    }

    // --- actions ---

    /// Returns an unused cmid.
    pub fn cmid(&mut self) -> Cmid {
        self.next += 1;
        cmid(self.next)
    }

    /// Posts a message with an unused cmid.
    pub async fn post(&mut self, here: InstanceId, user: &User, text: &str) -> Posted {
        let cmid = self.cmid();
        let posted = self.store.post(here, user, cmid, &body(text)).await;
        posted.expect("a participant may post")
    }

    /// Joins without a connection.
    pub async fn join(&self, here: InstanceId, user: &User) -> Posted {
        let joined = self.store.join(here, user, None).await;
        joined.expect("they may join")
    }

    /// Leaves.
    pub async fn leave(&self, here: InstanceId, user: &User) -> Posted {
        let left = self.store.leave(here, user).await;
        left.expect("a participant may leave")
    }

    /// Takes one step towards the end until it is done.
    pub async fn step(&self, here: InstanceId, reason: Reason, step: EndStep) {
        until_async(&format!("{step:?} of {here}"), async || {
            let stepped = self.store.end_step(here, reason, step, now()).await;
            match stepped.expect("the store answers") {
                Stepped::Done => Some(()),
                Stepped::NotYet => None,
            }
        })
        .await;
    }

    /// Ends an instance, whatever its end time.
    pub async fn end(&self, here: InstanceId) {
        for step in EndStep::ALL {
            self.step(here, Reason::Ended, *step).await;
        }
    }

    /// Archives all events of an instance.
    pub async fn archive(&self, here: InstanceId) {
        until_async(&format!("{here} to be archived"), async || {
            let more = self
                .store
                .archive(&[here])
                .await
                .expect("the store answers");
            more.is_empty().then_some(())
        })
        .await;
    }

    /// Events of this instance that are not archived may be lost: its feed is not checked.
    pub fn void(&mut self, here: InstanceId) {
        self.voided.insert(here);
    }

    // --- state ---

    /// The whole log, as the hub reads it.
    pub async fn log(&self, here: InstanceId) -> Vec<Event> {
        let mut log: Vec<Event> = vec![];
        loop {
            let after = log.last().map(|event| event.seq).unwrap_or_default();
            let some = self.store.backfill(here, after, PAGE_MAX).await;
            let some = some.expect("the store answers");
            if some.is_empty() {
                return log;
            }
            log.extend(some);
        }
    }

    /// Everything that was fed until now.
    pub fn fed(&self) -> Vec<Feed> {
        self.fed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits for the first fed item that `look` accepts.
    pub async fn until_fed<T>(&self, what: &str, find: impl Fn(&Feed) -> Option<T>) -> T {
        until_async(what, async || self.fed().iter().find_map(&find)).await
    }

    /// The events of an instance that were fed until now.
    pub fn fed_events(&self, here: InstanceId) -> Vec<Event> {
        self.fed()
            .into_iter()
            .filter_map(|one| match one {
                Feed::Event(event) if event.instance == here => Some(*event),
                Feed::Event(_)
                | Feed::Durable { .. }
                | Feed::Fence { .. }
                | Feed::Gap
                | Feed::Changed
                | Feed::SignedOut(_)
                | Feed::Access(_)
                | Feed::Denied(_)
                | Feed::Server(_)
                | Feed::Read(_)
                | Feed::Typing { .. }
                | Feed::Waiting(_)
                | Feed::Presence(_) => None,
            })
            .collect()
    }

    // --- invariants ---

    /// Checks every instance.
    pub async fn check(&self) {
        for here in &self.instances {
            let log = self.log(*here).await;
            assert_log(*here, &log);
            self.check_pages(*here, &log).await;
            self.check_texts(*here, &log).await;
            if !self.voided.contains(here) {
                self.check_feed(*here, &log).await;
            }
            self.check_people(*here, &log).await;
        }
    }

    /// The log that a user reads equals the log.
    async fn check_pages(&self, here: InstanceId, log: &[Event]) {
        let page = Page::Before(None);
        let read = self.store.events(here, &self.root, page, PAGE_MAX).await;
        let read = read.expect("an admin may read");
        assert_eq!(read.more, log.len() > PAGE_MAX, "{here}");
        let last = &log[log.len().saturating_sub(PAGE_MAX)..];
        assert_eq!(facts(&read.events), facts(last), "{here}");
        let read = self.store.messages(here, &self.root, page, PAGE_MAX).await;
        let read = read.expect("an admin may read");
        let read: Vec<Seq> = read.messages.iter().map(|message| message.seq).collect();
        let said: Vec<Seq> = messages(log).iter().map(|event| event.seq).collect();
        let last = &said[said.len().saturating_sub(PAGE_MAX)..];
        assert_eq!(read, last, "{here}");
    }

    /// Every message shows its current text, in its page and in the log.
    async fn check_texts(&self, here: InstanceId, log: &[Event]) {
        let texts = texts(log);
        let page = Page::Before(None);
        let read = self.store.messages(here, &self.root, page, PAGE_MAX).await;
        for message in read.expect("an admin may read").messages {
            assert_eq!(texts[&message.seq], message.body.as_str(), "{here}");
            assert_eq!(
                message.body.is_deleted(),
                message.deleted.is_some(),
                "{here}"
            );
        }
        let read = self.store.events(here, &self.root, page, PAGE_MAX).await;
        for event in read.expect("an admin may read").events {
            if let EventKind::Message { body, deleted, .. } = event.kind {
                assert_eq!(texts[&event.seq], body.as_str(), "{here}");
                assert_eq!(body.is_deleted(), deleted.is_some(), "{here}");
            }
        }
    }

    /// Each event was fed once, in order.
    async fn check_feed(&self, here: InstanceId, log: &[Event]) {
        let what = format!("the feed to have {} events of {here}", log.len());
        until_async(&what, async || {
            (self.fed_events(here).len() >= log.len()).then_some(())
        })
        .await;
        let fed = self.fed_events(here);
        assert_eq!(facts(&fed), facts(log), "{here}: what was fed");
        assert_eq!(texts(&fed), texts(log), "{here}: what was fed");
        for event in &fed {
            assert!(event.generation > Generation::default(), "{event:?}");
        }
    }

    /// The participants are those who joined and have not left, in the order of joining.
    async fn check_people(&self, here: InstanceId, log: &[Event]) {
        let closed = matches!(
            log.last().map(|event| &event.kind),
            Some(EventKind::Closed { .. })
        );
        if log.is_empty() || closed {
            return;
        }
        let mut inside: Vec<(UserId, Timestamp)> = vec![];
        for event in log {
            match &event.kind {
                EventKind::Join { user, .. } => inside.push((*user, event.timestamp)),
                EventKind::Leave { user, .. } => inside.retain(|(one, _)| one != user),
                EventKind::Opened
                | EventKind::Message { .. }
                | EventKind::Edited { .. }
                | EventKind::Deleted { .. }
                | EventKind::Moderated(_)
                | EventKind::Closed { .. } => {}
            }
        }
        let opened = self.store.open(here, &self.root, None, 1).await;
        let opened = opened.expect("an admin may read");
        let people: Vec<_> = opened
            .roster
            .iter()
            .map(|one| (one.id, one.joined))
            .collect();
        assert_eq!(people, inside, "{here}");
        assert_eq!(
            opened.instance.participants as usize,
            inside.len(),
            "{here}"
        );
    }
}

/// The log of one instance has no gaps, its life is in the right order, every stay starts and ends,
/// and no message is doubled.
pub fn assert_log(here: InstanceId, log: &[Event]) {
    let mut inside: BTreeSet<UserId> = BTreeSet::new();
    let mut said: BTreeSet<(UserId, Cmid)> = BTreeSet::new();
    for (at, event) in log.iter().enumerate() {
        assert_eq!(event.instance, here);
        assert_eq!(event.seq.get(), at as u64 + 1, "{here}: a hole in {log:#?}");
        match &event.kind {
            EventKind::Opened => assert_eq!(at, 0, "{here}: {event:?}"),
            EventKind::Join { user, name } => {
                assert!(inside.insert(*user), "{here}: {event:?}");
                assert!(!name.is_empty(), "{here}: {event:?}");
            }
            EventKind::Leave { user, .. } => assert!(inside.remove(user), "{here}: {event:?}"),
            EventKind::Message { user, cmid, .. } => {
                assert!(inside.contains(user), "{here}: {event:?}");
                assert!(said.insert((*user, *cmid)), "{here}: {event:?}");
            }
            EventKind::Edited {
                user, cmid, target, ..
            }
            | EventKind::Deleted { user, cmid, target } => {
                assert!(inside.contains(user), "{here}: {event:?}");
                assert!(said.insert((*user, *cmid)), "{here}: {event:?}");
                let message = &log[usize::try_from(target.get()).expect("small") - 1];
                assert!(
                    matches!(message.kind, EventKind::Message { .. }),
                    "{event:?}"
                );
                assert_eq!(message.kind.user(), Some(*user), "{event:?}");
            }
            EventKind::Moderated(done) => {
                assert!(said.insert((done.user, done.cmid)), "{here}: {event:?}");
                assert!(!done.name.is_empty(), "{here}: {event:?}");
            }
            EventKind::Closed { .. } => {
                assert_eq!(at + 1, log.len(), "{here}: {event:?}");
                assert_eq!(inside, BTreeSet::new(), "{here}: still in at the end");
            }
        }
        if at == 0 {
            assert_eq!(event.kind, EventKind::Opened, "{here}");
        }
    }
}

/// Events without their generation, which differs if they are read from the archive, and without
/// message texts, which may be the original or the current ones: see [`texts`].
pub fn facts(events: &[Event]) -> Vec<(Seq, EventKind, Timestamp)> {
    let fact = |event: &Event| (event.seq, bare(&event.kind), event.timestamp);
    events.iter().map(fact).collect()
}

/// Events without their generation, for logs in which nothing was edited.
pub fn exact(events: &[Event]) -> Vec<(Seq, EventKind, Timestamp)> {
    let fact = |event: &Event| (event.seq, event.kind.clone(), event.timestamp);
    events.iter().map(fact).collect()
}

fn bare(what: &EventKind) -> EventKind {
    let mut what = what.clone();
    match &mut what {
        EventKind::Message {
            body,
            edited,
            deleted,
            ..
        } => {
            *body = MessageBody::deleted();
            (*edited, *deleted) = (None, None);
        }
        EventKind::Edited { body, .. } => *body = MessageBody::deleted(),
        EventKind::Opened
        | EventKind::Join { .. }
        | EventKind::Leave { .. }
        | EventKind::Deleted { .. }
        | EventKind::Moderated(_)
        | EventKind::Closed { .. } => {}
    }
    what
}

/// The current text of each message after a whole log was read: its last text, or "" if it was
/// deleted.
pub fn texts(log: &[Event]) -> BTreeMap<Seq, String> {
    let mut texts = BTreeMap::new();
    for event in log {
        match &event.kind {
            EventKind::Message { body, .. } => {
                texts.insert(event.seq, body.to_string());
            }
            EventKind::Edited { target, body, .. } => {
                texts.insert(*target, body.to_string());
            }
            EventKind::Deleted { target, .. } => {
                texts.insert(*target, String::new());
            }
            EventKind::Opened
            | EventKind::Join { .. }
            | EventKind::Leave { .. }
            | EventKind::Moderated(_)
            | EventKind::Closed { .. } => {}
        }
    }
    texts
}

/// The messages among events.
pub fn messages(log: &[Event]) -> Vec<&Event> {
    log.iter()
        .filter(|event| matches!(event.kind, EventKind::Message { .. }))
        .collect()
}

/// How often each kind is in a log.
pub fn kinds(log: &[Event]) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for event in log {
        *kinds.entry(event.kind.as_str()).or_default() += 1;
    }
    kinds
}

/// Who left, why and when.
pub fn leaves(log: &[Event]) -> Vec<(UserId, Reason, Timestamp)> {
    log.iter()
        .filter_map(|event| match &event.kind {
            EventKind::Leave { user, reason } => Some((*user, *reason, event.timestamp)),
            EventKind::Opened
            | EventKind::Join { .. }
            | EventKind::Message { .. }
            | EventKind::Edited { .. }
            | EventKind::Deleted { .. }
            | EventKind::Moderated(_)
            | EventKind::Closed { .. } => None,
        })
        .collect()
}

/// The code of a rejection, or `None`.
#[track_caller]
pub fn code<T>(answer: &Answer<T>) -> Option<Code> {
    match answer {
        Ok(_) => None,
        Err(Error::Reject(reject)) => {
            assert!(!reject.detail.is_empty());
            Some(reject.code)
        }
        Err(Error::Fault(fault)) => panic!("{fault}"),
    }
}

/// The machine's time.
pub fn now() -> Timestamp {
    clock::of_machine()()
}

/// A user who has not been added yet.
pub fn new_user(name: &str, role: Role) -> NewUser {
    NewUser {
        name: name.to_owned(),
        email: format!("{name}@example.org"),
        age: Some(21),
        gender: Some(Gender::Other),
        role,
        password_hash: None,
        by: None,
    }
}

/// A message body.
pub fn body(text: &str) -> MessageBody {
    MessageBody::parse(text).expect("a body")
}

/// A cmid.
pub fn cmid(number: u64) -> Cmid {
    Cmid(uuid::Uuid::from_u128(number.into()))
}

/// A seq.
pub fn seq(number: u64) -> Seq {
    Seq::new(number).expect("a small number")
}

/// An instance.
pub fn instance(meeting: u64, order: u64) -> InstanceId {
    InstanceId::new(
        MeetingId::new(meeting).expect("a small number"),
        OrderId::new(order).expect("a small number"),
    )
}

/// A server with this name.
pub fn node(name: &str) -> NodeId {
    NodeId(name.to_owned())
}

/// A connection of a server.
pub fn connection(node: &str, number: u64) -> ConnectionId {
    ConnectionId {
        node: NodeId(node.to_owned()),
        number,
    }
}
