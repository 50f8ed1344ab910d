//! Pages of the log, of the messages and of one user's messages: in both directions, with every
//! limit, across the border between live and archived events.

use plenary_server::store::Page;
use plenary_shared::domain::{Event, EventKind, User};
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::limits::{ID_MAX, PAGE_MAX};
use plenary_shared::protocol::Message;

use crate::harness::{Harness, facts, messages, seq};

/// The expected page, and whether there is more in its direction.
fn expected(all: &[Seq], page: Page, limit: usize) -> (Vec<Seq>, bool) {
    let inside: Vec<Seq> = all
        .iter()
        .copied()
        .filter(|seq| match page {
            Page::After(after) => *seq > after,
            Page::Before(before) => before.is_none_or(|before| *seq < before),
        })
        .collect();
    let cut = inside.len().saturating_sub(limit);
    let some = match page {
        Page::After(_) => &inside[..inside.len() - cut],
        Page::Before(_) => &inside[cut..],
    };
    (some.to_vec(), cut > 0)
}

/// What is read, and as which user.
#[derive(Clone, Copy, Debug)]
enum Read {
    Log,
    Messages,
    Of(UserId),
}

/// Reads one page: its seqs, and whether there is more.
async fn read(
    harness: &Harness,
    here: InstanceId,
    what: Read,
    page: Page,
    limit: usize,
) -> (Vec<Seq>, bool) {
    let (store, root) = (&harness.store, &harness.root);
    let of_messages = |messages: Vec<Message>| messages.iter().map(|one| one.seq).collect();
    match what {
        Read::Log => {
            let read = store.events(here, root, page, limit).await;
            let read = read.unwrap_or_else(|e| panic!("{here} {page:?} {limit}: {e}"));
            for user in read.events.iter().filter_map(|event| event.kind.user()) {
                let named = read
                    .users
                    .iter()
                    .any(|one| one.id == user && !one.name.is_empty());
                assert!(named, "{here} {page:?} {limit}: {user} has no name");
            }
            (
                read.events.iter().map(|event| event.seq).collect(),
                read.more,
            )
        }
        Read::Messages => {
            let read = store.messages(here, root, page, limit).await;
            let read = read.unwrap_or_else(|e| panic!("{here} {page:?} {limit}: {e}"));
            (of_messages(read.messages), read.more)
        }
        Read::Of(user) => {
            let read = store.user_messages(here, root, user, page, limit).await;
            let read = read.unwrap_or_else(|e| panic!("{here} {user} {page:?} {limit}: {e}"));
            (of_messages(read.messages), read.more)
        }
    }
}

async fn assert_pages(
    harness: &Harness,
    here: InstanceId,
    when: &str,
    log: &[Event],
    people: &[User],
) {
    assert_eq!(facts(&harness.log(here).await), facts(log), "{when}");
    let said_by = |user: UserId| -> Vec<Seq> {
        let said = messages(log).into_iter();
        said.filter(|event| event.kind.user() == Some(user))
            .map(|event| event.seq)
            .collect()
    };
    let mut all = vec![
        (
            Read::Log,
            log.iter().map(|event| event.seq).collect::<Vec<Seq>>(),
        ),
        (
            Read::Messages,
            messages(log).iter().map(|event| event.seq).collect(),
        ),
    ];
    all.extend(
        people
            .iter()
            .map(|user| (Read::Of(user.id), said_by(user.id))),
    );
    let end = log.len() as u64 + 2;
    for (what, all) in &all {
        // From every position, pages of a few sizes.
        for at in (0..=end).chain([ID_MAX]).map(seq) {
            for page in [Page::After(at), Page::Before(Some(at))] {
                for limit in [1, 2, 5, PAGE_MAX] {
                    let got = read(harness, here, *what, page, limit).await;
                    let expected = expected(all, page, limit);
                    assert_eq!(got, expected, "{when}: {what:?} {page:?} {limit}");
                }
            }
        }
        // From both ends, with every size, to the end.
        for limit in 1..=all.len() + 1 {
            assert_eq!(
                walk_up(harness, here, *what, limit).await,
                *all,
                "{when}: {what:?} {limit}"
            );
            assert_eq!(
                walk_down(harness, here, *what, limit).await,
                *all,
                "{when}: {what:?} {limit}"
            );
        }
    }
}

async fn walk_up(harness: &Harness, here: InstanceId, what: Read, limit: usize) -> Vec<Seq> {
    let mut all: Vec<Seq> = vec![];
    loop {
        let after = all.last().copied().unwrap_or_default();
        let (some, more) = read(harness, here, what, Page::After(after), limit).await;
        all.extend(some);
        if !more {
            return all;
        }
    }
}

async fn walk_down(harness: &Harness, here: InstanceId, what: Read, limit: usize) -> Vec<Seq> {
    let mut all: Vec<Seq> = vec![];
    loop {
        let page = Page::Before(all.first().copied());
        let (some, more) = read(harness, here, what, page, limit).await;
        all.splice(0..0, some);
        if !more {
            return all;
        }
    }
}

