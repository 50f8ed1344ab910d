//! The server's command line as an operator and their scripts see it.

use plenary_testkit::{Fixture, FixtureBuilder, Http, Server, Stores};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text.trim()).expect("one JSON object")
}

#[test]
fn meeting_that_people_cannot_join_is_warned_about() {
    let fixture = FixtureBuilder::new().people(1, &["ada"]).start();
    let add = |more: &[&str]| {
        let args = [&["meeting", "add", "--title", "Course"], more].concat();
        let added = fixture.server.cli(&args);
        assert_eq!(added.code, 0, "{added:?}");
        added.stderr
    };
    assert!(add(&[]).contains("warning: nobody can join meeting 1"));
    assert_eq!(add(&["--public"]), "");
    assert_eq!(add(&["--audience", "ada@example.org"]), "");
    let warned = add(&[
        "--audience",
        "Lovelace, Ada <ada@example.org>; nobody@example.org",
    ]);
    assert!(
        warned.contains("warning: nobody@example.org has no account"),
        "{warned}"
    );
    assert!(!warned.contains("ada@"), "{warned}");
    let args = ["meeting", "audience", "add", "2", "x@example.org"];
    let added = fixture.server.cli(&args);
    assert_eq!(added.stderr, "", "a public meeting needs no audience");
}

