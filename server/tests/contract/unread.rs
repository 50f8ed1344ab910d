//! Read positions only grow, and the rest is counted exactly, wherever it is stored.

use plenary_server::store::{Feed, ReadPosition};
use plenary_shared::domain::{Code, User};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::protocol::Unread;

use crate::harness::{Harness, body, cmid, code, seq};

async fn unread(harness: &Harness, here: InstanceId, user: &User) -> Unread {
    let known = [(here, Seq::default())];
    let found = harness.store.unread(user, &known).await;
    let found = found.expect("the store answers");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].instance, here);
    found[0]
}

async fn keep(harness: &Harness, user: &User, here: InstanceId, seq: Seq) {
    let position = ReadPosition {
        user: user.id,
        instance: here,
        seq,
    };
    let kept = harness.store.save_positions(&[position]).await;
    kept.expect("the store answers");
}

pub async fn read_position_only_grows(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let (here, there) = (harness.public().await, harness.public().await);
    assert_eq!(unread(harness, here, &ada).await.read, Seq::default());
    for (new, holds) in [(3, 3), (7, 7), (5, 7), (7, 7), (0, 7)] {
        keep(harness, &ada, here, seq(new)).await;
        assert_eq!(unread(harness, here, &ada).await.read, seq(holds));
    }
    // The position belongs to her and to this instance.
    assert_eq!(unread(harness, here, &grace).await.read, Seq::default());
    assert_eq!(unread(harness, there, &ada).await.read, Seq::default());
    // Positions that are known but not written count as well.
    let known = [(there, seq(2)), (here, seq(4))];
    for store in [harness.store.clone(), harness.back_end.other().await] {
        let found = store.unread(&ada, &known).await.expect("the store answers");
        let read: Vec<Seq> = found.iter().map(|one| one.read).collect();
        assert_eq!(read, [seq(2), seq(7)]);
    }
    // Many at once.
    let many: Vec<ReadPosition> = (0..137)
        .map(|n| ReadPosition {
            user: grace.id,
            instance: here,
            seq: seq(n),
        })
        .collect();
    let kept = harness.store.save_positions(&many).await;
    kept.expect("the store answers");
    assert_eq!(unread(harness, here, &grace).await.read, seq(136));
    assert_eq!(
        harness.store.unread(&ada, &[]).await.expect("it answers"),
        []
    );
}

pub async fn messages_of_others_are_counted(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    harness.join(here, &grace).await;
    harness.join(here, &ada).await;
    let mut said = vec![];
    for n in 0..5 {
        said.push(harness.post(here, &grace, &format!("{n}")).await.seq);
        harness.post(here, &ada, "my own").await;
    }
    let edit = harness
        .store
        .change_message(here, &grace, cmid(90), said[4], Some(&body("new")))
        .await;
    edit.expect("it is hers");
    harness.leave(here, &ada).await;
    harness.join(here, &ada).await;
    for when in ["live", "partly archived", "archived", "ended"] {
        match when {
            "partly archived" => {
                harness.archive(here).await;
                said.push(harness.post(here, &grace, "later").await.seq);
            }
            "archived" => harness.archive(here).await,
            "ended" => harness.end(here).await,
            _ => {}
        }
        let left = unread(harness, here, &ada).await;
        assert_eq!(left.unread, said.len() as u64, "{when}");
        assert_eq!(left.mentions, 0, "{when}");
        assert_eq!(unread(harness, here, &grace).await.unread, 5, "{when}");
    }
    for (at, read) in said.iter().enumerate() {
        keep(harness, &ada, here, *read).await;
        let left = unread(harness, here, &ada).await.unread;
        assert_eq!(left, (said.len() - at - 1) as u64);
    }
}

pub async fn mentions_are_counted(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    harness.join(here, &grace).await;
    harness.join(here, &ada).await;
    for text in ["@ada look", "@adam", "hello, @Ada!", "ada", "%@_ada"] {
        harness.post(here, &grace, text).await;
    }
    let gone = harness.post(here, &grace, "@ada no").await.seq;
    let quiet = harness.post(here, &grace, "@ada wait").await.seq;
    let loud = harness.post(here, &grace, "nothing").await.seq;
    harness.post(here, &ada, "@ada myself").await;
    let changed = harness
        .store
        .change_message(here, &grace, cmid(90), gone, None)
        .await;
    changed.expect("it is hers");
    for (id, target, text) in [(91, quiet, "wait"), (92, loud, "@ada, something")] {
        let text = body(text);
        let changed = harness
            .store
            .change_message(here, &grace, cmid(id), target, Some(&text))
            .await;
        changed.expect("it is hers");
    }
    for when in ["live", "archived", "ended"] {
        match when {
            "archived" => harness.archive(here).await,
            "ended" => harness.end(here).await,
            _ => {}
        }
        let left = unread(harness, here, &ada).await;
        assert_eq!((left.unread, left.mentions), (7, 3), "{when}");
    }
}

pub async fn typing_is_published_and_not_stored(harness: &mut Harness) {
    let [ada, alan] = [harness.member("ada").await, harness.member("alan").await];
    let here = harness.private(&[&ada]).await;
    let typing = harness.store.typing(here, &ada).await;
    assert_eq!(code(&typing), Some(Code::NotParticipant));
    let typing = harness.store.typing(here, &alan).await;
    assert_eq!(code(&typing), Some(Code::NotAllowed));
    harness.join(here, &ada).await;
    let before = harness.log(here).await;
    harness.store.typing(here, &ada).await.expect("she is in");
    let who = harness
        .until_fed("that ada writes", |fed| match fed {
            Feed::Typing { instance, user } if *instance == here => Some(*user),
            _ => None,
        })
        .await;
    assert_eq!(who, ada.id);
    assert_eq!(harness.log(here).await, before);
    harness.end(here).await;
    let typing = harness.store.typing(here, &ada).await;
    assert_eq!(code(&typing), Some(Code::Ended));
}

pub async fn read_positions_reach_other_servers(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    let position = ReadPosition {
        user: ada.id,
        instance: here,
        seq: seq(9),
    };
    let other = harness.back_end.other().await;
    other
        .publish_read(&[position])
        .await
        .expect("the store answers");
    // A store with one server has nobody to notify.
    if harness.back_end.is_shared() {
        let told = harness
            .until_fed("what ada read", |fed| match fed {
                Feed::Read(position) => Some(*position),
                _ => None,
            })
            .await;
        assert_eq!(told, position);
    }
}
