//! The list of meetings: taking the keys, and moving in it.

use super::MeetingList;
use crate::command::Nav;
use crate::model::step::Step;

impl Step<'_> {
    /// Gives the keys to the list of meetings, or takes them back.
    pub(crate) fn toggle_meetings(&mut self) {
        if self.model.layers.remove::<MeetingList>().is_none() {
            self.close_selection();
            self.model.people_open = false;
            self.model.layers.push(MeetingList);
        }
    }

    /// Moves in the list of meetings: the selected row is the meeting that is shown.
    pub(crate) fn meeting_list_nav(&mut self, nav: Nav) {
        match nav {
            Nav::Up => self.step_meeting(false),
            Nav::Down => self.step_meeting(true),
            Nav::PageUp => self.scroll_page(-1),
            Nav::PageDown => self.scroll_page(1),
            Nav::First | Nav::Last => {
                let ids = self.listed_ids();
                let end = if nav == Nav::First {
                    ids.first()
                } else {
                    ids.last()
                };
                if let Some(id) = end {
                    self.show(*id);
                }
            }
            Nav::Enter => {
                if let Some(id) = self.model.shown {
                    self.enter_meeting(id);
                }
            }
            Nav::NextField | Nav::PreviousField => {}
        }
    }
}
