//! What admins do to a running instance: in one atom with its event, for everybody, through a lost
//! live state.

use futures_util::future::join_all;
use plenary_server::error::Answer;
use plenary_server::store::moderation::{Measure, Order};
use plenary_server::store::{EndStep, Page, Stepped};
use plenary_shared::domain::{Act, Code, Event, InstanceState, Reason, Standing, User, What, Whom};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::Posted;
use plenary_shared::time::Timestamp;
use plenary_testkit::until_async;

use crate::world::{SHORT_MS, World, body, code, connection, leaves, now};

const MINUTE_MS: i64 = 60_000;

async fn moderate(world: &mut World, here: InstanceId, measure: Measure) -> Answer<Posted> {
    let order = Order {
        cmid: world.cmid(),
        measure,
        reason: Some("because".to_owned()),
    };
    world.store.moderate(here, &world.root, &order).await
}

async fn done(world: &mut World, here: InstanceId, measure: Measure) -> Posted {
    moderate(world, here, measure).await.expect("it is done")
}

fn whom(user: &User) -> Whom {
    Whom {
        id: user.id,
        name: user.name.clone(),
    }
}

fn acts(log: &[Event]) -> Vec<Act> {
    log.iter()
        .filter_map(|event| match &event.what {
            What::Moderated(done) => Some(done.act.clone()),
            _ => None,
        })
        .collect()
}

async fn end_as_read(world: &World, here: InstanceId) -> Timestamp {
    let opened = world.store.open(here, &world.root, None, 1).await;
    opened.expect("an admin may read").instance.todatetime
}

async fn end_as_listed(world: &World, here: InstanceId) -> Timestamp {
    let listed = world.store.meetings(None, 100).await.expect("a list");
    let mut instances = listed.iter().flat_map(|one| &one.instances);
    let found = instances.find(|one| one.id == here);
    found.expect("it is listed").todatetime
}

