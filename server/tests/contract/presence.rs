//! Who is there and who is not: told when it changes, kept by no log, contained in what is answered.

use plenary_server::store::Feed;
use plenary_shared::domain::{Presence, User};
use plenary_shared::ids::InstanceId;

use crate::world::{HOUR_MS, World, connection, node};

async fn join(world: &World, here: InstanceId, user: &User, number: u64) {
    let held = connection("a", number);
    let joined = world.store.join(here, user, Some(&held)).await;
    joined.expect("they may join");
}

async fn hold(world: &World, here: InstanceId, user: &User, number: u64) {
    let held = connection("a", number);
    let held = world.store.hold(here, user, &held).await;
    held.expect("they may follow");
}

async fn lose(world: &World, here: InstanceId, number: u64) {
    let lost = world.store.detach(here, &connection("a", number), 0).await;
    lost.expect("the store answers");
}

async fn idle(world: &World, here: InstanceId, number: u64, idle_ms: Option<i64>) {
    let held = connection("a", number);
    let done = world.store.idle(here, &held, idle_ms).await;
    done.expect("the store answers");
}

/// How somebody is there, as `open` and `people` say it.
async fn of(world: &World, here: InstanceId, user: &User) -> Presence {
    let people = world.store.people(here, &world.root).await;
    let people = people.expect("an admin may read");
    let opened = world.store.open(here, &world.root, None, 1).await;
    assert_eq!(opened.expect("an admin may read").people, people);
    let one = people.into_iter().find(|one| one.id == user.id);
    let one = one.expect("they are in");
    assert_eq!(one.since.is_none(), one.presence.is_here());
    one.presence
}

/// What was told of somebody up to now, once it is as many as this.
async fn told(world: &World, here: InstanceId, user: &User, count: usize) -> Vec<Presence> {
    let look = || -> Vec<Presence> {
        let fed = world.fed().into_iter();
        fed.filter_map(|one| match one {
            Feed::Presence(told) if told.instance == here && told.user == user.id => {
                Some(told.state)
            }
            _ => None,
        })
        .collect()
    };
    world
        .until_fed("what is told", |_| (look().len() >= count).then_some(()))
        .await;
    look()
}

pub async fn whoever_has_lost_every_connection_is_reconnecting(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let here = world.public().await;
    join(world, here, &ada, 1).await;
    world.join(here, &grace).await;
    hold(world, here, &ada, 2).await;
    let before = world.log(here).await;
    lose(world, here, 1).await;
    assert_eq!(
        of(world, here, &ada).await,
        Presence::Here,
        "the other holds"
    );
    lose(world, here, 2).await;
    lose(world, here, 2).await;
    assert_eq!(of(world, here, &ada).await, Presence::Reconnecting);
    // By one that is new, and again by one that is known.
    hold(world, here, &ada, 3).await;
    assert_eq!(of(world, here, &ada).await, Presence::Here);
    lose(world, here, 3).await;
    assert_eq!(of(world, here, &ada).await, Presence::Reconnecting);
    hold(world, here, &ada, 3).await;
    hold(world, here, &ada, 1).await;
    assert_eq!(of(world, here, &ada).await, Presence::Here);
    assert_eq!(
        of(world, here, &grace).await,
        Presence::Here,
        "joined without one"
    );
    let seen = told(world, here, &ada, 4).await;
    let [gone, back] = [Presence::Reconnecting, Presence::Here];
    assert_eq!(seen, [gone, back, gone, back]);
    assert_eq!(world.log(here).await, before, "it is in no log");
}

pub async fn who_comes_back_after_the_grace_is_here(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    join(world, here, &ada, 1).await;
    lose(world, here, 1).await;
    let reaped = world.store.reap(here, -HOUR_MS).await;
    assert_eq!(reaped.expect("the store answers"), 1);
    join(world, here, &ada, 2).await;
    assert_eq!(of(world, here, &ada).await, Presence::Here);
    assert_eq!(told(world, here, &ada, 1).await, [Presence::Reconnecting]);
}

pub async fn the_people_of_a_dead_server_are_reconnecting(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let here = world.public().await;
    let lease = world.store.renew_lease(&node("b"), 1).await;
    lease.expect("the store answers");
    let held = connection("b", 1);
    let joined = world.store.join(here, &ada, Some(&held)).await;
    joined.expect("it is public");
    join(world, here, &grace, 1).await;
    plenary_testkit::until_async("the lease to be over", async || {
        let reaped = world.store.reap_all(HOUR_MS).await;
        assert_eq!(reaped.expect("the store answers"), 0);
        (of(world, here, &ada).await == Presence::Reconnecting).then_some(())
    })
    .await;
    assert_eq!(of(world, here, &grace).await, Presence::Here);
    assert_eq!(told(world, here, &ada, 1).await, [Presence::Reconnecting]);
}

pub async fn whoever_uses_no_terminal_is_idle(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    join(world, here, &ada, 1).await;
    idle(world, here, 7, Some(0)).await;
    hold(world, here, &ada, 2).await;
    idle(world, here, 1, Some(60_000)).await;
    assert_eq!(
        of(world, here, &ada).await,
        Presence::Here,
        "uses the other"
    );
    idle(world, here, 2, Some(60_000)).await;
    idle(world, here, 2, Some(60_000)).await;
    assert_eq!(of(world, here, &ada).await, Presence::Idle);
    // The one that is lost cannot be used; the other is idle still.
    lose(world, here, 2).await;
    assert_eq!(of(world, here, &ada).await, Presence::Idle);
    hold(world, here, &ada, 2).await;
    assert_eq!(of(world, here, &ada).await, Presence::Here);
    lose(world, here, 2).await;
    lose(world, here, 1).await;
    assert_eq!(of(world, here, &ada).await, Presence::Reconnecting);
    hold(world, here, &ada, 1).await;
    idle(world, here, 1, Some(60_000)).await;
    idle(world, here, 1, None).await;
    assert_eq!(of(world, here, &ada).await, Presence::Here);
    let [here_, idle_, gone] = [Presence::Here, Presence::Idle, Presence::Reconnecting];
    let expected = [idle_, here_, idle_, gone, here_, idle_, here_];
    assert_eq!(told(world, here, &ada, 7).await, expected);
    world.end(here).await;
    idle(world, here, 1, Some(0)).await;
}

pub async fn who_is_invited_and_has_not_been_in_is_known(world: &mut World) {
    let names = ["ada", "grace", "linus"];
    let mut people = vec![];
    for name in names {
        people.push(world.member(name).await);
    }
    let [ada, grace, linus] = people.as_slice() else {
        panic!("three were added");
    };
    let here = world.private(&[ada, grace, linus]).await;
    world.join(here, grace).await;
    world.leave(here, grace).await;
    world.archive(here).await;
    let absent = world.store.absent(here, 1).await;
    let absent = absent.expect("the store answers").expect("it is private");
    let [one] = absent.people.as_slice() else {
        panic!("{absent:?}");
    };
    assert_eq!(
        (absent.count, one.id, &one.name),
        (2, Some(ada.id), &ada.name)
    );
    let all = world.store.absent(here, 9).await;
    let all = all.expect("the store answers").expect("it is private");
    let ids: Vec<_> = all.people.iter().map(|one| one.id).collect();
    assert_eq!(ids, [Some(ada.id), Some(linus.id)]);
    let public = world.public().await;
    let absent = world.store.absent(public, 9).await;
    assert_eq!(absent.expect("the store answers"), None);
}
