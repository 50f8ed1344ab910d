//! Completing a name or a word: Tab takes the next of what is offered, Esc what was written.

use super::Step;
use crate::command::{AppCommand, ChatCommand, Command};
use crate::model::choice::Choice;
use crate::theme::Tone;

impl Step<'_> {
    /// Takes the first of what fits; again, the next, or the one before.
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
        let Some(choices) = self.model.fitting() else {
            let before = self.model.composer_mut().editor.before();
            if before.starts_with('/') || before.contains('@') {
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

    /// Any other command than these ends a choice, with what was chosen.
    pub(super) fn end_choice(&mut self, command: Command) {
        let goes_on = matches!(
            command,
            Command::Chat(ChatCommand::Complete | ChatCommand::CompleteBack)
                | Command::App(AppCommand::Back)
        );
        let made = |choice: &Choice| matches!(choice, Choice::Made { .. });
        let composer = self.model.composers.get_mut(&self.model.shown);
        if let Some(composer) = composer.filter(|c| !goes_on && made(&c.choice)) {
            composer.choice = Choice::Closed;
        }
    }

    /// Closes what is offered; what was written comes back. False when nothing is offered.
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
