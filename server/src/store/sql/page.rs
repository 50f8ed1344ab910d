//! A page of a log or of messages as a range of seqs that is read from one of its ends.

use plenary_shared::ids::Seq;
use plenary_shared::limits;

use crate::store::Page;

/// The end from which a page is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The first seqs above `low`.
    Up,
    /// The last seqs below `high`.
    Down,
}

impl Direction {
    /// The direction as `ORDER BY` names it.
    pub fn order(self) -> &'static str {
        match self {
            Self::Up => "ASC",
            Self::Down => "DESC",
        }
    }
}

/// The seqs of a page: above `low` and below `high`.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    pub direction: Direction,
    pub low: u64,
    pub high: u64,
    limit: usize,
}

impl Range {
    /// The range of a page; with `below`, only of seqs below that.
    pub fn new(page: Page, limit: usize, below: Option<Seq>) -> Self {
        let top = below.map_or(limits::ID_MAX + 1, Seq::get);
        let (direction, low, high) = match page {
            Page::After(after) => (Direction::Up, after.get(), top),
            Page::Before(None) => (Direction::Down, 0, top),
            Page::Before(Some(before)) => (Direction::Down, 0, top.min(before.get())),
        };
        Self {
            direction,
            low,
            high,
            limit: limit.clamp(1, limits::PAGE_MAX),
        }
    }

    /// The number of rows to read: one more than the page has, to know whether there are more.
    pub fn rows(&self) -> usize {
        self.limit + 1
    }

    /// The page's usable rows in ascending order, and whether there are more in its direction.
    pub fn cut<T>(&self, mut rows: Vec<Option<T>>) -> (Vec<T>, bool) {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        match self.direction {
            Direction::Up => {}
            Direction::Down => rows.reverse(),
        }
        (rows.into_iter().flatten().collect(), more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seq(number: u64) -> Seq {
        Seq::new(number).expect("a small number")
    }

    #[test]
    fn pages_ascend_from_either_end() {
        let down = Range::new(Page::Before(None), 2, None);
        assert_eq!(down.rows(), 3);
        assert_eq!(
            down.cut(vec![Some(9), Some(8), Some(7)]),
            (vec![8, 9], true)
        );
        assert_eq!(down.cut(vec![Some(9), None]), (vec![9], false));
        let up = Range::new(Page::After(Seq::default()), 2, None);
        assert_eq!(up.cut(vec![Some(1), None, Some(3)]), (vec![1], true));
    }

    #[test]
    fn a_page_ends_below_the_given_seq() {
        for (page, high) in [
            (Page::Before(None), 5),
            (Page::Before(Some(seq(3))), 3),
            (Page::Before(Some(seq(9))), 5),
            (Page::After(seq(2)), 5),
        ] {
            assert_eq!(Range::new(page, 10, Some(seq(5))).high, high, "{page:?}");
        }
    }
}
