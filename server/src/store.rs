//! The only door to data. One verb is one atom: it changes the state and emits the event, or does
//! neither. Nothing above knows which back end it has.

use std::fmt;

use async_trait::async_trait;
use plenary_shared::domain::{
    Event, Gender, Instance, Meeting, Participant, Reason, Role, Standing, User,
};
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, Seq, UserId};
use plenary_shared::protocol::{
    Absent, BoardServer, EventsOk, JoinTimes, MessagesOk, OpenOk, Posted, PresenceTold, SearchOk,
    Unread, WaitOk, WaitTold,
};
use plenary_shared::search::{Place, Query};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use tokio::sync::mpsc;

use crate::error::{Answer, Fault};

use self::moderation::Order;

pub use plenary_shared::protocol::{Planned, PlannedInstance};

pub mod belongings;
pub mod diagnostic;
pub mod instrument;
pub mod moderation;
pub mod moving;
pub mod mysql;
pub mod overview;
pub mod planning;
pub mod redis;
pub mod redis_mysql;
mod refusal;
mod sanitize;
mod sieve;
pub mod sqlite;
mod window;

/// SHA-256 of a login token: what is stored of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// In lower-case hexadecimal.
    pub fn to_hex(self) -> String {
        use fmt::Write;
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                // Writing to a String cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }
}

// Not even a hash of a token reaches a log.
impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

/// A person and what they sign in with.
#[derive(Clone)]
pub struct Account {
    /// The person.
    pub user: User,
    /// Their password's hash in PHC form; `None`: they cannot sign in with a password.
    pub password_hash: Option<String>,
    /// Whether they may not sign in.
    pub disabled: bool,
}

/// A person to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// What they are called.
    pub name: String,
    /// Their address, in lower case.
    pub email: String,
    /// In years.
    pub age: Option<u32>,
    /// As they say.
    pub gender: Option<Gender>,
    /// What they may do.
    pub role: Role,
    /// The admin who adds them, for the audit; nobody where it is the command line.
    pub by: Option<UserId>,
}

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// By what it is known.
    pub token: TokenHash,
    /// Whose.
    pub user: UserId,
    /// When it begins.
    pub created_at: Timestamp,
    /// When it stops being good.
    pub expires_at: Timestamp,
    /// What it is called in lists.
    pub label: String,
}

/// A session that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub user: User,
    /// When it stops being good.
    pub expires_at: Timestamp,
}

/// A person as a list of everybody shows them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct PersonListed {
    /// Who.
    #[serde(flatten)]
    pub user: User,
    /// Since when they may not sign in, if they may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
}

/// A session as a list shows it. Its token is known to nobody.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct SessionListed {
    /// What it is called: the machine's name, most often.
    pub label: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it stops being good.
    pub expires_at: Timestamp,
}

/// What the archive does not have yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events, of all instances.
    pub events: u64,
    /// How long ago the oldest of them happened, in milliseconds.
    pub oldest_ms: i64,
}

/// A meeting to be added.
#[derive(Clone, Debug)]
pub struct NewMeeting {
    /// One line.
    pub title: String,
    /// Any text, or none.
    pub description: String,
    /// Whether anyone who is signed in may join.
    pub is_public: bool,
    /// Who may join otherwise: addresses in lower case.
    pub audience: Vec<String>,
    /// The admin who adds it, for the audit; nobody where it is the command line.
    pub by: Option<UserId>,
}

/// A WebSocket connection, unique over all servers and for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    /// The server that holds it.
    pub node: NodeId,
    /// Its number on that server.
    pub number: u64,
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:016x}", self.node, self.number)
    }
}

/// A running server: random, new at every start. Letters and digits only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub String);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which part of a log, or of the messages, is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The last ones below this seq (`None`: the very last).
    Before(Option<Seq>),
    /// The first ones above this seq.
    After(Seq),
}

/// The next starts and ends, and all that is not yet finished.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    /// Instances to start and when: those that are due, and those within the horizon.
    pub starts: Vec<(InstanceId, Timestamp)>,
    /// Active instances and when they are over: those that are due, and those within the horizon.
    pub ends: Vec<(InstanceId, Timestamp)>,
    /// Instances whose end has begun and is not complete.
    pub ending: Vec<InstanceId>,
}

/// How far the end of an instance has come. Each step is idempotent and may be taken by any server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndStep {
    /// A: what lasts says that it is ending.
    Marked,
    /// B: everybody has left, the log is closed.
    Closed,
    /// C: the archive has the whole log.
    Archived,
    /// D: what lasts says that it has ended.
    Recorded,
    /// E: nothing of it is live any more.
    Destroyed,
}

