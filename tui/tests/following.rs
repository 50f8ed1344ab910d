//! The client follows a meeting again after the server has lost its live state.

use std::time::SystemTime;

use plenary::model::outbox::OutboxEntry;
use plenary::model::room::Room;
use plenary::model::{Link, Model};
use plenary::msg::AppEvent;
use plenary::runtime::{Desktop, Headless, LaunchOptions};
use plenary::session::{Account, SessionFile, Token};
use plenary::theme::Theme;
use plenary_shared::protocol::Push;
use plenary_testkit::{DEADLINE, FixtureBuilder, RedisOptions, ServerOptions, instance};
use tempfile::TempDir;

fn opening(home: &TempDir, server: &str, token: &str) -> LaunchOptions {
    let home = home.path().to_owned();
    LaunchOptions {
        account: Account {
            server: server.parse().expect("an address"),
            token: Some(Token::new(token)),
            session: None,
        },
        session_file: SessionFile::within(&home),
        state_dir: home.clone(),
        theme: Theme::new(false, false),
        config_dir: home,
        desktop: Desktop::default(),
        has_links: false,
        editor: String::new(),
        wall_clock: SystemTime::now,
        new_id: uuid::Uuid::now_v7,
    }
}

/// Runs the client until `known` holds for its model.
async fn until(client: &mut Headless, what: &str, known: impl Fn(&Model) -> bool) {
    let waiting = async {
        while !known(client.model()) {
            client.next().await;
        }
    };
    let in_time = tokio::time::timeout(DEADLINE, waiting).await;
    in_time.unwrap_or_else(|_| panic!("waited {DEADLINE:?} in vain for {what}"));
}

fn press(client: &mut Headless, keys: &str) {
    for key in keys.split(' ') {
        client.tell(AppEvent::Key(key.parse().expect("a key's name")));
    }
}

fn is_in(model: &Model) -> bool {
    let room = model.room();
    room.is_some_and(|room| room.following && room.has(model.my_id()))
}

fn is_settled(model: &Model) -> bool {
    model
        .outbox
        .entries()
        .all(|line| !OutboxEntry::is_unacknowledged(line))
        && model.outbox.entries().count() == 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn meeting_is_reopened_after_a_fence_when_redis_returns() {
    let redis = RedisOptions {
        aof: true,
        tcp: false,
    };
    let mut fixture = FixtureBuilder::with(redis, ServerOptions::default())
        .people(1, &["ada", "grace"])
        .meeting(1, "Seminar", None)
        .instance(1, 1, -60, 3_600)
        .start();
    // The program does this at its start.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let home = tempfile::tempdir().expect("a directory");
    let (url, token) = (fixture.server.url(), fixture.token("ada"));
    let mut ada = Headless::open(&opening(&home, &url, &token));
    until(&mut ada, "the list", |model| model.shown.is_some()).await;
    press(&mut ada, "enter");
    until(&mut ada, "the join", is_in).await;
    press(&mut ada, "o n e enter");
    until(&mut ada, "it to be durable", is_settled).await;

    // From here on, Ada's client does not run and its events queue up.
    let mut grace = fixture.ws("grace").await;
    grace.open(instance(1, 1)).await.expect("it is public");
    fixture.stores.redis.kill9();
    fixture.stores.redis.restart();
    grace
        .wait_for("the fence", |push| match push {
            Push::Fence(_) => Some(()),
            Push::Event(_)
            | Push::Durable(_)
            | Push::Changed(_)
            | Push::Read(_)
            | Push::Typing(_)
            | Push::Waiting(_)
            | Push::Presence(_)
            | Push::Dashboard(_)
            | Push::Detail(_) => None,
        })
        .await;
    fixture.stores.redis.kill9();
    let is_refused = |model: &Model| {
        let room: Option<&Room> = model.room();
        room.is_some_and(|room| !room.following && room.retry_at.is_some())
    };
    until(&mut ada, "the opening to be refused", is_refused).await;
    assert_eq!(
        ada.model().connection.link,
        Link::Ready,
        "over the same connection"
    );
    press(&mut ada, "t w o enter");

    fixture.stores.redis.restart();
    until(&mut ada, "to follow again", is_in).await;
    until(&mut ada, "the line to be durable", is_settled).await;
    let bodies: Vec<String> = fixture
        .message_rows(instance(1, 1))
        .into_iter()
        .map(|mut row| row.remove(3))
        .collect();
    assert_eq!(bodies, ["one", "two"]);
    ada.close().await;
}
