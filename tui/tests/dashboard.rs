//! The dashboard in a terminal with a real server: every action of admins, by keys only.

use plenary_shared::domain::{EventKind, ModerationAction};
use plenary_testkit::{Client, Fixture, FixtureBuilder, Pty, Ws, instance};
use serde_json::json;

const ENTER: &str = "\r";
const ESC: &str = "\x1b";
const F5: &str = "\x1b[15~";

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["root", "grace", "mallory"])
        .admin("root")
        .meeting(1, "Seminar", None)
        .meeting(2, "Course", Some(&["grace"]))
        .instance(1, 1, -60, 3_600)
        .instance(2, 1, 600, 3_600)
        .start()
}

fn open(fixture: &Fixture, who: &str, columns: u16, rows: u16) -> (Client, Pty) {
    let client = Client::with_token(&fixture.server.url(), &fixture.token(who));
    let pty = Pty::open(&client, columns, rows);
    pty.wait_text("Seminar");
    (client, pty)
}

/// The next moderation event in the meeting, with its reason.
async fn next_action(ws: &mut Ws) -> (ModerationAction, Option<String>) {
    loop {
        if let EventKind::Moderated(done) = ws.next_event().await.kind {
            assert_eq!(done.name, "root");
            return (done.action, done.reason);
        }
    }
}

/// The key, the answers in the dialog, the action in the log, its target, and the message.
type KeyedAction = (
    &'static str,
    &'static [&'static str],
    &'static str,
    Option<&'static str>,
    &'static str,
);

