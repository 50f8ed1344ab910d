//! Mouse clicks and the wheel.

use ratatui::layout::Position;

use super::Step;
use crate::command::Nav;
use crate::model::layer::Layer;
use crate::model::layer::meeting_list::MeetingList;
use crate::model::scroll::Place;
use crate::msg::Mouse;

/// Rows scrolled by one step of the wheel.
const WHEEL_ROWS: isize = 3;

impl Step<'_> {
    /// Handles a mouse event.
    pub(super) fn mouse(&mut self, mouse: Mouse) {
        match self.model.layers.top() {
            Layer::Chat(_) | Layer::MeetingList(_) | Layer::Selection(_) => {}
            Layer::Page(_) => return self.wheel_page(mouse),
            Layer::Finder(_)
            | Layer::Search(_)
            | Layer::Dashboard(_)
            | Layer::MeetingDetail(_)
            | Layer::ModerationDialog(_)
            | Layer::Schedule(_)
            | Layer::ScheduleForm(_)
            | Layer::Password(_)
            | Layer::Sessions(_)
            | Layer::SignIn(_)
            | Layer::Quit(_) => return,
        }
        match mouse {
            Mouse::WheelUp => self.scroll_by(-WHEEL_ROWS),
            Mouse::WheelDown => self.scroll_by(WHEEL_ROWS),
            Mouse::Click { column, row } => self.click(Position::new(column, row)),
        }
    }

    fn wheel_page(&mut self, mouse: Mouse) {
        let nav = match mouse {
            Mouse::WheelUp => Nav::Up,
            Mouse::WheelDown => Nav::Down,
            Mouse::Click { .. } => return,
        };
        for _ in 0..WHEEL_ROWS {
            self.page_nav(nav);
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
                self.close_selection();
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
            self.close_selection();
            self.model.layers.remove::<MeetingList>();
        }
    }
}