/// A log in which messages of two users, with a third who posts nothing, lie between joins and
/// leaves.
async fn talk(harness: &mut Harness) -> (InstanceId, Vec<User>) {
    let people = harness.crowd(3).await;
    let here = harness.public().await;
    let [ada, grace, silent] = people.as_slice() else {
        panic!("three were asked for");
    };
    harness.join(here, ada).await;
    harness.post(here, ada, "one").await;
    harness.post(here, ada, "two").await;
    harness.join(here, grace).await;
    harness.join(here, silent).await;
    harness.post(here, grace, "three").await;
    harness.leave(here, silent).await;
    harness.leave(here, ada).await;
    harness.join(here, silent).await;
    harness.post(here, grace, "four").await;
    harness.join(here, ada).await;
    harness.post(here, ada, "five").await;
    harness.leave(here, silent).await;
    (here, people)
}

pub async fn pages_of_a_live_log_are_exact(harness: &mut Harness) {
    let (here, people) = talk(harness).await;
    let log = harness.log(here).await;
    assert_pages(harness, here, "live", &log, &people).await;
}

pub async fn pages_of_an_ended_log_are_exact(harness: &mut Harness) {
    let (here, people) = talk(harness).await;
    harness.end(here).await;
    let log = harness.log(here).await;
    assert_pages(harness, here, "ended", &log, &people).await;
}

pub async fn pages_across_live_and_archived_are_exact(harness: &mut Harness) {
    let (here, people) = talk(harness).await;
    harness.archive(here).await;
    for first in [2, 4, 7, 10, 13] {
        harness.back_end.trim(here, seq(first));
        let log = harness.log(here).await;
        assert_pages(harness, here, &format!("live from {first}"), &log, &people).await;
    }
}

pub async fn pages_of_an_archived_log_are_exact(harness: &mut Harness) {
    let (here, people) = talk(harness).await;
    harness.archive(here).await;
    let log = harness.log(here).await;
    harness.back_end.trim(here, seq(log.len() as u64 + 1));
    assert_pages(harness, here, "nothing is live", &log, &people).await;
    // What follows is live again.
    harness.post(here, &people[0], "six").await;
    let log = harness.log(here).await;
    assert_pages(harness, here, "one is live", &log, &people).await;
}

pub async fn open_contains_the_last_events(harness: &mut Harness) {
    let (here, people) = talk(harness).await;
    harness.archive(here).await;
    let log = harness.log(here).await;
    for first in [1, 6, 14] {
        harness.back_end.trim(here, seq(first));
        for limit in 1..=log.len() + 1 {
            let opened = harness.store.open(here, &people[0], None, limit).await;
            let opened = opened.expect("it is public");
            let last = &log[log.len().saturating_sub(limit)..];
            assert_eq!(facts(&opened.events), facts(last), "{first} {limit}");
            assert_eq!(opened.more, limit < log.len(), "{first} {limit}");
            assert_eq!(opened.seq.get(), log.len() as u64);
            assert_eq!(opened.durable, opened.seq);
        }
    }
}

pub async fn backfill_continues_from_any_seq(harness: &mut Harness) {
    let (here, _) = talk(harness).await;
    harness.archive(here).await;
    let log = harness.log(here).await;
    for first in [1, 6, 14] {
        harness.back_end.trim(here, seq(first));
        for after in 0..=log.len() + 1 {
            for limit in [1, 2, 5, PAGE_MAX] {
                let some = harness.store.backfill(here, seq(after as u64), limit).await;
                let some = some.expect("the store answers");
                let rest = &log[after.min(log.len())..];
                let expected = &rest[..rest.len().min(limit)];
                // A short page is not the end, because the hub asks again. But a page is never
                // empty and has no gaps.
                assert!(some.len() <= limit && some.is_empty() == rest.is_empty());
                assert_eq!(
                    facts(&some),
                    facts(&expected[..some.len()]),
                    "{first} {after} {limit}"
                );
            }
        }
    }
}

/// More joins and leaves than a page of the log holds lie between two messages.
pub async fn messages_are_found_behind_many_joins_and_leaves(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    harness.join(here, &ada).await;
    harness.post(here, &ada, "first").await;
    for _ in 0..PAGE_MAX {
        harness.join(here, &grace).await;
        harness.leave(here, &grace).await;
    }
    harness.post(here, &ada, "last").await;
    let log = harness.log(here).await;
    let said: Vec<Seq> = messages(&log).iter().map(|event| event.seq).collect();
    assert!(matches!(log[2].kind, EventKind::Message { .. }));
    for limit in [1, 2, 3] {
        assert_eq!(
            walk_up(harness, here, Read::Messages, limit).await,
            said,
            "{limit}"
        );
        assert_eq!(
            walk_down(harness, here, Read::Messages, limit).await,
            said,
            "{limit}"
        );
    }
    let (some, more) = read(harness, here, Read::Messages, Page::Before(None), 2).await;
    assert_eq!((some, more), (said.clone(), false));
    let (some, more) = read(harness, here, Read::Messages, Page::Before(None), 1).await;
    assert_eq!((some, more), (said[1..].to_vec(), true));
    let (some, more) = read(harness, here, Read::Messages, Page::After(said[0]), 1).await;
    assert_eq!((some, more), (said[1..].to_vec(), false));
}
