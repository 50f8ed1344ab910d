//! Runs steps on a store and on the model, and compares their answers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use plenary_server::error::Answer;
use plenary_server::store::{ConnectionId, EndStep, Feed, NewMeeting, NodeId, Stepped, Store};
use plenary_shared::domain::{Code, InstanceState, Reason, Role, User};
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::protocol::Posted;
use plenary_testkit::until_async;

use super::answers::seq;
use super::back_end::BackEnd;
use super::state::{Answered, Gathering, Instance, Model, When};
use super::step::{At, By, Step, UNIT_MS, Who};
use crate::harness::{body, code, connection, instance, new_user, node};

/// Longer than any case: nothing lasts this long.
const FOR_EVER_MS: i64 = 1_000 * UNIT_MS;

/// No case is longer, so that no list omits instances that ended long ago.
const PASSED_MS_MAX: i64 = 100 * UNIT_MS;

/// A store, its back end, and the model.
pub struct Runner {
    pub back_end: Box<dyn BackEnd>,
    /// `None` only while one server replaces another.
    store: Option<Arc<dyn Store>>,
    pub model: Model,
    pub fed: Arc<Mutex<Vec<Feed>>>,
    pub passed_ms: i64,
}

impl Runner {
    /// Three users and an admin; a public and a private meeting, each with one instance that has
    /// started.
    pub async fn begin(back_end: Box<dyn BackEnd>) -> Self {
        let model = Model::new(back_end.archives_later());
        let mut runner = Self {
            back_end,
            store: None,
            model,
            fed: Arc::default(),
            passed_ms: 0,
        };
        runner.open_store().await;
        for second in [false, true] {
            runner.lease(second, FOR_EVER_MS).await;
        }
        for name in [0, 1, 2, 3] {
            runner.add_user(name).await;
        }
        for audience in [None, Some(0b110)] {
            runner.add_meeting(audience).await;
        }
        for meeting in [0, 1] {
            runner.schedule(meeting, 0, 6).await;
            runner.start(meeting).await;
        }
        runner.check_logs().await;
        runner
    }

    pub fn store(&self) -> Arc<dyn Store> {
        self.store.clone().expect("there is a server")
    }

    /// Runs one step and checks the invariants.
    pub async fn take(&mut self, step: &Step) {
        match step.clone() {
            Step::AddUser(name) => self.add_user(name).await,
            Step::AddMeeting(audience) => self.add_meeting(audience).await,
            Step::Schedule {
                meeting,
                from,
                units,
            } => self.schedule(meeting, from, units).await,
            Step::Start(at) => self.start(at).await,
            Step::Join { who, at, by } => self.join(who, at, by).await,
            Step::Leave { who, at } => self.leave(who, at).await,
            Step::Post { who, at, cmid } => self.post(who, at, cmid).await,
            Step::Open { who, at, by, limit } => self.open(who, at, by, limit).await,
            Step::Hold { who, at, by } => self.hold(who, at, by).await,
            Step::Detach { who, at, by } => self.detach(who, at, by).await,
            Step::Reap { at, grace } => self.reap(at, grace).await,
            Step::ReapAll { grace } => self.reap_all(grace).await,
            Step::Lease { second, units } => self.lease(second, i64::from(units) * UNIT_MS).await,
            Step::End { at, reason, steps } => self.end(at, reason, steps).await,
            Step::Archive(at) => self.archive(at).await,
            Step::Invite {
                meeting,
                who,
                invited,
            } => self.invite(meeting, who, invited).await,
            Step::Sweep => self.sweep().await,
            Step::Read {
                who,
                at,
                kind,
                pick,
                limit,
            } => self.read(who, at, kind, pick, limit).await,
            Step::Look(who) => self.look(who).await,
            Step::Agenda { units } => self.agenda(units).await,
            Step::Jump { units } => self.jump(units),
            Step::Restart => self.restart().await,
            Step::Crash { remembers } => self.crash(remembers).await,
        }
        self.check_logs().await;
    }

    // --- users, instances, times ---

    pub fn user(&self, who: Who) -> User {
        let users = &self.model.users;
        users[usize::from(who) % users.len()].clone()
    }

    /// An instance and its position in the model; an unknown instance has none.
    pub fn here(&self, at: At) -> (InstanceId, Option<usize>) {
        let instances = &self.model.instances;
        let place = usize::from(at) % (instances.len() + 1);
        match instances.get(place) {
            Some(here) => (here.id, Some(place)),
            None => (instance(77, 1), None),
        }
    }

