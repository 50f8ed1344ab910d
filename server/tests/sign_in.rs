//! Signing in and out: the token alone identifies the user, until it is revoked or expires.

use plenary_testkit::{Fixture, FixtureBuilder, Http, PASSWORD, until_async};
use serde_json::json;

fn fixture() -> Fixture {
    let fixture = FixtureBuilder::new()
        .people(1, &["ada", "grace"])
        .admin("ada")
        .start();
    fixture.set_password("ada");
    fixture
}

async fn login(fixture: &Fixture, email: &str, password: &str) -> plenary_testkit::Answer {
    let login = json!({"email": email, "password": password, "label": "a test"});
    Http::nobody(&fixture.server.url())
        .post("/login", &login)
        .await
}

#[tokio::test]
async fn login_creates_a_token_and_logout_revokes_it() {
    let fixture = fixture();
    // The address in any case.
    let answer = login(&fixture, "Ada@Example.ORG", PASSWORD).await.ok();
    assert_eq!(answer["userID"], 1);
    assert_eq!(answer["name"], "ada");
    assert_eq!(answer["role"], "admin");
    assert!(
        answer["expires_at"]
            .as_str()
            .is_some_and(|t| t.ends_with('Z'))
    );
    let token = answer["token"].as_str().expect("a token");
    assert!(
        token.len() >= 43,
        "256 bits do not fit in {} letters",
        token.len()
    );

    let ada = Http::with_token(&fixture.server.url(), token);
    assert_eq!(ada.get("/me").await.ok()["email"], "ada@example.org");
    // Only its hash is stored.
    let stored = "SELECT COUNT(*), MAX(HEX(tokenHash)) FROM session";
    let stored = fixture.stores.database.query(stored).concat();
    assert_eq!(stored[0], "1");
    assert!(!stored[1].eq_ignore_ascii_case(token));
    let keys = fixture.stores.redis.keys("*").join(" ");
    assert!(!keys.contains(token), "{keys}");

    assert_eq!(ada.post("/logout", &json!({})).await.ok()["success"], true);
    let refused = ada.get("/me").await;
    assert_eq!((refused.status, refused.code()), (401, "not_signed_in"));
    let hello = plenary_testkit::Ws::connect(&fixture.server.url())
        .await
        .say_hello(token, vec![])
        .await;
    assert_eq!(hello.expect_err("revoked").code.as_str(), "not_signed_in");
}

#[tokio::test]
async fn unicode_forms_of_address_and_password_are_the_same() {
    let fixture = FixtureBuilder::new().start();
    let add = |name: &str, email: &str| {
        let add = ["user", "add", "--name", name, "--email", email];
        let args = [&add[..], &["--password-stdin"]].concat();
        fixture
            .server
            .cli_with_input(&args, "\u{feff}pa\u{df}wo\u{308}rter eins\n")
    };
    add("Jose\u{301}", "Jose\u{301}@Example.org").ok();
    for email in ["josé@example.org", "JOSE\u{301}@example.org"] {
        for password in ["paßwörter eins", "paßwo\u{308}rter\u{a0}eins"] {
            let answer = login(&fixture, email, password).await;
            assert_eq!(answer.status, 200, "{email} {password}");
        }
    }
    // One account for all forms of the address, and no name that only looks like another.
    let again = add("Another", "josé@example.org");
    assert_ne!(again.code, 0);
    let alike = add("J\u{43e}sé", "other@example.org");
    assert!(
        alike.code != 0 && alike.stderr.contains("looks like 'José'"),
        "{alike:?}"
    );
    let empty = add("\u{3164}", "other@example.org");
    assert!(
        empty.code != 0 && empty.stderr.contains("empty"),
        "{empty:?}"
    );
}

#[tokio::test]
async fn wrong_password_and_unknown_user_get_the_same_answer() {
    let fixture = fixture();
    let wrong = login(&fixture, "ada@example.org", "not the password").await;
    assert_eq!((wrong.status, wrong.code()), (401, "wrong_password"));
    for (email, password) in [
        ("nobody@example.org", PASSWORD),
        // Grace has no password and cannot sign in with any.
        ("grace@example.org", ""),
        ("grace@example.org", PASSWORD),
    ] {
        let refused = login(&fixture, email, password).await;
        assert_eq!(refused.status, wrong.status, "{email}");
        assert_eq!(refused.body, wrong.body, "{email}");
    }
}

#[tokio::test]
async fn repeated_sign_in_attempts_are_limited() {
    let fixture = fixture();
    let refused = until_async("the gate to close", || async {
        let answer = login(&fixture, "ada@example.org", "a guess").await;
        (answer.status == 429).then_some(answer)
    })
    .await;
    assert_eq!(refused.code(), "too_many_requests");
    assert!(refused.headers.contains_key("retry-after"));
    // A signed-in user is not affected.
    fixture.http("ada").get("/me").await.ok();
}

#[tokio::test]
async fn expired_token_is_rejected() {
    let fixture = fixture();
    let ada = fixture.http("ada");
    fixture
        .stores
        .database
        .query("UPDATE session SET expires_at = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND");
    let refused = ada.get("/me").await;
    assert_eq!((refused.status, refused.code()), (401, "not_signed_in"));
    // A token that expires while a server has it cached.
    let grace = fixture.http("grace");
    fixture.stores.database.query(
        "UPDATE session SET expires_at = UTC_TIMESTAMP(3) + INTERVAL 2 SECOND WHERE userID = 2",
    );
    grace.get("/me").await.ok();
    until_async("the token to be too old", || async {
        (grace.get("/me").await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn invalid_tokens_are_refused() {
    let fixture = fixture();
    for token in ["", "x", "Bearer", &"f".repeat(64), &"z".repeat(10_000)] {
        let refused = Http::with_token(&fixture.server.url(), token)
            .get("/me")
            .await;
        // A header line of 10,000 bytes may be too long for HTTP itself.
        assert!([401, 431].contains(&refused.status), "{}", refused.status);
    }
}
