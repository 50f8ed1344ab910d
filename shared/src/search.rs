//! Search queries that users type, and matching of texts.
//!
//! `budget "two words" from:ada in:1/4 after:2026-11-01 before:2026-12-01`
//!
//! Every word matches the start of a word of the text, whatever their case and Unicode form. A quoted
//! phrase, a word with other characters than letters and digits, a word longer than
//! [`WORD_CHARS_MAX`] and a word in a script without spaces between words match anywhere in the text; so
//! words of a text that are longer are only found in whole. Days start at midnight UTC: `after:` includes the day, `before:` excludes it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{InstanceId, MeetingId, Seq, UserId};
use crate::limits::{SEARCH_BYTES_MAX, SEARCH_TERMS_MAX};
use crate::text::email_key;
use crate::time::Timestamp;
use crate::unicode::fold;

/// Longer words of a text are not found by their start, in characters: MySQL does not index words above 84,
/// and they are hashes and keys rather than words.
pub const WORD_CHARS_MAX: usize = 80;

/// A search query with at least one term or filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The terms; all must match.
    pub terms: Vec<Term>,
    /// The sender, case-folded: a userID, an email address, the start of a name, or `me`.
    pub from: Option<String>,
    /// The meeting or instance.
    pub within: Option<Within>,
    /// The earliest time.
    pub after: Option<Timestamp>,
    /// The time after the latest.
    pub before: Option<Timestamp>,
}

/// A term that a text must match, case-folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// The start of a word.
    Word(String),
    /// A text anywhere.
    Piece(String),
}

/// The scope of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// All instances of a meeting.
    Meeting(MeetingId),
    /// One instance.
    Instance(InstanceId),
}

/// Why a search query is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The query is empty.
    #[error("The search is empty.")]
    Empty,
    /// The query is too long.
    #[error("The search is longer than {SEARCH_BYTES_MAX} bytes.")]
    TooLong,
    /// The query has too many words.
    #[error("The search has more than {SEARCH_TERMS_MAX} words.")]
    TooMany,
    /// The value of a filter is invalid.
    #[error("In the search, {filter}: must be {what}.")]
    Filter {
        /// The filter.
        filter: &'static str,
        /// The required value.
        what: &'static str,
    },
    /// A filter is repeated.
    #[error("In the search, {0}: is repeated.")]
    Twice(&'static str),
}

impl Query {
    /// Parses a query. Errors: an empty or too long query, and an invalid or repeated filter.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        if text.len() > SEARCH_BYTES_MAX {
            return Err(QueryError::TooLong);
        }
        let mut query = Self::default();
        for part in parts(text) {
            match part.filter {
                Some("from") => set(&mut query.from, "from", fold(&part.text))?,
                Some("in") => set(&mut query.within, "in", within(&part.text)?)?,
                Some("after") => set(&mut query.after, "after", day("after", &part.text)?)?,
                Some("before") => set(&mut query.before, "before", day("before", &part.text)?)?,
                Some(_) | None => query.terms.extend(term(&part)),
            }
        }
        if query.terms.len() > SEARCH_TERMS_MAX {
            return Err(QueryError::TooMany);
        }
        if query == Self::default() {
            return Err(QueryError::Empty);
        }
        Ok(query)
    }

    /// Whether the terms match a text. Ignores the filters.
    pub fn finds(&self, body: &str) -> bool {
        let body = fold(body);
        self.terms.iter().all(|term| match term {
            Term::Word(word) => words(&body).any(|one| one.starts_with(word.as_str())),
            Term::Piece(piece) => body.contains(piece.as_str()),
        })
    }

    /// Whether `from:` names this user, by id, address or the start of the name. True without this filter.
    /// `me` is up to the caller.
    pub fn is_from(&self, id: UserId, name: &str, email: &str) -> bool {
        self.from.as_ref().is_none_or(|from| {
            from.parse() == Ok(id)
                || fold(name).starts_with(from)
                || fold(&email_key(email)) == *from
        })
    }
}

/// Returns the words of a text: sequences of letters, digits and underscores.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_of_word(c))
        .filter(|word| !word.is_empty() && is_short(word))
}

