//! Slash commands: `/join`, `/leave`, `/who` and the others.

use std::path::Path;

use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::{UserMessages, Verb as Request};
use plenary_shared::unicode::fold;

use super::Step;
use crate::command::{ChatCommand, Command, Named, Row, Verb, find_named};
use crate::effect::Effect;
use crate::export::Format;
use crate::keymap::Bound;
use crate::model::Asked;
use crate::model::choice::rank;
use crate::model::layer::page::PageContent;
use crate::text;
use crate::theme::Tone;

/// The most messages of a user that a page shows.
const MESSAGES_SHOWN: usize = 500;

impl Step<'_> {
    /// Runs the slash command in the input. One that fails stays in the input.
    pub(super) fn word(&mut self, line: &str) {
        // The command may show another meeting.
        let at = self.model.shown;
        if self.run_slash(line) {
            self.clear_command(at);
        }
    }

    /// Runs a line that begins with `/`. False when it fails.
    pub(crate) fn run_slash(&mut self, line: &str) -> bool {
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let argument = argument.trim();
        match find_named(name) {
            Ok(named) if named.argument().is_empty() && !argument.is_empty() => {
                let text = format!("{} takes no argument", named.name());
                self.model.tell(Tone::Bad, text);
                false
            }
            Ok(Named::Slash(command)) => self.obey_word(command.verb, argument),
            Ok(Named::Row(row)) => self.obey_row(row, argument),
            Err(nearest) => {
                let name = text::one_line(name);
                let text = format!("No command {name}; did you mean {nearest}? (//x sends /x)");
                self.model.tell(Tone::Bad, text);
                false
            }
        }
    }

    fn obey_word(&mut self, verb: Verb, argument: &str) -> bool {
        match verb {
            Verb::Join => return self.join_word(argument),
            Verb::Leave => self.leave(),
            Verb::Who => return self.who(),
            Verb::Messages => return self.messages_of(argument),
            Verb::Joins => {
                let asked = self.ask_or_tell(Request::JoinTimes {}, Asked::JoinTimes);
                return self.page(asked, PageContent::JoinTimes(None));
            }
            Verb::Me => return self.act(argument),
            Verb::Urls => return self.page(true, PageContent::Urls),
            Verb::Config => return self.page(true, PageContent::ConfigErrors),
            Verb::Retry => self.retry(),
            Verb::Outbox => return self.page(true, PageContent::Outbox),
            Verb::Recall => {
                // The restored text replaces the command in the input.
                self.recall();
                return false;
            }
            Verb::Export => return self.export(argument),
            Verb::Notify => return self.notify(argument),
            Verb::Mute => return self.mute(),
            Verb::Dnd => self.toggle_dnd(),
            Verb::Read if !matches!(argument, "" | "all") => {
                self.model.tell(Tone::Bad, "Usage: /read, or /read all");
                return false;
            }
            Verb::Read => self.read(argument),
            Verb::Reply => return self.reply_command(argument),
            Verb::Edit => return self.edit_command(),
            Verb::Delete => return self.delete_command(),
            Verb::Password => self.open_password(),
            Verb::Sessions => self.open_sessions(),
            Verb::Reconnect => self.out.push(Effect::Reconnect),
        }
        true
    }

    /// Runs the command of a key by its name; a number selects one of its keys.
    fn obey_row(&mut self, row: &'static Row, argument: &str) -> bool {
        if row.command == Command::Chat(ChatCommand::Search) {
            self.open_search(argument);
            return true;
        }
        let takes_number = !Named::Row(row).argument().is_empty();
        let number = argument.parse::<usize>().ok().filter(|number| *number > 0);
        if takes_number && number.is_none() {
            let text = format!("Usage: /{} NUMBER", row.name);
            self.model.tell(Tone::Bad, text);
            return false;
        }
        let nth = number.unwrap_or(1) - 1;
        // The input stays as it is, as with the key.
        let command = row.command;
        self.command(Bound { command, nth });
        true
    }

    /// `/me`: posts what the user is doing. The body keeps the command, as XEP-0245 has it, and clients
    /// show it as an action.
    fn act(&mut self, argument: &str) -> bool {
        if argument.is_empty() {
            self.model.tell(Tone::Bad, "Usage: /me TEXT");
        } else {
            self.post(&format!("/me {argument}"));
        }
        // The input is cleared when the message is in the outbox.
        false
    }

    fn join_word(&mut self, argument: &str) -> bool {
        if argument.is_empty() {
            let Some(id) = self.model.shown else {
                self.model
                    .tell(Tone::Bad, "Usage: /join 1/4, or /join and part of a title");
                return false;
            };
            if self.model.room().is_some_and(|room| room.wants_to_join) {
                self.model
                    .tell(Tone::Plain, "You are already in this meeting");
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

    /// Returns the meeting of this number, or of this unique part of a title; running ones first.
    fn meeting_named(&self, name: &str) -> Result<InstanceId, String> {
        if let Ok(id) = name.parse::<InstanceId>() {
            // A meeting that is not in the list may have ended long ago.
            return Ok(id);
        }
        let lower = fold(name);
        let entries = self.model.meetings.entries(self.model.now, self.model.zone);
        let ranks = entries
            .iter()
            .map(|entry| rank(&entry.instance.title, &lower));
        let best = ranks.flatten().min();
        let mut named = entries
            .iter()
            .filter(|entry| best.is_some() && rank(&entry.instance.title, &lower) == best);
        let first = named
            .next()
            .ok_or_else(|| format!("No meeting matches '{}'", text::one_line(name)))?;
        let others = named.filter(|entry| entry.group == first.group);
        let same: Vec<_> = [first].into_iter().chain(others).collect();
        if same.len() > 1 {
            let ids: Vec<String> = same
                .iter()
                .map(|entry| entry.instance.id.to_string())
                .collect();
            return Err(format!("Ambiguous: /join {}", ids.join(", /join ")));
        }
        Ok(first.instance.id)
    }

    /// Exports the meeting to the given file, or to a file named after the meeting.
    fn export(&mut self, argument: &str) -> bool {
        let (Some(instance), Some(token)) = (self.model.shown, self.model.session.token.clone())
        else {
            self.model.tell(Tone::Bad, "No meeting open");
            return false;
        };
        let (first, rest) = argument.split_once(' ').unwrap_or((argument, ""));
        let (format, file) = match Format::of_extension(first) {
            Some(format) => (Ok(format), rest.trim()),
            // One word without a dot or a slash is meant as a format.
            None if rest.is_empty() && !first.is_empty() && !first.contains(['.', '/']) => (
                Err(format!(
                    "Unknown format: '{first}'. Use md, json, csv or txt"
                )),
                argument,
            ),
            None => (Format::of_file(Path::new(argument)), argument),
        };
        let format = match format {
            Ok(format) => format,
            Err(error) => {
                self.model.tell(Tone::Bad, error);
                return false;
            }
        };
        let file = (!file.is_empty()).then(|| file.to_owned());
        let title = self.title_of(instance);
        let text = format!("Exporting {title} {instance}");
        self.model.tell(Tone::Plain, text);
        self.model.exports += 1;
        self.out.push(Effect::Export {
            token,
            instance,
            format,
            file,
        });
        true
    }

    /// The export succeeded or failed.
    pub(super) fn exported(&mut self, said: Result<String, String>) {
        self.model.exports = self.model.exports.saturating_sub(1);
        match said {
            Ok(said) => self.model.tell(Tone::Plain, said),
            Err(why) => self.model.tell(Tone::Bad, why),
        }
    }

    fn who(&mut self) -> bool {
        let Some(id) = self.model.shown else {
            self.model.tell(Tone::Bad, "No meeting open");
            return false;
        };
        let asked = self.ask_or_tell(Request::Participants(id), Asked::People(id));
        self.page(asked, PageContent::People(id, None))
    }

    fn messages_of(&mut self, name: &str) -> bool {
        if name.is_empty() {
            self.model.tell(Tone::Bad, "Usage: /messages NAME");
            return false;
        }
        let Some(instance) = self.model.room().map(|room| room.id) else {
            self.model.tell(Tone::Bad, "Open a meeting first");
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
                    PageContent::Messages {
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

    /// Returns the user of this name, of this start of a name, or `me`.
    pub(super) fn person_named(&self, name: &str) -> Result<(UserId, String), String> {
        let wanted = fold(name.trim_start_matches('@'));
        if let Some(me) = self
            .model
            .session
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
        let exact: Vec<_> = people.iter().filter(|(_, n)| fold(n) == wanted).collect();
        let begun: Vec<_> = people
            .iter()
            .filter(|(_, n)| fold(n).starts_with(&wanted))
            .collect();
        match (exact.as_slice(), begun.as_slice()) {
            ([(id, name), ..], _) | ([], [(id, name)]) => Ok((*id, (*name).to_owned())),
            ([], []) => Err(format!("No participant matches '{}'", text::one_line(name))),
            ([], several) => {
                let names: Vec<String> = several.iter().map(|(_, n)| text::one_line(n)).collect();
                Err(format!("Ambiguous: {}", names.join(", ")))
            }
        }
    }

    fn page(&mut self, asked: bool, page: PageContent) -> bool {
        if asked {
            self.open_page(page);
        }
        asked
    }
}
