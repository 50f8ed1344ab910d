//! Users and their accounts.

use futures_util::future::join_all;
use plenary_server::store::{NewPassword, NewUser};
use plenary_shared::domain::{Code, Gender, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::limits::ID_MAX;

use crate::harness::{Harness, code, new_user};

pub async fn email_is_unique(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    for email in ["ada@example.org", "ADA@example.org"] {
        let new = NewUser {
            email: email.to_owned(),
            ..new_user("another", Role::Admin)
        };
        let taken = harness.store.add_user(new).await;
        assert_eq!(code(&taken), Some(Code::Invalid), "{email}");
    }
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let adding = (0..20).map(|n| stores[n % 2].add_user(new_user("grace", Role::Member)));
    let added = join_all(adding).await;
    assert_eq!(added.iter().map(code).filter(Option::is_none).count(), 1);
    let users = harness
        .store
        .users(None, 100)
        .await
        .expect("the store answers");
    assert_eq!(users.len(), 3);
    assert_eq!(users[1].user, ada);
}

pub async fn account_lookup_ignores_case(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    for email in ["ada@example.org", "Ada@Example.ORG", " ada@example.org "] {
        let found = harness
            .store
            .account(email)
            .await
            .expect("the store answers");
        let found = found.unwrap_or_else(|| panic!("{email}"));
        assert_eq!(found.user, ada);
        assert_eq!(found.password_hash, None);
    }
    for email in [
        "",
        "ada",
        "a%",
        "ada@example.or_",
        "' OR 1=1 --",
        "äda@example.org",
    ] {
        let found = harness
            .store
            .account(email)
            .await
            .expect("the store answers");
        assert!(found.is_none(), "{email}");
    }
}

pub async fn account_lookup_ignores_normal_form(harness: &mut Harness) {
    let new = NewUser {
        email: "josé.ελένη@example.org".to_owned(),
        ..new_user("José", Role::Member)
    };
    let added = harness.store.add_user(new).await;
    let user = added.expect("the address is free");
    for email in [
        "josé.ελένη@example.org",
        "jose\u{301}.ελε\u{301}νη@example.org",
        "JOSÉ.ΕΛΈΝΗ@EXAMPLE.ORG",
    ] {
        let found = harness.store.account(email).await;
        let found = found.expect("the store answers");
        assert_eq!(found.map(|one| one.user.id), Some(user.id), "{email}");
    }
}

pub async fn password_can_be_set_repeatedly(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let hash = || async {
        let found = harness
            .store
            .account(&ada.email)
            .await
            .expect("the store answers");
        found.expect("she is there").password_hash
    };
    for wanted in ["$argon2id$1", "$argon2id$2", "$argon2id$2"] {
        let set = harness.store.set_password(password(ada.id, wanted)).await;
        set.expect("she is there");
        assert_eq!(hash().await.as_deref(), Some(wanted));
    }
    let unknown = UserId::new(ID_MAX).expect("the largest");
    let set = harness
        .store
        .set_password(password(unknown, "$argon2id$"))
        .await;
    assert_eq!(code(&set), Some(Code::NotFound));
    // Only while the password is the one that was checked.
    for (replaces, expected) in [
        ("$argon2id$1", Some(Code::WrongPassword)),
        ("$argon2id$2", None),
    ] {
        let new = NewPassword {
            replaces: Some(replaces.to_owned()),
            ..password(ada.id, "$argon2id$3")
        };
        let set = harness.store.set_password(new).await;
        assert_eq!(code(&set), expected, "{replaces}");
    }
    assert_eq!(hash().await.as_deref(), Some("$argon2id$3"));
}

/// A password that an operator sets.
fn password(user: UserId, hash: &str) -> NewPassword {
    NewPassword {
        user,
        hash: hash.to_owned(),
        replaces: None,
        keeps: None,
        by: None,
    }
}

pub async fn users_are_listed_in_pages(harness: &mut Harness) {
    let mut all = harness.crowd(7).await;
    all.push(harness.root.clone());
    all.sort_by_key(|user| user.id);
    for limit in 1..=9 {
        let mut read: Vec<User> = vec![];
        loop {
            let after = read.last().map(|user| user.id);
            let some = harness
                .store
                .users(after, limit)
                .await
                .expect("the store answers");
            assert!(some.len() <= limit);
            if some.is_empty() {
                break;
            }
            read.extend(some.into_iter().map(|one| one.user));
        }
        assert_eq!(read, all, "{limit}");
    }
    for user in &all {
        let found = harness
            .store
            .user(user.id)
            .await
            .expect("the store answers");
        assert_eq!(found.map(|one| one.user).as_ref(), Some(user));
    }
    let unknown = UserId::new(ID_MAX).expect("the largest");
    let found = harness.store.user(unknown).await;
    assert_eq!(found.expect("the store answers"), None);
}

pub async fn added_user_is_read_back(harness: &mut Harness) {
    for (n, gender) in [None]
        .into_iter()
        .chain(Gender::ALL.iter().copied().map(Some))
        .enumerate()
    {
        for role in Role::ALL {
            let name = format!("p{n}{role}");
            let new = NewUser {
                name: format!("{name} 🦀 ‘'\"\\"),
                age: gender.map(|_| 150),
                gender,
                ..new_user(&name, *role)
            };
            let added = harness
                .store
                .add_user(new.clone())
                .await
                .expect("it is free");
            let found = harness
                .store
                .account(&new.email)
                .await
                .expect("the store answers");
            let found = found.expect("just added").user;
            assert_eq!(found, added);
            let kept = (found.name, found.email, found.age, found.gender, found.role);
            assert_eq!(kept, (new.name, new.email, new.age, new.gender, new.role));
        }
    }
}