fn is_short(word: &str) -> bool {
    word.len() <= WORD_CHARS_MAX || word.chars().count() <= WORD_CHARS_MAX
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a letter belongs to a script that separates words by spaces in all indexes: Latin, Greek,
/// Cyrillic.
fn is_spaced(c: char) -> bool {
    is_of_word(c) && c < '\u{0530}'
}

struct Part<'a> {
    /// The name of the filter before the colon.
    filter: Option<&'a str>,
    text: String,
    quoted: bool,
}

/// Splits a query into words, filters and quotations. An unclosed quotation extends to the end.
fn parts(text: &str) -> Vec<Part<'_>> {
    const FILTERS: &[&str] = &["from", "in", "after", "before"];
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let filter = FILTERS.iter().find_map(|name| {
            let value = rest.strip_prefix(name)?.strip_prefix(':')?;
            let has_value = !value.is_empty() && !value.starts_with(char::is_whitespace);
            has_value.then_some((*name, value))
        });
        let (name, value) = filter.map_or((None, rest), |(name, value)| (Some(name), value));
        let quotation = value.strip_prefix('"');
        let (text, after) = if let Some(quotation) = quotation {
            quotation.split_once('"').unwrap_or((quotation, ""))
        } else {
            let end = value.find(char::is_whitespace).unwrap_or(value.len());
            value.split_at(end)
        };
        parts.push(Part {
            filter: name,
            text: text.to_owned(),
            quoted: quotation.is_some(),
        });
        rest = after.trim_start();
    }
    parts
}

fn term(part: &Part<'_>) -> Option<Term> {
    let text = fold(&part.text);
    if text.trim().is_empty() {
        return None;
    }
    Some(
        if !part.quoted && is_short(&text) && text.chars().all(is_spaced) {
            Term::Word(text)
        } else {
            Term::Piece(text)
        },
    )
}

fn set<T>(field: &mut Option<T>, filter: &'static str, value: T) -> Result<(), QueryError> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(QueryError::Twice(filter)),
    }
}

fn within(text: &str) -> Result<Within, QueryError> {
    let instance = text.parse().map(Within::Instance).ok();
    instance
        .or_else(|| text.parse().map(Within::Meeting).ok())
        .ok_or(QueryError::Filter {
            filter: "in",
            what: "a meeting like 1, or one of its instances like 1/4",
        })
}

fn day(filter: &'static str, text: &str) -> Result<Timestamp, QueryError> {
    let is_date = text.len() == 10 && text.is_ascii();
    is_date
        .then(|| format!("{text}T00:00:00Z").parse().ok())
        .flatten()
        .ok_or(QueryError::Filter {
            filter,
            what: "a day like 2026-11-22",
        })
}

/// Where the next page of a search starts: below this message, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When the message was posted.
    pub timestamp: Timestamp,
    /// The instance.
    pub instance: InstanceId,
    /// The seq of the message.
    pub seq: Seq,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (meeting, order) = (self.instance.meeting, self.instance.order);
        write!(
            f,
            "{}.{meeting}.{order}.{}",
            self.timestamp.as_ms(),
            self.seq
        )
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let read = || {
            let mut numbers = text.split('.');
            let timestamp = numbers.next()?.parse().ok()?;
            let meeting = numbers.next()?.parse().ok()?;
            let order = numbers.next()?.parse().ok()?;
            let seq = numbers.next()?.parse().ok()?;
            numbers.next().is_none().then_some(Self {
                timestamp: Timestamp::from_ms(timestamp),
                instance: InstanceId::new(meeting, order),
                seq,
            })
        };
        // The years of RFC 3339.
        read()
            .filter(|place| (0..=253_402_300_799_999).contains(&place.timestamp.as_ms()))
            .ok_or(NoPlace)
    }
}

