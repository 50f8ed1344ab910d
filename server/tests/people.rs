//! User management: disabling takes effect at once on every server; explain names the rule.

use std::time::{Duration, Instant};

use plenary_testkit::{Client, Fixture, FixtureBuilder, Http, PASSWORD, Server, Ws, instance};
use serde_json::json;

/// It takes milliseconds; the rest is for a slow machine. A socket checks its session only every 10
/// s.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["ada", "grace", "mallory"])
        .admin("ada")
        .meeting(1, "Seminar", Some(&["grace"]))
        .instance(1, 1, -60, 3_600)
        .instance(1, 2, 3_600, 7_200)
        .start()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disabled_user_is_disconnected_on_every_server() {
    let fixture = fixture();
    fixture.set_password("grace");
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let token = fixture.token("grace");
    let http = Http::with_token(&second.url(), &token);
    http.get("/me").await.ok();
    let signed_in = Http::login(&fixture.server.url(), "grace@example.org", PASSWORD).await;
    let mut sockets = vec![
        Ws::hello(&second.url(), &token).await,
        Ws::hello(&fixture.server.url(), signed_in.token().expect("a token")).await,
    ];
    let ada = fixture.http("ada");
    let listed = ada.get("/user/2/sessions").await.ok();
    assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(2));
    let begun = Instant::now();
    ada.post("/user/2/disable", &json!({})).await.ok();
    for ws in &mut sockets {
        assert_eq!(ws.closed().await.code, Some(4_501));
    }
    let took = begun.elapsed();
    println!("disabled, and out on two servers, within {took:?}");
    assert!(took < CLOSED_WITHIN, "{took:?}");
    assert_eq!(http.get("/me").await.code(), "not_signed_in");
    let login = json!({"email": "grace@example.org", "password": PASSWORD});
    let nobody = Http::nobody(&second.url());
    let refused = nobody.post("/login", &login).await;
    assert_eq!((refused.status, refused.code()), (403, "disabled"));
    // Not even to a client that does not know the password.
    let guess = json!({"email": "grace@example.org", "password": "a guess of it"});
    assert_eq!(nobody.post("/login", &guess).await.code(), "wrong_password");

    ada.post("/user/2/enable", &json!({})).await.ok();
    assert_eq!(
        http.get("/me").await.code(),
        "not_signed_in",
        "the old token"
    );
    let token = nobody.post("/login", &login).await.ok()["token"].clone();
    let token = token.as_str().expect("a token");
    let mut again = Ws::hello(&second.url(), token).await;
    // From the command line, which is another process.
    fixture
        .server
        .cli(&["user", "revoke", "grace@example.org"])
        .ok();
    assert_eq!(again.closed().await.code, Some(4_501));
    let sessions = fixture
        .server
        .cli(&["user", "sessions", "grace@example.org"]);
    assert_eq!(sessions.ok(), "");
    fixture
        .server
        .cli(&["user", "role", "grace@example.org", "admin"])
        .ok();
    let grace = fixture.http("grace");
    grace.get("/users").await.ok();
    // Admins cannot disable themselves, so one admin always remains.
    let disable = grace.post("/user/2/disable", &json!({})).await;
    let demote = grace.put("/user/2/role", &json!({"role": "member"})).await;
    assert_eq!((disable.code(), demote.code()), ("invalid", "invalid"));
    let audit = "SELECT COALESCE(actor, 0), action, target FROM audit ORDER BY auditID";
    let audit: Vec<String> = fixture
        .stores
        .database
        .query(audit)
        .into_iter()
        .map(|row| row.join(" "))
        .collect();
    let expected = [
        "0 password user 2",
        "0 sessions_revoked user 2",
        "1 disabled user 2",
        "1 enabled user 2",
        "0 sessions_revoked user 2",
        "0 role user 2",
    ];
    assert_eq!(audit, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_names_the_rule() {
    let fixture = fixture();
    let ada = Client::with_token(&fixture.server.url(), &fixture.token("ada"));
    let explain = |email: &str, at: &str| {
        let email = format!("{email}@example.org");
        ada.run(&["admin", "explain", &email, at]).ok()
    };
    assert!(explain("grace", "1/1").starts_with("can join (in_audience)"));
    assert!(explain("mallory", "1/1").starts_with("cannot join (not_in_audience)"));
    assert!(explain("nobody", "1/1").starts_with("cannot join (unknown_user)"));
    assert!(explain("grace", "1/2").starts_with("cannot join (not_started)"));
    ada.run(&["admin", "lock", "1/1"]).ok();
    assert!(explain("grace", "1/1").starts_with("cannot join (locked)"));
    ada.run(&["admin", "remove", "1/1", "grace@example.org", "--ban"])
        .ok();
    let said = explain("grace", "1/1");
    assert!(
        said.contains("(banned)") && said.contains("plenary admin unban 1/1"),
        "{said}"
    );
    fixture
        .server
        .cli(&["user", "disable", "grace@example.org"])
        .ok();
    assert!(explain("grace", "1/1").starts_with("cannot join (disabled)"));
    ada.run(&["admin", "end", "1/1"]).ok();
    fixture.wait_state(instance(1, 1), "ended");
    fixture
        .server
        .cli(&["user", "enable", "grace@example.org"])
        .ok();
    assert!(explain("grace", "1/1").starts_with("cannot join (ended)"));
    assert_eq!(
        ada.run(&["admin", "explain", "grace@example.org", "9/9"])
            .code,
        4
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_managed_from_the_command_line() {
    let fixture = fixture();
    let url = fixture.server.url();
    let ada = Client::with_token(&url, &fixture.token("ada"));
    let user = |args: &[&str], input: &str| {
        let args = [&["admin", "user"], args].concat();
        ada.run_with_input(&args, input)
    };
    let new = ["add", "--name", "Hamid", "--email", "hamid@example.org"];
    let added = user(
        &[&new[..], &["--age", "25", "--gender", "male"]].concat(),
        "",
    )
    .ok();
    let password = added
        .lines()
        .last()
        .and_then(|line| line.split(": ").nth(1));
    let password = password.expect("a password that was made");
    Http::login(&url, "hamid@example.org", password).await;
    let sessions = user(&["sessions", "hamid@example.org"], "").ok();
    assert_eq!(sessions.lines().count(), 1, "{sessions}");
    assert_eq!(user(&new, "").code, 4, "the address is taken");

    let given = ["passwd", "#4", "--password-stdin"];
    user(&given, "correct horse\n").ok();
    assert_eq!(user(&given, "short\n").code, 4);
    assert_eq!(user(&["sessions", "4"], "").ok(), "");
    let mut ws = Ws::hello(
        &url,
        Http::login(&url, "hamid@example.org", "correct horse")
            .await
            .token()
            .expect("signed in"),
    )
    .await;
    user(&["revoke", "hamid@example.org"], "").ok();
    assert_eq!(ws.closed().await.code, Some(4_501));
    user(&["role", "hamid@example.org", "admin"], "").ok();
    user(&["disable", "HAMID@example.org"], "").ok();
    let listed = user(&["list"], "").ok();
    let hamid = listed.lines().nth(3).expect("the fourth");
    for part in [
        "admin",
        "25",
        "male",
        "hamid@example.org",
        "Hamid",
        "(disabled)",
    ] {
        assert!(hamid.contains(part), "{part}: {hamid}");
    }
    user(&["enable", "4"], "").ok();
    let listed = user(&["list", "--json"], "").ok();
    assert_eq!(listed.lines().count(), 4);
    assert!(!listed.contains("disabled"), "{listed}");
    assert_eq!(user(&["disable", "nobody@example.org"], "").code, 4);
    assert_eq!(user(&["disable", "ada@example.org"], "").code, 4, "herself");
    let grace = Client::with_token(&url, &fixture.token("grace"));
    let refused = grace.run(&["admin", "user", "list"]);
    assert_eq!(refused.code, 4);
    assert!(refused.stderr.contains("admins_only"), "{}", refused.stderr);
}