    fn by(&self, who: Who, by: By) -> ConnectionId {
        let node = if by < 2 { "a" } else { "b" };
        connection(node, self.user(who).id.get() * 10 + u64::from(by))
    }

    /// Calls the store. Returns its answer and the time of the call.
    pub async fn ask<T>(
        &self,
        asked: impl AsyncFnOnce(Arc<dyn Store>) -> Answer<T>,
    ) -> (Answer<T>, When) {
        let low = self.back_end.now();
        let answer = asked(self.store()).await;
        let now = When {
            passed: self.passed_ms,
            low,
            high: self.back_end.now(),
        };
        (answer, now)
    }

    // --- users, meetings, schedule ---

    async fn add_user(&mut self, name: u8) {
        let role = if name == 0 { Role::Admin } else { Role::Member };
        let new = new_user(&format!("person{name}"), role);
        let (answer, _) = self
            .ask(async |store| store.add_user(new.clone()).await)
            .await;
        let is_taken = self.model.users.iter().any(|user| user.email == new.email);
        assert_eq!(code(&answer), is_taken.then_some(Code::Invalid));
        self.model.users.extend(answer.ok());
    }

    async fn add_meeting(&mut self, audience: Option<u8>) {
        let invited = |bits: u8| (0..6).filter(move |bit| bits & (1 << bit) != 0);
        let audience: Option<BTreeSet<String>> = audience.map(|bits| {
            invited(bits)
                .map(|n| format!("person{n}@example.org"))
                .collect()
        });
        let new = NewMeeting {
            by: None,
            title: format!("Meeting {}", self.model.meetings.len()),
            description: "About it".to_owned(),
            is_public: audience.is_none(),
            audience: audience.iter().flatten().cloned().collect(),
        };
        let (answer, _) = self.ask(async |store| store.add_meeting(new).await).await;
        self.model.meetings.push(Gathering {
            meeting: answer.expect("it can be added"),
            audience: audience.unwrap_or_default(),
        });
    }

    async fn schedule(&mut self, meeting: u8, from: i8, units: u8) {
        let place = usize::from(meeting) % self.model.meetings.len();
        let meeting = self.model.meetings[place].meeting.id;
        let at = self.back_end.now();
        let (from_ms, lasts_ms) = (i64::from(from) * UNIT_MS, i64::from(units) * UNIT_MS);
        let exactly = |ms: i64| When {
            passed: self.passed_ms + ms,
            low: at.plus_ms(ms),
            high: at.plus_ms(ms),
        };
        let (from, to) = (exactly(from_ms), exactly(from_ms + lasts_ms));
        let (answer, _) = self
            .ask(async |store| store.schedule(meeting, from.low, to.low, None).await)
            .await;
        let can_be = lasts_ms > 0 && from_ms + lasts_ms > 0;
        assert_eq!(code(&answer), (!can_be).then_some(Code::Invalid));
        let Ok(id) = answer else { return };
        let before = self.model.instances.iter();
        let order = before.filter(|one| one.meeting == place).count() + 1;
        assert_eq!(id, instance(meeting.get(), order as u64));
        let followed = self.store().follow(id).await;
        followed.expect("there is a feed");
        self.model.instances.push(Instance {
            id,
            meeting: place,
            from,
            to,
            state: InstanceState::Scheduled,
            reason: None,
            generation: 0,
            archived: 0,
            live: None,
            log: vec![],
            published: vec![],
        });
    }

    /// A change of the audience by another program applies after the next sweep.
    async fn invite(&mut self, meeting: u8, who: Who, invited: bool) {
        let place = usize::from(meeting) % self.model.meetings.len();
        let email = self.user(who).email_key();
        let gathering = &mut self.model.meetings[place];
        if gathering.meeting.is_public {
            return;
        }
        let id = gathering.meeting.id;
        if invited && gathering.audience.insert(email.clone()) {
            self.back_end.sql(&format!(
                "INSERT INTO audience (meetingID, email) VALUES ({id}, '{email}')"
            ));
        } else if !invited && gathering.audience.remove(&email) {
            self.back_end.sql(&format!(
                "DELETE FROM audience WHERE meetingID = {id} AND email = '{email}'"
            ));
        }
        self.sweep().await;
    }

