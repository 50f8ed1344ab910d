//! The completions of the word before the cursor, which Tab inserts.

use plenary_shared::unicode::fold;
use std::ops::Range;

use crate::command::{Completes, Named, find_named};
use crate::model::Model;
use crate::model::layer::Chat;
use crate::model::meetings::Entry;
use crate::text;

/// The most completions that are offered.
const OFFERS_MAX: usize = 50;

/// The letters of a short code from which on emoji are offered.
const EMOJI_LETTERS_MIN: usize = 2;

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
        if let Some(emoji) = emoji(before) {
            return Some(emoji);
        }
        let at = before.rfind('@')?;
        let glued = before[..at].chars().next_back();
        let begun = &before[at + 1..];
        if glued.is_some_and(char::is_alphanumeric) || begun.contains('\n') {
            return None;
        }
        self.people(begun, at..before.len(), ("@", ""))
    }

    /// Returns the names that the word before the cursor starts, without an `@`. At the start of the
    /// text, a colon follows the name.
    pub fn bare_names(&self) -> Option<Choices> {
        let composer = self.composer()?;
        let before = composer.editor.before();
        if before.starts_with('/') && !composer.target().is_change() {
            return None;
        }
        let blank = before.char_indices().rfind(|(_, c)| c.is_whitespace());
        let start = blank.map_or(0, |(at, c)| at + c.len_utf8());
        let word = &before[start..];
        let suffix = if start == 0 { ":" } else { "" };
        let is_word = word.starts_with(char::is_alphanumeric);
        let people = is_word.then(|| self.people(word, start..before.len(), ("", suffix)));
        people.flatten()
    }

    fn arguments(&self, word: &str, begun: &str, end: usize) -> Option<Choices> {
        let place = end - begun.len()..end;
        let Ok(Named::Slash(word)) = find_named(word) else {
            return None;
        };
        match word.completes {
            Completes::Nothing => None,
            Completes::Users => self.people(begun, place, ("", "")),
            Completes::Meetings => {
                let lower = fold(begun);
                let entries = self.meetings.entries(self.now, self.zone);
                let mut fits: Vec<(u8, &Entry<'_>)> = Vec::new();
                for entry in &entries {
                    let is_id = entry.instance.id.to_string().starts_with(&lower);
                    let rank = rank(&entry.instance.title, &lower);
                    fits.extend(rank.or(is_id.then_some(0)).map(|rank| (rank, entry)));
                }
                // Among equals, the order of the list.
                fits.sort_by_key(|(rank, _)| *rank);
                let offers = fits.into_iter().map(|(_, entry)| Offer {
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

    /// Returns the users whose names match, participants first, with these marks around their names.
    fn people(
        &self,
        begun: &str,
        place: Range<usize>,
        (prefix, suffix): (&str, &str),
    ) -> Option<Choices> {
        let log = self.room()?.log.as_ref()?;
        let begun = fold(begun);
        let me = self.my_id();
        let mut people: Vec<(bool, u8, String)> = log
            .names()
            .filter(|(id, _)| Some(*id) != me || !begun.is_empty())
            .filter_map(|(id, name)| {
                let rank = rank(name, &begun).filter(|rank| *rank <= WORD_RANK)?;
                Some((!log.is_member(id), rank, text::one_line(name)))
            })
            .collect();
        people.sort();
        people.dedup_by(|one, other| one.2 == other.2);
        let offers = people.into_iter().map(|(gone, _, name)| Offer {
            text: format!("{prefix}{name}{suffix}"),
            note: if gone { "left" } else { "" }.to_owned(),
        });
        choices("people", place, offers)
    }
}

/// The rank of a text in which a word starts with what was typed.
const WORD_RANK: u8 = 1;

/// Ranks a text by how it contains what was typed, in lower case: 0 at its start, [`WORD_RANK`] at the
/// start of a word, 2 inside a word. `None`: it does not contain it.
pub fn rank(text: &str, typed: &str) -> Option<u8> {
    let text = fold(text);
    if text.starts_with(typed) {
        return Some(0);
    }
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    if words.any(|word| word.starts_with(typed)) {
        return Some(WORD_RANK);
    }
    text.contains(typed).then_some(2)
}

/// Returns the emoji whose short code, such as `:smile:`, is being written.
fn emoji(before: &str) -> Option<Choices> {
    let colon = before.rfind(':')?;
    let begun = &before[colon + 1..];
    if !starts_word(before, colon) || begun.len() < EMOJI_LETTERS_MIN || !begun.chars().all(is_code)
    {
        return None;
    }
    let mut found: Vec<(u8, &str, &str)> = Vec::new();
    for emoji in emojis::iter() {
        let codes = emoji.shortcodes();
        found.extend(codes.filter_map(|code| Some((rank(code, begun)?, code, emoji.as_str()))));
    }
    found.sort_unstable();
    let offers = found.into_iter().map(|(_, code, emoji)| Offer {
        text: emoji.to_owned(),
        note: format!(":{code}:"),
    });
    choices("emoji", colon..before.len(), offers)
}

/// Returns the short code that ends the text, with the byte offset of its start, and its emoji.
pub fn finished_emoji(before: &str) -> Option<(usize, &'static str)> {
    let code = before.strip_suffix(':')?;
    let colon = code.rfind(':')?;
    let emoji = emojis::get_by_shortcode(&code[colon + 1..])?;
    starts_word(before, colon).then_some((colon, emoji.as_str()))
}

/// Whether nothing but a blank, or nothing at all, stands before this place.
fn starts_word(text: &str, at: usize) -> bool {
    text[..at]
        .chars()
        .next_back()
        .is_none_or(char::is_whitespace)
}

const fn is_code(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '_' | '+' | '-')
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
