//! What the dashboard reads agrees with the log to the unit, however it was come by.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use plenary_server::store::overview::{Counted, Denial, Holder, Listed, Now};
use plenary_server::store::{ConnectionId, Feed, NodeId, Store};
use plenary_shared::domain::{Code, Event, InstanceState, Reason, What};
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::time::Timestamp;

use crate::world::{HOUR_MS, World, body, cmid, connection, now};

const PEOPLE: usize = 60;
const POSTS_EACH: u64 = 8;

pub async fn figures_agree_with_the_log_after_a_storm(world: &mut World) {
    let people = world.crowd(PEOPLE).await;
    let here = world.public().await;
    let quiet = world.private(&[&people[0], &people[1]]).await;
    let stores = [world.store.clone(), world.back_end.other().await];
    let storm = join_all(people.iter().enumerate().map(async |(who, user)| {
        let store = &stores[who % 2];
        for n in 0..POSTS_EACH {
            store.join(here, user, None).await.expect("it is public");
            let said = store.post(here, user, cmid(n), &body("x")).await;
            said.expect("they are in");
            // A third stays in, a third goes at once, a third comes and goes.
            if who % 3 == 0 && n == 0 || who % 3 == 1 {
                store.leave(here, user).await.expect("they are in");
            }
            if who % 3 != 1 {
                break;
            }
        }
    }));
    // Looked at all the while: every look goes on where the one before ended.
    let watching = async {
        let mut sum = Sum::default();
        for _ in 0..30 {
            sum.look(&*stores[1], here).await;
        }
        sum
    };
    let (_, mut sum) = tokio::join!(storm, watching);
    while sum.look(&*world.store, here).await {}
    let log = world.log(here).await;
    sum.agrees_with(&log, &*world.store, here).await;

    // What the record has, and what came since, is the same.
    world.archive(here).await;
    let upto = log.last().expect("it was opened").seq;
    let mut recorded = Sum::default();
    recorded.take(
        upto,
        world.store.recorded(here, upto).await.expect("a count"),
    );
    while recorded.look(&*world.store, here).await {}
    recorded.agrees_with(&log, &*world.store, here).await;

    let listed = listed(world).await;
    let one = &listed[&here];
    assert_eq!(
        (one.state, one.is_public, one.archived),
        (InstanceState::Active, true, upto)
    );
    assert_eq!(
        (listed[&quiet].invited, listed[&quiet].is_public),
        (2, false)
    );
    assert_eq!(world.store.now(&[]).await.expect("nothing").len(), 0);
    // What is over is counted from its record.
    world.end(here).await;
    let log = world.log(here).await;
    let upto = log.last().expect("it was opened").seq;
    let mut over = Sum::default();
    over.take(
        upto,
        world.store.recorded(here, upto).await.expect("a count"),
    );
    over.counts_as(&log);
    let gone = world
        .store
        .now(&[(here, Seq::default())])
        .await
        .expect("an answer");
    assert!(gone[0].is_none(), "{gone:?}");
}

pub async fn whoever_lost_every_connection_is_reconnecting(world: &mut World) {
    let (ada, ben) = (world.member("ada").await, world.member("ben").await);
    let here = world.public().await;
    let connection = |number| ConnectionId {
        node: NodeId("n1".to_owned()),
        number,
    };
    let join = async |user, number| {
        let joined = world
            .store
            .join(here, user, Some(&connection(number)))
            .await;
        joined.expect("it is public");
    };
    join(&ada, 1).await;
    join(&ben, 2).await;
    // Ada has two terminals.
    world
        .store
        .hold(here, &ada, &connection(3))
        .await
        .expect("she is in");
    let lost = async |number, expected| {
        let detached = world.store.detach(here, &connection(number), 0).await;
        detached.expect("the store answers");
        let found = glance(&*world.store, here, Seq::default()).await;
        assert_eq!(
            (found.here, found.reconnecting),
            (2, expected),
            "after {number}"
        );
    };
    lost(1, 0).await;
    lost(2, 1).await;
    lost(3, 2).await;
    world
        .store
        .hold(here, &ben, &connection(4))
        .await
        .expect("he is in");
    let found = glance(&*world.store, here, Seq::default()).await;
    assert_eq!(found.reconnecting, 1);
}

