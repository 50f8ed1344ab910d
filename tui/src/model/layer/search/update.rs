//! The search: sending queries, moving in the results, opening a result and returning.

use plenary_shared::ids::InstanceId;
use plenary_shared::limits::SEARCH_PAGE_DEFAULT;
use plenary_shared::protocol::{self, SearchOk, Verb};

use crate::command::Nav;
use crate::model::Asked;
use crate::model::layer::Chat;
use crate::model::layer::meeting_list::MeetingList;
use crate::model::layer::search::{FOUND_MAX, Search};
use crate::model::layer::selection::Selection;
use crate::model::scroll::Scroll;
use crate::model::step::Step;
use crate::theme::Tone;

/// The number of results before the last one at which the next page is loaded.
const AHEAD: usize = 5;
/// The results that a page key moves by; fits a small screen.
const PAGE: usize = 5;

impl Step<'_> {
    /// Opens the search, with `words` to search for at once. Without words, a search that was left
    /// by opening a result is shown again.
    pub(crate) fn open_search(&mut self, words: &str) {
        self.close_selection();
        if words.is_empty() && self.model.layers.return_to::<Search>() {
            return;
        }
        self.model.layers.close::<Search>();
        self.model.layers.remove::<MeetingList>();
        self.model.people_open = false;
        let from = self.model.shown.map(|id| {
            let room = self.model.rooms.get(&id);
            (id, room.map(|room| room.scroll))
        });
        self.model.layers.push(Search::new(words, from));
        if !words.is_empty() {
            self.run_search();
        }
    }

    /// Moves in the results, searches, or opens the selected result.
    pub(crate) fn search_nav(&mut self, nav: Nav) {
        let Some(search) = self.model.layers.get_mut::<Search>() else {
            return;
        };
        if nav == Nav::Enter {
            return if search.is_current() && !search.found.is_empty() {
                self.open_result();
            } else {
                self.run_search();
            };
        }
        let Some(last) = search.found.len().checked_sub(1) else {
            return;
        };
        let at = search.selected.min(last);
        search.selected = nav.moved(at, last, PAGE).unwrap_or(at);
        if search.selected + AHEAD > last && search.has_more() && !search.reading {
            self.load_results();
        }
    }

    /// Searches only the meeting from which the search was opened, or all meetings.
    pub(crate) fn toggle_scope(&mut self) {
        let Some(search) = self.model.layers.get_mut::<Search>() else {
            return;
        };
        search.here = !search.here && search.from.is_some();
        if search.asked.is_some() {
            self.run_search();
        }
    }

    /// Closes the search and shows the meeting that was shown before.
    pub(crate) fn close_search(&mut self) {
        let Some(search) = self.model.layers.remove::<Search>() else {
            return;
        };
        self.model.jump = None;
        let Some((id, scroll)) = search.from else {
            return;
        };
        self.show(id);
        if let (Some(room), Some(scroll)) = (self.model.rooms.get_mut(&id), scroll) {
            room.scroll = scroll;
        }
    }

    /// Returns from a result to the search; false when the chat does not show a result.
    pub(crate) fn back_to_search(&mut self) -> bool {
        let is_result = self.model.layers.chat_is_result();
        if is_result {
            self.model.layers.return_to::<Search>();
            self.model.jump = None;
        }
        is_result
    }

    /// Closes the search behind the chat once the reader has moved on from its result.
    pub(crate) fn forget_search(&mut self) {
        let selects = self.model.layers.get::<Selection>().is_some();
        if !selects && self.model.jump.is_none() {
            self.model.layers.forget_search();
        }
    }

    /// A page of results arrived.
    pub(crate) fn found(&mut self, ok: SearchOk) {
        let Some(search) = self.model.layers.get_mut::<Search>() else {
            return;
        };
        search.reading = false;
        let before = search.found.len();
        // Results that are already listed are dropped.
        let known = |one: &protocol::SearchHit| {
            let place = (one.instance, one.message.seq);
            let mut found = search.found.iter();
            found.any(|other| (other.instance, other.message.seq) == place)
        };
        let fresh: Vec<_> = ok.hits.into_iter().filter(|one| !known(one)).collect();
        search.found.extend(fresh);
        search.found.truncate(FOUND_MAX);
        // A page that does not advance would be loaded again and again.
        let advances = ok.next.is_none_or(|next| Some(next) != search.next);
        search.next = ok.next.filter(|_| advances);
        if before == 0 && search.found.is_empty() && search.has_more() {
            // No match among the candidates of this page.
            self.load_results();
        }
    }

    pub(crate) fn search_refused(&mut self, why: &str) {
        if let Some(search) = self.model.layers.get_mut::<Search>() {
            search.reading = false;
            search.next = None;
            search.wrong = Some(why.to_owned());
        }
    }

    fn run_search(&mut self) {
        // Replies to earlier queries are dropped.
        self.model
            .connection
            .requests
            .retain(|_, asked| *asked != Asked::Search);
        let Some(search) = self.model.layers.get_mut::<Search>() else {
            return;
        };
        (search.found, search.next, search.selected) = (Vec::new(), None, 0);
        (search.wrong, search.asked, search.reading) = (None, None, false);
        match search.question() {
            Ok(asked) => {
                search.asked = Some(asked);
                self.load_results();
            }
            Err(error) => search.wrong = Some(error.to_string()),
        }
    }

    fn load_results(&mut self) {
        let Some((query, _)) = self
            .model
            .layers
            .get::<Search>()
            .and_then(|search| search.asked.clone())
        else {
            return;
        };
        let before = self
            .model
            .layers
            .get::<Search>()
            .and_then(|search| search.next);
        let request = protocol::Search {
            query,
            before,
            limit: SEARCH_PAGE_DEFAULT,
        };
        let asked = self.ask(Verb::Search(request), Asked::Search);
        if let Some(search) = self.model.layers.get_mut::<Search>() {
            search.reading = asked;
            if !asked {
                // Enter sends it again.
                search.asked = None;
                let why = "Not connected. Press Enter again once the connection is back";
                search.wrong = Some(why.to_owned());
            }
        }
    }

    fn open_result(&mut self) {
        let Some(search) = self.model.layers.get_mut::<Search>() else {
            return;
        };
        let at = search.selected.min(search.found.len().saturating_sub(1));
        let Some(found) = search.found.get(at) else {
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
            self.back_to_search();
            let why = "Not connected. Open it once the connection is back";
            self.model.tell(Tone::Bad, why);
        }
    }

    /// Shows another meeting in place of one that cannot be opened.
    pub(crate) fn show_known(&mut self, id: InstanceId) {
        if self.model.jump.is_some_and(|(to, _)| to == id) {
            self.back_to_search();
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

    /// Scrolls the shown log.
    pub(crate) fn centre(&mut self, scroll: Scroll) {
        if let Some(room) = self.model.room_mut() {
            room.scroll = scroll;
        }
    }
}
