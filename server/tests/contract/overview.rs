//! The dashboard's figures agree exactly with the log, however they were obtained.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use plenary_server::store::dashboard::{Counted, Denial, Holder, Listed, Now};
use plenary_server::store::{ConnectionId, Feed, NodeId, Store};
use plenary_shared::domain::{Code, Event, EventKind, InstanceState, Reason};
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::time::Timestamp;

use crate::harness::{HOUR_MS, Harness, body, cmid, connection, now};

const PEOPLE: usize = 60;
const POSTS_EACH: u64 = 8;

pub async fn figures_agree_with_the_log_after_many_events(harness: &mut Harness) {
    let people = harness.crowd(PEOPLE).await;
    let here = harness.public().await;
    let quiet = harness.private(&[&people[0], &people[1]]).await;
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let storm = join_all(people.iter().enumerate().map(async |(who, user)| {
        let store = &stores[who % 2];
        for n in 0..POSTS_EACH {
            store.join(here, user, None).await.expect("it is public");
            let said = store.post(here, user, cmid(n), &body("x")).await;
            said.expect("they are in");
            // A third stays, a third leaves at once, a third joins and leaves repeatedly.
            if who % 3 == 0 && n == 0 || who % 3 == 1 {
                store.leave(here, user).await.expect("they are in");
            }
            if who % 3 != 1 {
                break;
            }
        }
    }));
    // Meanwhile the figures are read continuously; every read continues where the previous one
    // ended.
    let watching = async {
        let mut sum = Sum::default();
        for _ in 0..30 {
            sum.look(&*stores[1], here).await;
        }
        sum
    };
    let (_, mut sum) = tokio::join!(storm, watching);
    while sum.look(&*harness.store, here).await {}
    let log = harness.log(here).await;
    sum.agrees_with(&log, &*harness.store, here).await;

    // Figures from the record and figures from later events are the same.
    harness.archive(here).await;
    let upto = log.last().expect("it was opened").seq;
    let mut recorded = Sum::default();
    recorded.take(
        upto,
        harness.store.recorded(here, upto).await.expect("a count"),
    );
    while recorded.look(&*harness.store, here).await {}
    recorded.agrees_with(&log, &*harness.store, here).await;

    let listed = listed(harness).await;
    let one = &listed[&here];
    assert_eq!(
        (one.state, one.is_public, one.archived),
        (InstanceState::Active, true, upto)
    );
    assert_eq!(
        (listed[&quiet].invited, listed[&quiet].is_public),
        (2, false)
    );
    assert_eq!(harness.store.now(&[]).await.expect("nothing").len(), 0);
    // An ended instance is counted from its record.
    harness.end(here).await;
    let log = harness.log(here).await;
    let upto = log.last().expect("it was opened").seq;
    let mut over = Sum::default();
    over.take(
        upto,
        harness.store.recorded(here, upto).await.expect("a count"),
    );
    over.counts_as(&log);
    let gone = harness
        .store
        .now(&[(here, Seq::default())])
        .await
        .expect("an answer");
    assert!(gone[0].is_none(), "{gone:?}");
}

pub async fn detail_shows_reconnecting_users(harness: &mut Harness) {
    let (ada, ben) = (harness.member("ada").await, harness.member("ben").await);
    let here = harness.public().await;
    let connection = |number| ConnectionId {
        node: NodeId("n1".to_owned()),
        number,
    };
    let join = async |user, number| {
        let joined = harness
            .store
            .join(here, user, Some(&connection(number)))
            .await;
        joined.expect("it is public");
    };
    join(&ada, 1).await;
    join(&ben, 2).await;
    // Ada has two terminals.
    harness
        .store
        .bind(here, &ada, &connection(3))
        .await
        .expect("she is in");
    let lost = async |number, expected| {
        let detached = harness.store.detach(here, &connection(number), 0).await;
        detached.expect("the store answers");
        let found = glance(&*harness.store, here, Seq::default()).await;
        assert_eq!(
            (found.here, found.reconnecting),
            (2, expected),
            "after {number}"
        );
    };
    lost(1, 0).await;
    lost(2, 1).await;
    lost(3, 2).await;
    harness
        .store
        .bind(here, &ben, &connection(4))
        .await
        .expect("he is in");
    let found = glance(&*harness.store, here, Seq::default()).await;
    assert_eq!(found.reconnecting, 1);
}