/// A text that is not a [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the next of the previous page")]
pub struct NoPlace;

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("budget", "the Budget of 2026", true)]
    #[case("budg", "the budget", true)]
    #[case("udget", "the budget", false)]
    #[case("BUDGET 2026", "budget for 2026", true)]
    #[case("budget 2027", "budget for 2026", false)]
    #[case("\"get for\"", "budget for 2026", true)]
    #[case("bar", "foo_bar", false)]
    #[case("foo_b", "foo_bar", true)]
    #[case("über", "Übermorgen", true)]
    #[case("e\u{301}", "e\u{301}tude", true)]
    #[case("Zürich", "Zu\u{308}rich", true)]
    #[case("zu\u{308}rich", "ZÜRICH", true)]
    #[case("strasse", "die Straße", true)]
    #[case("GROẞ", "grosse", true)]
    #[case("i\u{307}stanbul", "İstanbul", true)]
    #[case("ΟΔΥΣΣΕΥΣ", "Οδυσσευς", true)]
    #[case("한", "\u{1112}\u{1161}\u{11ab}글", true)]
    #[case("日本", "これは日本語です", true)]
    #[case("🦀", "crab 🦀!", true)]
    #[case("🦀", "crab 🐙!", false)]
    #[case("c++", "C++ and Rust", true)]
    #[case("100%", "100 percent", false)]
    #[case("a_b", "axb", false)]
    #[case("\" OR 1=1 --", "x OR 1=1 -- y", true)]
    #[case("NEAR( *", "near(ly) * all", true)]
    fn what_is_found(#[case] query: &str, #[case] body: &str, #[case] found: bool) {
        let query = Query::parse(query).expect("a search");
        assert_eq!(query.finds(body), found, "{query:?}");
    }

    #[test]
    fn long_words_are_found_in_whole() {
        let word = "x".repeat(100);
        let finds = |query: &str| Query::parse(query).expect("a search").finds(&word);
        assert!(finds(&word) && finds("\"xx\""));
        assert!(!finds("xx"));
    }

    #[rstest]
    #[case("from:\"Ελένη\"", true)]
    #[case("from:ΕΛΈ", true)]
    #[case("from:ελένη@example.org", true)]
    #[case("from:7", true)]
    #[case("from:λένη", false)]
    #[case("from:8", false)]
    fn sender_is_found_by_id_name_or_address(#[case] query: &str, #[case] found: bool) {
        let query = Query::parse(query).expect("a search");
        let id = UserId::new(7).expect("small");
        assert_eq!(query.is_from(id, "Ελένη Π.", "ΕΛΈΝΗ@example.org"), found);
    }

    #[test]
    fn filters_are_read() {
        let text = "plan from:\"Ada Lovelace\" in:1/4 after:2026-11-01 before:2026-12-01 x:y";
        let query = Query::parse(text).expect("a search");
        let time = |text: &str| Some(text.parse().expect("a time"));
        let expected = Query {
            terms: vec![Term::Word("plan".into()), Term::Piece("x:y".into())],
            from: Some("ada lovelace".into()),
            within: Some(Within::Instance("1/4".parse().expect("an instance"))),
            after: time("2026-11-01T00:00:00Z"),
            before: time("2026-12-01T00:00:00Z"),
        };
        assert_eq!(query, expected);
        let query = Query::parse("in:7").expect("a search");
        assert!(matches!(query.within, Some(Within::Meeting(id)) if id.get() == 7));
        assert!(query.finds("anything"));
        // A filter's name alone is a word.
        let query = Query::parse("from: me").expect("a search");
        let terms = [Term::Piece("from:".into()), Term::Word("me".into())];
        assert_eq!((query.terms, query.from), (terms.to_vec(), None));
    }

    #[rstest]
    #[case("", "empty")]
    #[case(" \t ", "empty")]
    #[case("\"\"", "empty")]
    #[case("in:here", "like 1/4")]
    #[case("in:-1", "like 1/4")]
    #[case("after:yesterday", "like 2026-11-22")]
    #[case("before:2026-13-01", "like 2026-11-22")]
    #[case("before:2026-11-2\u{661}", "like 2026-11-22")]
    #[case("from:a from:b", "repeated")]
    #[case("a b c d e f g h i", "more than 8 words")]
    fn invalid_query_is_rejected(#[case] text: &str, #[case] part: &str) {
        let error = Query::parse(text).expect_err("no search").to_string();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn a_search_has_at_most_512_bytes() {
        assert!(Query::parse(&"x".repeat(512)).is_ok());
        assert_eq!(Query::parse(&"x".repeat(513)), Err(QueryError::TooLong));
    }

    #[test]
    fn places_are_read_back() {
        let place = Place {
            timestamp: Timestamp::from_ms(1_700_000_000_123),
            instance: "1/4".parse().expect("an instance"),
            seq: Seq::new(9).expect("small"),
        };
        assert_eq!(place.to_string(), "1700000000123.1.4.9");
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "-1.1.1.1",
            "x.1.1.1",
            "9e9.1.1.1",
            "1.-1.1.1",
        ] {
            assert_eq!(text.parse::<Place>(), Err(NoPlace), "{text}");
        }
    }
}
