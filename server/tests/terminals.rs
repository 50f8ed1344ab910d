//! One user at two terminals, and what users see of each other between messages.

use std::time::{Duration, Instant};

use plenary_shared::domain::Presence;
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::protocol::{
    Idle, MarkRead, MeetingsOk, Push, TerminalsOk, Unread, Verb, Wait, WaitOk,
};
use plenary_testkit::{DEADLINE, Fixture, FixtureBuilder, Server, Ws, instance, until_async, user};

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["ada", "grace"])
        .meeting(1, "Seminar", None)
        .instance(1, 1, -60, 3_600)
        .instance(1, 2, 3_600, 7_200)
        .start()
}

fn read(instance: InstanceId, seq: u64) -> Verb {
    let seq = Seq::new(seq).expect("a small number");
    Verb::Read(MarkRead { instance, seq })
}

async fn told(ws: &mut Ws) -> u64 {
    ws.wait_for("what was read", |push| match push {
        Push::Read(read) => Some(read.read.get()),
        Push::Event(_)
        | Push::Durable(_)
        | Push::Fence(_)
        | Push::Changed(_)
        | Push::Typing(_)
        | Push::Waiting(_)
        | Push::Presence(_)
        | Push::Dashboard(_)
        | Push::Detail(_) => None,
    })
    .await
}

