//! The screen in a terminal, with a real server.

use std::time::Duration;

use plenary_shared::domain::{Event, EventKind};
use plenary_testkit::{Client, Fixture, FixtureBuilder, PASSWORD, Pty, PtyOptions, Ws, instance};
use serde_json::json;

/// Keys as a terminal sends them.
const CTRL_Q: &str = "\x11";
const ENTER: &str = "\r";
const PAGE_UP: &str = "\x1b[5~";

fn fixture() -> Fixture {
    let fixture = FixtureBuilder::new()
        .people(1, &["ada", "grace"])
        .meeting(1, "Seminar", None)
        .meeting(2, "Course", Some(&["ada"]))
        .meeting(3, "Secret", Some(&["grace"]))
        .instance(1, 1, -60, 3_600)
        .instance(2, 1, 600, 3_600)
        .instance(3, 1, -60, 3_600)
        .start();
    fixture.set_password("ada");
    fixture
}

/// Opens Ada's terminal, signed in with a token in the environment.
fn open(fixture: &Fixture, columns: u16, rows: u16) -> (Client, Pty) {
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let pty = Pty::open(&client, columns, rows);
    pty.wait_text("Seminar");
    (client, pty)
}

fn join(pty: &mut Pty) {
    pty.wait_text("⏎ join");
    pty.send(ENTER);
    pty.wait_text("you joined");
}

/// Returns Grace's WebSocket, joined to the seminar.
async fn grace(fixture: &Fixture) -> Ws {
    let mut ws = fixture.ws("grace").await;
    ws.join(instance(1, 1)).await.expect("it is public");
    ws.open(instance(1, 1)).await.expect("it is open");
    ws
}

