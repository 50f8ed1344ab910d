//! The schedule in a terminal with a real server: every change, by keys only.

use plenary_testkit::{Client, Fixture, FixtureBuilder, Pty};
use serde_json::Value;

const ENTER: &str = "\r";
const ESC: &str = "\x1b";
const F5: &str = "\x1b[15~";
/// Clears the input.
const CTRL_U: &str = "\x15";

/// The hints of the fields.
const TITLE: &str = "One line";
const DESCRIPTION: &str = "What the meeting is about";
const ACCESS: &str = "'public', or";
const FILE: &str = "CSV file, or";
const REPLACE: &str = "'yes' removes";
const STARTS: &str = "or in 5m";
const LENGTH: &str = "or the end:";

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["root", "grace"])
        .admin("root")
        .meeting(1, "Course", Some(&["grace"]))
        .instance(1, 1, 600, 7_200)
        .start()
}

/// Presses a key, fills in the form field by field, and waits for the result.
fn plan(pty: &mut Pty, key: &str, fields: &[(&str, &str)], done: &str) {
    pty.send(key);
    for (hint, answer) in fields {
        pty.wait("the field", |screen| {
            screen.contains("confirm  Tab next") && screen.contains(hint)
        });
        pty.send(answer);
        // One letter is on the screen before it is typed.
        let written = match *answer {
            "y" => "Confirm     y",
            answer => answer.trim_start_matches(CTRL_U),
        };
        pty.wait("the input", |screen| screen.contains(written));
        pty.send(ENTER);
    }
    pty.wait(done, |screen| {
        screen.contains(done) && !screen.contains("confirm  Tab next")
    });
}

/// Closes the report.
fn close(pty: &mut Pty, text: &str) {
    pty.wait_text(text);
    pty.send(ESC);
    pty.wait("the schedule", |screen| !screen.contains("Esc closes"));
}

async fn planned(fixture: &Fixture) -> Value {
    let all = fixture.http("root").get("/plan/meeting/2").await.ok();
    all["meetings"][0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_make_every_change() {
    let fixture = fixture();
    let client = Client::with_token(&fixture.server.url(), &fixture.token("root"));
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
        &[
            (TITLE, "Retro 🦊"),
            (DESCRIPTION, "what went well"),
            (ACCESS, &who),
        ],
        "Added Retro",
    );
    let meeting = planned(&fixture).await;
    assert_eq!(meeting["title"], "Retro 🦊");
    assert_eq!(meeting["audience"].as_array().map(Vec::len), Some(2));

    plan(
        &mut pty,
        "e",
        &[(TITLE, " of May"), (DESCRIPTION, ""), (ACCESS, "")],
        "Edited Retro",
    );
    pty.wait_text("Retro 🦊 of May");
    plan(&mut pty, "+", &[("", "grace@example.org")], "1 added");
    close(&mut pty, "0 removed");
    plan(&mut pty, "-", &[("", "eve@example.org")], "1 removed");
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
    let meeting = planned(&fixture).await;
    let audience = ["bob", "grace", "ken"].map(|name| format!("{name}@example.org"));
    assert_eq!(meeting["audience"], serde_json::json!(audience));

    // Grace is in the audience of the course at that time.
    let short = format!("{CTRL_U}20m");
    plan(
        &mut pty,
        "s",
        &[(STARTS, "in 30m"), (LENGTH, &short)],
        "Course 1/1",
    );
    close(&mut pty, "grace@example.org");
    pty.wait_text("◌ 2/1");
    let later = format!("{CTRL_U}in 3h");
    plan(
        &mut pty,
        "m",
        &[(STARTS, &later), (LENGTH, "")],
        "Moved Retro",
    );
    let meeting = planned(&fixture).await;
    assert_eq!(meeting["instances"][0]["state"], "scheduled");
    plan(
        &mut pty,
        "X",
        &[
            ("Enter alone changes nothing", "y"),
            ("Optional", "no room"),
        ],
        "Cancelled Retro",
    );
    pty.send("o");
    pty.wait("the ended instance", |screen| screen.contains("cancelled"));
    let meeting = planned(&fixture).await;
    assert_eq!(meeting["instances"][0]["reason"], "cancelled");

    let audit = fixture
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
