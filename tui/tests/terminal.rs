//! The program in a terminal: resizes, suspends, a panic, and a tour of the features in the README.

use std::path::Path;

use plenary::term::Term;
use plenary_testkit::{
    Client, Fixture, FixtureBuilder, Http, Pty, PtyOptions, RedisOptions, ServerOptions, instance,
    until,
};
use serde_json::json;

const ENTER: &str = "\r";
const CTRL_Z: &str = "\x1a";
const ESC: &str = "\x1b";

/// Makes the panic test below panic in its terminal.
const PANICS: &str = "PLENARY_TEST_PANICS";

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["ada", "grace"])
        .meeting(1, "Seminar", None)
        .meeting(2, "Course", Some(&["ada"]))
        .instance(1, 1, -60, 3_600)
        .instance(2, 1, 600, 3_600)
        .start()
}

fn joined(fixture: &Fixture) -> (Client, Pty) {
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let mut pty = Pty::open(&client, 100, 30);
    pty.wait_text("⏎ join");
    pty.send(ENTER);
    pty.wait_text("you joined");
    (client, pty)
}

/// Types a line, sends it, and waits until it has left the input. Faster input would be a paste.
fn line(pty: &mut Pty, text: &str) {
    let written = format!("› {text}");
    pty.send(text);
    pty.wait_text(&written);
    pty.send(ENTER);
    pty.wait("the line to go", |screen| !screen.contains(&written));
}

#[test]
fn many_resizes_leave_an_intact_screen() {
    let fixture = fixture();
    let (_client, mut pty) = joined(&fixture);
    pty.send("said before the storm\r");
    pty.wait("it to be sent", |screen| {
        screen.contains("you  said before the storm") && !screen.contains("sending")
    });
    pty.send("a draft");
    let mut size: u32 = 7;
    for _ in 0..300 {
        // A linear congruential generator: the same sizes in each run.
        size = size.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let columns = u16::try_from(2 + (size >> 8) % 249).expect("small");
        let rows = u16::try_from(2 + (size >> 20) % 79).expect("small");
        pty.resize(columns, rows);
    }
    for (columns, rows) in [(80, 24), (120, 36), (44, 20)] {
        pty.resize(columns, rows);
        pty.wait(&format!("all of it at {columns}x{rows}"), |screen| {
            screen.contains("said before the storm")
                && screen.contains("› a draft")
                && screen.contains("Seminar")
                && screen.contains("left")
        });
    }
}

/// Starts the program from a shell, which can stop and continue it.
fn in_a_shell(fixture: &Fixture) -> (Client, Pty) {
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let plenary = plenary_testkit::binary("plenary");
    let options = PtyOptions {
        args: vec!["--norc".into(), "--noprofile".into(), "-i".into()],
        env: [client.environment(), vec![("PS1".into(), "shell> ".into())]].concat(),
        ..PtyOptions::sized(100, 30)
    };
    let mut pty = Pty::program(Path::new("/bin/bash"), client.home(), &options);
    pty.wait_text("shell>");
    pty.send(&format!("{}\r", plenary.display()));
    (client, pty)
}

