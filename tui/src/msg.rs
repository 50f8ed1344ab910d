//! What happens outside, as `update` is told of it.

use plenary_shared::ids::{Cmid, InstanceId, MeetingId};
use plenary_shared::protocol::{LoginOk, ServerLine};
use plenary_shared::time::Timestamp;

use crate::journal::{Line, Owner};
use crate::key::Key;
use crate::keymap::Keymap;
use crate::theme::Theme;

/// Something happened.
#[derive(Clone)]
pub struct Msg {
    /// When, by this machine's clock.
    pub now: Timestamp,
    /// An id that no message has yet.
    pub spare: Cmid,
    /// What.
    pub news: News,
}

/// What happened.
#[derive(Clone)]
pub enum News {
    /// The program has begun.
    Started,
    /// A key was pressed.
    Key(Key),
    /// The mouse was used.
    Mouse(Mouse),
    /// A text was pasted.
    Pasted(String),
    /// The screen has another size: columns and rows.
    Resized(u16, u16),
    /// The terminal got or lost the focus.
    Focused(bool),
    /// It is as late as [`crate::model::Model::wake_at`] said.
    Tick,
    /// Something about the connection.
    Link(LinkNews),
    /// A sign-in was answered; with the sentence that says why not.
    SignedIn(Result<LoginOk, String>),
    /// A text comes back from the editor.
    Edited {
        /// Where it was written.
        at: Option<InstanceId>,
        /// The text.
        text: String,
    },
    /// Keys and looks were read.
    Configured {
        /// What keys do.
        keymap: Keymap,
        /// How meaning looks.
        theme: Theme,
        /// What is wrong, with file and line.
        wrong: Vec<String>,
    },
    /// A journal is open: what an earlier program left in it.
    Journal(Owner, Vec<Line>),
    /// These lines are on disk, or cannot be, which has been told.
    Recorded(Vec<Cmid>),
    /// A meeting was written into a file, or not: what is said of it.
    Exported(Result<String, String>),
    /// A list of addresses was read from a file, or not: what stands there, or why.
    ListRead {
        /// For which meeting.
        meeting: MeetingId,
        /// Whether others are taken out of its audience.
        replace: bool,
        /// The text, or a sentence.
        read: Result<String, String>,
    },
    /// Something optional did not work.
    Failed(String),
    /// The system wants the program to end.
    Terminated,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// The left button was pressed here.
    Click {
        /// From the left.
        column: u16,
        /// From the top.
        row: u16,
    },
    /// The wheel was turned away.
    WheelUp,
    /// The wheel was turned near.
    WheelDown,
}

/// What became of the connection, and what came on it.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkNews {
    /// It is tried.
    Connecting {
        /// Tries before this one.
        attempt: u32,
    },
    /// It is open: hello is due.
    Open,
    /// An answer or a push.
    Line(Box<ServerLine>),
    /// A line that is neither.
    Garbled,
    /// A request was too large to be sent.
    Unsent {
        /// Its number.
        id: u64,
    },
    /// It is lost, or none could be made.
    Closed {
        /// Why.
        why: String,
        /// Whether the server does not know the token.
        signed_out: bool,
        /// When it is tried again, in milliseconds; never by itself when `None`.
        retry_in_ms: Option<i64>,
    },
}
