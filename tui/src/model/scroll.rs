//! The scroll position of the chat: the end, or a fixed place in the log. Only rows on the screen,
//! or passed while scrolling, are wrapped, however long the log is.

use plenary_shared::domain::{Event, EventKind};
use plenary_shared::ids::Seq;
use ratatui::text::Line;

use crate::model::timeline::{Block, RoomView};

pub use crate::model::place::{Place, Scroll};

/// Where events are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Above the window, before this event.
    Above(Seq),
    /// In or below the window, before this event.
    Below(Seq),
}

/// A cursor that moves over the rows of a log.
struct RowCursor<'a> {
    view: &'a RoomView<'a>,
    place: Place,
    block: Block,
    /// Counted from the first row above the event.
    row: usize,
}

impl<'a> RowCursor<'a> {
    /// Starts after the last row.
    fn at_end(view: &'a RoomView<'a>) -> Self {
        let block = view.block(Place::Tail);
        let row = block.rows.len();
        Self {
            view,
            place: Place::Tail,
            block,
            row,
        }
    }

    fn at(view: &'a RoomView<'a>, place: Place, row: isize) -> Self {
        let place = view.at_or_after(place);
        let block = view.block(place);
        let row = row
            .saturating_add_unsigned(block.above)
            .max(0)
            .unsigned_abs();
        let row = row.min(block.rows.len().saturating_sub(1));
        let mut cursor = Self {
            view,
            place,
            block,
            row,
        };
        if cursor.block.rows.is_empty() {
            // A block without rows is empty; use the next one.
            cursor.row = 0;
            cursor.settle_down();
        }
        cursor
    }

    fn settle_down(&mut self) -> bool {
        while self.row >= self.block.rows.len() {
            let Some(next) = self.view.after(self.place) else {
                return false;
            };
            self.place = next;
            self.block = self.view.block(next);
            self.row = 0;
        }
        true
    }

