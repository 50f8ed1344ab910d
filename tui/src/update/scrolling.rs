//! Scrolling of the chat and the pages over it.

use plenary_shared::ids::InstanceId;

use super::Step;
use crate::model::scroll::{self, Missing, Place, Scroll};
use crate::theme::Tone;

/// Screens above and below the window within which missing events are requested.
const AHEAD_SCREENS: usize = 2;

impl Step<'_> {
    /// Scrolls the chat by rows, up if negative.
    pub(crate) fn scroll_by(&mut self, delta: isize) {
        let height = self.model.chat_rows();
        let moved = self
            .model
            .room()
            .map(|room| scroll::moved(&self.model.room_view(room), height, delta));
        self.set_scroll(moved);
    }

    /// Scrolls the chat by screens less one row, up if negative.
    pub(crate) fn scroll_page(&mut self, screens: isize) {
        let height = self.model.chat_rows().saturating_sub(1).max(1);
        self.scroll_by(screens * isize::try_from(height).unwrap_or(1));
    }

    /// Scrolls to the first known row.
    pub(super) fn scroll_oldest(&mut self) {
        let height = self.model.chat_rows();
        let first = self
            .model
            .room()
            .map(|room| scroll::oldest(&self.model.room_view(room), height));
        self.set_scroll(first);
    }

    /// Scrolls to the end and follows it.
    pub(super) fn scroll_newest(&mut self) {
        self.set_scroll(Some(Scroll::Newest));
    }

    /// Scrolls to the first unread message.
    pub(super) fn scroll_first_unread(&mut self) {
        let height = self.model.chat_rows();
        let found = self.model.room().and_then(|room| {
            let divider = room.divider.filter(|divider| divider.count > 0)?;
            let first = room.log.as_ref()?.events_after(divider.after).next()?;
            Some(scroll::from(
                &self.model.room_view(room),
                height,
                Place::Event(first.seq),
            ))
        });
        if found.is_none() {
            self.model.tell(Tone::Plain, "No unread messages here");
        }
        self.set_scroll(found);
    }

    fn set_scroll(&mut self, scroll: Option<Scroll>) {
        let Some(room) = self.model.room_mut() else {
            return;
        };
        if let Some(scroll) = scroll {
            room.scroll = scroll;
        }
        let id = room.id;
        self.page_ahead(id);
    }

    /// Requests missing events before the user scrolls to them.
    pub(crate) fn page_ahead(&mut self, id: InstanceId) {
        let height = self.model.chat_rows();
        let Some(room) = self.model.rooms.get(&id) else {
            return;
        };
        let ahead = height * AHEAD_SCREENS;
        match scroll::missing(&self.model.room_view(room), height, ahead) {
            Some(Missing::Above(event)) => self.ask_older(id, event),
            Some(Missing::Below(event)) => self.ask_between(id, event),
            None => {}
        }
    }
}
