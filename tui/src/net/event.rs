//! The events of a link, and why connections close.

use std::fmt;
use std::time::Duration;

use plenary_shared::protocol::{Close, ServerLine};

/// A state change of the connection, or a line that arrived on it.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkEvent {
    /// A connection attempt starts. Attempt 0 follows the start or a stable connection.
    Connecting {
        /// The number of failed attempts before this one.
        attempt: u32,
    },
    /// The socket is open. The owner must send hello.
    Open,
    /// A reply or a push arrived.
    Line(Box<ServerLine>),
    /// A line arrived that cannot be parsed.
    Garbled,
    /// A request was not sent because it exceeds the frame size limit.
    Unsent { id: u64 },
    /// The connection was lost or could not be made.
    Closed {
        reason: CloseReason,
        /// The wait before the next attempt. `None` waits for [`super::LinkCommand::Reconnect`].
        retry_in: Option<Duration>,
    },
}

/// Why a connection closed or could not be made. Displays as a phrase without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The connection could not be made.
    Unreachable { why: String },
    /// The peer is not a Plenary server.
    NotPlenary {
        /// The HTTP status of its response, if it sent one.
        status: Option<u16>,
    },
    /// The server closed the connection.
    ByServer {
        /// The code of the close frame.
        code: u16,
        /// The text of the close frame.
        text: String,
    },
    /// The connection broke.
    Lost { why: String },
    /// The server was silent for [`plenary_shared::protocol::SILENCE_S`], or a send timed out.
    TimedOut,
    /// The computer was suspended.
    Suspended,
    /// The owner is about to stop the process. The link waits for a command to reconnect.
    ProcessSuspended,
    /// The owner requested a reconnect.
    Reconnect,
}

impl CloseReason {
    /// Returns whether to reconnect without a command from the owner.
    pub const fn allows_retry(&self) -> bool {
        match self {
            Self::ByServer { code, .. } => Close::asks_to_reconnect(*code),
            Self::ProcessSuspended => false,
            Self::Unreachable { .. }
            | Self::NotPlenary { .. }
            | Self::Lost { .. }
            | Self::TimedOut
            | Self::Suspended
            | Self::Reconnect => true,
        }
    }

    /// Returns whether the server rejected the login token.
    pub const fn is_signed_out(&self) -> bool {
        matches!(self, Self::ByServer { code, .. } if *code == Close::NotSignedIn.code())
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { why } => write!(f, "server unreachable: {why}"),
            Self::NotPlenary {
                status: Some(status),
            } => write!(f, "not a Plenary server (HTTP status {status})"),
            Self::NotPlenary { status: None } => f.write_str("not a Plenary server"),
            Self::ByServer { code, text } if text.is_empty() => {
                write!(f, "connection closed by the server ({code})")
            }
            Self::ByServer { code, text } => {
                write!(f, "connection closed by the server: {text} ({code})")
            }
            Self::Lost { why } => write!(f, "connection lost: {why}"),
            Self::TimedOut => f.write_str("no response from the server"),
            Self::Suspended => f.write_str("the computer was suspended"),
            Self::ProcessSuspended => f.write_str("suspended"),
            Self::Reconnect => f.write_str("reconnecting"),
        }
    }
}