    /// Moves one row up. Returns false at the first row.
    fn up(&mut self) -> bool {
        let (place, row) = (self.place, self.row);
        while self.row == 0 {
            let Some(before) = self.view.before(self.place) else {
                if self.place != place {
                    self.place = place;
                    self.block = self.view.block(place);
                    self.row = row;
                }
                return false;
            };
            self.place = before;
            self.block = self.view.block(before);
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
    fn shown(&self) -> Option<ScreenRow> {
        let line = self.block.rows.get(self.row)?.clone();
        Some(ScreenRow {
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
pub struct ScreenRow {
    pub place: Place,
    /// Counted from the event's own first row; rows above it are negative.
    pub row: isize,
    pub line: Line<'static>,
}

/// Returns the rows to draw, at most `height`.
pub fn window(view: &RoomView<'_>, height: usize) -> Vec<ScreenRow> {
    if let Scroll::From { place, row } = view.room.scroll {
        let mut cursor = RowCursor::at(view, place, row);
        let mut rows = Vec::with_capacity(height);
        loop {
            if rows.len() == height {
                return rows;
            }
            rows.extend(cursor.shown());
            if !cursor.down() {
                break;
            }
        }
        if rows.len() == height {
            return rows;
        }
        // Less than one screen is left: show the end.
    }
    let mut cursor = RowCursor::at_end(view);
    let mut rows = Vec::with_capacity(height);
    while rows.len() < height && cursor.up() {
        rows.extend(cursor.shown());
    }
    rows.reverse();
    rows
}

/// Returns the current position as a fixed one, which does not follow new messages.
pub fn pinned(view: &RoomView<'_>, height: usize) -> Scroll {
    top(view, height).scroll()
}

/// Returns the position with the last row of a block at the bottom.
pub fn reaching(view: &RoomView<'_>, height: usize, place: Place) -> Scroll {
    let mut cursor = RowCursor::at(view, place, isize::MAX);
    for _ in 1..height {
        if !cursor.up() {
            break;
        }
    }
    cursor.scroll()
}

/// Returns the position after moving by `delta` rows, up if negative.
pub fn moved(view: &RoomView<'_>, height: usize, delta: isize) -> Scroll {
    let mut cursor = top(view, height);
    let steps = delta.unsigned_abs();
    if delta < 0 {
        for _ in 0..steps {
            if !cursor.up() {
                break;
            }
        }
        return if reaches_end(view, &cursor, height) {
            Scroll::Newest
        } else {
            cursor.scroll()
        };
    }
    for _ in 0..steps {
        if !cursor.down() {
            return Scroll::Newest;
        }
    }
    if reaches_end(view, &cursor, height) {
        Scroll::Newest
    } else {
        cursor.scroll()
    }
}

/// Returns the position at the first known row.
pub fn oldest(view: &RoomView<'_>, height: usize) -> Scroll {
    let Some(first) = view.first() else {
        return Scroll::Newest;
    };
    let cursor = RowCursor::at(view, first, isize::MIN);
    if reaches_end(view, &cursor, height) {
        Scroll::Newest
    } else {
        cursor.scroll()
    }
}

/// Returns the position at a block, with the rows above its event.
pub fn from(view: &RoomView<'_>, height: usize, place: Place) -> Scroll {
    let cursor = RowCursor::at(view, place, isize::MIN);
    if reaches_end(view, &cursor, height) {
        Scroll::Newest
    } else {
        cursor.scroll()
    }
}

/// Finds the nearest missing events: within `rows` above the window, or from its first row to
/// `rows` below it.
pub fn missing(view: &RoomView<'_>, height: usize, rows: usize) -> Option<Missing> {
    let log = view.room.log.as_ref()?;
    let lacks = |place: Place| match place {
        Place::Event(seq) => log.missing_before(seq).map(|_| seq),
        Place::Tail => None,
    };
    let mut cursor = top(view, height);
    if log.is_contiguous() {
        // Only events before the first one can be missing.
        let is_far = match cursor.place {
            Place::Event(seq) => surely_fill(log.events_before(seq).rev(), rows),
            Place::Tail => surely_fill(log.events().rev(), rows),
        };
        if is_far || log.older_than().is_none() {
            return None;
        }
    }
    let mut place = cursor.place;
    for row in 0..rows {
        if let Some(event) = lacks(cursor.place).filter(|_| row == 0 || cursor.place != place) {
            return Some(Missing::Above(event));
        }
        place = cursor.place;
        if !cursor.up() {
            // In an empty log, everything is missing.
            return log.older_than().map(Missing::Above);
        }
    }
    let mut cursor = top(view, height);
    let mut place = cursor.place;
    for _ in 0..height + rows {
        if !cursor.down() {
            return None;
        }
        if let Some(event) = lacks(cursor.place).filter(|_| cursor.place != place) {
            return Some(Missing::Below(event));
        }
        place = cursor.place;
    }
    None
}

fn top<'a>(view: &'a RoomView<'a>, height: usize) -> RowCursor<'a> {
    match view.room.scroll {
        Scroll::From { place, row } => RowCursor::at(view, place, row),
        Scroll::Newest => {
            let mut cursor = RowCursor::at_end(view);
            for _ in 0..height {
                if !cursor.up() {
                    break;
                }
            }
            cursor
        }
    }
}

/// Returns whether these events surely fill `rows` rows. Each message has at least one, and
/// counting is cheaper than wrapping.
fn surely_fill<'a>(events: impl Iterator<Item = &'a Event>, rows: usize) -> bool {
    let messages = events.filter(|event| matches!(event.kind, EventKind::Message { .. }));
    messages.take(rows).count() == rows
}

fn reaches_end(view: &RoomView<'_>, cursor: &RowCursor<'_>, height: usize) -> bool {
    if let (Place::Event(seq), Some(log)) = (cursor.place, &view.room.log)
        && surely_fill(log.events_after(seq), height)
    {
        return false;
    }
    let mut ahead = RowCursor {
        view,
        place: cursor.place,
        block: view.block(cursor.place),
        row: cursor.row,
    };
    // The last visible row is `height - 1` below the top; no row may follow it.
    !(0..height).all(|_| ahead.down())
}
