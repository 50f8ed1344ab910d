//! Admins moderate a running meeting on one server while participants are on another.

use plenary_shared::domain::{EndChange, Event, EventKind, ModerationAction, Reason};
use plenary_shared::protocol::{Push, Verb};
use plenary_testkit::{Client, Fixture, FixtureBuilder, Http, Server, Ws, instance, user};
use serde_json::json;

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["ada", "grace", "mallory"])
        .admin("ada")
        .meeting(1, "Seminar", None)
        .instance(1, 1, -60, 3_600)
        .start()
}

/// The next event that is a leave or a moderation.
async fn told(ws: &mut Ws) -> Event {
    ws.wait_for("what an admin did", |push| match push {
        Push::Event(event) => {
            let told = matches!(
                event.kind,
                EventKind::Moderated(_) | EventKind::Leave { .. }
            );
            told.then_some(*event)
        }
        _ => None,
    })
    .await
}

fn act(event: &Event) -> &ModerationAction {
    match &event.kind {
        EventKind::Moderated(done) => &done.action,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ban_applies_on_every_server() {
    let fixture = fixture();
    let here = instance(1, 1);
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let token = fixture.token("mallory");
    let mut mallory = Ws::hello(&second.url(), &token).await;
    mallory.open(here).await.expect("it is public");
    mallory.join(here).await.expect("it is public");
    let mut grace = fixture.ws("grace").await;
    grace.open(here).await.expect("it is public");
    grace.join(here).await.expect("it is public");

    let ada = fixture.http("ada");
    let ban = json!({"email": "mallory@example.org", "ban": true, "reason": "spam"});
    ada.post("/meeting/1/order/1/remove", &ban).await.ok();
    for ws in [&mut mallory, &mut grace] {
        let event = told(ws).await;
        let EventKind::Moderated(done) = &event.kind else {
            panic!("{event:?}");
        };
        assert_eq!(
            (done.name.as_str(), done.reason.as_deref()),
            ("ada", Some("spam"))
        );
        assert_eq!(done.action.target().map(|user| user.id), Some(user(3)));
        let left = told(ws).await.kind;
        let expected = EventKind::Leave {
            user: user(3),
            reason: Reason::Removed,
        };
        assert_eq!(left, expected);
    }
    // On the same socket, on another terminal, and over HTTP.
    let refused = mallory.join(here).await.expect_err("she is banned");
    assert_eq!(refused.code.as_str(), "banned");
    let refused = mallory.post(here, "but").await.expect_err("she is out");
    assert_eq!(refused.code.as_str(), "not_participant");
    let mut other = fixture.ws("mallory").await;
    for verb in [Verb::Join(here), Verb::Participants(here)] {
        let refused = other.ask(verb).await.expect_err("she is banned");
        assert!(
            ["banned", "not_found"].contains(&refused.code.as_str()),
            "{refused}"
        );
    }
    let http = Http::with_token(&second.url(), &token);
    let answer = http.post("/meeting/1/order/1/join", &json!({})).await;
    assert_eq!((answer.status, answer.code()), (403, "banned"));
    // She does not receive later messages, although she never closed the instance.
    grace.post(here, "she is gone").await.expect("she is in");
    let said = grace
        .wait_for("the message", |push| match push {
            Push::Event(event) => matches!(event.kind, EventKind::Message { .. }).then_some(()),
            _ => None,
        })
        .await;
    let () = said;
    http.post("/logout", &json!({})).await.ok();
    while let Some(push) = mallory.try_next().await {
        let is_said =
            matches!(&push, Push::Event(event) if matches!(event.kind, EventKind::Message { .. }));
        assert!(!is_said, "{push:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moderation_from_the_shell_is_announced_and_audited() {
    let fixture = fixture();
    let here = instance(1, 1);
    let mut grace = fixture.ws("grace").await;
    let opened = grace.open(here).await.expect("it is public");
    grace.join(here).await.expect("it is public");
    let end = opened.instance.todatetime;
    let ada = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    for args in [
        vec!["extend", "1/1", "+30m", "--reason", "not done yet"],
        vec!["lock", "1/1"],
        vec!["unlock", "1/1"],
        vec!["read-only", "1/1"],
        vec!["read-only", "1/1", "--off"],
        vec!["mute", "1/1", "grace@example.org"],
        vec!["unmute", "1/1", "2"],
        vec!["announce", "1/1", "Coffee", "is", "ready"],
        vec!["remove", "1/1", "2", "--reason", "off topic"],
        vec!["end", "1/1", "--reason", "done"],
    ] {
        let said = ada.run(&[&["admin"], &args[..]].concat()).ok();
        assert!(said.starts_with("1/1 at "), "{said}");
    }
    let expected = [
        "extend",
        "lock",
        "unlock",
        "read_only",
        "writable",
        "mute",
        "unmute",
        "announce",
        "remove",
    ];
    for word in expected {
        let event = told(&mut grace).await;
        assert_eq!(act(&event).kind().as_str(), word);
        if let ModerationAction::Extend(EndChange { todatetime, before }) = act(&event) {
            assert_eq!((*before, *todatetime), (end, end.plus_ms(1_800_000)));
        }
    }
    let left = told(&mut grace).await;
    assert!(matches!(
        left.kind,
        EventKind::Leave {
            reason: Reason::Removed,
            ..
        }
    ));
    assert_eq!(act(&told(&mut grace).await).kind().as_str(), "end");
    fixture.wait_state(here, "ended");
    let audit = fixture
        .stores
        .database
        .query("SELECT actor, action, target, IFNULL(detail, '') FROM audit ORDER BY auditID");
    let words: Vec<&str> = audit.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(words[..9], expected);
    assert_eq!(words[9], "end");
    assert!(
        audit
            .iter()
            .all(|row| row[0] == "1" && row[2].starts_with("1/1"))
    );
    assert_eq!(
        audit[8][2..],
        ["1/1 user 2".to_owned(), "off topic".to_owned()]
    );
    let reason = "SELECT reason FROM meeting_instance WHERE meetingID = 1";
    assert_eq!(fixture.stores.database.value(reason), "ended");
    // An ended meeting cannot be moderated.
    let late = ada.run(&["admin", "extend", "1/1", "+30m"]);
    assert_eq!(late.code, 4, "{}", late.stderr);
    let grace = Client::with_token(&fixture.server.url(), &fixture.token("grace"));
    let refused = grace.run(&["admin", "lock", "1/1"]);
    assert_eq!(refused.code, 4);
    assert!(refused.stderr.contains("admins_only"), "{}", refused.stderr);
}
