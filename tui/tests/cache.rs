//! The last screens, in a terminal and before a real server that is away, comes, and speaks for
//! itself.

use std::fs;
use std::path::PathBuf;

use plenary_testkit::{Client, PASSWORD, Pty, Scene, Setting};
use serde_json::json;

const CTRL_Q: &str = "\x11";

fn scene() -> Scene {
    let scene = Setting::new()
        .people(1, &["ada", "grace"])
        .meeting(1, "Seminar", None)
        .instance(1, 1, -60, 3_600)
        .start();
    scene.set_password("ada");
    scene
}

/// Ada, who was in the seminar, said something and went.
fn looked_in(scene: &Scene) -> Client {
    let client = Client::login(&scene.server.url(), "ada@example.org", PASSWORD);
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

fn kept(client: &Client) -> PathBuf {
    client.home().join(".local/state/plenary/screens.json")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_screens_are_there_while_the_server_is_away_and_replaced_when_it_comes() {
    let mut scene = scene();
    let client = looked_in(&scene);
    let mode = fs::metadata(kept(&client)).expect("kept").permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
    scene.server.kill9();
    let pty = Pty::open(&client, 100, 30);
    let screen = pty.wait("the last screen, marked", |screen| {
        screen.contains("said before") && screen.contains("Cached") && screen.contains("offline")
    });
    assert!(screen.contains("as of"), "{screen}");
    assert_eq!(screen.matches("said before").count(), 1, "{screen}");
    scene.server.restart();
    let grace = scene.http("grace");
    grace.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let said = json!({"body": "said meanwhile"});
    grace.post("/meeting/1/order/1/message", &said).await.ok();
    let screen = pty.wait("what the server says", |screen| {
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
fn they_are_of_one_person_and_one_server_and_go_when_one_signs_out() {
    let mut scene = scene();
    let client = looked_in(&scene);
    let text = fs::read_to_string(kept(&client)).expect("kept");
    scene.server.kill9();
    for other in [
        text.replace("ada@example.org", "bob@example.org"),
        text.replace(&scene.server.url(), "http://127.0.0.1:1"),
    ] {
        assert_ne!(other, text);
        fs::write(kept(&client), &other).expect("written");
        let pty = Pty::open(&client, 100, 30);
        let screen = pty.wait_text("offline");
        assert!(!screen.contains("you joined"), "{screen}");
    }
    fs::write(kept(&client), text).expect("written");
    scene.server.restart();
    client.run(&["logout"]).ok();
    assert!(!kept(&client).exists());
}

#[test]
fn a_damaged_file_is_passed_over_with_a_sentence() {
    let scene = scene();
    let client = looked_in(&scene);
    let text = fs::read_to_string(kept(&client)).expect("kept");
    fs::write(kept(&client), &text[..text.len() / 2]).expect("written");
    let mut pty = Pty::open(&client, 100, 30);
    pty.wait_text("screens.json is damaged");
    pty.wait("what the server says", |screen| screen.contains("Seminar"));
    pty.send(CTRL_Q);
    pty.send("s");
    pty.exit_code();
    let again = fs::read_to_string(kept(&client)).expect("kept");
    assert!(serde_json::from_str::<serde_json::Value>(&again).is_ok());
}
