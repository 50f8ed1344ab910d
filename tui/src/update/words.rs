//! Words: `/join`, `/leave`, `/who` and the others.

use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::{UserMessages, Verb as Request};

use super::Step;
use crate::command::{Verb, WORDS, find_word};
use crate::effect::Effect;
use crate::model::Asked;
use crate::model::overlay::{Overlay, Page};
use crate::text;
use crate::theme::Tone;

/// Messages of one person that a page shows: the last so many.
const MESSAGES_SHOWN: usize = 500;

impl Step<'_> {
    /// Obeys a line that begins with `/`. One that is no word stays in the input.
    pub(super) fn word(&mut self, line: &str) {
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let argument = argument.trim();
        let word = match find_word(name) {
            Ok(word) => word,
            Err(nearest) => {
                let name = text::one_line(name);
                let nearest = nearest.name;
                return self.model.tell(
                    Tone::Bad,
                    format!("there is no {name}: did you mean {nearest}? //x sends /x as it is"),
                );
            }
        };
        let done = match word.verb {
            Verb::Join => self.join_word(argument),
            Verb::Leave => {
                self.leave();
                true
            }
            Verb::Who => self.who(),
            Verb::Messages => self.messages_of(argument),
            Verb::Joins => {
                let asked = self.ask_or_tell(Request::JoinTimes {}, Asked::JoinTimes);
                self.page(asked, Page::JoinTimes(None))
            }
            Verb::Retry => {
                self.retry();
                true
            }
            Verb::Outbox => self.page(true, Page::Outbox),
            Verb::Recall => return self.recall(),
            Verb::Reconnect => {
                self.out.push(Effect::Reconnect);
                true
            }
            Verb::Help => {
                self.help();
                true
            }
            Verb::Quit => {
                self.quit();
                true
            }
        };
        if done {
            // The word was written into the meeting that was shown before it was obeyed.
            for composer in self.model.composers.values_mut() {
                if composer.editor.text() == line {
                    composer.sent();
                }
            }
            self.drafts_changed();
        }
    }

    /// Completes a word or an @name before the cursor.
    pub(super) fn complete(&mut self) {
        let before = self
            .model
            .composer()
            .map_or("", |composer| composer.editor.before())
            .to_owned();
        if before.starts_with('/') && !before.contains(char::is_whitespace) {
            let names = WORDS.iter().map(|word| word.name.to_owned());
            let found: Vec<String> = names.filter(|name| name.starts_with(&before)).collect();
            return self.complete_with(&before, &found);
        }
        let Some(at) = before.rfind('@') else {
            return;
        };
        let begun = before[at + 1..].to_lowercase();
        let Some(log) = self.model.room().and_then(|room| room.log.as_ref()) else {
            return;
        };
        let mut found: Vec<String> = log
            .names()
            .filter(|(_, name)| name.to_lowercase().starts_with(&begun))
            .map(|(_, name)| format!("@{}", text::one_line(name)))
            .collect();
        found.sort();
        found.dedup();
        self.complete_with(&before[at..], &found);
    }

    fn complete_with(&mut self, begun: &str, found: &[String]) {
        match found {
            [] => self.model.tell(Tone::Plain, "nothing begins like this"),
            [only] => {
                let editor = &mut self.model.composer_mut().editor;
                for _ in 0..begun.chars().count() {
                    editor.delete_left();
                }
                editor.insert(&format!("{only} "));
                self.drafts_changed();
            }
            several => self.model.tell(Tone::Plain, several.join("  ")),
        }
    }

    fn join_word(&mut self, argument: &str) -> bool {
        if argument.is_empty() {
            let Some(id) = self.model.shown else {
                self.model
                    .tell(Tone::Bad, "which meeting? /join 1/4 or a part of its title");
                return false;
            };
            if self.model.room().is_some_and(|room| room.wants_in) {
                self.model
                    .tell(Tone::Plain, "you are in this meeting already");
            }
            self.enter_meeting(id);
            return true;
        }
        match self.meeting_named(argument) {
            Ok(id) => {
                self.enter_meeting(id);
                true
            }
            Err(why) => {
                self.model.tell(Tone::Bad, why);
                false
            }
        }
    }

    /// By number, or by a part of the title that only one has; those that run count first.
    fn meeting_named(&self, name: &str) -> Result<InstanceId, String> {
        if let Ok(id) = name.parse::<InstanceId>() {
            let known = self.model.instance(id).map(|instance| instance.id);
            return known.ok_or_else(|| format!("there is no meeting {id} in your list"));
        }
        let lower = name.to_lowercase();
        let entries = self.model.meetings.entries(self.model.now, self.model.zone);
        let named: Vec<_> = entries
            .iter()
            .filter(|entry| entry.instance.title.to_lowercase().contains(&lower))
            .collect();
        let first = named.first().ok_or_else(|| {
            format!(
                "no meeting in your list is called '{}'",
                text::one_line(name)
            )
        })?;
        let same: Vec<_> = named
            .iter()
            .filter(|entry| entry.group == first.group)
            .collect();
        if same.len() > 1 {
            let ids: Vec<String> = same
                .iter()
                .map(|entry| entry.instance.id.to_string())
                .collect();
            return Err(format!(
                "several are called so: /join {}",
                ids.join(", /join ")
            ));
        }
        Ok(first.instance.id)
    }

    fn who(&mut self) -> bool {
        let Some(id) = self.model.shown else {
            self.model.tell(Tone::Bad, "no meeting is open");
            return false;
        };
        let asked = self.ask_or_tell(Request::People(id), Asked::People(id));
        self.page(asked, Page::People(id, None))
    }

    fn messages_of(&mut self, name: &str) -> bool {
        if name.is_empty() {
            self.model.tell(Tone::Bad, "whose messages? /messages NAME");
            return false;
        }
        let Some(instance) = self.model.room().map(|room| room.id) else {
            self.model.tell(Tone::Bad, "join or open a meeting first");
            return false;
        };
        match self.person_named(name) {
            Ok((user, name)) => {
                let request = UserMessages {
                    instance,
                    user,
                    after: None,
                    before: None,
                    limit: MESSAGES_SHOWN,
                };
                let asked = self.ask_or_tell(Request::UserMessages(request), Asked::UserMessages);
                self.page(
                    asked,
                    Page::Messages {
                        instance,
                        name,
                        said: None,
                    },
                )
            }
            Err(why) => {
                self.model.tell(Tone::Bad, why);
                false
            }
        }
    }

    /// By name, a beginning of it, or `me`.
    fn person_named(&self, name: &str) -> Result<(UserId, String), String> {
        let wanted = name.trim_start_matches('@').to_lowercase();
        if let Some(me) = self
            .model
            .me
            .as_ref()
            .filter(|_| wanted == "me" || wanted == "you")
        {
            return Ok((me.id, me.name.clone()));
        }
        let log = self.model.room().and_then(|room| room.log.as_ref());
        let mut people: Vec<(UserId, &str)> = log
            .into_iter()
            .flat_map(plenary_shared::replica::Replica::names)
            .collect();
        people.sort_unstable();
        let exact: Vec<_> = people
            .iter()
            .filter(|(_, n)| n.to_lowercase() == wanted)
            .collect();
        let begun: Vec<_> = people
            .iter()
            .filter(|(_, n)| n.to_lowercase().starts_with(&wanted))
            .collect();
        match (exact.as_slice(), begun.as_slice()) {
            ([(id, name), ..], _) | ([], [(id, name)]) => Ok((*id, (*name).to_owned())),
            ([], []) => Err(format!("nobody here is called '{}'", text::one_line(name))),
            ([], several) => {
                let names: Vec<String> = several.iter().map(|(_, n)| text::one_line(n)).collect();
                Err(format!("who? {}", names.join(", ")))
            }
        }
    }

    fn page(&mut self, asked: bool, page: Page) -> bool {
        if asked {
            self.model.overlay = Some(Overlay::new(page));
        }
        asked
    }
}
