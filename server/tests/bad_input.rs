//! Invalid input is refused with a code and a sentence; nothing is stored; the connection survives.

use plenary_shared::domain::Code;
use plenary_testkit::{Answer, Fixture, FixtureBuilder, Http, Ws, instance};
use serde_json::{Value, json};

/// Ada is a participant of 1/1, which is active; 1/2 has not started; 1/3 has ended; 2/1 is active
/// and private without her.
async fn fixture() -> (Fixture, Http) {
    let fixture = FixtureBuilder::new()
        .people(1, &["ada", "grace"])
        .meeting(1, "Platform", Some(&["ada"]))
        .meeting(2, "Elsewhere", Some(&["grace"]))
        .instance(1, 1, -60, 3_600)
        .instance(1, 2, 3_600, 7_200)
        .instance(1, 3, -60, -1)
        .instance(2, 1, -60, 3_600)
        .start();
    fixture.wait_state(instance(1, 3), "ended");
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    (fixture, ada)
}

/// How many events 1/1 has.
async fn seq(ada: &Http) -> u64 {
    let body = json!({"body": "count"});
    let posted = ada.post("/meeting/1/order/1/message", &body).await.ok();
    posted["seq"].as_u64().expect("a number")
}

#[track_caller]
fn assert_refused(what: &str, answer: &Answer, status: u16, code: Code) {
    let got = (answer.status, answer.code());
    assert_eq!(got, (status, code.as_str()), "{what}: {}", answer.body);
    assert_sentence(what, &answer.body["detail"]);
}

/// Checks that the detail is a complete sentence.
#[track_caller]
fn assert_sentence(what: &str, detail: &Value) {
    let detail = detail.as_str().unwrap_or_default();
    assert!(
        detail.len() > 10 && detail.contains(' '),
        "{what}: {detail:?}"
    );
    assert!(!detail.chars().any(char::is_control), "{what}: {detail:?}");
}

/// A path, and the answer to a POST of `{}` to it.
const PATHS: &[(&str, u16, Code)] = &[
    ("/meeting/99/order/1/join", 404, Code::NotFound),
    ("/meeting/1/order/99/join", 404, Code::NotFound),
    ("/meeting/1/order/2/join", 400, Code::NotStarted),
    ("/meeting/1/order/3/join", 400, Code::Ended),
    ("/meeting/2/order/1/join", 404, Code::NotFound),
    ("/meeting/1/order/1/join", 409, Code::AlreadyParticipant),
    ("/meeting/1/order/3/leave", 400, Code::Ended),
    ("/meeting/1/order/2/leave", 400, Code::NotStarted),
    ("/meeting/1/order/-1/join", 422, Code::Invalid),
    (
        "/meeting/1/order/18446744073709551616/join",
        422,
        Code::Invalid,
    ),
    ("/meeting/1/order/9007199254740992/join", 422, Code::Invalid),
    ("/meeting/1/order/one/join", 422, Code::Invalid),
    ("/meeting/1/order/1.5/join", 422, Code::Invalid),
    ("/meeting/1%27%20OR%201=1/order/1/join", 422, Code::Invalid),
    ("/meeting/1/order/1/join?userID=two", 422, Code::Invalid),
    ("/meeting/1/order/1/join?userID=2", 403, Code::NotYourself),
    ("/no/such/path", 404, Code::NotFound),
];

