//! The archive: what it has is durable; what a crash left half done is repaired by the sweep.

use futures_util::future::join_all;
use plenary_server::store::{Feed, Page};
use plenary_shared::domain::{Code, Reason};
use plenary_shared::ids::{InstanceId, Seq};

use crate::world::{
    HOUR_MS, World, body, cmid, code, connection, facts, instance, kinds, leaves, messages, now,
};

async fn durable(world: &World, here: InstanceId) -> (Seq, Seq) {
    let heads = world.store.heads(&[here]).await.expect("the store answers");
    let head = heads[0].expect("it is live");
    (head.durable, head.seq)
}

async fn sweep(world: &World) {
    world.store.sweep().await.expect("the store answers");
}

pub async fn durable_reaches_the_last_seq_and_is_said(world: &mut World) {
    let ada = world.member("ada").await;
    let (here, idle) = (world.public().await, world.public().await);
    world.archive(idle).await;
    world.join(here, &ada).await;
    let last = world.say(here, &ada, "for ever").await.seq;
    let lag = world.store.archive_lag().await.expect("the store answers");
    let later_ids = if world.back_end.archives_later() {
        vec![here]
    } else {
        vec![]
    };
    assert_eq!(lag, later_ids);
    world.archive(here).await;
    assert_eq!(durable(world, here).await, (last, last));
    let lag = world.store.archive_lag().await.expect("the store answers");
    assert_eq!(lag, []);
    let opened = world
        .store
        .open(here, &ada, None, 1)
        .await
        .expect("it is public");
    assert_eq!(opened.durable, last);
    let generation = opened.generation;
    let said = world.until_fed("durable", |feed| match feed {
        Feed::Durable {
            instance,
            generation,
            seq,
        } if *instance == here && *seq == last => Some(*generation),
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
    assert_eq!(said.await, generation);

    let later = world.say(here, &ada, "and this").await.seq;
    let known = if later_ids.is_empty() { later } else { last };
    assert_eq!(durable(world, here).await, (known, later));
    let lag = world.store.archive_lag().await.expect("the store answers");
    assert_eq!(lag, later_ids);
}

/// More than one transaction takes, in several instances, by two servers at once.
pub async fn much_is_archived_whole_by_whoever_comes(world: &mut World) {
    let ada = world.member("ada").await;
    let mut all = vec![];
    for _ in 0..4 {
        let here = world.public().await;
        world.join(here, &ada).await;
        let text = body("x");
        let posts = (0..350).map(|n| world.store.post(here, &ada, cmid(n), &text));
        assert!(join_all(posts).await.iter().all(Result::is_ok));
        all.push(here);
    }
    let other = world.back_end.other().await;
    for _ in 0..100 {
        let lag = world.store.archive_lag().await.expect("the store answers");
        if lag.is_empty() {
            break;
        }
        let (one, two) = tokio::join!(world.store.archive(&lag), other.archive(&all));
        one.and(two).expect("the store answers");
    }
    for here in all {
        assert_eq!(durable(world, here).await.0.get(), 352, "{here}");
        let live = world.log(here).await;
        world
            .back_end
            .trim(here, Seq::new(353).expect("a small number"));
        assert_eq!(facts(&world.log(here).await), facts(&live), "{here}");
    }
}

pub async fn what_is_not_live_has_nothing_to_archive(world: &mut World) {
    let meeting = world.meeting("Later", None).await;
    let from = now().plus_ms(HOUR_MS);
    let later = world.schedule(meeting, from, from.plus_ms(HOUR_MS)).await;
    let ended = world.public().await;
    world.end(ended).await;
    let all = [later, ended, instance(77, 1)];
    let more = world.store.archive(&all).await.expect("the store answers");
    assert_eq!(more, []);
    let lag = world.store.archive_lag().await.expect("the store answers");
    assert_eq!(lag, []);
    let heads = world.store.heads(&all).await.expect("the store answers");
    assert_eq!(heads, [None, None, None]);
    assert_eq!(world.store.heads(&[]).await.expect("the store answers"), []);
    for here in [later, instance(77, 1)] {
        assert_eq!(world.log(here).await, []);
    }
}

pub async fn a_sweep_of_what_is_well_changes_nothing(world: &mut World) {
    let ada = world.member("ada").await;
    let (here, ended) = (world.private(&[&ada]).await, world.public().await);
    world.join(here, &ada).await;
    world.say(here, &ada, "not archived").await;
    world.end(ended).await;
    let before = world
        .store
        .open(here, &ada, None, 10)
        .await
        .expect("she is in");
    for _ in 0..3 {
        sweep(world).await;
    }
    let after = world
        .store
        .open(here, &ada, None, 10)
        .await
        .expect("she is in");
    assert_eq!(after, before);
}

/// Where what is live can be forgotten, it comes back as the archive has it; and where it cannot,
/// nothing of this may be noticed.
pub async fn what_is_live_and_was_forgotten_comes_back(world: &mut World) {
    let people = world.crowd(3).await;
    let here = world.private(&[&people[0], &people[1]]).await;
    let by = connection("a", 1);
    let joined = world.store.join(here, &people[0], Some(&by)).await;
    joined.expect("they are invited");
    world.join(here, &people[1]).await;
    world.leave(here, &people[1]).await;
    let kept = world.say(here, &people[0], "archived").await;
    world.archive(here).await;
    let before = world.log(here).await;
    let generation = world.store.heads(&[here]).await.expect("the store answers")[0];
    let forgotten = world.back_end.forget(here);
    sweep(world).await;
    sweep(world).await;
    let heads = world.store.heads(&[here]).await.expect("the store answers");
    let (head, was) = (
        heads[0].expect("it is live"),
        generation.expect("it was live"),
    );
    assert_eq!((head.seq, head.durable), (kept.seq, kept.seq));
    assert_eq!(head.generation > was.generation, forgotten);
    assert_eq!(facts(&world.log(here).await), facts(&before));
    if forgotten {
        let (of, base) = (head.generation, kept.seq);
        let fenced = world.until_fed("the fence", |feed| match feed {
            Feed::Fence {
                instance,
                generation,
                base,
            } if *instance == here && *generation == of => Some(*base),
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
        assert_eq!(fenced.await, base);
    }

    // Who was in is in, who was invited is invited, and what was said is known.
    let again = world.store.join(here, &people[0], None).await;
    assert_eq!(code(&again), Some(Code::AlreadyParticipant));
    let outside = world.store.join(here, &people[2], None).await;
    assert_eq!(code(&outside), Some(Code::NotAllowed));
    let again = world
        .store
        .post(here, &people[0], cmid(2), &body("again"))
        .await;
    assert_eq!(again.expect("she is in").seq, kept.seq);
    world.join(here, &people[1]).await;
    world.say(here, &people[1], "goes on").await;
    assert_eq!(world.log(here).await.len(), before.len() + 2);
    // Stays of connections are held by nobody when they come back.
    world.store.reap_all(0).await.expect("the store answers");
    let left = leaves(&world.log(here).await);
    assert_eq!(left.len(), if forgotten { 2 } else { 1 });
    if forgotten {
        assert_eq!(
            (left[1].0, left[1].1),
            (people[0].id, Reason::ConnectionLost)
        );
    }
}

/// What was not durable may be lost, and nothing else of it may be left than what it left in people.
pub async fn what_was_not_archived_and_was_forgotten_leaves_nothing(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let here = world.public().await;
    world.join(here, &ada).await;
    world.join(here, &grace).await;
    world.say(here, &ada, "archived").await;
    world.archive(here).await;
    world.say(here, &ada, "not archived").await;
    world.say(here, &ada, "nor this").await;
    if world.back_end.forget(here) {
        world.void(here);
    }
    sweep(world).await;
    sweep(world).await;
    world.say(here, &grace, "of somebody else").await;
    world.say(here, &ada, "after that").await;
    let log = world.log(here).await;
    assert!(kinds(&log)["message"] >= 3);
    for user in [&ada, &grace] {
        let page = Page::Before(None);
        let mine = world
            .store
            .user_messages(here, &ada, user.id, page, 10)
            .await;
        let mine = mine.expect("it is public");
        let mine: Vec<_> = mine
            .messages
            .iter()
            .map(|one| (one.seq, one.user))
            .collect();
        let in_log: Vec<_> = messages(&log)
            .into_iter()
            .filter(|event| event.what.user() == Some(user.id))
            .map(|event| (event.seq, user.id))
            .collect();
        assert_eq!(mine, in_log, "{}", user.name);
    }
}
