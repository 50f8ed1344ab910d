//! A page as a range of seqs, read from one of its sides.

use plenary_shared::limits;

use crate::store::Page;

/// From which side a page is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// The first above `low`.
    Up,
    /// The last below `high`.
    Down,
}

/// The seqs of a page: above `low`, below `high`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) direction: Direction,
    pub(super) low: u64,
    pub(super) high: u64,
    limit: usize,
}

impl Span {
    pub(super) fn new(page: Page, limit: usize) -> Self {
        let top = limits::ID_MAX + 1;
        let (direction, low, high) = match page {
            Page::After(after) => (Direction::Up, after.get(), top),
            Page::Before(None) => (Direction::Down, 0, top),
            Page::Before(Some(before)) => (Direction::Down, 0, before.get()),
        };
        Self {
            direction,
            low,
            high,
            limit: limit.clamp(1, limits::PAGE_MAX),
        }
    }

    /// How many rows to read: one more than the page has, to know whether there are more.
    pub(super) fn rows(&self) -> usize {
        self.limit + 1
    }

    /// The page's usable rows, ascending, and whether there are more in its direction.
    pub(super) fn cut<T>(&self, mut rows: Vec<Option<T>>) -> (Vec<T>, bool) {
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
    use plenary_shared::ids::Seq;

    #[test]
    fn pages_ascend_from_either_side() {
        let down = Span::new(Page::Before(None), 2);
        assert_eq!(down.rows(), 3);
        assert_eq!(
            down.cut(vec![Some(9), Some(8), Some(7)]),
            (vec![8, 9], true)
        );
        assert_eq!(down.cut(vec![Some(9), None]), (vec![9], false));
        let up = Span::new(Page::After(Seq::default()), 2);
        assert_eq!(up.cut(vec![Some(1), None, Some(3)]), (vec![1], true));
    }
}
