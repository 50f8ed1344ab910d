//! The command lines of both programs: what they print, and their exit codes.

use plenary_testkit::{Client, Fixture, FixtureBuilder, PASSWORD};

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["ada", "grace"])
        .meeting(1, "Seminar", None)
        .meeting(2, "Secret", Some(&["grace"]))
        .instance(1, 1, -60, 3_600)
        .instance(2, 1, -60, 3_600)
        .start()
}

#[test]
fn operator_adds_users_and_meetings() {
    let fixture = fixture();
    let server = &fixture.server;
    let add = [
        "user",
        "add",
        "--name",
        "Linus",
        "--email",
        "Linus@Example.org",
    ];
    let more = [
        "--age",
        "30",
        "--gender",
        "male",
        "--admin",
        "--password-stdin",
    ];
    server
        .cli_with_input(&[&add[..], &more[..]].concat(), PASSWORD)
        .ok();
    let listed = server.cli(&["user", "list", "--json"]).ok();
    assert!(listed.contains("linus@example.org"), "{listed}");
    assert!(!listed.contains("argon2"), "{listed}");
    let plain = server.cli(&["user", "list"]).ok();
    assert_eq!(plain.matches("@example.org").count(), 3, "{plain}");

    let add = ["meeting", "add", "--title", "Retro", "--audience"];
    server
        .cli(&[&add[..], &["ada@example.org,grace@example.org"]].concat())
        .ok();
    let when = ["--from", "2030-05-06T13:00:00Z", "--to", "2030-05-06 14:00"];
    server
        .cli(&[&["meeting", "schedule", "3"], &when[..]].concat())
        .ok();
    let listed = server.cli(&["meeting", "list", "--json"]).ok();
    assert!(listed.contains("2030-05-06T13:00:00.000Z"), "{listed}");
    assert!(listed.contains("2030-05-06T14:00:00.000Z"), "{listed}");
    assert!(listed.contains("grace@example.org"), "{listed}");
    assert!(server.cli(&["meeting", "list"]).ok().contains("Retro"));
    assert_eq!(server.token("ada@example.org").len(), 64);

    // The printed password is enough to sign in.
    let client = Client::login(&server.url(), "linus@example.org", PASSWORD);
    assert!(client.run(&["meetings"]).ok().contains("Secret"));
}

#[test]
fn operator_errors_are_explained() {
    let fixture = fixture();
    let when = ["--from", "now", "--for", "5m"];
    let schedule = |rest: &[&'static str]| [&["meeting", "schedule"], rest].concat();
    for (args, code) in [
        (vec!["no-such-command"], 2),
        (vec!["user", "add"], 2),
        (schedule(&["1", "--from", "tomorrow-ish", "--for", "5m"]), 2),
        (schedule(&["1", "--from", "now", "--for", "-5m"]), 2),
        (schedule(&["1", "--from", "now", "--to", "now"]), 4),
        (schedule(&[&["99"], &when[..]].concat()), 4),
        (vec!["token", "nobody@example.org"], 4),
        (vec!["serve", "--bind", "0.0.0.0:0"], 2),
        (vec!["serve", "--config", "/no/such/file"], 2),
    ] {
        let done = fixture.server.cli(&args);
        assert_eq!(done.code, code, "{args:?}: {done:?}");
        assert!(!done.stderr.trim().is_empty(), "{args:?}");
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    }
    let count = "SELECT COUNT(*) FROM meeting_instance";
    assert_eq!(fixture.stores.database.value(count), "2");
}

#[test]
fn user_does_everything_from_the_shell() {
    let fixture = fixture();
    fixture.set_password("ada");
    let ada = Client::login(&fixture.server.url(), "ada@example.org", PASSWORD);
    let meetings = ada.run(&["meetings"]).ok();
    assert!(
        meetings.contains("Seminar") && !meetings.contains("Secret"),
        "{meetings}"
    );
    ada.run(&["join", "1/1"]).ok();
    assert!(ada.run(&["participants", "1/1"]).ok().contains("ada"));
    ada.run(&["post", "1/1", "good", "morning"]).ok();
    ada.run_with_input(&["post", "1/1"], "from\na pipe\n").ok();
    let messages = ada.run(&["messages", "1/1"]).ok();
    assert!(messages.contains("good morning"), "{messages}");
    let own = ada.run(&["messages", "1/1", "--user", "1", "--json"]).ok();
    assert!(own.contains("from\\na pipe"), "{own}");
    assert!(ada.run(&["join-times"]).ok().contains("ada"));
    ada.run(&["leave", "1/1"]).ok();
    ada.run(&["logout"]).ok();
    assert_eq!(ada.run(&["meetings"]).code, 3);
}

#[test]
fn the_clients_exit_codes() {
    let fixture = fixture();
    let url = fixture.server.url();
    let ada = Client::with_token(&url, &fixture.token("ada"));
    let stranger = Client::new(&url);
    let unreachable = Client::with_token("http://127.0.0.1:1", &fixture.token("ada"));
    for (who, client, args, code) in [
        ("ada", &ada, vec!["meetings"], 0),
        ("ada", &ada, vec!["no-such-command"], 2),
        ("ada", &ada, vec!["join"], 2),
        ("ada", &ada, vec!["join", "one/two"], 2),
        ("ada", &ada, vec!["join", "2/1"], 4),
        ("ada", &ada, vec!["join", "99/1"], 4),
        ("ada", &ada, vec!["post", "1/1", "not in"], 4),
        ("ada", &ada, vec!["leave", "1/1"], 4),
        ("a stranger", &stranger, vec!["meetings"], 3),
        ("a stranger", &stranger, vec!["join", "1/1"], 3),
        ("nobody there", &unreachable, vec!["meetings"], 5),
        (
            "nobody there",
            &unreachable,
            vec!["post", "1/1", "hello"],
            5,
        ),
    ] {
        let done = client.run(&args);
        assert_eq!(done.code, code, "{who} {args:?}: {done:?}");
        assert_eq!(
            code == 0,
            done.stderr.is_empty(),
            "{who} {args:?}: {done:?}"
        );
    }
    let wrong = stranger.run_with_input(
        &["login", "--email", "ada@example.org", "--password-stdin"],
        "wrong pw",
    );
    assert_eq!(wrong.code, 3, "{wrong:?}");
}
