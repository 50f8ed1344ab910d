//! The finder: a meeting, a participant or a command by a few letters of its name.

mod update;
pub mod view;

use std::collections::BTreeSet;

use neo_frizbee::{Config, Matcher, Pattern, PatternConfig};
use plenary_shared::ids::InstanceId;

use crate::command::{KEYS, Row, SLASH_COMMANDS, SlashCommand};
use crate::model::Model;
use crate::model::editor::{Editor, KillRing};
use crate::text;

/// What the finder searches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FinderKind {
    /// Meetings, participants and commands.
    #[default]
    All,
    /// The messages that the user sent in the shown meeting.
    History,
}

/// The state of the finder.
#[derive(Clone, Debug, Default)]
pub struct Finder {
    /// What it searches.
    pub kind: FinderKind,
    pub query: Editor,
    /// The texts that were cut from it.
    pub ring: KillRing,
    /// The index of the selected match.
    pub selected: usize,
}

/// What a match leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Meeting(InstanceId),
    /// A user of the shown meeting, to mention them.
    Person(String),
    /// A slash command, to run or complete it.
    Slash(&'static SlashCommand),
    /// A command that has a key, to run it.
    Row(&'static Row),
    /// A sent message, to write it again.
    Sent(String),
}

/// A match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub found: Found,
    pub name: String,
    pub note: String,
}

impl Finder {
    /// Returns the matches, best first. `@` finds only users, `/` only commands; several words
    /// must all match.
    pub fn hits(&self, model: &Model) -> Vec<Hit> {
        let query = self.query.text().trim_start();
        if self.kind == FinderKind::History {
            return sent(model, query);
        }
        let (hits, query) = match query.chars().next() {
            Some('@') => (people(model), &query[1..]),
            Some('/') => (commands(model), &query[1..]),
            Some(_) | None => {
                let all = [meetings(model), people(model), commands(model)];
                (all.concat(), query)
            }
        };
        // The list has recent and coming meetings. Any other is found by its number.
        if let Ok(id) = query.trim().parse::<InstanceId>()
            && model.instance(id).is_none()
        {
            return vec![Hit {
                found: Found::Meeting(id),
                name: format!("meeting {id}"),
                note: "Not in the list; open it".to_owned(),
            }];
        }
        let words: Vec<&str> = query.split_whitespace().collect();
        if words.is_empty() {
            return hits;
        }
        let names: Vec<String> = hits.iter().map(Hit::searched).collect();
        let pattern = |word: &&str| Pattern::new(word, PatternConfig::default());
        let patterns: Vec<Pattern> = words.iter().map(pattern).collect();
        let mut matcher = Matcher::from_patterns(&patterns, &Config::default());
        let mut found = matcher.match_list(&names);
        found.sort_by_key(|one| (std::cmp::Reverse(one.score), one.index));
        let likely = found
            .iter()
            .filter_map(|one| usize::try_from(one.index).ok());
        let likely: Vec<usize> = likely.collect();
        // Commands whose help contains the words come after those whose name matches.
        let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let says = |hit: &Hit| {
            let note = hit.note.to_lowercase();
            matches!(hit.found, Found::Slash(_) | Found::Row(_))
                && lower.iter().all(|word| note.contains(word))
        };
        let noted = (0..hits.len()).filter(|at| !likely.contains(at) && says(&hits[*at]));
        let all: Vec<usize> = likely.iter().copied().chain(noted).collect();
        all.into_iter()
            .filter_map(|at| hits.get(at).cloned())
            .collect()
    }
}

impl Hit {
    /// Returns the text that the letters are matched with.
    fn searched(&self) -> String {
        match self.found {
            Found::Meeting(id) => format!("{} {id}", self.name),
            Found::Person(_) | Found::Slash(_) | Found::Row(_) | Found::Sent(_) => {
                self.name.clone()
            }
        }
    }
}

/// The sent messages that contain all words, newest first, each once.
fn sent(model: &Model, query: &str) -> Vec<Hit> {
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let mut seen = BTreeSet::new();
    let texts = model.inputs.history.of(model.shown).iter().rev();
    let texts = texts.filter(|text| {
        let lower = text.to_lowercase();
        words.iter().all(|word| lower.contains(word)) && seen.insert(*text)
    });
    let hits = texts.map(|text| Hit {
        name: text::one_line(text),
        note: String::new(),
        found: Found::Sent(text.clone()),
    });
    hits.collect()
}

fn meetings(model: &Model) -> Vec<Hit> {
    let entries = model.meetings.entries(model.now, model.zone);
    let hits = entries.iter().map(|entry| Hit {
        found: Found::Meeting(entry.instance.id),
        name: text::one_line(&entry.instance.title),
        note: format!(
            "{}  {}",
            entry.instance.id,
            entry.group.title().to_lowercase()
        ),
    });
    hits.collect()
}

fn people(model: &Model) -> Vec<Hit> {
    let me = model.my_id();
    let log = model.room().and_then(|room| room.log.as_ref());
    let mut hits: Vec<(bool, Hit)> = log
        .into_iter()
        .flat_map(|log| log.names().map(move |(id, name)| (log, id, name)))
        .filter(|(_, id, _)| Some(*id) != me)
        .map(|(log, id, name)| {
            let name = text::one_line(name);
            let here = log.is_member(id);
            let hit = Hit {
                name: format!("@{name}"),
                found: Found::Person(name),
                note: if here { "here" } else { "left" }.to_owned(),
            };
            (!here, hit)
        })
        .collect();
    hits.sort_by(|(gone, one), (other_gone, other)| {
        (gone, &one.name).cmp(&(other_gone, &other.name))
    });
    hits.into_iter().map(|(_, hit)| hit).collect()
}

fn commands(model: &Model) -> Vec<Hit> {
    let words = SLASH_COMMANDS.iter().map(|word| Hit {
        found: Found::Slash(word),
        name: format!("{} {}", word.name, word.argument)
            .trim_end()
            .to_owned(),
        note: word.help.to_owned(),
    });
    let rows = KEYS.iter().filter(|row| row.is_slash_command()).map(|row| {
        let key = model.key_in(row.context, row.command);
        Hit {
            found: Found::Row(row),
            name: format!("/{}", row.name),
            note: format!("{key}  {}", row.help).trim_start().to_owned(),
        }
    });
    words.chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::Fixture;
    use rstest::rstest;

    #[rstest]
    #[case("inc", &["Incident 4471"])]
    #[case("44/1", &["Incident 4471"])]
    #[case("revw bud", &["Budget review"])]
    #[case("@mrg", &["@margaret"])]
    #[case("/joins", &["/joins"])]
    #[case("tell the server zzz", &[])]
    fn what_is_found_first(#[case] query: &str, #[case] expected: &[&str]) {
        let fixture = Fixture::talking(120, 36);
        let find = Finder {
            query: Editor::new(query),
            ..Finder::default()
        };
        let hits = find.hits(&fixture.model);
        let names: Vec<&str> = hits.iter().map(|hit| hit.name.as_str()).collect();
        assert!(names.starts_with(expected), "{names:?}");
        assert!(!expected.is_empty() || names.is_empty(), "{names:?}");
    }

    #[test]
    fn commands_are_found_by_what_they_do() {
        let fixture = Fixture::talking(120, 36);
        let find = Finder {
            query: Editor::new("reconnect now"),
            ..Finder::default()
        };
        let hits = find.hits(&fixture.model);
        assert!(hits.iter().any(|hit| hit.name == "/reconnect"), "{hits:?}");
    }
}
