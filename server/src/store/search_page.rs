//! One page of search results.
//!
//! An index finds more than what matches, and some queries cannot use one. So a store reads candidates,
//! newest first, and [`SearchPage`] keeps those that match, by the same rule for every store. A page
//! examines a limited number of candidates: it may be shorter than requested, and says where to
//! continue.

use plenary_shared::protocol::{SearchHit, SearchOk};
use plenary_shared::search::{Place, Query, Term};

/// Candidates that are read at once.
const BATCH_ROWS: usize = 500;

/// Candidates that one page examines.
const EXAMINED_MAX: usize = 20_000;

/// Shorter words are not indexed.
const INDEXED_CHARS_MIN: usize = 3;

/// Longer words are not indexed.
const INDEXED_CHARS_MAX: usize = 80;

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

/// Returns the words of a query that are indexed: letters, digits and underscores only.
pub(super) fn indexed_words(query: &Query) -> Vec<&str> {
    query
        .terms
        .iter()
        .filter_map(|term| match term {
            Term::Word(word) => Some(word.as_str()),
            Term::Piece(_) => None,
        })
        .filter(|word| (INDEXED_CHARS_MIN..=INDEXED_CHARS_MAX).contains(&word.chars().count()))
        .collect()
}
