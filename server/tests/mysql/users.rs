//! People and their sessions.

use plenary_server::store::{NewSession, TokenHash};
use plenary_shared::domain::Code;

use crate::{HOSTILE, World, minute, rejected, user_id};

#[tokio::test]
async fn an_address_belongs_to_one_person() {
    let world = World::new().await;
    let ada = world.user("Ada", "ada@example.org").await;
    let again = world
        .ledger
        .add_user(
            plenary_server::store::NewUser {
                name: "Other".to_owned(),
                email: "ada@example.org".to_owned(),
                age: None,
                gender: None,
                role: plenary_shared::domain::Role::Admin,
                by: None,
            },
            minute(0),
        )
        .await;
    rejected(again, Code::Invalid);
    // Accents make another address, case does not.
    let jose = world.user("José", "josé@x").await;
    let jose_plain = world.user("Jose", "jose@x").await;
    for (typed, expected) in [
        ("ADA@example.org", ada.id),
        ("JOSÉ@x", jose.id),
        ("jose@X", jose_plain.id),
    ] {
        let found = world.ledger.account(typed).await.expect("it answers");
        assert_eq!(found.map(|a| a.user.id), Some(expected), "{typed}");
    }
    let nobody = world.ledger.account("ad_@example.org").await;
    assert!(nobody.expect("it answers").is_none());
}

#[tokio::test]
async fn a_password_is_kept_as_its_hash() {
    let world = World::new().await;
    let ada = world.user("Ada", "ada@example.org").await;
    let set = world
        .ledger
        .set_password(ada.id, "$argon2id$x", None, minute(0))
        .await;
    set.expect("she is there");
    // Twice the same is no other answer.
    let set = world
        .ledger
        .set_password(ada.id, "$argon2id$x", None, minute(0))
        .await;
    set.expect("she is there");
    let account = world.ledger.account("ada@example.org").await;
    let account = account.expect("it answers").expect("she is there");
    assert_eq!(account.password_hash.as_deref(), Some("$argon2id$x"));
    assert_eq!(account.user, ada);
    let set = world
        .ledger
        .set_password(user_id(99), "x", None, minute(0))
        .await;
    rejected(set, Code::NotFound);
}

#[tokio::test]
async fn people_are_listed_and_named() {
    let world = World::new().await;
    for n in 1..=25 {
        world.user(&format!("u{n}"), &format!("u{n}@x")).await;
    }
    let ledger = &world.ledger;
    let first = ledger.users(None, 20).await.expect("it answers");
    assert_eq!(first.len(), 20);
    let rest = ledger.users(Some(first[19].user.id), 20).await;
    assert_eq!(rest.expect("it answers").len(), 5);

    let ids: Vec<_> = [25, 1, 99, 1].map(user_id).into();
    let names = ledger.names(&ids).await.expect("it answers");
    let names: Vec<_> = names.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["u25", "u1", "user 99", "u1"]);
    let ids: Vec<_> = (1..=120).map(user_id).collect();
    let profiles = ledger.profiles(&ids).await.expect("it answers");
    assert_eq!(profiles.len(), 25);
    assert!(ledger.names(&[]).await.expect("it answers").is_empty());
}

#[tokio::test]
async fn a_session_is_good_until_it_expires_or_is_closed() {
    let world = World::new().await;
    let ada = world.user("Ada", "ada@example.org").await;
    let ledger = &world.ledger;
    let open = |byte: u8, until| NewSession {
        token: TokenHash([byte; 32]),
        user: ada.id,
        created_at: minute(0),
        expires_at: minute(until),
        label: "x".repeat(300),
    };
    ledger.open_session(open(1, 10)).await.expect("it opens");
    ledger.open_session(open(1, 10)).await.expect("come again");
    ledger.open_session(open(2, 20)).await.expect("it opens");

    let good = ledger.session(TokenHash([1; 32]), minute(9)).await;
    let good = good.expect("it answers").expect("it is good");
    assert_eq!(good.user, ada);
    assert_eq!(good.expires_at, minute(10));
    for (byte, at) in [(1, 10), (3, 0), (0x27, 0)] {
        let session = ledger.session(TokenHash([byte; 32]), minute(at)).await;
        assert!(session.expect("it answers").is_none(), "{byte} {at}");
    }
    assert!(ledger.close_session(TokenHash([1; 32])).await.expect("ok"));
    assert!(!ledger.close_session(TokenHash([1; 32])).await.expect("ok"));
    let closed = ledger.session(TokenHash([1; 32]), minute(0)).await;
    assert!(closed.expect("it answers").is_none());

    // What is over is swept out when the next one opens.
    let later = NewSession {
        created_at: minute(30),
        ..open(4, 40)
    };
    ledger.open_session(later).await.expect("it opens");
    assert_eq!(world.database.value("SELECT COUNT(*) FROM session"), "1");
}

#[tokio::test]
async fn text_is_data() {
    let world = World::new().await;
    for (n, text) in HOSTILE.iter().enumerate() {
        let user = world.user(text, &format!("{n}{text}@x")).await;
        let account = world.ledger.account(&format!("{n}{text}@X")).await;
        let account = account.expect("it answers").expect("they are there");
        assert_eq!(account.user, user);
        assert_eq!(account.user.name, *text);
    }
    let count = world.database.value("SELECT COUNT(*) FROM user");
    assert_eq!(count, HOSTILE.len().to_string());
}

#[tokio::test]
async fn control_characters_that_others_wrote_are_not_handed_on() {
    let world = World::new().await;
    world.database.query(
        "INSERT INTO user (userID, name, age, gender, email, role) VALUES
           (7, CONCAT('a', CHAR(27), '[2Jb\n'), -3, 'x', 'ok@x', 'emperor');
         INSERT INTO user (userID, name) VALUES (18446744073709551615, 'too large');",
    );
    let users = world.ledger.users(None, 10).await.expect("it answers");
    assert_eq!(users.len(), 1, "the other is skipped");
    let users: Vec<_> = users.into_iter().map(|one| one.user).collect();
    assert_eq!(users[0].name, "a\u{fffd}[2Jb");
    assert_eq!(users[0].age, None);
    assert_eq!(users[0].gender, None);
    assert_eq!(users[0].role, plenary_shared::domain::Role::Member);
}