    async fn sweep(&mut self) {
        let (answer, _) = self.ask(async |store| store.sweep().await).await;
        answer.expect("the store answers");
        self.model.sweep();
    }

    async fn start(&mut self, at: At) {
        let (id, place) = self.here(at);
        let at = self.back_end.now();
        let (answer, now) = self.ask(async |store| store.start(id, at).await).await;
        let expected = self.model.start(place, now);
        assert_eq!(answer.expect("the store answers"), expected);
    }

    // --- in a meeting ---

    async fn join(&mut self, who: Who, at: At, by: Option<By>) {
        let (user, (id, place)) = (self.user(who), self.here(at));
        let by = by.map(|by| self.by(who, by));
        let (answer, now) = self
            .ask(async |store| store.join(id, &user, by.as_ref()).await)
            .await;
        let expected = self.model.join(place, &user, by.as_ref(), now);
        self.agree_on_posted(place, answer, expected.map(|seq| (seq, false)));
    }

    async fn leave(&mut self, who: Who, at: At) {
        let (user, (id, place)) = (self.user(who), self.here(at));
        let (answer, now) = self.ask(async |store| store.leave(id, &user).await).await;
        let expected = self.model.leave(place, &user, now);
        self.agree_on_posted(place, answer, expected.map(|seq| (seq, false)));
    }

    async fn post(&mut self, who: Who, at: At, cmid: u8) {
        let (user, (id, place)) = (self.user(who), self.here(at));
        let cmid = Cmid(uuid::Uuid::from_u128(u128::from(cmid) + 1));
        // A new text each time; a repeated cmid returns the first one.
        let said = place.map_or(0, |at| self.model.instances[at].log.len());
        let body = body(&format!("after {said}"));
        let (answer, now) = self
            .ask(async |store| store.post(id, &user, cmid, &body).await)
            .await;
        let expected = self.model.post(place, &user, (cmid, body), now);
        self.agree_on_posted(place, answer, expected);
    }

    /// The operation returned this seq and is not a repeat, or was refused with this code. Takes
    /// over its time.
    fn agree_on_posted(
        &mut self,
        place: Option<usize>,
        answer: Answer<Posted>,
        expected: Answered<(usize, bool)>,
    ) {
        assert_eq!(code(&answer), expected.err());
        let (Ok(posted), Ok((at, repeat)), Some(place)) = (answer, expected, place) else {
            return;
        };
        assert_eq!((posted.seq, posted.repeat), (seq(at), repeat));
        self.model.instances[place].log[at - 1].adopt_time(posted.timestamp);
    }

    async fn open(&mut self, who: Who, at: At, by: Option<By>, limit: usize) {
        let (user, (id, place)) = (self.user(who), self.here(at));
        let by = by.map(|by| self.by(who, by));
        let (answer, now) = self
            .ask(async |store| store.open(id, &user, by.as_ref(), limit).await)
            .await;
        let expected = self.model.readable(place, &user, now);
        assert_eq!(code(&answer), expected.err());
        if let (Some(by), Ok(_)) = (&by, expected) {
            assert_eq!(self.model.hold(place, &user, by), Ok(()));
        }
        if let (Ok(opened), Ok(place)) = (answer, expected) {
            self.check_opened(place, &user, &opened, limit);
        }
    }

    async fn hold(&mut self, who: Who, at: At, by: By) {
        let (user, (id, place)) = (self.user(who), self.here(at));
        let by = self.by(who, by);
        let (answer, _) = self
            .ask(async |store| store.bind(id, &user, &by).await)
            .await;
        assert_eq!(code(&answer), self.model.hold(place, &user, &by).err());
    }

    async fn detach(&mut self, who: Who, at: At, by: By) {
        let ((id, place), by) = (self.here(at), self.by(who, by));
        let (answer, now) = self.ask(async |store| store.detach(id, &by, 0).await).await;
        answer.expect("the store answers");
        self.model.detach(place, &by, now);
    }

    async fn reap(&mut self, at: At, grace: u8) {
        let ((id, place), grace_ms) = (self.here(at), i64::from(grace) * UNIT_MS);
        let (answer, now) = self.ask(async |store| store.reap(id, grace_ms).await).await;
        answer.expect("the store answers");
        self.model.reap(place, grace_ms, now);
    }

