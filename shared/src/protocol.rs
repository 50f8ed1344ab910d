//! The wire protocol `plenary.v1`: JSON over a WebSocket, and the types that the HTTP API shares with it.
//!
//! A client connects to [`WS_PATH`] with the subprotocol [`SUBPROTOCOL`]. Every text frame holds one or
//! more JSON objects, one per line, and is at most [`limits::FRAME_BYTES_MAX`] bytes long. The first
//! request must be `hello`. Requests carry an `id` that the client chooses; the answer carries the same
//! `id` and either `ok` or `error`. Lines without an `id` are pushes.
//!
//! ```text
//! → {"id":1,"hello":{"token":"…","resume":[{"meetingID":1,"orderID":4,"gen":3,"seq":1042}]}}
//! ← {"id":1,"ok":{…,"resumed":[{"meetingID":1,"orderID":4,"mode":"delta"}]}}
//! → {"id":2,"post":{"meetingID":1,"orderID":4,"cmid":"…","body":"hello"}}
//! ← {"id":2,"ok":{"seq":1051,"timestamp":"…"}}  or  {"id":2,"error":{"code":"…","detail":"…"}}
//! ← {"meetingID":1,"orderID":4,"gen":3,"seq":1051,"event":"message","userID":7,…}
//! ```
//!
//! # Requests
//!
//! [`Verb`] lists all requests and their answers. More examples:
//!
//! ```text
//! → {"id":3,"post":{"meetingID":1,"orderID":4,"cmid":"…","body":"hello","ack":"durable"}}
//! ← {"id":3,"ok":{"seq":1052,"timestamp":"…","durable":true}}
//! → {"id":4,"post":{"meetingID":1,"orderID":4,"cmid":"…","body":"yes","replyTo":1051}}
//! → {"id":5,"edit":{"meetingID":1,"orderID":4,"cmid":"…","target":1051,"body":"hello!"}}
//! → {"id":6,"delete":{"meetingID":1,"orderID":4,"cmid":"…","target":1051}}
//! → {"id":7,"read":{"meetingID":1,"orderID":4,"seq":1051}}
//! → {"id":8,"typing":{"meetingID":1,"orderID":4}}
//! → {"id":9,"idle":{"idle":true}}
//! → {"id":10,"wait":{"meetingID":1,"orderID":5,"waiting":true}}
//! → {"id":11,"search":{"query":"budget from:ada in:1/4 after:2026-11-01","limit":20}}
//! ← {"id":11,"ok":{"hits":[{"meetingID":1,"orderID":4,"title":"…","live":true,"seq":7,…}],"next":"…"}}
//! ```
//!
//! Requests of admins:
//!
//! ```text
//! → {"id":12,"moderate":{"meetingID":1,"orderID":4,"cmid":"…","action":"extend","minutes":30,"reason":"…"}}
//! → {"id":13,"moderate":{"meetingID":1,"orderID":4,"cmid":"…","action":"mute","userID":7}}
//! → {"id":14,"plan":{"action":"move","meetingID":1,"orderID":5,"fromdatetime":"…","todatetime":"…"}}
//! ← {"id":14,"ok":{"meetings":[{"meetingID":1,…,"instances":[…]}],"overlaps":[…]}}
//! → {"id":15,"explain":{"meetingID":1,"orderID":4,"email":"ada@example.org"}}
//! ← {"id":15,"ok":{"allowed":false,"rule":"banned","explanation":"…","remedy":"…"}}
//! → {"id":16,"watch":{}}
//! → {"id":17,"watch":{"instance":{"meetingID":1,"orderID":4}}}
//! ```
//!
//! # Pushes
//!
//! ```text
//! ← {"meetingID":1,"orderID":4,"gen":3,"seq":1053,"event":"edited","userID":7,"cmid":"…","target":1051,"body":"hello!",…}
//! ← {"meetingID":1,"orderID":4,"gen":3,"seq":1054,"event":"deleted","userID":7,"cmid":"…","target":1051,…}
//! ← {"meetingID":1,"orderID":4,"gen":3,"seq":1055,"event":"moderated","userID":3,"action":"extend",…}
//! ← {"meetingID":1,"orderID":4,"gen":3,"durable":1051}
//! ← {"meetingID":1,"orderID":4,"gen":4,"fence":1040}
//! ← {"meetingID":1,"orderID":4,"read":1051}
//! ← {"meetingID":1,"orderID":4,"typing":7}
//! ← {"meetingID":1,"orderID":4,"presence":7,"state":"reconnecting","since":"…"}
//! ← {"meetingID":1,"orderID":5,"waiting":7,"name":"ada","isWaiting":true,"count":2}
//! ← {"meetingID":1,"orderID":4,"changed":"participants"}
//! ← {"changed":"meetings"}
//! ← {"dashboard":{"reset":true,"totals":{…},"rows":[…]}}
//! ← {"detail":{"meetingID":1,"orderID":4,"reset":true,"totals":{…},"attendees":[…],"timeline":[…]}}
//! ```
//!
//! [`Push`] describes each of them. A client tells the lines apart by the keys `id`, `event`, `durable`,
//! `fence`, `read`, `typing`, `presence`, `waiting`, `dashboard`, `detail` and `changed`.
//!
//! # Following and resuming
//!
//! `open` returns the end of an instance's log and follows the instance: each later event is pushed, in
//! the order of its seq. A client applies the event with seq = last + 1, ignores a lower seq, and asks for
//! the missing events with `events` when the seq is higher. Events carry the generation (`gen`) of the
//! live state. A `fence` starts a new generation and voids the events above its seq; the client then
//! opens the instance again. After a reconnect, `hello` resumes each followed instance from its position
//! ([`ResumeMode`]).
//!
//! A pushed event shows a message as it was posted. A page of the log shows every message as it is now:
//! with its latest text and the time of the change (`edited`), or with an empty body and the time of the
//! deletion (`deleted`).
//!
//! # Retries
//!
//! Requests that add to a log carry a `cmid`, a UUID that the client chooses. A second request with the
//! same `cmid` returns the seq of the first (`"repeat":true`) and has no other effect.
//!
//! # Liveness
//!
//! The server sends a ping every [`PING_S`] seconds. Either side closes the connection after [`SILENCE_S`]
//! seconds without a frame. [`Close`] lists the close codes of the server, [`Departure`] those of a client.

