//! Mouse clicks and the wheel.

use ratatui::layout::Position;

use super::Step;
use crate::model::Focus;
use crate::model::scroll::Place;
use crate::msg::Mouse;

/// Rows scrolled by one step of the wheel.
const WHEEL_ROWS: isize = 3;

impl Step<'_> {
    /// Handles a mouse event.
    pub(super) fn mouse(&mut self, mouse: Mouse) {
        if self.model.sign_in.is_some() || self.model.find.is_some() || self.model.shows_dashboard()
        {
            return;
        }
        match mouse {
            Mouse::WheelUp => self.wheel(-WHEEL_ROWS),
            Mouse::WheelDown => self.wheel(WHEEL_ROWS),
            Mouse::Click { .. } if self.model.overlay.is_some() => {}
            Mouse::Click { column, row } => self.click(Position::new(column, row)),
        }
    }

    fn wheel(&mut self, rows: isize) {
        if self.model.overlay.is_some() {
            self.scroll_overlay(rows);
        } else {
            self.scroll_by(rows);
        }
    }

    fn click(&mut self, at: Position) {
        let panes = self.model.panes();
        let over_list = panes.meetings.contains(at);
        if over_list {
            // The first row is the heading.
            let row = usize::from(at.y - panes.meetings.y);
            let height = usize::from(panes.meetings.height).saturating_sub(1);
            let id = row
                .checked_sub(1)
                .and_then(|row| self.model.meeting_on_row(row, height));
            if let Some(id) = id {
                self.end_select();
                self.show(id);
            }
        } else if panes.people.contains(at) {
            // Participants cannot be clicked.
        } else if panes.chat.contains(at) {
            let row = usize::from(at.y - panes.chat.y);
            let place = self.model.chat_places().get(row).copied().flatten();
            if let Some(Place::Event(seq)) = place
                && self.is_message(seq)
            {
                self.select(seq);
            }
        } else if panes.input.contains(at) {
            self.end_select();
            self.model.focus = Focus::Input;
        }
    }
}
