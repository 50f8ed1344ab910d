//! The detail of one instance that the server pushes to admins: attendees, their stays and connections,
//! and a timeline without the text of messages.

use serde::{Deserialize, Serialize};

use crate::domain::{Code, Moderation, Reason};
use crate::ids::{InstanceId, Seq, UserId};
use crate::time::Timestamp;

/// See [`super::Push::Detail`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetailLine {
    /// The update.
    pub detail: DetailUpdate,
}

/// The changes of one instance's detail since the last update. One update may be split into several
/// lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetailUpdate {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Discards everything received for the instance before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
    /// The totals, if they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<MeetingTotals>,
    /// New and changed attendees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attendees: Vec<Attendee>,
    /// New timeline entries, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<TimelineEntry>,
}

impl DetailUpdate {
    /// Returns an update without changes.
    pub const fn of(instance: InstanceId) -> Self {
        Self {
            instance,
            reset: false,
            totals: None,
            attendees: Vec::new(),
            timeline: Vec::new(),
        }
    }
}

/// The totals over all attendees of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingTotals {
    /// The seq of the last event that is counted.
    pub seq: Seq,
    /// The number of joins over time.
    pub arrivals: Arrivals,
    /// The highest number of concurrent participants.
    pub peak: u32,
    /// When that was.
    #[serde(default, rename = "peakAt", skip_serializing_if = "Option::is_none")]
    pub peak_at: Option<Timestamp>,
    /// Finished stays.
    pub stays: u64,
    /// The total duration of the finished stays, in milliseconds.
    #[serde(rename = "stayedMs")]
    pub stayed_ms: i64,
    /// Joins that were denied since the first admin started watching. Not stored.
    pub denied: u64,
}

/// A histogram of joins over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrivals {
    /// The start of the first step.
    pub start: Timestamp,
    /// The length of a step, in milliseconds.
    #[serde(rename = "stepMs")]
    pub step_ms: i64,
    /// The joins in each step. Steps without joins at the end are left out.
    pub counts: Vec<u32>,
}

/// A user who has been a participant at any time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendee {
    /// The user's id.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// The user's name.
    pub name: String,
    /// The latest stays, in order. The last one may be unfinished.
    pub stays: Vec<Stay>,
    /// The number of stays before those.
    #[serde(default, rename = "earlierStays")]
    pub earlier_stays: u32,
    /// The total duration of the earlier stays, in milliseconds.
    #[serde(default, rename = "earlierMs")]
    pub earlier_ms: i64,
    /// The user's messages, deleted ones included.
    pub messages: u64,
    /// Connections that are bound to the current stay.
    #[serde(default)]
    pub connections: u32,
    /// How many of those are lost and may reconnect.
    #[serde(default)]
    pub lost: u32,
    /// The number of servers that the user is connected to.
    #[serde(default)]
    pub servers: u32,
    /// The round-trip time of the user's slowest connection to this server, in milliseconds. Left out
    /// without a connection or a measurement.
    #[serde(default, rename = "rttMs", skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<u32>,
}

/// The time from joining to leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// When the user joined.
    pub from: Timestamp,
    /// When the user left. Left out while the stay lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Why the user left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// An entry of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// The number of the entry within the instance. An entry that is sent twice has the same number.
    pub number: u64,
    /// When it happened.
    pub at: Timestamp,
    /// The user concerned.
    #[serde(default, rename = "userID", skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The user's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The seq of the event, if the log has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// What happened.
    #[serde(flatten)]
    pub kind: TimelineKind,
}

/// What happened. For messages only the length of the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TimelineKind {
    /// The instance started.
    Opened,
    /// The user joined.
    Join,
    /// The user left.
    Leave {
        /// The reason.
        reason: Reason,
    },
    /// The user posted a message.
    Message {
        /// The length of the text, in bytes.
        bytes: usize,
    },
    /// The user edited a message.
    Edited {
        /// The seq of the message.
        target: Seq,
        /// The new length of the text, in bytes.
        bytes: usize,
    },
    /// The user deleted a message.
    Deleted {
        /// The seq of the message.
        target: Seq,
    },
    /// An admin moderated the instance.
    Moderated {
        /// The action and its reason.
        moderation: Box<Moderation>,
    },
    /// The instance ended.
    Closed {
        /// The reason.
        reason: Reason,
    },
    /// The user was not allowed to join. Not in the log.
    Denied {
        /// The code of the rejection.
        code: Code,
    },
    /// The user's last connection was lost. Not in the log.
    ConnectionLost,
    /// The user reconnected within the grace. Not in the log.
    Reconnected,
}