impl EndStep {
    /// All, in order.
    pub const ALL: &'static [Self] = &[
        Self::Marked,
        Self::Closed,
        Self::Archived,
        Self::Recorded,
        Self::Destroyed,
    ];
}

/// What became of a step towards an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// Done, by this call or before.
    Done,
    /// Not yet: try again soon.
    NotYet,
}

/// What the live store says without being asked, to the hub.
#[derive(Clone, Debug)]
pub enum Feed {
    /// An event of a followed instance. May be lost or late: its seq tells.
    Event(Box<Event>),
    /// The archive has a followed instance up to this seq.
    Durable {
        /// Where.
        instance: InstanceId,
        /// In which generation.
        generation: Generation,
        /// The last seq in the archive.
        seq: Seq,
    },
    /// A followed instance's live state begins anew.
    Fence {
        /// Where.
        instance: InstanceId,
        /// The new generation.
        generation: Generation,
        /// Events above this seq of older generations are void.
        base: Seq,
    },
    /// Events may have been lost: look at every followed instance's position.
    Gap,
    /// A schedule or a list of meetings has changed.
    Changed,
    /// Sessions were closed.
    SignedOut(TokenHash),
    /// Somebody has read further, maybe at another server.
    Read(ReadPosition),
    /// Somebody is writing in a followed instance. Kept nowhere: it may be lost.
    Typing {
        /// Where.
        instance: InstanceId,
        /// Who.
        user: UserId,
    },
    /// Whether a participant of a followed instance is there. Kept by no log: it may be lost.
    Presence(PresenceTold),
    /// Whether somebody waits for a followed instance to begin. May be lost.
    Waiting(WaitTold),
    /// Somebody was refused, maybe at another server. May be lost.
    Denied(Box<overview::Denial>),
    /// How another server is, or this one. Told every few seconds; may be lost.
    Server(Box<BoardServer>),
}

/// What somebody does in front of an instance that has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// They look who waits.
    Looks,
    /// They wait.
    Waits,
    /// They wait no more.
    Stops,
}

/// How far somebody has read an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadPosition {
    /// Who.
    pub user: UserId,
    /// Where.
    pub instance: InstanceId,
    /// The last seq that they read.
    pub seq: Seq,
}

/// How far a followed instance's log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The live generation.
    pub generation: Generation,
    /// The last seq.
    pub seq: Seq,
    /// Up to which seq the archive has it.
    pub durable: Seq,
}

/// One thing without which the store cannot serve, or only in part.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name, for who looks at it: `redis`, `mysql`, `feed`, `live_state`, `archive`, `file`.
    pub name: &'static str,
    /// Whether it is well.
    pub ok: bool,
    /// What is wrong, or how far it is, in a sentence.
    pub detail: Option<String>,
    /// How long the answer took, in milliseconds, where something was asked.
    pub latency_ms: Option<u64>,
}