fn body(event: &Event) -> Option<String> {
    match &event.kind {
        EventKind::Message { body, .. } => Some(body.to_string()),
        EventKind::Opened
        | EventKind::Join { .. }
        | EventKind::Leave { .. }
        | EventKind::Edited { .. }
        | EventKind::Deleted { .. }
        | EventKind::Moderated(_)
        | EventKind::Closed { .. } => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_in_join_and_chat() {
    let fixture = fixture();
    let mut grace = grace(&fixture).await;
    let client = Client::new(&fixture.server.url());
    let mut pty = Pty::open(&client, 120, 36);
    pty.wait_text("Password");
    pty.send("ada@example.org\tnot the password\r");
    pty.wait("a refusal", |screen| screen.contains('✗'));
    assert!(!pty.screen().contains("not the password"));
    // Ctrl-U clears the field.
    pty.send("\x15");
    pty.send(PASSWORD);
    pty.send(ENTER);
    pty.wait_text("Seminar");
    assert!(!pty.screen().contains("Secret"));

    join(&mut pty);
    pty.wait("both in the list of people", |screen| {
        screen.contains("grace") && screen.contains("PARTICIPANTS 2")
    });
    pty.send("good morning, grace\r");
    let received = loop {
        if let Some(body) = body(&grace.next_event().await) {
            break body;
        }
    };
    assert_eq!(received, "good morning, grace");
    grace
        .post(instance(1, 1), "good morning, ada")
        .await
        .expect("grace is in");
    pty.wait_text("good morning, ada");
    // The message is acknowledged.
    pty.wait("it to settle", |screen| !screen.contains("sending"));

    pty.send("/leave\r");
    pty.wait_text("You left");
    let people = fixture.http("grace");
    let people = people.get("/meeting/1/order/1/participants").await.ok();
    assert_eq!(people["participants"].as_array().map(Vec::len), Some(1));

    pty.send(CTRL_Q);
    assert_eq!(pty.exit_code(), 0);
    // The session is stored, so the next start needs no password.
    let again = Pty::open(&client, 80, 24);
    again.wait_text("Seminar");
}

#[test]
fn layout_follows_the_window_size() {
    let fixture = fixture();
    let (_client, mut pty) = open(&fixture, 120, 36);
    join(&mut pty);
    pty.send("hello there\r");
    for (columns, rows) in [(120, 36), (80, 24), (44, 20), (20, 6), (10, 3), (120, 36)] {
        pty.resize(columns, rows);
        if columns < 44 {
            continue;
        }
        let screen = pty.wait(&format!("{columns}x{rows}"), |screen| {
            screen.contains("hello there") && screen.contains("Seminar") && screen.contains("left")
        });
        assert!(screen.lines().count() <= usize::from(rows));
        assert_eq!(screen.contains("MEETINGS"), columns == 120, "{screen}");
    }
}

#[test]
fn terminal_is_restored() {
    let fixture = fixture();
    for end in ["keys", "TERM", "HUP", "INT"] {
        let (_client, mut pty) = open(&fixture, 80, 24);
        assert!(pty.look(vt100::Screen::alternate_screen));
        assert!(pty.look(vt100::Screen::bracketed_paste));
        if end == "keys" {
            pty.send(CTRL_Q);
            assert_eq!(pty.exit_code(), 0);
        } else {
            pty.signal(end);
            pty.exit_code();
        }
        pty.wait_terminal(&format!("the terminal back after {end}"), |screen| {
            !screen.alternate_screen() && !screen.bracketed_paste() && !screen.hide_cursor()
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_catches_up_after_a_server_restart() {
    let mut fixture = fixture();
    let (_client, mut pty) = open(&fixture, 120, 36);
    join(&mut pty);
    pty.send("before\r");
    pty.wait_text("before");
    fixture.server.kill9();
    pty.wait("the loss to show", |screen| !screen.contains("✓ connected"));
    // Messages typed while offline are sent once.
    pty.send("meanwhile\r");
    pty.wait_text("meanwhile");
    fixture.server.restart();
    let grace = fixture.http("grace");
    grace.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let message = json!({"body": "from grace"});
    grace
        .post("/meeting/1/order/1/message", &message)
        .await
        .ok();
    pty.wait("all of it, and the connection", |screen| {
        screen.contains("✓ connected")
            && ["before", "meanwhile", "from grace"]
                .iter()
                .all(|text| screen.matches(text).count() == 1)
            && !screen.contains("sending")
    });
    let messages = grace.get("/meeting/1/order/1/messages").await.ok();
    let mut bodies: Vec<&str> = messages["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|message| message["body"].as_str())
        .collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["before", "from grace", "meanwhile"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_scrolls_back_to_the_first_message() {
    let fixture = fixture();
    let grace = fixture.http("grace");
    grace.post("/meeting/1/order/1/join", &json!({})).await.ok();
    for n in 0..250 {
        let body = json!({"body": format!("message number {n} of many")});
        grace.post("/meeting/1/order/1/message", &body).await.ok();
    }
    let (_client, mut pty) = open(&fixture, 80, 24);
    join(&mut pty);
    pty.wait_text("message number 249 of many");
    plenary_testkit::until("the first message", || {
        pty.send(PAGE_UP);
        pty.screen()
            .contains("message number 0 of many")
            .then_some(())
    });
}

#[test]
fn ended_meeting_shows_its_end_and_keeps_its_messages() {
    let fixture = fixture();
    let (_client, mut pty) = open(&fixture, 80, 24);
    let here = fixture.schedule(1, Duration::from_secs(6));
    pty.wait_text("3 Seminar");
    pty.send("\x1b3");
    pty.wait_text(&format!("{here}"));
    join(&mut pty);
    pty.send("short and good\r");
    pty.wait("the end", |screen| {
        screen.contains("short and good") && screen.to_lowercase().contains("ended")
    });
    fixture.wait_state(here, "ended");
    assert_eq!(fixture.message_rows(here).len(), 1);
}

#[test]
fn control_characters_in_user_text_are_not_executed() {
    let fixture = fixture();
    // Even if it was inserted into the tables directly.
    fixture.stores.database.query(
        "INSERT INTO meeting (meetingID, title, description, isPublic) VALUES \
             (9, CONCAT('Evil', CHAR(27), '[2J', CHAR(27), ']0;owned', CHAR(7), 'Title'), \
              CONCAT('a', CHAR(27), 'cb'), 1); \
         UPDATE user SET name = CONCAT('gr', CHAR(27), '[31mace') WHERE name = 'grace'; \
         INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime) VALUES \
             (9, 1, UTC_TIMESTAMP() + INTERVAL 5 MINUTE, UTC_TIMESTAMP() + INTERVAL 1 HOUR)",
    );
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let lines = client.run(&["meetings"]).ok();
    assert!(
        lines.contains("Evil") && !lines.contains('\x1b'),
        "{lines:?}"
    );
    let pty = Pty::open(&client, 120, 36);
    let screen = pty.wait_text("Evil");
    assert!(screen.contains("Seminar"), "{screen}");
    assert!(screen.contains("MEETINGS"), "{screen}");
}

#[test]
fn missing_terminal_is_reported() {
    let fixture = fixture();
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let done = client.run(&[]);
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.stderr.contains("terminal"), "{done:?}");
}

#[test]
fn terminal_that_cannot_draw_is_refused() {
    let fixture = fixture();
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    for kind in ["dumb", ""] {
        let options = PtyOptions {
            env: vec![("TERM".into(), kind.into())],
            ..PtyOptions::sized(80, 24)
        };
        let mut pty = Pty::with(&client, &options);
        pty.wait_text("plenary --plain");
        assert_eq!(pty.exit_code(), 2, "{kind:?}");
    }
}

#[test]
fn no_color_disables_colors() {
    let fixture = fixture();
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let options = PtyOptions {
        env: vec![("NO_COLOR".into(), "1".into())],
        ..PtyOptions::sized(80, 24)
    };
    let pty = Pty::with(&client, &options);
    pty.wait_text("Seminar");
    let coloured = pty.look(|screen| {
        let (rows, columns) = screen.size();
        let places = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |col| (row, col)));
        places
            .filter_map(|(row, column)| screen.cell(row, column))
            .filter(|cell| cell.fgcolor() != vt100::Color::Default)
            .count()
    });
    assert_eq!(coloured, 0);
}

/// Opens Ada's terminal with a shell script as the editor.
fn open_with_editor(fixture: &Fixture, script: &str) -> (Client, Pty) {
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let path = client.home().join("editor.sh");
    std::fs::write(&path, script).expect("written");
    let options = PtyOptions {
        env: vec![("VISUAL".into(), format!("sh {}", path.display()))],
        ..PtyOptions::sized(80, 24)
    };
    let pty = Pty::with(&client, &options);
    pty.wait_text("Seminar");
    (client, pty)
}

#[test]
fn external_editor_uses_and_returns_the_terminal() {
    let fixture = fixture();
    let script = "stat -c 'mode %a' \"$1\"; echo; echo press a key; stty raw; \
                  dd bs=1 count=1 >> \"$1\" 2>/dev/null; stty sane; printf ' and ended there' >> \"$1\"";
    let (client, mut pty) = open_with_editor(&fixture, script);
    join(&mut pty);
    pty.send("begun here");
    pty.wait_text("begun here");
    pty.send("\x18");
    pty.wait_text("press a key");
    assert!(!pty.look(vt100::Screen::alternate_screen));
    assert!(pty.screen().contains("mode 600"), "{}", pty.screen());
    // The connection stays open, and messages show after the editor exits.
    let rt = tokio::runtime::Runtime::new().expect("a runtime");
    rt.block_on(async {
        let grace = fixture.http("grace");
        grace.post("/meeting/1/order/1/join", &json!({})).await.ok();
        let message = json!({"body": "said meanwhile"});
        grace
            .post("/meeting/1/order/1/message", &message)
            .await
            .ok();
    });
    pty.send("!");
    pty.wait("the screen again", |screen| {
        screen.contains("begun here! and ended there") && screen.contains("said meanwhile")
    });
    assert!(pty.look(vt100::Screen::alternate_screen));
    let state = client.home().join(".local/state/plenary");
    let left = std::fs::read_dir(state).expect("the directory");
    let left: Vec<_> = left
        .filter_map(Result::ok)
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().starts_with("message"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    pty.send(" …\r");
    pty.wait_text("you        begun here! and ended there …");
}

#[test]
fn failing_editor_leaves_the_text_unchanged() {
    let fixture = fixture();
    let (_client, mut pty) = open_with_editor(&fixture, "echo gone > \"$1\"; exit 3");
    pty.send("a thought");
    pty.wait_text("a thought");
    pty.send("\x18");
    pty.wait("the reason", |screen| {
        screen.contains("Text unchanged") && screen.contains("› a thought")
    });
}

#[test]
fn pasted_lines_are_not_sent() {
    let fixture = fixture();
    let (_client, mut pty) = open(&fixture, 80, 24);
    join(&mut pty);
    // Without bracketed paste, at the speed of a paste.
    pty.send("one\rtwo\rthree\r");
    let shows = |screen: &str, wanted: &[&str]| {
        let rows: Vec<&str> = screen.lines().map(str::trim_end).collect();
        rows.windows(wanted.len()).any(|rows| rows == wanted)
    };
    pty.wait("the lines in the input", |screen| {
        shows(screen, &[" › one", "   two", "   three"])
    });
    pty.send("\x03");
    pty.wait("an empty input", |screen| !screen.contains("three"));
    // With bracketed paste: keys and commands in it are text.
    pty.send("\x1b[200~a\tb\r/quit\r\x1b[31mred\x1b[201~");
    pty.wait("what was pasted", |screen| {
        shows(screen, &[" › a    b", "   /quit", "   [31mred"])
    });
    // Six lines need a confirmation.
    pty.send("\x03");
    pty.send("\x1b[200~1\n2\n3\n4\n5\n6\x1b[201~");
    pty.wait("the last line", |screen| shows(screen, &["   5", "   6"]));
    pty.send(ENTER);
    pty.wait_text("6 lines. Press Enter again to send");
    assert!(fixture.message_rows(instance(1, 1)).is_empty());
    pty.send(ENTER);
    plenary_testkit::until("the message", || {
        (fixture.message_rows(instance(1, 1)).len() == 1).then_some(())
    });
}

#[test]
fn history_and_draft_survive_a_restart() {
    let fixture = fixture();
    let (client, mut pty) = open(&fixture, 80, 24);
    join(&mut pty);
    pty.send("the first line\r");
    pty.wait("it to settle", |screen| {
        screen.contains("you        the first line") && !screen.contains("sending")
    });
    pty.send("half a thought");
    pty.wait_text("half a thought");
    pty.send(CTRL_Q);
    pty.wait_text("still in a meeting");
    pty.send("s");
    assert_eq!(pty.exit_code(), 0);
    let kept = client.home().join(".local/state/plenary/history.jsonl");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(&kept).expect("the history").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let mut again = Pty::open(&client, 80, 24);
    again.wait_text("› half a thought");
    again.send("\x1b[A");
    again.wait_text("› the first line");
    again.send("\x1b[B");
    again.wait_text("› half a thought");
}
