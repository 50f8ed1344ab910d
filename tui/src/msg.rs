//! The messages that `update` receives: what happened, and when.

use plenary_shared::ids::{Cmid, InstanceId, MeetingId};
use plenary_shared::protocol::{LoginOk, SessionListed};
use plenary_shared::time::Timestamp;

use crate::journal::{JournalEntry, Owner};
use crate::key::Key;
use crate::keymap::Keymap;
use crate::net::LinkEvent;
use crate::theme::Theme;

/// An event with its time.
#[derive(Clone)]
pub struct Msg {
    /// The time of the event, by the clock of this machine.
    pub now: Timestamp,
    /// An unused message id, for a message that the event creates.
    pub spare: Cmid,
    pub event: AppEvent,
}

/// An event from the terminal, the server or the system, or the result of an effect.
#[derive(Clone)]
pub enum AppEvent {
    Started,
    Key(Key),
    Mouse(Mouse),
    Pasted(String),
    /// The terminal was resized to this many columns and rows.
    Resized(u16, u16),
    /// The terminal gained or lost the focus.
    Focused(bool),
    /// The time of [`crate::model::Model::next_tick_at`] has come.
    Tick,
    /// The connection changed, or a line arrived on it.
    Link(LinkEvent),
    /// A sign-in succeeded, or failed with this message.
    SignedIn(Result<LoginOk, String>),
    /// A change of the password succeeded, or failed with this message.
    PasswordChanged(Result<(), String>),
    /// The user's sessions as they are now, or an error message.
    Sessions(Result<Vec<SessionListed>, String>),
    /// The external editor returned a text.
    Edited {
        /// The instance in which the text was written.
        at: Option<InstanceId>,
        text: String,
    },
    /// The key bindings and the theme were loaded.
    Configured {
        keymap: Keymap,
        theme: Box<Theme>,
        /// Error messages with file and line.
        wrong: Vec<String>,
    },
    /// A journal was opened. Carries the entries that earlier processes left.
    Journal(Owner, Vec<JournalEntry>),
    /// These entries are on disk, or a reported error prevented that.
    Recorded(Vec<Cmid>),
    /// An export succeeded or failed with this message.
    Exported(Result<String, String>),
    /// A list of emails was read from a file.
    ListRead {
        /// The meeting whose audience the list changes.
        meeting: MeetingId,
        /// Whether the list replaces the audience instead of extending it.
        replace: bool,
        /// The content, or an error message.
        read: Result<String, String>,
    },
    /// An operation in the background was done, in another way than asked for.
    Done(String),
    /// An operation in the background failed with this message.
    Failed(String),
    /// The process received a termination signal.
    Terminated,
}

/// A mouse action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// A click of the left button.
    Click {
        /// The column, from 0 at the left.
        column: u16,
        /// The row, from 0 at the top.
        row: u16,
    },
    /// The wheel was turned away from the user.
    WheelUp,
    /// The wheel was turned towards the user.
    WheelDown,
}
