//! A search's page: candidates come newest first from a store, and what the search finds is kept.
//!
//! An index finds more than is meant, and some things no index finds: so the store names candidates,
//! and one rule, the same for every store, says which of them are found. How many candidates one
//! page looks at is bounded; then it is shorter than asked for, and says where it goes on.

use plenary_shared::protocol::{Found, SearchOk};
use plenary_shared::search::{Place, Query, Term};

/// Candidates that are read at once.
const READ_AT_ONCE: usize = 500;

/// Candidates of one page.
const LOOKED_AT_MAX: usize = 20_000;

/// Shorter words are in no index.
const INDEXED_CHARS_MIN: usize = 3;

/// Longer words are in no index.
const INDEXED_CHARS_MAX: usize = 80;

/// A page that is being found.
pub(super) struct Sieve<'a> {
    query: &'a Query,
    limit: usize,
    found: Vec<Found>,
    looked_at: usize,
    /// Where the next candidates are.
    next: Option<Place>,
    is_over: bool,
}

impl<'a> Sieve<'a> {
    pub(super) fn new(query: &'a Query, from: Option<Place>, limit: usize) -> Self {
        Self {
            query,
            limit,
            found: Vec::new(),
            looked_at: 0,
            next: from,
            is_over: false,
        }
    }

    /// Below which place the next candidates are wanted, and how many; `None`: the page is done.
    pub(super) fn wants(&self) -> Option<(Option<Place>, usize)> {
        (!self.is_over).then_some((self.next, READ_AT_ONCE))
    }

    /// Takes what was asked for: the rows that could be used, of so many.
    pub(super) fn take(&mut self, candidates: Vec<Found>, rows: usize) {
        for candidate in candidates {
            self.looked_at += 1;
            self.next = Some(Place {
                timestamp: candidate.message.timestamp,
                instance: candidate.instance,
                seq: candidate.message.seq,
            });
            if self.query.finds(candidate.message.body.as_str()) {
                self.found.push(candidate);
                if self.found.len() == self.limit {
                    self.is_over = true;
                    return;
                }
            }
        }
        if rows < READ_AT_ONCE {
            self.next = None;
            self.is_over = true;
        }
        self.is_over |= self.looked_at >= LOOKED_AT_MAX;
    }

    pub(super) fn into_page(self) -> SearchOk {
        SearchOk {
            found: self.found,
            next: self.next,
        }
    }
}

/// The words that an index finds: letters, digits and underscores alone.
pub(super) fn indexed(query: &Query) -> Vec<&str> {
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