use serde::{Deserialize, Serialize};

use crate::domain::Reject;
use crate::ids::InstanceId;
#[cfg(doc)]
use crate::limits;

mod attendance;
mod dashboard;
mod detail;
mod log;
mod messages;
mod moderation;
mod planning;
mod push;
mod session;

pub use attendance::{
    Absent, Idle, InvitedUser, JoinEventType, JoinLog, JoinTimes, JoinTimesOk, ParticipantsOk,
    PresenceChange, TerminalsOk, Wait, WaitOk, WaitingChange,
};
pub use dashboard::{
    DashboardLine, DashboardRow, DashboardTotals, DashboardUpdate, HealthCheck, ServerStatus, Watch,
};
pub use detail::{
    Arrivals, Attendee, DetailLine, DetailUpdate, MeetingTotals, Stay, TimelineEntry, TimelineKind,
};
pub use log::{
    Ack, Events, EventsOk, MeetingsOk, Message, MessagesOk, Open, OpenOk, OwnRestrictions, Post,
    Posted, UserMessages,
};
pub use messages::{Delete, Edit, MarkRead, Search, SearchHit, SearchOk, Unread};
pub use moderation::{Explain, Extension, Moderate, RequestedAction, Target, Verdict};
pub use planning::{
    ImportReport, Overlap, Plan, PlanOk, PlannedInstance, PlannedMeeting, RejectedLine,
};
pub use push::{
    Changed, ChangedList, Durable, Fence, Push, ReadPositionChange, ServerLine, Typing,
};
pub use session::{
    Hello, HelloOk, Login, LoginOk, PasswordBody, Position, ResumeMode, Resumed, SessionId,
    SessionIdError, SessionListed, SessionsOk,
};

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "plenary.v1";

/// The path of the WebSocket.
pub const WS_PATH: &str = "/ws";

/// Seconds between two pings of the server. Two pings may be lost within [`SILENCE_S`].
pub const PING_S: u64 = 5;

/// Seconds without a frame after which either side closes the connection. Shorter than the reconnect
/// grace.
pub const SILENCE_S: u64 = 15;

/// Why the server closes a connection. Clients reconnect after codes below 4500, and not after others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The server shuts down. It restarts, or another server takes over.
    GoingAway,
    /// The client reads too slowly. It resumes after it has reconnected.
    TooSlow,
    /// No frame arrived for [`SILENCE_S`].
    Silent,
    /// The token is unknown, expired or revoked.
    NotSignedIn,
    /// The client did not say hello in time.
    ProtocolError,
    /// A frame breaks the rules of WebSocket (RFC 6455).
    BadFrame,
    /// A text frame is not UTF-8.
    NotUtf8,
    /// More control frames, or more bytes for one message, than a client may send.
    TooMuch,
    /// A message is larger than [`limits::FRAME_BYTES_MAX`].
    TooLarge,
}

impl Close {
    /// The code in the close frame.
    pub const fn code(self) -> u16 {
        match self {
            Self::GoingAway => 4_000,
            Self::TooSlow => 4_001,
            Self::Silent => 4_002,
            Self::NotSignedIn => 4_501,
            Self::ProtocolError => 4_502,
            Self::BadFrame => 1_002,
            Self::NotUtf8 => 1_007,
            Self::TooMuch => 1_008,
            Self::TooLarge => 1_009,
        }
    }

