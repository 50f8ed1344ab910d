//! The finder: moving in the matches, and opening or running one.

use crate::command::Nav;
use crate::keymap::Bound;
use crate::model::layer::finder::{Finder, FinderKind, Found};
use crate::model::layer::meeting_list::MeetingList;
use crate::model::step::Step;
use crate::theme::Tone;

/// The matches that a page key moves by; fewer than are shown at once.
const PAGE: usize = 10;

impl Step<'_> {
    pub(crate) fn open_finder(&mut self) {
        self.model.layers.push(Finder::default());
    }

    /// Opens the finder of sent messages.
    pub(crate) fn open_history(&mut self) {
        self.model.layers.push(Finder {
            kind: FinderKind::History,
            ..Finder::default()
        });
    }

    /// Moves in the finder; up and down wrap around the ends.
    pub(crate) fn finder_nav(&mut self, nav: Nav) {
        let Some(finder) = self.model.layers.get::<Finder>() else {
            return;
        };
        let Some(last) = finder.hits(self.model).len().checked_sub(1) else {
            if nav == Nav::Enter {
                self.model.tell(Tone::Plain, "No match");
            }
            return;
        };
        let at = finder.selected.min(last);
        let to = match nav {
            Nav::Up if at == 0 => last,
            Nav::Down if at == last => 0,
            Nav::Enter => return self.run_match(),
            nav => nav.moved(at, last, PAGE).unwrap_or(at),
        };
        if let Some(finder) = self.model.layers.get_mut::<Finder>() {
            finder.selected = to;
        }
    }

    /// Closes the finder, and goes to the selected meeting, mentions the participant, or runs the
    /// command.
    fn run_match(&mut self) {
        let Some(finder) = self.model.layers.remove::<Finder>() else {
            return;
        };
        let mut hits = finder.hits(self.model);
        let hit = hits.swap_remove(finder.selected.min(hits.len() - 1));
        match hit.found {
            Found::Meeting(id) if self.model.instance(id).is_none() => self.enter_meeting(id),
            Found::Meeting(id) => self.show(id),
            Found::Sent(text) => {
                self.focus_input();
                // Undo restores the draft.
                self.change(|editor, _| editor.set(&text));
            }
            Found::Person(name) => {
                self.focus_input();
                self.pasted(&format!("@{name} "));
            }
            Found::Slash(command) if command.needs_argument() => self.begin_slash(command.name),
            Found::Slash(command) => {
                self.run_slash(command.name);
            }
            Found::Row(row) => {
                let command = row.command;
                self.command(Bound { command, nth: 0 });
            }
        }
    }

    /// Gives the keys back to the input.
    pub(crate) fn focus_input(&mut self) {
        self.close_selection();
        self.model.layers.remove::<MeetingList>();
    }

    /// Writes a command that needs an argument into the input, unless the input is in use.
    fn begin_slash(&mut self, name: &str) {
        self.focus_input();
        if self.model.composer_mut().editor.is_empty() {
            self.pasted(&format!("{name} "));
        } else {
            let text = format!("{name} needs an argument; send or clear the input first");
            self.model.tell(Tone::Plain, text);
        }
    }
}
