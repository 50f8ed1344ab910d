//! A private server with a meeting and users, on SQLite or on Redis and MariaDB.

use std::fmt::Write;
use std::fs;
use std::time::Duration;

use plenary_shared::ids::InstanceId;
use plenary_testkit::{Fixture, FixtureBuilder, Server, ServerOptions, instance, until};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

/// A private server.
pub struct Place {
    kind: Kind,
    /// A token for each user.
    pub tokens: Vec<String>,
}

enum Kind {
    File(Box<Server>),
    Stores(Box<Fixture>),
}

/// The meeting.
pub fn here() -> InstanceId {
    instance(1, 1)
}

impl Place {
    /// On SQLite, beside the build, where writes wait for a disk.
    pub fn file(people: usize) -> Self {
        let server = Server::embedded(ServerOptions::default());
        let mut sql = "BEGIN;
             INSERT INTO meeting (meetingID, title, description, isPublic)
             VALUES (1, 'Assembly', '', 1);"
            .to_owned();
        let tokens: Vec<String> = (1..=people).map(|n| format!("{n:064x}")).collect();
        for (id, token) in (1..).zip(&tokens) {
            let hash = Sha256::digest(token.as_bytes());
            let hash = hash.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
                hex
            });
            write!(
                sql,
                "INSERT INTO user (userID, name, age, gender, email)
                 VALUES ({id}, 'person{id}', 30, 'other', 'person{id}@example.org');
                 INSERT INTO session (tokenHash, userID, created_at, expires_at)
                 VALUES (x'{hash}', {id}, 0, 4000000000000);"
            )
            .expect("writing to a String cannot fail");
        }
        sql.push_str("COMMIT");
        let file = Connection::open(server.data().join("plenary.db")).expect("the file");
        file.busy_timeout(Duration::from_secs(10)).expect("a time");
        file.execute_batch(&sql).expect("rows");
        let schedule = ["meeting", "schedule", "1", "--from", "now", "--for", "1h"];
        server.cli(&schedule).ok();
        until("the meeting to start", || {
            let state = "SELECT state FROM meeting_instance";
            let state: String = file.query_row(state, [], |row| row.get(0)).ok()?;
            (state == "active").then_some(())
        });
        Self {
            kind: Kind::File(Box::new(server)),
            tokens,
        }
    }

    /// On its own Redis and MariaDB.
    pub fn stores(people: usize) -> Self {
        let names: Vec<String> = (1..=people).map(|n| format!("person{n}")).collect();
        let fixture = FixtureBuilder::new()
            .people(1, &names)
            .meeting(1, "Assembly", None)
            .instance(1, 1, -60, 3_600)
            .start();
        let tokens = fixture.tokens(&names);
        Self {
            kind: Kind::Stores(Box::new(fixture)),
            tokens,
        }
    }

    /// The server.
    pub fn server(&self) -> Process<'_> {
        Process(match &self.kind {
            Kind::File(server) => server,
            Kind::Stores(fixture) => &fixture.server,
        })
    }
}

/// The server's process.
pub struct Process<'a>(&'a Server);

impl Process<'_> {
    /// Its URL.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Its resident memory.
    pub fn resident_kib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.pid()));
        let status = status.expect("this needs Linux with /proc");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse().ok())
            .expect("a number of kB")
    }
}
