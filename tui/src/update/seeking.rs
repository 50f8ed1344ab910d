//! Searching everything that was said: asking, going through what was found, going there and back.

use plenary_shared::ids::InstanceId;
use plenary_shared::limits::SEARCH_PAGE_DEFAULT;
use plenary_shared::protocol::{Search, SearchOk, Verb};

use super::Step;
use crate::command::Nav;
use crate::model::Asked;
use crate::model::layer::{Chat, MeetingList};
use crate::model::scroll::Scroll;
use crate::model::seek::{FOUND_MAX, Seek};
use crate::model::select::Selecting;
use crate::theme::Tone;

/// So many of the found before the last one the next page is asked for.
const AHEAD: usize = 5;
/// What a page up or down of the found is: less than a small screen shows.
const PAGE: usize = 5;

impl Step<'_> {
    /// Opens the search, with `words` to search for at once. Without words, a search that was left
    /// by opening a result is shown again.
    pub(super) fn begin_seek(&mut self, words: &str) {
        self.end_select();
        if words.is_empty() && self.model.layers.return_to::<Seek>() {
            return;
        }
        self.model.layers.close::<Seek>();
        self.model.layers.remove::<MeetingList>();
        self.model.people_open = false;
        let from = self.model.shown.map(|id| {
            let room = self.model.rooms.get(&id);
            (id, room.map(|room| room.scroll))
        });
        self.model.layers.push(Seek::new(words, from));
        if !words.is_empty() {
            self.ask_seek();
        }
    }

    /// Moves in the results, searches, or opens the selected result.
    pub(super) fn search_nav(&mut self, nav: Nav) {
        let Some(seek) = self.model.layers.get_mut::<Seek>() else {
            return;
        };
        if nav == Nav::Enter {
            return if seek.is_current() && !seek.found.is_empty() {
                self.go_to_found();
            } else {
                self.ask_seek();
            };
        }
        let Some(last) = seek.found.len().checked_sub(1) else {
            return;
        };
        let at = seek.selected.min(last);
        seek.selected = nav.moved(at, last, PAGE).unwrap_or(at);
        if seek.selected + AHEAD > last && seek.has_more() && !seek.reading {
            self.more_found();
        }
    }

    /// Searches only the meeting from which the search was opened, or all meetings.
    pub(super) fn toggle_scope(&mut self) {
        let Some(seek) = self.model.layers.get_mut::<Seek>() else {
            return;
        };
        seek.here = !seek.here && seek.from.is_some();
        if seek.asked.is_some() {
            self.ask_seek();
        }
    }

    /// Closes the search and shows again what was shown before.
    pub(super) fn end_seek(&mut self) {
        let Some(seek) = self.model.layers.remove::<Seek>() else {
            return;
        };
        self.model.jump = None;
        let Some((id, scroll)) = seek.from else {
            return;
        };
        self.show(id);
        if let (Some(room), Some(scroll)) = (self.model.rooms.get_mut(&id), scroll) {
            room.scroll = scroll;
        }
    }

    /// Returns from a result to the search; false when the chat does not show a result.
    pub(super) fn back_to_seek(&mut self) -> bool {
        let is_result = self.model.layers.chat_is_result();
        if is_result {
            self.model.layers.return_to::<Seek>();
            self.model.jump = None;
        }
        is_result
    }

    /// Closes the search behind the chat once the reader has moved on from its result.
    pub(super) fn forget_seek(&mut self) {
        let selects = self.model.layers.get::<Selecting>().is_some();
        if !selects && self.model.jump.is_none() {
            self.model.layers.forget_search();
        }
    }

    /// A page came.
    pub(super) fn found(&mut self, ok: SearchOk) {
        let Some(seek) = self.model.layers.get_mut::<Seek>() else {
            return;
        };
        seek.reading = false;
        let before = seek.found.len();
        // A message that was found before does not come again; one that was said meanwhile may.
        let known = |one: &plenary_shared::protocol::Found| {
            let place = (one.instance, one.message.seq);
            let mut found = seek.found.iter();
            found.any(|other| (other.instance, other.message.seq) == place)
        };
        let fresh: Vec<_> = ok.found.into_iter().filter(|one| !known(one)).collect();
        seek.found.extend(fresh);
        seek.found.truncate(FOUND_MAX);
        // A page that does not go on would come again for ever.
        let advances = ok.next.is_none_or(|next| Some(next) != seek.next);
        seek.next = ok.next.filter(|_| advances);
        if before == 0 && seek.found.is_empty() && seek.has_more() {
            // Nothing in so many candidates: it is looked for in the next.
            self.more_found();
        }
    }

    /// The search was refused.
    pub(super) fn not_found(&mut self, why: &str) {
        if let Some(seek) = self.model.layers.get_mut::<Seek>() {
            seek.reading = false;
            seek.next = None;
            seek.wrong = Some(why.to_owned());
        }
    }

    fn ask_seek(&mut self) {
        // What an earlier question is answered is not wanted any more.
        self.model.asks.retain(|_, asked| *asked != Asked::Search);
        let Some(seek) = self.model.layers.get_mut::<Seek>() else {
            return;
        };
        (seek.found, seek.next, seek.selected) = (Vec::new(), None, 0);
        (seek.wrong, seek.asked, seek.reading) = (None, None, false);
        match seek.question() {
            Ok(asked) => {
                seek.asked = Some(asked);
                self.more_found();
            }
            Err(error) => seek.wrong = Some(error.to_string()),
        }
    }

    fn more_found(&mut self) {
        let Some((query, _)) = self
            .model
            .layers
            .get::<Seek>()
            .and_then(|seek| seek.asked.clone())
        else {
            return;
        };
        let before = self.model.layers.get::<Seek>().and_then(|seek| seek.next);
        let search = Search {
            query,
            before,
            limit: SEARCH_PAGE_DEFAULT,
        };
        let asked = self.ask(Verb::Search(search), Asked::Search);
        if let Some(seek) = self.model.layers.get_mut::<Seek>() {
            seek.reading = asked;
            if !asked {
                // Asked again by Enter.
                seek.asked = None;
                let why = "Not connected. Press Enter again once the connection is back";
                seek.wrong = Some(why.to_owned());
            }
        }
    }

    fn go_to_found(&mut self) {
        let Some(seek) = self.model.layers.get_mut::<Seek>() else {
            return;
        };
        let at = seek.selected.min(seek.found.len().saturating_sub(1));
        let Some(found) = seek.found.get(at) else {
            return;
        };
        let (id, seq) = (found.instance, found.message.seq);
        self.model.layers.push(Chat);
        self.model.jump = Some((id, seq));
        self.show(id);
        self.open(id);
        self.arrive(id);
        let known = self
            .model
            .rooms
            .get(&id)
            .is_some_and(|room| room.log.is_some());
        if !known && !self.is_ready() {
            self.back_to_seek();
            let why = "Not connected. Open it once the connection is back";
            self.model.tell(Tone::Bad, why);
        }
    }

    /// Another meeting than one that cannot be opened.
    pub(super) fn show_known(&mut self, id: InstanceId) {
        if self.model.jump.is_some_and(|(to, _)| to == id) {
            self.back_to_seek();
        }
        let is_known = |id: &InstanceId| self.model.instance(*id).is_some();
        if self.model.shown != Some(id) || is_known(&id) {
            return;
        }
        let before = self.model.shown_before.filter(is_known);
        let first = self
            .model
            .list(1)
            .0
            .into_iter()
            .find_map(|line| match line {
                crate::model::meetings::ListLine::Entry(entry) => Some(entry.instance.id),
                crate::model::meetings::ListLine::Group(..) => None,
            });
        self.model.shown = before.or(first);
    }

    /// What is gone to, with as much above it as below.
    pub(super) fn centre(&mut self, scroll: Scroll) {
        if let Some(room) = self.model.room_mut() {
            room.scroll = scroll;
        }
    }
}
