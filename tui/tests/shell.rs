//! The shell commands as processes, against a real server with real stores.

#[path = "shell/process.rs"]
mod process;

use std::time::Duration;

use plenary_testkit::{
    Client, Fixture, FixtureBuilder, PASSWORD, Pty, PtyOptions, RedisOptions, ServerOptions,
    instance, until,
};
use process::Running;
use serde_json::Value;

/// A private meeting 1/1 for Ada and Grace but not Mallory, and a public, upcoming 2/1.
fn fixture() -> Fixture {
    let fixture = FixtureBuilder::new()
        .people(1, &["ada", "grace", "mallory"])
        .meeting(1, "Private", Some(&["ada", "grace"]))
        .meeting(2, "Public", None)
        .instance(1, 1, -60, 600)
        .instance(2, 1, 600, 1200)
        .start();
    for name in ["ada", "grace", "mallory"] {
        fixture.set_password(name);
    }
    fixture
}

fn login(fixture: &Fixture, name: &str) -> Client {
    let email = format!("{name}@example.org");
    Client::login(&fixture.server.url(), &email, PASSWORD)
}

/// Returns the values of a field of all messages of a page.
fn field(page: &Value, list: &str, name: &str) -> Vec<String> {
    let messages = page[list].as_array().expect("a list");
    messages
        .iter()
        .map(|message| match &message[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
        .collect()
}

#[test]
fn meeting_through_commands() {
    let fixture = fixture();
    let (ada, grace) = (login(&fixture, "ada"), login(&fixture, "grace"));

    let list = ada.run(&["meetings"]).ok();
    assert!(list.contains("1/1") && list.contains("active"), "{list}");
    assert!(list.contains("2/1") && list.contains("scheduled"), "{list}");
    let list = ada.run(&["--json", "meetings"]).json();
    assert_eq!(list["meetings"][0]["title"], "Private");

    let joined = ada.run(&["join", "1/1"]).ok();
    assert!(joined.starts_with("joined 1/1 at "), "{joined}");
    assert_eq!(grace.run(&["join", "1/1", "--json"]).json()["seq"], 3);

    let people = ada.run(&["participants", "1/1"]).ok();
    let lines: Vec<&str> = people.lines().collect();
    assert_eq!(lines.len(), 2, "{people}");
    assert!(lines[0].contains("ada@example.org"), "{people}");
    let times = ada.run(&["join-times"]).ok();
    assert!(
        times.contains("grace") && times.contains("Private"),
        "{times}"
    );

    ada.run(&["post", "1/1", "Good", "morning"]).ok();
    grace
        .run_with_input(&["post", "1/1"], "two\r\nlines\n\n")
        .ok();
    grace
        .run_with_input(
            &["post", "--lines", "1/1"],
            "one\n\n'; DROP TABLE message; --\n",
        )
        .ok();
    let messages = ada.run(&["messages", "1/1", "--json"]).json();
    assert_eq!(
        field(&messages, "messages", "body"),
        [
            "Good morning",
            "two\nlines",
            "one",
            "'; DROP TABLE message; --"
        ]
    );
    let shown = ada.run(&["messages", "1/1"]).ok();
    assert_eq!(shown.lines().count(), 5, "{shown}");
    assert!(
        shown
            .lines()
            .any(|line| line.trim() == "lines" && line.starts_with("     ")),
        "{shown}"
    );

    // Members do not see the addresses of others.
    let hidden = ada.run(&["messages", "1/1", "--user", "grace@example.org"]);
    assert_eq!(hidden.code, 4, "{}", hidden.stdout);
    for (client, who) in [
        (&ada, "2"),
        (&ada, "grace"),
        (&grace, "grace@example.org"),
        (&grace, "GRACE@EXAMPLE.ORG"),
    ] {
        let messages = client
            .run(&["messages", "1/1", "--user", who, "--json", "--all"])
            .json();
        assert_eq!(
            field(&messages, "user_messages", "seq"),
            ["5", "6", "7"],
            "{who}"
        );
    }
    let page = ada.run(&["messages", "1/1", "--limit", "2"]);
    assert!(page.stderr.contains("--before 6"), "{}", page.stderr);
    let before = ada.run(&["messages", "1/1", "--before", "6", "--json"]);
    assert_eq!(field(&before.json(), "messages", "seq"), ["4", "5"]);
    let after = ada.run(&["messages", "1/1", "--after", "5", "--limit", "1"]);
    assert!(after.stderr.contains("--after 6"), "{}", after.stderr);

    ada.run(&["leave", "1/1"]).ok();
    assert_eq!(grace.run(&["participants", "1/1"]).ok().lines().count(), 1);
    ada.run(&["logout"]).ok();
    assert_eq!(ada.run(&["meetings"]).code, 3);
}

#[test]
fn durable_post_reports_durability() {
    let mut fixture = fixture();
    let ada = login(&fixture, "ada");
    ada.run(&["join", "1/1"]).ok();
    let posted = ada.run(&["post", "--durable", "1/1", "kept"]).ok();
    assert!(posted.starts_with("posted to 1/1 at "), "{posted}");
    assert_eq!(fixture.message_rows(instance(1, 1)).len(), 1);
    let posted = ada.run(&["--json", "post", "--durable", "1/1", "kept too"]);
    assert_eq!(posted.json()["durable"], true);

    fixture.stores.mariadb.kill9();
    let mut behind = Running::start(&ada, &["post", "--durable", "1/1", "not yet"]);
    assert_eq!(behind.exit_code(), 5, "{:?}", behind.notes());
    let notes = behind.notes().join("\n");
    assert!(
        notes.contains("posted and visible, but not durable yet"),
        "{notes}"
    );
    assert!(notes.contains("(not_durable)"), "{notes}");
    assert_eq!(behind.lines(), [""; 0], "nothing is reported as durable");
    // A post without --durable succeeds.
    ada.run(&["post", "1/1", "by the way"]).ok();

    // A post that waits while MySQL restarts becomes durable.
    let waiting = Running::start(&ada, &["post", "--durable", "1/1", "in time"]);
    until("it to be posted", || {
        let seq = fixture
            .stores
            .redis
            .command(&["HGET", "{meeting:1:order:1}", "seq"]);
        (seq == ["7"]).then_some(())
    });
    fixture.stores.mariadb.restart();
    waiting.wait_for("posted to 1/1 at ");
    until("all to be in the archive, each once", || {
        let rows = fixture.message_rows(instance(1, 1));
        let bodies: Vec<&str> = rows.iter().map(|row| row[3].as_str()).collect();
        (bodies == ["kept", "kept too", "not yet", "by the way", "in time"]).then_some(())
    });
}

#[test]
fn password_prompt_does_not_echo() {
    let fixture = fixture();
    let ada = Client::new(&fixture.server.url());
    let mut options = PtyOptions::sized(100, 10);
    options.args = vec!["login".to_owned()];
    let mut pty = Pty::with(&ada, &options);
    pty.wait_text("Email at http://");
    pty.send("ada@example.org\n");
    pty.wait_text("Password:");
    // Ctrl-U clears the input.
    pty.send("wrong\u{15}");
    pty.send(&format!("{PASSWORD}x\u{7f}\r"));
    let screen = pty.wait_text("as ada (ada@example.org, member)");
    assert!(!screen.contains(PASSWORD), "{screen}");
    assert_eq!(pty.exit_code(), 0);
    ada.run(&["meetings"]).ok();

    let mut pty = Pty::with(&ada, &options);
    pty.wait_text("Email at");
    pty.send("ada@example.org\n");
    pty.wait_text("Password:");
    pty.send("\u{3}");
    pty.wait_text("cancelled");
    assert_eq!(pty.exit_code(), 1);
}

#[test]
fn rejections_have_exit_codes_and_one_line() {
    let fixture = fixture();
    let (ada, mallory) = (login(&fixture, "ada"), login(&fixture, "mallory"));
    let stranger = Client::new(&fixture.server.url());
    let nowhere = Client::new("http://127.0.0.1:1");
    let token = fixture.http("ada").token().map(str::to_owned);
    ada.run(&["join", "1/1"]).ok();
    let long = "x".repeat(4_097);
    for (who, args, input, code, word) in [
        (&stranger, &["meetings"][..], "", 3, "not_signed_in"),
        (&stranger, &["tail", "1/1"], "", 3, "not_signed_in"),
        (
            &stranger,
            &["login", "--email", "ada@example.org", "--password-stdin"],
            "wrong password",
            3,
            "wrong_password",
        ),
        (&ada, &["join", "1/1"], "", 4, "already_participant"),
        (&ada, &["join", "2/1"], "", 4, "not_started"),
        (&ada, &["join", "9/9"], "", 4, "not_found"),
        (&ada, &["leave", "2/1"], "", 4, ""),
        (&ada, &["post", "1/1"], " \n", 4, "body_empty"),
        (&ada, &["post", "1/1", &long], "", 4, "body_too_long"),
        (&ada, &["post", "1/1"], "a\u{1b}[2J", 4, "body_control"),
        (
            &ada,
            &["messages", "1/1", "--user", "nobody"],
            "",
            4,
            "not_found",
        ),
        (&ada, &["post", "x"], "", 2, ""),
        (&mallory, &["join", "1/1"], "", 4, ""),
        (&mallory, &["participants", "1/1"], "", 4, ""),
        (&mallory, &["messages", "1/1"], "", 4, ""),
        (&mallory, &["post", "1/1", "let me in"], "", 4, ""),
        (&mallory, &["tail", "1/1"], "", 4, ""),
    ] {
        let finished = who.run_with_input(args, input);
        assert_eq!(finished.code, code, "{args:?}: {}", finished.stderr);
        assert_eq!(finished.stdout, "", "{args:?}");
        if code != 2 {
            assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
            let end = format!("({word})\n");
            assert!(
                word.is_empty() || finished.stderr.ends_with(&end),
                "{args:?}: {}",
                finished.stderr
            );
        }
    }
    let list = mallory.run(&["meetings"]).ok();
    assert!(!list.contains("Private"), "{list}");

    let unreachable = process::command(&nowhere, &["meetings"])
        .env("PLENARY_TOKEN", token.unwrap_or_default())
        .output()
        .expect("it runs");
    assert_eq!(unreachable.status.code(), Some(5));
}

#[test]
fn token_in_the_environment_overrides_the_stored_one() {
    let fixture = fixture();
    let ada = login(&fixture, "ada");
    let token = fixture.http("mallory").token().expect("a token").to_owned();
    let as_mallory = process::command(&ada, &["join", "1/1"])
        .env("PLENARY_TOKEN", token)
        .output()
        .expect("it runs");
    assert_eq!(as_mallory.status.code(), Some(4));
    ada.run(&["join", "1/1"]).ok();
}

#[test]
fn tail_survives_a_server_crash_and_ends_with_the_meeting() {
    let mut fixture = fixture();
    let (ada, grace) = (login(&fixture, "ada"), login(&fixture, "grace"));
    let instance = fixture.schedule(1, Duration::from_secs(15)).to_string();
    grace.run(&["join", &instance]).ok();
    let mut tail = Running::start(&ada, &["tail", &instance, "--since", "0", "--json"]);
    grace.run(&["post", &instance, "before"]).ok();
    tail.wait_for("before");
    fixture.server.kill9();
    tail.wait_for_note("reconnecting");
    fixture.server.restart();
    grace.run(&["post", &instance, "after"]).ok();
    tail.wait_for("after");
    tail.wait_for("\"closed\"");
    assert_eq!(tail.exit_code(), 0);

    let seqs = seqs_of(&tail.lines());
    let last = u64::try_from(seqs.len()).expect("small");
    assert_eq!(seqs, (1..=last).collect::<Vec<u64>>());
    // An ended meeting can be read from any event.
    let rest = ada.run(&["tail", &instance, "--since", "2", "--json"]).ok();
    let rest: Vec<String> = rest.lines().map(str::to_owned).collect();
    assert_eq!(seqs_of(&rest), seqs[2..]);
}

#[test]
fn tail_ends_when_its_reader_is_gone_in_a_quiet_meeting() {
    let fixture = fixture();
    let ada = login(&fixture, "ada");
    ada.run(&["join", "1/1"]).ok();
    for arguments in [&["tail", "1/1", "--since", "0"][..], &["--plain"]] {
        let mut child = process::command(&ada, arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stdout = std::io::BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        std::io::BufRead::read_line(&mut stdout, &mut line).expect("a line");
        assert!(!line.is_empty(), "{arguments:?}");
        drop(stdout);
        let ended = until("the command to end", || child.try_wait().expect("a child"));
        assert_eq!(ended.code(), Some(0), "{arguments:?}");
    }
}

/// Returns the numbers of events, one for each line.
fn seqs_of(lines: &[String]) -> Vec<u64> {
    lines
        .iter()
        .map(|line| {
            let event: Value = serde_json::from_str(line).expect("an event");
            event["seq"].as_u64().expect("a number")
        })
        .collect()
}

#[test]
fn post_lines_are_exactly_once_across_server_crashes() {
    const LINES: usize = 300;
    let mut fixture = fixture();
    let ada = login(&fixture, "ada");
    ada.run(&["join", "1/1"]).ok();
    let messages: Vec<String> = (0..LINES).map(|n| format!("line {n}")).collect();
    let mut say = Running::with_input(&ada, &["post", "--lines", "1/1"], &messages.join("\n"));
    for seen in [20, 150] {
        until("some lines to be messages", || {
            (say.lines().len() >= seen).then_some(())
        });
        fixture.server.kill9();
        fixture.server.restart();
    }
    assert_eq!(say.exit_code(), 0, "{:?}", say.notes());
    let all = ada.run(&["messages", "1/1", "--all", "--json"]).json();
    assert_eq!(field(&all, "messages", "body"), messages);
}

#[test]
fn closed_output_pipe_is_not_an_error() {
    let fixture = fixture();
    let ada = login(&fixture, "ada");
    ada.run(&["join", "1/1"]).ok();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let finished = process::command(&ada, &["participants", "1/1"])
        .stdout(writer)
        .output()
        .expect("it runs");
    assert_eq!(finished.status.code(), Some(0));
    assert_eq!(finished.stderr, b"");
}

#[test]
fn messages_are_replied_to_edited_searched_and_exported() {
    let fixture = fixture();
    let (ada, grace) = (login(&fixture, "ada"), login(&fixture, "grace"));
    ada.run(&["join", "1/1"]).ok();
    grace.run(&["join", "1/1"]).ok();
    ada.run(&["post", "1/1", "the budgte is", "=1+1"]).ok();
    grace
        .run(&["post", "1/1", "--reply", "4", "which one?"])
        .ok();
    grace.run(&["post", "1/1", "a slip"]).ok();
    let edited = ada.run(&["edit", "1/1", "4", "the budget is =1+1"]).ok();
    assert!(
        edited.starts_with("edited message 4 in 1/1 at "),
        "{edited}"
    );
    let deleted = grace.run(&["delete", "1/1", "6"]).ok();
    assert!(
        deleted.starts_with("deleted message 6 in 1/1 at "),
        "{deleted}"
    );
    let refused = grace.run(&["edit", "1/1", "4", "mine"]);
    assert_eq!(
        (refused.code, refused.stderr.contains("not_yours")),
        (4, true)
    );

    let page = ada.run(&["messages", "1/1"]).ok();
    assert!(
        page.contains("(edited)") && page.contains("(deleted)"),
        "{page}"
    );
    assert!(!page.contains("a slip"), "{page}");

    // Search covers messages in the durable store.
    until("the budget to be found", || {
        let found = grace.run(&["search", "budget", "from:ada"]).ok();
        found.contains("the budget is").then_some(())
    });
    let found = grace
        .run(&["search", "--in", "1/1", "budget", "--json"])
        .json();
    assert_eq!(found["hits"][0]["seq"], 4);
    until("the deleted message to disappear from search", || {
        let found = grace.run(&["search", "slip"]).ok();
        found.is_empty().then_some(())
    });
    let stranger = login(&fixture, "mallory");
    assert_eq!(stranger.run(&["search", "budget"]).ok(), "");
    assert_eq!(grace.run(&["search", "in:nowhere"]).code, 4);

    let document = ada.run(&["export", "1/1"]).ok();
    assert!(document.starts_with("# Private\n"), "{document}");
    assert!(
        document.contains("present") && document.contains("reply to 4"),
        "{document}"
    );
    let record = ada.run(&["export", "1/1", "--json"]).json();
    assert_eq!(record["attendance"][0]["name"], "ada");
    assert_eq!(record["messages"][1]["replyTo"], 4);
    assert_eq!(record["messages"][2]["body"], "");
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("minutes.csv");
    let file = file.to_str().expect("UTF-8");
    assert_eq!(ada.run(&["export", "1/1", "-o", file]).ok(), "");
    let table = std::fs::read_to_string(file).expect("it is written");
    assert!(table.starts_with("kind,seq,userID,name,"), "{table}");
    let again = ada.run(&["export", "1/1", "-o", file]);
    assert_eq!(again.code, 1, "{}", again.stderr);
}

#[test]
fn login_that_cannot_be_stored_leaves_no_session() {
    let fixture = fixture();
    let client = Client::new(&fixture.server.url());
    // A file where the state directory should be.
    let state = client.home().join(".local");
    std::fs::write(&state, "in the way").expect("an empty home");
    let login = ["login", "--email", "ada@example.org", "--password-stdin"];
    let refused = client.run_with_input(&login, PASSWORD);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("You are not signed in"),
        "{}",
        refused.stderr
    );
    let count = "SELECT COUNT(*) FROM session WHERE expires_at > UTC_TIMESTAMP(3)";
    assert_eq!(fixture.stores.database.value(count), "0");
}

#[test]
fn users_change_their_password_and_end_their_sessions() {
    let fixture = fixture();
    let (here, other) = (login(&fixture, "ada"), login(&fixture, "ada"));
    let listed = here.run(&["sessions"]).ok();
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert_eq!(listed.matches("this one").count(), 1, "{listed}");
    let listed = other.run(&["sessions", "--json"]).json();
    let sessions = listed["sessions"].as_array().expect("a list");
    let own = sessions.iter().find(|one| one["current"] == true);
    let id = own.expect("one is current")["id"].as_str().expect("a text");
    here.run(&["sessions", "--end", id]).ok();
    assert_eq!(other.run(&["meetings"]).code, 3);
    assert_eq!(here.run(&["sessions", "--end", id]).code, 4);
    assert_eq!(here.run(&["sessions", "--end", "x"]).code, 2);

    let third = login(&fixture, "ada");
    let change = ["password", "--password-stdin"];
    for (input, code) in [
        ("", 2),
        ("only one line\n", 2),
        ("wrong\nanother long one\n", 3),
    ] {
        assert_eq!(here.run_with_input(&change, input).code, code, "{input}");
    }
    let input = format!("{PASSWORD}\nanother long one\n");
    let said = here.run_with_input(&change, &input).ok();
    assert!(said.contains("password changed"), "{said}");
    assert_eq!(third.run(&["meetings"]).code, 3);
    here.run(&["meetings"]).ok();
    Client::login(&fixture.server.url(), "ada@example.org", "another long one");
    let fourth = here.run(&["sessions", "--end-others"]).ok();
    assert!(fourth.contains("ended all other sessions"), "{fourth}");
    assert_eq!(here.run(&["sessions"]).ok().lines().count(), 1);
}

#[test]
fn piped_lines_wait_for_the_limit_and_none_is_lost_or_doubled() {
    let limits = [
        ("PLENARY_RATE_LIMITS", "true"),
        ("PLENARY_POST_BURST", "5"),
        ("PLENARY_POSTS_PER_MINUTE", "1200"),
        ("PLENARY_ACCOUNT_PER_MINUTE", "60000"),
    ];
    let options = ServerOptions {
        env: limits
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        ..ServerOptions::default()
    };
    let fixture = FixtureBuilder::with(RedisOptions::default(), options)
        .people(1, &["ada"])
        .meeting(1, "Private", Some(&["ada"]))
        .instance(1, 1, -60, 600)
        .start();
    fixture.set_password("ada");
    let ada = login(&fixture, "ada");
    ada.run(&["join", "1/1"]).ok();
    let lines: Vec<String> = (0..40).map(|n| format!("line {n}")).collect();
    let mut posting = Running::with_input(&ada, &["post", "--lines", "1/1"], &lines.join("\n"));
    assert_eq!(posting.exit_code(), 0, "{:?}", posting.notes());
    let notes = posting.notes();
    assert_eq!(notes.len(), 1, "one note for all waits: {notes:?}");
    assert!(notes[0].contains("limits how fast"), "{notes:?}");
    let page = ada.run(&["--json", "messages", "1/1"]).json();
    assert_eq!(field(&page, "messages", "body"), lines);
}
