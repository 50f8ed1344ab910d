//! Line mode in a pipe and in a terminal, against a real server.

use plenary_testkit::{Client, Fixture, FixtureBuilder, Pty, PtyOptions};
use serde_json::json;

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["ada", "grace"])
        .meeting(1, "Seminar", None)
        .meeting(2, "Secret", Some(&["grace"]))
        .instance(1, 1, -60, 3_600)
        .instance(2, 1, -60, 3_600)
        .start()
}

/// Runs line mode with this input. Returns standard output, standard error and the exit code.
fn piped(client: &Client, input: &str) -> (String, String, i32) {
    let finished = client.run_with_input(&["--plain"], input);
    (finished.stdout, finished.stderr, finished.code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipe_joins_posts_and_searches() {
    let fixture = fixture();
    let grace = fixture.http("grace");
    grace.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let message = json!({"body": "two\nlines \u{202e}turned"});
    grace
        .post("/meeting/1/order/1/message", &message)
        .await
        .ok();
    loop {
        let found = grace.get("/search?q=lines").await.ok();
        if found["hits"]
            .as_array()
            .is_some_and(|found| found.len() == 1)
        {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let (out, notes, code) = piped(
        &client,
        "/join 1/1\ngood morning\n/who\n//slash\n/search lines\n1\n/export minutes.txt\n/leave\n",
    );
    assert_eq!(code, 0, "{out}\n{notes}");
    for line in [
        "connecting to ",
        "connected as ada",
        "meeting 1: Seminar 1/1, live,",
        "grace: two\n    lines <U+202E>turned",
        "you joined",
        "you: good morning",
        "Participants of Seminar 1/1:",
        "ada@example.org",
        "you: /slash",
        "1. Seminar 1/1, ",
        "messages at this position:",
        "note: You left Seminar",
        "Exported ",
    ] {
        assert!(out.contains(line), "{line:?} is missing:\n{out}");
    }
    // Members do not see the addresses of others.
    assert!(!out.contains("grace@example.org"), "{out}");
    assert!(
        !out.contains('\u{1b}') && !out.contains('\u{202e}'),
        "{out}"
    );
    let minutes = std::fs::read_to_string(client.home().join("minutes.txt")).expect("a file");
    assert!(minutes.contains("Attendance") && minutes.contains("good morning"));
    let page = grace.get("/meeting/1/order/1/messages").await.ok();
    let bodies = page["messages"].as_array().expect("a list").iter();
    let bodies: Vec<&str> = bodies.filter_map(|one| one["body"].as_str()).collect();
    assert_eq!(&bodies[1..], ["good morning", "/slash"]);
}

#[test]
fn rejected_input_is_reported_and_sets_the_exit_code() {
    let fixture = fixture();
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let (out, notes, code) = piped(&client, "/join 2/1\n/jion\nnot in there\n");
    assert_eq!(code, 4, "{out}\n{notes}");
    assert!(out.contains("error: "), "{out}");
    assert!(out.contains("did you mean /join"), "{out}");
    assert!(notes.contains("refused"), "{notes}");

    let signed_out = Client::new(&fixture.server.url());
    let (_, notes, code) = piped(&signed_out, "hello\n");
    assert_eq!(code, 3, "{notes}");
    assert!(notes.contains("plenary login"), "{notes}");

    let unreachable = Client::with_token("http://127.0.0.1:1", "x");
    let (out, notes, code) = piped(&unreachable, "hello\n");
    assert_eq!(code, 5, "{out}\n{notes}");
    assert!(out.contains("offline: "), "{out}");
}

#[test]
fn line_mode_in_a_terminal() {
    let fixture = fixture();
    let client = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let mut options = PtyOptions::sized(100, 40);
    options.args = vec!["--plain".to_owned()];
    let mut pty = Pty::with(&client, &options);
    pty.wait_text("opened: Seminar 1/1");
    assert!(!pty.look(vt100::Screen::alternate_screen));
    pty.send("/join\r");
    pty.wait_text("you joined");
    pty.send("hello\r");
    pty.wait_text("you: hello");
    pty.send("/quit\r");
    pty.wait_text("You're still in a meeting");
    pty.send("l\r");
    assert_eq!(pty.exit_code(), 0);
}
