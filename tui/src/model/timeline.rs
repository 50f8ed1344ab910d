//! The log as rows of the chat: messages, joins and leaves, days, dividers and pending messages.

mod message;
mod notes;

use plenary_shared::domain::{Event, EventKind};
use plenary_shared::ids::{Seq, UserId};
use plenary_shared::time::Timestamp;
use ratatui::text::{Line, Span};

use crate::clock::Zone;
use crate::command::Command;
use crate::keymap::Keymap;
use crate::layout::{CHAT_COLUMNS_MAX, Form};
use crate::model::Me;
use crate::model::outbox::Outbox;
use crate::model::place::Place;
use crate::model::room::Room;
use crate::text;
use crate::theme::{Theme, Tone};

/// Width of `14:31`.
const TIME_CELLS: usize = 5;

/// A room with everything needed to draw it.
#[derive(Clone, Copy, Debug)]
pub struct RoomView<'a> {
    pub room: &'a Room,
    /// The pending messages.
    pub outbox: &'a Outbox,
    pub me: Option<&'a Me>,
    pub theme: Theme,
    /// For the names of keys in hints.
    pub keymap: &'a Keymap,
    /// The time zone of displayed times.
    pub zone: Zone,
    pub now: Timestamp,
    /// The width in cells.
    pub columns: usize,
    pub form: Form,
}

/// The rows of one block of the log.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The number of rows above the event itself: a day, a divider.
    pub above: usize,
    /// The rows, top to bottom.
    pub rows: Vec<Line<'static>>,
}

impl RoomView<'_> {
    /// Returns the rows of a block.
    pub fn block(&self, place: Place) -> Block {
        let mut block = Block::default();
        let Some(log) = &self.room.log else {
            block.rows.push(self.quiet(format!(
                "{} loading messages{}",
                self.theme.glyphs.busy, self.theme.glyphs.cut
            )));
            block.rows.extend(self.pending_rows());
            return block;
        };
        match place {
            Place::Event(seq) => {
                let Some(event) = log.event(seq) else {
                    return block;
                };
                let before = log.events_before(seq).next_back();
                block.rows = self.above(event, before);
                block.above = block.rows.len();
                block.rows.extend(self.event_rows(event, before));
            }
            Place::Tail => {
                block.rows.extend(self.offline_rows(self.room.last(), None));
                block
                    .rows
                    .extend(self.room.cached_at.map(|at| self.cached_row(at)));
                block.rows.extend(self.pending_rows());
            }
        }
        block
    }

    /// Returns the first block.
    pub fn first(&self) -> Option<Place> {
        let first = self.room.log.as_ref()?.events().next()?;
        Some(Place::Event(first.seq))
    }

    /// Returns the block before this one.
    pub fn before(&self, place: Place) -> Option<Place> {
        let log = self.room.log.as_ref()?;
        let event = match place {
            Place::Event(seq) => log.events_before(seq).next_back(),
            Place::Tail => log.events().next_back(),
        };
        event.map(|event| Place::Event(event.seq))
    }

    /// Returns the block after this one.
    pub fn after(&self, place: Place) -> Option<Place> {
        let log = self.room.log.as_ref()?;
        match place {
            Place::Event(seq) => {
                let next = log.events_after(seq).next();
                Some(next.map_or(Place::Tail, |event| Place::Event(event.seq)))
            }
            Place::Tail => None,
        }
    }

    /// Returns this block, or the next known one.
    pub fn at_or_after(&self, place: Place) -> Place {
        match (place, &self.room.log) {
            (Place::Event(seq), Some(log)) if log.event(seq).is_some() => place,
            (Place::Event(_), Some(_)) => self.after(place).unwrap_or(Place::Tail),
            (Place::Event(_), None) | (Place::Tail, _) => Place::Tail,
        }
    }

    /// Returns the label of the first key bound to a command.
    fn key(&self, command: Command) -> String {
        self.keymap.label(command, self.theme.glyphs)
    }

    /// Returns the columns before a message's text.
    fn indent(&self) -> usize {
        match self.form {
            Form::Three | Form::Two => TIME_CELLS + 1 + self.name_cells() + 2,
            Form::Tabs => TIME_CELLS + 1 + self.name_cells() + 1,
            Form::Narrow | Form::Tiny => 2,
        }
    }

    /// Returns the columns of the name: 16 %, at most 10.
    fn name_cells(&self) -> usize {
        (self.columns * 16 / 100).clamp(1, 10)
    }

    /// Returns the columns of a message's text.
    fn text_cells(&self) -> usize {
        self.columns
            .saturating_sub(self.indent())
            .clamp(1, usize::from(CHAT_COLUMNS_MAX))
    }

    /// Returns the display name of a user, or "you".
    fn name(&self, user: UserId) -> String {
        if self.is_me(user) {
            return "you".to_owned();
        }
        let log = self.room.log.as_ref();
        text::one_line(&log.map_or_else(|| format!("#{user}"), |log| log.name(user)))
    }

    fn is_me(&self, user: UserId) -> bool {
        // Without a known user, only pending messages are shown, which are the user's own.
        self.me.is_none_or(|me| me.id == user)
    }

    fn event_rows(&self, event: &Event, before: Option<&Event>) -> Vec<Line<'static>> {
        match &event.kind {
            EventKind::Opened => {
                let day = self.zone.day_title(event.timestamp);
                let at = self.zone.hm(event.timestamp);
                let dot = self.theme.glyphs.dot;
                vec![self.rule(&format!("{day} {dot} started {at}"), self.theme.glyphs.rule)]
            }
            EventKind::Join { .. } | EventKind::Leave { .. } => {
                self.join_or_leave_rows(event, before)
            }
            EventKind::Message { .. } => self.logged_rows(event),
            // Shown at the message it changes.
            EventKind::Edited { .. } | EventKind::Deleted { .. } => Vec::new(),
            EventKind::Moderated(done) => self.moderation_rows(event, done),
            EventKind::Closed { reason } => {
                let at = self.zone.hm(event.timestamp);
                let why = self.end_reason(event, *reason);
                vec![self.rule(
                    &format!("Meeting ended {at} ({why})"),
                    self.theme.glyphs.rule,
                )]
            }
        }
    }

    /// Draws a rule across the chat with a title in it.
    fn rule(&self, title: &str, glyph: &str) -> Line<'static> {
        let title = text::fit(title, self.columns.saturating_sub(6), self.theme.glyphs.cut);
        let rest = self.columns.saturating_sub(text::width(&title) + 4);
        let line = format!("{} {title} {}", glyph.repeat(2), glyph.repeat(rest));
        self.quiet(line)
    }

    fn quiet(&self, text: String) -> Line<'static> {
        Line::from(Span::styled(text, self.theme.style(Tone::Quiet)))
    }
}

/// Returns whether an event is the first one after `after`, given the event before it.
fn is_first_after(seq: Seq, after: Seq, before: Option<&Event>) -> bool {
    seq > after && before.is_none_or(|before| before.seq <= after)
}
