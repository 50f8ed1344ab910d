//! Who waits for what has not begun: told when it changes, kept by no log.

use plenary_server::store::{Feed, Waiting};
use plenary_shared::domain::{Code, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::WAITING_MAX;
use plenary_shared::protocol::WaitOk;

use crate::world::{HOUR_MS, World, code, instance, now};

async fn wait(world: &World, here: InstanceId, user: &User, what: Waiting) -> WaitOk {
    let answer = world.store.wait(here, user, what).await;
    answer.expect("they may wait")
}

fn names(found: &WaitOk) -> Vec<&str> {
    let names = found.people.iter().map(|one| one.name.as_str());
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names
}

/// What was told of an instance up to now, once it is as much as this: who, whether, how many.
async fn told(world: &World, here: InstanceId, count: usize) -> Vec<(String, bool, usize)> {
    let look = || -> Vec<_> {
        let fed = world.fed().into_iter();
        fed.filter_map(|one| match one {
            Feed::Waiting(told) if told.instance == here => {
                Some((told.name, told.waits, told.count))
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

async fn later(world: &mut World, audience: Option<&[&User]>) -> InstanceId {
    let meeting = world.meeting("later", audience).await;
    let begins = now().plus_ms(HOUR_MS);
    world
        .schedule(meeting, begins, begins.plus_ms(HOUR_MS))
        .await
}

pub async fn whoever_waits_is_known_to_whoever_looks(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let (here, other) = (later(world, None).await, later(world, None).await);
    assert_eq!(wait(world, here, &grace, Waiting::Looks).await.count, 0);
    assert_eq!(
        names(&wait(world, here, &ada, Waiting::Waits).await),
        ["ada"]
    );
    // Said again, as often as one likes.
    assert_eq!(wait(world, here, &ada, Waiting::Waits).await.count, 1);
    let both = wait(world, here, &grace, Waiting::Waits).await;
    assert_eq!((names(&both), both.count), (vec!["ada", "grace"], 2));
    assert_eq!(wait(world, other, &grace, Waiting::Looks).await.count, 0);
    let left = wait(world, here, &ada, Waiting::Stops).await;
    assert_eq!(names(&left), ["grace"]);
    wait(world, here, &ada, Waiting::Stops).await;
    let seen = told(world, here, 3).await;
    let seen: Vec<_> = seen.iter().map(|(n, w, c)| (n.as_str(), *w, *c)).collect();
    assert_eq!(
        seen,
        [("ada", true, 1), ("grace", true, 2), ("ada", false, 1)]
    );
    // Of many, some are named and all are counted.
    for one in world.crowd(WAITING_MAX + 5).await {
        wait(world, here, &one, Waiting::Waits).await;
    }
    let counts = world.store.waiting(&[here, other]).await;
    let all = u32::try_from(WAITING_MAX + 6).expect("a small number");
    assert_eq!(counts.expect("the store answers"), [all, 0]);
    let many = wait(world, here, &ada, Waiting::Looks).await;
    assert_eq!(
        (many.people.len(), many.count),
        (WAITING_MAX, WAITING_MAX + 6)
    );
}

pub async fn who_may_wait_is_who_may_read(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let here = later(world, Some(&[&ada])).await;
    assert_eq!(wait(world, here, &ada, Waiting::Waits).await.count, 1);
    for what in [Waiting::Waits, Waiting::Looks] {
        let refused = world.store.wait(here, &grace, what).await;
        assert_eq!(code(&refused), Some(Code::NotAllowed));
    }
    assert_eq!(
        wait(world, here, &world.root, Waiting::Looks).await.count,
        1
    );
    let nowhere = instance(here.meeting.get(), here.order.get() + 1);
    let refused = world.store.wait(nowhere, &ada, Waiting::Waits).await;
    assert_eq!(code(&refused), Some(Code::NotFound));
}

pub async fn nobody_waits_for_what_has_begun(world: &mut World) {
    let ada = world.member("ada").await;
    let running = world.public().await;
    let refused = world.store.wait(running, &ada, Waiting::Waits).await;
    assert_eq!(code(&refused), Some(Code::NotScheduled));
    world.end(running).await;
    let refused = world.store.wait(running, &ada, Waiting::Looks).await;
    assert_eq!(code(&refused), Some(Code::Ended));
    let called_off = later(world, None).await;
    let done = world.store.cancel(called_off, None, None).await;
    done.expect("it has not begun");
    let refused = world.store.wait(called_off, &ada, Waiting::Waits).await;
    assert_eq!(code(&refused), Some(Code::Ended));
}
