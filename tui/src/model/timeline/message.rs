//! Rows of messages: those in the log and the pending ones.

use std::ops::Range;

use plenary_shared::domain::{Event, EventKind};
use plenary_shared::ids::{Cmid, Seq, UserId};
use plenary_shared::text::mentions;
use plenary_shared::time::Timestamp;
use ratatui::text::{Line, Span};

use super::RoomView;
use crate::clock::minutes;
use crate::journal::ComposeTarget;
use crate::layout::Form;
use crate::link::{self, Links};
use crate::model::outbox::{Delivery, LIMITED, OutboxEntry};
use crate::text;
use crate::theme::Tone;

/// Messages sent faster than this show no duration.
const SECOND_MS: i64 = 1_000;

/// The text in place of a deleted message.
const DELETED: &str = "(deleted)";

/// How the body of an action starts.
const ACTION: &str = "/me ";

/// A message to draw.
struct DrawnMessage<'a> {
    at: Timestamp,
    user: UserId,
    body: &'a str,
    /// The message it replies to.
    to: Option<Seq>,
    is_deleted: bool,
    /// Its seq, if it is in the log.
    seq: Option<Seq>,
}

impl RoomView<'_> {
    /// Returns the rows of a message in the log, with pending edits applied.
    pub(super) fn logged_rows(&self, event: &Event) -> Vec<Line<'static>> {
        let EventKind::Message { user, reply_to, .. } = &event.kind else {
            return Vec::new();
        };
        let body = self.body(event);
        let mut rows = self.message_rows(&DrawnMessage {
            at: event.timestamp,
            user: *user,
            body: body.as_deref().unwrap_or(DELETED),
            to: *reply_to,
            is_deleted: body.is_none(),
            seq: Some(event.seq),
        });
        if let Some(line) = self.change(event) {
            let is_last = self.last_failed() == Some(line.cmid);
            let (tone, note) = self.note(line, is_last);
            self.append_note(&mut rows, tone, &note);
        }
        rows
    }

    /// Returns the links of a message with the numbers used in its rows.
    pub fn links(&self, event: &Event) -> Links {
        let Some(body) = self.body(event) else {
            return Vec::new();
        };
        let lines = text::lines(&body);
        let addresses = lines.iter().flat_map(|line| {
            let found = link::found(line).into_iter();
            found.map(|at| &line[at])
        });
        let numbered = addresses.enumerate().filter_map(|(nth, address)| {
            Some((link::number(event.seq, nth)?, link::safe(address)?))
        });
        numbered.collect()
    }

    /// Returns the pending edit or deletion of a message.
    fn change(&self, event: &Event) -> Option<&OutboxEntry> {
        let last = self.room.last();
        let change = self.outbox.pending_change(event);
        change.filter(|line| !is_in_log(line, last))
    }

    /// Returns the text of a message as displayed, or `None` if it was deleted.
    fn body(&self, event: &Event) -> Option<String> {
        let EventKind::Message {
            body,
            edited,
            deleted,
            ..
        } = &event.kind
        else {
            return None;
        };
        let pending_edit = self.change(event).filter(|line| !line.is_rejected());
        match pending_edit {
            _ if deleted.is_some() => None,
            Some(line) if line.body.is_deleted() => None,
            Some(line) => Some(line.body.to_string()),
            None if edited.is_some() => Some(format!("{body} (edited)")),
            None => Some(body.to_string()),
        }
    }

    /// Returns a quoted message as one line.
    pub(crate) fn quoted(&self, to: Seq) -> String {
        let event = self.room.log.as_ref().and_then(|log| log.event(to));
        match event.map(|event| &event.kind) {
            Some(EventKind::Message { user, deleted, .. }) if deleted.is_some() => {
                format!("{}: {DELETED}", self.name(*user))
            }
            Some(EventKind::Message { user, body, .. }) => {
                format!("{}: {}", self.name(*user), text::one_line(body.as_str()))
            }
            Some(_) | None => "(an earlier message)".to_owned(),
        }
    }

    fn message_rows(&self, message: &DrawnMessage<'_>) -> Vec<Line<'static>> {
        let (at, user) = (message.at, message.user);
        let action = self.action(user, message.body);
        let body = action.as_deref().unwrap_or(message.body);
        let me = self.me.filter(|me| me.id != user);
        let is_mention = me.is_some_and(|me| mentions(body, &me.name));
        let mark = if is_mention {
            format!("{} ", self.theme.glyphs.mention)
        } else {
            String::new()
        };
        let cells = self.text_cells().saturating_sub(text::width(&mark)).max(1);
        let is_named = is_mention || me.is_some_and(|me| text::names(body, &me.name));
        let style = self.theme.style(match (message.is_deleted, is_named) {
            (true, _) => Tone::Quiet,
            (false, true) => Tone::Mention,
            (false, false) => Tone::Plain,
        });

        let quote = message.to.map(|to| {
            let quote = format!("{} {}", self.theme.glyphs.mention, self.quoted(to));
            let quote = text::fit(&quote, self.text_cells(), self.theme.glyphs.cut);
            Span::styled(quote, self.theme.style(Tone::Quiet))
        });
        let mut nth = 0;
        let wrapped = text::lines(body);
        let texts = wrapped.iter().flat_map(|line| {
            let (rows, first) = (text::wrap(line, cells), nth);
            let found = match message.seq {
                Some(_) => link::found(line),
                None => Vec::new(),
            };
            nth += found.len();
            linked(line, rows, &found)
                .into_iter()
                .map(move |parts| (parts, first))
        });
        let texts = texts.map(|(parts, first)| {
            let spans = parts.into_iter().map(|(part, link)| {
                let number = link.zip(message.seq);
                let number = number.and_then(|(nth, seq)| link::number(seq, first + nth));
                let marked = number.map(|number| style.underline_color(link::mark(number)));
                Span::styled(part, marked.unwrap_or(style))
            });
            let mark = (!mark.is_empty()).then(|| Span::styled(mark.clone(), style));
            mark.into_iter().chain(spans).collect::<Vec<_>>()
        });
        let mut rows = Vec::new();
        for (index, shown) in quote
            .map(|quote| vec![quote])
            .into_iter()
            .chain(texts)
            .enumerate()
        {
            let mut spans = match (index, self.form) {
                (0, Form::Three | Form::Two | Form::Tabs) => self.head(at, user, action.is_some()),
                (0, Form::Narrow | Form::Tiny) => {
                    rows.push(Line::from(self.head(at, user, action.is_some())));
                    vec![Span::raw(" ".repeat(self.indent()))]
                }
                _ => vec![Span::raw(" ".repeat(self.indent()))],
            };
            spans.extend(shown);
            rows.push(Line::from(spans));
        }
        rows
    }

    /// Returns the text of an action, with the name of its author: `ada waves` for `/me waves`.
    fn action(&self, user: UserId, body: &str) -> Option<String> {
        let done = body.strip_prefix(ACTION)?;
        let log = self.room.log.as_ref();
        let own = self.me.filter(|me| me.id == user).map(|me| me.name.clone());
        let name = own.or_else(|| log.map(|log| log.name(user)));
        Some(format!(
            "{} {done}",
            text::one_line(&name.unwrap_or_default())
        ))
    }

    /// Returns the time and name in front of a message; in front of an action an asterisk.
    fn head(&self, at: Timestamp, user: UserId, is_action: bool) -> Vec<Span<'static>> {
        let cut = self.theme.glyphs.cut;
        let cells = self.name_cells();
        let name = if is_action {
            "*".to_owned()
        } else {
            text::fit(&self.name(user), cells, cut)
        };
        let blanks = " ".repeat(cells.saturating_sub(text::width(&name)));
        let name = Span::styled(name, self.theme.name(user.get(), self.is_me(user)));
        let time = Span::styled(self.zone.hm(at), self.theme.style(Tone::Quiet));
        match self.form {
            Form::Three | Form::Two => {
                vec![time, Span::raw(format!(" {blanks}")), name, Span::raw("  ")]
            }
            Form::Tabs => vec![time, Span::raw(" "), name, Span::raw(format!("{blanks} "))],
            Form::Narrow | Form::Tiny => vec![time, Span::raw(" "), name],
        }
    }

    /// Returns the rows of all messages that are not in the log yet.
    pub(super) fn pending_rows(&self) -> Vec<Line<'static>> {
        let last = self.room.last();
        let last_failed = self.last_failed();
        let mut rows = Vec::new();
        let entries = self.outbox.entries_of(self.room.id);
        let is_shown = |line: &&OutboxEntry| {
            is_in_log(line, last) || self.is_drawn_at_target(line) || self.is_in_cache(line)
        };
        for pending in entries.filter(|line| !is_shown(line)) {
            let user = self.me.map_or_else(UserId::default, |me| me.id);
            let is_deleted = pending.body.is_deleted();
            let to = match pending.target {
                ComposeTarget::Reply(target) => Some(target.seq),
                ComposeTarget::New | ComposeTarget::Edit(_) | ComposeTarget::Delete(_) => None,
            };
            let mut lines = self.message_rows(&DrawnMessage {
                at: pending.since,
                user,
                body: if is_deleted {
                    DELETED
                } else {
                    pending.body.as_str()
                },
                to,
                is_deleted,
                seq: None,
            });
            let is_last_failed = last_failed == Some(pending.cmid);
            let (tone, note) = self.note(pending, is_last_failed);
            self.append_note(&mut lines, tone, &note);
            rows.append(&mut lines);
        }
        rows
    }

    /// Returns the last rejected entry, which Enter retries.
    fn last_failed(&self) -> Option<Cmid> {
        let failed = self
            .outbox
            .entries_of(self.room.id)
            .rfind(|line| line.is_rejected());
        failed.map(|line| line.cmid)
    }

    /// Returns whether an entry is drawn at the message it changes.
    fn is_drawn_at_target(&self, line: &OutboxEntry) -> bool {
        let log = self.room.log.as_ref();
        let shown = line
            .target
            .changed_message()
            .zip(log)
            .and_then(|(target, log)| {
                let event = log.event(target.seq_in(log)?)?;
                self.outbox.pending_change(event)
            });
        shown.is_some_and(|shown| shown.cmid == line.cmid)
    }

    /// Returns whether the cached log already contains the entry, although the server has not
    /// confirmed it.
    fn is_in_cache(&self, line: &OutboxEntry) -> bool {
        let log = self.room.log.as_ref();
        let log = log.filter(|_| self.room.cached_at.is_some());
        log.is_some_and(|log| {
            log.events().any(|event| {
                matches!(event.kind, EventKind::Message { cmid, user, .. }
                    if cmid == line.cmid && self.is_me(user))
            })
        })
    }

    fn note(&self, pending: &OutboxEntry, last_failed: bool) -> (Tone, String) {
        let glyphs = self.theme.glyphs;
        let (sending, sent) = match pending.target {
            ComposeTarget::New | ComposeTarget::Reply(_) => ("sending", "sent"),
            ComposeTarget::Edit(_) => ("saving edit", "edited"),
            ComposeTarget::Delete(_) => ("deleting", "deleted"),
        };
        let waited = match self.now.ms_since(pending.since) / SECOND_MS {
            ..1 => String::new(),
            seconds @ 1..60 => format!(" {seconds}s"),
            seconds => format!(" {}", minutes(seconds / 60)),
        };
        match &pending.state {
            Delivery::Waiting { until: None } => (
                Tone::Quiet,
                format!("{} waiting to be {sent}{waited}", glyphs.busy),
            ),
            Delivery::Waiting {
                until: Some((_, None)),
            } => (
                Tone::Quiet,
                format!("{} waiting to be {sent}{waited}: {LIMITED}", glyphs.busy),
            ),
            Delivery::Waiting {
                until: Some((_, Some(why))),
            } => (
                Tone::Soon,
                format!("{} waiting{waited}: {}", glyphs.busy, text::one_line(why)),
            ),
            Delivery::Writing | Delivery::Sent { .. } => (
                Tone::Quiet,
                format!("{} {sending}{}{waited}", glyphs.busy, glyphs.cut),
            ),
            Delivery::Acknowledged { .. } => (Tone::Quiet, String::new()),
            Delivery::Rejected { why } => {
                let (dot, enter) = (glyphs.dot, glyphs.keys[3]);
                let hint = match (last_failed, self.room.wants_to_join) {
                    (false, _) => String::new(),
                    (true, true) => format!(" {dot} /retry, or {enter} on empty input"),
                    (true, false) => format!(" {dot} /recall restores the text"),
                };
                let why = text::one_line(why);
                let note = format!("{} not {sent}: {why}{hint}", glyphs.failed);
                (Tone::Bad, note)
            }
        }
    }

    /// Adds a note at the right of the last row if it fits, otherwise on rows of its own.
    fn append_note(&self, lines: &mut Vec<Line<'static>>, tone: Tone, note: &str) {
        if note.is_empty() {
            return;
        }
        let style = self.theme.style(tone);
        let end = self.columns.min(self.indent() + self.text_cells());
        let needed = text::width(note) + 2;
        if let Some(last) = lines.last_mut() {
            let used = last.width();
            if used + needed <= end {
                last.push_span(Span::raw(" ".repeat(end - used - needed + 2)));
                last.push_span(Span::styled(note.to_owned(), style));
                return;
            }
        }
        for row in text::wrap(note, self.text_cells()) {
            let indent = Span::raw(" ".repeat(self.indent()));
            lines.push(Line::from(vec![indent, Span::styled(row, style)]));
        }
    }
}

