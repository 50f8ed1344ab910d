//! The client's commands against a real server: what they print, and their exit codes.

use plenary_testkit::{Client, PASSWORD, Scene, Setting};

fn scene() -> Scene {
    Setting::new()
        .people(1, &["ada", "grace"])
        .meeting(1, "Seminar", None)
        .meeting(2, "Secret", Some(&["grace"]))
        .instance(1, 1, -60, 3_600)
        .instance(2, 1, -60, 3_600)
        .start()
}

#[test]
fn a_person_does_everything_from_the_shell() {
    let scene = scene();
    scene.set_password("ada");
    let ada = Client::login(&scene.server.url(), "ada@example.org", PASSWORD);
    let meetings = ada.run(&["meetings"]).ok();
    assert!(
        meetings.contains("Seminar") && !meetings.contains("Secret"),
        "{meetings}"
    );
    ada.run(&["join", "1/1"]).ok();
    assert!(ada.run(&["people", "1/1"]).ok().contains("ada"));
    ada.run(&["say", "1/1", "good", "morning"]).ok();
    ada.run_with_input(&["say", "1/1"], "from\na pipe\n").ok();
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
    let scene = scene();
    let url = scene.server.url();
    let ada = Client::with_token(&url, &scene.token("ada"));
    let stranger = Client::new(&url);
    let unreachable = Client::with_token("http://127.0.0.1:1", &scene.token("ada"));
    for (who, client, args, code) in [
        ("ada", &ada, vec!["meetings"], 0),
        ("ada", &ada, vec!["no-such-command"], 2),
        ("ada", &ada, vec!["join"], 2),
        ("ada", &ada, vec!["join", "one/two"], 2),
        ("ada", &ada, vec!["join", "2/1"], 4),
        ("ada", &ada, vec!["join", "99/1"], 4),
        ("ada", &ada, vec!["say", "1/1", "not in"], 4),
        ("ada", &ada, vec!["leave", "1/1"], 4),
        ("a stranger", &stranger, vec!["meetings"], 3),
        ("a stranger", &stranger, vec!["join", "1/1"], 3),
        ("nobody there", &unreachable, vec!["meetings"], 5),
        ("nobody there", &unreachable, vec!["say", "1/1", "hello"], 5),
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
