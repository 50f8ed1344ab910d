//! The history of sent texts, by meeting.

use std::collections::HashMap;

use plenary_shared::ids::{InstanceId, MeetingId};

/// Texts kept for each meeting. The oldest is dropped first.
const TEXTS_MAX: usize = 500;

/// Sent texts by meeting. All instances of a meeting share one history.
#[derive(Clone, Debug, Default)]
pub struct History {
    by_meeting: HashMap<Option<MeetingId>, Vec<String>>,
}

impl History {
    /// Returns the stored history, given oldest first.
    pub fn new(kept: Vec<(MeetingId, String)>) -> Self {
        let mut history = Self::default();
        for (meeting, text) in kept {
            history.add_to(Some(meeting), text);
        }
        history
    }

    /// Returns the texts sent in a meeting, oldest first.
    pub fn of(&self, id: Option<InstanceId>) -> &[String] {
        let meeting = id.map(|id| id.meeting);
        self.by_meeting.get(&meeting).map_or(&[], Vec::as_slice)
    }

    /// Adds a text, unless it repeats the last one. Returns whether it was added.
    pub fn add(&mut self, id: Option<InstanceId>, text: String) -> bool {
        self.add_to(id.map(|id| id.meeting), text)
    }

    fn add_to(&mut self, meeting: Option<MeetingId>, text: String) -> bool {
        let texts = self.by_meeting.entry(meeting).or_default();
        if text.is_empty() || texts.last() == Some(&text) {
            return false;
        }
        if texts.len() == TEXTS_MAX {
            texts.remove(0);
        }
        texts.push(text);
        true
    }
}
