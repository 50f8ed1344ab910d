//! The wire: JSON text frames of the subprotocol `plenary.v1`, one or more objects a frame, one a
//! line; and the shapes that HTTP shares with it.
//!
//! ```text
//! → {"id":1,"hello":{"token":"…","resume":[{"meetingID":1,"orderID":4,"gen":3,"seq":1042}]}}
//! ← {"id":1,"ok":{…,"resumed":[{"meetingID":1,"orderID":4,"mode":"delta"}]}}
//! → {"id":2,"post":{"meetingID":1,"orderID":4,"cmid":"…","body":"hello"}}
//! ← {"id":2,"ok":{"seq":1051,"timestamp":"…"}}  or  {"id":2,"error":{"code":"…","detail":"…"}}
//! → {"id":3,"post":{"meetingID":1,"orderID":4,"cmid":"…","body":"hello","ack":"durable"}}
//! ← {"id":3,"ok":{"seq":1052,"timestamp":"…","durable":true}}
//! ← {"meetingID":1,"orderID":4,"gen":3,"seq":1051,"event":"message","userID":7,…}
//! → {"id":3,"post":{"meetingID":1,"orderID":4,"cmid":"…","body":"yes","replyTo":1051}}
//! → {"id":4,"edit":{"meetingID":1,"orderID":4,"cmid":"…","target":1051,"body":"hello!"}}
//! ← {"meetingID":1,"orderID":4,"gen":3,"seq":1053,"event":"edited","userID":7,"cmid":"…","target":1051,"body":"hello!",…}
//! → {"id":5,"delete":{"meetingID":1,"orderID":4,"cmid":"…","target":1051}}
//! ← {"meetingID":1,"orderID":4,"gen":3,"seq":1054,"event":"deleted","userID":7,"cmid":"…","target":1051,…}
//! ← {"meetingID":1,"orderID":4,"gen":3,"durable":1051}
//! ← {"meetingID":1,"orderID":4,"gen":4,"fence":1040}
//! → {"id":6,"read":{"meetingID":1,"orderID":4,"seq":1051}}
//! ← {"meetingID":1,"orderID":4,"read":1051}         at one's other terminals
//! → {"id":7,"typing":{"meetingID":1,"orderID":4}}
//! ← {"meetingID":1,"orderID":4,"typing":7}          to everybody else who follows
//! ← {"meetingID":1,"orderID":4,"presence":7,"state":"reconnecting","since":"…"}
//! ← {"meetingID":1,"orderID":4,"changed":"participants"}  who is there has to be asked for
//! → {"id":7,"idle":{"idle":true}}                   no key was pressed for a while
//! → {"id":8,"search":{"query":"budget from:ada in:1/4 after:2026-11-01","limit":20}}
//! ← {"id":8,"ok":{"hits":[{"meetingID":1,"orderID":4,"title":"…","live":true,"seq":7,…}],"next":"…"}}
//! → {"id":9,"moderate":{"meetingID":1,"orderID":4,"cmid":"…","action":"extend","minutes":30,"reason":"…"}}
//! ← {"meetingID":1,"orderID":4,"gen":3,"seq":1055,"event":"moderated","userID":3,"action":"extend",…}
//! → {"id":11,"plan":{"action":"move","meetingID":1,"orderID":5,"fromdatetime":"…","todatetime":"…"}}
//! ← {"id":11,"ok":{"meetings":[{"meetingID":1,…,"instances":[…]}],"overlaps":[…]}}
//! → {"id":10,"watch":{}}                                  admins only
//! ← {"dashboard":{"reset":true,"totals":{…},"rows":[…]}}     and then what changes, once a second
//! → {"id":11,"watch":{"instance":{"meetingID":1,"orderID":4}}}     the same, and one of them in detail
//! ← {"detail":{"meetingID":1,"orderID":4,"reset":true,"totals":{…},"attendees":[…],"timeline":[…]}}
//! → {"id":12,"explain":{"meetingID":1,"orderID":4,"email":"ada@example.org"}}      admins only
//! ← {"id":12,"ok":{"allowed":false,"rule":"banned","explanation":"…","remedy":"…"}}
//! ← {"changed":"meetings"}
//! ```
//!
//! Followers are told each event as it happened. A page of the log that is read later has the same
//! events, but shows every message as it is by then: with its last text and the time of its change
//! (`edited`), or with an empty body and the time of its deletion (`deleted`).

