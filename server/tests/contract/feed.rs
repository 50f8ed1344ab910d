//! The hub's feed: followed instances and nothing else.

use plenary_server::store::Feed;
use plenary_shared::ids::Generation;

use crate::harness::{HOUR_MS, Harness, body, cmid, facts, now};

fn changes(harness: &Harness) -> usize {
    let is_change = |feed: &&Feed| matches!(feed, Feed::Changed);
    harness.fed().iter().filter(is_change).count()
}

/// Waits until a changed list is announced.
async fn until_changed(harness: &Harness, before: usize, what: &str) {
    plenary_testkit::until_async(what, async || (changes(harness) > before).then_some(())).await;
}

pub async fn only_followed_instances_are_fed(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let (here, there) = (harness.public().await, harness.public().await);
    harness.join(here, &ada).await;
    harness.join(there, &ada).await;
    harness.post(here, &ada, "heard").await;
    harness.store.unfollow(here).await.expect("it was followed");
    harness.void(here);
    harness.post(here, &ada, "not heard").await;
    // What follows in the followed instance comes after it.
    let last = harness.post(there, &ada, "heard").await.seq;
    let heard = harness.until_fed("what is followed", |feed| match feed {
        Feed::Event(event) if event.instance == there && event.seq == last => Some(()),
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
    });
    heard.await;
    assert_eq!(harness.fed_events(here).len(), 3);

    harness.store.follow(here).await.expect("there is a feed");
    let again = harness.post(here, &ada, "heard again").await.seq;
    let heard = harness.until_fed("what is followed again", |feed| match feed {
        Feed::Event(event) if event.instance == here && event.seq == again => Some(()),
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
    });
    heard.await;
    assert_eq!(harness.fed_events(here).len(), 4);
    // Following twice, or following an unknown instance, is not an error and feeds nothing twice.
    harness.store.follow(here).await.expect("there is a feed");
    harness
        .store
        .follow(crate::harness::instance(77, 1))
        .await
        .expect("there is a feed");
    harness
        .store
        .unfollow(crate::harness::instance(77, 2))
        .await
        .expect("there is a feed");
}

pub async fn events_of_another_server_are_fed(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    let other = harness.back_end.other().await;
    other.join(here, &ada, None).await.expect("it is public");
    other
        .post(here, &ada, cmid(1), &body("over there"))
        .await
        .expect("she is in");
    other.leave(here, &ada).await.expect("she is in");
    other.archive(&[here]).await.expect("the store answers");
    // On the way there, an earlier seq may be announced as durable.
    let durable = harness.until_fed("all to be durable", |feed| match feed {
        Feed::Durable { instance, seq, .. } if *instance == here && seq.get() == 4 => Some(()),
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
    });
    durable.await;
    let fed = harness.fed_events(here);
    assert_eq!(facts(&fed), facts(&harness.log(here).await));
    let head = harness
        .store
        .heads(&[here])
        .await
        .expect("the store answers")[0];
    let generation = head.expect("it is live").generation;
    assert!(generation > Generation::default());
    assert!(fed.iter().all(|event| event.generation == generation));
}

pub async fn list_change_is_announced(harness: &mut Harness) {
    let meeting = harness.meeting("Standup", None).await;
    let before = changes(harness);
    let (from, to) = (now(), now().plus_ms(HOUR_MS));
    let here = harness.schedule(meeting, from, to).await;
    until_changed(harness, before, "a change by a schedule").await;
    let before = changes(harness);
    let started = harness.store.start(here, from).await;
    started.expect("the store answers").expect("it is due");
    until_changed(harness, before, "a change by a start").await;
    let before = changes(harness);
    harness.end(here).await;
    until_changed(harness, before, "a change by an end").await;
}

pub async fn store_has_one_feed(harness: &mut Harness) {
    harness
        .store
        .feed()
        .await
        .expect_err("the harness has it already");
    harness.store.ready().await.expect("every part answers");
}