const ACTIONS: &[KeyedAction] = &[
    ("l", &["noise"], "lock", None, "Locked Seminar"),
    ("l", &[""], "unlock", None, "Unlocked Seminar"),
    (
        "r",
        &["listen"],
        "read_only",
        None,
        "Made Seminar 1/1 read-only",
    ),
    ("r", &[""], "writable", None, "Turned read-only off"),
    (
        "n",
        &["Coffee is ready"],
        "announce",
        None,
        "Announcement sent",
    ),
    ("+", &["", "not done"], "extend", None, "Extended Seminar"),
    (
        "m",
        &["mallory", "spam"],
        "mute",
        Some("mallory"),
        "Muted mallory",
    ),
    (
        "u",
        &["mallory", ""],
        "unmute",
        Some("mallory"),
        "Unmuted mallory",
    ),
    (
        "d",
        &["mallory", "y", "out"],
        "remove",
        Some("mallory"),
        "Removed mallory",
    ),
    (
        "D",
        &["mallory@example.org", "y", "spam again"],
        "ban",
        Some("mallory"),
        "Banned mallory",
    ),
    (
        "U",
        &["mallory@example.org", ""],
        "unban",
        Some("mallory"),
        "Unbanned mallory",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_do_every_action() {
    let fixture = fixture();
    let here = instance(1, 1);
    let mut grace = fixture.ws("grace").await;
    grace.open(here).await.expect("it is public");
    grace.join(here).await.expect("it is public");
    let mut mallory = fixture.ws("mallory").await;
    mallory.join(here).await.expect("it is public");
    let (_client, mut pty) = open(&fixture, "root", 80, 24);
    pty.send(F5);
    pty.wait("the table", |screen| {
        screen.contains("DASHBOARD") && screen.contains("Seminar 1/1") && screen.contains("Course")
    });
    pty.wait_text("PARTICIPANTS 2");

    for (key, answers, action, whom, done) in ACTIONS {
        pty.send(key);
        pty.wait_text("Esc Cancel");
        if whom.is_some() && *key != "D" && *key != "U" {
            pty.wait("the participants", |screen| {
                screen.contains("mallory@example.org")
            });
        }
        for (nth, answer) in answers.iter().enumerate() {
            if *answer == "y" {
                pty.wait_text("Type y to confirm");
            } else if nth > 0 {
                pty.wait_text("Reason (optional");
            }
            pty.send(answer);
            pty.wait_text(answer);
            pty.send(ENTER);
        }
        pty.wait_text(done);
        let (act, reason) = next_action(&mut grace).await;
        assert_eq!(act.kind().as_str(), *action, "{}", pty.screen());
        assert_eq!(act.target().map(|one| one.name.as_str()), *whom);
        let why = answers
            .last()
            .filter(|why| !why.is_empty() && *action != "announce");
        assert_eq!(reason.as_deref(), why.copied());
        // The next key depends on the row.
        let (locked, read_only) = (*action == "lock", *action == "read_only");
        pty.wait("the updated row", |screen| {
            screen.contains("[L]") == locked && screen.contains("[R]") == read_only
        });
    }
    pty.wait_text("PARTICIPANTS 1");

    // Esc cancels.
    pty.send("X");
    pty.wait_text("End Seminar 1/1 now?");
    pty.send(ESC);
    pty.wait("the table", |screen| {
        !screen.contains("End Seminar 1/1 now?")
    });
    pty.send("X");
    pty.wait_text("Type y to confirm");
    pty.send("y");
    pty.send(ENTER);
    pty.wait_text("Reason (optional");
    pty.send("enough");
    pty.send(ENTER);
    let (act, reason) = next_action(&mut grace).await;
    assert_eq!(
        (act, reason.as_deref()),
        (ModerationAction::End, Some("enough"))
    );
    pty.wait("the end", |screen| {
        screen.contains("ended") && screen.contains("LIVE 0")
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filter_and_chat_work_at_every_size() {
    let fixture = fixture();
    let mut grace = fixture.ws("grace").await;
    grace.join(instance(1, 1)).await.expect("it is public");
    for (columns, rows) in [(120, 36), (80, 24), (44, 20)] {
        let (_client, mut pty) = open(&fixture, "root", columns, rows);
        pty.send(F5);
        pty.wait("both rows", |screen| {
            screen.contains("DASHBOARD") && screen.contains("Seminar") && screen.contains("Course")
        });
        pty.send("/!soon\r");
        pty.wait("one row", |screen| {
            screen.contains("Seminar") && !screen.contains("Course")
        });
        let text = format!("seen at {columns} columns");
        grace.post(instance(1, 1), &text).await.expect("she is in");
        pty.send("o");
        pty.wait("the meeting", |screen| screen.contains(&text));
        pty.send(ESC);
        pty.wait("the table again", |screen| {
            screen.contains("DASHBOARD") && !screen.contains("Course")
        });
        pty.send(F5);
        pty.wait("the chat", |screen| !screen.contains("DASHBOARD"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn meeting_detail_works_at_every_size() {
    let fixture = fixture();
    let here = instance(1, 1);
    // They join over HTTP: no connection has to be read.
    let (grace, mallory) = (fixture.http("grace"), fixture.http("mallory"));
    let (join, leave) = ("/meeting/1/order/1/join", "/meeting/1/order/1/leave");
    for path in [join, leave, join] {
        grace.post(path, &json!({})).await.ok();
    }
    let mut said = fixture.ws("grace").await;
    said.post(here, "a secret thing").await.expect("she is in");
    for (nth, (columns, rows)) in [(120, 36), (80, 24), (44, 20)].into_iter().enumerate() {
        let (_client, mut pty) = open(&fixture, "root", columns, rows);
        pty.send(F5);
        pty.wait("both rows", |screen| {
            screen.contains("DASHBOARD") && screen.contains("Seminar") && screen.contains("Course")
        });
        if columns == 120 {
            // The detail of the selected row is below the table.
            pty.wait("her second stay", |screen| screen.contains("here (stay 2)"));
        }
        pty.send(ENTER);
        pty.wait("her second stay", |screen| {
            screen.contains("participants") && screen.contains("here (stay 2)")
        });
        pty.wait("the size of her message, not its text", |screen| {
            (nth > 0 || screen.contains("14 B")) && !screen.contains("secret")
        });
        // A locked meeting refuses joins, and the timeline shows them.
        pty.send("l");
        pty.wait_text("Lock Seminar 1/1?");
        pty.send("noise");
        pty.wait_text("noise");
        pty.send(ENTER);
        pty.wait_text("Locked Seminar");
        let refused = mallory.post(join, &json!({})).await;
        assert_eq!(refused.code(), "locked");
        pty.wait("the refused join", |screen| {
            screen.contains("mallory: locked") && screen.contains("[locked]")
        });
        pty.send("w");
        pty.wait_text("Check whether a user");
        pty.wait_text("grace@example.org");
        pty.send("mallory@example.org");
        pty.wait_text("mallory@example.org");
        pty.send(ENTER);
        pty.wait("the rule and how to change it", |screen| {
            screen.contains("rule: locked") && screen.contains("plenary admin unlock 1/1")
        });
        pty.send(ESC);
        pty.wait("the meeting again", |screen| {
            !screen.contains("rule: locked")
        });
        pty.send("l");
        pty.wait_text("Unlock Seminar 1/1?");
        pty.send(ENTER);
        pty.wait_text("Unlocked Seminar");
        pty.wait("the updated title", |screen| !screen.contains("[locked]"));
        // Her messages open from both panes.
        for (pane, filter) in [("participants", "grace"), ("timeline", "msg")] {
            if pane == "timeline" {
                pty.send("\t");
            }
            pty.wait("the pane", |screen| {
                columns == 44 || screen.contains(&format!("› {pane}"))
            });
            pty.send("/");
            pty.wait_text("filter:");
            pty.send(filter);
            pty.wait_text(&format!("filter: {filter}"));
            pty.send(ENTER);
            pty.wait("only her", |screen| !screen.contains("mallory"));
            pty.wait("the filter to close", |screen| !screen.contains("apply"));
            pty.send(ENTER);
            pty.wait_text("a secret thing");
            pty.send(ESC);
            pty.wait("the page to close", |screen| !screen.contains("secret"));
            pty.send(ESC);
            pty.wait("all rows again", |screen| screen.contains("mallory"));
        }
        pty.send(ESC);
        pty.wait("the table", |screen| {
            screen.contains("DASHBOARD") && !screen.contains("participants")
        });
        if nth == 0 {
            // A join while the detail is closed shows when it is opened again.
            mallory.post(join, &json!({})).await.ok();
            pty.send(ENTER);
            pty.wait("both", |screen| {
                screen.contains("HERE 2") && screen.contains("mallory")
            });
            mallory.post(leave, &json!({})).await.ok();
            pty.wait("her leave", |screen| {
                screen.contains("LEFT 1") && screen.contains("mallory: left")
            });
        }
    }
}

#[test]
fn dashboard_needs_an_admin() {
    let fixture = fixture();
    let (_client, mut pty) = open(&fixture, "grace", 80, 24);
    pty.send(F5);
    pty.wait_text("Only an admin may do this");
    assert!(!pty.screen().contains("DASHBOARD"));
}