use serde::{Deserialize, Serialize};

use crate::domain::{Event, Instance, Participant, Reject, Role, UserRef};
use crate::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use crate::limits;
use crate::text::MessageBody;
use crate::time::Timestamp;

mod attendance;
mod dashboard;
mod detail;
mod messages;
mod moderation;
mod planning;
mod push;

pub use attendance::{
    Absent, Idle, InvitedUser, JoinEventType, JoinLog, JoinTimes, JoinTimesOk, ParticipantsOk,
    PresenceChange, Wait, WaitOk, WaitingChange,
};
pub use dashboard::{
    DashboardLine, DashboardRow, DashboardTotals, DashboardUpdate, HealthCheck, ServerStatus, Watch,
};
pub use detail::{
    Arrivals, Attendee, DetailLine, DetailUpdate, MeetingTotals, Stay, TimelineEntry, TimelineKind,
};
pub use messages::{Delete, Edit, MarkRead, Search, SearchHit, SearchOk, Unread};
pub use moderation::{Explain, Extension, Moderate, RequestedAction, Target, Verdict};
pub use planning::{
    ImportReport, Overlap, Plan, PlanOk, PlannedInstance, PlannedMeeting, RejectedLine,
};
pub use push::{
    Changed, ChangedList, Durable, Fence, Push, ReadPositionChange, ServerLine, Typing,
};

/// What both sides name in `Sec-WebSocket-Protocol`.
pub const SUBPROTOCOL: &str = "plenary.v1";

/// The WebSocket's path.
pub const WS_PATH: &str = "/ws";

/// Seconds between two pings of the server: two may be lost before [`SILENCE_S`] is over.
pub const PING_S: u64 = 5;

/// Seconds of silence after which either side takes the connection for dead. Less than the grace.
pub const SILENCE_S: u64 = 15;

/// Why the server closes a connection. 4000–4499: reconnect; from 4500: do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The server stops; another, or the same, takes over.
    GoingAway,
    /// The reader did not keep up; resume.
    TooSlow,
    /// Nothing was heard for [`SILENCE_S`].
    Silent,
    /// The token is unknown, expired or revoked.
    NotSignedIn,
    /// No hello came, or what came is no request.
    ProtocolError,
}

impl Close {
    /// The close frame's code.
    pub const fn code(self) -> u16 {
        match self {
            Self::GoingAway => 4_000,
            Self::TooSlow => 4_001,
            Self::Silent => 4_002,
            Self::NotSignedIn => 4_501,
            Self::ProtocolError => 4_502,
        }
    }

    /// The close frame's text.
    pub const fn text(self) -> &'static str {
        match self {
            Self::GoingAway => "the server stops: reconnect",
            Self::TooSlow => "too slow: reconnect and resume",
            Self::Silent => "nothing heard: reconnect",
            Self::NotSignedIn => "not signed in",
            Self::ProtocolError => "not understood",
        }
    }

    /// Whether a client that reads this code should reconnect by itself.
    pub const fn asks_to_reconnect(code: u16) -> bool {
        code < 4_500
    }
}

/// One request. The verb's name is the key beside `id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The client's own number for it; the answer carries it.
    pub id: u64,
    /// What is asked.
    #[serde(flatten)]
    pub verb: Verb,
}

