//! What a name or a word before the cursor can become: offered while it is written, chosen by Tab.

use std::ops::Range;

use crate::command::{Completes, Named, find_named};
use crate::model::Model;
use crate::model::layer::Chat;
use crate::text;

/// What is offered at once; whoever looks for more writes one more letter.
const OFFERS_MAX: usize = 50;

/// How far a choice is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// What fits is offered.
    #[default]
    Open,
    /// Nothing is offered until something else is written.
    Closed,
    /// One of those is in the text.
    Made {
        /// What was offered.
        choices: Choices,
        /// Which of them.
        nth: usize,
        /// What was written.
        written: String,
    },
}

/// What is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// What they are.
    pub title: &'static str,
    /// Where in the text they go, in bytes.
    pub place: Range<usize>,
    /// Those that fit, the likeliest first; never none.
    pub offers: Vec<Offer>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What comes into the text.
    pub text: String,
    /// What is said beside it.
    pub note: String,
}

impl Model {
    /// What is offered now, and which of it is in the text.
    pub fn choices(&self) -> Option<(Choices, Option<usize>)> {
        let composer = self.composer().filter(|_| self.layers.is_top::<Chat>())?;
        match &composer.choice {
            Choice::Closed => None,
            Choice::Made { choices, nth, .. } => {
                (choices.offers.len() > 1).then(|| (choices.clone(), Some(*nth)))
            }
            Choice::Open => {
                let choices = self.fitting()?;
                // What is written out needs no help, and a lone @ may be anything.
                let written = &composer.editor.before()[choices.place.clone()];
                let done = matches!(choices.offers.as_slice(), [only] if only.text == written);
                (!done && written != "@").then_some((choices, None))
            }
        }
    }

    /// Whatever fits to what stands before the cursor.
    pub fn fitting(&self) -> Option<Choices> {
        let composer = self.composer()?;
        let before = composer.editor.before();
        // A message that is being changed is no word.
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
                choices("one of these", place, offers)
            }
        }
    }

    /// Those who are here first, then those who were.
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
            note: if gone { "not here" } else { "" }.to_owned(),
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