#[tokio::test]
async fn paths() {
    let (_fixture, ada) = fixture().await;
    let before = seq(&ada).await;
    for (path, status, code) in PATHS {
        let answer = ada.post(path, &json!({})).await;
        assert_refused(path, &answer, *status, *code);
    }
    for path in [
        "/meeting/1/order/1/messages?after=-1",
        "/meeting/1/order/1/messages?before=x",
        "/meeting/1/order/1/messages?limit=-5",
        "/meeting/1/order/1/messages?limit=many",
        "/meeting/1/order/1/user/ada/messages",
        "/search",
        "/search?q=",
        "/search?q=%20",
        "/search?q=x&q=y",
        "/search?q=in:nowhere",
        "/search?q=after:tomorrow",
        "/search?q=x&limit=0",
        "/search?q=x&limit=101",
        "/search?q=x&limit=-1",
        "/search?q=x&before=1",
        "/search?q=x&before=1.1.1.99999999999999999999",
    ] {
        assert_refused(path, &ada.get(path).await, 422, Code::Invalid);
    }
    for (path, status, code) in [
        ("/meeting/1/order/1/message/0", 404, Code::NoSuchMessage),
        ("/meeting/1/order/1/message/1", 404, Code::NoSuchMessage),
        ("/meeting/1/order/1/message/99999", 404, Code::NoSuchMessage),
        ("/meeting/1/order/1/message/-1", 422, Code::Invalid),
        ("/meeting/1/order/1/message/x", 422, Code::Invalid),
        ("/meeting/1/order/3/message/1", 400, Code::Ended),
        ("/meeting/1/order/2/message/1", 400, Code::NotStarted),
        ("/meeting/2/order/1/message/1", 404, Code::NotFound),
        ("/meeting/9/order/1/message/1", 404, Code::NotFound),
    ] {
        let edit = ada.put(path, &json!({"body": "x"})).await;
        assert_refused(path, &edit, status, code);
        assert_refused(path, &ada.delete(path).await, status, code);
    }
    for (body, status, code) in [
        (json!({}), 422, Code::Invalid),
        (json!({"body": ""}), 422, Code::BodyEmpty),
        (json!({"body": "\u{1b}[2J"}), 422, Code::BodyControl),
        (json!({"body": "x".repeat(4_097)}), 413, Code::BodyTooLong),
    ] {
        let edit = ada.put("/meeting/1/order/1/message/3", &body).await;
        assert_refused("an edit", &edit, status, code);
    }
    let long = format!("/search?q={}", "x".repeat(513));
    assert_refused("a search", &ada.get(&long).await, 422, Code::Invalid);
    // Texts that a query, an index or a script might interpret are searched for as text.
    for text in [
        "%27%20OR%201%3D1%20--",
        "*",
        "NEAR(a%20b)",
        "%2B-%3E%3C()~%40",
        "%25%25",
        "body:%20AND%20OR%20NOT",
        "%00",
        "in%3A1%2F1%20%22%27%3B%20DROP%20TABLE%20message%22",
    ] {
        let found = ada.get(&format!("/search?q={text}")).await.ok();
        assert_eq!(found["hits"], json!([]), "{text}");
    }
    let reply = json!({"body": "x", "replyTo": 1});
    let reply = ada.post("/meeting/1/order/1/message", &reply).await;
    assert_refused("a reply", &reply, 404, Code::NoSuchMessage);
    assert_eq!(seq(&ada).await, before + 1);
}

#[tokio::test]
async fn bodies() {
    let (_fixture, ada) = fixture().await;
    let before = seq(&ada).await;
    let json = |value: Value| value.to_string().into_bytes();
    let body = |text: &str| json(json!({"body": text}));
    let rows: Vec<(&str, Vec<u8>, u16, Code)> = vec![
        ("empty", body(""), 422, Code::BodyEmpty),
        ("white space", body(" \n\t "), 422, Code::BodyEmpty),
        (
            "4,097 bytes",
            body(&"x".repeat(4_097)),
            413,
            Code::BodyTooLong,
        ),
        (
            "4,098 bytes in 2,049 characters",
            body(&"é".repeat(2_049)),
            413,
            Code::BodyTooLong,
        ),
        ("escape", body("\u{1b}[2J"), 422, Code::BodyControl),
        ("bell", body("ding\u{7}"), 422, Code::BodyControl),
        ("nul", body("a\0b"), 422, Code::BodyControl),
        ("C1", body("a\u{9b}31mb"), 422, Code::BodyControl),
        ("missing", json(json!({})), 422, Code::Invalid),
        ("null", json(json!({"body": null})), 422, Code::Invalid),
        ("a number", json(json!({"body": 5})), 422, Code::Invalid),
        ("a list", json(json!(["body"])), 422, Code::Invalid),
        (
            "userID a text",
            json(json!({"body": "x", "userID": "1"})),
            422,
            Code::Invalid,
        ),
        (
            "userID negative",
            json(json!({"body": "x", "userID": -1})),
            422,
            Code::Invalid,
        ),
        (
            "somebody else",
            json(json!({"body": "x", "userID": 2})),
            403,
            Code::NotYourself,
        ),
        ("no JSON", b"{\"body\": ".to_vec(), 400, Code::Malformed),
        ("words", b"hello".to_vec(), 400, Code::Malformed),
        ("nothing", vec![], 400, Code::Malformed),
        (
            "invalid UTF-8",
            b"{\"body\": \"\xff\xfe\"}".to_vec(),
            400,
            Code::Malformed,
        ),
        (
            "lone surrogate",
            b"{\"body\": \"\\ud800\"}".to_vec(),
            400,
            Code::Malformed,
        ),
        ("64 KiB", body(&"x".repeat(65_537)), 413, Code::TooLarge),
    ];
    for (what, bytes, status, code) in rows {
        let path = "/meeting/1/order/1/message";
        let answer = ada.post_bytes(path, "application/json", bytes).await;
        assert_refused(what, &answer, status, code);
    }
    let request = ada.request(
        "POST".parse().expect("a method"),
        "/meeting/1/order/1/message",
    );
    let request = request.header("Idempotency-Key", "not a uuid");
    let answer = ada.send(request.json(&json!({"body": "x"}))).await;
    assert_refused("Idempotency-Key", &answer, 422, Code::Invalid);
    assert_eq!(seq(&ada).await, before + 1);
}