/// What may be asked on the WebSocket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Says who one is; the first request on a connection. Answered by [`HelloOk`].
    Hello(Hello),
    /// The active and the coming instances. Answered by [`MeetingsOk`].
    Meetings {},
    /// Reads an instance and follows it from here on; a participant's connection counts as theirs.
    /// Answered by [`OpenOk`].
    Open(Open),
    /// Follows it no longer, nor waits for it; whoever is in stays in as long as this connection lives.
    /// Answered by [`Done`].
    Close(InstanceId),
    /// Becomes a participant; does not follow. Answered by [`Posted`] with the join's seq.
    Join(InstanceId),
    /// Is a participant no longer. Answered by [`Posted`] with the leave's seq.
    Leave(InstanceId),
    /// Says something. Answered by [`Posted`].
    Post(Post),
    /// Changes a message of one's own; emits `edited`. Answered by [`Posted`].
    Edit(Edit),
    /// Deletes a message of one's own; emits `deleted`. Answered by [`Posted`].
    Delete(Delete),
    /// A page of the log. Answered by [`EventsOk`].
    Events(Events),
    /// Has read up to a seq; only forwards. Answered by [`Done`]; one's other terminals are told.
    Read(MarkRead),
    /// Is writing something, as a participant; at most every
    /// [`crate::limits::TYPING_EVERY_MS`]. Answered by [`Done`]; whoever follows is told.
    Typing(InstanceId),
    /// Has not used this terminal for [`crate::limits::IDLE_AFTER_MS`], or uses it again. Answered by
    /// [`Done`]; whoever follows what one is in is told.
    Idle(Idle),
    /// Waits for an instance that has not begun, or only looks who does, until it is closed or has
    /// begun. Answered by [`WaitOk`]; whoever waits or looks is told.
    Wait(Wait),
    /// Steers an active instance, as an admin; emits `moderated`. Answered by [`Posted`].
    Moderate(Moderate),
    /// Plans meetings, as an admin: adds, changes, schedules, moves, cancels. Answered by [`PlanOk`].
    Plan(Plan),
    /// Is told the dashboard from here on, as an admin, until told to stop. Answered by [`Done`];
    /// then [`Board`] is pushed, and [`Detail`] of one instance, if one is named.
    Watch(Watch),
    /// Why somebody may join an instance, or may not, as an admin. Answered by [`Verdict`].
    Explain(Explain),
    /// Messages that are found by their words, over everything that one may read, newest first.
    /// Answered by [`SearchOk`].
    Search(Search),
    /// The participants. Answered by [`ParticipantsOk`].
    Participants(InstanceId),
    /// When the participants of every active instance joined. Answered by [`JoinTimesOk`].
    JoinTimes {},
    /// One person's messages. Answered by [`MessagesOk`].
    UserMessages(UserMessages),
}

impl Verb {
    /// Every verb's name on the wire.
    pub const NAMES: &'static [&'static str] = &[
        "hello",
        "meetings",
        "open",
        "close",
        "join",
        "leave",
        "post",
        "edit",
        "delete",
        "read",
        "typing",
        "idle",
        "wait",
        "moderate",
        "plan",
        "watch",
        "explain",
        "search",
        "events",
        "participants",
        "join_times",
        "user_messages",
    ];
}

/// See [`Verb::Hello`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// The login token.
    pub token: String,
    /// Program and version, for the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Where the client was in the instances that it follows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resume: Vec<Position>,
}

// Tokens never reach a log: not even by way of `{:?}`.
#[expect(clippy::missing_fields_in_debug, reason = "a token is not shown")]
impl std::fmt::Debug for Hello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hello")
            .field("client", &self.client)
            .field("resume", &self.resume)
            .finish()
    }
}

/// How far somebody has read an instance's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// In which generation.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// The last seq that was applied.
    pub seq: Seq,
}

/// See [`Verb::Open`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// How many of the last events to read.
    #[serde(default = "page_default")]
    pub limit: usize,
}

/// See [`Verb::Post`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The client's own id of the message; the same id never makes a second message.
    pub cmid: Cmid,
    /// What is said.
    pub body: MessageBody,
    /// The message that it answers.
    #[serde(default, rename = "replyTo", skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// When it is to be answered.
    #[serde(default, skip_serializing_if = "Ack::is_ordered")]
    pub ack: Ack,
}

/// When a post is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ack {
    /// As soon as it is ordered and visible: it survives the death of any server.
    #[default]
    Ordered,
    /// As soon as the archive has it, or [`limits::DURABLE_WAIT_MS_MAX`] has passed.
    Durable,
}

impl Ack {
    /// Whether it is the default, which is not written.
    pub const fn is_ordered(&self) -> bool {
        matches!(self, Self::Ordered)
    }
}

/// See [`Verb::Events`]. With `before`, the page that ends below it; otherwise the one after `after`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Only what comes after this seq.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
    /// Only what comes before this seq, the latest first choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    /// At most so many.
    #[serde(default = "page_default")]
    pub limit: usize,
}

/// See [`Verb::UserMessages`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserMessages {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Whose.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// Only what comes after this seq.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
    /// Only what comes before this seq.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    /// At most so many.
    #[serde(default = "page_default")]
    pub limit: usize,
}

fn page_default() -> usize {
    limits::PAGE_DEFAULT
}

