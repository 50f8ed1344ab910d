//! Searching everything that was said: asking, going through what was found, going there and back.

use plenary_shared::ids::InstanceId;
use plenary_shared::limits::SEARCH_PAGE_DEFAULT;
use plenary_shared::protocol::{Search, SearchOk, Verb};

use super::Step;
use crate::command::Command;
use crate::model::scroll::Scroll;
use crate::model::seek::{FOUND_MAX, Seek};
use crate::model::{Asked, Focus};
use crate::theme::Tone;

/// So many of the found before the last one the next page is asked for.
const AHEAD: usize = 5;
/// What a page up or down of the found is: less than a small screen shows.
const PAGE: usize = 5;

impl Step<'_> {
    /// Opens the search, with what is to be looked for if that was said; again, closes it.
    pub(super) fn begin_seek(&mut self, words: &str) {
        if self.model.seeks() && words.is_empty() {
            return self.end_seek();
        }
        let kept = self.model.seek.take().filter(|_| words.is_empty());
        let seek = if let Some(mut seek) = kept {
            // One that was left by going somewhere is there again.
            seek.jumped = false;
            seek
        } else {
            let from = self.model.shown.map(|id| {
                let room = self.model.rooms.get(&id);
                (id, room.map(|room| room.scroll))
            });
            Seek::new(words, from)
        };
        self.end_select();
        self.model.overlay = None;
        self.model.find = None;
        self.model.drawer = None;
        self.model.focus = Focus::Input;
        self.model.seek = Some(seek);
        if !words.is_empty() {
            self.ask_seek();
        }
    }

    /// What a key does in the search.
    pub(super) fn seeking(&mut self, command: Command) {
        match command {
            Command::SeekUp => self.step_seek(|at, _| at.saturating_sub(1)),
            Command::SeekDown => self.step_seek(|at, last| (at + 1).min(last)),
            Command::SeekPageUp => self.step_seek(|at, _| at.saturating_sub(PAGE)),
            Command::SeekPageDown => self.step_seek(|at, last| (at + PAGE).min(last)),
            Command::SeekScope => {
                if let Some(seek) = &mut self.model.seek {
                    seek.here = !seek.here && seek.from.is_some();
                    let again = seek.asked.is_some();
                    if again {
                        self.ask_seek();
                    }
                }
            }
            Command::SeekEnter => match &self.model.seek {
                Some(seek) if seek.is_current() && !seek.found.is_empty() => self.go_to_found(),
                Some(_) => self.ask_seek(),
                None => {}
            },
            _ => {}
        }
    }

    /// Closes the search: what was shown before is shown again.
    pub(super) fn end_seek(&mut self) {
        let Some(seek) = self.model.seek.take() else {
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

    /// From what was gone to, back to the list; false when nobody came from there.
    pub(super) fn back_to_seek(&mut self) -> bool {
        let Some(seek) = self.model.seek.as_mut().filter(|seek| seek.jumped) else {
            return false;
        };
        seek.jumped = false;
        self.model.jump = None;
        self.model.select = None;
        true
    }

    /// Whoever went on from what was found does not come back to the list by a step back.
    pub(super) fn forget_seek(&mut self) {
        let left = self.model.select.is_none() && self.model.jump.is_none();
        if left && self.model.seek.as_ref().is_some_and(|seek| seek.jumped) {
            self.model.seek = None;
        }
    }

    /// A page came.
    pub(super) fn found(&mut self, ok: SearchOk) {
        let Some(seek) = &mut self.model.seek else {
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
        if let Some(seek) = &mut self.model.seek {
            seek.reading = false;
            seek.next = None;
            seek.wrong = Some(why.to_owned());
        }
    }

    fn ask_seek(&mut self) {
        // What an earlier question is answered is not wanted any more.
        self.model.asks.retain(|_, asked| *asked != Asked::Search);
        let Some(seek) = &mut self.model.seek else {
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
        let Some((query, _)) = self.model.seek.as_ref().and_then(|seek| seek.asked.clone()) else {
            return;
        };
        let before = self.model.seek.as_ref().and_then(|seek| seek.next);
        let search = Search {
            query,
            before,
            limit: SEARCH_PAGE_DEFAULT,
        };
        let asked = self.ask(Verb::Search(search), Asked::Search);
        if let Some(seek) = &mut self.model.seek {
            seek.reading = asked;
            if !asked {
                // Asked again by Enter.
                seek.asked = None;
                let why = "not connected: Enter tries again when the connection is back";
                seek.wrong = Some(why.to_owned());
            }
        }
    }

    fn step_seek(&mut self, to: impl Fn(usize, usize) -> usize) {
        let Some(seek) = &mut self.model.seek else {
            return;
        };
        let Some(last) = seek.found.len().checked_sub(1) else {
            return;
        };
        seek.selected = to(seek.selected.min(last), last);
        if seek.selected + AHEAD > last && seek.has_more() && !seek.reading {
            self.more_found();
        }
    }

    fn go_to_found(&mut self) {
        let Some(seek) = &mut self.model.seek else {
            return;
        };
        let at = seek.selected.min(seek.found.len().saturating_sub(1));
        let Some(found) = seek.found.get(at) else {
            return;
        };
        let (id, seq) = (found.instance, found.message.seq);
        seek.jumped = true;
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
            let why = "not connected: it can be opened when the connection is back";
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