/// Texts with a meaning for a database, a script, a terminal or a template; they are stored as
/// plain text.
const CHARMS: &[&str] = &[
    "'; DROP TABLE message; --",
    "\" OR \"\"=\"",
    "Robert'); DELETE FROM user WHERE ('1'='1",
    "\\'; SELECT SLEEP(5); --",
    "redis.call('FLUSHALL')",
    "]] redis.call('FLUSHALL') --[[",
    "*3\n$3\nSET\n$1\na\n$1\nb\n",
    "{meeting:1:order:1}:log",
    "%s %d %n {} {0} ${x} $(reboot) `reboot`",
    "<script>alert(1)</script>",
    "nul is \\u0000 and \\x1b is an escape, in letters",
    "tab\tand\nnew line",
    "👩‍👩‍👧 日本 שלום \u{202e}gnirts",
];

#[tokio::test]
async fn special_texts_are_stored_as_text() {
    let (fixture, ada) = fixture().await;
    for charm in CHARMS {
        let body = json!({"body": charm});
        ada.post("/meeting/1/order/1/message", &body).await.ok();
        let login = json!({"email": charm, "password": charm, "label": charm});
        let refused = Http::nobody(&fixture.server.url())
            .post("/login", &login)
            .await;
        assert!(
            [401, 422, 429].contains(&refused.status),
            "{}",
            refused.body
        );
        let stranger = Http::with_token(&fixture.server.url(), "' OR 1=1 --");
        assert_eq!(stranger.get("/me").await.status, 401);
    }
    let messages = ada.get("/meeting/1/order/1/messages").await.ok();
    let bodies: Vec<&str> = messages["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|message| message["body"].as_str())
        .collect();
    assert_eq!(bodies, CHARMS);

    // The same for everything that the command line stores.
    for charm in CHARMS.iter().filter(|charm| !charm.contains(['\n', '\t'])) {
        let add = [
            "meeting",
            "add",
            "--title",
            charm,
            "--description",
            charm,
            "--public",
        ];
        fixture.server.cli(&add).ok();
    }
    let listed = fixture.server.cli(&["meeting", "list", "--json"]).ok();
    let titles: Vec<Value> = listed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["title"].clone())
        .collect();
    for charm in CHARMS.iter().filter(|charm| !charm.contains(['\n', '\t'])) {
        assert!(
            titles.contains(&json!(charm)),
            "{charm} is not in {titles:?}"
        );
    }
    assert_eq!(
        fixture.stores.database.value("SELECT COUNT(*) FROM user"),
        "2"
    );
}

/// Invalid lines with the code of the answer.
const LINES: &[(&str, Code)] = &[
    ("", Code::Malformed),
    ("hello", Code::Malformed),
    ("{", Code::Malformed),
    ("[]", Code::Malformed),
    ("{}", Code::Malformed),
    ("{\"id\":7}", Code::Malformed),
    ("{\"id\":7,\"no_such_verb\":{}}", Code::Malformed),
    ("{\"id\":-7,\"meetings\":{}}", Code::Malformed),
    ("{\"id\":\"7\",\"meetings\":{}}", Code::Malformed),
    ("{\"id\":7,\"join\":{}}", Code::Invalid),
    ("{\"id\":7,\"join\":{\"meetingID\":1}}", Code::Invalid),
    (
        "{\"id\":7,\"join\":{\"meetingID\":\"1\",\"orderID\":1}}",
        Code::Invalid,
    ),
    (
        "{\"id\":7,\"join\":{\"meetingID\":1,\"orderID\":-1}}",
        Code::Invalid,
    ),
    (
        "{\"id\":7,\"join\":{\"meetingID\":1,\"orderID\":18446744073709551616}}",
        Code::Invalid,
    ),
    (
        "{\"id\":7,\"join\":{\"meetingID\":99,\"orderID\":1}}",
        Code::NotFound,
    ),
    (
        "{\"id\":7,\"join\":{\"meetingID\":1,\"orderID\":2}}",
        Code::NotStarted,
    ),
    (
        "{\"id\":7,\"join\":{\"meetingID\":1,\"orderID\":3}}",
        Code::Ended,
    ),
    (
        "{\"id\":7,\"join\":{\"meetingID\":2,\"orderID\":1}}",
        Code::NotFound,
    ),
    (
        "{\"id\":7,\"join\":{\"meetingID\":1,\"orderID\":1}}",
        Code::AlreadyParticipant,
    ),
    (
        "{\"id\":7,\"post\":{\"meetingID\":1,\"orderID\":1,\"body\":\"x\"}}",
        Code::Invalid,
    ),
    (
        "{\"id\":7,\"post\":{\"meetingID\":1,\"orderID\":1,\"cmid\":\"x\",\"body\":\"x\"}}",
        Code::Invalid,
    ),
];

