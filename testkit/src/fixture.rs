//! A server with users and meetings on private stores: the starting point of most end-to-end tests.

use std::fmt::Write;
use std::time::Duration;

use plenary_shared::ids::{InstanceId, MeetingId, OrderId, UserId};

use crate::http::Http;
use crate::redis::RedisOptions;
use crate::server::{Server, ServerOptions};
use crate::stores::Stores;
use crate::wait::until;
use crate::ws::Ws;

/// The password that [`Fixture::set_password`] sets.
pub const PASSWORD: &str = "correct horse battery";

/// A running server, its stores, and the rows inserted before it started.
#[derive(Debug)]
pub struct Fixture {
    // Before the stores, so that the server ends first.
    /// The server.
    pub server: Server,
    /// Its stores.
    pub stores: Stores,
}

/// Builds a [`Fixture`]: inserts rows before the server starts.
#[derive(Debug)]
pub struct FixtureBuilder {
    stores: Stores,
    options: ServerOptions,
}

impl FixtureBuilder {
    /// Stores with the server's tables and no rows.
    pub fn new() -> Self {
        Self::with(RedisOptions::default(), ServerOptions::default())
    }

    /// Stores and a server with these options.
    pub fn with(redis: RedisOptions, options: ServerOptions) -> Self {
        let stores = Stores::with(redis);
        Server::migrate(&stores.redis, &stores.database);
        Self { stores, options }
    }

    /// Inserts rows with SQL.
    #[must_use]
    pub fn sql(self, statements: &str) -> Self {
        self.stores.database.query(statements);
        self
    }

    /// Adds users called `name` at `name@example.org`, with ids from `first` on.
    #[must_use]
    pub fn people(self, first: u64, names: &[impl AsRef<str>]) -> Self {
        let mut sql = String::new();
        for (id, name) in (first..).zip(names) {
            let name = name.as_ref();
            writeln!(
                sql,
                "INSERT INTO user (userID, name, age, gender, email) \
                 VALUES ({id}, '{name}', 30, 'other', '{name}@example.org');"
            )
            .expect("writing to a String cannot fail");
        }
        self.sql(&sql)
    }

    /// Makes this user an admin.
    #[must_use]
    pub fn admin(self, name: &str) -> Self {
        let sql = format!("UPDATE user SET role = 'admin' WHERE name = '{name}'");
        self.sql(&sql)
    }

    /// Adds a meeting: public, or private for these users.
    #[must_use]
    pub fn meeting(self, id: u64, title: &str, audience: Option<&[&str]>) -> Self {
        let public = u8::from(audience.is_none());
        let mut sql = format!(
            "INSERT INTO meeting (meetingID, title, description, isPublic) \
             VALUES ({id}, '{title}', 'About {title}', {public});\n"
        );
        for name in audience.unwrap_or_default() {
            writeln!(
                sql,
                "INSERT INTO audience (meetingID, email) VALUES ({id}, '{name}@example.org');"
            )
            .expect("writing to a String cannot fail");
        }
        self.sql(&sql)
    }

    /// Adds an instance; `from` and `to` are seconds from now.
    #[must_use]
    pub fn instance(self, meeting: u64, order: u64, from_s: i64, to_s: i64) -> Self {
        let sql = format!(
            "INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime) VALUES \
             ({meeting}, {order}, UTC_TIMESTAMP() + INTERVAL {from_s} SECOND, \
             UTC_TIMESTAMP() + INTERVAL {to_s} SECOND)"
        );
        self.sql(&sql)
    }

    /// Returns only the stores, for tests that start their own servers.
    pub fn into_stores(self) -> Stores {
        self.stores
    }

    /// Starts the server and waits until every due instance is active.
    pub fn start(self) -> Fixture {
        let server = Server::with(&self.stores.redis, &self.stores.database, self.options);
        let fixture = Fixture {
            server,
            stores: self.stores,
        };
        let due = "SELECT COUNT(*) FROM meeting_instance \
             WHERE state = 'scheduled' AND fromdatetime <= UTC_TIMESTAMP()";
        until("every due instance to be active", || {
            (fixture.stores.database.value(due) == "0").then_some(())
        });
        fixture
    }
}