/// Splits the wrapped rows of a line at its links. Each part has the index of its link within the
/// line.
fn linked(
    line: &str,
    rows: Vec<String>,
    found: &[Range<usize>],
) -> Vec<Vec<(String, Option<usize>)>> {
    if found.is_empty() {
        return rows.into_iter().map(|row| vec![(row, None)]).collect();
    }
    let mut at = 0;
    let mut parted = Vec::with_capacity(rows.len());
    for row in rows {
        // Wrapping removes only blanks between two rows.
        at += line[at..].find(&row).unwrap_or_default();
        let end = at + row.len();
        let mut parts = Vec::new();
        for (nth, link) in found.iter().enumerate() {
            let (from, to) = (link.start.max(at), link.end.min(end));
            if from < to {
                if at < from {
                    parts.push((line[at..from].to_owned(), None));
                }
                parts.push((line[from..to].to_owned(), Some(nth)));
                at = to;
            }
        }
        if at < end || parts.is_empty() {
            parts.push((line[at..end].to_owned(), None));
        }
        at = end;
        parted.push(parts);
    }
    parted
}

/// Returns whether an entry was acknowledged and its event has arrived.
fn is_in_log(line: &OutboxEntry, last: Seq) -> bool {
    matches!(line.state, Delivery::Acknowledged { seq, .. } if seq <= last)
}
