//! The database that is read: created with the store's own operations, and kept between runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{join_all, try_join_all};
use plenary_server::clock;
use plenary_server::error::Error;
use plenary_server::store::sqlite::{Purpose, SqliteStore};
use plenary_server::store::{
    EndStep, LifecycleStore, LogStore, MeetingStore, MessageStore, NewMeeting, NewSession, NewUser,
    ParticipationStore, SessionStore, TokenHash, UserStore,
};
use plenary_shared::domain::{Reason, Role, User};
use plenary_shared::ids::{Cmid, InstanceId, MeetingId, OrderId, UserId};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use sha2::{Digest, Sha256};

use crate::Room;

/// Users.
const PEOPLE: usize = 1_000;

/// Active instances: the large one first, with every user in it.
const ACTIVE: usize = 100;

/// Ended instances.
const ENDED: usize = 101;

/// Participants of every instance except the large one.
const IN_EACH: usize = 10;

/// Messages of each of them.
const POSTS_EACH: usize = 400;

/// Messages of each user but one in the large instance.
const POSTS_IN_LARGE: usize = 201;

/// Instances that are filled concurrently.
const SIDE_BY_SIDE: usize = 25;

/// The length of the meetings, and so how long the database can be used: the maximum.
const LENGTH_MS: i64 = 31 * DAY_MS;

const DAY_MS: i64 = 86_400_000;

/// The directory's name; other content needs another name.
const NAME: &str = "million-messages";

/// Written last, with the time when the meetings end: an incomplete database is created again.
const COMPLETE: &str = "complete";

/// Messages, in turn: short words and long ones.
const SAID: [&str; 4] = [
    "Yes.",
    "I have read the second draft, and I would rather move the deadline than drop the tests.",
    "Could everybody check the numbers before we continue?",
    "The short version: it works on two machines and fails on the third, always at the same place, \
     so it is not the weather. The long version is in the minutes of last week, third paragraph, \
     with the measurements, and nobody has read them yet as far as I can see.",
];

/// The database and its content.
pub struct Archive {
    /// Its directory.
    pub directory: PathBuf,
    /// Active instances except the large one.
    pub active: Vec<Room>,
    /// Ended instances.
    pub ended: Vec<Room>,
    /// The large instance.
    pub large: Room,
}

impl Archive {
    /// The large instance, read for the user with one message in it.
    pub fn quiet(&self) -> Room {
        let mut room = self.large.clone();
        room.people.truncate(1);
        room
    }

    /// Reuses the database of an earlier run while its meetings are active, or creates a new one.
    pub async fn find_or_make() -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(NAME);
        let now = clock::of_machine()();
        let complete = fs::read_to_string(directory.join(COMPLETE)).ok();
        let until_ms = complete.and_then(|text| text.trim().parse::<i64>().ok());
        if until_ms.is_none_or(|until_ms| until_ms < now.as_ms() + DAY_MS) {
            make(&directory, now).await;
        }
        Self::find(directory).await
    }

    async fn find(directory: PathBuf) -> Self {
        let store = SqliteStore::open(&directory, clock::of_machine(), Purpose::Command)
            .expect("the file that was made");
        let people = store.users(None, PEOPLE).await.expect("people");
        let people: Vec<User> = people.into_iter().map(|one| one.user).collect();
        assert_eq!(people.len(), PEOPLE);
        let mut rooms = Vec::with_capacity(ACTIVE + ENDED);
        for number in 0..ACTIVE + ENDED {
            let here = instance(number);
            let people = in_room(number, &people);
            let opened = store.open(here, &people[0], None, 1).await;
            let opened = opened.expect("a meeting that was made");
            rooms.push(Room {
                here,
                last: opened.seq.get(),
                people,
            });
        }
        let messages: u64 = rooms.iter().map(|room| room.last).sum();
        println!(
            "{}: {ACTIVE} active and {ENDED} ended meetings, {PEOPLE} users, {messages} events",
            directory.display()
        );
        let ended = rooms.split_off(ACTIVE);
        let active = rooms.split_off(1);
        let large = rooms.swap_remove(0);
        Self {
            directory,
            active,
            ended,
            large,
        }
    }
}

/// A user's login token.
pub fn token(user: UserId) -> String {
    TokenHash(Sha256::digest(format!("a token of {user}")).into()).to_hex()
}

