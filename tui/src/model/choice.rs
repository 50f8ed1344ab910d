//! The completions of the word before the cursor, which Tab inserts.

use std::ops::Range;

use crate::command::{Completes, Named, find_named};
use crate::model::Model;
use crate::model::layer::Chat;
use crate::text;

/// The most completions that are offered.
const OFFERS_MAX: usize = 50;

/// The state of a completion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Matches are offered.
    #[default]
    Open,
    /// Nothing is offered until the text changes.
    Closed,
    /// One of the matches is inserted.
    Made {
        choices: Choices,
        /// The index of the inserted one.
        nth: usize,
        /// The typed text that it replaced.
        written: String,
    },
}

/// The completions of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    pub title: &'static str,
    /// The byte range of the text that they replace.
    pub place: Range<usize>,
    /// The matches, best first; at least one.
    pub offers: Vec<Offer>,
}

/// One completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub text: String,
    pub note: String,
}

impl Model {
    /// Returns the completions to show, and the index of the inserted one.
    pub fn choices(&self) -> Option<(Choices, Option<usize>)> {
        let composer = self.composer().filter(|_| self.layers.is_top::<Chat>())?;
        match &composer.choice {
            Choice::Closed => None,
            Choice::Made { choices, nth, .. } => {
                (choices.offers.len() > 1).then(|| (choices.clone(), Some(*nth)))
            }
            Choice::Open => {
                let choices = self.fitting()?;
                // A complete word needs no completion, and a lone @ matches everyone.
                let written = &composer.editor.before()[choices.place.clone()];
                let done = matches!(choices.offers.as_slice(), [only] if only.text == written);
                (!done && written != "@").then_some((choices, None))
            }
        }
    }

    /// Returns the completions of the word before the cursor.
    pub fn fitting(&self) -> Option<Choices> {
        let composer = self.composer()?;
        let before = composer.editor.before();
        // A message being edited is never a command.
        let is_word = !composer.target().is_change() && before.starts_with('/');
        if is_word && !before.starts_with("//") && !before.contains('\n') {
            let Some((word, argument)) = before.split_once(' ') else {
                return words(before);
            };
            return self.arguments(word, argument.trim_start(), before.len());
        }
        let at = before.rfind('@')?;
        let glued = before[..at].chars().next_back();
        let begun = &before[at + 1..];
        if glued.is_some_and(char::is_alphanumeric) || begun.contains('\n') {
            return None;
        }
        self.people(begun, at..before.len(), "@")
    }

    fn arguments(&self, word: &str, begun: &str, end: usize) -> Option<Choices> {
        let place = end - begun.len()..end;
        let Ok(Named::Slash(word)) = find_named(word) else {
            return None;
        };
        match word.completes {
            Completes::Nothing => None,
            Completes::Users => self.people(begun, place, ""),
            Completes::Meetings => {
                let lower = begun.to_lowercase();
                let entries = self.meetings.entries(self.now, self.zone);
                let fits = entries.iter().filter(|entry| {
                    let title = entry.instance.title.to_lowercase();
                    title.contains(&lower) || entry.instance.id.to_string().starts_with(&lower)
                });
                let offers = fits.map(|entry| Offer {
                    text: entry.instance.id.to_string(),
                    note: text::one_line(&entry.instance.title),
                });
                choices("meetings", place, offers)
            }
            Completes::Of(values) => {
                let fits = values.iter().filter(|value| value.starts_with(begun));
                let offers = fits.map(|value| Offer {
                    text: (*value).to_owned(),
                    note: String::new(),
                });
                choices("values", place, offers)
            }
        }
    }

    /// Returns the users whose names match, participants first.
    fn people(&self, begun: &str, place: Range<usize>, mark: &str) -> Option<Choices> {
        let log = self.room()?.log.as_ref()?;
        let begun = begun.to_lowercase();
        let fits = |name: &str| {
            let name = name.to_lowercase();
            name.starts_with(&begun)
                || name
                    .split_whitespace()
                    .any(|part| !begun.is_empty() && part.starts_with(&begun))
        };
        let me = self.my_id();
        let mut people: Vec<(bool, String)> = log
            .names()
            .filter(|(id, name)| fits(name) && (Some(*id) != me || !begun.is_empty()))
            .map(|(id, name)| (!log.is_member(id), text::one_line(name)))
            .collect();
        people.sort();
        people.dedup_by(|one, other| one.1 == other.1);
        let offers = people.into_iter().map(|(gone, name)| Offer {
            text: format!("{mark}{name}"),
            note: if gone { "left" } else { "" }.to_owned(),
        });
        choices("people", place, offers)
    }
}

fn words(begun: &str) -> Option<Choices> {
    let lower = begun.to_lowercase();
    let fits = Named::all().filter(|named| named.name().starts_with(&lower));
    let offers = fits.map(|named| Offer {
        text: named.name(),
        note: match named {
            Named::Slash(word) => format!("{} {}", word.argument, word.help),
            Named::Row(row) => row.help.to_owned(),
        }
        .trim()
        .to_owned(),
    });
    choices("commands", 0..begun.len(), offers)
}

fn choices(
    title: &'static str,
    place: Range<usize>,
    offers: impl Iterator<Item = Offer>,
) -> Option<Choices> {
    let offers: Vec<Offer> = offers.take(OFFERS_MAX).collect();
    (!offers.is_empty()).then_some(Choices {
        title,
        place,
        offers,
    })
}
