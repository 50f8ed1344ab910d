//! The connection to the server, and the requests on it that wait for a reply.

use std::collections::HashMap;

use plenary_shared::domain::ModerationKind;
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq};
use plenary_shared::time::Timestamp;

use super::layer::schedule::form::FormKind;

/// The connection to the server.
#[derive(Debug, Default)]
pub struct Connection {
    pub link: Link,
    /// When the connection was lost; `None` while it is up.
    pub lost_at: Option<Timestamp>,
    /// When the machine went to sleep, and when the program noticed.
    pub slept: Option<(Timestamp, Timestamp)>,
    /// The requests of this connection that wait for a reply, by number.
    pub requests: HashMap<u64, Asked>,
    /// The number of the last request.
    pub last_request: u64,
}

/// The state of the connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// No user is signed in.
    #[default]
    Off,
    /// A connection attempt is in progress.
    Connecting {
        /// The number of attempts before this one.
        attempt: u32,
    },
    /// The connection is open and hello was sent.
    Greeting,
    /// The server answered hello.
    Ready,
    /// The connection is lost.
    Lost {
        why: String,
        /// The time of the next attempt; `None` if there is none.
        retry_at: Option<Timestamp>,
    },
}

/// What a pending request was about, to interpret its reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Hello,
    Meetings,
    Open(InstanceId),
    Close,
    Join(InstanceId),
    Leave(InstanceId),
    /// With the generation of the log at the time of sending.
    Post(InstanceId, Cmid, Generation),
    Older(InstanceId, Seq),
    Between(InstanceId),
    Around(InstanceId, Seq),
    Search,
    Newer(InstanceId),
    People(InstanceId),
    JoinTimes,
    UserMessages,
    Read(InstanceId),
    Typing,
    Idle,
    Wait(InstanceId),
    Terminals,
    Watch,
    /// With the name of the user that the action applies to.
    Moderate(InstanceId, ModerationKind, String),
    DialogParticipants(InstanceId),
    Schedule,
    Plan(FormKind),
    Explain(InstanceId),
}
