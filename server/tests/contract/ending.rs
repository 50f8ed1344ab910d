//! The end of an instance: by steps that may be taken twice, by anybody, and stop anywhere.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use plenary_server::store::{EndStep, Page, Stepped, Store};
use plenary_shared::domain::{Code, Event, InstanceState, Reason, What};
use plenary_shared::ids::{Generation, InstanceId, UserId};
use plenary_testkit::until_async;

use crate::joining::until_over;
use crate::world::{
    SHORT_MS, World, body, cmid, code, connection, instance, kinds, leaves, messages, now,
};

/// More than one call takes out.
const MANY: usize = 450;

fn closed(log: &[Event]) -> Option<Reason> {
    match log.last().map(|event| &event.what) {
        Some(What::Closed { reason }) => Some(*reason),
        Some(
            What::Opened
            | What::Join { .. }
            | What::Leave { .. }
            | What::Message { .. }
            | What::Edited { .. }
            | What::Deleted { .. }
            | What::Moderated(_),
        )
        | None => None,
    }
}

/// Nothing is accepted, whatever is asked.
async fn assert_over(world: &World, here: InstanceId) {
    let (store, ada) = (&world.store, &world.root);
    let held = connection("late", 1);
    let answers = [
        code(&store.join(here, ada, Some(&held)).await),
        code(&store.leave(here, ada).await),
        code(&store.post(here, ada, cmid(999_999), &body("late")).await),
    ];
    assert_eq!(answers, [Some(Code::Ended); 3]);
}

pub async fn everybody_leaves_at_the_end_and_every_step_may_be_taken_twice(world: &mut World) {
    let people = world.crowd(MANY).await;
    let here = world.public().await;
    let joined = join_all(people.iter().map(|user| world.store.join(here, user, None))).await;
    assert!(joined.iter().all(Result::is_ok));
    world.say(here, &people[0], "before the end").await;
    for step in EndStep::ALL {
        for _ in 0..2 {
            world.step(here, Reason::Ended, *step).await;
        }
        if *step != EndStep::Marked {
            assert_over(world, here).await;
        }
    }
    let log = world.log(here).await;
    let end = log.last().expect("a closed log").timestamp;
    assert_eq!(closed(&log), Some(Reason::Ended));
    let left = leaves(&log);
    let everybody: BTreeSet<UserId> = people.iter().map(|user| user.id).collect();
    assert_eq!(left.len(), MANY);
    assert_eq!(
        left.iter().map(|(who, ..)| *who).collect::<BTreeSet<_>>(),
        everybody
    );
    for (_, why, when) in left {
        assert_eq!((why, when), (Reason::Ended, end));
    }
    for step in EndStep::ALL {
        world.step(here, Reason::Scheduled, *step).await;
    }
    assert_eq!(world.log(here).await, log);
}

pub async fn what_was_closed_and_forgotten_is_closed_again(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    world.join(here, &ada).await;
    world.archive(here).await;
    for step in [EndStep::Marked, EndStep::Closed] {
        world.step(here, Reason::Ended, step).await;
    }
    world.void(here);
    if world.back_end.forget(here) {
        // Whoever sees that it is gone builds it anew, and there it is not closed.
        for _ in 0..2 {
            world.store.sweep().await.expect("the store answers");
        }
        world.step(here, Reason::Ended, EndStep::Archived).await;
        let recorded = world
            .store
            .end_step(here, Reason::Ended, EndStep::Recorded, now());
        let recorded = recorded.await.expect("the store answers");
        assert_eq!(recorded, Stepped::NotYet, "nobody has left yet");
    }
    world.end(here).await;
    let log = world.log(here).await;
    assert_eq!(leaves(&log).len(), 1);
    assert_eq!(closed(&log), Some(Reason::Ended));
}

pub async fn two_callers_who_race_end_it_once(world: &mut World) {
    let people = world.crowd(MANY).await;
    let here = world.public().await;
    join_all(people.iter().map(|user| world.store.join(here, user, None))).await;
    let stores = [world.store.clone(), world.back_end.other().await];
    join_all((0..6).map(|n| all_steps(&*stores[n % 2], here))).await;
    let log = world.log(here).await;
    let kinds = kinds(&log);
    assert_eq!(
        (kinds["join"], kinds["leave"], kinds["closed"]),
        (MANY, MANY, 1)
    );
}

async fn all_steps(store: &dyn Store, here: InstanceId) {
    for step in EndStep::ALL {
        until_async(&format!("{step:?} of {here}"), async || {
            let stepped = store.end_step(here, Reason::Ended, *step, now()).await;
            (stepped.expect("the store answers") == Stepped::Done).then_some(())
        })
        .await;
    }
}

pub async fn by_the_clock_everybody_leaves_at_todatetime(world: &mut World) {
    let people = world.crowd(3).await;
    let meeting = world.meeting("Short", None).await;
    let here = world.active(meeting, SHORT_MS).await;
    for user in &people {
        world.join(here, user).await;
    }
    // Not before its time.
    let early = world
        .store
        .end_step(here, Reason::Scheduled, EndStep::Marked, now())
        .await;
    assert_eq!(early.expect("the store answers"), Stepped::NotYet);
    world.say(here, &people[0], "still here").await;
    world.leave(here, &people[2]).await;
    until_over(world, here, &people[2]).await;
    assert_over(world, here).await;
    for step in EndStep::ALL {
        world.step(here, Reason::Scheduled, *step).await;
    }
    let listed = world
        .store
        .meetings(None, 10)
        .await
        .expect("the store answers");
    let listed = &listed[0].instances[0];
    let log = world.log(here).await;
    let last = log.last().expect("a closed log");
    assert_eq!(closed(&log), Some(Reason::Scheduled));
    assert_eq!(last.timestamp, listed.todatetime);
    assert_eq!(listed.state, InstanceState::Ended);
    assert_eq!(listed.reason.as_deref(), Some("scheduled"));
    let left = leaves(&log);
    assert_eq!(left.len(), 3);
    for (_, why, when) in &left[1..] {
        assert_eq!((*why, *when), (Reason::Scheduled, last.timestamp));
    }
}