    async fn reap_all(&mut self, grace: u8) {
        let grace_ms = i64::from(grace) * UNIT_MS;
        let (answer, now) = self.ask(async |store| store.reap_all(grace_ms).await).await;
        answer.expect("the store answers");
        self.model.reap_all(grace_ms, now);
    }

    async fn lease(&mut self, second: bool, lease_ms: i64) {
        let node = node(if second { "b" } else { "a" });
        // A store that was unavailable a moment ago may have to be asked again.
        let low = self.back_end.now();
        let live = until_async("a lease", async || {
            self.store().renew_lease(&node, lease_ms).await.ok()
        });
        let mut live = live.await;
        let now = When {
            passed: self.passed_ms,
            low,
            high: self.back_end.now(),
        };
        live.sort_unstable();
        let mut expected: Vec<NodeId> = self.model.renew_lease(&node, lease_ms, now);
        expected.sort_unstable();
        assert_eq!(live, expected);
    }

    // --- the end ---

    /// Takes the steps as the scheduler does, and may die on the way.
    async fn end(&mut self, at: At, reason: Reason, steps: u8) {
        let (id, place) = self.here(at);
        for step in &EndStep::ALL[..usize::from(steps)] {
            let at = self.back_end.now();
            let (answer, now) = self
                .ask(async |store| store.end_step(id, reason, *step, at).await)
                .await;
            let is_done = answer.expect("the store answers") == Stepped::Done;
            let is_marked = match step {
                EndStep::Marked => self.model.mark(place, reason, now),
                EndStep::Closed | EndStep::Archived | EndStep::Recorded | EndStep::Destroyed => {
                    true
                }
            };
            assert_eq!(is_done, is_marked, "{step:?} of {id}");
            let Some(place) = place.filter(|_| is_done) else {
                return;
            };
            match step {
                EndStep::Marked => {}
                EndStep::Closed => self.model.close(place, now),
                EndStep::Archived => self.model.archive(place),
                EndStep::Recorded => self.model.record(place),
                EndStep::Destroyed => self.model.destroy(place),
            }
        }
    }

    async fn archive(&mut self, at: At) {
        let (id, place) = self.here(at);
        let (answer, _) = self.ask(async |store| store.archive(&[id]).await).await;
        assert_eq!(answer.expect("the store answers"), []);
        if let Some(place) = place {
            self.model.archive(place);
        }
    }

    // --- from outside ---

    fn jump(&mut self, units: u8) {
        let ms = i64::from(units) * UNIT_MS;
        if self.passed_ms + ms > PASSED_MS_MAX {
            return;
        }
        self.passed_ms += ms;
        if !self.back_end.jump(ms) {
            self.model.move_deadlines(ms);
        }
    }

    /// A server that starts and follows everything.
    async fn open_store(&mut self) {
        let store = self.back_end.store().await;
        let mut news = store.feed().await.expect("the first feed of a store");
        let fed: Arc<Mutex<Vec<Feed>>> = Arc::default();
        let into = fed.clone();
        // Ends with the store.
        tokio::spawn(async move {
            while let Some(one) = news.recv().await {
                into.lock().expect("nobody panicked").push(one);
            }
        });
        for here in &mut self.model.instances {
            here.published.clear();
            store.follow(here.id).await.expect("there is a feed");
        }
        (self.store, self.fed) = (Some(store), fed);
    }

    async fn restart(&mut self) {
        self.check_feed().await;
        self.store = None;
        self.open_store().await;
    }

    async fn crash(&mut self, remembers: bool) {
        self.check_feed().await;
        let gaps = self.gaps();
        if !self.back_end.crash(remembers) {
            return self.restart().await;
        }
        until_async(
            "the feed to say that something may be missing",
            async || (self.gaps() > gaps).then_some(()),
        )
        .await;
        self.fed.lock().expect("nobody panicked").clear();
        let low = self.back_end.now();
        let node = node("a");
        until_async("the live state to be rebuilt", async || {
            self.store().renew_lease(&node, FOR_EVER_MS).await.ok()
        })
        .await;
        let now = When {
            passed: self.passed_ms,
            low,
            high: self.back_end.now(),
        };
        self.model.fence(remembers, now);
        self.model.renew_lease(&node, FOR_EVER_MS, now);
    }

    fn gaps(&self) -> usize {
        let fed = self.fed.lock().expect("nobody panicked");
        fed.iter().filter(|one| matches!(one, Feed::Gap)).count()
    }
}
