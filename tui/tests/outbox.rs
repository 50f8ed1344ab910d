//! Unsent messages survive crashes of the client, the connection and the server. Real processes.

use std::fs;
use std::path::PathBuf;

use plenary_testkit::{
    Client, Fixture, FixtureBuilder, PASSWORD, Pty, RedisOptions, ServerOptions, Signal, instance,
    until,
};
use serde_json::json;

const CTRL_Q: &str = "\x11";
const ENTER: &str = "\r";

/// A seminar with a long reconnect grace, so that no participant is removed while a client restarts.
fn fixture() -> Fixture {
    let patient = ServerOptions {
        args: vec!["--reconnect-grace-s".into(), "600".into()],
        env: vec![],
    };
    let fixture = FixtureBuilder::with(RedisOptions::default(), patient)
        .people(1, &["ada", "grace"])
        .meeting(1, "Seminar", None)
        .instance(1, 1, -60, 3_600)
        .start();
    fixture.set_password("ada");
    fixture
}

/// Returns a client on which Ada is signed in.
fn machine(fixture: &Fixture) -> Client {
    Client::login(&fixture.server.url(), "ada@example.org", PASSWORD)
}

fn joined(client: &Client) -> Pty {
    let mut pty = Pty::open(client, 100, 30);
    pty.wait_text("⏎ join");
    pty.send(ENTER);
    pty.wait_text("you joined");
    pty
}

/// Posts a message and waits until it is on disk.
fn post(client: &Client, pty: &mut Pty, text: &str) {
    pty.send(text);
    pty.send(ENTER);
    until(&format!("{text:?} on disk"), || {
        let is_written = journals(client).iter().any(|file| {
            let content = fs::read_to_string(file).unwrap_or_default();
            content.contains(&format!("\"{text}\""))
        });
        is_written.then_some(())
    });
}

/// Returns the journal files.
fn journals(client: &Client) -> Vec<PathBuf> {
    let directory = client.home().join(".local/state/plenary/outbox");
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

/// Waits for `count` messages in MySQL and returns them.
fn archived(fixture: &Fixture, count: usize) -> Vec<String> {
    until(&format!("{count} messages in MySQL"), || {
        let rows = fixture.message_rows(instance(1, 1));
        (rows.len() >= count).then(|| rows.into_iter().map(|mut row| row.remove(3)).collect())
    })
}

fn kill(mut pty: Pty) {
    pty.signal("KILL");
    pty.exit_code();
}

#[test]
fn message_survives_a_client_crash_before_the_reply() {
    let fixture = fixture();
    let client = machine(&fixture);
    let mut pty = joined(&client);
    fixture.server.signal(Signal::Stop);
    post(&client, &mut pty, "before the crash");
    pty.wait_text("sending");
    kill(pty);
    // The message shows before the server responds, and is sent when it does.
    let mut pty = Pty::open(&client, 100, 30);
    pty.wait_text("before the crash");
    fixture.server.signal(Signal::Cont);
    pty.wait("it to settle", |screen| {
        screen.contains("✓ connected")
            && !screen.contains("sending")
            && !screen.contains("waiting")
            && screen.matches("before the crash").count() == 1
    });
    pty.send("after it\r");
    assert_eq!(archived(&fixture, 2), ["before the crash", "after it"]);
    // The journal drops durable messages.
    pty.wait("the end of it", |screen| !screen.contains("sending"));
    until("the outbox to be empty", || {
        let files = journals(&client);
        let content = |file: &PathBuf| fs::read_to_string(file).unwrap_or_default();
        (files.len() == 1 && content(&files[0]).lines().count() == 1).then_some(())
    });
    pty.send(CTRL_Q);
    pty.send("s");
    pty.exit_code();
    assert!(journals(&client).is_empty());
    assert_eq!(fixture.message_rows(instance(1, 1)).len(), 2);
}

#[test]
fn offline_messages_keep_their_order_across_crashes() {
    let mut fixture = fixture();
    let client = machine(&fixture);
    let mut pty = joined(&client);
    post(&client, &mut pty, "zero");
    pty.wait("it to settle", |screen| {
        screen.contains("you  zero") && !screen.contains("sending") && !screen.contains("waiting")
    });
    fixture.server.kill9();
    pty.wait("the loss to show", |screen| !screen.contains("✓ connected"));
    for text in ["one", "two", "three"] {
        post(&client, &mut pty, text);
    }
    pty.wait("all to wait", |screen| {
        screen.matches("waiting to be sent").count() == 3
    });
    kill(pty);
    let pty = Pty::open(&client, 100, 30);
    pty.wait_text("three");
    fixture.server.restart();
    assert_eq!(archived(&fixture, 4), ["zero", "one", "two", "three"]);
}

#[test]
fn two_clients_of_one_user_have_separate_journals() {
    let fixture = fixture();
    let client = machine(&fixture);
    let mut one = joined(&client);
    let mut two = Pty::open(&client, 100, 30);
    two.wait_text("you joined");
    fixture.server.signal(Signal::Stop);
    post(&client, &mut one, "of the one");
    post(&client, &mut two, "of the other");
    assert_eq!(journals(&client).len(), 2);
    kill(one);
    let three = Pty::open(&client, 100, 30);
    three.wait_text("of the one");
    assert!(!three.screen().contains("of the other"));
    fixture.server.signal(Signal::Cont);
    let mut bodies = archived(&fixture, 2);
    bodies.sort();
    assert_eq!(bodies, ["of the one", "of the other"]);
    for pty in [&two, &three] {
        pty.wait("both, once, and settled", |screen| {
            ["of the one", "of the other"]
                .iter()
                .all(|text| screen.matches(text).count() == 1)
                && !screen.contains("sending")
        });
    }
    assert_eq!(fixture.message_rows(instance(1, 1)).len(), 2);
}

#[tokio::test]
async fn message_after_leaving_fails_and_can_be_recalled() {
    let mut fixture = fixture();
    let client = machine(&fixture);
    let mut pty = joined(&client);
    fixture.server.kill9();
    pty.wait("the loss to show", |screen| !screen.contains("✓ connected"));
    post(&client, &mut pty, "too late");
    kill(pty);
    fixture.server.restart();
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/leave", &json!({})).await.ok();
    let pty = Pty::open(&client, 100, 30);
    pty.wait_text("not sent: You are not in this meeting");
    kill(pty);
    // It survives another restart.
    let mut pty = Pty::open(&client, 100, 30);
    pty.wait_text("not sent: You are not in this meeting");
    pty.wait_text("Seminar");
    pty.send("/recall\r");
    pty.wait_text("› too late");
    assert!(!pty.screen().contains("not sent"));
    assert!(fixture.message_rows(instance(1, 1)).is_empty());
}
