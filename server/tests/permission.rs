//! Permissions: every route and every request, for every kind of user.

use plenary_shared::domain::ModerationAction;
use plenary_shared::ids::{Cmid, Seq};
use plenary_shared::protocol::{
    Delete, Edit, Events, Explain, Idle, MarkRead, Moderate, Open, Plan, Post, Search,
    UserMessages, Verb, Wait, Watch,
};
use plenary_shared::text::MessageBody;
use plenary_testkit::{Client, Fixture, FixtureBuilder, Http, Ws, instance, until_async, user};
use serde_json::{Value, json};

/// The callers. The meeting is private; `guest` and `ada` are its audience.
const PEOPLE: &[&str] = &["nobody", "member", "guest", "ada", "root"];

/// Meeting 1 is private with ada as a participant; 2 is public. `root` is an admin who is not
/// invited.
fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["member", "guest", "ada", "root"])
        .admin("root")
        .meeting(1, "Secret plans", Some(&["guest", "ada"]))
        .meeting(2, "Open day", None)
        .instance(1, 1, -60, 3_600)
        .instance(2, 1, -60, 3_600)
        .instance(1, 2, 3_600, 7_200)
        .start()
}

/// A request, and the answer to each of [`PEOPLE`]: a status and an error code.
struct Row {
    method: &'static str,
    path: &'static str,
    answers: [&'static str; 5],
}

const fn row(method: &'static str, path: &'static str, answers: [&'static str; 5]) -> Row {
    Row {
        method,
        path,
        answers,
    }
}

/// A request for admins only.
const fn moderation(path: &'static str, admin: &'static str) -> Row {
    row("POST", path, [OUT, ADMINS, ADMINS, ADMINS, admin])
}

const ONLY_ADMINS: [&str; 5] = [OUT, ADMINS, ADMINS, ADMINS, "200"];
/// A request about an unknown user.
const NOBODY: [&str; 5] = [OUT, ADMINS, ADMINS, ADMINS, "404 not_found"];
const ADMINS: &str = "403 admins_only";
const OUT: &str = "401 not_signed_in";
/// Like an unknown meeting.
const HIDDEN: &str = "404 not_found";
const NOT_INVITED: &str = "403 not_allowed";
const NOT_IN: &str = "409 not_participant";

/// In this order: not signed in, a user who is not invited, one who is, a participant, an admin.
const ROUTES: &[Row] = &[
    row("GET", "/me", [OUT, "200", "200", "200", "200"]),
    row("GET", "/meetings", [OUT, "200", "200", "200", "200"]),
    row("GET", "/search?q=plan", [OUT, "200", "200", "200", "200"]),
    row("GET", "/active-meetings", [OUT, "200", "200", "200", "200"]),
    row(
        "GET",
        "/active-meetings-participants-join-logs",
        [OUT, "200", "200", "200", "200"],
    ),
    row(
        "GET",
        "/meeting/1/order/1/participants",
        [OUT, HIDDEN, "200", "200", "200"],
    ),
    row(
        "GET",
        "/meeting/1/order/1",
        [OUT, HIDDEN, "200", "200", "200"],
    ),
    row(
        "GET",
        "/meeting/1/order/1/events",
        [OUT, HIDDEN, "200", "200", "200"],
    ),
    row(
        "GET",
        "/meeting/1/order/1/messages",
        [OUT, HIDDEN, "200", "200", "200"],
    ),
    row(
        "GET",
        "/meeting/1/order/1/user/3/messages",
        [OUT, HIDDEN, "200", "200", "200"],
    ),
    row(
        "POST",
        "/meeting/1/order/1/message",
        [OUT, HIDDEN, NOT_IN, "201", NOT_IN],
    ),
    // Ada's own message; it was posted before.
    row(
        "PUT",
        "/meeting/1/order/1/message/3",
        [OUT, HIDDEN, NOT_IN, "200", NOT_IN],
    ),
    row(
        "DELETE",
        "/meeting/1/order/1/message/3",
        [OUT, HIDDEN, NOT_IN, "200", NOT_IN],
    ),
    row(
        "POST",
        "/meeting/1/order/1/leave",
        [OUT, HIDDEN, NOT_IN, "200", NOT_IN],
    ),
    row(
        "GET",
        "/meeting/1/order/1/leave",
        // Ada has just left.
        [OUT, HIDDEN, NOT_IN, NOT_IN, NOT_IN],
    ),
    row(
        "GET",
        "/meeting/1/order/1/join",
        [OUT, HIDDEN, "200", "200", NOT_INVITED],
    ),
    row(
        "POST",
        "/meeting/1/order/1/join",
        [
            OUT,
            HIDDEN,
            "409 already_participant",
            "409 already_participant",
            NOT_INVITED,
        ],
    ),
    moderation("/meeting/1/order/1/lock", "200"),
    moderation("/meeting/1/order/1/unlock", "200"),
    moderation("/meeting/1/order/1/read-only", "200"),
    moderation("/meeting/1/order/1/extend", "200"),
    moderation("/meeting/1/order/1/mute", "200"),
    moderation("/meeting/1/order/1/unmute", "200"),
    moderation("/meeting/1/order/1/remove", "200"),
    moderation("/meeting/1/order/1/unban", "409 already_so"),
    moderation("/meeting/1/order/1/announce", "200"),
    moderation("/meeting/1/order/2/end", "400 not_started"),
    row(
        "GET",
        "/meeting/1/order/1/explain?email=ada@example.org",
        ONLY_ADMINS,
    ),
    row("GET", "/users", ONLY_ADMINS),
    row(
        "POST",
        "/users",
        [OUT, ADMINS, ADMINS, ADMINS, "422 invalid"],
    ),
    row("PUT", "/user/99/role", NOBODY),
    row("PUT", "/user/99/password", NOBODY),
    row("POST", "/user/99/disable", NOBODY),
    row("POST", "/user/99/enable", NOBODY),
    row("GET", "/user/99/sessions", NOBODY),
    row("DELETE", "/user/99/sessions", NOBODY),
    row("DELETE", "/user/99/sessions/0123456789abcdef", NOBODY),
    // Everybody manages their own account; this one is ada's.
    row(
        "GET",
        "/user/3/sessions",
        [OUT, ADMINS, ADMINS, "200", "200"],
    ),
    row(
        "DELETE",
        "/user/3/sessions/0123456789abcdef",
        [OUT, ADMINS, ADMINS, "404 not_found", "404 not_found"],
    ),
    row("GET", "/plan/meetings", ONLY_ADMINS),
    row("GET", "/plan/meeting/1", ONLY_ADMINS),
    row("GET", "/plan/meeting/99", NOBODY),
    row(
        "POST",
        "/plan/meetings",
        [OUT, ADMINS, ADMINS, ADMINS, "422 invalid"],
    ),
    row("PATCH", "/plan/meeting/99", NOBODY),
    row("PATCH", "/plan/meeting/99/audience", NOBODY),
    row("POST", "/plan/meeting/99/audience/import", NOBODY),
    row("POST", "/plan/meeting/99/instances", NOBODY),
    row("PUT", "/plan/meeting/99/order/1", NOBODY),
    row("DELETE", "/plan/meeting/99/order/1", NOBODY),
    // A running instance can be neither moved nor cancelled.
    row(
        "PUT",
        "/plan/meeting/1/order/1",
        [OUT, ADMINS, ADMINS, ADMINS, "409 not_scheduled"],
    ),
    row(
        "DELETE",
        "/plan/meeting/1/order/1",
        [OUT, ADMINS, ADMINS, ADMINS, "409 not_scheduled"],
    ),
    // Every signed-in user can join a public meeting, admins too.
    row(
        "POST",
        "/meeting/2/order/1/join",
        [OUT, "200", "200", "200", "200"],
    ),
    // A private meeting that has not started reveals nothing to strangers.
    row(
        "POST",
        "/meeting/1/order/2/join",
        [
            OUT,
            HIDDEN,
            "400 not_started",
            "400 not_started",
            // An admin sees that it will start.
            "400 not_started",
        ],
    ),
    // Last, because it ends ada's sessions. Her own password needs the old one.
    row(
        "PUT",
        "/user/3/password",
        [OUT, ADMINS, ADMINS, "422 invalid", "200"],
    ),
];

#[tokio::test]
async fn every_route_by_every_kind_of_person() {
    let fixture = fixture();
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    ada.post("/meeting/1/order/1/message", &json!({"body": "the plan"}))
        .await
        .ok();
    let people: Vec<Http> = PEOPLE.iter().map(|who| as_http(&fixture, who)).collect();

    let mut wrong = vec![];
    for row in ROUTES {
        for ((who, http), expected) in PEOPLE.iter().zip(&people).zip(row.answers) {
            let answer = match row.method {
                "GET" => http.get(row.path).await,
                "PUT" => http.put(row.path, &said(row.path)).await,
                "DELETE" => http.delete(row.path).await,
                "PATCH" => http.patch(row.path, &said(row.path)).await,
                _ => http.post(row.path, &said(row.path)).await,
            };
            let got = format!("{} {}", answer.status, answer.code());
            if got.trim() != expected {
                let (method, path) = (row.method, row.path);
                wrong.push(format!("{method} {path} by {who}: {got}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The body to post there. Ada is the third caller.
fn said(path: &str) -> Value {
    if path.starts_with("/plan/meeting/") && !path.ends_with("/import") {
        let (from, to) = ("2099-01-01T00:00:00Z", "2099-01-01T01:00:00Z");
        return json!({
            "title": "New", "add": ["new@example.org"], "fromdatetime": from, "todatetime": to,
        });
    }
    match path.rsplit('/').next() {
        Some("mute" | "unmute" | "remove" | "unban") => json!({"userID": 3}),
        // A password that is too short.
        Some("users") => json!({"name": "x", "email": "x@example.org", "password": "x"}),
        Some("meetings") => json!({"title": " "}),
        Some("import") => json!(["new@example.org"]),
        Some("role") => json!({"role": "admin"}),
        Some("password") => json!({"password": "long enough"}),
        Some("extend") => json!({"minutes": 30}),
        _ => json!({"body": "hello"}),
    }
}

/// The routes below an instance that are not only for admins, and the WebSocket's requests.
#[tokio::test]
async fn outsider_gets_the_same_answer_for_a_private_meeting_as_for_none() {
    let fixture = fixture();
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    ada.post("/meeting/1/order/1/message", &json!({"body": "the plan"}))
        .await
        .ok();
    let member = fixture.http("member");
    let below = |path: &str| path.strip_prefix("/meeting/1/order/1").map(str::to_owned);
    let below = ROUTES
        .iter()
        .filter_map(|row| Some((row.method, below(row.path)?)));
    let below: Vec<(&str, String)> = below.collect();
    assert!(below.len() > 10, "{below:?}");
    for (method, route) in &below {
        let mut answers = Vec::new();
        // Running, upcoming, and three that do not exist.
        for at in ["1/1", "1/2", "1/99", "99/1", "99/99"] {
            let (meeting, order) = at.split_once('/').expect("two numbers");
            let path = format!("/meeting/{meeting}/order/{order}{route}");
            let answer = match *method {
                "GET" => member.get(&path).await,
                "PUT" => member.put(&path, &said(&path)).await,
                "DELETE" => member.delete(&path).await,
                _ => member.post(&path, &said(&path)).await,
            };
            let body = answer.body.to_string().replace(at, "M/O");
            answers.push((answer.status, body));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{method} {route}: {answers:#?}");
    }
    let mut ws = fixture.ws("member").await;
    for (name, _) in REQUESTS {
        let text = serde_json::to_string(&request(name)).expect("JSON");
        let mut answers = Vec::new();
        for (meeting, order) in [(1, 1), (1, 2), (1, 99), (99, 1)] {
            let text = text.replace("\"meetingID\":1", &format!("\"meetingID\":{meeting}"));
            let text = text.replace("\"orderID\":1", &format!("\"orderID\":{order}"));
            let verb = serde_json::from_str(&text).expect("a request");
            let answer = match ws.ask(verb).await {
                Ok(_) => "ok".to_owned(),
                Err(reject) => reject
                    .to_string()
                    .replace(&format!("{meeting}/{order}"), "M/O"),
            };
            answers.push(answer);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{name}: {answers:#?}");
    }
}

#[tokio::test]
async fn strangers_cannot_see_private_meetings() {
    let fixture = fixture();
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    ada.post("/meeting/1/order/1/message", &json!({"body": "the plan"}))
        .await
        .ok();
    let lists = [
        "/meetings",
        "/active-meetings",
        "/active-meetings-participants-join-logs",
        "/search?q=plan",
        "/search?q=in:1/1",
    ];
    // Archived messages can be found.
    until_async("the plan to be found", async || {
        let said = ada.get("/search?q=plan").await.ok().to_string();
        said.contains("Secret").then_some(())
    })
    .await;
    for (who, sees) in [
        ("member", false),
        ("guest", true),
        ("ada", true),
        ("root", true),
    ] {
        let http = fixture.http(who);
        for path in lists {
            let said = http.get(path).await.ok().to_string();
            assert_eq!(said.contains("Secret"), sees, "{path} by {who}: {said}");
        }
        let mut ws = fixture.ws(who).await;
        for verb in [Verb::Meetings {}, Verb::JoinTimes {}, Verb::Search(plan())] {
            let said = ws.ask(verb).await.expect("a list").to_string();
            assert_eq!(said.contains("Secret"), sees, "by {who}: {said}");
        }
    }
    // A refusal reveals nothing either.
    let member = fixture.http("member");
    for path in [
        "join",
        "leave",
        "participants",
        "messages",
        "user/3/messages",
    ] {
        let answer = member.get(&format!("/meeting/1/order/1/{path}")).await;
        let said = answer.body.to_string();
        assert!(!said.contains("Secret") && !said.contains("plan"), "{said}");
    }
    let client = client(&fixture, "member");
    let said = client.run(&["meetings"]).ok() + &client.run(&["join-times"]).ok();
    assert!(!said.contains("Secret"), "{said}");
}

/// The answers to the four signed-in callers; an empty string is `ok`.
const REQUESTS: &[(&str, [&str; 4])] = &[
    ("meetings", ["", "", "", ""]),
    ("join_times", ["", "", "", ""]),
    ("search", ["", "", "", ""]),
    ("participants", ["not_found", "", "", ""]),
    ("events", ["not_found", "", "", ""]),
    ("user_messages", ["not_found", "", "", ""]),
    ("open", ["not_found", "", "", ""]),
    ("close", ["", "", "", ""]),
    (
        "post",
        ["not_found", "not_participant", "", "not_participant"],
    ),
    (
        "edit",
        ["not_found", "not_participant", "", "not_participant"],
    ),
    (
        "delete",
        ["not_found", "not_participant", "", "not_participant"],
    ),
    ("read", ["not_found", "", "", ""]),
    (
        "moderate",
        ["admins_only", "admins_only", "admins_only", ""],
    ),
    ("idle", ["", "", "", ""]),
    ("terminals", ["", "", "", ""]),
    (
        "wait",
        [
            "not_found",
            "not_scheduled",
            "not_scheduled",
            "not_scheduled",
        ],
    ),
    ("plan", ["admins_only", "admins_only", "admins_only", ""]),
    ("watch", ["admins_only", "admins_only", "admins_only", ""]),
    ("explain", ["admins_only", "admins_only", "admins_only", ""]),
    (
        "typing",
        ["not_found", "not_participant", "", "not_participant"],
    ),
    (
        "leave",
        ["not_found", "not_participant", "", "not_participant"],
    ),
    ("join", ["not_found", "", "", "not_allowed"]),
];

#[tokio::test]
async fn every_request_by_every_kind_of_person() {
    let fixture = fixture();
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let mut wrong = vec![];
    for (at, who) in PEOPLE[1..].iter().enumerate() {
        let mut ws = fixture.ws(who).await;
        for (name, answers) in REQUESTS {
            let code = match ws.ask(request(name)).await {
                Ok(_) => String::new(),
                Err(reject) => reject.code.to_string(),
            };
            if code != answers[at] {
                wrong.push(format!("{name} by {who}: '{code}', not '{}'", answers[at]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let rows = REQUESTS.iter().map(|(name, _)| *name).chain(["hello"]);
    let mut rows: Vec<&str> = rows.collect();
    let mut all = Verb::NAMES.to_vec();
    rows.sort_unstable();
    all.sort_unstable();
    assert_eq!(rows, all, "every request has its row");
}

#[tokio::test]
async fn websocket_without_session_is_closed() {
    let fixture = fixture();
    for (name, _) in REQUESTS {
        let mut ws = Ws::connect(&fixture.server.url()).await;
        let refused = ws.ask(request(name)).await.expect_err("no hello was said");
        assert_eq!(refused.code.as_str(), "not_signed_in", "{name}");
    }
    let mut ws = Ws::connect(&fixture.server.url()).await;
    let refused = ws.say_hello(&"0".repeat(64), vec![]).await;
    let refused = refused.expect_err("nobody's token");
    assert_eq!(refused.code.as_str(), "not_signed_in");
    assert_eq!(ws.closed().await.code, Some(4_501));
}

#[tokio::test]
async fn requests_cannot_name_another_user() {
    let fixture = fixture();
    let guest = fixture.http("guest");
    let body = json!({"body": "as ada", "userID": 3});
    for (method, path) in [
        ("GET", "/meeting/1/order/1/join?userID=3"),
        ("GET", "/meeting/1/order/1/leave?userID=3"),
        ("POST", "/meeting/1/order/1/join?userID=3"),
        ("POST", "/meeting/1/order/1/message"),
    ] {
        let answer = match method {
            "GET" => guest.get(path).await,
            _ => guest.post(path, &body).await,
        };
        let got = (answer.status, answer.code());
        assert_eq!(got, (403, "not_yourself"), "{method} {path}");
    }
    let people = guest.get("/meeting/1/order/1/participants").await.ok();
    assert_eq!(people["participants"], Value::Array(vec![]));
}

#[test]
fn command_line_has_the_same_limits() {
    let fixture = fixture();
    let member = client(&fixture, "member");
    for args in [
        vec!["join", "1/1"],
        vec!["leave", "1/1"],
        vec!["participants", "1/1"],
        vec!["messages", "1/1"],
        vec!["messages", "1/1", "--user", "3"],
        vec!["post", "1/1", "hello"],
        vec!["edit", "1/1", "3", "hello"],
        vec!["delete", "1/1", "3"],
        vec!["export", "1/1"],
        vec!["tail", "1/1"],
    ] {
        let done = member.run(&args);
        assert_eq!(done.code, 4, "{args:?}: {} {}", done.stdout, done.stderr);
        assert!(!done.stdout.contains("Secret"), "{args:?}");
    }
}

fn as_http(fixture: &Fixture, who: &str) -> Http {
    if who == "nobody" {
        Http::nobody(&fixture.server.url())
    } else {
        fixture.http(who)
    }
}

fn client(fixture: &Fixture, who: &str) -> Client {
    Client::with_token(&fixture.server.url(), &fixture.token(who))
}

fn plan() -> Search {
    Search {
        query: "plan".to_owned(),
        before: None,
        limit: 10,
    }
}

fn request(name: &str) -> Verb {
    let instance = instance(1, 1);
    match name {
        "meetings" => Verb::Meetings {},
        "join_times" => Verb::JoinTimes {},
        "participants" => Verb::Participants(instance),
        "events" => Verb::Events(Events {
            instance,
            after: None,
            before: None,
            limit: 10,
        }),
        "user_messages" => Verb::UserMessages(UserMessages {
            instance,
            user: user(3),
            after: None,
            before: None,
            limit: 10,
        }),
        "open" => Verb::Open(Open {
            instance,
            limit: 10,
        }),
        "close" => Verb::Close(instance),
        "post" => Verb::Post(Post {
            instance,
            cmid: Cmid(uuid::Uuid::now_v7()),
            body: MessageBody::parse("hello").expect("a good body"),
            reply_to: None,
            ack: plenary_shared::protocol::Ack::Ordered,
        }),
        // Ada joined first, then guest; her latest message is the fourth event.
        "edit" => Verb::Edit(Edit {
            instance,
            target: Seq::new(4).expect("a small number"),
            cmid: Cmid(uuid::Uuid::now_v7()),
            body: MessageBody::parse("hello!").expect("a good body"),
        }),
        "delete" => Verb::Delete(Delete {
            instance,
            target: Seq::new(4).expect("a small number"),
            cmid: Cmid(uuid::Uuid::now_v7()),
        }),
        "read" => Verb::Read(MarkRead {
            instance,
            seq: Seq::new(1).expect("a small number"),
        }),
        "moderate" => Verb::Moderate(Moderate {
            instance,
            cmid: Cmid(uuid::Uuid::now_v7()),
            action: ModerationAction::Announce {
                body: MessageBody::parse("listen").expect("a good body"),
            },
            reason: None,
        }),
        "plan" => Verb::Plan(Plan::Meetings { after: None }),
        "typing" => Verb::Typing(instance),
        "idle" => Verb::Idle(Idle { idle: true }),
        "terminals" => Verb::Terminals {},
        "wait" => Verb::Wait(Wait {
            instance,
            waiting: true,
        }),
        "watch" => Verb::Watch(Watch {
            stop: false,
            instance: Some(instance),
        }),
        "explain" => Verb::Explain(Explain {
            instance,
            email: "ada@example.org".to_owned(),
        }),
        "search" => Verb::Search(plan()),
        "leave" => Verb::Leave(instance),
        "join" => Verb::Join(instance),
        other => panic!("no such request: {other}"),
    }
}
