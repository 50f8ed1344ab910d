//! The feed of the hub: what is followed, and nothing else.

use plenary_server::store::Feed;
use plenary_shared::ids::Generation;

use crate::world::{HOUR_MS, World, body, cmid, facts, now};

fn changes(world: &World) -> usize {
    let is_change = |feed: &&Feed| matches!(feed, Feed::Changed);
    world.fed().iter().filter(is_change).count()
}

/// Until somebody says that a list has changed.
async fn until_changed(world: &World, before: usize, what: &str) {
    plenary_testkit::until_async(what, async || (changes(world) > before).then_some(())).await;
}

pub async fn only_what_is_followed_is_fed(world: &mut World) {
    let ada = world.member("ada").await;
    let (here, there) = (world.public().await, world.public().await);
    world.join(here, &ada).await;
    world.join(there, &ada).await;
    world.say(here, &ada, "heard").await;
    world.store.unfollow(here).await.expect("it was followed");
    world.void(here);
    world.say(here, &ada, "not heard").await;
    // What comes later in what is followed still has come after it.
    let last = world.say(there, &ada, "heard").await.seq;
    let heard = world.until_fed("what is followed", |feed| match feed {
        Feed::Event(event) if event.instance == there && event.seq == last => Some(()),
        Feed::Event(_)
        | Feed::Durable { .. }
        | Feed::Fence { .. }
        | Feed::Gap
        | Feed::Changed
        | Feed::SignedOut(_)
        | Feed::Denied(_)
        | Feed::Server(_)
        | Feed::Read(_)
        | Feed::Typing { .. }
        | Feed::Waiting(_)
        | Feed::Presence(_) => None,
    });
    heard.await;
    assert_eq!(world.fed_events(here).len(), 3);

    world.store.follow(here).await.expect("there is a feed");
    let again = world.say(here, &ada, "heard again").await.seq;
    let heard = world.until_fed("what is followed again", |feed| match feed {
        Feed::Event(event) if event.instance == here && event.seq == again => Some(()),
        Feed::Event(_)
        | Feed::Durable { .. }
        | Feed::Fence { .. }
        | Feed::Gap
        | Feed::Changed
        | Feed::SignedOut(_)
        | Feed::Denied(_)
        | Feed::Server(_)
        | Feed::Read(_)
        | Feed::Typing { .. }
        | Feed::Waiting(_)
        | Feed::Presence(_) => None,
    });
    heard.await;
    assert_eq!(world.fed_events(here).len(), 4);
    // Following twice, or what is not there, is no fault and feeds nothing twice.
    world.store.follow(here).await.expect("there is a feed");
    world
        .store
        .follow(crate::world::instance(77, 1))
        .await
        .expect("there is a feed");
    world
        .store
        .unfollow(crate::world::instance(77, 2))
        .await
        .expect("there is a feed");
}

pub async fn what_another_server_does_is_fed(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    let other = world.back_end.other().await;
    other.join(here, &ada, None).await.expect("it is public");
    other
        .post(here, &ada, cmid(1), &body("over there"))
        .await
        .expect("she is in");
    other.leave(here, &ada).await.expect("she is in");
    other.archive(&[here]).await.expect("the store answers");
    // On the way there, less may be durable.
    let durable = world.until_fed("all to be durable", |feed| match feed {
        Feed::Durable { instance, seq, .. } if *instance == here && seq.get() == 4 => Some(()),
        Feed::Event(_)
        | Feed::Durable { .. }
        | Feed::Fence { .. }
        | Feed::Gap
        | Feed::Changed
        | Feed::SignedOut(_)
        | Feed::Denied(_)
        | Feed::Server(_)
        | Feed::Read(_)
        | Feed::Typing { .. }
        | Feed::Waiting(_)
        | Feed::Presence(_) => None,
    });
    durable.await;
    let fed = world.fed_events(here);
    assert_eq!(facts(&fed), facts(&world.log(here).await));
    let head = world.store.heads(&[here]).await.expect("the store answers")[0];
    let generation = head.expect("it is live").generation;
    assert!(generation > Generation::default());
    assert!(fed.iter().all(|event| event.generation == generation));
}

pub async fn a_changed_list_is_said(world: &mut World) {
    let meeting = world.meeting("Standup", None).await;
    let before = changes(world);
    let (from, to) = (now(), now().plus_ms(HOUR_MS));
    let here = world.schedule(meeting, from, to).await;
    until_changed(world, before, "a change by a schedule").await;
    let before = changes(world);
    let started = world.store.start(here, from).await;
    started.expect("the store answers").expect("it is due");
    until_changed(world, before, "a change by a start").await;
    let before = changes(world);
    world.end(here).await;
    until_changed(world, before, "a change by an end").await;
}

pub async fn a_store_has_one_feed(world: &mut World) {
    world
        .store
        .feed()
        .await
        .expect_err("the world has it already");
    world.store.ready().await.expect("every part answers");
}