async fn make(directory: &Path, now: Timestamp) {
    match fs::remove_dir_all(directory) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => panic!("{}: {error}", directory.display()),
    }
    println!("{} is being created …", directory.display());
    let begin = Instant::now();
    let store =
        SqliteStore::open(directory, clock::of_machine(), Purpose::Serve).expect("a new file");
    let people = Arc::new(add_people(&store, now).await);
    schedule(&store, now).await;
    let mut posts = 0;
    let numbers: Vec<usize> = (0..ACTIVE + ENDED).collect();
    let (first, rest) = numbers.split_at(1);
    for some in [first].into_iter().chain(rest.chunks(SIDE_BY_SIDE)) {
        let talks = some.iter().map(|number| {
            let (store, people, number) = (store.clone(), people.clone(), *number);
            tokio::spawn(async move { hold_meeting(&store, &people, number, now).await })
        });
        for talk in join_all(talks).await {
            posts += talk.expect("a meeting does not panic");
        }
        println!(
            "{posts} messages after {:.1} s",
            begin.elapsed().as_secs_f64()
        );
    }
    let until_ms = now.plus_ms(LENGTH_MS).as_ms();
    fs::write(directory.join(COMPLETE), until_ms.to_string()).expect("a mark");
}

async fn add_people(store: &Arc<SqliteStore>, now: Timestamp) -> Vec<User> {
    let adding = (0..PEOPLE).map(|number| async move {
        let new = NewUser {
            name: format!("Person {number}"),
            email: format!("person{number}@example.org"),
            age: Some(30),
            gender: None,
            role: Role::Member,
            password_hash: None,
            by: None,
        };
        let user = store.add_user(new).await?;
        let session = NewSession {
            token: TokenHash(Sha256::digest(token(user.id)).into()),
            user: user.id,
            created_at: now,
            expires_at: now.plus_ms(LENGTH_MS),
            label: "a reader".to_owned(),
            password_hash: None,
        };
        store.open_session(session).await?;
        Ok::<_, Error>(user)
    });
    let mut people = try_join_all(adding).await.expect("people");
    people.sort_by_key(|user| user.id);
    people
}

/// One after the other, so that their numbers are known.
async fn schedule(store: &Arc<SqliteStore>, now: Timestamp) {
    for number in 0..ACTIVE + ENDED {
        let new = NewMeeting {
            by: None,
            title: format!("Seminar {number}"),
            description: "Topics as announced".to_owned(),
            is_public: true,
            audience: vec![],
        };
        let meeting = store.add_meeting(new).await.expect("a meeting");
        let to = now.plus_ms(LENGTH_MS);
        let here = store
            .schedule(meeting.id, now, to, None)
            .await
            .expect("a time");
        assert_eq!(here, instance(number));
    }
}

/// The participants of an instance: all users in the large one.
fn in_room(number: usize, people: &[User]) -> Vec<User> {
    if number == 0 {
        return people.to_vec();
    }
    let first = number * IN_EACH;
    let seats = first..first + IN_EACH;
    seats.map(|seat| people[seat % PEOPLE].clone()).collect()
}

/// Each instance has its own meeting, in the order of their numbers.
fn instance(number: usize) -> InstanceId {
    let meeting = u64::try_from(number + 1).expect("a small number");
    InstanceId::new(
        MeetingId::new(meeting).expect("a small number"),
        OrderId::new(1).expect("a small number"),
    )
}

/// Starts a meeting, lets the users join and post, and ends it if it is one of the ended ones.
/// Returns the number of messages.
async fn hold_meeting(
    store: &Arc<SqliteStore>,
    people: &[User],
    number: usize,
    now: Timestamp,
) -> usize {
    let here = instance(number);
    store.start(here, now).await.expect("a start");
    let mut talking = Vec::new();
    for (seat, person) in in_room(number, people).into_iter().enumerate() {
        let posts = match (number, seat) {
            (0, 0) => 1,
            (0, _) => POSTS_IN_LARGE,
            (_, _) => POSTS_EACH,
        };
        let store = store.clone();
        talking.push(tokio::spawn(async move {
            talk(&store, here, &person, posts).await
        }));
    }
    let mut said = 0;
    for one in join_all(talking).await {
        said += one.expect("a talker does not panic").expect("all is taken");
    }
    if number >= ACTIVE {
        for step in EndStep::ALL {
            store
                .end_step(here, Reason::Ended, *step, now)
                .await
                .expect("an end");
        }
    }
    said
}

async fn talk(
    store: &Arc<SqliteStore>,
    here: InstanceId,
    person: &User,
    posts: usize,
) -> Result<usize, Error> {
    store.join(here, person, None).await?;
    for turn in 0..posts {
        let cmid = Cmid(uuid::Uuid::now_v7());
        let body = MessageBody::parse(SAID[turn % SAID.len()]).expect("a body");
        store.post(here, person, cmid, &body).await?;
    }
    Ok(posts)
}
