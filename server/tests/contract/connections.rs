//! Stays that connections hold: lost and kept, with the true time of the loss.

use futures_util::future::join_all;
use plenary_shared::domain::{Reason, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;
use plenary_testkit::until_async;

use crate::joining::until_over;
use crate::world::{HOUR_MS, SHORT_MS, World, connection, instance, kinds, leaves, node, now};

/// Whether somebody is in.
async fn is_in(world: &World, here: InstanceId, user: &User) -> bool {
    let people = world.store.people(here, &world.root).await;
    let people = people.expect("an admin may read");
    people.iter().any(|one| one.id == user.id)
}

async fn join(world: &World, here: InstanceId, user: &User, number: u64) {
    let held = connection("a", number);
    let joined = world.store.join(here, user, Some(&held)).await;
    joined.expect("they may join");
}

async fn lose(world: &World, here: InstanceId, number: u64) {
    let lost = world.store.detach(here, &connection("a", number), 0).await;
    lost.expect("the store answers");
}

async fn reap(world: &World, here: InstanceId, grace_ms: i64) {
    world
        .store
        .reap(here, grace_ms)
        .await
        .expect("the store answers");
}

async fn hold(world: &World, here: InstanceId, user: &User, number: u64) {
    let held = connection("a", number);
    world
        .store
        .hold(here, user, &held)
        .await
        .expect("they may follow");
}

async fn open(world: &World, here: InstanceId, user: &User, number: u64) {
    let held = connection("a", number);
    let opened = world.store.open(here, user, Some(&held), 1).await;
    opened.expect("they may read");
}

/// The next millisecond, so that what was before is told from what comes.
async fn tick() -> Timestamp {
    let before = now();
    until_async("the clock to go on", async || {
        (now() > before).then_some(())
    })
    .await;
    before
}

pub async fn a_lost_connection_ends_the_stay_at_the_time_of_the_loss(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    join(world, here, &ada, 1).await;
    let before = tick().await;
    lose(world, here, 1).await;
    let after = tick().await.plus_ms(1);
    reap(world, here, HOUR_MS).await;
    assert!(is_in(world, here, &ada).await, "the grace is not over");
    tick().await;
    reap(world, here, 0).await;
    assert!(!is_in(world, here, &ada).await);
    let left = leaves(&world.log(here).await);
    let [(who, why, when)] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert_eq!((*who, *why), (ada.id, Reason::ConnectionLost));
    assert!((before..=after).contains(when), "{before} {when} {after}");
    reap(world, here, 0).await;
    assert_eq!(kinds(&world.log(here).await)["leave"], 1);
    world.join(here, &ada).await;
}

pub async fn a_stay_of_two_connections_ends_with_the_last(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    join(world, here, &ada, 1).await;
    open(world, here, &ada, 2).await;
    // Twice is once.
    open(world, here, &ada, 2).await;
    lose(world, here, 1).await;
    lose(world, here, 1).await;
    reap(world, here, 0).await;
    assert!(is_in(world, here, &ada).await, "the second holds it");
    reap(world, here, 0).await;
    lose(world, here, 2).await;
    reap(world, here, 0).await;
    assert!(!is_in(world, here, &ada).await);
}

pub async fn whoever_comes_back_within_the_grace_stays(world: &mut World) {
    let people = world.crowd(3).await;
    let here = world.public().await;
    for (number, user) in (1..).zip(&people) {
        join(world, here, user, number).await;
        lose(world, here, number).await;
    }
    // By the same connection, by another one, by saying that one follows still.
    open(world, here, &people[0], 1).await;
    open(world, here, &people[1], 12).await;
    hold(world, here, &people[2], 13).await;
    reap(world, here, 0).await;
    for (held, user) in [1, 12, 13].into_iter().zip(&people) {
        assert!(is_in(world, here, user).await, "{}", user.name);
        lose(world, here, held).await;
    }
    reap(world, here, 0).await;
    assert_eq!(kinds(&world.log(here).await)["leave"], 3);
}

pub async fn a_late_loss_of_an_old_connection_does_not_end_a_new_stay(world: &mut World) {
    let people = world.crowd(4).await;
    let here = world.public().await;
    for (number, user) in (1..).zip(&people) {
        join(world, here, user, number).await;
    }
    // The loss comes after the new stay; before it; within the same connection; and without one.
    world.leave(here, &people[0]).await;
    join(world, here, &people[0], 11).await;
    lose(world, here, 1).await;
    lose(world, here, 2).await;
    world.leave(here, &people[1]).await;
    join(world, here, &people[1], 12).await;
    world.leave(here, &people[2]).await;
    join(world, here, &people[2], 3).await;
    world.leave(here, &people[3]).await;
    world.join(here, &people[3]).await;
    lose(world, here, 4).await;
    reap(world, here, 0).await;
    assert_eq!(kinds(&world.log(here).await)["leave"], 4);

    // But its own does.
    for number in [11, 12, 3] {
        lose(world, here, number).await;
    }
    reap(world, here, 0).await;
    assert_eq!(kinds(&world.log(here).await)["leave"], 7);
    assert!(is_in(world, here, &people[3]).await);
}

pub async fn a_stay_without_a_connection_survives_connections(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    // Held before the stay is not held.
    hold(world, here, &ada, 1).await;
    lose(world, here, 1).await;
    world.join(here, &ada).await;
    for number in [1, 2, 1] {
        open(world, here, &ada, number).await;
        hold(world, here, &ada, number).await;
        lose(world, here, number).await;
        reap(world, here, 0).await;
        assert!(is_in(world, here, &ada).await, "after {number}");
    }
    world.leave(here, &ada).await;
    // And a connection that holds nothing brings nobody in or out.
    hold(world, here, &ada, 3).await;
    lose(world, here, 3).await;
    reap(world, here, 0).await;
    assert_eq!(kinds(&world.log(here).await)["leave"], 1);
}

pub async fn a_connection_in_several_instances_holds_each(world: &mut World) {
    let ada = world.member("ada").await;
    let (here, there) = (world.public().await, world.public().await);
    join(world, here, &ada, 1).await;
    join(world, there, &ada, 1).await;
    lose(world, here, 1).await;
    world.store.reap_all(0).await.expect("the store answers");
    assert!(!is_in(world, here, &ada).await);
    assert!(is_in(world, there, &ada).await);
}

pub async fn a_dead_servers_people_leave_when_its_lease_ended(world: &mut World) {
    let people = world.crowd(4).await;
    let (here, there) = (world.public().await, world.public().await);
    let store = world.store.clone();
    let [a, b] = [node("a"), node("b")];
    store
        .renew_lease(&a, HOUR_MS)
        .await
        .expect("the store answers");
    let mut both = store
        .renew_lease(&b, HOUR_MS)
        .await
        .expect("the store answers");
    both.sort();
    assert_eq!(both, [a.clone(), b.clone()]);
    join(world, here, &people[0], 1).await;
    for (place, user, number) in [
        (here, &people[1], 1),
        (there, &people[1], 1),
        (here, &people[2], 2),
    ] {
        let held = connection("b", number);
        let joined = store.join(place, user, Some(&held)).await;
        joined.expect("it is public");
    }
    world.join(here, &people[3]).await;
    store.reap_all(0).await.expect("the store answers");
    assert_eq!(kinds(&world.log(here).await).get("leave"), None, "all live");

    let before = tick().await;
    let live = store.renew_lease(&b, 0).await.expect("the store answers");
    assert_eq!(live, [a]);
    let after = tick().await.plus_ms(1);
    tick().await;
    store.reap_all(HOUR_MS).await.expect("the store answers");
    assert!(
        is_in(world, here, &people[1]).await,
        "the grace is not over"
    );
    store.reap_all(0).await.expect("the store answers");
    let mut lost = leaves(&world.log(here).await);
    lost.extend(leaves(&world.log(there).await));
    assert_eq!(lost.len(), 3, "{lost:?}");
    for (_, why, when) in lost {
        assert_eq!(why, Reason::ConnectionLost);
        assert!((before..=after).contains(&when), "{before} {when} {after}");
    }
    assert!(is_in(world, here, &people[0]).await);
    assert!(is_in(world, here, &people[3]).await);
}

/// The lease runs on for a while after that.
pub async fn a_dead_servers_people_leave_at_its_last_sign_of_life(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    let store = world.store.clone();
    let b = node("b");
    let held = connection("b", 1);
    let joined = store.join(here, &ada, Some(&held)).await;
    joined.expect("it is public");
    let before = tick().await;
    let lease = store.renew_lease(&b, SHORT_MS).await;
    lease.expect("the store answers");
    let after = tick().await.plus_ms(1);
    until_async("the lease to end", async || {
        let live = store.renew_lease(&node("a"), HOUR_MS).await;
        (!live.expect("the store answers").contains(&b)).then_some(())
    })
    .await;
    store.reap_all(0).await.expect("the store answers");
    let lost = leaves(&world.log(here).await);
    let [(_, why, when)] = lost.as_slice() else {
        panic!("{lost:?}");
    };
    assert_eq!(*why, Reason::ConnectionLost);
    assert!((before..=after).contains(when), "{before} {when} {after}");
}

/// It stood still for longer than its lease, and its people are with it still.
pub async fn a_server_that_was_taken_for_dead_keeps_its_people_within_the_grace(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    let store = world.store.clone();
    join(world, here, &ada, 1).await;
    store
        .renew_lease(&node("a"), 0)
        .await
        .expect("the store answers");
    tick().await;
    store.reap_all(HOUR_MS).await.expect("the store answers");
    store
        .renew_lease(&node("a"), HOUR_MS)
        .await
        .expect("the store answers");
    hold(world, here, &ada, 1).await;
    store.reap_all(0).await.expect("the store answers");
    assert!(is_in(world, here, &ada).await);
    lose(world, here, 1).await;
    store.reap_all(0).await.expect("the store answers");
    assert!(!is_in(world, here, &ada).await);
}

/// Between the last sign of life and the loss.
const SILENT_MS: i64 = 15_000;

pub async fn whoever_fell_silent_leaves_at_the_time_of_their_last_sign_of_life(world: &mut World) {
    let (ada, bob) = (world.member("ada").await, world.member("bob").await);
    let here = world.public().await;
    join(world, here, &ada, 1).await;
    join(world, here, &bob, 2).await;
    lose(world, here, 1).await;
    let silent = connection("a", 2);
    let lost = world.store.detach(here, &silent, SILENT_MS).await;
    lost.expect("the store answers");
    // The grace counts from the last sign of life too.
    reap(world, here, SILENT_MS).await;
    assert!(is_in(world, here, &ada).await);
    assert!(!is_in(world, here, &bob).await);
    let log = world.log(here).await;
    let joined = log.iter().rfind(|event| event.what.as_str() == "join");
    let left = leaves(&log);
    assert_eq!(left.len(), 1, "{left:?}");
    // They joined after that sign, here: no stay ends before it began.
    assert_eq!(Some(left[0].2), joined.map(|event| event.timestamp));
}

/// More than one call takes at once.
const MANY: usize = 450;

pub async fn many_who_are_lost_at_once_all_leave(world: &mut World) {
    let people = world.crowd(MANY).await;
    let here = world.public().await;
    let held: Vec<_> = (0..).map(|n| connection("a", n)).take(MANY).collect();
    let joining = people.iter().zip(&held);
    join_all(joining.map(|(user, held)| world.store.join(here, user, Some(held)))).await;
    join_all(held.iter().map(|held| world.store.detach(here, held, 0))).await;
    let other = world.back_end.other().await;
    let (one, two) = tokio::join!(world.store.reap(here, 0), other.reap(here, 0));
    one.and(two).expect("the store answers");
    let kinds = kinds(&world.log(here).await);
    assert_eq!((kinds["join"], kinds["leave"]), (MANY, MANY));
}

pub async fn whoever_was_lost_at_the_end_leaves_with_everybody(world: &mut World) {
    let ada = world.member("ada").await;
    let guest = world.member("guest").await;
    let meeting = world.meeting("Short", None).await;
    let here = world.active(meeting, SHORT_MS).await;
    join(world, here, &ada, 1).await;
    lose(world, here, 1).await;
    until_over(world, here, &guest).await;
    world.store.reap_all(0).await.expect("the store answers");
    reap(world, here, 0).await;
    assert_eq!(kinds(&world.log(here).await).get("leave"), None);
}

pub async fn losing_what_is_not_there_is_no_fault(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    let ended = world.public().await;
    join(world, ended, &ada, 1).await;
    world.end(ended).await;
    for place in [here, ended, instance(77, 7)] {
        lose(world, place, 1).await;
        hold(world, place, &ada, 2).await;
        reap(world, place, 0).await;
    }
    assert_eq!(world.log(here).await.len(), 1);
}