/// What a store promises. All times are the store's own unless an argument says otherwise.
#[async_trait]
pub trait Store: overview::Overview + planning::Planning + Send + Sync + 'static {
    // --- people ---

    /// The account of an address (any case), if there is one.
    async fn account(&self, email: &str) -> Answer<Option<Account>>;
    /// Adds a person. `invalid` if the address is taken.
    async fn add_user(&self, new: NewUser) -> Answer<User>;
    /// Sets a password's hash.
    async fn set_password(&self, user: UserId, hash: &str, by: Option<UserId>) -> Answer<()>;
    /// A page of all people, by id, above `after`.
    async fn users(&self, after: Option<UserId>, limit: usize) -> Answer<Vec<PersonListed>>;

    /// Gives somebody a role, which counts from their next request on. `by`: the admin, for the audit.
    async fn set_role(&self, user: UserId, role: Role, by: Option<UserId>) -> Answer<()>;
    /// Shuts somebody out since then, and ends their sessions, everywhere at once; `None`: lets them
    /// in again.
    async fn set_disabled(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        by: Option<UserId>,
    ) -> Answer<()>;

    // --- sessions ---

    /// The sessions of somebody that are good at `now`, the newest first; as many as a page holds.
    async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<SessionListed>>;
    /// Ends all sessions of somebody, everywhere at once; how many there were.
    async fn close_sessions(&self, user: UserId, by: Option<UserId>) -> Answer<usize>;

    /// Opens a session.
    async fn open_session(&self, new: NewSession) -> Answer<()>;
    /// The session of a token, if it is good at `now`.
    async fn session(&self, token: TokenHash, now: Timestamp) -> Answer<Option<Session>>;
    /// Closes a session; whether there was one.
    async fn close_session(&self, token: TokenHash) -> Answer<bool>;

    // --- the schedule ---

    /// Adds a meeting with its audience.
    async fn add_meeting(&self, new: NewMeeting) -> Answer<Meeting>;
    /// Adds an instance; its order is the meeting's next. `by`: the admin, for the audit.
    async fn schedule(
        &self,
        meeting: MeetingId,
        from: Timestamp,
        to: Timestamp,
        by: Option<UserId>,
    ) -> Answer<InstanceId>;
    /// A page of all meetings with audience and instances, by id, above `after`.
    async fn meetings(&self, after: Option<MeetingId>, limit: usize) -> Answer<Vec<Planned>>;
    /// What this person may see: active, coming, and lately ended instances.
    async fn visible(&self, viewer: &User, now: Timestamp) -> Answer<Vec<Instance>>;
    /// The active instances this person may see.
    async fn active_meetings(&self, viewer: &User) -> Answer<Vec<Instance>>;

    // --- in a meeting ---

    /// Becomes a participant; emits `join`. Binds the connection to the stay, if there is one.
    async fn join(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
    ) -> Answer<Posted>;
    /// Is a participant no longer; emits `leave`.
    async fn leave(&self, instance: InstanceId, user: &User) -> Answer<Posted>;
    /// Says something; emits `message`, once for each cmid.
    async fn post(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
    ) -> Answer<Posted>;
    /// Says something as an answer to a message of the same instance, as [`Store::post`] does.
    /// `no_such_message` if there is none, as far as that is known.
    async fn reply(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
        to: Seq,
    ) -> Answer<Posted>;
    /// A participant changes what they said; emits `edited`, once for each cmid.
    /// `no_such_message`, `not_yours`, `message_deleted`.
    async fn edit(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
        body: &MessageBody,
    ) -> Answer<Posted>;
    /// A participant deletes what they said; emits `deleted`, once for each cmid. Refused as
    /// [`Store::edit`] is.
    async fn delete(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
    ) -> Answer<Posted>;
    /// An admin steers an active instance; emits `moderated`, once for each cmid, and `leave` for who
    /// is taken out by it. Whether they are an admin is not asked here. `already_so`,
    /// `not_participant`, `invalid`.
    async fn moderate(&self, instance: InstanceId, actor: &User, order: &Order) -> Answer<Posted>;
    /// What holds in a live instance because admins said so; nothing where it is not live.
    async fn standing(&self, instance: InstanceId) -> Answer<Standing>;
    /// Reads an instance as [`OpenOk`] says, and binds the connection to the person's stay.
    async fn open(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
        limit: usize,
    ) -> Answer<OpenOk>;
    /// A page of the log.
    async fn events(
        &self,
        instance: InstanceId,
        viewer: &User,
        page: Page,
        limit: usize,
    ) -> Answer<EventsOk>;
    /// A page of the messages.
    async fn messages(
        &self,
        instance: InstanceId,
        viewer: &User,
        page: Page,
        limit: usize,
    ) -> Answer<MessagesOk>;
    /// A page of one person's messages.
    async fn user_messages(
        &self,
        instance: InstanceId,
        viewer: &User,
        of: UserId,
        page: Page,
        limit: usize,
    ) -> Answer<MessagesOk>;
    /// The participants of an active instance, in the order of joining.
    async fn people(&self, instance: InstanceId, viewer: &User) -> Answer<Vec<Participant>>;
    /// Who is invited to a private instance and has not been in, as far as the archive knows: so many
    /// at most, by name. `None`: it is public, or there is none. Asks no permission.
    async fn absent(&self, instance: InstanceId, limit: usize) -> Answer<Option<Absent>>;
    /// When the participants of every active instance joined.
    async fn join_times(&self, viewer: &User) -> Answer<Vec<JoinTimes>>;

    /// A participant is writing something: told to whoever follows, and kept nowhere.
    async fn typing(&self, instance: InstanceId, user: &User) -> Answer<()>;

    /// A page of the messages that a search finds among those that this person may read, newest
    /// first, below `before`. What is not archived yet is not found.
    async fn search(
        &self,
        viewer: &User,
        query: &Query,
        before: Option<Place>,
        limit: usize,
    ) -> Answer<SearchOk>;

    // --- how far people have read ---

    /// Writes how far people have read, each only forwards.
    async fn keep_positions(&self, positions: &[ReadPosition]) -> Answer<()>;
    /// Tells every other server how far people have read.
    async fn tell_read(&self, positions: &[ReadPosition]) -> Answer<()>;
    /// What somebody has not read yet of instances that they may read: where they have read at
    /// least up to these seqs.
    async fn unread(&self, viewer: &User, known: &[(InstanceId, Seq)]) -> Answer<Vec<Unread>>;

    // --- connections ---

    /// Whether somebody who follows an instance may do so still; if they are in, their connection
    /// holds their stay from here on. `not_allowed`, or done; what is not live is nobody's secret.
    async fn hold(
        &self,
        instance: InstanceId,
        user: &User,
        connection: &ConnectionId,
    ) -> Answer<()>;
    /// A connection is gone whose last sign of life came `silent_ms` ago: the stay that it held ends
    /// when the grace since then is over, unless it is held otherwise.
    async fn detach(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        silent_ms: i64,
    ) -> Answer<()>;
    /// The person at a connection has not used it for so long, in milliseconds, or uses it (`None`):
    /// who uses none of those that hold their stay is idle. What is not live does not care.
    async fn idle(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        idle_ms: Option<i64>,
    ) -> Answer<()>;
    /// Somebody waits for an instance that has not begun, only looks who does, or waits no more. Who
    /// waits has to say so again within [`plenary_shared::limits::WAITING_MS`]. `not_scheduled` once it
    /// has begun. Waiting no more needs no permission.
    async fn wait(&self, instance: InstanceId, user: &User, what: Waiting) -> Answer<WaitOk>;
    /// Ends the stays of an instance whose connections were lost `grace_ms` ago; emits `leave` with
    /// the time of the loss.
    async fn reap(&self, instance: InstanceId, grace_ms: i64) -> Answer<usize>;
    /// This server lives for `lease_ms` more (0: it stops). Answers every live server.
    async fn renew_lease(&self, node: &NodeId, lease_ms: i64) -> Answer<Vec<NodeId>>;
    /// Takes the connections of servers whose lease is over for lost, and reaps every instance.
    async fn reap_all(&self, grace_ms: i64) -> Answer<usize>;

    // --- time and the archive ---

    /// What is to be done by the clock until `now + horizon_ms`.
    async fn agenda(&self, now: Timestamp, horizon_ms: i64) -> Answer<Agenda>;
    /// Which live instances will be over by then and are not closed, by the live store alone: while
    /// what lasts is away, people still leave on time.
    async fn live_ends(&self, until: Timestamp) -> Answer<Vec<(InstanceId, Timestamp)>>;
    /// Starts an instance that is due; emits `opened`. When it will be over; `None` if somebody else
    /// started it.
    async fn start(&self, instance: InstanceId, now: Timestamp) -> Answer<Option<Timestamp>>;
    /// Takes one step towards the end; each is idempotent, in the order of [`EndStep::ALL`].
    async fn end_step(
        &self,
        instance: InstanceId,
        reason: Reason,
        step: EndStep,
        now: Timestamp,
    ) -> Answer<Stepped>;
    /// Every active or ending instance that has events which the archive has not.
    async fn archive_lag(&self) -> Answer<Vec<InstanceId>>;
    /// How much of what is live is not archived.
    async fn backlog(&self) -> Answer<Backlog>;
    /// Brings these instances' events into the archive, and says so in their feeds.
    /// Which of them have more that can be brought in at once.
    async fn archive(&self, instances: &[InstanceId]) -> Answer<Vec<InstanceId>>;
    /// Repairs what a crash left between the live state and what lasts, and takes over what others
    /// wrote into what lasts.
    async fn sweep(&self) -> Answer<()>;

    // --- the hub's side ---

    /// Begins to feed the hub; a store has one feed.
    async fn feed(&self) -> Result<mpsc::Receiver<Feed>, Fault>;
    /// Feeds this instance's events from now on; answered when it does.
    async fn follow(&self, instance: InstanceId) -> Answer<()>;
    /// Feeds this instance's events no longer.
    async fn unfollow(&self, instance: InstanceId) -> Answer<()>;
    /// How far these instances' logs are; `None`: not live.
    async fn heads(&self, instances: &[InstanceId]) -> Answer<Vec<Option<Head>>>;
    /// Events above `after`, for the hub itself: asks no permission.
    async fn backfill(&self, instance: InstanceId, after: Seq, limit: usize) -> Answer<Vec<Event>>;
    /// Whether every part of the store answers.
    async fn ready(&self) -> Result<(), Fault>;
    /// How each part of the store is, for who wants to know it exactly. Never an error: what cannot
    /// be asked is not well.
    async fn checks(&self) -> Vec<Check>;
}