pub async fn steps_that_come_too_early_do_nothing(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    world.join(here, &ada).await;
    for step in [EndStep::Recorded, EndStep::Destroyed] {
        let stepped = world
            .store
            .end_step(here, Reason::Scheduled, step, now())
            .await;
        assert_eq!(
            stepped.expect("the store answers"),
            Stepped::NotYet,
            "{step:?}"
        );
    }
    let stepped = world
        .store
        .end_step(here, Reason::Scheduled, EndStep::Closed, now())
        .await;
    assert_eq!(stepped.expect("the store answers"), Stepped::NotYet);
    world.say(here, &ada, "still here").await;

    let meeting = world.meeting("Later", None).await;
    let (from, to) = (now().plus_ms(3_600_000), now().plus_ms(7_200_000));
    let later = world.schedule(meeting, from, to).await;
    for place in [later, instance(77, 1)] {
        let marked = world
            .store
            .end_step(place, Reason::Ended, EndStep::Marked, now())
            .await;
        assert_eq!(
            marked.expect("the store answers"),
            Stepped::NotYet,
            "{place}"
        );
    }
    assert_eq!(
        code(&world.store.join(later, &ada, None).await),
        Some(Code::NotStarted)
    );
    // Closed, but not in the archive yet, or at least not recorded.
    world.step(here, Reason::Ended, EndStep::Marked).await;
    world.step(here, Reason::Ended, EndStep::Closed).await;
    let too_early = if world.back_end.archives_later() {
        &[EndStep::Recorded, EndStep::Destroyed][..]
    } else {
        &[EndStep::Destroyed]
    };
    for &step in too_early {
        let stepped = world.store.end_step(here, Reason::Ended, step, now()).await;
        assert_eq!(
            stepped.expect("the store answers"),
            Stepped::NotYet,
            "{step:?}"
        );
    }
}

pub async fn what_is_acknowledged_while_it_ends_is_before_its_end(world: &mut World) {
    let people = world.crowd(20).await;
    let here = world.public().await;
    for user in &people {
        world.join(here, user).await;
    }
    let stores = [world.store.clone(), world.back_end.other().await];
    let talking = join_all(people.iter().enumerate().map(async |(who, user)| {
        let mut acknowledged = 0;
        for n in 0..10_000 {
            let posted = stores[who % 2].post(here, user, cmid(n), &body("x")).await;
            match code(&posted) {
                None => acknowledged += 1,
                Some(no) => {
                    assert_eq!(no, Code::Ended);
                    return acknowledged;
                }
            }
        }
        panic!("it never ended");
    }));
    let ending = async {
        until_async("some posts", async || {
            (world.fed_events(here).len() > 100).then_some(())
        })
        .await;
        world.end(here).await;
    };
    let (acknowledged, ()) = tokio::join!(talking, ending);
    let log = world.log(here).await;
    assert_eq!(messages(&log).len(), acknowledged.iter().sum::<usize>());
}

/// A server dies after each step, and what is live is forgotten, where it can be.
pub async fn an_end_goes_on_when_what_is_live_was_forgotten(world: &mut World) {
    let people = world.crowd(3).await;
    for (at, step) in EndStep::ALL.iter().enumerate() {
        let here = world.public().await;
        for user in &people {
            world.join(here, user).await;
        }
        world.say(here, &people[0], "archived").await;
        world.leave(here, &people[2]).await;
        world.archive(here).await;
        for step in &EndStep::ALL[..=at] {
            world.step(here, Reason::Ended, *step).await;
        }
        if world.back_end.forget(here) {
            world.void(here);
        }
        all_steps(&*world.store, here).await;
        let log = world.log(here).await;
        assert_eq!(closed(&log), Some(Reason::Ended), "{step:?}: {log:#?}");
        let kinds = kinds(&log);
        let counted = (
            kinds["join"],
            kinds["leave"],
            kinds["message"],
            kinds["closed"],
        );
        assert_eq!(counted, (3, 3, 1, 1), "{step:?}: {log:#?}");
    }
}

pub async fn what_has_ended_can_be_read(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.private(&[&ada]).await;
    world.join(here, &ada).await;
    world.say(here, &ada, "for the record").await;
    world.end(here).await;
    let opened = world
        .store
        .open(here, &ada, None, 2)
        .await
        .expect("she was invited");
    assert_eq!(opened.generation, Generation::default());
    assert_eq!(opened.instance.state, InstanceState::Ended);
    assert_eq!(opened.instance.participants, 0);
    assert_eq!(opened.instance.joined, None);
    assert_eq!((opened.seq.get(), opened.durable.get()), (5, 5));
    assert_eq!(opened.people, []);
    assert_eq!(opened.events.len(), 2);
    assert!(opened.more);
    let mine = world
        .store
        .user_messages(here, &ada, ada.id, Page::Before(None), 10)
        .await;
    assert_eq!(mine.expect("she was invited").messages.len(), 1);
    let active = world.store.active_meetings(&ada).await;
    assert_eq!(active.expect("the store answers"), []);
    let seen = world
        .store
        .visible(&ada, now())
        .await
        .expect("the store answers");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].state, InstanceState::Ended);
    let times = world.store.join_times(&ada).await;
    assert_eq!(times.expect("the store answers"), []);
    let started = world.store.start(here, now()).await;
    assert_eq!(started.expect("the store answers"), None);
}
