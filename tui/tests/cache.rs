//! The cache of the last screens, with a real server that is unavailable and returns.

use std::fs;
use std::path::PathBuf;

use plenary_testkit::{Client, Fixture, FixtureBuilder, PASSWORD, Pty};
use serde_json::json;

const CTRL_Q: &str = "\x11";

fn fixture() -> Fixture {
    let fixture = FixtureBuilder::new()
        .people(1, &["ada", "grace"])
        .meeting(1, "Seminar", None)
        .instance(1, 1, -60, 3_600)
        .start();
    fixture.set_password("ada");
    fixture
}

/// Returns the client of Ada after she joined the seminar, posted a message and quit.
fn used_client(fixture: &Fixture) -> Client {
    let client = Client::login(&fixture.server.url(), "ada@example.org", PASSWORD);
    let mut pty = Pty::open(&client, 100, 30);
    pty.wait_text("⏎ join");
    pty.send("\r");
    pty.wait_text("you joined");
    pty.send("said before\r");
    pty.wait("it to settle", |screen| {
        screen.contains("you  said before") && !screen.contains("sending")
    });
    pty.send(CTRL_Q);
    pty.wait_text("still in a meeting");
    pty.send("s");
    assert_eq!(pty.exit_code(), 0);
    client
}

fn cache_path(client: &Client) -> PathBuf {
    client.home().join(".local/state/plenary/screens.json")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cached_screens_show_until_the_server_returns() {
    let mut fixture = fixture();
    let client = used_client(&fixture);
    let mode = fs::metadata(cache_path(&client))
        .expect("the cache")
        .permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
    fixture.server.kill9();
    let pty = Pty::open(&client, 100, 30);
    let screen = pty.wait("the cached screen with its time", |screen| {
        screen.contains("said before") && screen.contains("Cached") && screen.contains("offline")
    });
    assert!(screen.contains("as of"), "{screen}");
    assert_eq!(screen.matches("said before").count(), 1, "{screen}");
    fixture.server.restart();
    let grace = fixture.http("grace");
    grace.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let message = json!({"body": "said meanwhile"});
    grace
        .post("/meeting/1/order/1/message", &message)
        .await
        .ok();
    let screen = pty.wait("the state from the server", |screen| {
        screen.contains("✓ connected") && screen.contains("said meanwhile")
    });
    for once in ["said before", "said meanwhile", "Seminar  1/1"] {
        assert_eq!(screen.matches(once).count(), 1, "{once}: {screen}");
    }
    assert!(
        !screen.contains("Cached") && !screen.contains("as of"),
        "{screen}"
    );
}

#[test]
fn cache_belongs_to_one_user_and_server_and_is_removed_at_logout() {
    let mut fixture = fixture();
    let client = used_client(&fixture);
    let text = fs::read_to_string(cache_path(&client)).expect("the cache");
    fixture.server.kill9();
    for other in [
        text.replace("ada@example.org", "bob@example.org"),
        text.replace(&fixture.server.url(), "http://127.0.0.1:1"),
    ] {
        assert_ne!(other, text);
        fs::write(cache_path(&client), &other).expect("written");
        let pty = Pty::open(&client, 100, 30);
        let screen = pty.wait_text("offline");
        assert!(!screen.contains("you joined"), "{screen}");
    }
    fs::write(cache_path(&client), text).expect("written");
    fixture.server.restart();
    client.run(&["logout"]).ok();
    assert!(!cache_path(&client).exists());
}

#[test]
fn damaged_cache_is_reported_and_ignored() {
    let fixture = fixture();
    let client = used_client(&fixture);
    let text = fs::read_to_string(cache_path(&client)).expect("the cache");
    fs::write(cache_path(&client), &text[..text.len() / 2]).expect("written");
    let mut pty = Pty::open(&client, 100, 30);
    pty.wait_text("screens.json is damaged");
    pty.wait("the state from the server", |screen| {
        screen.contains("Seminar")
    });
    pty.send(CTRL_Q);
    pty.send("s");
    pty.exit_code();
    let again = fs::read_to_string(cache_path(&client)).expect("the cache");
    assert!(serde_json::from_str::<serde_json::Value>(&again).is_ok());
}
