//! The dashboard in a terminal, before a real server: everything that admins do, by keys alone.

use plenary_shared::domain::{Act, What};
use plenary_testkit::{Client, Pty, Scene, Setting, Ws, instance};

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
        pty.send(ENTER);
        pty.wait("the meeting", |screen| screen.contains(&text));
        pty.send(ESC);
        pty.wait("the table again", |screen| {
            screen.contains("DASHBOARD") && !screen.contains("Course")
        });
        pty.send(F5);
        pty.wait("the chat", |screen| !screen.contains("DASHBOARD"));
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
