//! Descriptions of events on one line, for line mode, `plenary tail` and exports.

use plenary_shared::domain::{Event, EventKind, Reason};
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

/// Describes an event. Returns the author and the text of a message, and only a text for other events.
///
/// `name` returns the name of a user. `time` formats a time for the reader.
pub fn describe(
    event: &Event,
    name: impl Fn(UserId) -> String,
    time: impl Fn(Timestamp) -> String,
) -> (Option<String>, String) {
    let text = match &event.kind {
        EventKind::Message {
            user,
            body,
            edited,
            deleted,
            ..
        } => {
            let text = match (deleted, edited) {
                (Some(_), _) => "(deleted)".to_owned(),
                (None, Some(_)) => format!("{body} (edited)"),
                (None, None) => body.to_string(),
            };
            return (Some(name(*user)), text);
        }
        EventKind::Opened => "The meeting started".to_owned(),
        EventKind::Join { user, .. } => format!("{} joined", name(*user)),
        EventKind::Leave { user, reason } => {
            let why = match reason {
                Reason::Left => "",
                Reason::ConnectionLost => " (connection lost)",
                Reason::Suspended => " (suspended)",
                Reason::Removed => " (removed by an admin)",
                Reason::Scheduled | Reason::Ended | Reason::Missed | Reason::Cancelled => {
                    " (meeting ended)"
                }
            };
            format!("{} left{why}", name(*user))
        }
        EventKind::Edited {
            user, target, body, ..
        } => {
            let text = if body.is_deleted() {
                "(deleted)"
            } else {
                body.as_str()
            };
            format!("{} edited message {target}: {text}", name(*user))
        }
        EventKind::Deleted { user, target, .. } => {
            format!("{} deleted message {target}", name(*user))
        }
        EventKind::Moderated(done) => format!("{} {}", name(done.user), done.sentence(&name, time)),
        EventKind::Closed { reason } => format!("The meeting ended: {}", end_reason(*reason)),
    };
    (None, text)
}

/// Returns why a meeting ended, as a phrase after a colon.
pub fn end_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Scheduled | Reason::Left | Reason::ConnectionLost | Reason::Suspended => {
            "scheduled end"
        }
        Reason::Ended | Reason::Removed => "ended by an admin",
        Reason::Missed => "missed, no server was running",
        Reason::Cancelled => "cancelled",
    }
}
