//! The schedule in a terminal, before a real server: everything that admins plan, by keys alone.

use plenary_testkit::{Client, Pty, Scene, Setting};
use serde_json::Value;

const ENTER: &str = "\r";
const ESC: &str = "\x1b";
const F5: &str = "\x1b[15~";
/// Clears what is written.
const CTRL_U: &str = "\x15";

/// What a form says of its fields.
const TITLE: &str = "one line";
const ABOUT: &str = "what it is about";
const WHO: &str = "'everybody'";
const FILE: &str = "CSV, or";
const REPLACE: &str = "yes: who is not";
const BEGINS: &str = "or in 5m";
const LASTS: &str = "or until when";

fn scene() -> Scene {
    Setting::new()
        .people(1, &["root", "grace"])
        .admin("root")
        .meeting(1, "Course", Some(&["grace"]))
        .instance(1, 1, 600, 7_200)
        .start()
}

/// Presses a key, answers what is then asked, field by field, and waits until it is done.
fn plan(pty: &mut Pty, key: &str, fields: &[(&str, &str)], done: &str) {
    pty.send(key);
    for (hint, answer) in fields {
        pty.wait("the field", |screen| {
            screen.contains("go on  Tab next") && screen.contains(hint)
        });
        pty.send(answer);
        let written = answer.trim_start_matches(CTRL_U);
        pty.wait("what was written", |screen| screen.contains(written));
        pty.send(ENTER);
    }
    pty.wait(done, |screen| {
        screen.contains(done) && !screen.contains("go on  Tab next")
    });
}

/// Closes the page that says what is to be known.
fn close(pty: &mut Pty, said: &str) {
    pty.wait_text(said);
    pty.send(ESC);
    pty.wait("the schedule", |screen| !screen.contains("Esc closes"));
}

async fn planned(scene: &Scene) -> Value {
    let all = scene.http("root").get("/plan/meeting/2").await.ok();
    all["meetings"][0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_planned_by_keys_alone() {
    let scene = scene();
    let client = Client::with_token(&scene.server.url(), &scene.token("root"));
    let mut pty = Pty::open(&client, 100, 30);
    pty.wait_text("Course");
    pty.send(F5);
    pty.wait_text("DASHBOARD");
    pty.send("p");
    pty.wait("the schedule", |screen| {
        screen.contains("schedule") && screen.contains("1 meeting ")
    });

    let who = format!("{CTRL_U}bob@example.org, eve@example.org");
    plan(
        &mut pty,
        "a",
        &[(TITLE, "Retro 🦊"), (ABOUT, "what went well"), (WHO, &who)],
        "done: add a meeting",
    );
    let meeting = planned(&scene).await;
    assert_eq!(meeting["title"], "Retro 🦊");
    assert_eq!(meeting["audience"].as_array().map(Vec::len), Some(2));

    plan(
        &mut pty,
        "e",
        &[(TITLE, " of May"), (ABOUT, ""), (WHO, "")],
        "done: edit",
    );
    pty.wait_text("Retro 🦊 of May");
    plan(&mut pty, "+", &[("", "grace@example.org")], "1 added");
    close(&mut pty, "0 taken out");
    plan(&mut pty, "-", &[("", "eve@example.org")], "1 taken out");
    close(&mut pty, "0 added");
    let list = client.home().join("people.csv");
    std::fs::write(
        &list,
        "name;email\nKen;ken@example.org\nLiskov;liskov at home\n",
    )
    .expect("a file can be written");
    let path = list.to_string_lossy().into_owned();
    plan(&mut pty, "i", &[(FILE, &path), (REPLACE, "")], "line 3");
    close(&mut pty, "liskov at home");
    let meeting = planned(&scene).await;
    let audience = ["bob", "grace", "ken"].map(|name| format!("{name}@example.org"));
    assert_eq!(meeting["audience"], serde_json::json!(audience));

    // Grace is in the course then.
    let short = format!("{CTRL_U}20m");
    plan(
        &mut pty,
        "s",
        &[(BEGINS, "in 30m"), (LASTS, &short)],
        "Course 1/1",
    );
    close(&mut pty, "grace@example.org");
    pty.wait_text("◌ 2/1");
    let later = format!("{CTRL_U}in 3h");
    plan(
        &mut pty,
        "m",
        &[(BEGINS, &later), (LASTS, "")],
        "done: move",
    );
    let meeting = planned(&scene).await;
    assert_eq!(meeting["instances"][0]["state"], "scheduled");
    plan(&mut pty, "X", &[("", "no room")], "done: cancel");
    pty.send("o");
    pty.wait("what is over", |screen| screen.contains("cancelled"));
    let meeting = planned(&scene).await;
    assert_eq!(meeting["instances"][0]["reason"], "cancelled");

    let audit = scene
        .stores
        .database
        .query("SELECT action, detail FROM audit WHERE actor IS NOT NULL ORDER BY auditID");
    let actions: Vec<&str> = audit.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(
        actions,
        [
            "added",
            "edited",
            "audience",
            "audience",
            "audience",
            "scheduled",
            "moved",
            "cancelled"
        ]
    );
    assert!(audit[7][1].contains("no room"), "{audit:?}");
}
