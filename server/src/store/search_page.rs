//! One page of search results.
//!
//! An index finds more than what matches, and some queries cannot use one. So a store reads candidates,
//! newest first, and [`SearchPage`] keeps those that match, by the same rule for every store. A page
//! examines a limited number of candidates: it may be shorter than requested, and says where to
//! continue.

use std::sync::LazyLock;

use plenary_shared::protocol::{SearchHit, SearchOk};
use plenary_shared::search::{Place, Query, Term};
use plenary_shared::unicode::fold;

/// Candidates that are read at once.
const BATCH_ROWS: usize = 500;

/// Candidates that one page examines.
const EXAMINED_MAX: usize = 20_000;

/// Shorter words match too much for an index to help.
const INDEXED_CHARS_MIN: usize = 3;

/// Spellings of one word that the index is asked for. A word with more is not.
const SPELLINGS_MAX: usize = 64;

/// Characters that full case folding turns into several, and these: `ß` and `ss`. An index folds only
/// single characters.
static EXPANDING: LazyLock<Vec<(char, String)>> = LazyLock::new(|| {
    let folded = |c: char| (c, fold(&c.to_string()));
    ('\u{80}'..='\u{ffff}')
        .map(folded)
        .filter(|(_, folded)| {
            // Capitals too: MySQL does not know that `ß` is the small `ẞ`.
            folded.chars().count() > 1 && folded.chars().all(char::is_alphanumeric)
        })
        .collect()
});

/// A page that is being filled.
pub(super) struct SearchPage<'a> {
    query: &'a Query,
    limit: usize,
    found: Vec<SearchHit>,
    examined: usize,
    /// Where the next candidates begin.
    next: Option<Place>,
    is_done: bool,
}

impl<'a> SearchPage<'a> {
    pub(super) fn new(query: &'a Query, from: Option<Place>, limit: usize) -> Self {
        Self {
            query,
            limit,
            found: Vec::new(),
            examined: 0,
            next: from,
            is_done: false,
        }
    }

    /// The page of a search that cannot find anything.
    pub(super) const fn none() -> SearchOk {
        SearchOk {
            hits: Vec::new(),
            next: None,
        }
    }

    /// Returns below which place the next candidates are needed, and how many; `None`: the page is done.
    pub(super) fn next_batch(&self) -> Option<(Option<Place>, usize)> {
        (!self.is_done).then_some((self.next, BATCH_ROWS))
    }

    /// Examines the requested candidates. `rows`: how many rows they were decoded from.
    pub(super) fn examine(&mut self, candidates: Vec<SearchHit>, rows: usize) {
        for candidate in candidates {
            self.examined += 1;
            self.next = Some(Place {
                timestamp: candidate.message.timestamp,
                instance: candidate.instance,
                seq: candidate.message.seq,
            });
            if self.query.finds(candidate.message.body.as_str()) {
                self.found.push(candidate);
                if self.found.len() == self.limit {
                    self.is_done = true;
                    return;
                }
            }
        }
        if rows < BATCH_ROWS {
            self.next = None;
            self.is_done = true;
        }
        self.is_done |= self.examined >= EXAMINED_MAX;
    }

    pub(super) fn into_page(self) -> SearchOk {
        SearchOk {
            hits: self.found,
            next: self.next,
        }
    }
}

/// The spellings of a word that an index may hold.
pub(super) type Spellings = Vec<String>;

/// Returns the words of a query that an index can find, each in all its spellings: letters, digits and
/// underscores only. `chars_min`: the index may lack shorter words.
pub(super) fn indexed_words(query: &Query, chars_min: usize) -> Vec<Spellings> {
    let chars_min = chars_min.max(INDEXED_CHARS_MIN);
    let is_indexed = |word: &String| word.chars().count() >= chars_min;
    query
        .terms
        .iter()
        .filter_map(|term| match term {
            Term::Word(word) => Some(spellings(word)),
            Term::Piece(_) => None,
        })
        .filter(|found| found.len() <= SPELLINGS_MAX && found.iter().all(is_indexed))
        .collect()
}

/// The spellings of the start of a word whose case folding is `word`: `strass` may be `straß`.
fn spellings(word: &str) -> Spellings {
    // Spellings up to each byte of the word.
    let mut upto: Vec<Spellings> = vec![vec![]; word.len() + 1];
    upto[0].push(String::new());
    for (at, c) in word.char_indices() {
        let begun = upto[at].clone();
        let rest = &word[at..];
        let mut spell = |spelled: char, bytes: usize| {
            let next = begun.iter().map(|start| format!("{start}{spelled}"));
            upto[at + bytes].extend(next.take(SPELLINGS_MAX + 1));
        };
        spell(c, c.len_utf8());
        for (spelled, folded) in EXPANDING.iter() {
            if rest.starts_with(folded.as_str()) {
                spell(*spelled, folded.len());
            } else if folded.starts_with(rest) {
                spell(*spelled, rest.len());
            }
        }
    }
    upto.pop().unwrap_or_default()
}

/// Characters with which a name may start whose case folding starts with this text.
pub(super) fn first_characters(folded: &str) -> Vec<String> {
    let first = folded.chars().next().into_iter();
    let expanding = EXPANDING
        .iter()
        .filter(|(_, from)| folded.starts_with(from.as_str()) || from.starts_with(folded));
    let all = first.chain(expanding.map(|(c, _)| *c));
    all.map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("budget", &["budget"])]
    #[case("strasse", &["strasse", "\u{fb05}rasse", "\u{fb06}rasse", "straße", "\u{fb05}raße", "\u{fb06}raße", "straẞe", "\u{fb05}raẞe", "\u{fb06}raẞe"])]
    #[case("gros", &["gros", "groß", "groẞ", "gro\u{fb05}", "gro\u{fb06}"])]
    #[case("off", &["off", "oﬀ", "oﬃ", "oﬄ", "ofﬀ", "ofﬁ", "ofﬂ", "ofﬃ", "ofﬄ"])]
    fn index_is_asked_for_every_spelling(#[case] word: &str, #[case] expected: &[&str]) {
        let mut found = spellings(word);
        let mut expected = expected.to_vec();
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case("budget", 3, 1)]
    #[case("budget", 7, 0)]
    #[case("gross", 5, 0)]
    #[case("bu", 1, 0)]
    #[case("\"budget\"", 1, 0)]
    #[case("assessstssssffssffssffssff", 3, 0)]
    fn words_that_an_index_may_lack_are_not_looked_up(
        #[case] text: &str,
        #[case] chars_min: usize,
        #[case] count: usize,
    ) {
        let query = Query::parse(text).expect("a search");
        assert_eq!(indexed_words(&query, chars_min).len(), count);
    }
}
