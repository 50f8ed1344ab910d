//! Sessions: opened, good until they expire or are closed, and true about the person.

use plenary_server::store::{Feed, NewSession, TokenHash};
use plenary_shared::domain::{Code, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::limits::ID_MAX;
use plenary_shared::time::Timestamp;

use crate::world::{HOUR_MS, World, code, now};

/// For so long a change of a person by somebody else may go unnoticed.
const BELIEVED_MS_MAX: i64 = 60_000;

fn token(number: u8) -> TokenHash {
    TokenHash([number; 32])
}

async fn open(world: &World, number: u8, user: &User, at: Timestamp, lasts_ms: i64) {
    let new = NewSession {
        token: token(number),
        user: user.id,
        created_at: at,
        expires_at: at.plus_ms(lasts_ms),
        label: "a machine's name, 🦀 ".repeat(40),
    };
    world
        .store
        .open_session(new)
        .await
        .expect("it can be opened");
}

/// Whose session it is at this time.
async fn whose(world: &World, number: u8, at: Timestamp) -> Option<User> {
    let found = world.store.session(token(number), at).await;
    found
        .expect("the store answers")
        .map(|session| session.user)
}

/// The next session that every server is told is over.
async fn signed_out(world: &mut World) -> TokenHash {
    world
        .until_fed("the closed session", |feed| match feed {
            Feed::SignedOut(token) => Some(*token),
            Feed::Event(_)
            | Feed::Durable { .. }
            | Feed::Fence { .. }
            | Feed::Gap
            | Feed::Changed
            | Feed::Denied(_)
            | Feed::Server(_)
            | Feed::Read(_)
            | Feed::Typing { .. }
            | Feed::Waiting(_)
            | Feed::Presence(_) => None,
        })
        .await
}

pub async fn a_session_is_good_until_it_expires(world: &mut World) {
    let ada = world.member("ada").await;
    let at = now();
    open(world, 1, &ada, at, HOUR_MS).await;
    let other = world.back_end.other().await;
    for _ in 0..2 {
        assert_eq!(whose(world, 1, at).await.as_ref(), Some(&ada));
        assert_eq!(
            whose(world, 1, at.plus_ms(HOUR_MS - 1)).await.as_ref(),
            Some(&ada)
        );
        assert_eq!(whose(world, 1, at.plus_ms(HOUR_MS)).await, None);
        assert_eq!(whose(world, 2, at).await, None);
        let found = other
            .session(token(1), at)
            .await
            .expect("the store answers");
        assert_eq!(found.expect("it is good").expires_at, at.plus_ms(HOUR_MS));
    }
}

pub async fn a_closed_session_is_closed_for_everybody(world: &mut World) {
    let ada = world.member("ada").await;
    let at = now();
    for number in [1, 2] {
        open(world, number, &ada, at, HOUR_MS).await;
        assert_eq!(whose(world, number, at).await.as_ref(), Some(&ada));
    }
    let other = world.back_end.other().await;
    assert!(
        other
            .close_session(token(1))
            .await
            .expect("the store answers")
    );
    assert!(signed_out(world).await == token(1));
    assert_eq!(whose(world, 1, at).await, None);
    assert_eq!(whose(world, 2, at).await.as_ref(), Some(&ada));
    for number in [1, 9] {
        let again = world.store.close_session(token(number)).await;
        assert!(!again.expect("the store answers"));
    }
}

pub async fn what_somebody_changes_of_a_person_is_seen(world: &mut World) {
    let ada = world.member("ada").await;
    let at = now();
    open(world, 1, &ada, at, HOUR_MS).await;
    assert_eq!(whose(world, 1, at).await.as_ref(), Some(&ada));
    let change = "UPDATE user SET role = 'admin', name = 'Lady Ada' WHERE userID";
    world.back_end.sql(&format!("{change} = {}", ada.id));
    let later = whose(world, 1, at.plus_ms(BELIEVED_MS_MAX))
        .await
        .expect("it is good");
    assert_eq!((later.role, later.name.as_str()), (Role::Admin, "Lady Ada"));
    let again = whose(world, 1, at.plus_ms(BELIEVED_MS_MAX + 1)).await;
    assert_eq!(again, Some(later));
    // Whose session is removed, is out.
    world.back_end.sql("DELETE FROM session");
    assert_eq!(whose(world, 1, at.plus_ms(3 * BELIEVED_MS_MAX)).await, None);
}

pub async fn the_same_token_opened_again_is_one_session(world: &mut World) {
    let ada = world.member("ada").await;
    let at = now();
    open(world, 1, &ada, at, HOUR_MS).await;
    open(world, 1, &ada, at, 2 * HOUR_MS).await;
    assert_eq!(whose(world, 1, at.plus_ms(HOUR_MS)).await, Some(ada));
    assert!(
        world
            .store
            .close_session(token(1))
            .await
            .expect("the store answers")
    );
    assert!(
        !world
            .store
            .close_session(token(1))
            .await
            .expect("the store answers")
    );
}

pub async fn whoever_is_shut_out_has_no_session_anywhere(world: &mut World) {
    let ada = world.member("ada").await;
    let bob = world.member("bob").await;
    let at = now();
    for (number, user) in [(1, &ada), (2, &ada), (3, &bob)] {
        open(world, number, user, at, HOUR_MS).await;
        assert_eq!(whose(world, number, at).await.as_ref(), Some(user));
    }
    let other = world.back_end.other().await;
    let shut = |since| other.set_disabled(ada.id, since, Some(world.root.id));
    shut(Some(at)).await.expect("she is there");
    // Once more is no fault.
    shut(Some(at)).await.expect("she is there");
    let mut told = vec![signed_out(world).await, signed_out(world).await];
    told.sort_by_key(|token| token.0);
    assert!(told == [token(1), token(2)] || told[0] == told[1]);
    for number in [1, 2] {
        assert_eq!(whose(world, number, at).await, None);
        let found = other.session(token(number), at).await;
        assert!(found.expect("the store answers").is_none());
    }
    assert_eq!(whose(world, 3, at).await, Some(bob));
    let account = world.store.account(&ada.email).await;
    let account = account.expect("the store answers").expect("she is there");
    assert!(account.disabled);
    let listed = world.store.users(None, 100).await.expect("a list");
    let since = listed.iter().map(|one| one.disabled_at);
    assert_eq!(since.collect::<Vec<_>>(), [None, Some(at), None]);
    // A session that was opened by whoever had asked before is good for nothing.
    open(world, 4, &ada, at, HOUR_MS).await;
    assert_eq!(whose(world, 4, at).await, None);
    let root = Some(world.root.id);
    let let_in = other.set_disabled(ada.id, None, root).await;
    let_in.expect("she is there");
    for number in [1, 2, 4] {
        assert_eq!(whose(world, number, at).await, None, "{number}");
    }
    open(world, 5, &ada, at, HOUR_MS).await;
    assert_eq!(whose(world, 5, at).await, Some(ada));
    let nobody = UserId::new(ID_MAX).expect("the largest");
    let refused = world.store.set_disabled(nobody, Some(at), root).await;
    assert_eq!(code(&refused), Some(Code::NotFound));
}

pub async fn sessions_are_listed_and_ended(world: &mut World) {
    let ada = world.member("ada").await;
    let at = now();
    open(world, 1, &ada, at.plus_ms(-HOUR_MS), HOUR_MS).await;
    open(world, 2, &ada, at.plus_ms(-1), HOUR_MS).await;
    open(world, 3, &ada, at, HOUR_MS).await;
    let listed = world.store.sessions(ada.id, at).await.expect("a list");
    let times: Vec<_> = listed
        .iter()
        .map(|one| (one.created_at, one.expires_at))
        .collect();
    let newest = (at, at.plus_ms(HOUR_MS));
    assert_eq!(times, [newest, (at.plus_ms(-1), at.plus_ms(HOUR_MS - 1))]);
    assert!(listed[0].label.starts_with("a machine's name, 🦀"));
    let ended = world.store.close_sessions(ada.id, None).await;
    assert_eq!(ended.expect("they can be ended"), 2);
    let listed = world.store.sessions(ada.id, now()).await.expect("a list");
    assert!(listed.is_empty(), "{listed:?}");
    for number in [1, 2, 3] {
        assert_eq!(whose(world, number, at).await, None);
    }
    let again = world.store.close_sessions(ada.id, None).await;
    assert_eq!(again.expect("nothing is left"), 0);
}

pub async fn a_role_counts_from_the_next_request_on(world: &mut World) {
    let ada = world.member("ada").await;
    let at = now();
    open(world, 1, &ada, at, HOUR_MS).await;
    let other = world.back_end.other().await;
    for role in [Role::Admin, Role::Member, Role::Member] {
        // What is cached of her is not believed any more.
        assert!(whose(world, 1, at).await.is_some());
        let given = other.set_role(ada.id, role, Some(world.root.id)).await;
        given.expect("she is there");
        let now = whose(world, 1, at).await.expect("it is good");
        assert_eq!(now.role, role);
    }
    let nobody = UserId::new(ID_MAX).expect("the largest");
    let refused = world.store.set_role(nobody, Role::Admin, None).await;
    assert_eq!(code(&refused), Some(Code::NotFound));
}
