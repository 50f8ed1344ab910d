//! The scroll position of the chat: the end, or a fixed place in the log. Only rows on the screen,
//! or passed while scrolling, are wrapped, however long the log is.

use plenary_shared::domain::{Event, What};
use plenary_shared::ids::Seq;
use ratatui::text::Line;

use crate::model::timeline::{Block, Looked};

/// A part of the log that is wrapped as one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An event with the rows above it.
    Event(Seq),
    /// The rows after all events: pending messages.
    Tail,
}

/// The scroll position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scroll {
    /// Follows the end.
    Newest,
    /// Starts at this row. Rows count from the event's own first row, so rows above it may come and
    /// go; those have negative numbers.
    From {
        /// The block at the top.
        place: Place,
        /// Its row at the top.
        row: isize,
    },
}

impl Scroll {
    /// Returns whether the view follows the end.
    pub fn is_newest(self) -> bool {
        match self {
            Self::Newest => true,
            Self::From { .. } => false,
        }
    }
}

/// Where events are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Above the window, before this event.
    Above(Seq),
    /// In or below the window, before this event.
    Below(Seq),
}

/// A cursor that moves over the rows of a log.
struct Walk<'a> {
    looked: &'a Looked<'a>,
    place: Place,
    block: Block,
    /// Counted from the first row above the event.
    row: usize,
}

impl<'a> Walk<'a> {
    /// Starts after the last row.
    fn at_end(looked: &'a Looked<'a>) -> Self {
        let block = looked.block(Place::Tail);
        let row = block.rows.len();
        Self {
            looked,
            place: Place::Tail,
            block,
            row,
        }
    }

    fn at(looked: &'a Looked<'a>, place: Place, row: isize) -> Self {
        let place = looked.at_or_after(place);
        let block = looked.block(place);
        let row = row
            .saturating_add_unsigned(block.above)
            .max(0)
            .unsigned_abs();
        let row = row.min(block.rows.len().saturating_sub(1));
        let mut walk = Self {
            looked,
            place,
            block,
            row,
        };
        if walk.block.rows.is_empty() {
            // A block without rows is empty; use the next one.
            walk.row = 0;
            walk.settle_down();
        }
        walk
    }

    fn settle_down(&mut self) -> bool {
        while self.row >= self.block.rows.len() {
            let Some(next) = self.looked.after(self.place) else {
                return false;
            };
            self.place = next;
            self.block = self.looked.block(next);
            self.row = 0;
        }
        true
    }

    /// Moves one row up. Returns false at the first row.
    fn up(&mut self) -> bool {
        let (place, row) = (self.place, self.row);
        while self.row == 0 {
            let Some(before) = self.looked.before(self.place) else {
                if self.place != place {
                    self.place = place;
                    self.block = self.looked.block(place);
                    self.row = row;
                }
                return false;
            };
            self.place = before;
            self.block = self.looked.block(before);
            self.row = self.block.rows.len();
        }
        self.row -= 1;
        true
    }

    /// Moves one row down. Returns false after the last row.
    fn down(&mut self) -> bool {
        self.row += 1;
        self.settle_down()
    }

    fn scroll(&self) -> Scroll {
        Scroll::From {
            place: self.place,
            row: self.own_row(),
        }
    }

    /// Returns the current row, if any.
    fn shown(&self) -> Option<Shown> {
        let line = self.block.rows.get(self.row)?.clone();
        Some(Shown {
            place: self.place,
            row: self.own_row(),
            line,
        })
    }

    fn own_row(&self) -> isize {
        let row = isize::try_from(self.row).unwrap_or(isize::MAX);
        row - isize::try_from(self.block.above).unwrap_or_default()
    }
}

/// A row on the screen and the block it belongs to.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The block.
    pub place: Place,
    /// Counted from the event's own first row; rows above it are negative.
    pub row: isize,
    /// The row's content.
    pub line: Line<'static>,
}

/// Returns the rows to draw, at most `height`.
pub fn window(looked: &Looked<'_>, height: usize) -> Vec<Shown> {
    if let Scroll::From { place, row } = looked.room.scroll {
        let mut walk = Walk::at(looked, place, row);
        let mut rows = Vec::with_capacity(height);
        loop {
            if rows.len() == height {
                return rows;
            }
            rows.extend(walk.shown());
            if !walk.down() {
                break;
            }
        }
        if rows.len() == height {
            return rows;
        }
        // Less than one screen is left: show the end.
    }
    let mut walk = Walk::at_end(looked);
    let mut rows = Vec::with_capacity(height);
    while rows.len() < height && walk.up() {
        rows.extend(walk.shown());
    }
    rows.reverse();
    rows
}

