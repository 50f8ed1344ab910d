//! Stays held by connections: lost and kept, with the true time of the loss.

use futures_util::future::join_all;
use plenary_shared::domain::{Reason, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;
use plenary_testkit::until_async;

use crate::harness::{HOUR_MS, Harness, SHORT_MS, connection, instance, kinds, leaves, node, now};
use crate::joining::until_over;

/// Whether the user is a participant.
async fn is_in(harness: &Harness, here: InstanceId, user: &User) -> bool {
    let people = harness.store.people(here, &harness.root).await;
    let people = people.expect("an admin may read");
    people.iter().any(|one| one.id == user.id)
}

async fn join(harness: &Harness, here: InstanceId, user: &User, number: u64) {
    let held = connection("a", number);
    let joined = harness.store.join(here, user, Some(&held)).await;
    joined.expect("they may join");
}

async fn lose(harness: &Harness, here: InstanceId, number: u64) {
    let lost = harness
        .store
        .detach(here, &connection("a", number), 0)
        .await;
    lost.expect("the store answers");
}

async fn reap(harness: &Harness, here: InstanceId, grace_ms: i64) {
    harness
        .store
        .reap(here, grace_ms)
        .await
        .expect("the store answers");
}

async fn hold(harness: &Harness, here: InstanceId, user: &User, number: u64) {
    let held = connection("a", number);
    harness
        .store
        .bind(here, user, &held)
        .await
        .expect("they may follow");
}

async fn open(harness: &Harness, here: InstanceId, user: &User, number: u64) {
    let held = connection("a", number);
    let opened = harness.store.open(here, user, Some(&held), 1).await;
    opened.expect("they may read");
}

/// Waits for the next millisecond, so that later times differ.
async fn tick() -> Timestamp {
    let before = now();
    until_async("the clock to advance", async || {
        (now() > before).then_some(())
    })
    .await;
    before
}

pub async fn lost_connection_ends_stay_at_time_of_loss(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    join(harness, here, &ada, 1).await;
    let before = tick().await;
    lose(harness, here, 1).await;
    let after = tick().await.plus_ms(1);
    reap(harness, here, HOUR_MS).await;
    assert!(is_in(harness, here, &ada).await, "the grace is not over");
    tick().await;
    reap(harness, here, 0).await;
    assert!(!is_in(harness, here, &ada).await);
    let left = leaves(&harness.log(here).await);
    let [(who, why, when)] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert_eq!((*who, *why), (ada.id, Reason::ConnectionLost));
    assert!((before..=after).contains(when), "{before} {when} {after}");
    reap(harness, here, 0).await;
    assert_eq!(kinds(&harness.log(here).await)["leave"], 1);
    harness.join(here, &ada).await;
}

async fn release(harness: &Harness, here: InstanceId, number: u64, reason: Reason) {
    let held = connection("a", number);
    let released = harness.store.release(here, &held, reason).await;
    released.expect("the store answers");
}

pub async fn quit_ends_the_stay_at_once_unless_another_connection_holds_it(harness: &mut Harness) {
    let (ada, bob) = (harness.member("ada").await, harness.member("bob").await);
    let here = harness.public().await;
    join(harness, here, &ada, 1).await;
    open(harness, here, &ada, 2).await;
    release(harness, here, 1, Reason::Left).await;
    release(harness, here, 1, Reason::Left).await;
    assert!(is_in(harness, here, &ada).await, "the second holds it");
    release(harness, here, 2, Reason::Left).await;
    assert!(!is_in(harness, here, &ada).await);
    // A stay without a connection continues.
    harness.join(here, &bob).await;
    open(harness, here, &bob, 3).await;
    release(harness, here, 3, Reason::Left).await;
    assert!(is_in(harness, here, &bob).await);
    release(harness, instance(77, 7), 3, Reason::Left).await;
    let left = leaves(&harness.log(here).await);
    let [(who, why, _)] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert_eq!((*who, *why), (ada.id, Reason::Left));
    reap(harness, here, 0).await;
    assert_eq!(kinds(&harness.log(here).await)["leave"], 1);
}

pub async fn suspended_client_leaves_at_the_time_of_the_loss(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    join(harness, here, &ada, 1).await;
    lose(harness, here, 1).await;
    let after = tick().await.plus_ms(1);
    release(harness, here, 1, Reason::Suspended).await;
    let left = leaves(&harness.log(here).await);
    let [(who, why, when)] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert_eq!((*who, *why), (ada.id, Reason::Suspended));
    assert!(*when <= after, "{when} {after}");
    harness.join(here, &ada).await;
}

pub async fn stay_of_two_connections_ends_with_the_last(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    join(harness, here, &ada, 1).await;
    open(harness, here, &ada, 2).await;
    // Opening twice counts once.
    open(harness, here, &ada, 2).await;
    lose(harness, here, 1).await;
    lose(harness, here, 1).await;
    reap(harness, here, 0).await;
    assert!(is_in(harness, here, &ada).await, "the second holds it");
    reap(harness, here, 0).await;
    lose(harness, here, 2).await;
    reap(harness, here, 0).await;
    assert!(!is_in(harness, here, &ada).await);
}

pub async fn reconnect_within_grace_keeps_the_stay(harness: &mut Harness) {
    let people = harness.crowd(3).await;
    let here = harness.public().await;
    for (number, user) in (1..).zip(&people) {
        join(harness, here, user, number).await;
        lose(harness, here, number).await;
    }
    // With the same connection, with another one, and by confirming that it still follows.
    open(harness, here, &people[0], 1).await;
    open(harness, here, &people[1], 12).await;
    hold(harness, here, &people[2], 13).await;
    reap(harness, here, 0).await;
    for (held, user) in [1, 12, 13].into_iter().zip(&people) {
        assert!(is_in(harness, here, user).await, "{}", user.name);
        lose(harness, here, held).await;
    }
    reap(harness, here, 0).await;
    assert_eq!(kinds(&harness.log(here).await)["leave"], 3);
}

pub async fn late_loss_of_old_connection_keeps_new_stay(harness: &mut Harness) {
    let people = harness.crowd(4).await;
    let here = harness.public().await;
    for (number, user) in (1..).zip(&people) {
        join(harness, here, user, number).await;
    }
    // The loss is reported after the new stay has started; before; on the same connection; and
    // without one.
    harness.leave(here, &people[0]).await;
    join(harness, here, &people[0], 11).await;
    lose(harness, here, 1).await;
    lose(harness, here, 2).await;
    harness.leave(here, &people[1]).await;
    join(harness, here, &people[1], 12).await;
    harness.leave(here, &people[2]).await;
    join(harness, here, &people[2], 3).await;
    harness.leave(here, &people[3]).await;
    harness.join(here, &people[3]).await;
    lose(harness, here, 4).await;
    reap(harness, here, 0).await;
    assert_eq!(kinds(&harness.log(here).await)["leave"], 4);

    // The loss of its own connection ends it.
    for number in [11, 12, 3] {
        lose(harness, here, number).await;
    }
    reap(harness, here, 0).await;
    assert_eq!(kinds(&harness.log(here).await)["leave"], 7);
    assert!(is_in(harness, here, &people[3]).await);
}

pub async fn stay_without_connection_survives_lost_connections(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    // A connection bound before the stay does not hold it.
    hold(harness, here, &ada, 1).await;
    lose(harness, here, 1).await;
    harness.join(here, &ada).await;
    for number in [1, 2, 1] {
        open(harness, here, &ada, number).await;
        hold(harness, here, &ada, number).await;
        lose(harness, here, number).await;
        reap(harness, here, 0).await;
        assert!(is_in(harness, here, &ada).await, "after {number}");
    }
    harness.leave(here, &ada).await;
    // A connection that holds nothing adds and removes nobody.
    hold(harness, here, &ada, 3).await;
    lose(harness, here, 3).await;
    reap(harness, here, 0).await;
    assert_eq!(kinds(&harness.log(here).await)["leave"], 1);
}

pub async fn connection_holds_a_stay_in_each_instance(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let (here, there) = (harness.public().await, harness.public().await);
    join(harness, here, &ada, 1).await;
    join(harness, there, &ada, 1).await;
    lose(harness, here, 1).await;
    harness.store.reap_all(0).await.expect("the store answers");
    assert!(!is_in(harness, here, &ada).await);
    assert!(is_in(harness, there, &ada).await);
}

pub async fn users_of_dead_server_leave_when_its_lease_expires(harness: &mut Harness) {
    let people = harness.crowd(4).await;
    let (here, there) = (harness.public().await, harness.public().await);
    let store = harness.store.clone();
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
    join(harness, here, &people[0], 1).await;
    for (place, user, number) in [
        (here, &people[1], 1),
        (there, &people[1], 1),
        (here, &people[2], 2),
    ] {
        let held = connection("b", number);
        let joined = store.join(place, user, Some(&held)).await;
        joined.expect("it is public");
    }
    harness.join(here, &people[3]).await;
    store.reap_all(0).await.expect("the store answers");
    assert_eq!(
        kinds(&harness.log(here).await).get("leave"),
        None,
        "all live"
    );

    let before = tick().await;
    let live = store.renew_lease(&b, 0).await.expect("the store answers");
    assert_eq!(live, [a]);
    let after = tick().await.plus_ms(1);
    tick().await;
    store.reap_all(HOUR_MS).await.expect("the store answers");
    assert!(
        is_in(harness, here, &people[1]).await,
        "the grace is not over"
    );
    store.reap_all(0).await.expect("the store answers");
    let mut lost = leaves(&harness.log(here).await);
    lost.extend(leaves(&harness.log(there).await));
    assert_eq!(lost.len(), 3, "{lost:?}");
    for (_, why, when) in lost {
        assert_eq!(why, Reason::ConnectionLost);
        assert!((before..=after).contains(&when), "{before} {when} {after}");
    }
    assert!(is_in(harness, here, &people[0]).await);
    assert!(is_in(harness, here, &people[3]).await);
}

/// The lease continues for a while after that.
pub async fn users_of_dead_server_leave_at_its_last_sign_of_life(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    let store = harness.store.clone();
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
    let lost = leaves(&harness.log(here).await);
    let [(_, why, when)] = lost.as_slice() else {
        panic!("{lost:?}");
    };
    assert_eq!(*why, Reason::ConnectionLost);
    assert!((before..=after).contains(when), "{before} {when} {after}");
}

/// The server stalled for longer than its lease, and its users are still connected.
pub async fn stalled_server_keeps_its_users_within_grace(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    let store = harness.store.clone();
    join(harness, here, &ada, 1).await;
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
    hold(harness, here, &ada, 1).await;
    store.reap_all(0).await.expect("the store answers");
    assert!(is_in(harness, here, &ada).await);
    lose(harness, here, 1).await;
    store.reap_all(0).await.expect("the store answers");
    assert!(!is_in(harness, here, &ada).await);
}

/// Between the last sign of life and the reported loss.
const SILENT_MS: i64 = 15_000;

pub async fn silent_user_leaves_at_last_sign_of_life(harness: &mut Harness) {
    let (ada, bob) = (harness.member("ada").await, harness.member("bob").await);
    let here = harness.public().await;
    join(harness, here, &ada, 1).await;
    join(harness, here, &bob, 2).await;
    lose(harness, here, 1).await;
    let silent = connection("a", 2);
    let lost = harness.store.detach(here, &silent, SILENT_MS).await;
    lost.expect("the store answers");
    // The grace period also counts from the last sign of life.
    reap(harness, here, SILENT_MS).await;
    assert!(is_in(harness, here, &ada).await);
    assert!(!is_in(harness, here, &bob).await);
    let log = harness.log(here).await;
    let joined = log.iter().rfind(|event| event.kind.as_str() == "join");
    let left = leaves(&log);
    assert_eq!(left.len(), 1, "{left:?}");
    // They joined after that sign of life: a stay never ends before it started.
    assert_eq!(Some(left[0].2), joined.map(|event| event.timestamp));
}

/// More than one call handles.
const MANY: usize = 450;

pub async fn many_lost_at_once_all_leave(harness: &mut Harness) {
    let people = harness.crowd(MANY).await;
    let here = harness.public().await;
    let held: Vec<_> = (0..).map(|n| connection("a", n)).take(MANY).collect();
    let joining = people.iter().zip(&held);
    join_all(joining.map(|(user, held)| harness.store.join(here, user, Some(held)))).await;
    join_all(held.iter().map(|held| harness.store.detach(here, held, 0))).await;
    let other = harness.back_end.other().await;
    let (one, two) = tokio::join!(harness.store.reap(here, 0), other.reap(here, 0));
    one.and(two).expect("the store answers");
    let kinds = kinds(&harness.log(here).await);
    assert_eq!((kinds["join"], kinds["leave"]), (MANY, MANY));
}

pub async fn lost_user_leaves_at_the_end(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let guest = harness.member("guest").await;
    let meeting = harness.meeting("Short", None).await;
    let here = harness.active(meeting, SHORT_MS).await;
    join(harness, here, &ada, 1).await;
    lose(harness, here, 1).await;
    until_over(harness, here, &guest).await;
    harness.store.reap_all(0).await.expect("the store answers");
    reap(harness, here, 0).await;
    assert_eq!(kinds(&harness.log(here).await).get("leave"), None);
}

pub async fn loss_of_unknown_connection_is_ignored(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    let ended = harness.public().await;
    join(harness, ended, &ada, 1).await;
    harness.end(ended).await;
    for place in [here, ended, instance(77, 7)] {
        lose(harness, place, 1).await;
        hold(harness, place, &ada, 2).await;
        reap(harness, place, 0).await;
    }
    assert_eq!(harness.log(here).await.len(), 1);
}
