//! Sessions: opened, valid until they expire or are closed, and up to date about the user.

use plenary_server::store::{AccessChange, Feed, NewPassword, NewSession, TokenHash};
use plenary_shared::domain::{Code, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::limits::ID_MAX;
use plenary_shared::time::Timestamp;

use crate::harness::{HOUR_MS, Harness, code, now};

/// How long a change of a user by another program may stay unnoticed.
const BELIEVED_MS_MAX: i64 = 60_000;

fn token(number: u8) -> TokenHash {
    TokenHash([number; 32])
}

async fn open(harness: &Harness, number: u8, user: &User, at: Timestamp, lasts_ms: i64) {
    let new = NewSession {
        token: token(number),
        user: user.id,
        created_at: at,
        expires_at: at.plus_ms(lasts_ms),
        label: "a machine's name, 🦀 ".repeat(40),
        password_hash: None,
    };
    harness
        .store
        .open_session(new)
        .await
        .expect("it can be opened");
}

/// The user of this session at this time.
async fn whose(harness: &Harness, number: u8, at: Timestamp) -> Option<User> {
    let found = harness.store.session(token(number), at).await;
    found
        .expect("the store answers")
        .map(|session| session.user)
}

/// Waits for the next closed session that is announced to every server.
async fn signed_out(harness: &mut Harness) -> TokenHash {
    harness
        .until_fed("the closed session", |feed| match feed {
            Feed::SignedOut(token) => Some(*token),
            Feed::Event(_)
            | Feed::Durable { .. }
            | Feed::Fence { .. }
            | Feed::Gap
            | Feed::Changed
            | Feed::Access(_)
            | Feed::Denied(_)
            | Feed::Server(_)
            | Feed::Read(_)
            | Feed::Typing { .. }
            | Feed::Waiting(_)
            | Feed::Presence(_) => None,
        })
        .await
}

pub async fn session_is_valid_until_it_expires(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let at = now();
    open(harness, 1, &ada, at, HOUR_MS).await;
    let other = harness.back_end.other().await;
    for _ in 0..2 {
        assert_eq!(whose(harness, 1, at).await.as_ref(), Some(&ada));
        assert_eq!(
            whose(harness, 1, at.plus_ms(HOUR_MS - 1)).await.as_ref(),
            Some(&ada)
        );
        assert_eq!(whose(harness, 1, at.plus_ms(HOUR_MS)).await, None);
        assert_eq!(whose(harness, 2, at).await, None);
        let found = other
            .session(token(1), at)
            .await
            .expect("the store answers");
        assert_eq!(found.expect("it is good").expires_at, at.plus_ms(HOUR_MS));
    }
}

pub async fn closed_session_is_closed_on_every_server(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let at = now();
    for number in [1, 2] {
        open(harness, number, &ada, at, HOUR_MS).await;
        assert_eq!(whose(harness, number, at).await.as_ref(), Some(&ada));
    }
    let other = harness.back_end.other().await;
    assert!(
        other
            .close_session(token(1))
            .await
            .expect("the store answers")
    );
    assert!(signed_out(harness).await == token(1));
    assert_eq!(whose(harness, 1, at).await, None);
    assert_eq!(whose(harness, 2, at).await.as_ref(), Some(&ada));
    for number in [1, 9] {
        let again = harness.store.close_session(token(number)).await;
        assert!(!again.expect("the store answers"));
    }
}

pub async fn user_changed_in_sql_is_noticed(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let at = now();
    open(harness, 1, &ada, at, HOUR_MS).await;
    assert_eq!(whose(harness, 1, at).await.as_ref(), Some(&ada));
    let change = "UPDATE user SET role = 'admin', name = 'Lady Ada' WHERE userID";
    harness.back_end.sql(&format!("{change} = {}", ada.id));
    let later = whose(harness, 1, at.plus_ms(BELIEVED_MS_MAX))
        .await
        .expect("it is good");
    assert_eq!((later.role, later.name.as_str()), (Role::Admin, "Lady Ada"));
    let again = whose(harness, 1, at.plus_ms(BELIEVED_MS_MAX + 1)).await;
    assert_eq!(again, Some(later));
    // A removed session is not valid.
    harness.back_end.sql("DELETE FROM session");
    assert_eq!(
        whose(harness, 1, at.plus_ms(3 * BELIEVED_MS_MAX)).await,
        None
    );
}

pub async fn same_token_opens_one_session(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let at = now();
    open(harness, 1, &ada, at, HOUR_MS).await;
    open(harness, 1, &ada, at, 2 * HOUR_MS).await;
    assert_eq!(whose(harness, 1, at.plus_ms(HOUR_MS)).await, Some(ada));
    assert!(
        harness
            .store
            .close_session(token(1))
            .await
            .expect("the store answers")
    );
    assert!(
        !harness
            .store
            .close_session(token(1))
            .await
            .expect("the store answers")
    );
}

pub async fn disabled_user_has_no_session(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let bob = harness.member("bob").await;
    let at = now();
    for (number, user) in [(1, &ada), (2, &ada), (3, &bob)] {
        open(harness, number, user, at, HOUR_MS).await;
        assert_eq!(whose(harness, number, at).await.as_ref(), Some(user));
    }
    let other = harness.back_end.other().await;
    let shut = |since| other.set_disabled(ada.id, since, Some(harness.root.id));
    assert!(shut(Some(at)).await.expect("she is there"));
    // Repeating it has no effect and is not an error.
    let later = shut(Some(at.plus_ms(1))).await;
    assert!(!later.expect("she is there"));
    let mut told = vec![signed_out(harness).await, signed_out(harness).await];
    told.sort_by_key(|token| token.0);
    assert!(told == [token(1), token(2)] || told[0] == told[1]);
    for number in [1, 2] {
        assert_eq!(whose(harness, number, at).await, None);
        let found = other.session(token(number), at).await;
        assert!(found.expect("the store answers").is_none());
    }
    assert_eq!(whose(harness, 3, at).await, Some(bob));
    let account = harness.store.account(&ada.email).await;
    let account = account.expect("the store answers").expect("she is there");
    assert!(account.disabled);
    let listed = harness.store.users(None, 100).await.expect("a list");
    let since = listed.iter().map(|one| one.disabled_at);
    assert_eq!(since.collect::<Vec<_>>(), [None, Some(at), None]);
    // A session opened by a request that started earlier is not valid.
    open(harness, 4, &ada, at, HOUR_MS).await;
    assert_eq!(whose(harness, 4, at).await, None);
    let root = Some(harness.root.id);
    let let_in = other.set_disabled(ada.id, None, root).await;
    let_in.expect("she is there");
    for number in [1, 2, 4] {
        assert_eq!(whose(harness, number, at).await, None, "{number}");
    }
    open(harness, 5, &ada, at, HOUR_MS).await;
    assert_eq!(whose(harness, 5, at).await, Some(ada));
    let unknown = UserId::new(ID_MAX).expect("the largest");
    let refused = harness.store.set_disabled(unknown, Some(at), root).await;
    assert_eq!(code(&refused), Some(Code::NotFound));
}

pub async fn sessions_are_listed_and_ended(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let at = now();
    open(harness, 1, &ada, at.plus_ms(-HOUR_MS), HOUR_MS).await;
    open(harness, 2, &ada, at.plus_ms(-1), HOUR_MS).await;
    open(harness, 3, &ada, at, HOUR_MS).await;
    let listed = harness.store.sessions(ada.id, at).await.expect("a list");
    let times: Vec<_> = listed
        .iter()
        .map(|one| (one.created_at, one.expires_at))
        .collect();
    let newest = (at, at.plus_ms(HOUR_MS));
    assert_eq!(times, [newest, (at.plus_ms(-1), at.plus_ms(HOUR_MS - 1))]);
    assert!(listed[0].label.starts_with("a machine's name, 🦀"));
    let ended = harness.store.close_sessions(ada.id, None, None).await;
    assert_eq!(ended.expect("they can be ended"), 2);
    let listed = harness.store.sessions(ada.id, now()).await.expect("a list");
    assert!(listed.is_empty(), "{listed:?}");
    for number in [1, 2, 3] {
        assert_eq!(whose(harness, number, at).await, None);
    }
    let again = harness.store.close_sessions(ada.id, None, None).await;
    assert_eq!(again.expect("nothing is left"), 0);
}

pub async fn role_applies_from_the_next_request(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let at = now();
    open(harness, 1, &ada, at, HOUR_MS).await;
    let other = harness.back_end.other().await;
    let mut last = Role::Member;
    for role in [Role::Admin, Role::Member, Role::Member] {
        // The cached session is not used.
        assert!(whose(harness, 1, at).await.is_some());
        let given = other.set_role(ada.id, role, Some(harness.root.id)).await;
        let before = std::mem::replace(&mut last, role);
        assert_eq!(given.expect("she is there"), before != role);
        let now = whose(harness, 1, at).await.expect("it is good");
        assert_eq!(now.role, role);
    }
    // Open connections check it again.
    let told = harness
        .until_fed("the change of the role", access_change)
        .await;
    assert!([AccessChange::User(ada.id), AccessChange::Any].contains(&told));
    let unknown = UserId::new(ID_MAX).expect("the largest");
    let refused = harness.store.set_role(unknown, Role::Admin, None).await;
    assert_eq!(code(&refused), Some(Code::NotFound));
}

fn access_change(feed: &Feed) -> Option<AccessChange> {
    match feed {
        Feed::Access(change) => Some(*change),
        Feed::Event(_)
        | Feed::Durable { .. }
        | Feed::Fence { .. }
        | Feed::Gap
        | Feed::Changed
        | Feed::SignedOut(_)
        | Feed::Denied(_)
        | Feed::Server(_)
        | Feed::Read(_)
        | Feed::Typing { .. }
        | Feed::Waiting(_)
        | Feed::Presence(_) => None,
    }
}

pub async fn password_change_ends_the_other_sessions(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let at = now();
    for number in [1, 2] {
        open(harness, number, &ada, at, HOUR_MS).await;
        assert!(whose(harness, number, at).await.is_some());
    }
    let other = harness.back_end.other().await;
    let new = NewPassword {
        user: ada.id,
        hash: "$argon2id$new".to_owned(),
        replaces: None,
        keeps: Some(token(1)),
        by: Some(ada.id),
    };
    other.set_password(new).await.expect("she is there");
    assert!(signed_out(harness).await == token(2));
    assert_eq!(whose(harness, 1, at).await.as_ref(), Some(&ada));
    assert_eq!(whose(harness, 2, at).await, None);
    // A sign-in with the old password that is still under way.
    let late = |password: &str| NewSession {
        token: token(3),
        user: ada.id,
        created_at: at,
        expires_at: at.plus_ms(HOUR_MS),
        label: String::new(),
        password_hash: Some(password.to_owned()),
    };
    let opened = harness.store.open_session(late("$argon2id$old")).await;
    assert!(!opened.expect("the store answers"));
    assert_eq!(whose(harness, 3, at).await, None);
    let opened = harness.store.open_session(late("$argon2id$new")).await;
    assert!(opened.expect("the store answers"));
    assert_eq!(whose(harness, 3, at).await, Some(ada));
}

pub async fn enabling_an_enabled_user_has_no_effect(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let at = now();
    open(harness, 1, &ada, at, HOUR_MS).await;
    let root = Some(harness.root.id);
    let enabled = harness.store.set_disabled(ada.id, None, root).await;
    assert!(!enabled.expect("she is there"));
    assert_eq!(whose(harness, 1, at).await, Some(ada));
}
