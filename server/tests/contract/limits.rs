//! Limits on writing: exact on every server, counted in the step that stores the event, and never in the way of a
//! retry, a leave or an end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use plenary_server::error::{Answer, Error};
use plenary_server::rate_limits::{Quota, WriteLimits};
use plenary_server::store::Store;
use plenary_server::store::moderation::ModerationRequest;
use plenary_shared::domain::{Code, ModerationAction, Reject};

use crate::harness::{Harness, body, cmid, code, kinds, messages, seq};

/// A refill so slow that a test regains nothing: an event each ten seconds.
const SLOW_PER_MINUTE: u32 = 6;

const SLOW_MS: u32 = 60_000 / SLOW_PER_MINUTE;

const fn slow(burst: u32) -> Quota {
    Quota {
        burst,
        per_minute: SLOW_PER_MINUTE,
    }
}

/// The store of each server, with these limits.
async fn servers(harness: &Harness, limits: WriteLimits) -> [Arc<dyn Store>; 2] {
    let stores = [harness.store.clone(), harness.back_end.other().await];
    for store in &stores {
        store.set_limits(limits);
    }
    stores
}

/// Checks that the request was refused, and returns the wait in milliseconds.
#[track_caller]
fn wait_ms<T>(answer: Answer<T>) -> u32 {
    match answer {
        Err(Error::Reject(Reject {
            code: Code::RateLimited,
            retry_after_s: Some(seconds),
            retry_after_ms: Some(wait_ms),
            ..
        })) => {
            assert_eq!(seconds, wait_ms.div_ceil(1_000));
            wait_ms
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was accepted"),
    }
}

pub async fn posts_above_the_burst_are_refused_with_the_wait(harness: &mut Harness) {
    let limits = WriteLimits {
        post: Some(slow(3)),
        ..WriteLimits::default()
    };
    let [store, other] = servers(harness, limits).await;
    let [ada, bob] = [harness.member("ada").await, harness.member("bob").await];
    let (here, there) = (harness.public().await, harness.public().await);
    for (at, user) in [(here, &ada), (here, &bob), (there, &ada)] {
        harness.join(at, user).await;
    }
    for n in 1..=3 {
        let posted = store.post(here, &ada, cmid(n), &body("in time")).await;
        posted.expect("a part of the burst");
    }
    for store in [&store, &other] {
        let refused = store.post(here, &ada, cmid(4), &body("too fast")).await;
        let wait_ms = wait_ms(refused);
        assert!((1..=SLOW_MS).contains(&wait_ms), "{wait_ms}");
        let refused = store
            .post_message(here, &ada, cmid(5), &body("too fast"), Some(seq(4)))
            .await;
        assert_eq!(code(&refused), Some(Code::RateLimited));
        // A retry of an accepted post gets its answer, and is not counted.
        let again = store.post(here, &ada, cmid(1), &body("in time")).await;
        assert!(again.expect("it was accepted").repeat);
    }
    // Each user has a limit in each meeting.
    for (at, user) in [(here, &bob), (there, &ada)] {
        for n in 11..=13 {
            let posted = store.post(at, user, cmid(n), &body("in time")).await;
            posted.expect("a part of another burst");
        }
    }
    let log = harness.log(here).await;
    assert_eq!(messages(&log).len(), 6);
}

pub async fn refused_post_is_accepted_after_its_wait(harness: &mut Harness) {
    let quick = Quota {
        burst: 1,
        per_minute: 300,
    };
    let limits = WriteLimits {
        post: Some(quick),
        ..WriteLimits::default()
    };
    let [store, _] = servers(harness, limits).await;
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    harness.join(here, &ada).await;
    for n in 1..=5 {
        let first = store.post(here, &ada, cmid(n), &body("said once")).await;
        if n == 1 {
            first.expect("the burst");
            continue;
        }
        // A slow machine may have waited long enough.
        if code(&first).is_some() {
            let wait = Duration::from_millis(wait_ms(first).into());
            assert!(wait <= Duration::from_millis(200), "{wait:?}");
            tokio::time::sleep(wait).await;
            let again = store.post(here, &ada, cmid(n), &body("said once")).await;
            assert!(!again.expect("the wait is exact").repeat);
        }
    }
    assert_eq!(messages(&harness.log(here).await).len(), 5);
}

pub async fn racing_posts_take_exactly_the_burst(harness: &mut Harness) {
    const BURST: usize = 20;
    let limits = WriteLimits {
        post: Some(slow(20)),
        account: Some(slow(1_000)),
        ..WriteLimits::default()
    };
    let stores = servers(harness, limits).await;
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    harness.join(here, &ada).await;
    let began = Instant::now();
    let text = body("me first");
    let posts = (0..200).map(|n| stores[n % 2].post(here, &ada, cmid(n as u64 / 2), &text));
    let answers = join_all(posts).await;
    let regained = began.elapsed().as_millis() / u128::from(SLOW_MS);
    let regained = usize::try_from(regained).expect("a small number");
    let codes: Vec<_> = answers.iter().map(code).collect();
    assert!(
        codes
            .iter()
            .all(|code| matches!(code, None | Some(Code::RateLimited))),
        "{codes:?}"
    );
    let new = answers.iter().flatten().filter(|posted| !posted.repeat);
    let new = new.count();
    assert!((BURST..=BURST + regained).contains(&new), "{new}");
    assert_eq!(messages(&harness.log(here).await).len(), new);
}

pub async fn account_limit_counts_all_instances(harness: &mut Harness) {
    let limits = WriteLimits {
        post: Some(slow(100)),
        join: Some(slow(100)),
        account: Some(slow(6)),
        ..WriteLimits::default()
    };
    let [store, other] = servers(harness, limits).await;
    let [ada, bob] = [harness.member("ada").await, harness.member("bob").await];
    let places = [harness.public().await, harness.public().await];
    for at in places {
        harness.join(at, &ada).await;
    }
    harness.join(places[0], &bob).await;
    for (n, at) in (1..=4).zip(places.into_iter().cycle()) {
        let posted = store.post(at, &ada, cmid(n), &body("x")).await;
        posted.expect("a part of the burst");
    }
    for at in places {
        let refused = other.post(at, &ada, cmid(9), &body("x")).await;
        assert_eq!(code(&refused), Some(Code::RateLimited));
    }
    let posted = other.post(places[0], &bob, cmid(1), &body("x")).await;
    posted.expect("another account");
}

pub async fn changes_and_announcements_count_as_posts(harness: &mut Harness) {
    let limits = WriteLimits {
        post: Some(slow(3)),
        ..WriteLimits::default()
    };
    let [store, _] = servers(harness, limits).await;
    let (ada, root) = (harness.member("ada").await, harness.root.clone());
    let here = harness.public().await;
    harness.join(here, &ada).await;
    let first = harness.post(here, &ada, "first").await.seq;
    let edited = store
        .change_message(here, &ada, cmid(101), first, Some(&body("edited")))
        .await;
    edited.expect("a part of the burst");
    let deleted = store
        .change_message(here, &ada, cmid(102), first, None)
        .await;
    deleted.expect("a part of the burst");
    wait_ms(store.post(here, &ada, cmid(103), &body("x")).await);
    let announce = |number| ModerationRequest {
        cmid: cmid(number),
        action: ModerationAction::Announce {
            body: body("coffee"),
        },
        reason: None,
    };
    for number in 201..=203 {
        let announced = store.moderate(here, &root, &announce(number)).await;
        announced.expect("a part of the burst");
    }
    wait_ms(store.moderate(here, &root, &announce(204)).await);
    let again = store.moderate(here, &root, &announce(203)).await;
    assert!(again.expect("it was accepted").repeat);
    // An admin can always act.
    let lock = ModerationRequest {
        cmid: cmid(205),
        action: ModerationAction::Lock,
        reason: None,
    };
    let locked = store.moderate(here, &root, &lock).await;
    locked.expect("moderation is not limited");
}

pub async fn joins_are_limited_and_leaves_are_not(harness: &mut Harness) {
    let limits = WriteLimits {
        post: Some(slow(1)),
        join: Some(slow(3)),
        ..WriteLimits::default()
    };
    let [store, other] = servers(harness, limits).await;
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    for _ in 0..3 {
        harness.join(here, &ada).await;
        harness.leave(here, &ada).await;
    }
    for store in [&store, &other] {
        wait_ms(store.join(here, &ada, None).await);
    }
    let log = harness.log(here).await;
    assert_eq!((kinds(&log)["join"], kinds(&log)["leave"]), (3, 3));
}

pub async fn leaves_and_ends_commit_below_the_disk_reserve(harness: &mut Harness) {
    let [ada, bob] = [harness.member("ada").await, harness.member("bob").await];
    let here = harness.public().await;
    harness.join(here, &ada).await;
    harness.join(here, &bob).await;
    let first = harness.post(here, &ada, "while there is space").await;
    let store = harness.store.clone();
    store.set_limits(WriteLimits {
        disk_reserve_bytes: u64::MAX,
        ..WriteLimits::default()
    });
    let refused = store.post(here, &ada, cmid(101), &body("x")).await;
    let Some(disk) = store.disk() else {
        // The data are on other machines, which have their own limits.
        return assert_eq!(code(&refused), None);
    };
    assert!(disk.free_bytes > 0 && disk.reserve_bytes == u64::MAX);
    let Err(Error::Reject(reject)) = refused else {
        panic!("it was accepted");
    };
    assert_eq!(reject.code, Code::DiskReserve);
    assert!(reject.retry_after_s.is_some());
    let edited = store
        .change_message(here, &ada, cmid(102), first.seq, Some(&body("x")))
        .await;
    assert_eq!(code(&edited), Some(Code::DiskReserve));
    let failed = |name: &str, checks: &[plenary_server::store::Check]| {
        checks.iter().any(|check| check.name == name && !check.ok)
    };
    assert!(failed("disk", &store.checks().await));
    let deleted = store
        .change_message(here, &ada, cmid(103), first.seq, None)
        .await;
    deleted.expect("a deletion needs little space");
    harness.leave(here, &ada).await;
    harness.end(here).await;
    store.set_limits(WriteLimits::default());
    assert!(!failed("disk", &store.checks().await));
    assert_eq!(kinds(&harness.log(here).await)["closed"], 1);
}
