//! A selected message, and what is searched for among the messages.

mod update;

use plenary_shared::domain::{Event, What};
use plenary_shared::ids::Seq;

use crate::model::Model;
use crate::model::editor::{Editor, KillRing};
use crate::model::scroll::{self, Place};

/// A message is selected.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Which.
    pub at: Seq,
    /// What is searched for, while it is written.
    pub query: Option<Query>,
    /// What was searched for last, in lower case.
    pub sought: String,
    /// Links of this message that were opened.
    pub opened: usize,
    /// Whether asking once more deletes it.
    pub deleting: bool,
}

/// What is searched for, while it is written.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The text.
    pub editor: Editor,
    /// What was cut from it.
    pub ring: KillRing,
}

/// What a message says, if the event is one.
pub fn body(event: &Event) -> Option<&str> {
    match &event.what {
        What::Message { body, .. } => Some(body.as_str()),
        What::Opened
        | What::Join { .. }
        | What::Leave { .. }
        | What::Edited { .. }
        | What::Deleted { .. }
        | What::Moderated(_)
        | What::Closed { .. } => None,
    }
}

impl Model {
    /// The selected message, if it is still there.
    pub fn selected(&self) -> Option<&Event> {
        let log = self.room()?.log.as_ref()?;
        log.event(self.layers.get::<Selection>()?.at)
    }

    /// What is searched for, while it is written.
    pub fn query(&self) -> Option<&Query> {
        self.layers.get::<Selection>()?.query.as_ref()
    }

    /// What each row of the chat is a part of, from the top; nothing above a short log.
    pub fn chat_places(&self) -> Vec<Option<Place>> {
        let height = self.chat_rows();
        let Some(room) = self.room() else {
            return Vec::new();
        };
        let rows = scroll::window(&self.room_view(room), height);
        let free = height.saturating_sub(rows.len());
        let places = rows.into_iter().map(|shown| Some(shown.place));
        std::iter::repeat_n(None, free).chain(places).collect()
    }
}
