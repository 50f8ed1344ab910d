//! Tests of `MysqlStore` on a private MariaDB.

use plenary_server::error::{Answer, Error, Fault};
use plenary_server::store::mysql::{Archived, Batch, MysqlStore};
use plenary_server::store::{NewMeeting, NewUser};
use plenary_shared::domain::{Code, Event, EventKind, Gender, Reason, Role, User};
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, OrderId, Seq, UserId};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use plenary_testkit::{Database, MariaDb};

mod archive;
mod lifecycle;
mod migrations;
mod outage;
mod pages;
mod schedule;
mod searching;
mod session;
mod users;

/// A store on its own migrated database.
struct Harness {
    store: MysqlStore,
    database: Database,
    mariadb: MariaDb,
}

impl Harness {
    async fn new() -> Self {
        Self::on(MariaDb::start()).await
    }

    async fn on(mariadb: MariaDb) -> Self {
        let database = mariadb.create_database();
        let store = connect(&database);
        store.migrate().await.expect("an empty database is filled");
        Self {
            store,
            database,
            mariadb,
        }
    }

    async fn user(&self, name: &str, email: &str) -> User {
        self.store
            .add_user(
                NewUser {
                    name: name.to_owned(),
                    email: email.to_owned(),
                    age: Some(21),
                    gender: Some(Gender::Other),
                    role: Role::Member,
                    password_hash: None,
                    by: None,
                },
                minute(0),
            )
            .await
            .expect("the address is free")
    }

    async fn meeting(&self, title: &str, audience: Option<&[&str]>) -> MeetingId {
        self.store
            .add_meeting(
                NewMeeting {
                    by: None,
                    title: title.to_owned(),
                    description: String::new(),
                    is_public: audience.is_none(),
                    audience: audience
                        .unwrap_or_default()
                        .iter()
                        .map(|email| (*email).to_owned())
                        .collect(),
                },
                minute(-60),
            )
            .await
            .expect("a meeting can be added")
            .id
    }

    /// An instance from `from` to `to` minutes around [`noon`], scheduled an hour before.
    async fn instance(&self, meeting: MeetingId, from: i64, to: i64) -> InstanceId {
        self.store
            .schedule(meeting, (minute(from), minute(to)), None, minute(-60))
            .await
            .expect("the time is good")
    }

    /// A public instance that has begun and lasts for an hour.
    async fn active(&self) -> InstanceId {
        let meeting = self.meeting("Seminar", None).await;
        let instance = self.instance(meeting, 0, 60).await;
        self.store
            .begin(instance, minute(0))
            .await
            .expect("the database answers")
            .expect("it is due");
        instance
    }

    async fn archive_one(&self, batch: Batch) -> Archived {
        self.store
            .archive(&[batch])
            .await
            .expect("the database answers")
            .pop()
            .expect("one batch has one outcome")
    }
}

fn connect(database: &Database) -> MysqlStore {
    MysqlStore::connect(&database.url()).expect("the testkit's URL is good")
}

fn noon() -> Timestamp {
    "2026-05-06T12:00:00.123Z".parse().expect("a time")
}

/// [`noon`] plus this many minutes.
fn minute(minutes: i64) -> Timestamp {
    noon().plus_ms(minutes * 60_000)
}

fn seq(number: u64) -> Seq {
    Seq::new(number).expect("a small number")
}

fn generation(number: u64) -> Generation {
    Generation::new(number).expect("a small number")
}

fn user_id(number: u64) -> UserId {
    UserId::new(number).expect("a small number")
}

fn instance_id(meeting: u64, order: u64) -> InstanceId {
    InstanceId::new(
        MeetingId::new(meeting).expect("a small number"),
        OrderId::new(order).expect("a small number"),
    )
}

fn cmid(number: u128) -> Cmid {
    Cmid(uuid::Uuid::from_u128(number))
}

fn event(instance: InstanceId, number: u64, what: EventKind) -> Event {
    Event {
        instance,
        generation: generation(1),
        seq: seq(number),
        kind: what,
        timestamp: noon().plus_ms(i64::try_from(number).expect("a small number")),
    }
}

fn message(instance: InstanceId, number: u64, user: UserId, body: &str) -> Event {
    let what = EventKind::Message {
        user,
        cmid: cmid(number.into()),
        body: MessageBody::parse(body).expect("a body"),
        reply_to: None,
        edited: None,
        deleted: None,
    };
    event(instance, number, what)
}

fn join(instance: InstanceId, number: u64, user: &User) -> Event {
    let what = EventKind::Join {
        user: user.id,
        name: user.name.clone(),
    };
    event(instance, number, what)
}

fn leave(instance: InstanceId, number: u64, user: &User, reason: Reason) -> Event {
    let what = EventKind::Leave {
        user: user.id,
        reason,
    };
    event(instance, number, what)
}

/// A batch of the first generation that follows the event `after`.
fn batch(instance: InstanceId, after: u64, events: Vec<Event>) -> Batch {
    Batch {
        instance,
        generation: generation(1),
        after: seq(after),
        events,
    }
}

#[track_caller]
fn rejected<T>(answer: Answer<T>, code: Code) -> String {
    match answer {
        Err(Error::Reject(reject)) if reject.code == code => reject.detail,
        Err(error) => panic!("not {code}, but {error}"),
        Ok(_) => panic!("not {code}, but done"),
    }
}

#[track_caller]
fn assert_unavailable<T>(answer: Answer<T>) {
    match answer {
        Err(Error::Fault(Fault::Unavailable { store, .. })) => assert_eq!(store, "MySQL"),
        Err(error) => panic!("not away, but {error}"),
        Ok(_) => panic!("not away, but done"),
    }
}

/// Strings that would escape from an SQL statement built by concatenation.
const INJECTIONS: &[&str] = &[
    "'; DROP TABLE user; --",
    "\" OR \"\"=\"",
    "` -- \\",
    "%_\\'\\\\",
    ":user ? {0} $1 /*!50000 x */",
    "é 日本 👩‍👩‍👧 שלום",
];
