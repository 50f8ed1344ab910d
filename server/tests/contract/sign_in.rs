//! Sessions: opened, good until they expire or are closed, and true about the person.

use plenary_server::store::{Feed, NewSession, TokenHash};
use plenary_shared::domain::{Role, User};
use plenary_shared::time::Timestamp;

use crate::world::{HOUR_MS, World, now};

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
    let closed = world.until_fed("the closed session", |feed| match feed {
        Feed::SignedOut(token) => Some(*token),
        Feed::Event(_)
        | Feed::Durable { .. }
        | Feed::Fence { .. }
        | Feed::Gap
        | Feed::Changed
        | Feed::Read(_)
        | Feed::Typing { .. } => None,
    });
    assert!(closed.await == token(1));
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
