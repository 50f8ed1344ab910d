//! Completion in the input: Tab takes the next match, Esc restores the typed text.

use super::Step;
use crate::command::{AppCommand, ChatCommand, Command};
use crate::model::choice::Choice;
use crate::theme::Tone;

impl Step<'_> {
    /// Inserts the first match; repeated, the next or the previous one.
    pub(super) fn complete(&mut self, forward: bool) {
        let composer = self.model.composer_mut();
        if let Choice::Made {
            choices,
            nth,
            written,
        } = std::mem::take(&mut composer.choice)
        {
            let count = choices.offers.len();
            let nth = if forward { nth + 1 } else { nth + count - 1 } % count;
            let offer = &choices.offers[nth];
            composer.editor.complete(choices.place.start, &offer.text);
            composer.choice = Choice::Made {
                choices,
                nth,
                written,
            };
            return self.drafts_changed();
        }
        let fitting = self.model.fitting();
        let Some(choices) = fitting.or_else(|| self.model.bare_names()) else {
            let before = self.model.composer_mut().editor.before();
            if !before.trim().is_empty() {
                self.model.tell(Tone::Plain, "No completions");
            }
            return;
        };
        let nth = if forward { 0 } else { choices.offers.len() - 1 };
        let composer = self.model.composer_mut();
        let written = composer.editor.before()[choices.place.clone()].to_owned();
        let (start, offer) = (choices.place.start, &choices.offers[nth]);
        if choices.offers.len() == 1 {
            composer.editor.complete(start, &format!("{} ", offer.text));
            composer.choice = Choice::Closed;
        } else {
            composer.editor.complete(start, &offer.text);
            composer.choice = Choice::Made {
                choices,
                nth,
                written,
            };
        }
        self.drafts_changed();
    }

    /// Ends a completion with the inserted match, unless the command continues it.
    pub(super) fn end_choice(&mut self, command: Command) {
        let goes_on = matches!(
            command,
            Command::Chat(ChatCommand::Complete | ChatCommand::CompleteBack)
                | Command::App(AppCommand::Back)
        );
        let made = |choice: &Choice| matches!(choice, Choice::Made { .. });
        let composer = self.model.inputs.composers.get_mut(&self.model.shown);
        if let Some(composer) = composer.filter(|c| !goes_on && made(&c.choice)) {
            composer.choice = Choice::Closed;
        }
    }

    /// Closes the matches and restores the typed text. False when no matches are shown.
    pub(super) fn close_choice(&mut self) -> bool {
        if self.model.choices().is_none() {
            return false;
        }
        let composer = self.model.composer_mut();
        let choice = std::mem::replace(&mut composer.choice, Choice::Closed);
        if let Choice::Made {
            choices, written, ..
        } = choice
        {
            composer.editor.complete(choices.place.start, &written);
            self.drafts_changed();
        }
        true
    }
}
