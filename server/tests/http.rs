//! HTTP as scripts see it: shapes, refusals, signing in, an unavailable store.

use axum::http::Method;
use plenary_testkit::{Fixture, FixtureBuilder, Http, PASSWORD, until};
use serde_json::{Value, json};

/// Meeting 1 is for ada and bob and active; 2 for ada and active; 3 public and upcoming.
fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["ada", "bob", "eve"])
        .meeting(1, "Course", Some(&["ada", "bob"]))
        .instance(1, 1, -60, 3_600)
        .meeting(2, "Secret", Some(&["ada"]))
        .instance(2, 1, -60, 3_600)
        .meeting(3, "Seminar", None)
        .instance(3, 1, 3_600, 7_200)
        .start()
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn documented_routes_have_stable_shapes() {
    let fixture = fixture();
    let bob = fixture.http("bob");
    let at = "/meeting/1/order/1";

    let joined = bob.get(&format!("{at}/join")).await.ok();
    assert_eq!(keys(&joined), ["message", "seq", "success", "timestamp"]);
    assert_eq!(joined["success"], true);

    let people = bob.get(&format!("{at}/participants")).await.ok();
    let person = &people["participants"][0];
    assert_eq!(
        keys(person),
        ["age", "email", "gender", "joined", "name", "userID"]
    );
    assert_eq!(person["joined"], joined["timestamp"]);

    let posted = bob
        .post(
            &format!("{at}/message"),
            &json!({"body": "one", "userID": 2}),
        )
        .await;
    assert_eq!(posted.status, 201);
    assert_eq!(
        keys(&posted.body),
        ["cmid", "message", "seq", "success", "timestamp"]
    );

    let again = || {
        bob.request(Method::POST, &format!("{at}/message"))
            .header("Idempotency-Key", "01890a5d-ac96-774b-bcce-b302099a8057")
            .json(&json!({"body": "two"}))
    };
    let first = bob.send(again()).await;
    let second = bob.send(again()).await;
    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(first.body["seq"], second.body["seq"]);
    assert_eq!(first.body["timestamp"], second.body["timestamp"]);
    let durable = json!({"body": "two", "ack": "durable", "cmid": first.body["cmid"]});
    let durable = bob.post(&format!("{at}/message"), &durable).await;
    assert_eq!(durable.status, 200);
    assert_eq!(durable.body["seq"], first.body["seq"]);
    assert_eq!(durable.body["durable"], true);
    let differing = again().json(&json!({"body": "x", "cmid": uuid::Uuid::now_v7()}));
    let differing = bob.send(differing).await;
    assert_eq!((differing.status, differing.code()), (422, "invalid"));

    let messages = bob.get(&format!("{at}/messages")).await.ok();
    assert_eq!(messages["more"], false);
    let bodies: Vec<&Value> = messages["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|message| &message["body"])
        .collect();
    assert_eq!(bodies, ["one", "two"]);
    assert_eq!(
        keys(&messages["messages"][0]),
        ["body", "cmid", "name", "seq", "timestamp", "userID"]
    );
    let last = bob.get(&format!("{at}/messages?limit=1")).await.ok();
    assert_eq!(last["messages"][0]["body"], "two");
    assert_eq!(last["more"], true);
    let of_bob = bob.get(&format!("{at}/user/2/messages")).await.ok();
    assert_eq!(keys(&of_bob), ["more", "user_messages"]);
    assert_eq!(of_bob["user_messages"], messages["messages"]);

    let active = bob.get("/active-meetings").await.ok();
    let active = active["active_meetings"].as_array().expect("a list");
    assert_eq!(active.len(), 1, "{active:?}");
    for key in [
        "title",
        "description",
        "isPublic",
        "fromdatetime",
        "todatetime",
    ] {
        assert!(!active[0][key].is_null(), "{key}");
    }
    assert_eq!(active[0]["participants"], 1);

    let joins = bob
        .get("/active-meetings-participants-join-logs")
        .await
        .ok();
    let joins = &joins["active_meetings_participants_join_logs"];
    assert_eq!(joins.as_array().map(Vec::len), Some(1));
    assert_eq!(joins[0]["meeting"], "Course");
    assert_eq!(joins[0]["join_logs"][0]["eventType"], "join");
    assert_eq!(joins[0]["join_logs"][0]["timestamp"], joined["timestamp"]);

    let listed = bob.get("/meetings").await.ok();
    let titles: Vec<&Value> = listed["meetings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|meeting| &meeting["title"])
        .collect();
    assert_eq!(titles, ["Course", "Seminar"]);

    let left = bob.post(&format!("{at}/leave"), &json!({})).await.ok();
    assert_eq!(keys(&left), ["message", "seq", "success", "timestamp"]);
    assert_eq!(
        left["seq"].as_u64(),
        first.body["seq"].as_u64().map(|seq| seq + 1)
    );
}

/// A request by bob, a participant of 1/1, and how it is refused.
type Refused<'a> = (&'a str, &'a str, Vec<u8>, u16, &'a str, &'a str);

#[tokio::test]
async fn bad_requests_are_explained_and_change_nothing() {
    let fixture = fixture();
    let bob = fixture.http("bob");
    bob.get("/meeting/1/order/1/join").await.ok();
    let before = bob.get("/meeting/1/order/1/messages").await.ok();
    let say = "/meeting/1/order/1/message";
    let body = |text: &str| json!({ "body": text }).to_string().into_bytes();
    let nothing = Vec::new;
    #[rustfmt::skip]
    let cases: Vec<Refused<'_>> = vec![
        ("GET", "/meeting/1/order/1/join", nothing(), 409, "already_participant", "already"),
        ("GET", "/meeting/9/order/1/join", nothing(), 404, "not_found", "list of meetings"),
        ("GET", "/meeting/3/order/1/join", nothing(), 400, "not_started", "starts at"),
        ("GET", "/meeting/2/order/1/join", nothing(), 404, "not_found", "invite"),
        ("GET", "/meeting/3/order/1/leave", nothing(), 400, "not_started", "starts at"),
        ("GET", "/meeting/1/order/-1/join", nothing(), 422, "invalid", "orderID in the path must be a whole number"),
        ("GET", "/meeting/1/order/18446744073709551616/join", nothing(), 422, "invalid", "orderID"),
        ("GET", "/meeting/x/order/1/participants", nothing(), 422, "invalid", "meetingID"),
        ("GET", "/meeting/1/order/1%3B%20DROP/participants", nothing(), 422, "invalid", "orderID"),
        ("GET", "/meeting/%ff/order/1/join", nothing(), 400, "malformed", "UTF-8"),
        ("GET", "/meeting/1/order/1/user/-1/messages", nothing(), 422, "invalid", "userID"),
        ("GET", "/meeting/1/order/1/messages?limit=0", nothing(), 422, "invalid", "from 1 to 1000"),
        ("GET", "/meeting/1/order/1/messages?limit=1001", nothing(), 422, "invalid", "from 1 to 1000"),
        ("GET", "/meeting/1/order/1/messages?after=x", nothing(), 422, "invalid", "after"),
        ("GET", "/meeting/1/order/1/messages?after=1&before=2", nothing(), 422, "invalid", "exclude each other"),
        ("GET", "/meeting/1/order/1/messages?userID=1", nothing(), 403, "not_yourself", "Leave it out"),
        ("GET", "/meeting/1/order/1/leave?userID=1", nothing(), 403, "not_yourself", "Leave it out"),
        ("POST", "/meeting/1/order/1/leave", br#"{"userID":1}"#.to_vec(), 403, "not_yourself", "Leave it out"),
        ("POST", "/meeting/1/order/1/leave", br#"{"userID":"2"}"#.to_vec(), 422, "invalid", "userID"),
        ("POST", say, body(""), 422, "body_empty", "empty"),
        ("POST", say, body(" \n\t"), 422, "body_empty", "empty"),
        ("POST", say, body(&"x".repeat(4_097)), 413, "body_too_long", "4096"),
        ("POST", say, body(&"é".repeat(2_049)), 413, "body_too_long", "4098 bytes"),
        ("POST", say, body("\u{1b}[2J"), 422, "body_control", "U+001B"),
        ("POST", say, body("a\u{9b}b"), 422, "body_control", "U+009B"),
        ("POST", say, body("a\0b"), 422, "body_control", "U+0000"),
        ("POST", say, body(&"x".repeat(65_536)), 413, "too_large", "65,536 bytes"),
        ("POST", say, nothing(), 400, "malformed", "not valid JSON"),
        ("POST", say, b"{\"body\":".to_vec(), 400, "malformed", "not valid JSON"),
        ("POST", say, b"{\"body\":\"\xff\"}".to_vec(), 400, "malformed", "UTF-8"),
        ("POST", say, b"{}".to_vec(), 422, "invalid", "missing field `body`"),
        ("POST", say, b"[]".to_vec(), 422, "invalid", "body"),
        ("POST", say, br#"{"body":7}"#.to_vec(), 422, "invalid", "expected a string"),
        ("POST", say, br#"{"body":"x","userID":1}"#.to_vec(), 403, "not_yourself", "Leave it out"),
        ("POST", say, br#"{"body":"x","userID":-2}"#.to_vec(), 422, "invalid", "userID"),
        ("POST", say, br#"{"body":"x","userID":18446744073709551616}"#.to_vec(), 422, "invalid", "userID"),
        ("POST", "/meeting/3/order/1/message", body("x"), 400, "not_started", "starts at"),
        ("GET", "/nowhere", nothing(), 404, "not_found", "/docs"),
        ("GET", "/docs/nowhere.js", nothing(), 404, "not_found", "/docs"),
        ("DELETE", "/me", nothing(), 405, "malformed", "does not support DELETE"),
    ];
    for (method, path, body, status, code, detail) in cases {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let shown = format!("{method} {path} {}", String::from_utf8_lossy(&body));
        let request = bob.request(method, path).body(body);
        let answer = bob
            .send(request.header("content-type", "application/json"))
            .await;
        assert_eq!((answer.status, answer.code()), (status, code), "{shown}");
        let said = answer.body["detail"].as_str().unwrap_or_default();
        assert!(said.contains(detail), "{shown}: {said}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(answer.headers.contains_key("x-request-id"), "{shown}");
    }
    let key = bob
        .request(Method::POST, say)
        .header("Idempotency-Key", "seven")
        .json(&json!({"body": "x"}));
    let answer = bob.send(key).await;
    assert_eq!((answer.status, answer.code()), (422, "invalid"));
    let after = bob.get("/meeting/1/order/1/messages").await.ok();
    assert_eq!(before, after);
}

#[tokio::test]
async fn texts_are_data() {
    let fixture = fixture();
    let bob = fixture.http("bob");
    bob.get("/meeting/1/order/1/join").await.ok();
    let texts = [
        "'; DROP TABLE message; --",
        "\\'; DELETE FROM user WHERE '1'='1",
        "redis.call('FLUSHALL') ]] .. error('x') --[[",
        "%s %d %n $1 ? :body {0}",
        "👩‍👩‍👧 日本 é 🇩🇪 שלום \u{202e}",
        "two\nlines\tand a tab",
    ];
    for text in texts {
        let say = json!({ "body": text });
        let answer = bob.post("/meeting/1/order/1/message", &say).await;
        assert_eq!(answer.status, 201, "{text}: {}", answer.body);
    }
    let messages = bob.get("/meeting/1/order/1/messages").await.ok();
    let messages = messages["messages"].as_array().expect("a list");
    let read: Vec<&str> = messages
        .iter()
        .filter_map(|message| message["body"].as_str())
        .collect();
    assert_eq!(read, texts);
}

#[tokio::test]
async fn uninvited_user_sees_and_does_nothing() {
    let fixture = fixture();
    let bob = fixture.http("bob");
    bob.get("/meeting/1/order/1/join").await.ok();
    let eve = fixture.http("eve");
    let nobody = Http::nobody(&fixture.server.url());
    let forged = Http::with_token(&fixture.server.url(), &"0".repeat(64));
    let broken = Http::with_token(&fixture.server.url(), "x");
    let at = "/meeting/1/order/1";
    let routes = [
        (Method::GET, format!("{at}/join"), "not_found"),
        (Method::POST, format!("{at}/join"), "not_found"),
        (Method::GET, format!("{at}/participants"), "not_found"),
        (Method::GET, format!("{at}/messages"), "not_found"),
        (Method::GET, format!("{at}/user/2/messages"), "not_found"),
        (Method::GET, format!("{at}/leave"), ""),
        (Method::POST, format!("{at}/leave"), ""),
        (Method::POST, format!("{at}/message"), ""),
        (Method::GET, "/meetings".to_owned(), "sees"),
        (Method::GET, "/active-meetings".to_owned(), "sees"),
        (
            Method::GET,
            "/active-meetings-participants-join-logs".to_owned(),
            "sees",
        ),
        (Method::GET, "/me".to_owned(), "sees"),
        (Method::POST, "/logout".to_owned(), "last"),
    ];
    for (method, path, expected) in routes {
        let body = json!({"body": "x"});
        for stranger in [&nobody, &forged, &broken] {
            let request = stranger.request(method.clone(), &path).json(&body);
            let answer = stranger.send(request).await;
            assert_eq!(
                (answer.status, answer.code()),
                (401, "not_signed_in"),
                "{path}"
            );
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
        if expected == "last" {
            continue;
        }
        let answer = eve.send(eve.request(method, &path).json(&body)).await;
        if expected == "sees" {
            let shown = answer.ok().to_string();
            assert!(
                !shown.contains("Course") && !shown.contains("Secret"),
                "{shown}"
            );
        } else {
            // The two refusals must look the same to her.
            assert!(
                ["not_found", "not_participant"].contains(&answer.code()),
                "{path}: {}",
                answer.body
            );
            assert!(expected.is_empty() || answer.code() == expected, "{path}");
            let said = answer.body.to_string();
            assert!(!said.contains("Course") && !said.contains("bob"), "{said}");
        }
    }
}

#[tokio::test]
async fn signing_in_and_out() {
    let fixture = fixture();
    let url = fixture.server.url();
    fixture.set_password("bob");
    let nobody = Http::nobody(&url);

    let login = json!({"email": " BOB@example.org", "password": PASSWORD, "label": "a\u{7}b"});
    let answer = nobody.post("/login", &login).await.ok();
    assert_eq!(
        keys(&answer),
        ["expires_at", "name", "role", "token", "userID"]
    );
    let token = answer["token"].as_str().expect("a token");
    let stored = fixture.stores.database.query("SELECT * FROM session");
    assert!(!format!("{stored:?}").contains(token), "{stored:?}");

    let bob = Http::with_token(&url, token);
    assert_eq!(bob.get("/me").await.ok()["email"], "bob@example.org");
    let elsewhere = fixture.http("bob");
    bob.post("/logout", &json!({})).await.ok();
    assert_eq!(bob.get("/me").await.status, 401);
    assert_eq!(elsewhere.get("/me").await.status, 200);

    // None of the three answers says which half was wrong: eve has no password at all.
    let mut answers = vec![];
    for email in ["bob@example.org", "eve@example.org", "none@example.org"] {
        let login = json!({"email": email, "password": "a wrong password"});
        let answer = nobody.post("/login", &login).await;
        assert_eq!((answer.status, answer.code()), (401, "wrong_password"));
        answers.push(answer.body);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));

    let login = json!({"email": "eve@example.org", "password": "guess"});
    let refused = loop {
        let answer = nobody.post("/login", &login).await;
        if answer.status != 401 {
            break answer;
        }
    };
    assert_eq!((refused.status, refused.code()), (429, "too_many_requests"));
    assert!(refused.headers.contains_key("retry-after"));
    // Others are not slowed down.
    Http::login(&url, "bob@example.org", PASSWORD).await;

    let log = fixture.server.log().join("\n");
    for secret in [PASSWORD, token, "bob@example.org", "guess"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn unavailable_store_is_reported_with_an_id() {
    let mut fixture = fixture();
    let bob = fixture.http("bob");
    assert_eq!(bob.get("/readyz").await.status, 200);
    fixture.stores.redis.kill9();
    let ready = bob.get("/readyz").await;
    assert_eq!((ready.status, ready.code()), (503, "unavailable"));
    assert!(
        ready.body["detail"]
            .as_str()
            .is_some_and(|d| d.contains("Redis"))
    );
    assert_eq!(bob.get("/livez").await.status, 200);

    let answer = bob.get("/meeting/1/order/1/join").await;
    assert_eq!((answer.status, answer.code()), (503, "unavailable"));
    assert!(answer.headers.contains_key("retry-after"));
    let id = answer.headers["x-request-id"].to_str().expect("an id");
    let detail = answer.body["detail"].as_str().expect("a sentence");
    assert!(detail.contains(id), "{detail}");
    let failures = || {
        let mut log = fixture.server.log();
        log.retain(|line| line.contains(id) && line.contains("ERROR"));
        log
    };
    until("the failure to be in the log", || {
        (!failures().is_empty()).then_some(())
    });
    assert_eq!(failures().len(), 1, "{:?}", failures());
}

#[tokio::test]
async fn documentation_needs_no_network() {
    let fixture = fixture();
    let nobody = Http::nobody(&fixture.server.url());
    let document = nobody.get("/openapi.json").await.ok();
    assert_eq!(document["info"]["title"], "Plenary");
    let page = nobody.get("/docs/").await.ok();
    let page = page.as_str().expect("a page");
    assert!(page.contains("swagger-ui"), "{page}");
    assert!(
        !page.contains("//"),
        "it loads something from elsewhere: {page}"
    );
}
