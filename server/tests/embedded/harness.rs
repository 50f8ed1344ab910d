//! A server on SQLite with users and meetings, and direct access to its file.

use std::fmt::Write;
use std::time::Duration;

use plenary_shared::ids::InstanceId;
use plenary_testkit::{Http, Server, ServerOptions, Ws, until};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

/// A running server and its data file.
pub struct Harness {
    /// The server.
    pub server: Server,
}

impl Harness {
    /// Starts a server with these members, with ids from 1 on, and the public meeting 1.
    pub fn with(people: &[impl AsRef<str>]) -> Self {
        Self::with_options(people, ServerOptions::default())
    }

    /// Starts a server with these options.
    pub fn with_options(people: &[impl AsRef<str>], options: ServerOptions) -> Self {
        let server = Server::embedded(options);
        let harness = Self { server };
        let mut sql = "INSERT INTO meeting (meetingID, title, description, isPublic)
             VALUES (1, 'Seminar', 'About it', 1);"
            .to_owned();
        for (id, name) in (1..).zip(people) {
            let name = name.as_ref();
            write!(
                sql,
                "INSERT INTO user (userID, name, age, gender, email)
                 VALUES ({id}, '{name}', 30, 'other', '{name}@example.org');
                 {}",
                session(id, name)
            )
            .expect("writing to a String cannot fail");
        }
        harness.sql(&sql);
        harness
    }

    /// Creates a new session for a user whose sessions were closed.
    pub fn sign_in(&self, id: u64, name: &str) {
        self.sql(&session(id, name));
    }

    /// Runs SQL statements from another process than the server.
    pub fn sql(&self, statements: &str) {
        self.file()
            .execute_batch(statements)
            .unwrap_or_else(|error| panic!("{error}: {statements}"));
    }

    /// Inserts the ended instance 1/9 with this many messages of the first two users.
    pub fn ended_instance(&self, lines: usize) {
        self.sql(&format!(
            "BEGIN;
             INSERT INTO meeting_instance
               (meetingID, orderID, fromdatetime, todatetime, state, gen, archived_seq, reason, ended_at)
             VALUES (1, 9, 1000, 9000000, 'ended', 1, {lines} + 2, 'scheduled', 9000000);
             INSERT INTO event_log (meetingID, orderID, seq, eventType, timestamp)
             VALUES (1, 9, 1, 'opened', 1000);
             WITH RECURSIVE line (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM line WHERE i < {lines})
             INSERT INTO message (meetingID, orderID, seq, userID, cmid, body, timestamp)
             SELECT 1, 9, i + 1, 1 + i % 2, printf('%08x-0000-7000-8000-%012x', i, i),
               'line ' || i || ' é 日本', 1000 + 7 * i
             FROM line;
             INSERT INTO event_log (meetingID, orderID, seq, eventType, timestamp, reason)
             VALUES (1, 9, {lines} + 2, 'closed', 9000000, 'scheduled');
             COMMIT;"
        ));
    }

    /// Returns a single value, as text.
    pub fn value(&self, query: &str) -> String {
        self.file()
            .query_row(query, [], |row| {
                row.get_ref(0).map(|value| match value {
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    rusqlite::types::ValueRef::Text(text) => {
                        String::from_utf8_lossy(text).into_owned()
                    }
                    other => panic!("{query}: {other:?}"),
                })
            })
            .unwrap_or_else(|error| panic!("{error}: {query}"))
    }

    /// Returns the rows of a query, each an integer and a text.
    pub fn rows(&self, query: &str) -> Vec<(i64, String)> {
        let file = self.file();
        let mut statement = file.prepare(query).expect("a query");
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("an answer");
        rows.map(|row| row.expect("a row")).collect()
    }

    fn file(&self) -> Connection {
        let path = self.server.data().join("plenary.db");
        let file = Connection::open(path).expect("the server's file");
        file.busy_timeout(Duration::from_secs(10))
            .expect("a timeout");
        file
    }

    /// Schedules an instance of meeting 1 from now on, and waits until it is active.
    pub fn active(&self, length_s: u64) -> InstanceId {
        let length = format!("{length_s}s");
        self.server
            .cli(&[
                "meeting", "schedule", "1", "--from", "now", "--for", &length,
            ])
            .ok();
        let order = self.value("SELECT MAX(orderID) FROM meeting_instance");
        let here: InstanceId = format!("1/{order}").parse().expect("an instance");
        self.until_state(here, "active");
        here
    }

    /// Waits until the instance has this state in the data file.
    pub fn until_state(&self, here: InstanceId, state: &str) {
        let query = format!(
            "SELECT state FROM meeting_instance WHERE orderID = {}",
            here.order
        );
        until(&format!("{here} to be {state}"), || {
            (self.value(&query) == state).then_some(())
        });
    }

    /// An HTTP client of this user.
    pub fn http(&self, name: &str) -> Http {
        Http::with_token(&self.server.url(), &token(name))
    }

    /// A WebSocket of this user.
    pub async fn ws(&self, name: &str) -> Ws {
        Ws::hello(&self.server.url(), &token(name)).await
    }

    /// Checks the integrity of the data file.
    pub fn assert_whole(&self) {
        assert_eq!(self.value("PRAGMA integrity_check"), "ok");
    }
}

/// The SQL that stores a session for this user's [`token`].
fn session(id: u64, name: &str) -> String {
    let token = hex(&Sha256::digest(token(name).as_bytes()));
    format!(
        "INSERT INTO session (tokenHash, userID, created_at, expires_at)
         VALUES (x'{token}', {id}, 0, 4000000000000);"
    )
}

/// The HTTP path of a resource of an instance.
pub fn path(here: InstanceId, rest: &str) -> String {
    format!("/meeting/{}/order/{}/{rest}", here.meeting, here.order)
}

/// The login token of this user.
pub fn token(name: &str) -> String {
    hex(&Sha256::digest(format!("a token of {name}").as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}
