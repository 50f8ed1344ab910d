//! Rows between messages: days, dividers, offline periods, joins and leaves, moderation.

use plenary_shared::domain::{Event, EventKind, Moderation, ModerationAction, Reason};
use plenary_shared::ids::{Seq, UserId};
use plenary_shared::time::Timestamp;
use ratatui::text::{Line, Span};

use super::{RoomView, is_first_after};
use crate::clock::minutes;
use crate::command::{ChatCommand, Command, Context, Nav};
use crate::layout::Form;
use crate::text;
use crate::theme::Tone;

/// From this many on, consecutive joins or leaves share a row.
const SHARED_ROW_MIN: usize = 3;
/// Names collected for a shared row. More are not counted.
const SHARED_ROW_MAX: usize = 200;
/// Indent of the further rows of a moderation line.
const INDENT_CELLS: usize = super::TIME_CELLS + 1;
/// Events searched for the join of a participant who left, or for the admin who ended a meeting.
const SEARCHED_MAX: usize = 1_000;

impl RoomView<'_> {
    /// Returns why a meeting ended, for the line in the chat.
    pub(super) fn end_reason(&self, closed: &Event, reason: Reason) -> String {
        let log = self.room.log.as_ref();
        let before = log
            .into_iter()
            .flat_map(|log| log.events_before(closed.seq).rev());
        let admin = before
            .take(SEARCHED_MAX)
            .find_map(|event| match &event.kind {
                EventKind::Moderated(Moderation {
                    user,
                    action: ModerationAction::End,
                    ..
                }) => Some(self.name(*user)),
                _ => None,
            });
        match reason {
            Reason::Scheduled => "scheduled".to_owned(),
            Reason::Ended | Reason::Left => {
                format!("by {}", admin.as_deref().unwrap_or("an admin"))
            }
            Reason::Missed => "the server was not running".to_owned(),
            Reason::ConnectionLost => "connection lost".to_owned(),
            Reason::Suspended => "suspended".to_owned(),
            Reason::Removed => "everyone removed".to_owned(),
            Reason::Cancelled => "cancelled".to_owned(),
        }
    }

    /// Returns the rows above an event.
    pub(super) fn above(&self, event: &Event, before: Option<&Event>) -> Vec<Line<'static>> {
        let glyphs = self.theme.glyphs;
        let mut rows = Vec::new();
        rows.extend(self.missing_row(event, before));
        let day = |event: &Event| self.zone.day(event.timestamp);
        if event.kind != EventKind::Opened && before.is_none_or(|before| day(before) != day(event))
        {
            rows.push(self.rule(&self.zone.day_title(event.timestamp), glyphs.rule));
        }
        let offset = |event: &Event| self.zone.offset(event.timestamp);
        if before.is_some_and(|before| offset(before) != offset(event)) {
            let title = format!("clocks changed: times are in {}", offset(event));
            rows.push(self.rule(&title, glyphs.dotted));
        }
        let lowest = before.map_or(Seq::default(), |before| before.seq);
        rows.extend(self.offline_rows(lowest, Some(event.seq)));
        if let Some(divider) = self.room.divider
            && divider.count > 0
            && is_first_after(event.seq, divider.after, before)
        {
            let at = divider.at.map(|at| self.zone.time(at, self.now));
            let since = at.map_or_else(String::new, |at| match self.form {
                Form::Three | Form::Two => format!(" since you looked away at {at}"),
                Form::Tabs | Form::Narrow | Form::Tiny => format!(" since {at}"),
            });
            let title = format!(
                "{} new{since} {} {}",
                divider.count,
                glyphs.dot,
                self.key(Command::Chat(ChatCommand::FirstUnread))
            );
            let used = text::width(&title) + 2;
            let left = self.columns.saturating_sub(used) / 2;
            let right = self.columns.saturating_sub(used + left);
            let line = format!(
                "{} {title} {}",
                glyphs.rule.repeat(left),
                glyphs.rule.repeat(right)
            );
            rows.push(Line::from(Span::styled(
                line,
                self.theme.style(Tone::Strong),
            )));
        }
        rows
    }

    /// Returns the row for events missing right before this one.
    fn missing_row(&self, event: &Event, before: Option<&Event>) -> Option<Line<'static>> {
        let after = self.room.log.as_ref()?.missing_before(event.seq)?;
        let glyphs = self.theme.glyphs;
        let reading = self.room.requested_older == Some(event.seq);
        if before.is_none() {
            return Some(self.quiet(if reading {
                format!("{} loading older messages{}", glyphs.busy, glyphs.cut)
            } else {
                let key = self.key(Command::Nav(Nav::PageUp));
                format!("{} older messages: {key}", glyphs.cut)
            }));
        }
        let count = event.seq.get() - after.get() - 1;
        let events = if count == 1 { "event" } else { "events" };
        let hint = if reading {
            format!("loading{}", glyphs.cut)
        } else {
            let (keymap, glyphs) = (self.keymap, self.theme.glyphs);
            let enter = Command::Nav(Nav::Enter);
            let key = keymap.label_in(Context::Selection, enter, glyphs);
            format!("select a message here and press {key}")
        };
        let title = format!("{count} {events} not loaded {} {hint}", glyphs.dot);
        Some(self.rule(&title, glyphs.dotted))
    }

    /// Returns the rows for offline periods in this range.
    pub(super) fn offline_rows(&self, after: Seq, next: Option<Seq>) -> Vec<Line<'static>> {
        let Some(log) = &self.room.log else {
            return Vec::new();
        };
        let in_range = |seq: Seq| seq >= after && next.is_none_or(|next| seq < next);
        let offline_periods = self
            .room
            .offline_periods
            .iter()
            .filter(|absence| in_range(absence.after));
        offline_periods
            .map(|absence| {
                let recovered = log
                    .events_after(absence.after)
                    .take_while(|event| event.timestamp <= absence.to)
                    .filter(|event| {
                        matches!(&event.kind, EventKind::Message { user, .. }
                            if self.me.is_none_or(|me| me.id != *user))
                    })
                    .count();
                let (zone, from, to) = (self.zone, absence.from, absence.to);
                let (dash, dot) = (self.theme.glyphs.dash, self.theme.glyphs.dot);
                let span = if zone.time(from, self.now) == zone.time(to, self.now) {
                    zone.time(from, self.now)
                } else {
                    zone.span(from, to, self.now, dash)
                };
                let said = if self.room.requested_newer || !(self.room.following || log.is_closed())
                {
                    format!("{recovered} recovered, loading more")
                } else if log.event(absence.after).is_none() {
                    format!("{recovered} recovered, older ones not loaded: PgUp")
                } else if recovered == 0 {
                    "nothing missed".to_owned()
                } else {
                    format!("{recovered} recovered, none missing")
                };
                let title = format!("offline {span} {dot} {said}");
                self.rule(&title, self.theme.glyphs.dotted)
            })
            .collect()
    }

    /// Returns the row that marks the content above as cached.
    pub(super) fn cached_row(&self, at: Timestamp) -> Line<'static> {
        let is_today = self.zone.day(at) == self.zone.day(self.now);
        let at = if is_today {
            self.zone.hm(at)
        } else {
            self.zone.weekday_hm(at)
        };
        let dot = self.theme.glyphs.dot;
        let title = format!("Cached {at} {dot} not refreshed");
        self.rule(&title, self.theme.glyphs.dotted)
    }

    /// Returns the row for a join or leave. The first of several shows all of them.
    pub(super) fn join_or_leave_rows(
        &self,
        event: &Event,
        before: Option<&Event>,
    ) -> Vec<Line<'static>> {
        let Some(log) = &self.room.log else {
            return Vec::new();
        };
        let earlier = log.events_before(event.seq).rev();
        let earlier = earlier
            .zip(1..)
            .take_while(|(other, far)| other.seq.get() + far == event.seq.get())
            .take_while(|(other, _)| is_same(event, other))
            .take(SHARED_ROW_MIN)
            .count();
        let later = log
            .events_after(event.seq)
            .zip(1..)
            .take_while(|(other, far)| event.seq.get() + far == other.seq.get())
            .map(|(other, _)| other)
            .take_while(|other| is_same(event, other));
        let later: Vec<&Event> = later.take(SHARED_ROW_MAX).collect();
        if earlier + later.len() + 1 < SHARED_ROW_MIN {
            return self.one_join_or_leave(event);
        }
        let follows = |before: &Event| before.seq.next() == event.seq && is_same(event, before);
        if before.is_some_and(follows) {
            return Vec::new();
        }
        let first = self.zone.hm(event.timestamp);
        let last = later
            .last()
            .map_or(first.clone(), |last| self.zone.hm(last.timestamp));
        let span = if first == last {
            String::new()
        } else {
            format!(" ({first}{}{last})", self.theme.glyphs.dash)
        };
        let users = [event].into_iter().chain(later.iter().copied());
        let names: Vec<String> = users
            .filter_map(|event| event.kind.user())
            .map(|user| self.name(user))
            .collect();
        let (mark, verb) = self.mark(event);
        let head = format!("{mark} {} {verb}: ", names.len());
        let used = super::TIME_CELLS + 1 + text::width(&head) + text::width(&span);
        let names = text::fit(
            &names.join(", "),
            self.columns.saturating_sub(used),
            self.theme.glyphs.cut,
        );
        vec![self.quiet(format!("{first} {head}{names}{span}"))]
    }

    /// Returns the rows of a moderation action, with its reason.
    pub(super) fn moderation_rows(&self, event: &Event, done: &Moderation) -> Vec<Line<'static>> {
        let action = done.sentence(|user| self.name(user), |at| self.zone.hm(at));
        let said = format!(
            "{} {} {action}",
            self.zone.hm(event.timestamp),
            self.name(done.user)
        );
        let tone = match done.action {
            ModerationAction::Announce { .. } => Tone::Strong,
            _ => Tone::Quiet,
        };
        let cells = self.columns.saturating_sub(INDENT_CELLS).max(1);
        let lines = text::lines(&said).into_iter();
        let rows = lines.flat_map(|line| text::wrap(&line, cells));
        rows.enumerate()
            .map(|(at, row)| {
                let indent = if at == 0 { 0 } else { INDENT_CELLS };
                let row = format!("{}{row}", " ".repeat(indent));
                Line::from(Span::styled(row, self.theme.style(tone)))
            })
            .collect()
    }

    fn one_join_or_leave(&self, event: &Event) -> Vec<Line<'static>> {
        let Some(user) = event.kind.user() else {
            return Vec::new();
        };
        let (mark, verb) = self.mark(event);
        let mut line = format!(
            "{} {mark} {} {verb}",
            self.zone.hm(event.timestamp),
            self.name(user)
        );
        if let EventKind::Leave { reason, .. } = &event.kind {
            let cause = match reason {
                Reason::ConnectionLost => Some("connection lost".to_owned()),
                Reason::Suspended => Some("suspended".to_owned()),
                Reason::Removed => Some("removed".to_owned()),
                Reason::Left
                | Reason::Scheduled
                | Reason::Ended
                | Reason::Missed
                | Reason::Cancelled => None,
            };
            let notes: Vec<String> = cause.into_iter().chain(self.stay(event, user)).collect();
            if !notes.is_empty() {
                line = format!("{line} ({})", notes.join(", "));
            }
        }
        vec![self.quiet(text::fit(&line, self.columns, self.theme.glyphs.cut))]
    }

    /// Returns how long a participant stayed, if the log still contains the join.
    fn stay(&self, leave: &Event, user: UserId) -> Option<String> {
        let log = self.room.log.as_ref();
        let joined = log.and_then(|log| {
            log.events_before(leave.seq).rev().take(SEARCHED_MAX).find(
                |event| matches!(&event.kind, EventKind::Join { user: who, .. } if *who == user),
            )
        });
        let joined = joined?;
        let stayed_ms = leave.timestamp.ms_since(joined.timestamp);
        let length = match stayed_ms / 1_000 {
            seconds @ ..60 => format!("{}s", seconds.max(0)),
            seconds => minutes(seconds / 60),
        };
        let (from, to) = (
            self.zone.hm(joined.timestamp),
            self.zone.hm(leave.timestamp),
        );
        Some(match self.form {
            Form::Three | Form::Two => {
                format!("was here {from}{}{to}, {length}", self.theme.glyphs.dash)
            }
            Form::Tabs | Form::Narrow | Form::Tiny => length,
        })
    }

    fn mark(&self, event: &Event) -> (&'static str, &'static str) {
        match event.kind {
            EventKind::Leave { .. } => (self.theme.glyphs.went, "left"),
            EventKind::Join { .. }
            | EventKind::Opened
            | EventKind::Message { .. }
            | EventKind::Edited { .. }
            | EventKind::Deleted { .. }
            | EventKind::Moderated(_)
            | EventKind::Closed { .. } => (self.theme.glyphs.came, "joined"),
        }
    }
}

fn is_same(one: &Event, other: &Event) -> bool {
    match (&one.kind, &other.kind) {
        (EventKind::Join { .. }, EventKind::Join { .. }) => true,
        (EventKind::Leave { reason, .. }, EventKind::Leave { reason: other, .. }) => {
            reason == other
        }
        _ => false,
    }
}