#[test]
fn program_suspends_and_continues_in_a_shell() {
    let fixture = fixture();
    let (_client, mut pty) = in_a_shell(&fixture);
    pty.wait_text("⏎ join");
    pty.send("half a thought");
    pty.wait_text("half a thought");
    for _ in 0..2 {
        pty.send(CTRL_Z);
        pty.wait("the shell", |screen| screen.contains("Stopped"));
        pty.wait_terminal("the terminal back", |screen| {
            // The shell enables bracketed paste.
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
        pty.send("stty -a | grep -q ' -icanon' || echo cooked\r");
        pty.wait("what the shell has set", |screen| {
            screen.contains("\ncooked")
        });
        pty.send("clear\r");
        pty.send("fg\r");
        pty.wait("the screen again", |screen| {
            screen.contains("half a thought") && screen.contains("MEETINGS")
        });
        pty.wait_terminal("its modes again", |screen| {
            screen.alternate_screen() && screen.bracketed_paste()
        });
        pty.send("!");
        pty.wait_text("half a thought!");
        pty.send("\x7f");
        pty.wait("it gone", |screen| !screen.contains("thought!"));
    }
    pty.send("\x11");
    pty.wait_terminal("the shell", |screen| !screen.alternate_screen());
}

#[test]
fn panic_restores_the_terminal_before_the_report() {
    if std::env::var_os(PANICS).is_some() {
        let mut term = Term::enter(true).expect("this is a terminal");
        term.set_mouse(true).expect("it takes all");
        panic!("on purpose");
    }
    let home = tempfile::tempdir().expect("a directory");
    let options = PtyOptions {
        args: [
            "--exact",
            "panic_restores_the_terminal_before_the_report",
            "--nocapture",
        ]
        .map(str::to_owned)
        .to_vec(),
        env: vec![
            (PANICS.into(), "1".into()),
            ("TERM".into(), "xterm-256color".into()),
        ],
        ..PtyOptions::sized(100, 30)
    };
    let this = std::env::current_exe().expect("a test has a path");
    let pty = Pty::program(&this, home.path(), &options);
    pty.wait_terminal("the terminal back, and what happened", |screen| {
        screen.contents().contains("on purpose")
            && !screen.alternate_screen()
            && !screen.bracketed_paste()
            && !screen.hide_cursor()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    });
}

/// Waits until the search finds a message.
async fn until_found(who: &Http, word: &str) {
    let path = format!("/search?q={word}");
    loop {
        let found = who.get(&path).await.ok();
        if found["hits"]
            .as_array()
            .is_some_and(|found| found.len() == 1)
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tour_of_the_readme() {
    let fixture = fixture();
    let grace = fixture.http("grace");
    grace.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let message = json!({"body": "@ada: what comes after number 41?"});
    grace
        .post("/meeting/1/order/1/message", &message)
        .await
        .ok();
    let (client, mut pty) = joined(&fixture);
    pty.wait_text("what comes after number 41?");
    // Operations 5, 9 and 10: participants, join times, messages of one participant.
    for (word, shown) in [
        ("/who", "ada@example.org"),
        ("/joins", "Seminar"),
        ("/messages grace", "what comes after number 41?"),
    ] {
        line(&mut pty, word);
        pty.wait("the page", |screen| {
            screen.contains("Esc closes") && screen.contains(shown)
        });
        pty.send(ESC);
        pty.wait("the page gone", |screen| !screen.contains("Esc closes"));
    }
    // Operations 7 and 8: post, reply, edit, delete.
    line(&mut pty, "forty-two");
    pty.wait_text("you  forty-two");
    line(&mut pty, "/reply grace");
    line(&mut pty, "quoted");
    pty.wait("the answer with what it answers", |screen| {
        screen.contains("you  ┃ grace: @ada: what comes") && screen.contains(" quoted")
    });
    line(&mut pty, "/edit");
    pty.wait_text("› quoted");
    pty.send(" and changed\r");
    pty.wait_text("quoted and changed (edited)");
    line(&mut pty, "said in error");
    pty.wait("it to settle", |screen| !screen.contains("sending"));
    pty.send("/delete");
    pty.wait_text("› /delete");
    pty.send(ENTER);
    pty.wait_text("Delete \"said in error\"?");
    pty.send("y");
    pty.wait_text("(deleted)");
    // Search.
    until_found(&grace, "comes").await;
    line(&mut pty, "/search comes");
    pty.wait_text("1 of 1");
    pty.send(ENTER);
    pty.wait("the message", |screen| {
        !screen.contains("Search all meetings")
    });
    // Esc returns to the results, then to the input.
    pty.send(ESC);
    pty.wait_text("Search all meetings");
    pty.send(ESC);
    pty.wait("the input", |screen| {
        !screen.contains("Search all meetings")
    });
    // Find a meeting by a part of its title, and return.
    pty.send("\x07");
    pty.wait_text("Esc closes");
    pty.send("cou\r");
    pty.wait_text("starts in");
    pty.send("\x1bs");
    pty.wait_text("quoted and changed");
    // Export.
    line(&mut pty, "/export minutes.md");
    until("the file", || {
        let text = std::fs::read_to_string(client.home().join("minutes.md")).ok()?;
        (text.contains("forty-two") && text.contains("grace")).then_some(())
    });
    // Operation 4: leave.
    line(&mut pty, "/leave");
    pty.wait_text("You left");
    let inside = grace.get("/meeting/1/order/1/participants").await.ok();
    assert_eq!(inside["participants"].as_array().map(Vec::len), Some(1));
    assert_eq!(fixture.state(instance(1, 1)), "active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tour_of_keys_and_notifications() {
    let fixture = fixture();
    let (_client, mut pty) = joined(&fixture);
    for (word, told) in [
        ("/notify none", "Muted"),
        ("/notify mentions", "Notifications: mentions only"),
        ("/notify all", "Notifications: all messages"),
        ("/dnd", "Do not disturb on"),
    ] {
        line(&mut pty, word);
        pty.wait_text(told);
    }
    pty.wait_text("DND");
    line(&mut pty, "/dnd");
    pty.wait("to be called again", |screen| !screen.contains("DND"));
    // Show only the chat and return, by key and by command.
    for (alone, back) in [("\x1bl", "\x1bl"), ("/copy-mode\r", "/copy-mode\r")] {
        pty.send(alone);
        pty.wait("the chat alone", |screen| !screen.contains("LIVE NOW"));
        pty.send(back);
        pty.wait_text("LIVE NOW");
    }
    let is_ours =
        |screen: &vt100::Screen| screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
    pty.wait_terminal("the mouse", is_ours);
    pty.send("\x1bm");
    pty.wait_terminal("mouse reports off", |screen| !is_ours(screen));
    pty.send("\x1bm");
    pty.wait_terminal("the mouse again", is_ours);
    pty.send("\x1ba");
    pty.wait_text("No unread messages");
    pty.send("\x1b[17~");
    pty.wait_text("Search all meetings");
    pty.send(ESC);
    pty.wait("the input", |screen| {
        !screen.contains("Search all meetings")
    });
    line(&mut pty, "to be selected");
    pty.wait("it to be sent", |screen| {
        screen.contains("you  to be selected") && !screen.contains("sending")
    });
    pty.send("\x13");
    pty.wait_text("r reply");
    pty.send(ESC);
    pty.wait("the selection gone", |screen| !screen.contains("r reply"));
    // Waiting for an upcoming meeting, as others see it.
    pty.send("\x07");
    pty.wait_text("Esc closes");
    pty.send("cou\r");
    pty.wait_text("No one waiting");
    pty.send(ENTER);
    pty.wait_text("1 waiting: you");
    pty.send(ENTER);
    pty.wait_text("No one waiting");
}

#[test]
fn quit_waits_for_an_export() {
    let fixture = fixture();
    let (client, mut pty) = joined(&fixture);
    pty.send("/export minutes.md");
    pty.wait_text("› /export minutes.md");
    // Quits at once.
    pty.send("\r\x11s");
    assert_eq!(pty.exit_code(), 0);
    let text = std::fs::read_to_string(client.home().join("minutes.md"));
    assert!(text.expect("written").contains("Seminar"));
}

/// Waits for the reason with which the only user to leave the seminar did so.
fn reason_of_leave(fixture: &Fixture) -> String {
    until("somebody to have left", || {
        let log = fixture.event_log(instance(1, 1));
        let left = log
            .iter()
            .find(|row| row.iter().any(|cell| cell == "leave"));
        left.and_then(|row| row.last().cloned())
    })
}

fn quick_grace() -> FixtureBuilder {
    let options = ServerOptions {
        args: vec!["--reconnect-grace-s".into(), "1".into()],
        env: vec![],
    };
    FixtureBuilder::with(RedisOptions::default(), options)
        .people(1, &["ada", "grace"])
        .meeting(1, "Seminar", None)
        .instance(1, 1, -60, 3_600)
}

#[test]
fn quit_with_two_terminals_is_a_leave_when_the_last_one_quits() {
    let fixture = fixture();
    let (_first_home, mut first) = joined(&fixture);
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let mut second = Pty::open(&client, 100, 30);
    second.wait_text("you joined");
    for pty in [&mut first, &mut second] {
        let people = fixture.event_log(instance(1, 1));
        assert!(!people.iter().flatten().any(|cell| cell == "leave"));
        pty.send("\x03");
        pty.wait_text("again to quit and leave");
        pty.send("\x03");
        assert_eq!(pty.exit_code(), 0);
    }
    assert_eq!(reason_of_leave(&fixture), "left");
}

#[test]
fn suspended_client_is_recorded_as_suspended_and_returns() {
    let fixture = quick_grace().start();
    let (_client, mut pty) = in_a_shell(&fixture);
    pty.wait_text("⏎ join");
    pty.send(ENTER);
    pty.wait_text("you joined");
    pty.send(CTRL_Z);
    pty.wait("the shell", |screen| screen.contains("Stopped"));
    assert_eq!(reason_of_leave(&fixture), "suspended");
    pty.send("fg\r");
    pty.wait_text("(suspended");
    line(&mut pty, "back again");
    pty.send("\x03");
    pty.wait_text("again to quit and leave");
    pty.send("\x03");
    pty.wait_terminal("the shell", |screen| !screen.alternate_screen());
}

#[test]
fn changed_key_bindings_are_reported_at_once() {
    let fixture = fixture();
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let config = client.home().join(".config/plenary");
    std::fs::create_dir_all(&config).expect("created");
    let mut pty = Pty::open(&client, 100, 30);
    pty.wait_text("join this meeting");
    // No key is pressed from here on.
    std::fs::write(config.join("keys.toml"), "fly = \"f5\"\nswim = \"f6\"\n").expect("written");
    pty.wait_text("keys.toml:1: unknown command 'fly'");
    pty.wait_text("(and 1 more: /config)");
    line(&mut pty, "/config");
    pty.wait_text("keys.toml:2: unknown command 'swim'");
}
