//! Other processes on the same data file: a second server is rejected, commands work.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plenary_shared::protocol::Push;
use plenary_testkit::{binary, until_async};

use crate::harness::{Harness, path};

#[test]
fn second_server_is_rejected_and_killed_one_is_replaced() {
    let mut harness = Harness::with(&["ada"]);
    let data = harness.server.data();
    let data = data.to_str().expect("a path of letters");
    let second = harness.server.cli(&["serve", "--bind", "127.0.0.1:0"]);
    assert_eq!(second.code, 1);
    let pid = harness.server.pid().to_string();
    assert!(
        second.stderr.contains(&format!("process {pid}:")) && second.stderr.contains(data),
        "{}",
        second.stderr
    );
    harness.server.kill9();
    harness.server.restart();
    assert_eq!(harness.value("SELECT COUNT(*) FROM user"), "1");
    assert_eq!(harness.server.terminate(), 0);
    harness.assert_whole();
}

#[test]
fn data_file_is_private_to_its_owner() {
    let harness = Harness::with(&["ada"]);
    let mode = |path: &std::path::Path| {
        let metadata = std::fs::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    let data = harness.server.data();
    assert_eq!(mode(&data), 0o700);
    for name in ["plenary.db", "plenary.db-wal", "plenary.lock"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn server_applies_commands_within_a_second() {
    let harness = Harness::with(&["ada"]);
    let server = &harness.server;
    let added = server
        .cli_with_input(
            &[
                "user",
                "add",
                "--name",
                "Bob",
                "--email",
                "bob@example.org",
                "--password-stdin",
                "--json",
            ],
            "correct horse\n",
        )
        .json();
    assert_eq!(added["userID"], 2);
    let bob = plenary_testkit::Http::login(&server.url(), "bob@example.org", "correct horse").await;
    let taken = server.cli(&["user", "add", "--name", "B", "--email", "BOB@example.org"]);
    assert_eq!(taken.code, 4, "{}", taken.stderr);
    let meeting = server
        .cli(&[
            "meeting",
            "add",
            "--title",
            "Plans",
            "--audience",
            "bob@example.org",
            "--json",
        ])
        .json();
    let meeting = meeting["meetingID"].to_string();

    let mut ada = harness.ws("ada").await;
    let scheduled = server.cli(&[
        "meeting", "schedule", &meeting, "--from", "now", "--for", "1h",
    ]);
    let begun = Instant::now();
    scheduled.ok();
    let at = format!("/meeting/{meeting}/order/1/join");
    until_async("the meeting to start", || async {
        (bob.get(&at).await.status == 200).then_some(())
    })
    .await;
    // The server polls twice a second; the rest is for slow machines.
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    ada.wait_for("word of a change", |push| match push {
        Push::Changed(_) => Some(()),
        Push::Event(_)
        | Push::Durable(_)
        | Push::Fence(_)
        | Push::Read(_)
        | Push::Typing(_)
        | Push::Waiting(_)
        | Push::Presence(_)
        | Push::Dashboard(_)
        | Push::Detail(_) => None,
    })
    .await;
    let listed = server.cli(&["meeting", "list", "--json"]).ok();
    assert!(listed.contains("\"active\""), "{listed}");
    assert_eq!(
        server.cli(&["migrate"]).ok(),
        "The tables are up to date.\n"
    );
}

#[tokio::test]
async fn disabled_user_is_disconnected_at_once() {
    let harness = Harness::with(&["ada", "bob"]);
    let mut sockets = [harness.ws("ada").await, harness.ws("ada").await];
    let bob = harness.http("bob");
    let begun = Instant::now();
    harness
        .server
        .cli(&["user", "disable", "ada@example.org"])
        .ok();
    for ws in &mut sockets {
        assert_eq!(ws.closed().await.code, Some(4_501));
    }
    // The server polls twice a second; the rest is for slow machines. A socket alone checks every
    // 10 s.
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(harness.http("ada").get("/me").await.code(), "not_signed_in");
    bob.get("/me").await.ok();
    assert_eq!(harness.value("SELECT COUNT(*) FROM signed_out"), "0");
    let audit = harness.rows("SELECT 0, action || ' ' || target FROM audit");
    assert_eq!(audit, [(0, "disabled user 1".to_owned())]);
}

#[test]
fn default_data_directory_belongs_to_the_user() {
    let home = tempfile::tempdir().expect("a directory");
    let run = |args: &[&str]| {
        let done = Command::new(binary("plenary-server"))
            .env_clear()
            .env("HOME", home.path())
            .args(args)
            .stdin(Stdio::null())
            .output()
            .expect("the program runs");
        let output = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.code(), output)
    };
    assert_eq!(run(&["migrate"]).0, Some(0));
    assert!(home.path().join(".local/share/plenary/plenary.db").exists());
    // Redis without MySQL, or MySQL without Redis, is rejected.
    for (arguments, missing) in [
        (["serve", "--redis", "redis://127.0.0.1:1"], "mysql"),
        (
            ["serve", "--mysql", "mysql://root@127.0.0.1:1/plenary"],
            "redis",
        ),
    ] {
        let (code, output) = run(&arguments);
        assert_eq!(code, Some(2), "{output}");
        assert!(
            output.contains(&format!("{missing} is not set")),
            "{output}"
        );
    }
}

#[tokio::test]
async fn durable_follows_every_event() {
    let harness = Harness::with(&["ada"]);
    let here = harness.active(3_600);
    let mut ada = harness.ws("ada").await;
    ada.join(here).await.expect("it is public");
    let opened = ada.open(here).await.expect("it is public");
    assert_eq!(opened.durable, opened.seq);
    let posted = ada.post(here, "hello").await.expect("ada is in");
    let durable = ada
        .wait_for("it to be durable", |push| match push {
            Push::Durable(durable) => Some(durable.durable),
            Push::Event(_)
            | Push::Fence(_)
            | Push::Changed(_)
            | Push::Read(_)
            | Push::Typing(_)
            | Push::Waiting(_)
            | Push::Presence(_)
            | Push::Dashboard(_)
            | Push::Detail(_) => None,
        })
        .await;
    assert_eq!(durable, posted.seq);
    let person = harness.http("ada");
    let messages = person.get(&path(here, "messages")).await.ok();
    assert_eq!(messages["messages"][0]["seq"], posted.seq.get());
}
