//! The inputs of all meetings, with what they recall.

use std::collections::HashMap;

use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;

use super::composer::Composer;
use super::editor::KillRing;
use super::history::History;

/// The inputs of all meetings.
#[derive(Debug)]
pub struct Inputs {
    /// The inputs, by meeting; `None` is the input without a meeting.
    pub composers: HashMap<Option<InstanceId>, Composer>,
    /// The sent messages, for the arrow keys.
    pub history: History,
    pub kill_ring: KillRing,
    /// When changed drafts are written to disk.
    pub drafts_due: Option<Timestamp>,
}
