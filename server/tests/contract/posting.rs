//! Posting: once for each cmid, whatever happens, and every text exactly as it was written.

use futures_util::future::join_all;
use plenary_server::store::{NewUser, Page};
use plenary_shared::domain::{Code, EventKind, Role};
use plenary_shared::limits::MESSAGE_BODY_BYTES_MAX;
use plenary_shared::unicode::nfc;

use crate::harness::{Harness, SHORT_MS, body, cmid, code, messages, new_user};
use crate::joining::until_over;

pub async fn post_with_same_cmid_creates_one_message(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let (here, there) = (harness.public().await, harness.public().await);
    harness.join(here, &ada).await;
    harness.join(here, &grace).await;
    let one = cmid(7);
    let first = harness.store.post(here, &ada, one, &body("once")).await;
    let first = first.expect("ada is in");
    assert!(!first.repeat);
    let assert_repeat = async |when: &str, harness: &Harness| {
        for store in [harness.store.clone(), harness.back_end.other().await] {
            let again = store.post(here, &ada, one, &body("another body")).await;
            let again = again.expect(when);
            assert!(again.repeat, "{when}");
            assert_eq!(
                (again.seq, again.timestamp),
                (first.seq, first.timestamp),
                "{when}"
            );
        }
    };
    assert_repeat("at once", harness).await;

    // The cmid belongs to her: the same cmid of another user, or in another instance, is another
    // message.
    let other = harness.store.post(here, &grace, one, &body("mine")).await;
    assert!(!other.expect("grace is in").repeat);
    harness.join(there, &ada).await;
    let other = harness.store.post(there, &ada, one, &body("there")).await;
    assert!(!other.expect("ada is in").repeat);

    harness.archive(here).await;
    assert_repeat("when it is archived", harness).await;
    harness.leave(here, &ada).await;
    assert_repeat("after leaving", harness).await;
    let new = harness.store.post(here, &ada, cmid(8), &body("new")).await;
    assert_eq!(code(&new), Some(Code::NotParticipant));
    harness.end(here).await;
    assert_repeat("after the end", harness).await;
    let new = harness.store.post(here, &ada, cmid(8), &body("new")).await;
    assert_eq!(code(&new), Some(Code::Ended));
    let said = harness.log(here).await;
    assert_eq!(messages(&said).len(), 2);
}

pub async fn retry_after_end_returns_its_seq(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let meeting = harness.meeting("Short", None).await;
    let here = harness.active(meeting, SHORT_MS).await;
    harness.join(here, &ada).await;
    let first = harness
        .store
        .post(here, &ada, cmid(1), &body("in time"))
        .await;
    let first = first.expect("ada is in");
    until_over(harness, here, &ada).await;
    let again = harness
        .store
        .post(here, &ada, cmid(1), &body("in time"))
        .await;
    let again = again.expect("it was said in time");
    assert_eq!((again.seq, again.repeat), (first.seq, true));
    let late = harness.store.post(here, &ada, cmid(2), &body("late")).await;
    assert_eq!(code(&late), Some(Code::Ended));
}

pub async fn concurrent_posts_with_same_cmid_create_one_message(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    harness.join(here, &ada).await;
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let text = body("me first");
    let answers = join_all((0..100).map(|n| stores[n % 2].post(here, &ada, cmid(1), &text))).await;
    let answers: Vec<_> = answers.into_iter().map(|a| a.expect("ada is in")).collect();
    assert_eq!(answers.iter().filter(|answer| !answer.repeat).count(), 1);
    for answer in &answers {
        let same = (answer.seq, answer.timestamp);
        assert_eq!(same, (answers[0].seq, answers[0].timestamp));
    }
}

/// Texts that a script, a query, a format or a column might misread.
const TEXTS: &[&str] = &[
    "'; DROP TABLE message; --",
    "\" \\ \\' \\\" \\n \\0 \\u0000",
    "redis.call('FLUSHALL') ]] -- {1} %d %s %%",
    "{\"event\":\"closed\"}",
    "null",
    "0",
    "1e308",
    "NULL",
    " leading and trailing ",
    "🦀 日本語 العربية e\u{301} \u{1f469}\u{200d}\u{1f4bb}",
    "two\nlines",
];

pub async fn text_is_stored_unchanged(harness: &mut Harness) {
    let mut people = vec![];
    for (n, text) in TEXTS.iter().enumerate() {
        let new = NewUser {
            name: text.trim().replace('\n', " "),
            ..new_user(&format!("person{n}"), Role::Member)
        };
        people.push(harness.store.add_user(new).await.expect("it is free"));
    }
    let here = harness.public().await;
    let longest = "é".repeat(MESSAGE_BODY_BYTES_MAX / 2);
    for (user, text) in people.iter().zip(TEXTS) {
        harness.join(here, user).await;
        harness.post(here, user, text).await;
    }
    harness.post(here, &people[0], &longest).await;
    let normal: Vec<_> = TEXTS.iter().copied().map(nfc).collect();
    let expected = normal.iter().map(AsRef::as_ref);
    let expected: Vec<&str> = expected.chain([longest.as_str()]).collect();

    let assert_kept = async |when: &str, harness: &Harness| {
        let page = Page::Before(None);
        let read = harness.store.messages(here, &harness.root, page, 100).await;
        let read = read.expect("root may read").messages;
        let bodies: Vec<&str> = read.iter().map(|one| one.body.as_str()).collect();
        assert_eq!(bodies, expected, "{when}");
        for (message, user) in read.iter().zip(&people) {
            assert_eq!(
                (message.user, &message.name),
                (user.id, &user.name),
                "{when}"
            );
        }
        let log = harness.log(here).await;
        let joined: Vec<&str> = log
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Join { name, .. } => Some(name.as_str()),
                EventKind::Opened
                | EventKind::Leave { .. }
                | EventKind::Message { .. }
                | EventKind::Edited { .. }
                | EventKind::Deleted { .. }
                | EventKind::Moderated(_)
                | EventKind::Closed { .. } => None,
            })
            .collect();
        let names: Vec<&str> = people.iter().map(|user| user.name.as_str()).collect();
        assert_eq!(joined, names, "{when}");
    };
    assert_kept("live", harness).await;
    harness.archive(here).await;
    assert_kept("archived", harness).await;
    harness.end(here).await;
    assert_kept("ended", harness).await;
}