impl Default for FixtureBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl Fixture {
    /// An HTTP client signed in as this user.
    #[track_caller]
    pub fn http(&self, name: &str) -> Http {
        Http::with_token(&self.server.url(), &self.token(name))
    }

    /// A WebSocket signed in as this user.
    pub async fn ws(&self, name: &str) -> Ws {
        Ws::hello(&self.server.url(), &self.token(name)).await
    }

    /// A login token of this user.
    #[track_caller]
    pub fn token(&self, name: &str) -> String {
        let mut tokens = self.tokens(&[name]);
        tokens.pop().expect("one token was requested")
    }

    /// A login token for each of these users, stored as a sign-in would store it.
    #[track_caller]
    pub fn tokens(&self, names: &[impl AsRef<str>]) -> Vec<String> {
        self.stores.tokens(names)
    }

    /// Gives this user [`PASSWORD`].
    #[track_caller]
    pub fn set_password(&self, name: &str) {
        let email = format!("{name}@example.org");
        self.server
            .cli_with_input(&["user", "passwd", &email, "--password-stdin"], PASSWORD)
            .ok();
    }

    /// Schedules an instance from now on for `length`, and waits until it is active.
    #[track_caller]
    pub fn schedule(&self, meeting: u64, length: Duration) -> InstanceId {
        let id = meeting.to_string();
        let length = format!("{}s", length.as_secs());
        self.server
            .cli(&[
                "meeting", "schedule", &id, "--from", "now", "--for", &length,
            ])
            .ok();
        let last = format!("SELECT MAX(orderID) FROM meeting_instance WHERE meetingID = {meeting}");
        let order = self.stores.database.value(&last);
        let instance = instance(meeting, order.parse().expect("a number"));
        self.wait_state(instance, "active");
        instance
    }

    /// Waits until the instance has this state in the durable store.
    #[track_caller]
    pub fn wait_state(&self, instance: InstanceId, state: &str) {
        until(&format!("{instance} to be {state}"), || {
            (self.state(instance) == state).then_some(())
        });
    }

    /// The instance's state in the durable store.
    #[track_caller]
    pub fn state(&self, instance: InstanceId) -> String {
        let sql = format!("SELECT state FROM meeting_instance WHERE {}", of(instance));
        self.stores.database.value(&sql)
    }

    /// The archived log: seq, kind, user (`NULL` if none), time in milliseconds, reason.
    #[track_caller]
    pub fn event_log(&self, instance: InstanceId) -> Vec<Vec<String>> {
        self.stores.database.query(&format!(
            "SELECT seq, eventType, userID, ROUND(UNIX_TIMESTAMP(timestamp) * 1000), reason \
             FROM event_log WHERE {} ORDER BY seq",
            of(instance)
        ))
    }

    /// The archived messages: seq, user, cmid, body. Tabs and line ends in bodies are escaped.
    #[track_caller]
    pub fn message_rows(&self, instance: InstanceId) -> Vec<Vec<String>> {
        self.stores.database.query(&format!(
            "SELECT seq, userID, cmid, body FROM message WHERE {} ORDER BY seq",
            of(instance)
        ))
    }

    /// The instance's keys in Redis.
    #[track_caller]
    pub fn live_keys(&self, instance: InstanceId) -> Vec<String> {
        let (meeting, order) = (instance.meeting, instance.order);
        self.stores
            .redis
            .keys(&format!("*meeting:{meeting}:order:{order}}}*"))
    }
}

/// Parses `meeting/order`.
#[track_caller]
pub fn instance(meeting: u64, order: u64) -> InstanceId {
    InstanceId::new(
        MeetingId::new(meeting).expect("a small number"),
        OrderId::new(order).expect("a small number"),
    )
}

/// The user with this id.
#[track_caller]
pub fn user(id: u64) -> UserId {
    UserId::new(id).expect("a small number")
}

fn of(instance: InstanceId) -> String {
    format!(
        "meetingID = {} AND orderID = {}",
        instance.meeting, instance.order
    )
}