/// Reads the list until it shows this count for 1/1.
async fn until_left(ws: &mut Ws, what: (u64, u64, u64)) {
    let begun = Instant::now();
    loop {
        let listed: MeetingsOk = ws.ask_as(Verb::Meetings {}).await.expect("a list");
        // An instance that has not started has nothing to read.
        assert_eq!(listed.unread.len(), 1);
        let Unread {
            read,
            unread,
            mentions,
            ..
        } = listed.unread[0];
        let left = (read.get(), unread, mentions);
        if left == what {
            return;
        }
        assert!(begun.elapsed() < DEADLINE, "{left:?}, not {what:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_position_reaches_other_terminals() {
    let fixture = fixture();
    let here = instance(1, 1);
    let mut grace = fixture.ws("grace").await;
    grace.join(here).await.expect("it is public");
    let (mut laptop, mut phone) = (fixture.ws("ada").await, fixture.ws("ada").await);
    for (n, text) in ["one", "two, @ada", "three"].into_iter().enumerate() {
        let seq = grace.post(here, text).await.expect("she is in").seq;
        assert_eq!(seq.get(), n as u64 + 3);
    }
    until_left(&mut laptop, (0, 3, 1)).await;
    let opened = laptop.open(here).await.expect("it is public");
    let unread = opened.unread.expect("MySQL is there");
    assert_eq!((unread.unread, unread.mentions), (3, 1));

    laptop.ask(read(here, 4)).await.expect("she may read it");
    assert_eq!(told(&mut phone).await, 4);
    until_left(&mut phone, (4, 1, 0)).await;
    // The position does not go back, nor beyond the last event.
    laptop.ask(read(here, 2)).await.expect("she may read it");
    until_left(&mut laptop, (4, 1, 0)).await;
    laptop.ask(read(here, 999)).await.expect("she may read it");
    until_left(&mut laptop, (5, 0, 0)).await;
    // It is written within a second or so, and survives the server.
    let rows = "SELECT COALESCE(MAX(seq), 0) FROM read_position WHERE userID = 1";
    until_async("it to be written", async || {
        (fixture.stores.database.value(rows) == "5").then_some(())
    })
    .await;
    until_left(&mut grace, (0, 0, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_see_typing() {
    let fixture = fixture();
    let here = instance(1, 1);
    let mut grace = fixture.ws("grace").await;
    grace.open(here).await.expect("it is public");
    let mut ada = fixture.ws("ada").await;
    ada.open(here).await.expect("it is public");
    let refused = ada
        .ask(Verb::Typing(here))
        .await
        .expect_err("she is not in");
    assert_eq!(refused.code.as_str(), "not_participant");
    ada.join(here).await.expect("it is public");
    // However often it is sent, it is published at intervals.
    for _ in 0..20 {
        ada.ask(Verb::Typing(here)).await.expect("she is in");
    }
    ada.post(here, "done").await.expect("she is in");
    let mut writes = 0;
    let mut seen = Vec::new();
    grace
        .wait_for("what ada said", |push| match push {
            Push::Typing(typing) => {
                assert_eq!((typing.instance, typing.user), (here, user(1)));
                writes += 1;
                None
            }
            Push::Event(event) => {
                seen.push(event.kind.as_str());
                (event.kind.as_str() == "message").then_some(())
            }
            Push::Durable(_)
            | Push::Fence(_)
            | Push::Changed(_)
            | Push::Read(_)
            | Push::Presence(_)
            | Push::Waiting(_)
            | Push::Dashboard(_)
            | Push::Detail(_) => None,
        })
        .await;
    assert_eq!(writes, 1);
    assert_eq!(seen, ["join", "message"]);
}

/// The next presence change.
async fn presence(ws: &mut Ws) -> (u64, Presence) {
    ws.wait_for("who is there", |push| match push {
        Push::Presence(told) => Some((told.user.get(), told.state)),
        Push::Event(_)
        | Push::Durable(_)
        | Push::Fence(_)
        | Push::Changed(_)
        | Push::Read(_)
        | Push::Typing(_)
        | Push::Waiting(_)
        | Push::Dashboard(_)
        | Push::Detail(_) => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_see_presence() {
    let fixture = fixture();
    let here = instance(1, 1);
    let mut grace = fixture.ws("grace").await;
    grace.open(here).await.expect("it is public");
    let mut ada = fixture.ws("ada").await;
    ada.open(here).await.expect("it is public");
    ada.join(here).await.expect("it is public");
    let idle = |idle| Verb::Idle(Idle { idle });
    ada.ask(idle(true)).await.expect("anybody may be");
    assert_eq!(presence(&mut grace).await, (1, Presence::Idle));
    // Too soon to be published at once, but it is published.
    ada.ask(idle(false)).await.expect("anybody may be");
    assert_eq!(presence(&mut grace).await, (1, Presence::Present));
    drop(ada);
    assert_eq!(presence(&mut grace).await, (1, Presence::Reconnecting));
    let mut late = fixture.ws("grace").await;
    let opened = late.open(here).await.expect("it is public");
    assert_eq!(opened.roster[0].presence, Presence::Reconnecting);
    let mut ada = fixture.ws("ada").await;
    ada.open(here).await.expect("it is public");
    assert_eq!(presence(&mut grace).await, (1, Presence::Present));
}

/// The next change of a waiting user: user, whether waiting, count.
async fn waiting(ws: &mut Ws) -> (u64, bool, usize) {
    ws.wait_for("who waits", |push| match push {
        Push::Waiting(told) => Some((told.user.get(), told.is_waiting, told.count)),
        Push::Event(_)
        | Push::Durable(_)
        | Push::Fence(_)
        | Push::Changed(_)
        | Push::Read(_)
        | Push::Typing(_)
        | Push::Presence(_)
        | Push::Dashboard(_)
        | Push::Detail(_) => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_user_is_visible_on_every_server() {
    let fixture = fixture();
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let later = instance(1, 2);
    let wait = |waits| {
        Verb::Wait(Wait {
            instance: later,
            waiting: waits,
        })
    };
    let mut grace = Ws::hello(&second.url(), &fixture.token("grace")).await;
    let found: WaitOk = grace.ask_as(wait(false)).await.expect("it is public");
    assert_eq!((found.count, found.users.len()), (0, 0));
    let (mut laptop, mut phone) = (fixture.ws("ada").await, fixture.ws("ada").await);
    let found: WaitOk = laptop.ask_as(wait(true)).await.expect("it is public");
    assert_eq!((found.count, found.users[0].name.as_str()), (1, "ada"));
    assert_eq!(waiting(&mut grace).await, (1, true, 1));
    phone.ask(wait(true)).await.expect("it is public");
    laptop.close().await;
    // Looking is not waiting, and she receives only changes.
    phone.ask(wait(false)).await.expect("it is public");
    assert_eq!(waiting(&mut grace).await, (1, false, 0));
    phone.ask(wait(true)).await.expect("it is public");
    assert_eq!(waiting(&mut grace).await, (1, true, 1));
    drop(phone);
    assert_eq!(waiting(&mut grace).await, (1, false, 0));
    let begun = Wait {
        instance: instance(1, 1),
        waiting: true,
    };
    let refused = grace.ask(Verb::Wait(begun)).await;
    let refused = refused.expect_err("it has begun");
    assert_eq!(refused.code.as_str(), "not_scheduled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn end_of_waiting_is_shared_by_all_terminals() {
    let fixture = fixture();
    let later = instance(1, 2);
    let wait = |waits| {
        Verb::Wait(Wait {
            instance: later,
            waiting: waits,
        })
    };
    let (mut laptop, mut phone) = (fixture.ws("ada").await, fixture.ws("ada").await);
    laptop.ask(wait(true)).await.expect("it is public");
    let found: WaitOk = phone.ask_as(wait(false)).await.expect("it is public");
    assert_eq!(found.count, 1, "the phone knows");
    phone.ask(wait(true)).await.expect("it is public");
    phone.ask(wait(false)).await.expect("it is public");
    // It may receive its own waiting first.
    let mut heard = waiting(&mut laptop).await;
    if heard == (1, true, 1) {
        heard = waiting(&mut laptop).await;
    }
    assert_eq!(heard, (1, false, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminals_tells_where_another_connection_keeps_the_user_in() {
    let fixture = fixture();
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let here = instance(1, 1);
    let mut first = fixture.ws("ada").await;
    first.join(here).await.expect("it is public");
    let elsewhere = async |ws: &mut Ws| {
        let found: TerminalsOk = ws.ask_as(Verb::Terminals {}).await.expect("an answer");
        found.elsewhere
    };
    assert_eq!(elsewhere(&mut first).await, []);
    let mut other = Ws::hello(&second.url(), &fixture.token("ada")).await;
    other.open(here).await.expect("it is public");
    assert_eq!(elsewhere(&mut first).await, [here]);
    assert_eq!(elsewhere(&mut other).await, [here]);
    drop(other);
    let begun = Instant::now();
    while !elsewhere(&mut first).await.is_empty() {
        assert!(begun.elapsed() < DEADLINE, "it is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
