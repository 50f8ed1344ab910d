//! Who may what, in every state of an instance; joining and leaving.

use plenary_server::store::{Page, Store};
use plenary_shared::domain::{Code, InstanceState, Reason, User, What};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::ID_MAX;
use plenary_testkit::until_async;

use crate::reading::sees;
use crate::world::{SHORT_MS, World, body, code, connection, instance, leaves, now};

/// What somebody is told who asks for these, in this order: whatever is read; who is in; whether
/// they may still follow; to post; to leave; to join.
type Told = [&'static str; 6];

const OK: &str = "ok";
const NOT_ALLOWED: &str = "not_allowed";
const NOT_IN: &str = "not_participant";
const NOT_STARTED: &str = "not_started";
const ENDED: &str = "ended";
const NOT_FOUND: &str = "not_found";

/// Nobody invited them; invited; in; an admin whom nobody invited.
type Everybody = [Told; 4];

const ALL_READ: Told = [OK, OK, OK, NOT_IN, NOT_IN, OK];
const IS_IN: Told = [OK, OK, OK, OK, OK, OK];

const PRIVATE: Everybody = [
    [NOT_ALLOWED; 6],
    ALL_READ,
    IS_IN,
    [OK, OK, OK, NOT_IN, NOT_IN, NOT_ALLOWED],
];

const PUBLIC: Everybody = [ALL_READ, ALL_READ, IS_IN, ALL_READ];

const NOTHING: Told = [
    NOT_ALLOWED,
    NOT_ALLOWED,
    OK,
    NOT_ALLOWED,
    NOT_ALLOWED,
    NOT_ALLOWED,
];

/// Before its start; whoever would be in is merely invited.
const BEFORE: Everybody = {
    const READS: Told = [OK, NOT_STARTED, OK, NOT_STARTED, NOT_STARTED, NOT_STARTED];
    [NOTHING, READS, READS, READS]
};

/// Its time is over and nobody has closed it yet.
const OVER: Everybody = {
    const READS: Told = [OK, OK, OK, ENDED, ENDED, ENDED];
    [[NOT_ALLOWED; 6], READS, READS, READS]
};

const AFTER: Everybody = {
    const READS: Told = [OK, ENDED, OK, ENDED, ENDED, ENDED];
    [NOTHING, READS, READS, READS]
};

const UNKNOWN: Everybody = [[NOT_FOUND, NOT_FOUND, OK, NOT_FOUND, NOT_FOUND, NOT_FOUND]; 4];

/// Everything that is read of an instance, which must be answered alike.
async fn reads(store: &dyn Store, here: InstanceId, user: &User) -> Option<Code> {
    let page = Page::Before(None);
    let answers = [
        code(&store.open(here, user, None, 10).await),
        code(&store.events(here, user, page, 10).await),
        code(&store.messages(here, user, page, 10).await),
        code(&store.user_messages(here, user, user.id, page, 10).await),
    ];
    assert_eq!(answers, [answers[0]; 4], "{here} read by {}", user.name);
    answers[0]
}

async fn assert_told(
    world: &mut World,
    what: &str,
    here: InstanceId,
    people: &[&User; 4],
    all: &Everybody,
) {
    for (user, expected) in people.iter().zip(all) {
        let cmid = world.cmid();
        let store = &world.store;
        let held = connection("table", user.id.get());
        let told = [
            reads(&**store, here, user).await,
            code(&store.people(here, user).await),
            code(&store.hold(here, user, &held).await),
            code(&store.post(here, user, cmid, &body("hello")).await),
            code(&store.leave(here, user).await),
            code(&store.join(here, user, None).await),
        ];
        let told = told.map(|code| code.map_or(OK, Code::as_str));
        assert_eq!(&told, expected, "{what}: {}", user.name);
    }
}

pub async fn who_may_what_while_it_is_active(world: &mut World) {
    let [outside, guest, inside] = three(world).await;
    let root = world.root.clone();
    let people = [&outside, &guest, &inside, &root];
    let private = world.private(&[&guest, &inside]).await;
    world.join(private, &inside).await;
    assert_told(world, "private", private, &people, &PRIVATE).await;
    let public = world.public().await;
    world.join(public, &inside).await;
    assert_told(world, "public", public, &people, &PUBLIC).await;
}

pub async fn who_may_what_before_and_after(world: &mut World) {
    let [outside, guest, inside] = three(world).await;
    let root = world.root.clone();
    let people = [&outside, &guest, &inside, &root];
    let meeting = world.meeting("Plans", Some(&[&guest, &inside])).await;
    let (from, to) = (now().plus_ms(3_600_000), now().plus_ms(7_200_000));
    let later = world.schedule(meeting, from, to).await;
    assert_told(world, "before", later, &people, &BEFORE).await;

    let past = world.active(meeting, 3_600_000).await;
    world.join(past, &inside).await;
    world.end(past).await;
    assert_told(world, "after", past, &people, &AFTER).await;

    for here in [
        instance(77, 1),
        instance(meeting.get(), 77),
        instance(ID_MAX, ID_MAX),
    ] {
        assert_told(world, "unknown", here, &people, &UNKNOWN).await;
    }
}

pub async fn who_may_what_when_time_is_up_and_nobody_has_closed_it(world: &mut World) {
    let [outside, guest, inside] = three(world).await;
    let root = world.root.clone();
    let people = [&outside, &guest, &inside, &root];
    let meeting = world.meeting("Plans", Some(&[&guest, &inside])).await;
    let here = world.active(meeting, SHORT_MS).await;
    world.join(here, &inside).await;
    until_over(world, here, &guest).await;
    assert_told(world, "over", here, &people, &OVER).await;
}

/// Until nobody may join by the store's clock.
pub async fn until_over(world: &World, here: InstanceId, guest: &User) {
    until_async("the time to be up", async || {
        let answer = world.store.leave(here, guest).await;
        (code(&answer) == Some(Code::Ended)).then_some(())
    })
    .await;
}

async fn three(world: &World) -> [User; 3] {
    [
        world.member("outside").await,
        world.member("guest").await,
        world.member("inside").await,
    ]
}

pub async fn a_stay_is_from_joining_to_leaving(world: &mut World) {
    let ada = world.member("ada").await;
    let here = world.public().await;
    let joined = world.join(here, &ada).await;
    assert_eq!(joined.seq.get(), 2);
    assert!(!joined.repeat);
    let again = world.store.join(here, &ada, None).await;
    assert_eq!(code(&again), Some(Code::AlreadyParticipant));
    let left = world.leave(here, &ada).await;
    assert_eq!(left.seq.get(), 3);
    assert!(left.timestamp >= joined.timestamp);
    let again = world.store.leave(here, &ada).await;
    assert_eq!(code(&again), Some(Code::NotParticipant));
    assert_eq!(world.join(here, &ada).await.seq.get(), 4);

    let log = world.log(here).await;
    assert_eq!(leaves(&log), [(ada.id, Reason::Left, left.timestamp)]);
    let name = ada.name.clone();
    assert_eq!(log[1].what, What::Join { user: ada.id, name });
    assert_eq!(log[1].timestamp, joined.timestamp);
}

/// Whoever is in stays in, and only a new join asks whether they are invited.
pub async fn an_audience_that_somebody_changes_counts_from_the_next_sweep(world: &mut World) {
    let [late, gone, inside] = three(world).await;
    let here = world.private(&[&gone, &inside]).await;
    world.join(here, &inside).await;
    world.back_end.sql(&format!(
        "DELETE FROM audience WHERE meetingID = {0}; \
         INSERT INTO audience (meetingID, email) VALUES ({0}, 'Outside@Example.org')",
        here.meeting
    ));
    world.store.sweep().await.expect("the store answers");
    world.join(here, &late).await;
    let store = &world.store;
    assert_eq!(
        code(&store.join(here, &gone, None).await),
        Some(Code::NotAllowed)
    );
    assert_eq!(reads(&**store, here, &gone).await, Some(Code::NotAllowed));
    assert_eq!(reads(&**store, here, &inside).await, None);
    world.say(here, &inside, "still here").await;
    assert_eq!(sees(world, &gone, now()).await, []);
    for who in [&late, &inside] {
        let seen = sees(world, who, now()).await;
        assert_eq!(seen, [(here, InstanceState::Active)], "{}", who.name);
    }
    world.leave(here, &inside).await;
    let again = world.store.join(here, &inside, None).await;
    assert_eq!(code(&again), Some(Code::NotAllowed));
}

pub async fn an_address_is_invited_in_any_case(world: &mut World) {
    let shouting = plenary_server::store::NewUser {
        email: "ADA@Example.ORG".to_owned(),
        ..crate::world::new_user("ada", plenary_shared::domain::Role::Member)
    };
    let ada = world.store.add_user(shouting).await.expect("it is free");
    let here = world.private(&[&ada]).await;
    assert_eq!(reads(&*world.store, here, &ada).await, None);
    world.join(here, &ada).await;
    world.end(here).await;
    assert_eq!(reads(&*world.store, here, &ada).await, None);
}