#[tokio::test]
async fn lines_of_the_websocket() {
    let (fixture, ada) = fixture().await;
    let before = seq(&ada).await;
    let mut ws = fixture.ws("ada").await;
    for (line, code) in LINES.iter().filter(|(line, _)| !line.is_empty()) {
        ws.send_text(line).await;
        assert_reply(&mut ws, line, *code).await;
    }
    let bodies = [
        (String::new(), Code::BodyEmpty),
        ("x".repeat(4_097), Code::BodyTooLong),
        ("\u{1b}]0;title\u{7}".to_owned(), Code::BodyControl),
    ];
    for (body, code) in bodies {
        let cmid = "01890a5d-ac96-774b-bcce-b302099a8057";
        let post = json!({"id": 7, "post":
            {"meetingID": 1, "orderID": 1, "cmid": cmid, "body": body}});
        ws.send_text(&post.to_string()).await;
        assert_reply(&mut ws, "post", code).await;
    }
    // The connection has survived all of it.
    ws.post(instance(1, 1), "still here")
        .await
        .expect("ada is in");
    assert_eq!(seq(&ada).await, before + 2);
}

async fn assert_reply(ws: &mut Ws, line: &str, code: Code) {
    let reply = ws.next_reply().await;
    match reply.outcome {
        plenary_shared::protocol::Outcome::Error(reject) => {
            // An unreadable number or verb is a malformed request or an invalid field; both are
            // answered.
            let same =
                reject.code == code || (code == Code::Malformed && reject.code == Code::Invalid);
            assert!(same, "{line}: {reject}, not {code}");
            assert_sentence(line, &json!(reject.detail));
        }
        plenary_shared::protocol::Outcome::Ok(value) => panic!("{line}: {value}"),
    }
}

#[tokio::test]
async fn frame_over_64_kib_closes_only_its_connection() {
    let (fixture, ada) = fixture().await;
    let mut other = fixture.ws("ada").await;
    let mut ws = fixture.ws("ada").await;
    let before = seq(&ada).await;
    ws.send_text(&format!(
        "{{\"id\":1,\"meetings\":{{}},\"x\":\"{}\"}}",
        "x".repeat(70_000)
    ))
    .await;
    ws.closed().await;
    other
        .post(instance(1, 1), "unmoved")
        .await
        .expect("ada is in");
    assert_eq!(seq(&ada).await, before + 2);
}

#[tokio::test]
async fn invalid_utf8_is_refused() {
    let (fixture, ada) = fixture().await;
    let before = seq(&ada).await;
    let mut ws = fixture.ws("ada").await;
    ws.send_binary(b"\xff\xfe{\"id\":1,\"meetings\":{}}".to_vec())
        .await;
    let reply = ws.next_reply().await;
    assert!(
        matches!(reply.outcome, plenary_shared::protocol::Outcome::Error(r) if r.code == Code::Malformed)
    );
    ws.post(instance(1, 1), "still here")
        .await
        .expect("ada is in");
    assert_eq!(seq(&ada).await, before + 2);
}

#[tokio::test]
async fn post_and_leave_need_a_stay() {
    let (fixture, ada) = fixture().await;
    ada.post("/meeting/1/order/1/leave", &json!({})).await.ok();
    for (path, body) in [("leave", json!({})), ("message", json!({"body": "x"}))] {
        let answer = ada.post(&format!("/meeting/1/order/1/{path}"), &body).await;
        assert_refused(path, &answer, 409, Code::NotParticipant);
    }
    let mut ws = fixture.ws("ada").await;
    let refused = ws
        .post(instance(1, 1), "x")
        .await
        .expect_err("ada has left");
    assert_eq!(refused.code, Code::NotParticipant);
    let refused = ws.leave(instance(1, 1)).await.expect_err("ada has left");
    assert_eq!(refused.code, Code::NotParticipant);
}