/// Returns the current position as a fixed one, which does not follow new messages.
pub fn pinned(looked: &Looked<'_>, height: usize) -> Scroll {
    top(looked, height).scroll()
}

/// Returns the position with the last row of a block at the bottom.
pub fn reaching(looked: &Looked<'_>, height: usize, place: Place) -> Scroll {
    let mut walk = Walk::at(looked, place, isize::MAX);
    for _ in 1..height {
        if !walk.up() {
            break;
        }
    }
    walk.scroll()
}

/// Returns the position after moving by `delta` rows, up if negative.
pub fn moved(looked: &Looked<'_>, height: usize, delta: isize) -> Scroll {
    let mut walk = top(looked, height);
    let steps = delta.unsigned_abs();
    if delta < 0 {
        for _ in 0..steps {
            if !walk.up() {
                break;
            }
        }
        return if reaches_end(looked, &walk, height) {
            Scroll::Newest
        } else {
            walk.scroll()
        };
    }
    for _ in 0..steps {
        if !walk.down() {
            return Scroll::Newest;
        }
    }
    if reaches_end(looked, &walk, height) {
        Scroll::Newest
    } else {
        walk.scroll()
    }
}

/// Returns the position at the first known row.
pub fn oldest(looked: &Looked<'_>, height: usize) -> Scroll {
    let Some(first) = looked.first() else {
        return Scroll::Newest;
    };
    let walk = Walk::at(looked, first, isize::MIN);
    if reaches_end(looked, &walk, height) {
        Scroll::Newest
    } else {
        walk.scroll()
    }
}

/// Returns the position at a block, with the rows above its event.
pub fn from(looked: &Looked<'_>, height: usize, place: Place) -> Scroll {
    let walk = Walk::at(looked, place, isize::MIN);
    if reaches_end(looked, &walk, height) {
        Scroll::Newest
    } else {
        walk.scroll()
    }
}

/// Finds the nearest missing events: within `rows` above the window, or from its first row to
/// `rows` below it.
pub fn missing(looked: &Looked<'_>, height: usize, rows: usize) -> Option<Missing> {
    let log = looked.room.log.as_ref()?;
    let lacks = |place: Place| match place {
        Place::Event(seq) => log.missing_before(seq).map(|_| seq),
        Place::Tail => None,
    };
    let mut walk = top(looked, height);
    if log.is_contiguous() {
        // Only events before the first one can be missing.
        let is_far = match walk.place {
            Place::Event(seq) => fill(log.events_before(seq).rev(), rows),
            Place::Tail => fill(log.events().rev(), rows),
        };
        if is_far || log.older_than().is_none() {
            return None;
        }
    }
    let mut place = walk.place;
    for row in 0..rows {
        if let Some(event) = lacks(walk.place).filter(|_| row == 0 || walk.place != place) {
            return Some(Missing::Above(event));
        }
        place = walk.place;
        if !walk.up() {
            // In an empty log, everything is missing.
            return log.older_than().map(Missing::Above);
        }
    }
    let mut walk = top(looked, height);
    let mut place = walk.place;
    for _ in 0..height + rows {
        if !walk.down() {
            return None;
        }
        if let Some(event) = lacks(walk.place).filter(|_| walk.place != place) {
            return Some(Missing::Below(event));
        }
        place = walk.place;
    }
    None
}

fn top<'a>(looked: &'a Looked<'a>, height: usize) -> Walk<'a> {
    match looked.room.scroll {
        Scroll::From { place, row } => Walk::at(looked, place, row),
        Scroll::Newest => {
            let mut walk = Walk::at_end(looked);
            for _ in 0..height {
                if !walk.up() {
                    break;
                }
            }
            walk
        }
    }
}

/// Returns whether these events surely fill `rows` rows. Each message has at least one, and
/// counting is cheaper than wrapping.
fn fill<'a>(events: impl Iterator<Item = &'a Event>, rows: usize) -> bool {
    let messages = events.filter(|event| matches!(event.what, What::Message { .. }));
    messages.take(rows).count() == rows
}

fn reaches_end(looked: &Looked<'_>, walk: &Walk<'_>, height: usize) -> bool {
    if let (Place::Event(seq), Some(log)) = (walk.place, &looked.room.log)
        && fill(log.events_after(seq), height)
    {
        return false;
    }
    let mut ahead = Walk {
        looked,
        place: walk.place,
        block: looked.block(walk.place),
        row: walk.row,
    };
    // The last visible row is `height - 1` below the top; no row may follow it.
    !(0..height).all(|_| ahead.down())
}
