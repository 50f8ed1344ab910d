//! Users who wait for an instance to start: published when it changes, not stored in the log.

use plenary_server::store::{Feed, Waiting};
use plenary_shared::domain::{Code, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::WAITING_MAX;
use plenary_shared::protocol::WaitOk;

use crate::harness::{HOUR_MS, Harness, code, instance, now};

async fn wait(harness: &Harness, here: InstanceId, user: &User, what: Waiting) -> WaitOk {
    let answer = harness.store.wait(here, user, what).await;
    answer.expect("they may wait")
}

fn names(found: &WaitOk) -> Vec<&str> {
    let names = found.users.iter().map(|one| one.name.as_str());
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names
}

/// Waits for this many changes of an instance and returns them: user, whether waiting, count.
async fn told(harness: &Harness, here: InstanceId, count: usize) -> Vec<(String, bool, usize)> {
    let look = || -> Vec<_> {
        let fed = harness.fed().into_iter();
        fed.filter_map(|one| match one {
            Feed::Waiting(told) if told.instance == here => {
                Some((told.name, told.is_waiting, told.count))
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

async fn later(harness: &mut Harness, audience: Option<&[&User]>) -> InstanceId {
    let meeting = harness.meeting("later", audience).await;
    let begins = now().plus_ms(HOUR_MS);
    harness
        .schedule(meeting, begins, begins.plus_ms(HOUR_MS))
        .await
}

pub async fn waiting_users_are_visible(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let (here, other) = (later(harness, None).await, later(harness, None).await);
    assert_eq!(wait(harness, here, &grace, Waiting::Look).await.count, 0);
    assert_eq!(
        names(&wait(harness, here, &ada, Waiting::Wait).await),
        ["ada"]
    );
    // Repeating it changes nothing.
    assert_eq!(wait(harness, here, &ada, Waiting::Wait).await.count, 1);
    let both = wait(harness, here, &grace, Waiting::Wait).await;
    assert_eq!((names(&both), both.count), (vec!["ada", "grace"], 2));
    assert_eq!(wait(harness, other, &grace, Waiting::Look).await.count, 0);
    let left = wait(harness, here, &ada, Waiting::Stop).await;
    assert_eq!(names(&left), ["grace"]);
    wait(harness, here, &ada, Waiting::Stop).await;
    let seen = told(harness, here, 3).await;
    let seen: Vec<_> = seen.iter().map(|(n, w, c)| (n.as_str(), *w, *c)).collect();
    assert_eq!(
        seen,
        [("ada", true, 1), ("grace", true, 2), ("ada", false, 1)]
    );
    // Of many, some are named and all are counted.
    for one in harness.crowd(WAITING_MAX + 5).await {
        wait(harness, here, &one, Waiting::Wait).await;
    }
    let counts = harness.store.waiting(&[here, other]).await;
    let all = u32::try_from(WAITING_MAX + 6).expect("a small number");
    assert_eq!(counts.expect("the store answers"), [all, 0]);
    let many = wait(harness, here, &ada, Waiting::Look).await;
    assert_eq!(
        (many.users.len(), many.count),
        (WAITING_MAX, WAITING_MAX + 6)
    );
}

pub async fn waiting_needs_read_permission(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = later(harness, Some(&[&ada])).await;
    assert_eq!(wait(harness, here, &ada, Waiting::Wait).await.count, 1);
    for what in [Waiting::Wait, Waiting::Look] {
        let refused = harness.store.wait(here, &grace, what).await;
        assert_eq!(code(&refused), Some(Code::NotAllowed));
    }
    assert_eq!(
        wait(harness, here, &harness.root, Waiting::Look)
            .await
            .count,
        1
    );
    let nowhere = instance(here.meeting.get(), here.order.get() + 1);
    let refused = harness.store.wait(nowhere, &ada, Waiting::Wait).await;
    assert_eq!(code(&refused), Some(Code::NotFound));
}

pub async fn wait_for_started_instance_is_rejected(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let running = harness.public().await;
    let refused = harness.store.wait(running, &ada, Waiting::Wait).await;
    assert_eq!(code(&refused), Some(Code::NotScheduled));
    harness.end(running).await;
    let refused = harness.store.wait(running, &ada, Waiting::Look).await;
    assert_eq!(code(&refused), Some(Code::Ended));
    let called_off = later(harness, None).await;
    let done = harness.store.cancel(called_off, None, None).await;
    done.expect("it has not begun");
    let refused = harness.store.wait(called_off, &ada, Waiting::Wait).await;
    assert_eq!(code(&refused), Some(Code::Ended));
}
