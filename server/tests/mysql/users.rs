//! Users and their sessions.

use plenary_server::store::{NewPassword, NewSession, TokenHash};
use plenary_shared::domain::Code;
use plenary_shared::ids::UserId;

use crate::{Harness, INJECTIONS, minute, rejected, user_id};

#[tokio::test]
async fn email_belongs_to_one_user() {
    let harness = Harness::new().await;
    let ada = harness.user("Ada", "ada@example.org").await;
    let again = harness
        .store
        .add_user(
            plenary_server::store::NewUser {
                name: "Other".to_owned(),
                email: "ada@example.org".to_owned(),
                age: None,
                gender: None,
                role: plenary_shared::domain::Role::Admin,
                password_hash: None,
                by: None,
            },
            minute(0),
        )
        .await;
    rejected(again, Code::Invalid);
    // Addresses differ by accents, but not by case.
    let jose = harness.user("José", "josé@x").await;
    let jose_plain = harness.user("Jose", "jose@x").await;
    for (typed, expected) in [
        ("ADA@example.org", ada.id),
        ("JOSÉ@x", jose.id),
        ("jose@X", jose_plain.id),
    ] {
        let found = harness.store.account(typed).await.expect("it answers");
        assert_eq!(found.map(|a| a.user.id), Some(expected), "{typed}");
    }
    let nobody = harness.store.account("ad_@example.org").await;
    assert!(nobody.expect("it answers").is_none());
}

#[tokio::test]
async fn password_is_stored_as_its_hash() {
    let harness = Harness::new().await;
    let ada = harness.user("Ada", "ada@example.org").await;
    let set = harness
        .store
        .set_password(&password(ada.id, "$argon2id$x"), minute(0))
        .await;
    set.expect("she is there");
    // Setting the same password twice succeeds.
    let set = harness
        .store
        .set_password(&password(ada.id, "$argon2id$x"), minute(0))
        .await;
    set.expect("she is there");
    let account = harness.store.account("ada@example.org").await;
    let account = account.expect("it answers").expect("she is there");
    assert_eq!(account.password_hash.as_deref(), Some("$argon2id$x"));
    assert_eq!(account.user, ada);
    let set = harness
        .store
        .set_password(&password(user_id(99), "x"), minute(0))
        .await;
    rejected(set, Code::NotFound);
}

fn password(user: UserId, hash: &str) -> NewPassword {
    NewPassword {
        user,
        hash: hash.to_owned(),
        replaces: None,
        keeps: None,
        by: None,
    }
}

#[tokio::test]
async fn users_are_listed_and_named() {
    let harness = Harness::new().await;
    for n in 1..=25 {
        harness.user(&format!("u{n}"), &format!("u{n}@x")).await;
    }
    let store = &harness.store;
    let first = store.users(None, 20).await.expect("it answers");
    assert_eq!(first.len(), 20);
    let rest = store.users(Some(first[19].user.id), 20).await;
    assert_eq!(rest.expect("it answers").len(), 5);

    let ids: Vec<_> = [25, 1, 99, 1].map(user_id).into();
    let names = store.names(&ids).await.expect("it answers");
    let names: Vec<_> = names.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["u25", "u1", "user 99", "u1"]);
    let ids: Vec<_> = (1..=120).map(user_id).collect();
    let profiles = store.profiles(&ids).await.expect("it answers");
    assert_eq!(profiles.len(), 25);
    assert!(store.names(&[]).await.expect("it answers").is_empty());
}

#[tokio::test]
async fn session_is_valid_until_it_expires_or_is_closed() {
    let harness = Harness::new().await;
    let ada = harness.user("Ada", "ada@example.org").await;
    let store = &harness.store;
    let open = |byte: u8, until| NewSession {
        token: TokenHash([byte; 32]),
        user: ada.id,
        created_at: minute(0),
        expires_at: minute(until),
        label: "x".repeat(300),
        password_hash: None,
    };
    store.open_session(open(1, 10)).await.expect("it opens");
    store.open_session(open(1, 10)).await.expect("come again");
    store.open_session(open(2, 20)).await.expect("it opens");

    let good = store.session(TokenHash([1; 32]), minute(9)).await;
    let good = good.expect("it answers").expect("it is good");
    assert_eq!(good.user, ada);
    assert_eq!(good.expires_at, minute(10));
    for (byte, at) in [(1, 10), (3, 0), (0x27, 0)] {
        let session = store.session(TokenHash([byte; 32]), minute(at)).await;
        assert!(session.expect("it answers").is_none(), "{byte} {at}");
    }
    assert!(store.close_session(TokenHash([1; 32])).await.expect("ok"));
    assert!(!store.close_session(TokenHash([1; 32])).await.expect("ok"));
    let closed = store.session(TokenHash([1; 32]), minute(0)).await;
    assert!(closed.expect("it answers").is_none());

    // Expired sessions are deleted when the next session opens.
    let later = NewSession {
        created_at: minute(30),
        ..open(4, 40)
    };
    store.open_session(later).await.expect("it opens");
    assert_eq!(harness.database.value("SELECT COUNT(*) FROM session"), "1");
}

#[tokio::test]
async fn sql_in_text_is_stored_as_data() {
    let harness = Harness::new().await;
    for (n, text) in INJECTIONS.iter().enumerate() {
        let user = harness.user(text, &format!("{n}{text}@x")).await;
        let account = harness.store.account(&format!("{n}{text}@X")).await;
        let account = account.expect("it answers").expect("they are there");
        assert_eq!(account.user, user);
        assert_eq!(account.user.name, *text);
    }
    let count = harness.database.value("SELECT COUNT(*) FROM user");
    assert_eq!(count, INJECTIONS.len().to_string());
}

#[tokio::test]
async fn control_characters_from_other_programs_are_removed() {
    let harness = Harness::new().await;
    harness.database.query(
        "INSERT INTO user (userID, name, age, gender, email, role) VALUES
           (7, CONCAT('a', CHAR(27), '[2Jb\n'), -3, 'x', 'ok@x', 'emperor');
         INSERT INTO user (userID, name) VALUES (18446744073709551615, 'too large');",
    );
    let users = harness.store.users(None, 10).await.expect("it answers");
    assert_eq!(users.len(), 1, "the other is skipped");
    let users: Vec<_> = users.into_iter().map(|one| one.user).collect();
    assert_eq!(users[0].name, "a\u{fffd}[2Jb");
    assert_eq!(users[0].age, None);
    assert_eq!(users[0].gender, None);
    assert_eq!(users[0].role, plenary_shared::domain::Role::Member);
}
