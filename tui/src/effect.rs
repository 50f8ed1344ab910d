//! Effects: what `update` wants done outside the model. The runtime performs each one, and some are
//! answered with an event.

use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::protocol::{Request, SessionId};

use crate::cache::Cache;
use crate::export::Format;
use crate::journal::{Owner, Record};
use crate::notify_level::NotifyLevel;
use crate::session::Token;

/// A request about the user's own account.
#[derive(Clone, PartialEq)]
pub enum AccountRequest {
    /// Changes the password, which ends the other sessions. Answered by
    /// [`crate::msg::AppEvent::PasswordChanged`].
    ChangePassword {
        old: String,
        new: String,
    },
    /// Lists the sessions. This and the next two are answered by [`crate::msg::AppEvent::Sessions`].
    ListSessions,
    EndSession(SessionId),
    /// Ends all sessions but that of this client.
    EndOtherSessions,
}

/// Work outside the model.
#[derive(Clone, PartialEq)]
pub enum Effect {
    /// Signs in and stores the token. Answered by [`crate::msg::AppEvent::SignedIn`].
    SignIn {
        server: String,
        email: String,
        password: String,
    },
    /// Ignores the answer of a running sign-in.
    CancelSignIn,
    /// Sends a request about the user's own account.
    Account {
        token: Token,
        user: UserId,
        request: AccountRequest,
    },
    /// Connects to this server, instead of any other.
    Connect {
        server: String,
    },
    Disconnect,
    /// Deletes the stored token, which is not valid.
    ForgetToken {
        server: String,
    },
    Ask(Request),
    Reconnect,
    /// Opens the journal of this user's pending messages to this server, instead of any other.
    /// Answered by [`crate::msg::AppEvent::Journal`].
    OpenJournal(Owner),
    /// Writes these records to disk. Answered by [`crate::msg::AppEvent::Recorded`] for each
    /// message to be sent.
    Record(Vec<Record>),
    /// Stores these drafts, replacing all others.
    SaveDrafts(Vec<(InstanceId, String)>),
    /// Stores these screens, replacing all others.
    SaveCache(Box<Cache>),
    /// Appends a sent message to the history.
    AppendHistory {
        meeting: MeetingId,
        text: String,
    },
    /// Writes a meeting to a file. Answered by [`crate::msg::AppEvent::Exported`].
    Export {
        token: Token,
        instance: InstanceId,
        format: Format,
        /// The path as it was typed; the default is derived from the meeting.
        file: Option<String>,
    },
    /// Reads a list of addresses. Answered by [`crate::msg::AppEvent::ListRead`].
    ReadList {
        /// The path as it was typed.
        path: String,
        meeting: MeetingId,
        /// Whether the list replaces the audience.
        replace: bool,
    },
    /// Opens this text in an external editor. Answered by [`crate::msg::AppEvent::Edited`].
    Edit {
        /// The instance in which the text is written.
        at: Option<InstanceId>,
        /// The current text.
        text: String,
    },
    /// Stores the notification levels, replacing all others.
    SaveNotifyLevels(Vec<(MeetingId, NotifyLevel)>),
    /// Notifies the user, whose terminal is not focused.
    Notify {
        /// The author and the meeting.
        title: String,
        /// The message.
        text: String,
    },
    /// Copies this text.
    Copy(String),
    /// Opens this URL in a browser.
    Open(String),
    /// Captures the mouse, or releases it.
    Mouse(bool),
    /// Sets the terminal's title.
    Title(String),
    /// Redraws the whole screen.
    Redraw,
    /// Restores the terminal and stops the process until it is continued.
    Suspend,
    /// Closes the connection at exit as if it were lost, so that the seats in meetings are kept for the
    /// reconnect grace. Without it, the user leaves at exit.
    KeepSeats,
    Quit,
}

// Passwords, tokens and drafts never appear in a log.
impl std::fmt::Debug for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SignIn { server, email, .. } => write!(f, "SignIn({server}, {email})"),
            Self::CancelSignIn => f.write_str("CancelSignIn"),
            Self::Account { user, .. } => write!(f, "Account({user})"),
            Self::Connect { server } => write!(f, "Connect({server})"),
            Self::Disconnect => f.write_str("Disconnect"),
            Self::ForgetToken { server } => write!(f, "ForgetToken({server})"),
            Self::Ask(request) => write!(f, "Ask({request:?})"),
            Self::Reconnect => f.write_str("Reconnect"),
            Self::OpenJournal(owner) => write!(f, "OpenJournal({owner:?})"),
            Self::Record(records) => write!(f, "Record({})", records.len()),
            Self::SaveDrafts(drafts) => write!(f, "SaveDrafts({})", drafts.len()),
            Self::SaveCache(cache) => write!(f, "SaveCache({})", cache.rooms.len()),
            Self::AppendHistory { meeting, .. } => write!(f, "AppendHistory({meeting})"),
            Self::Export { instance, .. } => write!(f, "Export({instance})"),
            Self::ReadList { meeting, .. } => write!(f, "ReadList({meeting})"),
            Self::Edit { .. } => f.write_str("Edit"),
            Self::SaveNotifyLevels(kept) => write!(f, "SaveNotifyLevels({})", kept.len()),
            Self::Notify { .. } => f.write_str("Notify"),
            Self::Copy(text) => write!(f, "Copy({})", text.len()),
            Self::Open(_) => f.write_str("Open"),
            Self::Mouse(ours) => write!(f, "Mouse({ours})"),
            Self::Title(title) => write!(f, "Title({title})"),
            Self::Redraw => f.write_str("Redraw"),
            Self::Suspend => f.write_str("Suspend"),
            Self::KeepSeats => f.write_str("KeepSeats"),
            Self::Quit => f.write_str("Quit"),
        }
    }
}