pub async fn detail_contains_stays_and_connections(harness: &mut Harness) {
    let (ada, ben) = (harness.member("ada").await, harness.member("ben").await);
    let here = harness.public().await;
    let (first, second) = (connection("n1", 1), connection("n2", 2));
    let joined = harness.store.join(here, &ada, Some(&first)).await;
    joined.expect("it is public");
    let held = harness.store.bind(here, &ada, &second).await;
    held.expect("she is in");
    harness.join(here, &ben).await;
    harness.post(here, &ben, "one").await;
    let detached = harness.store.detach(here, &first, 0).await;
    detached.expect("the store answers");
    let holders = async || {
        let asked = [here, crate::harness::instance(99, 1)];
        let found = harness.store.holders(&asked).await.expect("an answer");
        let mut found = found.into_iter();
        let (mut of_here, of_nowhere) = (found.next().expect("one"), found.next());
        assert_eq!(of_nowhere, Some(Vec::new()));
        of_here.sort();
        of_here
    };
    let holder = |connection: &ConnectionId, lost| Holder {
        user: ada.id,
        connection: connection.to_string(),
        lost,
    };
    assert_eq!(
        holders().await,
        [holder(&first, true), holder(&second, false)]
    );
    // Connections that held an ended stay hold nothing.
    harness.leave(here, &ada).await;
    harness.join(here, &ada).await;
    assert_eq!(holders().await, []);
    let log = harness.log(here).await;
    harness.archive(here).await;
    let upto = log.last().expect("it was opened").seq;
    let attended = harness.store.attended(here, upto).await.expect("an answer");
    let came: Vec<_> = attended
        .comings
        .iter()
        .map(|one| (one.name.as_str(), one.left))
        .collect();
    assert_eq!(
        came,
        [
            (ada.name.as_str(), None),
            (ben.name.as_str(), None),
            (ada.name.as_str(), Some(Reason::Left)),
            (ada.name.as_str(), None)
        ]
    );
    assert_eq!(attended.said, [(ben.id, 1)]);
    let before = log[1].seq;
    let attended = harness
        .store
        .attended(here, before)
        .await
        .expect("an answer");
    assert_eq!((attended.comings.len(), attended.said.len()), (1, 0));

    let denial = Denial {
        instance: here,
        user: ben.id,
        name: "ben of the north".to_owned(),
        code: Code::Locked,
        at: now(),
    };
    harness
        .store
        .publish_denied(&denial)
        .await
        .expect("it is published");
    let told = harness.until_fed("the refusal", |feed| match feed {
        Feed::Denied(told) => Some((**told).clone()),
        _ => None,
    });
    let told = told.await;
    assert_eq!(told.at.as_ms(), denial.at.as_ms());
    assert_eq!((told.name, told.code), (denial.name, denial.code));
}

pub async fn upcoming_and_ended_instances_are_listed(harness: &mut Harness) {
    let meeting = harness.meeting("Seminar", None).await;
    let (from, to) = (now().plus_ms(HOUR_MS), now().plus_ms(2 * HOUR_MS));
    let later = harness.schedule(meeting, from, to).await;
    let over = harness.public().await;
    harness.end(over).await;
    let states = |listed: &BTreeMap<InstanceId, Listed>| {
        let state = |id| listed.get(&id).map(|one| one.state);
        (state(later), state(over))
    };
    // It does not start within an hour, and has not ended: its end time has not passed.
    let found = listed(harness).await;
    assert_eq!(states(&found), (None, Some(InstanceState::Ended)));
    let soon = harness.store.listed(from, now().plus_ms(2 * HOUR_MS)).await;
    let soon = soon
        .expect("a list")
        .into_iter()
        .map(|one| (one.id, one))
        .collect();
    assert_eq!(states(&soon), (Some(InstanceState::Scheduled), None));
}

async fn listed(harness: &Harness) -> BTreeMap<InstanceId, Listed> {
    let (soon, since) = (now().plus_ms(HOUR_MS / 2), now().plus_ms(-HOUR_MS));
    let listed = harness.store.listed(soon, since).await.expect("a list");
    listed.into_iter().map(|one| (one.id, one)).collect()
}

async fn glance(store: &dyn Store, here: InstanceId, after: Seq) -> Now {
    let found = store.now(&[(here, after)]).await.expect("an answer");
    let found = found.into_iter().next().flatten();
    found.expect("it is live")
}

/// What was counted, read by read.
#[derive(Default)]
struct Sum {
    upto: Seq,
    first: BTreeMap<UserId, Timestamp>,
    stayed: u32,
    messages: u64,
    in_steps: u64,
    last_message: Option<Timestamp>,
}

impl Sum {
    /// Returns whether there was something new.
    async fn look(&mut self, store: &dyn Store, here: InstanceId) -> bool {
        let found = glance(store, here, self.upto).await;
        let (upto, news) = found.news.expect("nothing was forgotten");
        let went_on = upto > self.upto;
        self.take(upto, news);
        went_on
    }

    fn take(&mut self, upto: Seq, news: Counted) {
        self.upto = upto;
        for (user, at) in news.joined {
            self.first.entry(user).or_insert(at);
        }
        self.stayed += news.stayed;
        self.messages += news.messages;
        self.in_steps += news.steps.iter().map(|(_, n)| n).sum::<u64>();
        self.last_message = news.last_message.or(self.last_message);
    }

    fn counts_as(&self, log: &[Event]) {
        let mut expected = Self::default();
        for event in log {
            match &event.kind {
                EventKind::Join { user, .. } => {
                    expected.first.entry(*user).or_insert(event.timestamp);
                }
                EventKind::Message { .. } => {
                    expected.messages += 1;
                    expected.last_message = Some(event.timestamp);
                }
                EventKind::Leave { reason, .. } => {
                    let by_end = matches!(reason, Reason::Scheduled | Reason::Ended);
                    expected.stayed += u32::from(by_end);
                }
                EventKind::Opened
                | EventKind::Edited { .. }
                | EventKind::Deleted { .. }
                | EventKind::Moderated(_)
                | EventKind::Closed { .. } => {}
            }
        }
        assert_eq!(self.first, expected.first);
        assert_eq!(
            (self.messages, self.in_steps, self.stayed, self.last_message),
            (
                expected.messages,
                expected.messages,
                expected.stayed,
                expected.last_message
            )
        );
    }

    async fn agrees_with(&self, log: &[Event], store: &dyn Store, here: InstanceId) {
        self.counts_as(log);
        let mut inside = BTreeSet::new();
        for event in log {
            match &event.kind {
                EventKind::Join { user, .. } => inside.insert(*user),
                EventKind::Leave { user, .. } => inside.remove(user),
                _ => false,
            };
        }
        let found = glance(store, here, self.upto).await;
        assert_eq!(found.here as usize, inside.len());
        assert_eq!(Some(found.seq), log.last().map(|event| event.seq));
    }
}