/// An answer: the request's `id`, and either `ok` or `error`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply<T> {
    /// The request's number.
    pub id: u64,
    /// The answer.
    #[serde(flatten)]
    pub outcome: Outcome<T>,
}

/// See [`Reply`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome<T> {
    /// It was done.
    Ok(T),
    /// It was not, and nothing was changed.
    Error(Reject),
}

/// The answer to [`Verb::Hello`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloOk {
    /// Who one is.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// What one is called.
    pub name: String,
    /// One's address.
    pub email: String,
    /// What one may do.
    pub role: Role,
    /// The server's version.
    pub server: String,
    /// The server's time.
    pub now: Timestamp,
    /// One for each position of the request, in its order.
    #[serde(default)]
    pub resumed: Vec<Resumed>,
}

/// How a position goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// How.
    pub mode: ResumeMode,
}

/// See [`Resumed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResumeMode {
    /// Every event after the position follows by itself.
    Delta,
    /// Too much was missed, or the generation changed: open it again.
    Snapshot,
    /// It is over: page the rest with `events`.
    Ended,
    /// It is not, or no longer, to be read.
    Gone,
}

/// The answer to [`Verb::Meetings`], and to `GET /meetings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeetingsOk {
    /// Active, coming and lately ended instances that the person may join, by start.
    pub meetings: Vec<Instance>,
    /// What of those that have begun is not read yet; missing where that is not known just now.
    #[serde(default)]
    pub unread: Vec<Unread>,
    /// The server's time.
    pub now: Timestamp,
}

/// The answer to [`Verb::Open`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOk {
    /// What it is.
    #[serde(flatten)]
    pub instance: Instance,
    /// The generation of its live state; 0 when it is read from the archive.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// Its last seq; events above follow by themselves.
    pub seq: Seq,
    /// Up to which seq the archive has it.
    pub durable: Seq,
    /// Who is in it, in the order of joining.
    pub roster: Vec<Participant>,
    /// The last events, ascending.
    pub events: Vec<Event>,
    /// Whether there are events before these.
    pub more: bool,
    /// The names of all whom `events` speaks of.
    pub users: Vec<UserRef>,
    /// What is not read yet; missing where that is not known just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Unread>,
    /// Who is invited and has not been in, of a private instance that goes on; missing where that is
    /// not known just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absent>,
}

/// An answer with nothing to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

/// The answer to [`Verb::Join`], [`Verb::Leave`] and [`Verb::Post`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Posted {
    /// The event's number.
    pub seq: Seq,
    /// When, by the store's clock.
    pub timestamp: Timestamp,
    /// Whether it had been done before, under the same cmid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeat: bool,
    /// For [`Ack::Durable`] alone: whether the archive has it. If not, it is ordered and visible all
    /// the same, and will be archived; the same cmid asks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durable: Option<bool>,
}

/// The answer to [`Verb::Events`], and to `GET …/events`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventsOk {
    /// Ascending.
    pub events: Vec<Event>,
    /// Whether there are more in the direction that was asked for.
    pub more: bool,
    /// The names of all whom `events` speaks of.
    pub users: Vec<UserRef>,
}

/// The answer to [`Verb::UserMessages`]; by HTTP under the original's names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessagesOk {
    /// Ascending.
    pub messages: Vec<Message>,
    /// Whether there are more in the direction that was asked for.
    pub more: bool,
}

/// One message of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    /// Who said it.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// What it says now; empty where it was deleted.
    pub body: MessageBody,
    /// When.
    pub timestamp: Timestamp,
    /// Its number in the instance's log.
    pub seq: Seq,
    /// The sender's own id of it.
    pub cmid: Cmid,
    /// What the sender is called.
    pub name: String,
    /// The message that it answers.
    #[serde(default, rename = "replyTo", skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// When its sender changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<Timestamp>,
    /// When its sender deleted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Timestamp>,
}

/// `POST /login`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Login {
    /// The address of the account.
    pub email: String,
    /// Its password.
    pub password: String,
    /// What the session is called in lists, such as the machine's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// The answer to `POST /login`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginOk {
    /// The login token: a secret.
    pub token: String,
    /// When it stops being good.
    pub expires_at: Timestamp,
    /// Who one is.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// What one is called.
    pub name: String,
    /// What one may do.
    pub role: Role,
}

#[cfg(test)]
mod tests;