pub async fn who_came_and_who_holds_which_stay_is_told(world: &mut World) {
    let (ada, ben) = (world.member("ada").await, world.member("ben").await);
    let here = world.public().await;
    let (first, second) = (connection("n1", 1), connection("n2", 2));
    let joined = world.store.join(here, &ada, Some(&first)).await;
    joined.expect("it is public");
    let held = world.store.hold(here, &ada, &second).await;
    held.expect("she is in");
    world.join(here, &ben).await;
    world.say(here, &ben, "one").await;
    let detached = world.store.detach(here, &first, 0).await;
    detached.expect("the store answers");
    let holders = async || {
        let asked = [here, crate::world::instance(99, 1)];
        let found = world.store.holders(&asked).await.expect("an answer");
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
    // What held a stay that is over holds nothing.
    world.leave(here, &ada).await;
    world.join(here, &ada).await;
    assert_eq!(holders().await, []);
    let log = world.log(here).await;
    world.archive(here).await;
    let upto = log.last().expect("it was opened").seq;
    let attended = world.store.attended(here, upto).await.expect("an answer");
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
    let attended = world.store.attended(here, before).await.expect("an answer");
    assert_eq!((attended.comings.len(), attended.said.len()), (1, 0));

    let denial = Denial {
        instance: here,
        user: ben.id,
        name: "ben of the north".to_owned(),
        code: Code::Locked,
        at: now(),
    };
    world.store.tell_denied(&denial).await.expect("it is told");
    let told = world.until_fed("the refusal", |feed| match feed {
        Feed::Denied(told) => Some((**told).clone()),
        _ => None,
    });
    let told = told.await;
    assert_eq!(told.at.as_ms(), denial.at.as_ms());
    assert_eq!((told.name, told.code), (denial.name, denial.code));
}

pub async fn what_comes_soon_and_what_is_over_is_listed(world: &mut World) {
    let meeting = world.meeting("Seminar", None).await;
    let (from, to) = (now().plus_ms(HOUR_MS), now().plus_ms(2 * HOUR_MS));
    let later = world.schedule(meeting, from, to).await;
    let over = world.public().await;
    world.end(over).await;
    let states = |listed: &BTreeMap<InstanceId, Listed>| {
        let state = |id| listed.get(&id).map(|one| one.state);
        (state(later), state(over))
    };
    // Within an hour it does not begin, and has not ended: its time would not have been over.
    let found = listed(world).await;
    assert_eq!(states(&found), (None, Some(InstanceState::Ended)));
    let soon = world.store.listed(from, now().plus_ms(2 * HOUR_MS)).await;
    let soon = soon
        .expect("a list")
        .into_iter()
        .map(|one| (one.id, one))
        .collect();
    assert_eq!(states(&soon), (Some(InstanceState::Scheduled), None));
}

async fn listed(world: &World) -> BTreeMap<InstanceId, Listed> {
    let (soon, since) = (now().plus_ms(HOUR_MS / 2), now().plus_ms(-HOUR_MS));
    let listed = world.store.listed(soon, since).await.expect("a list");
    listed.into_iter().map(|one| (one.id, one)).collect()
}

async fn glance(store: &dyn Store, here: InstanceId, after: Seq) -> Now {
    let found = store.now(&[(here, after)]).await.expect("an answer");
    let found = found.into_iter().next().flatten();
    found.expect("it is live")
}

/// What was counted, look by look.
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
    /// Whether there was something new.
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
            match &event.what {
                What::Join { user, .. } => {
                    expected.first.entry(*user).or_insert(event.timestamp);
                }
                What::Message { .. } => {
                    expected.messages += 1;
                    expected.last_message = Some(event.timestamp);
                }
                What::Leave { reason, .. } => {
                    let by_end = matches!(reason, Reason::Scheduled | Reason::Ended);
                    expected.stayed += u32::from(by_end);
                }
                What::Opened
                | What::Edited { .. }
                | What::Deleted { .. }
                | What::Moderated(_)
                | What::Closed { .. } => {}
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
            match &event.what {
                What::Join { user, .. } => inside.insert(*user),
                What::Leave { user, .. } => inside.remove(user),
                _ => false,
            };
        }
        let found = glance(store, here, self.upto).await;
        assert_eq!(found.here as usize, inside.len());
        assert_eq!(Some(found.seq), log.last().map(|event| event.seq));
    }
}
