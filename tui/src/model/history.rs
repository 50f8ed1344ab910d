//! What was sent before, by meeting: to be looked through, and sent again.

use std::collections::HashMap;

use plenary_shared::ids::{InstanceId, MeetingId};

/// Texts of one meeting that are remembered; the oldest goes.
const TEXTS_MAX: usize = 500;

/// What was sent before. All instances of a meeting share it.
#[derive(Clone, Debug, Default)]
pub struct History {
    by_meeting: HashMap<Option<MeetingId>, Vec<String>>,
}

impl History {
    /// With what was kept, oldest first.
    pub fn new(kept: Vec<(MeetingId, String)>) -> Self {
        let mut history = Self::default();
        for (meeting, text) in kept {
            history.add_to(Some(meeting), text);
        }
        history
    }

    /// What was sent in a meeting, oldest first.
    pub fn of(&self, id: Option<InstanceId>) -> &[String] {
        let meeting = id.map(|id| id.meeting);
        self.by_meeting.get(&meeting).map_or(&[], Vec::as_slice)
    }

    /// Remembers a text, unless it was the last one. Says whether it is new.
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
