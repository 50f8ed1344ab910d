//! Revocation: what somebody may no longer do ends with their next request, on open sockets of every
//! server; and everybody manages their own password and sessions.

use std::time::{Duration, Instant};

use plenary_shared::protocol::{Plan, Verb, Watch};
use plenary_testkit::{
    Fixture, FixtureBuilder, Http, PASSWORD, Server, ServerOptions, Ws, instance,
};
use serde_json::{Value, json};

/// It takes milliseconds; the rest is for a slow machine. Without a notification, a socket checks only
/// every 10 s.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["ada", "grace", "mallory"])
        .admin("ada")
        .admin("grace")
        .meeting(1, "Seminar", Some(&["mallory"]))
        .instance(1, 1, -60, 3_600)
        .start()
}

fn plan() -> Verb {
    Verb::Plan(Plan::Meetings { after: None })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demoted_admin_has_no_power_from_the_next_request_on() {
    let fixture = fixture();
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let ada = fixture.http("ada");
    let token = fixture.token("grace");
    let urls = [fixture.server.url(), second.url()];
    for _ in 0..5 {
        let mut sockets = Vec::new();
        let mut reading = Vec::new();
        for url in &urls {
            let mut ws = Ws::hello(url, &token).await;
            let watch = Watch {
                stop: false,
                instance: None,
            };
            ws.ask(Verb::Watch(watch)).await.expect("an admin watches");
            ws.ask(plan()).await.expect("an admin plans");
            sockets.push(ws);
            // She is not invited, but an admin reads every meeting.
            let mut ws = Ws::hello(url, &token).await;
            ws.open(instance(1, 1)).await.expect("an admin reads");
            reading.push(ws);
        }
        let member = json!({"role": "member"});
        ada.put("/user/2/role", &member).await.ok();
        for ws in &mut sockets {
            let refused = ws.ask(plan()).await.expect_err("a member");
            assert_eq!(refused.code.as_str(), "admins_only");
            let hidden = ws.open(instance(1, 1)).await.expect_err("a member");
            assert_eq!(hidden.code.as_str(), "not_found");
        }
        for url in &urls {
            let http = Http::with_token(url, &token);
            assert_eq!(http.get("/users").await.code(), "admins_only");
        }
        let begun = Instant::now();
        for ws in &mut reading {
            // The client resumes, and learns what it may still follow.
            assert_eq!(ws.closed().await.code, Some(4_000));
        }
        assert!(begun.elapsed() < NOTICED_WITHIN, "{:?}", begun.elapsed());
        let admin = json!({"role": "admin"});
        ada.put("/user/2/role", &admin).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reader_removed_from_the_audience_stops_following_at_once() {
    let fixture = fixture();
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let token = fixture.token("mallory");
    let ada = fixture.http("ada");
    for by in ["audience", "command line"] {
        let mut sockets = [
            Ws::hello(&fixture.server.url(), &token).await,
            Ws::hello(&second.url(), &token).await,
        ];
        for ws in &mut sockets {
            ws.open(instance(1, 1)).await.expect("mallory is invited");
        }
        let begun = Instant::now();
        if by == "audience" {
            let remove = json!({"remove": ["mallory@example.org"]});
            ada.patch("/plan/meeting/1/audience", &remove).await.ok();
        } else {
            let remove = ["meeting", "audience", "remove", "1", "mallory@example.org"];
            fixture.server.cli(&remove).ok();
        }
        for ws in &mut sockets {
            assert_eq!(ws.closed().await.code, Some(4_000), "{by}");
        }
        assert!(begun.elapsed() < NOTICED_WITHIN, "{:?}", begun.elapsed());
        let mut ws = Ws::hello(&second.url(), &token).await;
        let refused = ws.open(instance(1, 1)).await.expect_err("not invited");
        assert_eq!(refused.code.as_str(), "not_found");
        let add = json!({"add": ["mallory@example.org"]});
        ada.patch("/plan/meeting/1/audience", &add).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_change_their_own_password_which_ends_their_other_sessions() {
    let fixture = fixture();
    fixture.set_password("mallory");
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let here = Http::login(&fixture.server.url(), "mallory@example.org", PASSWORD).await;
    let other = Http::login(&second.url(), "mallory@example.org", PASSWORD).await;
    let token = |http: &Http| http.token().expect("signed in").to_owned();
    let mut kept = Ws::hello(&second.url(), &token(&here)).await;
    let mut ended = Ws::hello(&second.url(), &token(&other)).await;
    let path = "/user/3/password";
    for (body, expected) in [
        (json!({"password": "another long one"}), "invalid"),
        (json!({"old_password": PASSWORD}), "invalid"),
        (
            json!({"old_password": PASSWORD, "password": "x"}),
            "invalid",
        ),
        (
            json!({"old_password": "a wrong guess", "password": "another long one"}),
            "wrong_password",
        ),
    ] {
        assert_eq!(here.put(path, &body).await.code(), expected, "{body}");
    }
    // Not that of somebody else.
    let body = json!({"old_password": PASSWORD, "password": "another long one"});
    assert_eq!(
        here.put("/user/1/password", &body).await.code(),
        "admins_only"
    );
    here.put(path, &body).await.ok();
    assert_eq!(ended.closed().await.code, Some(4_501));
    assert_eq!(other.get("/me").await.code(), "not_signed_in");
    here.get("/me").await.ok();
    kept.ask(Verb::Meetings {}).await.expect("it is still open");
    let nobody = Http::nobody(&second.url());
    let login = |password: &str| json!({"email": "mallory@example.org", "password": password});
    let old = nobody.post("/login", &login(PASSWORD)).await;
    assert_eq!(old.code(), "wrong_password");
    nobody.post("/login", &login("another long one")).await.ok();
    // Admins change their own password in the same way.
    let ada = fixture.http("ada");
    let own = ada.put("/user/1/password", &json!({})).await;
    assert_eq!(own.code(), "invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_see_and_end_their_own_sessions() {
    let fixture = fixture();
    fixture.set_password("mallory");
    let login = async || Http::login(&fixture.server.url(), "mallory@example.org", PASSWORD).await;
    let (here, other, third) = (login().await, login().await, login().await);
    let path = "/user/3/sessions";
    let listed = async |http: &Http| {
        let listed = http.get(path).await.ok();
        listed["sessions"].as_array().expect("a list").clone()
    };
    let mut socket = Ws::hello(&fixture.server.url(), other.token().expect("signed in")).await;
    let current = |sessions: &[Value]| -> Value {
        let mut found = sessions.iter().filter(|one| one["current"] == true);
        let id = found.next().expect("the session that asks")["id"].clone();
        assert!(found.next().is_none(), "{sessions:?}");
        id
    };
    let all = listed(&here).await;
    assert_eq!(all.len(), 3);
    let id = current(&listed(&other).await);
    assert_ne!(id, current(&all));
    let id = id.as_str().expect("a text");
    here.delete(&format!("{path}/{id}")).await.ok();
    assert_eq!(socket.closed().await.code, Some(4_501));
    assert_eq!(other.get("/me").await.code(), "not_signed_in");
    let again = here.delete(&format!("{path}/{id}")).await;
    assert_eq!(again.code(), "not_found");
    let malformed = here.delete(&format!("{path}/x")).await;
    assert_eq!(malformed.code(), "invalid");
    here.delete(path).await.ok();
    assert_eq!(third.get("/me").await.code(), "not_signed_in");
    assert_eq!(listed(&here).await.len(), 1);
    for path in ["/user/1/sessions", "/user/1/sessions/0123456789abcdef"] {
        assert_eq!(here.delete(path).await.code(), "admins_only", "{path}");
    }
    assert_eq!(here.get("/user/1/sessions").await.code(), "admins_only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_user_commands_have_no_effect() {
    let fixture = fixture();
    let ada = fixture.http("ada");
    let grace = fixture.http("grace");
    let enabled = ada.post("/user/2/enable", &json!({})).await.ok();
    assert_eq!(enabled["already"], true, "{enabled}");
    grace.get("/me").await.ok();
    let admin = json!({"role": "admin"});
    let role = ada.put("/user/2/role", &admin).await.ok();
    assert_eq!(role["already"], true, "{role}");
    let first = ada.post("/user/2/disable", &json!({})).await.ok();
    assert!(first["already"].is_null(), "{first}");
    let since = ada.get("/users").await.ok()["users"][1]["disabled_at"].clone();
    let second = ada.post("/user/2/disable", &json!({})).await.ok();
    assert_eq!(second["already"], true, "{second}");
    assert_eq!(
        ada.get("/users").await.ok()["users"][1]["disabled_at"],
        since
    );
    let disable = ["user", "disable", "grace@example.org"];
    let said = fixture.server.cli(&disable).ok();
    assert!(said.contains("already disabled"), "{said}");
    let title = json!({"title": "Colloquium"});
    for _ in 0..2 {
        let edited = ada.patch("/plan/meeting/1", &title).await.ok();
        assert_eq!(edited["meetings"][0]["title"], "Colloquium");
    }
    let audit = "SELECT action FROM audit ORDER BY auditID";
    let audit = fixture.stores.database.query(audit).concat();
    assert_eq!(audit, ["disabled", "edited"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_revokes_on_open_sockets_of_a_server_on_sqlite() {
    let server = Server::embedded(ServerOptions::default());
    server.add_user("Ada", "ada@example.org", PASSWORD);
    let role = |role| server.cli(&["user", "role", "ada@example.org", role]).ok();
    let mut ws = Ws::hello(&server.url(), &server.token("ada@example.org")).await;
    let refused = ws.ask(plan()).await.expect_err("a member");
    assert_eq!(refused.code.as_str(), "admins_only");
    role("admin");
    let promoted = async {
        while ws.ask(plan()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(NOTICED_WITHIN, promoted)
        .await
        .expect("the promotion is noticed");
    role("member");
    let refused = ws.ask(plan()).await.expect_err("a member");
    assert_eq!(refused.code.as_str(), "admins_only");
    let begun = Instant::now();
    server.cli(&["user", "disable", "ada@example.org"]).ok();
    assert_eq!(ws.closed().await.code, Some(4_501));
    assert!(begun.elapsed() < NOTICED_WITHIN, "{:?}", begun.elapsed());
}
