//! What lasts, tried on a private MariaDB.

use plenary_server::error::{Answer, Error, Fault};
use plenary_server::store::mysql::{Archived, Batch, MysqlStore};
use plenary_server::store::{NewMeeting, NewUser};
use plenary_shared::domain::{Code, Event, EventKind, Gender, Reason, Role, User};
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, OrderId, Seq, UserId};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use plenary_testkit::{Database, MariaDb};

mod archive;
mod life;
mod migrations;
mod outage;
mod people;
mod read;
mod schedule;

/// A ledger on a database of its own, with its tables.
struct World {
    ledger: MysqlStore,
    database: Database,
    mariadb: MariaDb,
}

impl World {
    async fn new() -> Self {
        let mariadb = MariaDb::start();
        let database = mariadb.create_database();
        let ledger = connect(&database);
        ledger.migrate().await.expect("an empty database is filled");
        Self {
            ledger,
            database,
            mariadb,
        }
    }

    async fn user(&self, name: &str, email: &str) -> User {
        self.ledger
            .add_user(
                NewUser {
                    name: name.to_owned(),
                    email: email.to_owned(),
                    age: Some(21),
                    gender: Some(Gender::Other),
                    role: Role::Member,
                    by: None,
                },
                minute(0),
            )
            .await
            .expect("the address is free")
    }

    async fn meeting(&self, title: &str, audience: Option<&[&str]>) -> MeetingId {
        self.ledger
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
        self.ledger
            .schedule(meeting, (minute(from), minute(to)), None, minute(-60))
            .await
            .expect("the time is good")
    }

    /// A public instance that has begun and lasts for an hour.
    async fn active(&self) -> InstanceId {
        let meeting = self.meeting("Seminar", None).await;
        let instance = self.instance(meeting, 0, 60).await;
        self.ledger
            .begin(instance, minute(0))
            .await
            .expect("the database answers")
            .expect("it is due");
        instance
    }

    async fn archive_one(&self, batch: Batch) -> Archived {
        self.ledger
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

/// So many minutes after [`noon`].
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

/// The events after `after`, of the first generation.
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
fn is_away<T>(answer: Answer<T>) {
    match answer {
        Err(Error::Fault(Fault::Unavailable { store, .. })) => assert_eq!(store, "MySQL"),
        Err(error) => panic!("not away, but {error}"),
        Ok(_) => panic!("not away, but done"),
    }
}

/// What breaks out of a statement that is put together from text.
const HOSTILE: &[&str] = &[
    "'; DROP TABLE user; --",
    "\" OR \"\"=\"",
    "` -- \\",
    "%_\\'\\\\",
    ":user ? {0} $1 /*!50000 x */",
    "é 日本 👩‍👩‍👧 שלום",
];
