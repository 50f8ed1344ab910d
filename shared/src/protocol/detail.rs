//! One instance in detail, as it is pushed to admins who look into it: who came and went, who is
//! there, and what happens, without what is said.

use serde::{Deserialize, Serialize};

use crate::domain::{Code, Moderation, Reason};
use crate::ids::{InstanceId, Seq, UserId};
use crate::time::Timestamp;

/// See [`super::Push::Detail`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetailLine {
    /// What is new.
    pub detail: DetailUpdate,
}

/// What is new in one instance. One picture may come as several lines, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetailUpdate {
    /// Which.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Whatever was told of it before is void.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
    /// The figures over everybody, if they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<MeetingTotals>,
    /// People who are new or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attendees: Vec<Attendee>,
    /// What has happened, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<TimelineEntry>,
}

impl DetailUpdate {
    /// Nothing new of this instance.
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

/// The figures over everybody who was ever in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingTotals {
    /// Up to which seq everything is counted.
    pub seq: Seq,
    /// When people came: every join counts.
    pub arrivals: Arrivals,
    /// The most who were in at one time.
    pub peak: u32,
    /// When they were.
    #[serde(default, rename = "peakAt", skip_serializing_if = "Option::is_none")]
    pub peak_at: Option<Timestamp>,
    /// Stays that are over.
    pub stays: u64,
    /// How long they were in all, in milliseconds.
    #[serde(rename = "stayedMs")]
    pub stayed_ms: i64,
    /// Joins that were refused since somebody looks into it. Kept nowhere.
    pub denied: u64,
}

/// A curve of what came when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrivals {
    /// When the first step begins.
    pub start: Timestamp,
    /// How long a step is, in milliseconds.
    #[serde(rename = "stepMs")]
    pub step_ms: i64,
    /// How many came in each; what is missing at the end is nothing.
    pub counts: Vec<u32>,
}

/// Somebody who was ever in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendee {
    /// Who.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// What they are called.
    pub name: String,
    /// Their last stays, in their order; the very last may go on.
    pub stays: Vec<Stay>,
    /// How many stays they had before those.
    #[serde(default, rename = "earlierStays")]
    pub earlier_stays: u32,
    /// How long those were in all, in milliseconds.
    #[serde(default, rename = "earlierMs")]
    pub earlier_ms: i64,
    /// What they said, deleted or not.
    pub messages: u64,
    /// Connections that hold their stay.
    #[serde(default)]
    pub connections: u32,
    /// How many of those are lost, and may come back.
    #[serde(default)]
    pub lost: u32,
    /// How many servers they are connected to.
    #[serde(default)]
    pub servers: u32,
    /// How long their slowest connection to this server takes there and back, in milliseconds;
    /// missing where they have none, or it is not measured yet.
    #[serde(default, rename = "rttMs", skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<u32>,
}

/// From joining to leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// When they joined.
    pub from: Timestamp,
    /// When they left; missing: they are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Why they left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// Its number among those of this instance; a line that is told twice has the same.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Whom it is about.
    #[serde(default, rename = "userID", skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// What they are called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its seq in the log, if it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// What it is.
    #[serde(flatten)]
    pub kind: TimelineKind,
}

/// What happened. What was said is not told, only how long it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TimelineKind {
    /// The instance became active.
    Opened,
    /// They came in.
    Join,
    /// They left.
    Leave {
        /// Why.
        reason: Reason,
    },
    /// They said something.
    Message {
        /// How long it is, in bytes.
        bytes: usize,
    },
    /// They changed what they had said.
    Edited {
        /// Which message.
        target: Seq,
        /// How long it is now, in bytes.
        bytes: usize,
    },
    /// They deleted what they had said.
    Deleted {
        /// Which message.
        target: Seq,
    },
    /// An admin did something.
    Moderated {
        /// What, and why.
        moderation: Box<Moderation>,
    },
    /// The instance is over.
    Closed {
        /// Why.
        reason: Reason,
    },
    /// They wanted to come in and were refused. In no log.
    Denied {
        /// By which rule.
        code: Code,
    },
    /// Their last connection was lost; they may come back. In no log.
    ConnectionLost,
    /// They came back in time. In no log.
    Reconnected,
}
