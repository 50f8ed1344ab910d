//! The selected message, and the text to find among the messages.

mod update;

use plenary_shared::domain::{Event, EventKind};
use plenary_shared::ids::Seq;

use crate::model::Model;
use crate::model::editor::{Editor, KillRing};
use crate::model::scroll::{self, Place};

/// The state of the selection.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The selected message.
    pub at: Seq,
    /// The text to find, while it is typed.
    pub query: Option<Query>,
    /// The text of the last find in lower case.
    pub sought: String,
    /// The number of links of the message that were opened.
    pub opened: usize,
    /// Whether the question before a delete is open.
    pub deleting: bool,
}

/// The text to find, while it is typed.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub editor: Editor,
    /// The texts that were cut from it.
    pub ring: KillRing,
}

/// Returns the text of a message; `None` for other events.
pub fn body(event: &Event) -> Option<&str> {
    match &event.kind {
        EventKind::Message { body, .. } => Some(body.as_str()),
        EventKind::Opened
        | EventKind::Join { .. }
        | EventKind::Leave { .. }
        | EventKind::Edited { .. }
        | EventKind::Deleted { .. }
        | EventKind::Moderated(_)
        | EventKind::Closed { .. } => None,
    }
}

impl Model {
    /// Returns the selected message, if it still exists.
    pub fn selected(&self) -> Option<&Event> {
        let log = self.room()?.log.as_ref()?;
        log.event(self.layers.get::<Selection>()?.at)
    }

    /// The text to find, while it is typed.
    pub fn query(&self) -> Option<&Query> {
        self.layers.get::<Selection>()?.query.as_ref()
    }

    /// Returns what each row of the chat belongs to, from the top; `None` above a short log.
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