pub async fn an_end_that_is_moved_is_the_same_for_everybody(world: &mut World) {
    let here = world.public().await;
    let before = end_as_read(world, here).await;
    let order = Order {
        cmid: world.cmid(),
        measure: Measure::ExtendBy(30 * MINUTE_MS),
        reason: None,
    };
    let first = world.store.moderate(here, &world.root, &order).await;
    let first = first.expect("it is done");
    let again = world.store.moderate(here, &world.root, &order).await;
    let again = again.expect("it was done");
    assert_eq!(
        (first.seq, again.seq, again.repeat),
        (again.seq, first.seq, true)
    );
    let end = before.plus_ms(30 * MINUTE_MS);
    assert_eq!(end_as_read(world, here).await, end);
    assert_eq!(end_as_listed(world, here).await, end);
    let log = world.log(here).await;
    let expected = Act::Extended {
        todatetime: end,
        before,
    };
    assert_eq!(acts(&log), [expected]);

    for (measure, no) in [
        (Measure::ExtendTo(end), Code::Invalid),
        (Measure::ExtendTo(end.plus_ms(-1)), Code::Invalid),
        (Measure::ExtendBy(31 * 24 * 60 * MINUTE_MS), Code::Invalid),
    ] {
        assert_eq!(code(&moderate(world, here, measure).await), Some(no));
    }
    done(world, here, Measure::ExtendTo(end.plus_ms(1))).await;
    // Of many at once each counts.
    let stores = [world.store.clone(), world.back_end.other().await];
    let orders: Vec<Order> = (0..10)
        .map(|_| Order {
            cmid: world.cmid(),
            measure: Measure::ExtendBy(MINUTE_MS),
            reason: None,
        })
        .collect();
    let root = world.root.clone();
    let all = orders.iter().enumerate();
    let all = join_all(all.map(|(n, order)| stores[n % 2].moderate(here, &root, order))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    let end = end.plus_ms(10 * MINUTE_MS + 1);
    assert_eq!(end_as_read(world, here).await, end);
    world.archive(here).await;
    assert_eq!(end_as_listed(world, here).await, end);
    world.end(here).await;
    let late = moderate(world, here, Measure::ExtendBy(MINUTE_MS)).await;
    assert_eq!(code(&late), Some(Code::Ended));
}

pub async fn what_is_extended_goes_on_beyond_its_first_end(world: &mut World) {
    let ada = world.member("ada").await;
    let meeting = world.meeting("Short", None).await;
    let here = world.active(meeting, SHORT_MS).await;
    world.join(here, &ada).await;
    let first = end_as_read(world, here).await;
    done(world, here, Measure::ExtendBy(SHORT_MS)).await;
    let end = first.plus_ms(SHORT_MS);
    until_async("the first end to pass", async || {
        (now() > first).then_some(())
    })
    .await;
    for step in [EndStep::Marked, EndStep::Closed] {
        // Whoever believes in the first end finds nothing to do.
        let stepped = world.store.end_step(here, Reason::Scheduled, step, first);
        let _ = stepped.await.expect("the store answers");
    }
    if now() < end {
        world.say(here, &ada, "still here").await;
    }
    until_async("the end to pass", async || (now() > end).then_some(())).await;
    for step in EndStep::ALL {
        world.step(here, Reason::Scheduled, *step).await;
    }
    let log = world.log(here).await;
    let last = log.last().expect("a closed log");
    let reason = Reason::Scheduled;
    assert_eq!(
        (&last.what, last.timestamp),
        (&What::Closed { reason }, end)
    );
    assert_eq!(end_as_listed(world, here).await, end);
}

pub async fn whoever_is_in_stays_in_when_it_is_locked(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let here = world.public().await;
    let held = connection("here", 1);
    let joined = world.store.join(here, &ada, Some(&held)).await;
    joined.expect("it is open");
    done(world, here, Measure::Lock).await;
    assert_eq!(
        code(&moderate(world, here, Measure::Lock).await),
        Some(Code::AlreadySo)
    );
    let store = world.store.clone();
    assert_eq!(
        code(&store.join(here, &grace, None).await),
        Some(Code::Locked)
    );
    world.say(here, &ada, "still here").await;
    // Lost and back within the grace: the stay goes on.
    store.detach(here, &held, 0).await.expect("it is noted");
    let back = connection("here", 2);
    store.hold(here, &ada, &back).await.expect("she is in");
    store.reap(here, 0).await.expect("it is done");
    world.say(here, &ada, "and still").await;
    world.leave(here, &ada).await;
    assert_eq!(
        code(&store.join(here, &ada, None).await),
        Some(Code::Locked)
    );
    done(world, here, Measure::Unlock).await;
    assert_eq!(
        code(&moderate(world, here, Measure::Unlock).await),
        Some(Code::AlreadySo)
    );
    world.join(here, &ada).await;
    world.join(here, &grace).await;
}

/// What somebody who is in is told to everything that is said.
async fn spoken(
    world: &mut World,
    here: InstanceId,
    user: &User,
    own: &Posted,
) -> [Option<Code>; 4] {
    let (post, edit, delete) = (world.cmid(), world.cmid(), world.cmid());
    let store = &world.store;
    let changed = body("changed");
    let edited = store.edit(here, user, edit, own.seq, &changed);
    [
        code(&edited.await),
        code(&store.post(here, user, post, &body("said")).await),
        code(&store.typing(here, user).await),
        code(&store.delete(here, user, delete, own.seq).await),
    ]
}

pub async fn nobody_speaks_in_what_is_read_only(world: &mut World) {
    let ada = world.member("ada").await;
    let root = world.root.clone();
    let here = world.public().await;
    for user in [&ada, &root] {
        world.join(here, user).await;
    }
    let cmid = world.cmid();
    let said = world.store.post(here, &ada, cmid, &body("first")).await;
    let said = said.expect("she is in");
    let own = world.say(here, &root, "mine").await;
    done(world, here, Measure::ReadOnly).await;
    // Admins neither: they announce.
    for (user, message) in [(&ada, &said), (&root, &own)] {
        let told = spoken(world, here, user, message).await;
        assert_eq!(told, [Some(Code::ReadOnly); 4]);
    }
    done(world, here, Measure::Announce(body("please\nlisten"))).await;
    let again = world.store.post(here, &ada, cmid, &body("first")).await;
    assert!(again.expect("it was said before").repeat);
    done(world, here, Measure::Writable).await;
    assert_eq!(spoken(world, here, &ada, &said).await, [None; 4]);
}

pub async fn who_is_muted_says_nothing_until_they_are_unmuted(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let here = world.public().await;
    for user in [&ada, &grace] {
        world.join(here, user).await;
    }
    let said = world.say(here, &ada, "first").await;
    done(world, here, Measure::Mute(whom(&ada))).await;
    let again = moderate(world, here, Measure::Mute(whom(&ada))).await;
    assert_eq!(code(&again), Some(Code::AlreadySo));
    assert_eq!(
        spoken(world, here, &ada, &said).await,
        [Some(Code::Muted); 4]
    );
    world.say(here, &grace, "not me").await;
    // Going out and in changes nothing.
    world.leave(here, &ada).await;
    world.join(here, &ada).await;
    assert_eq!(
        spoken(world, here, &ada, &said).await,
        [Some(Code::Muted); 4]
    );
    done(world, here, Measure::Unmute(whom(&ada))).await;
    assert_eq!(spoken(world, here, &ada, &said).await, [None; 4]);
}

pub async fn who_is_removed_is_out_by_every_way(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let here = world.public().await;
    let store = world.store.clone();
    let (first, second) = (connection("here", 1), connection("there", 2));
    let joined = store.join(here, &ada, Some(&first)).await;
    joined.expect("it is open");
    store.hold(here, &ada, &second).await.expect("she is in");
    let out = done(world, here, Measure::Remove(whom(&ada))).await;
    assert_eq!(
        leaves(&world.log(here).await),
        [(ada.id, Reason::Removed, out.timestamp)]
    );
    let again = moderate(world, here, Measure::Remove(whom(&ada))).await;
    assert_eq!(code(&again), Some(Code::NotParticipant));
    // An old connection holds nothing by which she would be in.
    for held in [&first, &second] {
        store.hold(here, &ada, held).await.expect("she may read");
    }
    let post = store.post(here, &ada, world.cmid(), &body("but")).await;
    assert_eq!(code(&post), Some(Code::NotParticipant));
    assert_eq!(store.people(here, &ada).await.expect("she may read"), []);
    // She was not banned. The connections that are lost now are not those of the new stay.
    world.join(here, &ada).await;
    for held in [&first, &second] {
        store.detach(here, held, 0).await.expect("it is noted");
    }
    store.reap(here, 0).await.expect("it is done");
    world.say(here, &ada, "here again").await;

    done(world, here, Measure::Ban(whom(&ada))).await;
    done(world, here, Measure::Ban(whom(&grace))).await;
    assert_eq!(leaves(&world.log(here).await).len(), 2);
    for user in [&ada, &grace] {
        let post = store.post(here, user, world.cmid(), &body("but")).await;
        let page = store.events(here, user, Page::Before(None), 10).await;
        let told = [
            code(&store.join(here, user, None).await),
            code(&store.join(here, user, Some(&first)).await),
            code(&store.hold(here, user, &second).await),
            code(&store.open(here, user, Some(&first), 10).await),
            code(&post),
            code(&page),
            code(&store.people(here, user).await),
        ];
        let expected = [
            Code::Banned,
            Code::Banned,
            Code::NotAllowed,
            Code::NotAllowed,
            Code::NotParticipant,
            Code::NotAllowed,
            Code::NotAllowed,
        ];
        assert_eq!(told, expected.map(Some), "{}", user.name);
    }
    let again = moderate(world, here, Measure::Ban(whom(&ada))).await;
    assert_eq!(code(&again), Some(Code::AlreadySo));
    done(world, here, Measure::Unban(whom(&ada))).await;
    world.join(here, &ada).await;
}

pub async fn what_admins_did_holds_after_everything_is_forgotten(world: &mut World) {
    let [ada, grace, mallory] = [
        world.member("ada").await,
        world.member("grace").await,
        world.member("mallory").await,
    ];
    let here = world.public().await;
    for user in [&ada, &grace, &mallory] {
        world.join(here, user).await;
    }
    let said = world.say(here, &grace, "first").await;
    for measure in [
        Measure::Lock,
        Measure::Unlock,
        Measure::ReadOnly,
        Measure::Writable,
        Measure::Mute(whom(&ada)),
        Measure::Unmute(whom(&ada)),
        Measure::Lock,
        Measure::Mute(whom(&grace)),
        Measure::Ban(whom(&mallory)),
        Measure::ExtendBy(MINUTE_MS),
    ] {
        done(world, here, measure).await;
    }
    let end = end_as_read(world, here).await;
    world.archive(here).await;
    if world.back_end.forget(here) {
        world.void(here);
        for _ in 0..2 {
            world.store.sweep().await.expect("the store answers");
        }
    }
    assert_eq!(end_as_read(world, here).await, end);
    let store = world.store.clone();
    assert_eq!(
        spoken(world, here, &grace, &said).await,
        [Some(Code::Muted); 4]
    );
    world.say(here, &ada, "not muted").await;
    assert_eq!(
        code(&store.join(here, &mallory, None).await),
        Some(Code::Banned)
    );
    world.leave(here, &ada).await;
    assert_eq!(
        code(&store.join(here, &ada, None).await),
        Some(Code::Locked)
    );
    done(world, here, Measure::ReadOnly).await;
    assert_eq!(
        spoken(world, here, &grace, &said).await,
        [Some(Code::ReadOnly); 4]
    );
}

pub async fn an_admin_ends_it_at_once(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    world.join(here, &ada).await;
    let ended = done(world, here, Measure::End).await;
    let store = world.store.clone();
    let post = store.post(here, &ada, world.cmid(), &body("late")).await;
    assert_eq!(code(&post), Some(Code::Ended));
    assert_eq!(
        code(&store.join(here, &world.root, None).await),
        Some(Code::Ended)
    );
    for measure in [Measure::End, Measure::ExtendBy(MINUTE_MS), Measure::Lock] {
        assert_eq!(
            code(&moderate(world, here, measure).await),
            Some(Code::Ended)
        );
    }
    // Whoever looks at the schedule finds that it is ending, whatever its time says.
    let agenda = store.agenda(now(), 0).await.expect("the store answers");
    assert_eq!(agenda.ending, [here]);
    for step in EndStep::ALL {
        world.step(here, Reason::Scheduled, *step).await;
    }
    let log = world.log(here).await;
    let last = log.last().expect("a closed log");
    let reason = Reason::Ended;
    assert_eq!(
        (&last.what, last.timestamp),
        (&What::Closed { reason }, ended.timestamp)
    );
    assert_eq!(leaves(&log), [(ada.id, reason, ended.timestamp)]);
    let listed = store.meetings(None, 100).await.expect("a list");
    let listed = listed.iter().flat_map(|one| &one.instances).next();
    let listed = listed.expect("one");
    assert_eq!(listed.state, InstanceState::Ended);
    assert_eq!(listed.reason.as_deref(), Some("ended"));
}

pub async fn an_early_end_goes_on_when_what_is_live_was_forgotten(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    world.join(here, &ada).await;
    let ended = done(world, here, Measure::End).await;
    world.archive(here).await;
    if world.back_end.forget(here) {
        world.void(here);
        for _ in 0..2 {
            world.store.sweep().await.expect("the store answers");
        }
    }
    let late = world.cmid();
    let post = world.store.post(here, &ada, late, &body("late")).await;
    assert_eq!(code(&post), Some(Code::Ended));
    for step in EndStep::ALL {
        world.step(here, Reason::Scheduled, *step).await;
    }
    let log = world.log(here).await;
    assert_eq!(leaves(&log), [(ada.id, Reason::Ended, ended.timestamp)]);
}

pub async fn extending_ending_and_the_clock_race_to_one_outcome(world: &mut World) {
    let ada = world.member("ada").await;
    let meeting = world.meeting("Short", None).await;
    let here = world.active(meeting, SHORT_MS).await;
    world.join(here, &ada).await;
    let first = end_as_read(world, here).await;
    let stores = [world.store.clone(), world.back_end.other().await];
    let root = world.root.clone();
    until_async("its end to be near", async || {
        (now() > first.plus_ms(-20)).then_some(())
    })
    .await;
    let order = |n: usize, cmid| Order {
        cmid,
        measure: if n.is_multiple_of(8) {
            Measure::End
        } else {
            Measure::ExtendBy(1)
        },
        reason: None,
    };
    let orders: Vec<Order> = (1..40).map(|n| order(n, world.cmid())).collect();
    let moderation = join_all(
        orders
            .iter()
            .enumerate()
            .map(async |(n, order)| stores[n % 2].moderate(here, &root, order).await),
    );
    let ending = join_all(stores.iter().map(async |store| {
        // From the first step again: a mark by the clock may be taken back by the log.
        until_async("the end", async || {
            for step in EndStep::ALL {
                let stepped = store.end_step(here, Reason::Scheduled, *step, now()).await;
                if stepped.expect("the store answers") != Stepped::Done {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }));
    let (steered, _) = tokio::join!(moderation, ending);
    let log = world.log(here).await;
    let accepted = steered.iter().filter(|one| one.is_ok()).count();
    assert_eq!(acts(&log).len(), accepted);
    let last = log.last().expect("a closed log");
    let ended = acts(&log).contains(&Act::Ended);
    let (reason, listed) = if ended {
        (Reason::Ended, "ended")
    } else {
        (Reason::Scheduled, "scheduled")
    };
    assert_eq!(last.what, What::Closed { reason });
    let end = end_as_listed(world, here).await;
    let extended = acts(&log).into_iter().rev().find_map(|act| match act {
        Act::Extended { todatetime, .. } => Some(todatetime),
        _ => None,
    });
    assert_eq!(end, extended.unwrap_or(first));
    assert!(ended || last.timestamp == end);
    let all = world.store.meetings(None, 100).await.expect("a list");
    let found = all.iter().flat_map(|one| &one.instances).next();
    assert_eq!(found.and_then(|one| one.reason.as_deref()), Some(listed));
}

pub async fn what_holds_can_be_asked(world: &mut World) {
    let (ada, bob) = (world.member("ada").await, world.member("bob").await);
    let here = world.public().await;
    let standing = world.store.standing(here).await.expect("it can be asked");
    assert_eq!(standing, Standing::default());
    for user in [&ada, &bob] {
        world.join(here, user).await;
    }
    for measure in [
        Measure::Lock,
        Measure::ReadOnly,
        Measure::Mute(whom(&ada)),
        Measure::Ban(whom(&bob)),
    ] {
        done(world, here, measure).await;
    }
    let other = world.back_end.other().await;
    let standing = other.standing(here).await.expect("it can be asked");
    assert!(standing.locked && standing.read_only);
    assert!(standing.muted.iter().eq([&ada.id]) && standing.banned.iter().eq([&bob.id]));
    for measure in [
        Measure::Unlock,
        Measure::Writable,
        Measure::Unmute(whom(&ada)),
        Measure::Unban(whom(&bob)),
    ] {
        done(world, here, measure).await;
    }
    let standing = world.store.standing(here).await.expect("it can be asked");
    assert_eq!(standing, Standing::default());
}