#[test]
fn times_beyond_the_last_one_are_refused() {
    let fixture = FixtureBuilder::new().meeting(1, "Course", None).start();
    for (from, length) in [("9999-12-31 23:50", "1h"), ("+10000-01-01T00:00:00Z", "1h")] {
        let args = ["meeting", "schedule", "1", "--from", from, "--for", length];
        let refused = fixture.server.cli(&args);
        assert_ne!(refused.code, 0, "{refused:?}");
        assert!(
            refused.stderr.contains("9999-12-31T23:59:59Z"),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn first_meeting_from_an_empty_installation() {
    let fixture = FixtureBuilder::new().start();
    let server = &fixture.server;
    let added = server
        .cli(&[
            "user",
            "add",
            "--name",
            "Ada",
            "--email",
            "Ada@Example.org",
            "--age",
            "36",
            "--gender",
            "female",
            "--admin",
            "--json",
        ])
        .ok();
    let added = json(&added);
    assert_eq!(added["email"], "ada@example.org");
    assert_eq!(added["role"], "admin");
    let password = added["password"]
        .as_str()
        .expect("a password that was made");
    Http::login(&server.url(), "ada@example.org", password).await;

    let args = [
        "user",
        "add",
        "--name",
        "Bob",
        "--email",
        "bob@example.org",
        "--password-stdin",
    ];
    let told = server.cli_with_input(&args, "battery staple\n").ok();
    assert!(!told.to_lowercase().contains("password"), "{told}");
    Http::login(&server.url(), "bob@example.org", "battery staple").await;
    server
        .cli_with_input(
            &["user", "passwd", "BOB@example.org", "--password-stdin"],
            "correct horse\r\n",
        )
        .ok();
    let bob = Http::login(&server.url(), "bob@example.org", "correct horse").await;

    let lines = server.cli(&["user", "list"]).ok();
    assert!(
        lines.contains("ada@example.org") && lines.contains("Bob"),
        "{lines}"
    );
    let people: Vec<Value> = server
        .cli(&["user", "list", "--json"])
        .ok()
        .lines()
        .map(json)
        .collect();
    assert_eq!(people.len(), 2);

    let meeting = server
        .cli(&[
            "meeting",
            "add",
            "--title",
            "Course",
            "--audience",
            "ada@example.org, Bob@example.org",
            "--json",
        ])
        .ok();
    let meeting = json(&meeting)["meetingID"].to_string();
    let instance = server
        .cli(&[
            "meeting", "schedule", &meeting, "--from", "now", "--for", "45m", "--json",
        ])
        .ok();
    assert_eq!(json(&instance)["orderID"], 1);
    let from = json(&instance)["fromdatetime"].clone();
    let listed = server.cli(&["meeting", "list", "--json"]).ok();
    let listed = json(&listed);
    assert_eq!(
        listed["audience"],
        serde_json::json!(["ada@example.org", "bob@example.org"])
    );
    assert_eq!(listed["instances"][0]["fromdatetime"], from);
    let lines = server.cli(&["meeting", "list"]).ok();
    assert!(lines.contains("Course") && lines.contains("1/1"), "{lines}");

    let at = format!("/meeting/{meeting}/order/1/join");
    plenary_testkit::until_async("the meeting to start", || async {
        (bob.get(&at).await.status == 200).then_some(())
    })
    .await;
    let token = server.cli(&["token", "ada@example.org", "--json"]).ok();
    let token = json(&token)["token"].as_str().expect("a token").to_owned();
    let ada = Http::with_token(&server.url(), &token);
    assert_eq!(ada.get("/me").await.ok()["name"], "Ada");
}

#[tokio::test]
async fn plan_from_the_shell_applies_at_once() {
    let fixture = FixtureBuilder::new()
        .people(1, &["ada", "bob", "eve"])
        .meeting(1, "Course", Some(&["ada"]))
        .instance(1, 1, -60, 3_600)
        .instance(1, 2, 7_200, 9_000)
        .start();
    let server = &fixture.server;
    let bob = fixture.http("bob");
    let join = "/meeting/1/order/1/join";
    assert_eq!(bob.get(join).await.code(), "not_found");
    let list =
        "\u{feff}Name;E-Mail\r\nBob;BOB@example.org\r\nEve;eve at x\r\nAda;ada@example.org\r\n";
    let args = ["meeting", "audience", "import", "1", "-", "--json"];
    let now = json(&server.cli_with_input(&args, list).ok());
    let report = &now["report"];
    assert_eq!(
        (&report["added"], &report["existing"]),
        (&1.into(), &1.into())
    );
    assert_eq!(report["rejected"][0]["line"], 3);
    assert_eq!(
        now["meetings"][0]["audience"].as_array().map(Vec::len),
        Some(2)
    );
    bob.get(join).await.ok();
    let strict = server.cli_with_input(
        &["meeting", "audience", "import", "1", "-", "--strict"],
        "x\na@b",
    );
    assert_eq!(strict.code, 4, "{}", strict.stderr);
    assert!(
        strict.stderr.contains("Line 1 is invalid"),
        "{}",
        strict.stderr
    );
    let told = server
        .cli(&[
            "meeting",
            "audience",
            "remove",
            "1",
            "ada@example.org,none@example.org",
        ])
        .ok();
    assert!(
        told.contains("0 added, 0 already present, 1 removed"),
        "{told}"
    );

    server
        .cli(&["meeting", "edit", "1", "--title", "Seminar", "--public"])
        .ok();
    fixture.http("eve").get(join).await.ok();
    let shown = bob.get("/meeting/1/order/1").await.ok();
    assert_eq!(shown["title"], "Seminar");
    assert_audit(&fixture, "audience | meeting 1 | added bob@example.org");
    assert_audit(&fixture, "audience | meeting 1 | removed ada@example.org");
    assert_audit(&fixture, "edited | meeting 1 | title: Seminar; public");
}

#[test]
fn scheduled_instance_is_moved_and_cancelled() {
    let fixture = FixtureBuilder::new()
        .meeting(1, "Seminar", None)
        .instance(1, 1, -60, 3_600)
        .instance(1, 2, 7_200, 9_000)
        .start();
    let server = &fixture.server;
    let overlapping = server
        .cli(&[
            "meeting", "schedule", "1", "--from", "in 30m", "--for", "1h",
        ])
        .ok();
    assert!(
        overlapping.contains("overlaps with 1/1  Seminar"),
        "{overlapping}"
    );
    let moved = [
        "meeting",
        "move",
        "1/2",
        "--from",
        "2099-01-01T00:00:00Z",
        "--for",
        "1h",
        "--json",
    ];
    let now = json(&server.cli(&moved).ok());
    assert_eq!(
        now["meetings"][0]["instances"][1]["fromdatetime"],
        "2099-01-01T00:00:00.000Z"
    );
    let refused = server.cli(&["meeting", "move", "1/1", "--from", "in 1h", "--for", "1h"]);
    assert_eq!(refused.code, 4);
    assert!(
        refused
            .stderr
            .contains("has started. To change its end, extend it"),
        "{}",
        refused.stderr
    );
    let cancelled = server
        .cli(&["meeting", "cancel", "1/2", "--reason", "nobody comes"])
        .ok();
    assert!(cancelled.contains("ended, cancelled"), "{cancelled}");
    let again = server.cli(&["meeting", "cancel", "1/2"]);
    assert_eq!((again.code, again.stdout.as_str()), (4, ""));
    assert_audit(&fixture, "scheduled | 1/3 | ");
    assert_audit(
        &fixture,
        "moved | 1/2 | 2099-01-01T00:00:00.000Z to 2099-01-01T01:00:00.000Z",
    );
    assert_audit(&fixture, "cancelled | 1/2 | nobody comes");
}

/// The audit has a row that starts like this: action, target, detail.
#[track_caller]
fn assert_audit(fixture: &Fixture, begin: &str) {
    let rows = fixture
        .stores
        .database
        .query("SELECT action, target, detail FROM audit ORDER BY auditID");
    let rows: Vec<String> = rows.into_iter().map(|row| row.join(" | ")).collect();
    let found = rows.iter().any(|row| row.starts_with(begin));
    assert!(found, "{begin}: {rows:#?}");
}

#[test]
fn exit_codes_and_messages() {
    let fixture = FixtureBuilder::new()
        .people(1, &["ada"])
        .meeting(1, "Course", None)
        .start();
    let server = &fixture.server;
    #[rustfmt::skip]
    let cases: &[(&[&str], i32, &str)] = &[
        (&["user", "add", "--name", "A", "--email", "ada@example.org"], 4, "already"),
        (&["user", "add", "--name", "A", "--email", "ada"], 4, "address like"),
        (&["user", "add", "--name", "\u{1b}[2J", "--email", "a@b"], 4, "U+001B"),
        (&["user", "add", "--name", "A", "--email", "a@b", "--age", "151"], 4, "150"),
        (&["user", "add", "--name", "A", "--email", "a@b", "--gender", "x"], 2, "male, female, other"),
        (&["user", "passwd", "none@example.org"], 4, "No user has this email"),
        (&["token", "none@example.org"], 4, "No user has this email"),
        (&["meeting", "add", "--title", " "], 4, "title is empty"),
        (&["meeting", "add", "--title", "T", "--audience", "a@b,c"], 4, "address like"),
        (&["meeting", "schedule", "9", "--from", "now", "--for", "5m"], 4, "Meeting 9 does not exist"),
        (&["meeting", "schedule", "1", "--from", "now", "--for", "5"], 2, "--for: Invalid duration: '5'"),
        (&["meeting", "schedule", "1", "--from", "soon", "--for", "5m"], 2, "--from: Invalid time: 'soon'"),
        (&["meeting", "schedule", "1", "--from", "in 5m", "--to", "now"], 4, "after the start"),
        (&["meeting", "schedule", "1", "--from", "now", "--for", "32d"], 4, "31 days"),
        (&["meeting", "schedule", "1", "--from", "now"], 2, "--to"),
        (&["meeting", "schedule", "1", "--from", "now", "--to", "now", "--for", "5m"], 2, "cannot be used with"),
        (&["meeting", "schedule", "-1", "--from", "now", "--for", "5m"], 2, "-1"),
        (&["meeting", "edit", "1"], 2, "--title"),
        (&["meeting", "edit", "1", "--title", "\u{1b}[2J"], 4, "U+001B"),
        (&["meeting", "edit", "9", "--public"], 4, "Meeting 9 does not exist"),
        (&["meeting", "edit", "1", "--public", "--private"], 2, "cannot be used with"),
        (&["meeting", "audience", "add", "1"], 2, "EMAIL"),
        (&["meeting", "audience", "add", "1", "ada"], 4, "'ada': email must be an address"),
        (&["meeting", "audience", "remove", "9", "a@b"], 4, "Meeting 9 does not exist"),
        (&["meeting", "audience", "import", "1", "/nowhere.csv"], 1, "/nowhere.csv cannot be read"),
        (&["meeting", "move", "1/9", "--from", "in 1h", "--for", "5m"], 4, "Meeting 1/9 does not exist"),
        (&["meeting", "move", "1/9", "--from", "soon", "--for", "5m"], 2, "--from: Invalid time: 'soon'"),
        (&["meeting", "move", "1", "--from", "now", "--for", "5m"], 2, "<INSTANCE>"),
        (&["meeting", "cancel", "1/9"], 4, "Meeting 1/9 does not exist"),
        (&["serve", "--bind", "0.0.0.0:0"], 2, "--insecure"),
        (&["serve", "--bind", "here"], 2, "--bind"),
        (&["frobnicate"], 2, "unrecognized"),
        (&["--config", "/nowhere.toml", "user", "list"], 2, "/nowhere.toml: cannot be read"),
        (&["--log-format", "xml", "user", "list"], 2, "text or json"),
    ];
    for (args, code, sentence) in cases {
        let finished = server.cli(args);
        assert_eq!(finished.code, *code, "{args:?}: {}", finished.stderr);
        assert!(
            finished.stderr.contains(sentence),
            "{args:?}: {}",
            finished.stderr
        );
        assert_eq!(finished.stdout, "", "{args:?}");
    }
    let short = server.cli_with_input(
        &[
            "user",
            "add",
            "--name",
            "A",
            "--email",
            "a@b",
            "--password-stdin",
        ],
        "short",
    );
    assert_eq!(short.code, 4);
    assert_eq!(
        fixture.stores.database.value("SELECT COUNT(*) FROM user"),
        "1"
    );
}

#[test]
fn unreachable_store_has_its_own_exit_code() {
    let mut stores = Stores::start();
    Server::migrate(&stores.redis, &stores.database);
    let server = Server::start(&stores.redis, &stores.database);
    stores.mariadb.kill9();
    let finished = server.cli(&["user", "list"]);
    assert_eq!(finished.code, 5, "{}", finished.stderr);
    assert!(finished.stderr.contains("MySQL"), "{}", finished.stderr);
}
