//! Finding: what is selected, and what is done with it.

use super::Step;
use crate::keymap::Bound;
use crate::model::Focus;
use crate::model::find::{Find, Found};
use crate::theme::Tone;

impl Step<'_> {
    /// Begins the search, or ends it.
    pub(super) fn toggle_find(&mut self) {
        self.model.find = match self.model.find {
            Some(_) => None,
            None => Some(Find::default()),
        };
        self.model.overlay = None;
    }

    /// Selects another of the found.
    pub(super) fn step_find(&mut self, forward: bool) {
        let Some(find) = &self.model.find else {
            return;
        };
        let count = find.hits(self.model).len();
        if let Some(find) = &mut self.model.find
            && count > 0
        {
            let at = find.selected.min(count - 1);
            find.selected = if forward {
                (at + 1) % count
            } else {
                (at + count - 1) % count
            };
        }
    }

    /// Goes to the selected one, mentions it, or does it.
    pub(super) fn end_find(&mut self) {
        let Some(find) = self.model.find.take() else {
            return;
        };
        let mut hits = find.hits(self.model);
        if hits.is_empty() {
            // What is written may be mended.
            self.model.find = Some(find);
            return self.model.tell(Tone::Plain, "nothing is called so");
        }
        let hit = hits.swap_remove(find.selected.min(hits.len() - 1));
        match hit.found {
            Found::Meeting(id) if self.model.instance(id).is_none() => self.enter_meeting(id),
            Found::Meeting(id) => self.show(id),
            Found::Person(name) => {
                self.model.focus = Focus::Input;
                self.pasted(&format!("@{name} "));
            }
            Found::Word(word) if word.needs_more() => self.begin_word(word.name),
            Found::Word(word) => {
                self.obey(word.name);
            }
            Found::Row(row) => {
                let command = row.command;
                self.command(Bound { command, nth: 0 });
            }
        }
    }

    /// Lets the person write on behind a word, unless something is written.
    fn begin_word(&mut self, name: &str) {
        if self.editor().0.is_empty() {
            self.pasted(&format!("{name} "));
        } else {
            let text = format!("{name} needs a name behind it: send or clear the input first");
            self.model.tell(Tone::Plain, text);
        }
    }
}
