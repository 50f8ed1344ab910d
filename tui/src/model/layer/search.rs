//! The search through all messages: the query, the results, and where the search was opened.

mod update;
pub mod view;

use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::SearchHit;
use plenary_shared::search::{Place, Query, QueryError, Term};

use crate::model::Model;
use crate::model::editor::{Editor, KillRing};
use crate::model::scroll::Scroll;
use crate::text;

/// The most results that are listed.
pub const FOUND_MAX: usize = 1_000;

/// The state of the search.
#[derive(Clone, Debug)]
pub struct Search {
    pub query: Editor,
    /// The texts that were cut from it.
    pub ring: KillRing,
    /// Whether only the meeting that was shown is searched.
    pub here: bool,
    /// The last query that was sent, as text and parsed.
    pub asked: Option<(String, Query)>,
    /// Whether a reply is pending.
    pub reading: bool,
    /// The results, newest first.
    pub found: Vec<SearchHit>,
    /// Where the next page starts; `None` if there is none.
    pub next: Option<Place>,
    /// The error of the last query.
    pub wrong: Option<String>,
    /// The index of the selected result.
    pub selected: usize,
    /// The meeting that was shown before, and its scroll position.
    pub from: Option<(InstanceId, Option<Scroll>)>,
}

impl Search {
    /// Creates a search that was opened from a meeting.
    pub fn new(text: &str, from: Option<(InstanceId, Option<Scroll>)>) -> Self {
        Self {
            query: Editor::new(text),
            ring: KillRing::default(),
            here: false,
            asked: None,
            reading: false,
            found: Vec::new(),
            next: None,
            wrong: None,
            selected: 0,
            from,
        }
    }

    /// Returns the query to send for the typed text.
    pub fn question(&self) -> Result<(String, Query), QueryError> {
        let written = self.query.text().trim();
        let parsed = Query::parse(written)?;
        let only = self.from.filter(|_| self.here && parsed.within.is_none());
        let text = match only {
            Some((id, _)) => format!("in:{id} {written}"),
            None => written.to_owned(),
        };
        let query = Query::parse(&text)?;
        Ok((text, query))
    }

    /// Returns whether the results belong to the typed text.
    pub fn is_current(&self) -> bool {
        let asked = self.asked.as_ref().map(|(text, _)| text);
        let written = self.question().ok().map(|(text, _)| text);
        asked.is_some() && asked == written.as_ref()
    }

    /// Returns the terms to highlight in lower case, and whether each matches only at the start of a word.
    pub fn sought(&self) -> Vec<(String, bool)> {
        let terms = self.asked.iter().flat_map(|(_, query)| &query.terms);
        let sought = terms.map(|term| match term {
            Term::Word(word) => (word.clone(), true),
            Term::Piece(piece) => (piece.clone(), false),
        });
        sought.collect()
    }

    /// Returns whether more results can be loaded.
    pub fn has_more(&self) -> bool {
        self.next.is_some() && self.found.len() < FOUND_MAX
    }
}

/// Returns at most `cells` columns of a text around the first match, as one line.
pub fn excerpt(body: &str, sought: &[(String, bool)], cells: usize, cut: &str) -> String {
    let line = text::one_line(body);
    if text::width(&line) <= cells {
        return line;
    }
    let parts = text::split_at_terms(&line, sought);
    let before: usize = match parts.first() {
        Some((part, false)) if parts.len() > 1 => part.len(),
        Some(_) | None => 0,
    };
    // A third of the space is for the text before the match, unless the start of the text fits.
    if text::width(&line[..before]) <= cells / 2 {
        return text::fit(&line, cells, cut);
    }
    let mut start = before;
    let mut used = 0;
    for (at, c) in line[..before].char_indices().rev() {
        used += text::width(&line[at..at + c.len_utf8()]);
        if used > cells / 3 {
            break;
        }
        if c == ' ' {
            start = at + 1;
        }
    }
    let rest = text::fit(&line[start..], cells.saturating_sub(text::width(cut)), cut);
    format!("{cut}{rest}")
}

impl Model {
    /// Returns whether the search is visible.
    pub fn shows_search(&self) -> bool {
        self.layers.shows::<Search>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn sought(words: &[&str]) -> Vec<(String, bool)> {
        words
            .iter()
            .map(|word| ((*word).to_owned(), true))
            .collect()
    }

    #[rstest]
    #[case("short", &["x"], 20, "short")]
    #[case("the budget comes first and much follows", &["budget"], 20, "the budget comes fi…")]
    #[case("much stands before it and then the budget comes", &["budget"], 24, "…the budget comes")]
    #[case("line one\nline two of the budget, which is long", &["nowhere"], 16, "line one line t…")]
    fn what_is_shown_of_a_text(
        #[case] body: &str,
        #[case] words: &[&str],
        #[case] cells: usize,
        #[case] expected: &str,
    ) {
        assert_eq!(excerpt(body, &sought(words), cells, "…"), expected);
    }

    #[test]
    fn only_here_unless_another_place_is_written() {
        let id: InstanceId = "3/1".parse().expect("an instance");
        let mut search = Search::new(" budget ", Some((id, None)));
        let text = |search: &Search| search.question().map(|(text, _)| text);
        assert_eq!(text(&search).as_deref(), Ok("budget"));
        search.here = true;
        assert_eq!(text(&search).as_deref(), Ok("in:3/1 budget"));
        search.query.set("budget in:4");
        assert_eq!(text(&search).as_deref(), Ok("budget in:4"));
        search.query.set("");
        assert_eq!(text(&search), Err(QueryError::Empty));
    }
}
