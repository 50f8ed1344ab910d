//! Which lines of a log the chat shows: always the newest, or those from one place on. Only what
//! is on the screen, or passed over, is ever wrapped, however long the log is.

use plenary_shared::domain::{Event, What};
use plenary_shared::ids::Seq;
use ratatui::text::Line;

use crate::model::timeline::{Block, Looked};

/// A part of the log that is wrapped as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An event, with what stands above it.
    Event(Seq),
    /// What is not in the log yet, after all events.
    Tail,
}

/// What the chat shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scroll {
    /// The end, whatever comes.
    Newest,
    /// From this row on. Rows count from the first of the event itself, so that what stands above
    /// it may come and go; those above are negative.
    From {
        /// The part at the top.
        place: Place,
        /// Its row at the top.
        row: isize,
    },
}

impl Scroll {
    /// Whether the end is shown, whatever comes.
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
    /// In the window or below it, before this event.
    Below(Seq),
}

/// A walk over the parts of a log, from any row to its neighbours.
struct Walk<'a> {
    looked: &'a Looked<'a>,
    place: Place,
    block: Block,
    /// From the first row above the event.
    row: usize,
}

impl<'a> Walk<'a> {
    /// Behind the last row.
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
            // A part without rows is drawn by a neighbour.
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

    /// One row up; false at the first.
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

    /// One row down; false behind the last.
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

    /// The row it stands on, if there is one.
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

/// A row on the screen, and what it is a part of.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The part.
    pub place: Place,
    /// From the first row of the event itself; those above it are negative.
    pub row: isize,
    /// What it looks like.
    pub line: Line<'static>,
}

/// The rows to draw, at most `height`.
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
        // Less than a screen is left, so the end is what there is to see.
    }
    let mut walk = Walk::at_end(looked);
    let mut rows = Vec::with_capacity(height);
    while rows.len() < height && walk.up() {
        rows.extend(walk.shown());
    }
    rows.reverse();
    rows
}

/// What is shown now, to stay although more comes.
pub fn pinned(looked: &Looked<'_>, height: usize) -> Scroll {
    top(looked, height).scroll()
}

/// With the last row of a part at the bottom.
pub fn reaching(looked: &Looked<'_>, height: usize, place: Place) -> Scroll {
    let mut walk = Walk::at(looked, place, isize::MAX);
    for _ in 1..height {
        if !walk.up() {
            break;
        }
    }
    walk.scroll()
}

/// What is shown after moving by `delta` rows, up if negative.
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

/// From the first row that is known.
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

/// From a part on, with what stands above it.
pub fn from(looked: &Looked<'_>, height: usize, place: Place) -> Scroll {
    let walk = Walk::at(looked, place, isize::MIN);
    if reaches_end(looked, &walk, height) {
        Scroll::Newest
    } else {
        walk.scroll()
    }
}

/// Where the nearest events are missing: within so many rows above the window, or between its first
/// row and as many below it.
pub fn missing(looked: &Looked<'_>, height: usize, rows: usize) -> Option<Missing> {
    let log = looked.room.log.as_ref()?;
    let lacks = |place: Place| match place {
        Place::Event(seq) => log.missing_before(seq).map(|_| seq),
        Place::Tail => None,
    };
    let mut walk = top(looked, height);
    if log.is_contiguous() {
        // Then only what is before the first event can be missing.
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
            // Of an empty log everything is.
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

/// Whether these events have so many rows for certain: wrapping them costs, and every message has one.
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
    // The last row shown is `height - 1` below the top; behind it must be nothing.
    !(0..height).all(|_| ahead.down())
}
