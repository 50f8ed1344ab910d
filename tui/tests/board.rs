//! The dashboard in a terminal, before a real server: everything that admins do, by keys alone.

use plenary_shared::domain::{Act, What};
use plenary_testkit::{Client, Pty, Scene, Setting, Ws, instance};
use serde_json::json;

const ENTER: &str = "\r";
const ESC: &str = "\x1b";
const F5: &str = "\x1b[15~";

fn scene() -> Scene {
    Setting::new()
        .people(1, &["root", "grace", "mallory"])
        .admin("root")
        .meeting(1, "Seminar", None)
        .meeting(2, "Course", Some(&["grace"]))
        .instance(1, 1, -60, 3_600)
        .instance(2, 1, 600, 3_600)
        .start()
}

fn open(scene: &Scene, who: &str, columns: u16, rows: u16) -> (Client, Pty) {
    let client = Client::with_token(&scene.server.url(), &scene.token(who));
    let pty = Pty::open(&client, columns, rows);
    pty.wait_text("Seminar");
    (client, pty)
}

/// The next thing that an admin did, as people in the meeting are told it, and why.
async fn told(ws: &mut Ws) -> (Act, Option<String>) {
    loop {
        if let What::Moderated(done) = ws.next_event().await.what {
            assert_eq!(done.name, "root");
            return (done.act, done.reason);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_action_by_keys_alone() {
    let scene = scene();
    let here = instance(1, 1);
    let mut grace = scene.ws("grace").await;
    grace.open(here).await.expect("it is public");
    grace.join(here).await.expect("it is public");
    let mut mallory = scene.ws("mallory").await;
    mallory.join(here).await.expect("it is public");
    let (_client, mut pty) = open(&scene, "root", 80, 24);
    pty.send(F5);
    pty.wait("the table", |screen| {
        screen.contains("DASHBOARD") && screen.contains("Seminar 1/1") && screen.contains("Course")
    });
    pty.wait_text("PEOPLE 2");

    // What is pressed, what is then asked and answered, the word of what was done, and who it is about.
    let actions: &[(&str, &[&str], &str, Option<&str>)] = &[
        ("l", &["noise"], "locked", None),
        ("l", &[""], "unlocked", None),
        ("r", &["listen"], "read_only", None),
        ("r", &[""], "writable", None),
        ("n", &["Coffee is ready"], "announced", None),
        ("+", &["", "not done"], "extended", None),
        ("m", &["mallory", "spam"], "muted", Some("mallory")),
        ("u", &["mallory", ""], "unmuted", Some("mallory")),
        ("d", &["mallory", "out"], "removed", Some("mallory")),
        (
            "D",
            &["mallory@example.org", "for good"],
            "banned",
            Some("mallory"),
        ),
        (
            "U",
            &["mallory@example.org", ""],
            "unbanned",
            Some("mallory"),
        ),
    ];
    for (key, answers, word, whom) in actions {
        pty.send(key);
        pty.wait_text("leaves it");
        if whom.is_some() && *key != "D" && *key != "U" {
            pty.wait("who is here", |screen| {
                screen.contains("mallory@example.org")
            });
        }
        for (nth, answer) in answers.iter().enumerate() {
            if nth > 0 {
                pty.wait_text("why?");
            }
            pty.send(answer);
            pty.wait_text(answer);
            pty.send(ENTER);
        }
        pty.wait("that it was done", |screen| screen.contains("done: "));
        let (act, reason) = told(&mut grace).await;
        assert_eq!(act.as_str(), *word, "{}", pty.screen());
        assert_eq!(act.whom().map(|one| one.name.as_str()), *whom);
        let why = answers
            .last()
            .filter(|why| !why.is_empty() && *word != "announced");
        assert_eq!(reason.as_deref(), why.copied());
        // The row follows before the next key is meant by it.
        let (locked, read_only) = (*word == "locked", *word == "read_only");
        pty.wait("the row to follow", |screen| {
            screen.contains("[L]") == locked && screen.contains("[R]") == read_only
        });
    }
    pty.wait_text("PEOPLE 1");

    // Whoever thinks again does nothing.
    pty.send("X");
    pty.wait_text("end Seminar 1/1?");
    pty.send(ESC);
    pty.wait_text("nothing was done");
    pty.send("X");
    pty.wait_text("end Seminar 1/1?");
    pty.send("enough");
    pty.send(ENTER);
    let (act, reason) = told(&mut grace).await;
    assert_eq!((act, reason.as_deref()), (Act::Ended, Some("enough")));
    pty.wait("it to be over", |screen| {
        screen.contains("ended") && screen.contains("LIVE 0")
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_filtered_gone_into_and_left_at_every_size() {
    let scene = scene();
    let mut grace = scene.ws("grace").await;
    grace.join(instance(1, 1)).await.expect("it is public");
    for (columns, rows) in [(120, 36), (80, 24), (44, 20)] {
        let (_client, mut pty) = open(&scene, "root", columns, rows);
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
async fn one_meeting_is_looked_into_at_every_size() {
    let scene = scene();
    let here = instance(1, 1);
    // Without a connection that would have to be read from, so that they stay in.
    let (grace, mallory) = (scene.http("grace"), scene.http("mallory"));
    let (join, leave) = ("/meeting/1/order/1/join", "/meeting/1/order/1/leave");
    for path in [join, leave, join] {
        grace.post(path, &json!({})).await.ok();
    }
    let mut said = scene.ws("grace").await;
    said.post(here, "a secret thing").await.expect("she is in");
    for (nth, (columns, rows)) in [(120, 36), (80, 24), (44, 20)].into_iter().enumerate() {
        let (_client, mut pty) = open(&scene, "root", columns, rows);
        pty.send(F5);
        pty.wait("both rows", |screen| {
            screen.contains("DASHBOARD") && screen.contains("Seminar") && screen.contains("Course")
        });
        if columns == 120 {
            // The selected one is below the table already.
            pty.wait("her second stay", |screen| screen.contains("here (stay 2)"));
        }
        pty.send(ENTER);
        pty.wait("her second stay", |screen| {
            screen.contains("people") && screen.contains("here (stay 2)")
        });
        pty.wait("what she said, but for its words", |screen| {
            (nth > 0 || screen.contains("14 B")) && !screen.contains("secret")
        });
        // Nobody more comes in, and whoever tries is seen.
        pty.send("l");
        pty.wait_text("lock Seminar 1/1?");
        pty.send("noise");
        pty.wait_text("noise");
        pty.send(ENTER);
        pty.wait("that it was done", |screen| screen.contains("done: "));
        let refused = mallory.post(join, &json!({})).await;
        assert_eq!(refused.code(), "locked");
        pty.wait("that she was refused", |screen| {
            screen.contains("mallory: locked") && screen.contains("[locked]")
        });
        pty.send("w");
        pty.wait_text("why may somebody join");
        pty.wait_text("grace@example.org");
        pty.send("mallory@example.org");
        pty.wait_text("mallory@example.org");
        pty.send(ENTER);
        pty.wait("the rule and what would change it", |screen| {
            screen.contains("by the rule: locked") && screen.contains("plenary admin unlock 1/1")
        });
        pty.send(ESC);
        pty.wait("the meeting again", |screen| {
            !screen.contains("by the rule")
        });
        pty.send("l");
        pty.wait_text("unlock Seminar 1/1?");
        pty.send(ENTER);
        pty.wait("that it is open again", |screen| {
            screen.contains("done: unlock")
        });
        pty.wait("it to be seen", |screen| !screen.contains("[locked]"));
        // What she said, from her and from the event.
        for (pane, filter) in [("people", "grace"), ("events", "msg")] {
            if pane == "events" {
                pty.send("\t");
            }
            pty.wait("its pane", |screen| {
                columns == 44 || screen.contains(&format!("› {pane}"))
            });
            pty.send("/");
            pty.wait_text("filter:");
            pty.send(filter);
            pty.wait_text(&format!("filter: {filter}"));
            pty.send(ENTER);
            pty.wait("only her", |screen| !screen.contains("mallory"));
            pty.wait("the filter to stand", |screen| !screen.contains("go on"));
            pty.send(ENTER);
            pty.wait_text("a secret thing");
            pty.send(ESC);
            pty.wait("what she said to be gone", |screen| {
                !screen.contains("secret")
            });
            pty.send(ESC);
            pty.wait("everybody again", |screen| screen.contains("mallory"));
        }
        pty.send(ESC);
        pty.wait("the table", |screen| screen.contains("DASHBOARD"));
        if nth == 0 {
            // Somebody comes while nobody looks, and is there when one looks again.
            mallory.post(join, &json!({})).await.ok();
            pty.send(ENTER);
            pty.wait("both", |screen| {
                screen.contains("PARTICIPANTS 2") && screen.contains("mallory")
            });
            mallory.post(leave, &json!({})).await.ok();
            pty.wait("that she left", |screen| {
                screen.contains("LEFT 1") && screen.contains("mallory: left")
            });
        }
    }
}

#[test]
fn it_is_for_admins_alone() {
    let scene = scene();
    let (_client, mut pty) = open(&scene, "grace", 80, 24);
    pty.send(F5);
    pty.wait_text("Only an admin may do this");
    assert!(!pty.screen().contains("DASHBOARD"));
}
