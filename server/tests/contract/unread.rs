//! How far people have read: only forwards, and what is left is counted exactly, wherever it is.

use plenary_server::store::{Feed, ReadPosition};
use plenary_shared::domain::{Code, User};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::protocol::Unread;

use crate::world::{World, body, cmid, code, seq};

async fn unread(world: &World, here: InstanceId, user: &User) -> Unread {
    let known = [(here, Seq::default())];
    let found = world.store.unread(user, &known).await;
    let found = found.expect("the store answers");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].instance, here);
    found[0]
}

async fn keep(world: &World, user: &User, here: InstanceId, seq: Seq) {
    let position = ReadPosition {
        user: user.id,
        instance: here,
        seq,
    };
    let kept = world.store.keep_positions(&[position]).await;
    kept.expect("the store answers");
}

pub async fn a_position_goes_forwards_only(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let (here, there) = (world.public().await, world.public().await);
    assert_eq!(unread(world, here, &ada).await.read, Seq::default());
    for (new, holds) in [(3, 3), (7, 7), (5, 7), (7, 7), (0, 7)] {
        keep(world, &ada, here, seq(new)).await;
        assert_eq!(unread(world, here, &ada).await.read, seq(holds));
    }
    // It is hers, and of this instance.
    assert_eq!(unread(world, here, &grace).await.read, Seq::default());
    assert_eq!(unread(world, there, &ada).await.read, Seq::default());
    // What is known and not written counts as well.
    let known = [(there, seq(2)), (here, seq(4))];
    for store in [world.store.clone(), world.back_end.other().await] {
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
    let kept = world.store.keep_positions(&many).await;
    kept.expect("the store answers");
    assert_eq!(unread(world, here, &grace).await.read, seq(136));
    assert_eq!(world.store.unread(&ada, &[]).await.expect("it answers"), []);
}

pub async fn what_others_said_is_counted(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let here = world.public().await;
    world.join(here, &grace).await;
    world.join(here, &ada).await;
    let mut said = vec![];
    for n in 0..5 {
        said.push(world.say(here, &grace, &format!("{n}")).await.seq);
        world.say(here, &ada, "my own").await;
    }
    let edit = world
        .store
        .edit(here, &grace, cmid(90), said[4], &body("new"))
        .await;
    edit.expect("it is hers");
    world.leave(here, &ada).await;
    world.join(here, &ada).await;
    for when in ["live", "partly archived", "archived", "ended"] {
        match when {
            "partly archived" => {
                world.archive(here).await;
                said.push(world.say(here, &grace, "later").await.seq);
            }
            "archived" => world.archive(here).await,
            "ended" => world.end(here).await,
            _ => {}
        }
        let left = unread(world, here, &ada).await;
        assert_eq!(left.unread, said.len() as u64, "{when}");
        assert_eq!(left.mentions, 0, "{when}");
        assert_eq!(unread(world, here, &grace).await.unread, 5, "{when}");
    }
    for (at, read) in said.iter().enumerate() {
        keep(world, &ada, here, *read).await;
        let left = unread(world, here, &ada).await.unread;
        assert_eq!(left, (said.len() - at - 1) as u64);
    }
}

pub async fn what_speaks_of_somebody_is_counted(world: &mut World) {
    let [ada, grace] = [world.member("ada").await, world.member("grace").await];
    let here = world.public().await;
    world.join(here, &grace).await;
    world.join(here, &ada).await;
    for text in ["@ada look", "@adam", "hello, @Ada!", "ada", "%@_ada"] {
        world.say(here, &grace, text).await;
    }
    let gone = world.say(here, &grace, "@ada no").await.seq;
    let quiet = world.say(here, &grace, "@ada wait").await.seq;
    let loud = world.say(here, &grace, "nothing").await.seq;
    world.say(here, &ada, "@ada myself").await;
    let changed = world.store.delete(here, &grace, cmid(90), gone).await;
    changed.expect("it is hers");
    for (id, target, text) in [(91, quiet, "wait"), (92, loud, "@ada, something")] {
        let text = body(text);
        let changed = world
            .store
            .edit(here, &grace, cmid(id), target, &text)
            .await;
        changed.expect("it is hers");
    }
    for when in ["live", "archived", "ended"] {
        match when {
            "archived" => world.archive(here).await,
            "ended" => world.end(here).await,
            _ => {}
        }
        let left = unread(world, here, &ada).await;
        assert_eq!((left.unread, left.mentions), (7, 3), "{when}");
    }
}

pub async fn somebody_who_writes_is_told_and_not_kept(world: &mut World) {
    let [ada, alan] = [world.member("ada").await, world.member("alan").await];
    let here = world.private(&[&ada]).await;
    let typing = world.store.typing(here, &ada).await;
    assert_eq!(code(&typing), Some(Code::NotParticipant));
    let typing = world.store.typing(here, &alan).await;
    assert_eq!(code(&typing), Some(Code::NotAllowed));
    world.join(here, &ada).await;
    let before = world.log(here).await;
    world.store.typing(here, &ada).await.expect("she is in");
    let who = world
        .until_fed("that ada writes", |fed| match fed {
            Feed::Typing { instance, user } if *instance == here => Some(*user),
            _ => None,
        })
        .await;
    assert_eq!(who, ada.id);
    assert_eq!(world.log(here).await, before);
    world.end(here).await;
    let typing = world.store.typing(here, &ada).await;
    assert_eq!(code(&typing), Some(Code::Ended));
}

pub async fn what_is_read_is_told_to_other_servers(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    let position = ReadPosition {
        user: ada.id,
        instance: here,
        seq: seq(9),
    };
    let other = world.back_end.other().await;
    other
        .tell_read(&[position])
        .await
        .expect("the store answers");
    // What has only one server has nobody to tell.
    if world.back_end.is_shared() {
        let told = world
            .until_fed("what ada read", |fed| match fed {
                Feed::Read(position) => Some(*position),
                _ => None,
            })
            .await;
        assert_eq!(told, position);
    }
}
