//! Pages of the log, of the messages and of one person's messages: in both directions, with every
//! limit, across the border of what is live and what is archived.

use plenary_server::store::Page;
use plenary_shared::domain::{Event, User, What};
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::limits::{ID_MAX, PAGE_MAX};
use plenary_shared::protocol::Message;

use crate::world::{World, facts, messages, seq};

/// What a page must hold of all that there is, and whether there is more in its direction.
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

/// What is read, and by whom it is said.
#[derive(Clone, Copy, Debug)]
enum Read {
    Log,
    Messages,
    Of(UserId),
}

/// One page: its seqs, and whether there is more.
async fn read(
    world: &World,
    here: InstanceId,
    what: Read,
    page: Page,
    limit: usize,
) -> (Vec<Seq>, bool) {
    let (store, root) = (&world.store, &world.root);
    let of_messages = |messages: Vec<Message>| messages.iter().map(|one| one.seq).collect();
    match what {
        Read::Log => {
            let read = store.events(here, root, page, limit).await;
            let read = read.unwrap_or_else(|e| panic!("{here} {page:?} {limit}: {e}"));
            for user in read.events.iter().filter_map(|event| event.what.user()) {
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

async fn assert_pages(world: &World, here: InstanceId, when: &str, log: &[Event], people: &[User]) {
    assert_eq!(facts(&world.log(here).await), facts(log), "{when}");
    let said_by = |user: UserId| -> Vec<Seq> {
        let said = messages(log).into_iter();
        said.filter(|event| event.what.user() == Some(user))
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
        // From every place, a page of a few sizes.
        for at in (0..=end).chain([ID_MAX]).map(seq) {
            for page in [Page::After(at), Page::Before(Some(at))] {
                for limit in [1, 2, 5, PAGE_MAX] {
                    let got = read(world, here, *what, page, limit).await;
                    let expected = expected(all, page, limit);
                    assert_eq!(got, expected, "{when}: {what:?} {page:?} {limit}");
                }
            }
        }
        // From both ends, with every size, until there is no more.
        for limit in 1..=all.len() + 1 {
            assert_eq!(
                walk_up(world, here, *what, limit).await,
                *all,
                "{when}: {what:?} {limit}"
            );
            assert_eq!(
                walk_down(world, here, *what, limit).await,
                *all,
                "{when}: {what:?} {limit}"
            );
        }
    }
}

async fn walk_up(world: &World, here: InstanceId, what: Read, limit: usize) -> Vec<Seq> {
    let mut all: Vec<Seq> = vec![];
    loop {
        let after = all.last().copied().unwrap_or_default();
        let (some, more) = read(world, here, what, Page::After(after), limit).await;
        all.extend(some);
        if !more {
            return all;
        }
    }
}

async fn walk_down(world: &World, here: InstanceId, what: Read, limit: usize) -> Vec<Seq> {
    let mut all: Vec<Seq> = vec![];
    loop {
        let page = Page::Before(all.first().copied());
        let (some, more) = read(world, here, what, page, limit).await;
        all.splice(0..0, some);
        if !more {
            return all;
        }
    }
}

/// A log in which messages of three people, one of whom says nothing, stand between comings and
/// goings, at its beginning, its end and its middle.
async fn talk(world: &mut World) -> (InstanceId, Vec<User>) {
    let people = world.crowd(3).await;
    let here = world.public().await;
    let [ada, grace, silent] = people.as_slice() else {
        panic!("three were asked for");
    };
    world.join(here, ada).await;
    world.say(here, ada, "one").await;
    world.say(here, ada, "two").await;
    world.join(here, grace).await;
    world.join(here, silent).await;
    world.say(here, grace, "three").await;
    world.leave(here, silent).await;
    world.leave(here, ada).await;
    world.join(here, silent).await;
    world.say(here, grace, "four").await;
    world.join(here, ada).await;
    world.say(here, ada, "five").await;
    world.leave(here, silent).await;
    (here, people)
}

pub async fn pages_of_a_live_log_are_exact(world: &mut World) {
    let (here, people) = talk(world).await;
    let log = world.log(here).await;
    assert_pages(world, here, "live", &log, &people).await;
}

pub async fn pages_of_an_ended_log_are_exact(world: &mut World) {
    let (here, people) = talk(world).await;
    world.end(here).await;
    let log = world.log(here).await;
    assert_pages(world, here, "ended", &log, &people).await;
}

pub async fn pages_across_the_border_of_live_and_archived_are_exact(world: &mut World) {
    let (here, people) = talk(world).await;
    world.archive(here).await;
    for first in [2, 4, 7, 10, 13] {
        world.back_end.trim(here, seq(first));
        let log = world.log(here).await;
        assert_pages(world, here, &format!("live from {first}"), &log, &people).await;
    }
}

pub async fn pages_of_a_log_of_which_nothing_is_live_are_exact(world: &mut World) {
    let (here, people) = talk(world).await;
    world.archive(here).await;
    let log = world.log(here).await;
    world.back_end.trim(here, seq(log.len() as u64 + 1));
    assert_pages(world, here, "nothing is live", &log, &people).await;
    // What comes then is live again.
    world.say(here, &people[0], "six").await;
    let log = world.log(here).await;
    assert_pages(world, here, "one is live", &log, &people).await;
}

pub async fn an_open_has_the_last_events(world: &mut World) {
    let (here, people) = talk(world).await;
    world.archive(here).await;
    let log = world.log(here).await;
    for first in [1, 6, 14] {
        world.back_end.trim(here, seq(first));
        for limit in 1..=log.len() + 1 {
            let opened = world.store.open(here, &people[0], None, limit).await;
            let opened = opened.expect("it is public");
            let last = &log[log.len().saturating_sub(limit)..];
            assert_eq!(facts(&opened.events), facts(last), "{first} {limit}");
            assert_eq!(opened.more, limit < log.len(), "{first} {limit}");
            assert_eq!(opened.seq.get(), log.len() as u64);
            assert_eq!(opened.durable, opened.seq);
        }
    }
}

pub async fn the_hub_reads_on_from_anywhere(world: &mut World) {
    let (here, _) = talk(world).await;
    world.archive(here).await;
    let log = world.log(here).await;
    for first in [1, 6, 14] {
        world.back_end.trim(here, seq(first));
        for after in 0..=log.len() + 1 {
            for limit in [1, 2, 5, PAGE_MAX] {
                let some = world.store.backfill(here, seq(after as u64), limit).await;
                let some = some.expect("the store answers");
                let rest = &log[after.min(log.len())..];
                let expected = &rest[..rest.len().min(limit)];
                // Fewer than asked for is no end: the hub asks again. But never none, or a hole.
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

/// More comings and goings than a page of the log holds lie between two messages.
pub async fn messages_are_found_behind_many_comings_and_goings(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let here = world.public().await;
    world.join(here, &ada).await;
    world.say(here, &ada, "first").await;
    for _ in 0..PAGE_MAX {
        world.join(here, &grace).await;
        world.leave(here, &grace).await;
    }
    world.say(here, &ada, "last").await;
    let log = world.log(here).await;
    let said: Vec<Seq> = messages(&log).iter().map(|event| event.seq).collect();
    assert!(matches!(log[2].what, What::Message { .. }));
    for limit in [1, 2, 3] {
        assert_eq!(
            walk_up(world, here, Read::Messages, limit).await,
            said,
            "{limit}"
        );
        assert_eq!(
            walk_down(world, here, Read::Messages, limit).await,
            said,
            "{limit}"
        );
    }
    let (some, more) = read(world, here, Read::Messages, Page::Before(None), 2).await;
    assert_eq!((some, more), (said.clone(), false));
    let (some, more) = read(world, here, Read::Messages, Page::Before(None), 1).await;
    assert_eq!((some, more), (said[1..].to_vec(), true));
    let (some, more) = read(world, here, Read::Messages, Page::After(said[0]), 1).await;
    assert_eq!((some, more), (said[1..].to_vec(), false));
}
