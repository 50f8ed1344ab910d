//! Who may do what, in every state of an instance; joining and leaving.

use plenary_server::store::{Page, Store};
use plenary_shared::domain::{Code, EventKind, InstanceState, Reason, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::ID_MAX;
use plenary_testkit::until_async;

use crate::harness::{Harness, SHORT_MS, body, code, connection, instance, leaves, now};
use crate::reading::sees;

/// The answers to these requests, in this order: any read; participants; still following; post;
/// leave; join.
type Told = [&'static str; 6];

const OK: &str = "ok";
const NOT_ALLOWED: &str = "not_allowed";
const NOT_IN: &str = "not_participant";
const NOT_STARTED: &str = "not_started";
const ENDED: &str = "ended";
const NOT_FOUND: &str = "not_found";

/// The answers for: not invited; invited; participant; an admin who is not invited.
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

/// Before the start a participant is only an invited user.
const BEFORE: Everybody = {
    const READS: Told = [OK, NOT_STARTED, OK, NOT_STARTED, NOT_STARTED, NOT_STARTED];
    [NOTHING, READS, READS, READS]
};

/// The end time has passed and no server has closed it yet.
const OVER: Everybody = {
    const READS: Told = [OK, OK, OK, ENDED, ENDED, ENDED];
    [[NOT_ALLOWED; 6], READS, READS, READS]
};

const AFTER: Everybody = {
    const READS: Told = [OK, ENDED, OK, ENDED, ENDED, ENDED];
    [NOTHING, READS, READS, READS]
};

const UNKNOWN: Everybody = [[NOT_FOUND, NOT_FOUND, OK, NOT_FOUND, NOT_FOUND, NOT_FOUND]; 4];

/// Every read of an instance; all must be answered alike.
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
    harness: &mut Harness,
    what: &str,
    here: InstanceId,
    people: &[&User; 4],
    all: &Everybody,
) {
    for (user, expected) in people.iter().zip(all) {
        let cmid = harness.cmid();
        let store = &harness.store;
        let held = connection("table", user.id.get());
        let told = [
            reads(&**store, here, user).await,
            code(&store.people(here, user).await),
            code(&store.bind(here, user, &held).await),
            code(&store.post(here, user, cmid, &body("hello")).await),
            code(&store.leave(here, user).await),
            code(&store.join(here, user, None).await),
        ];
        let told = told.map(|code| code.map_or(OK, Code::as_str));
        assert_eq!(&told, expected, "{what}: {}", user.name);
    }
}

pub async fn permissions_while_active(harness: &mut Harness) {
    let [outside, guest, inside] = three(harness).await;
    let root = harness.root.clone();
    let people = [&outside, &guest, &inside, &root];
    let private = harness.private(&[&guest, &inside]).await;
    harness.join(private, &inside).await;
    assert_told(harness, "private", private, &people, &PRIVATE).await;
    let public = harness.public().await;
    harness.join(public, &inside).await;
    assert_told(harness, "public", public, &people, &PUBLIC).await;
}

pub async fn permissions_before_and_after(harness: &mut Harness) {
    let [outside, guest, inside] = three(harness).await;
    let root = harness.root.clone();
    let people = [&outside, &guest, &inside, &root];
    let meeting = harness.meeting("Plans", Some(&[&guest, &inside])).await;
    let (from, to) = (now().plus_ms(3_600_000), now().plus_ms(7_200_000));
    let later = harness.schedule(meeting, from, to).await;
    assert_told(harness, "before", later, &people, &BEFORE).await;

    let past = harness.active(meeting, 3_600_000).await;
    harness.join(past, &inside).await;
    harness.end(past).await;
    assert_told(harness, "after", past, &people, &AFTER).await;

    for here in [
        instance(77, 1),
        instance(meeting.get(), 77),
        instance(ID_MAX, ID_MAX),
    ] {
        assert_told(harness, "unknown", here, &people, &UNKNOWN).await;
    }
}

pub async fn permissions_after_end_before_close(harness: &mut Harness) {
    let [outside, guest, inside] = three(harness).await;
    let root = harness.root.clone();
    let people = [&outside, &guest, &inside, &root];
    let meeting = harness.meeting("Plans", Some(&[&guest, &inside])).await;
    let here = harness.active(meeting, SHORT_MS).await;
    harness.join(here, &inside).await;
    until_over(harness, here, &guest).await;
    assert_told(harness, "over", here, &people, &OVER).await;
}

/// Waits until the store's clock has passed the end.
pub async fn until_over(harness: &Harness, here: InstanceId, guest: &User) {
    until_async("the time to be up", async || {
        let answer = harness.store.leave(here, guest).await;
        (code(&answer) == Some(Code::Ended)).then_some(())
    })
    .await;
}

async fn three(harness: &Harness) -> [User; 3] {
    [
        harness.member("outside").await,
        harness.member("guest").await,
        harness.member("inside").await,
    ]
}

pub async fn stay_lasts_from_join_to_leave(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    let joined = harness.join(here, &ada).await;
    assert_eq!(joined.seq.get(), 2);
    assert!(!joined.repeat);
    let again = harness.store.join(here, &ada, None).await;
    assert_eq!(code(&again), Some(Code::AlreadyParticipant));
    let left = harness.leave(here, &ada).await;
    assert_eq!(left.seq.get(), 3);
    assert!(left.timestamp >= joined.timestamp);
    let again = harness.store.leave(here, &ada).await;
    assert_eq!(code(&again), Some(Code::NotParticipant));
    assert_eq!(harness.join(here, &ada).await.seq.get(), 4);

    let log = harness.log(here).await;
    assert_eq!(leaves(&log), [(ada.id, Reason::Left, left.timestamp)]);
    let name = ada.name.clone();
    assert_eq!(log[1].kind, EventKind::Join { user: ada.id, name });
    assert_eq!(log[1].timestamp, joined.timestamp);
}

/// Participants stay; only a new join checks the audience.
pub async fn audience_changed_in_sql_applies_after_sweep(harness: &mut Harness) {
    let [late, gone, inside] = three(harness).await;
    let here = harness.private(&[&gone, &inside]).await;
    harness.join(here, &inside).await;
    harness.back_end.sql(&format!(
        "DELETE FROM audience WHERE meetingID = {0}; \
         INSERT INTO audience (meetingID, email) VALUES ({0}, 'Outside@Example.org')",
        here.meeting
    ));
    harness.store.sweep().await.expect("the store answers");
    harness.join(here, &late).await;
    let store = &harness.store;
    assert_eq!(
        code(&store.join(here, &gone, None).await),
        Some(Code::NotAllowed)
    );
    assert_eq!(reads(&**store, here, &gone).await, Some(Code::NotAllowed));
    assert_eq!(reads(&**store, here, &inside).await, None);
    harness.post(here, &inside, "still here").await;
    assert_eq!(sees(harness, &gone, now()).await, []);
    for who in [&late, &inside] {
        let seen = sees(harness, who, now()).await;
        assert_eq!(seen, [(here, InstanceState::Active)], "{}", who.name);
    }
    harness.leave(here, &inside).await;
    let again = harness.store.join(here, &inside, None).await;
    assert_eq!(code(&again), Some(Code::NotAllowed));
}

pub async fn invited_address_ignores_case(harness: &mut Harness) {
    let shouting = plenary_server::store::NewUser {
        email: "ADA@Example.ORG".to_owned(),
        ..crate::harness::new_user("ada", plenary_shared::domain::Role::Member)
    };
    let ada = harness.store.add_user(shouting).await.expect("it is free");
    let here = harness.private(&[&ada]).await;
    assert_eq!(reads(&*harness.store, here, &ada).await, None);
    harness.join(here, &ada).await;
    harness.end(here).await;
    assert_eq!(reads(&*harness.store, here, &ada).await, None);
}