    /// The reason in the close frame.
    pub const fn text(self) -> &'static str {
        match self {
            Self::GoingAway => "server is shutting down, reconnect",
            Self::TooSlow => "client is too slow, reconnect and resume",
            Self::Silent => "connection timed out, reconnect",
            Self::NotSignedIn => "not signed in",
            Self::ProtocolError => "no hello in time",
            Self::BadFrame => "not a valid WebSocket frame",
            Self::NotUtf8 => "text is not UTF-8",
            Self::TooMuch => {
                "too many control frames, or too many bytes without a complete message"
            }
            Self::TooLarge => "message is larger than 65,536 bytes",
        }
    }

    /// Whether a client reconnects after it has received this code.
    pub const fn asks_to_reconnect(code: u16) -> bool {
        code < 4_500
    }
}

/// Why a client closes a connection on purpose. After a close frame with any other code, and after a
/// lost connection, the stays that it held end after the reconnect grace with the reason
/// `connection_lost`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The user quit. The stays that no other connection holds end at once, with the reason `left`.
    Quit,
    /// The user suspended the client. The stays that no other connection holds end after the reconnect
    /// grace, with the reason `suspended`.
    Suspended,
}

impl Departure {
    /// The code in the close frame.
    pub const fn code(self) -> u16 {
        match self {
            Self::Quit => 4_100,
            Self::Suspended => 4_101,
        }
    }

    /// The reason in the close frame.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Quit => "quit",
            Self::Suspended => "suspended",
        }
    }

    /// Returns the departure with this code.
    pub const fn of(code: u16) -> Option<Self> {
        match code {
            4_100 => Some(Self::Quit),
            4_101 => Some(Self::Suspended),
            _ => None,
        }
    }
}

/// A request. On the wire the verb's name is the key beside `id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The number that the client gives the request. The answer carries it.
    pub id: u64,
    /// The verb and its arguments.
    #[serde(flatten)]
    pub verb: Verb,
}

/// The requests of the WebSocket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Signs in. Must be the first request of a connection. Answered by [`HelloOk`].
    Hello(Hello),
    /// Lists active, upcoming and recently ended instances. Answered by [`MeetingsOk`].
    Meetings {},
    /// Reads the end of an instance's log and follows the instance. If the user is a participant, the
    /// connection is bound to their stay. Answered by [`OpenOk`].
    Open(Open),
    /// Stops following an instance and waiting for it. A stay that is bound to this connection
    /// continues. Answered by [`Done`].
    Close(InstanceId),
    /// Joins an instance, without following it. Answered by [`Posted`] with the seq of the join.
    Join(InstanceId),
    /// Leaves an instance. Answered by [`Posted`] with the seq of the leave.
    Leave(InstanceId),
    /// Posts a message. Answered by [`Posted`].
    Post(Post),
    /// Edits a message of the user; emits `edited`. Answered by [`Posted`].
    Edit(Edit),
    /// Deletes a message of the user; emits `deleted`. Answered by [`Posted`].
    Delete(Delete),
    /// Reads a page of the log. Answered by [`EventsOk`].
    Events(Events),
    /// Moves the user's read position forwards; other connections of the user receive
    /// [`Push::Read`]. Answered by [`Done`].
    Read(MarkRead),
    /// Shows other followers that the user, a participant, is typing. Sent at most every
    /// [`limits::TYPING_EVERY_MS`]. Answered by [`Done`].
    Typing(InstanceId),
    /// Says that this client has been unused for [`limits::IDLE_AFTER_MS`], or is in use again. Followers
    /// of the user's instances receive [`Push::Presence`]. Answered by [`Done`].
    Idle(Idle),
    /// Waits for an instance to start, or watches who waits, until `close` or the start. Other waiting
    /// users receive [`Push::Waiting`]. Answered by [`WaitOk`].
    Wait(Wait),
    /// Moderates an active instance (admins); emits `moderated`. Answered by [`Posted`].
    Moderate(Moderate),
    /// Plans meetings (admins): adds, edits, schedules, moves, cancels. Answered by [`PlanOk`].
    Plan(Plan),
    /// Starts or stops watching the dashboard (admins). Answered by [`Done`]; then the server pushes
    /// [`DashboardUpdate`], and [`DetailUpdate`] for the instance that the request names.
    Watch(Watch),
    /// Explains why a user may join an instance or not (admins). Answered by [`Verdict`].
    Explain(Explain),
    /// Searches the messages that the user may read, newest first. Answered by [`SearchOk`].
    Search(Search),
    /// Lists the participants of an instance. Answered by [`ParticipantsOk`].
    Participants(InstanceId),
    /// Lists the instances in which another connection of the user also holds their stay: those in which
    /// the user stays when this connection closes. Answered by [`TerminalsOk`].
    Terminals {},
    /// Lists when the participants of every active instance joined. Answered by [`JoinTimesOk`].
    JoinTimes {},
    /// Reads the messages of one user. Answered by [`MessagesOk`].
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
        "terminals",
        "join_times",
        "user_messages",
    ];
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply<T> {
    /// The `id` of the request.
    pub id: u64,
    /// The result.
    #[serde(flatten)]
    pub outcome: Outcome<T>,
}

/// The result of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome<T> {
    /// The request succeeded.
    Ok(T),
    /// The request failed and changed nothing.
    Error(Reject),
}

/// An empty answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

#[cfg(test)]
mod tests;
