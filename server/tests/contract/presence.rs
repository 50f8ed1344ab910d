//! Presence: published when it changes, not stored in the log, contained in answers.

use plenary_server::store::Feed;
use plenary_shared::domain::{Presence, User};
use plenary_shared::ids::InstanceId;

use crate::harness::{HOUR_MS, Harness, connection, node};

async fn join(harness: &Harness, here: InstanceId, user: &User, number: u64) {
    let held = connection("a", number);
    let joined = harness.store.join(here, user, Some(&held)).await;
    joined.expect("they may join");
}

async fn hold(harness: &Harness, here: InstanceId, user: &User, number: u64) {
    let held = connection("a", number);
    let held = harness.store.bind(here, user, &held).await;
    held.expect("they may follow");
}

async fn lose(harness: &Harness, here: InstanceId, number: u64) {
    let lost = harness
        .store
        .detach(here, &connection("a", number), 0)
        .await;
    lost.expect("the store answers");
}

async fn idle(harness: &Harness, here: InstanceId, number: u64, idle_ms: Option<i64>) {
    let held = connection("a", number);
    let done = harness.store.idle(here, &held, idle_ms).await;
    done.expect("the store answers");
}

/// A user's presence, as `open` and `people` report it.
async fn of(harness: &Harness, here: InstanceId, user: &User) -> Presence {
    let people = harness.store.people(here, &harness.root).await;
    let people = people.expect("an admin may read");
    let opened = harness.store.open(here, &harness.root, None, 1).await;
    assert_eq!(opened.expect("an admin may read").roster, people);
    let one = people.into_iter().find(|one| one.id == user.id);
    let one = one.expect("they are in");
    assert_eq!(one.since.is_none(), one.presence.is_present());
    one.presence
}

/// Waits for this many changes of a user's presence and returns them.
async fn told(harness: &Harness, here: InstanceId, user: &User, count: usize) -> Vec<Presence> {
    let look = || -> Vec<Presence> {
        let fed = harness.fed().into_iter();
        fed.filter_map(|one| match one {
            Feed::Presence(told) if told.instance == here && told.user == user.id => {
                Some(told.state)
            }
            _ => None,
        })
        .collect()
    };
    harness
        .until_fed("the published changes", |_| {
            (look().len() >= count).then_some(())
        })
        .await;
    look()
}

pub async fn user_without_connections_is_reconnecting(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    join(harness, here, &ada, 1).await;
    harness.join(here, &grace).await;
    hold(harness, here, &ada, 2).await;
    let before = harness.log(here).await;
    lose(harness, here, 1).await;
    assert_eq!(
        of(harness, here, &ada).await,
        Presence::Present,
        "the other holds"
    );
    lose(harness, here, 2).await;
    lose(harness, here, 2).await;
    assert_eq!(of(harness, here, &ada).await, Presence::Reconnecting);
    // With a new connection, and again with a known one.
    hold(harness, here, &ada, 3).await;
    assert_eq!(of(harness, here, &ada).await, Presence::Present);
    lose(harness, here, 3).await;
    assert_eq!(of(harness, here, &ada).await, Presence::Reconnecting);
    hold(harness, here, &ada, 3).await;
    hold(harness, here, &ada, 1).await;
    assert_eq!(of(harness, here, &ada).await, Presence::Present);
    assert_eq!(
        of(harness, here, &grace).await,
        Presence::Present,
        "joined without one"
    );
    let seen = told(harness, here, &ada, 4).await;
    let [gone, back] = [Presence::Reconnecting, Presence::Present];
    assert_eq!(seen, [gone, back, gone, back]);
    assert_eq!(harness.log(here).await, before, "it is in no log");
}

