//! Processes beside the server: another server is refused, commands are welcome.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plenary_shared::protocol::Push;
use plenary_testkit::{binary, until_async};

use crate::stage::{Stage, path};

#[test]
fn a_second_server_is_refused_by_name_and_a_dead_one_is_not_in_the_way() {
    let mut stage = Stage::with(&["ada"]);
    let data = stage.server.data();
    let data = data.to_str().expect("a path of letters");
    let second = stage.server.cli(&["serve", "--bind", "127.0.0.1:0"]);
    assert_eq!(second.code, 1);
    let pid = stage.server.pid().to_string();
    assert!(
        second.stderr.contains(&format!("process number {pid}:")) && second.stderr.contains(data),
        "{}",
        second.stderr
    );
    stage.server.kill9();
    stage.server.restart();
    assert_eq!(stage.value("SELECT COUNT(*) FROM user"), "1");
    assert_eq!(stage.server.terminate(), 0);
    stage.assert_whole();
}

#[test]
fn the_file_is_for_its_owner_alone() {
    let stage = Stage::with(&["ada"]);
    let mode = |path: &std::path::Path| {
        let metadata = std::fs::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    let data = stage.server.data();
    assert_eq!(mode(&data), 0o700);
    for name in ["plenary.db", "plenary.db-wal", "plenary.lock"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn commands_work_beside_the_server_and_it_notices_within_a_second() {
    let stage = Stage::with(&["ada"]);
    let server = &stage.server;
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

    let mut ada = stage.ws("ada").await;
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
    // It looks twice a second; what is left is for a slow machine.
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
async fn whoever_a_command_shuts_out_is_out_at_once() {
    let stage = Stage::with(&["ada", "bob"]);
    let mut sockets = [stage.ws("ada").await, stage.ws("ada").await];
    let bob = stage.http("bob");
    let begun = Instant::now();
    stage
        .server
        .cli(&["user", "disable", "ada@example.org"])
        .ok();
    for ws in &mut sockets {
        assert_eq!(ws.closed().await.code, Some(4_501));
    }
    // It looks twice a second; what is left is for a slow machine. By itself a socket looks every 10 s.
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(stage.http("ada").get("/me").await.code(), "not_signed_in");
    bob.get("/me").await.ok();
    assert_eq!(stage.value("SELECT COUNT(*) FROM signed_out"), "0");
    let audit = stage.rows("SELECT 0, action || ' ' || target FROM audit");
    assert_eq!(audit, [(0, "disabled user 1".to_owned())]);
}

#[test]
fn the_directory_is_the_users_own_when_nobody_names_one() {
    let home = tempfile::tempdir().expect("a directory");
    let run = |args: &[&str]| {
        let done = Command::new(binary("plenary-server"))
            .env_clear()
            .env("HOME", home.path())
            .args(args)
            .stdin(Stdio::null())
            .output()
            .expect("the program runs");
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.code(), told)
    };
    assert_eq!(run(&["migrate"]).0, Some(0));
    assert!(home.path().join(".local/share/plenary/plenary.db").exists());
    // One of both is half a setting.
    for (arguments, missing) in [
        (["serve", "--redis", "redis://127.0.0.1:1"], "mysql"),
        (
            ["serve", "--mysql", "mysql://root@127.0.0.1:1/plenary"],
            "redis",
        ),
    ] {
        let (code, told) = run(&arguments);
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(&format!("{missing} is not set")), "{told}");
    }
}

#[tokio::test]
async fn a_durable_word_follows_every_event() {
    let stage = Stage::with(&["ada"]);
    let here = stage.active(3_600);
    let mut ada = stage.ws("ada").await;
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
    let person = stage.http("ada");
    let messages = person.get(&path(here, "messages")).await.ok();
    assert_eq!(messages["messages"][0]["seq"], posted.seq.get());
}
