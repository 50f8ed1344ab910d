//! Posting: once for each cmid whatever happens, and every text as it was written.

use futures_util::future::join_all;
use plenary_server::store::{NewUser, Page};
use plenary_shared::domain::{Code, Role, What};
use plenary_shared::limits::MESSAGE_BODY_BYTES_MAX;

use crate::joining::until_over;
use crate::world::{SHORT_MS, World, body, cmid, code, messages, new_user};

pub async fn a_cmid_is_said_once_whatever_happens(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let (here, there) = (world.public().await, world.public().await);
    world.join(here, &ada).await;
    world.join(here, &grace).await;
    let one = cmid(7);
    let first = world.store.post(here, &ada, one, &body("once")).await;
    let first = first.expect("ada is in");
    assert!(!first.repeat);
    let assert_repeat = async |when: &str, world: &World| {
        for store in [world.store.clone(), world.back_end.other().await] {
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
    assert_repeat("at once", world).await;

    // It is hers: the same id of somebody else, and elsewhere, is another message.
    let other = world.store.post(here, &grace, one, &body("mine")).await;
    assert!(!other.expect("grace is in").repeat);
    world.join(there, &ada).await;
    let other = world.store.post(there, &ada, one, &body("there")).await;
    assert!(!other.expect("ada is in").repeat);

    world.archive(here).await;
    assert_repeat("when it is archived", world).await;
    world.leave(here, &ada).await;
    assert_repeat("after leaving", world).await;
    let new = world.store.post(here, &ada, cmid(8), &body("new")).await;
    assert_eq!(code(&new), Some(Code::NotParticipant));
    world.end(here).await;
    assert_repeat("after the end", world).await;
    let new = world.store.post(here, &ada, cmid(8), &body("new")).await;
    assert_eq!(code(&new), Some(Code::Ended));
    let said = world.log(here).await;
    assert_eq!(messages(&said).len(), 2);
}

pub async fn a_retry_when_time_is_up_gets_its_seq(world: &mut World) {
    let ada = world.member("ada").await;
    let meeting = world.meeting("Short", None).await;
    let here = world.active(meeting, SHORT_MS).await;
    world.join(here, &ada).await;
    let first = world
        .store
        .post(here, &ada, cmid(1), &body("in time"))
        .await;
    let first = first.expect("ada is in");
    until_over(world, here, &ada).await;
    let again = world
        .store
        .post(here, &ada, cmid(1), &body("in time"))
        .await;
    let again = again.expect("it was said in time");
    assert_eq!((again.seq, again.repeat), (first.seq, true));
    let late = world.store.post(here, &ada, cmid(2), &body("late")).await;
    assert_eq!(code(&late), Some(Code::Ended));
}

pub async fn one_cmid_of_many_callers_at_once_is_one_message(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    world.join(here, &ada).await;
    let stores = [world.store.clone(), world.back_end.other().await];
    let text = body("me first");
    let answers = join_all((0..100).map(|n| stores[n % 2].post(here, &ada, cmid(1), &text))).await;
    let answers: Vec<_> = answers.into_iter().map(|a| a.expect("ada is in")).collect();
    assert_eq!(answers.iter().filter(|answer| !answer.repeat).count(), 1);
    for answer in &answers {
        let same = (answer.seq, answer.timestamp);
        assert_eq!(same, (answers[0].seq, answers[0].timestamp));
    }
}

/// Texts that a script, a query, a format or a column might take for something else.
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

pub async fn every_text_is_kept_as_it_was_written(world: &mut World) {
    let mut people = vec![];
    for (n, text) in TEXTS.iter().enumerate() {
        let new = NewUser {
            name: text.trim().replace('\n', " "),
            ..new_user(&format!("person{n}"), Role::Member)
        };
        people.push(world.store.add_user(new).await.expect("it is free"));
    }
    let here = world.public().await;
    let longest = "é".repeat(MESSAGE_BODY_BYTES_MAX / 2);
    for (user, text) in people.iter().zip(TEXTS) {
        world.join(here, user).await;
        world.say(here, user, text).await;
    }
    world.say(here, &people[0], &longest).await;
    let expected: Vec<&str> = TEXTS.iter().copied().chain([longest.as_str()]).collect();

    let assert_kept = async |when: &str, world: &World| {
        let page = Page::Before(None);
        let read = world.store.messages(here, &world.root, page, 100).await;
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
        let log = world.log(here).await;
        let joined: Vec<&str> = log
            .iter()
            .filter_map(|event| match &event.what {
                What::Join { name, .. } => Some(name.as_str()),
                What::Opened
                | What::Leave { .. }
                | What::Message { .. }
                | What::Edited { .. }
                | What::Deleted { .. }
                | What::Moderated(_)
                | What::Closed { .. } => None,
            })
            .collect();
        let names: Vec<&str> = people.iter().map(|user| user.name.as_str()).collect();
        assert_eq!(joined, names, "{when}");
    };
    assert_kept("live", world).await;
    world.archive(here).await;
    assert_kept("archived", world).await;
    world.end(here).await;
    assert_kept("ended", world).await;
}