pub async fn user_who_joins_again_after_grace_is_here(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    join(harness, here, &ada, 1).await;
    lose(harness, here, 1).await;
    let reaped = harness.store.reap(here, -HOUR_MS).await;
    assert_eq!(reaped.expect("the store answers"), 1);
    join(harness, here, &ada, 2).await;
    assert_eq!(of(harness, here, &ada).await, Presence::Present);
    assert_eq!(told(harness, here, &ada, 1).await, [Presence::Reconnecting]);
}

pub async fn users_of_dead_server_are_reconnecting(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    let lease = harness.store.renew_lease(&node("b"), 1).await;
    lease.expect("the store answers");
    let held = connection("b", 1);
    let joined = harness.store.join(here, &ada, Some(&held)).await;
    joined.expect("it is public");
    join(harness, here, &grace, 1).await;
    plenary_testkit::until_async("the lease to be over", async || {
        let reaped = harness.store.reap_all(HOUR_MS).await;
        assert_eq!(reaped.expect("the store answers"), 0);
        (of(harness, here, &ada).await == Presence::Reconnecting).then_some(())
    })
    .await;
    assert_eq!(of(harness, here, &grace).await, Presence::Present);
    assert_eq!(told(harness, here, &ada, 1).await, [Presence::Reconnecting]);
}

pub async fn user_with_only_idle_terminals_is_idle(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    join(harness, here, &ada, 1).await;
    idle(harness, here, 7, Some(0)).await;
    hold(harness, here, &ada, 2).await;
    idle(harness, here, 1, Some(60_000)).await;
    assert_eq!(
        of(harness, here, &ada).await,
        Presence::Present,
        "uses the other"
    );
    idle(harness, here, 2, Some(60_000)).await;
    idle(harness, here, 2, Some(60_000)).await;
    assert_eq!(of(harness, here, &ada).await, Presence::Idle);
    // The lost connection cannot be used; the other one is still idle.
    lose(harness, here, 2).await;
    assert_eq!(of(harness, here, &ada).await, Presence::Idle);
    hold(harness, here, &ada, 2).await;
    assert_eq!(of(harness, here, &ada).await, Presence::Present);
    lose(harness, here, 2).await;
    lose(harness, here, 1).await;
    assert_eq!(of(harness, here, &ada).await, Presence::Reconnecting);
    hold(harness, here, &ada, 1).await;
    idle(harness, here, 1, Some(60_000)).await;
    idle(harness, here, 1, None).await;
    assert_eq!(of(harness, here, &ada).await, Presence::Present);
    let [here_, idle_, gone] = [Presence::Present, Presence::Idle, Presence::Reconnecting];
    let expected = [idle_, here_, idle_, gone, here_, idle_, here_];
    assert_eq!(told(harness, here, &ada, 7).await, expected);
    harness.end(here).await;
    idle(harness, here, 1, Some(0)).await;
}

pub async fn absent_users_are_listed(harness: &mut Harness) {
    let names = ["ada", "grace", "linus"];
    let mut people = vec![];
    for name in names {
        people.push(harness.member(name).await);
    }
    let [ada, grace, linus] = people.as_slice() else {
        panic!("three were added");
    };
    let here = harness.private(&[ada, grace, linus]).await;
    harness.join(here, grace).await;
    harness.leave(here, grace).await;
    harness.archive(here).await;
    let absent = harness.store.absent(here, 1).await;
    let absent = absent.expect("the store answers").expect("it is private");
    let [one] = absent.users.as_slice() else {
        panic!("{absent:?}");
    };
    assert_eq!(
        (absent.count, one.id, &one.name),
        (2, Some(ada.id), &ada.name)
    );
    let all = harness.store.absent(here, 9).await;
    let all = all.expect("the store answers").expect("it is private");
    let ids: Vec<_> = all.users.iter().map(|one| one.id).collect();
    assert_eq!(ids, [Some(ada.id), Some(linus.id)]);
    let public = harness.public().await;
    let absent = harness.store.absent(public, 9).await;
    assert_eq!(absent.expect("the store answers"), None);
}
