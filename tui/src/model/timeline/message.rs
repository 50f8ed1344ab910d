//! Rows of messages: those in the log, and those on their way.

use plenary_shared::ids::UserId;
use plenary_shared::text::mentions;
use plenary_shared::time::Timestamp;
use ratatui::text::{Line, Span};

use super::Looked;
use crate::clock::minutes;
use crate::layout::Form;
use crate::model::outbox::{Pending, Sending};
use crate::text;
use crate::theme::Tone;

/// A message that is sent sooner than this shows no seconds.
const SECOND_MS: i64 = 1_000;

impl Looked<'_> {
    /// The rows of one message.
    pub(super) fn message_rows(
        &self,
        at: Timestamp,
        user: UserId,
        body: &str,
    ) -> Vec<Line<'static>> {
        let me = self.me.filter(|me| me.id != user);
        let meant = me.is_some_and(|me| mentions(body, &me.name));
        let mark = if meant {
            format!("{} ", self.theme.glyphs.mention)
        } else {
            String::new()
        };
        let cells = self.text_cells().saturating_sub(text::width(&mark)).max(1);
        let style = self
            .theme
            .style(if meant { Tone::Mention } else { Tone::Plain });

        let wrapped = text::lines(body);
        let texts = wrapped.iter().flat_map(|line| text::wrap(line, cells));
        let mut rows = Vec::new();
        for (index, shown) in texts.enumerate() {
            let mut spans = match (index, self.form) {
                (0, Form::Three | Form::Two | Form::Tabs) => self.who(at, user),
                (0, Form::Narrow | Form::Tiny) => {
                    rows.push(Line::from(self.who(at, user)));
                    vec![Span::raw(" ".repeat(self.indent()))]
                }
                _ => vec![Span::raw(" ".repeat(self.indent()))],
            };
            spans.push(Span::styled(format!("{mark}{shown}"), style));
            rows.push(Line::from(spans));
        }
        rows
    }

    /// The time and the name before a message.
    fn who(&self, at: Timestamp, user: UserId) -> Vec<Span<'static>> {
        let cut = self.theme.glyphs.cut;
        let cells = self.name_cells();
        let name = text::fit(&self.name(user), cells, cut);
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

    /// The rows of all messages that are not in the log yet.
    pub(super) fn pending_rows(&self) -> Vec<Line<'static>> {
        let last = self.room.last();
        let in_log =
            |pending: &Pending| matches!(pending.state, Sending::Taken { seq, .. } if seq <= last);
        let here = || self.outbox.of(self.room.id).filter(|line| !in_log(line));
        let last_failed = here().rfind(|line| line.is_failed());
        let mut rows = Vec::new();
        for pending in here() {
            let user = self.me.map_or_else(UserId::default, |me| me.id);
            let mut lines = self.message_rows(pending.since, user, pending.body.as_str());
            let is_last_failed = last_failed.is_some_and(|line| line.cmid == pending.cmid);
            let (tone, note) = self.note(pending, is_last_failed);
            self.append_note(&mut lines, tone, &note);
            rows.append(&mut lines);
        }
        rows
    }

    fn note(&self, pending: &Pending, last_failed: bool) -> (Tone, String) {
        let glyphs = self.theme.glyphs;
        let waited = match self.now.ms_since(pending.since) / SECOND_MS {
            ..1 => String::new(),
            seconds @ 1..60 => format!(" {seconds}s"),
            seconds => format!(" {}", minutes(seconds / 60)),
        };
        match &pending.state {
            Sending::Waiting { until: None } => (
                Tone::Quiet,
                format!("{} waiting to be sent{waited}", glyphs.busy),
            ),
            Sending::Waiting {
                until: Some((_, why)),
            } => (
                Tone::Soon,
                format!("{} waiting{waited}: {}", glyphs.busy, text::one_line(why)),
            ),
            Sending::Keeping | Sending::Sent { .. } => (
                Tone::Quiet,
                format!("{} sending{}{waited}", glyphs.busy, glyphs.cut),
            ),
            Sending::Taken { .. } => (Tone::Quiet, String::new()),
            Sending::Failed { why } => {
                let (dot, enter) = (glyphs.dot, glyphs.keys[3]);
                let how = match (last_failed, self.room.wants_in) {
                    (false, _) => String::new(),
                    (true, true) => format!(" {dot} {enter} on an empty input, or /retry"),
                    (true, false) => format!(" {dot} /recall puts it back into the input"),
                };
                let why = text::one_line(why);
                let note = format!("{} not sent: {why}{how}", glyphs.failed);
                (Tone::Bad, note)
            }
        }
    }

    /// At the right of the last row where there is room, else on rows of its own.
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
