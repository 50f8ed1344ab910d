//! The desktop notifications: which meetings cause them, and when the last one was sent.

use std::collections::HashMap;

use plenary_shared::ids::MeetingId;
use plenary_shared::time::Timestamp;

use crate::notify_level::NotifyLevel;

/// The desktop notifications.
#[derive(Debug, Default)]
pub struct Notifications {
    /// The levels that the user chose, by meeting.
    pub levels: HashMap<MeetingId, NotifyLevel>,
    /// Whether do not disturb is on.
    pub dnd: bool,
    /// The time of the last notification.
    pub last_at: Option<Timestamp>,
}
