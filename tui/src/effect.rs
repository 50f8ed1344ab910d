//! What `update` wants done outside: each is carried out by the runtime, and answers, if at all,
//! with a message.

use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::protocol::Request;

use crate::cache::Cache;
use crate::export::Format;
use crate::journal::{Owner, Record};
use crate::notify_level::NotifyLevel;
use crate::session::Token;

/// Something to be done outside.
#[derive(Clone, PartialEq)]
pub enum Effect {
    /// Sign in. Answered by [`crate::msg::AppEvent::SignedIn`]; the token is kept on the way.
    SignIn {
        /// The server's address.
        server: String,
        /// The account's address.
        email: String,
        /// Its password.
        password: String,
    },
    /// Let a running sign-in go unanswered.
    CancelSignIn,
    /// Connect to this server, in place of any other.
    Connect {
        /// Its address.
        server: String,
    },
    /// Drop the connection.
    Disconnect,
    /// The kept token is no good any more.
    ForgetToken {
        /// Whose token.
        server: String,
    },
    /// Send this request.
    Ask(Request),
    /// Connect anew at once.
    Reconnect,
    /// Open the journal of what this person has on its way to this server, in place of any other.
    /// Answered by [`crate::msg::AppEvent::Journal`].
    OpenJournal(Owner),
    /// Put these on disk. Answered by [`crate::msg::AppEvent::Recorded`] for each line that is to be said.
    Record(Vec<Record>),
    /// Keep these drafts, in place of all that were kept.
    SaveDrafts(Vec<(InstanceId, String)>),
    /// Keep these screens, in place of those that were kept.
    SaveCache(Box<Cache>),
    /// Remember that this was sent.
    AppendHistory {
        /// In which meeting.
        meeting: MeetingId,
        /// What.
        text: String,
    },
    /// Write a meeting into a file. Answered by [`crate::msg::AppEvent::Exported`].
    Export {
        /// As whom it is read.
        token: Token,
        /// Which.
        instance: InstanceId,
        /// How it is written.
        format: Format,
        /// Where, as the person wrote it; otherwise it is named after the meeting.
        file: Option<String>,
    },
    /// Read a list of addresses. Answered by [`crate::msg::AppEvent::ListRead`].
    ReadList {
        /// Where it is, as the person wrote it.
        path: String,
        /// For which meeting.
        meeting: MeetingId,
        /// Whether others are taken out of its audience.
        replace: bool,
    },
    /// Let the person write this in an editor. Answered by [`crate::msg::AppEvent::Edited`].
    Edit {
        /// Where it is written.
        at: Option<InstanceId>,
        /// What is written so far.
        text: String,
    },
    /// Keep what meetings may call for, in place of all that was kept.
    SaveNotifyLevels(Vec<(MeetingId, NotifyLevel)>),
    /// Call the reader, who looks elsewhere.
    Notify {
        /// Who, and where.
        title: String,
        /// What was said.
        text: String,
    },
    /// Copy this.
    Copy(String),
    /// Open this address in a browser.
    Open(String),
    /// Take the mouse from the terminal, or give it back.
    Mouse(bool),
    /// Write this into the terminal's title.
    Title(String),
    /// Draw everything anew.
    Redraw,
    /// Give the terminal back and stop until continued.
    Suspend,
    /// End.
    Quit,
}

// Passwords, tokens and drafts never reach a log.
impl std::fmt::Debug for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SignIn { server, email, .. } => write!(f, "SignIn({server}, {email})"),
            Self::CancelSignIn => f.write_str("CancelSignIn"),
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
            Self::Quit => f.write_str("Quit"),
        }
    }
}
