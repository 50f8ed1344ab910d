//! The outbox page: pending and failed messages by meeting.

use std::collections::BTreeSet;

use plenary_shared::ids::InstanceId;
use ratatui::text::{Line, Span};

use super::nothing;
use crate::journal::ComposeTarget;
use crate::model::Model;
use crate::model::outbox::{Delivery, LIMITED, OutboxEntry};
use crate::text;
use crate::theme::Tone;

/// The rows, wrapped to `columns`.
pub(super) fn rows(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let meetings: BTreeSet<InstanceId> = model.outbox.entries().map(|line| line.instance).collect();
    let mut rows = Vec::new();
    for id in meetings {
        let mut lines = model
            .outbox
            .entries_of(id)
            .filter(|line| is_shown(line))
            .peekable();
        if lines.peek().is_none() {
            continue;
        }
        let title = model.instance(id).map(|i| text::one_line(&i.title));
        let title = format!("{} {id}", title.unwrap_or_else(|| "meeting".to_owned()));
        let title = text::fit(&title, columns, model.theme.glyphs.cut);
        rows.push(Line::styled(title, model.theme.style(Tone::Strong)));
        rows.extend(lines.flat_map(|line| line_rows(model, columns, line)));
    }
    if rows.is_empty() {
        return nothing(model, "Nothing pending");
    }
    rows
}

fn is_shown(line: &OutboxEntry) -> bool {
    line.is_unacknowledged() || line.is_rejected()
}

fn line_rows(model: &Model, columns: usize, line: &OutboxEntry) -> Vec<Line<'static>> {
    let glyphs = model.theme.glyphs;
    let day = model.zone.day_month(line.since);
    let head = format!("  {day} {} ", model.zone.hm(line.since));
    let cells = columns.saturating_sub(text::width(&head)).max(1);
    let indent = " ".repeat(text::width(&head));
    let said = match line.target {
        ComposeTarget::New | ComposeTarget::Reply(_) => line.body.to_string(),
        ComposeTarget::Edit(_) => format!("Edit: {}", line.body),
        ComposeTarget::Delete(_) => "Delete a message".to_owned(),
    };
    let wrapped = text::lines(&said);
    let texts = wrapped.iter().flat_map(|line| text::wrap(line, cells));
    let mut rows: Vec<Line<'static>> = texts
        .enumerate()
        .map(|(index, row)| {
            let before = if index == 0 {
                head.clone()
            } else {
                indent.clone()
            };
            let before = Span::styled(before, model.theme.style(Tone::Quiet));
            Line::from(vec![before, Span::raw(row)])
        })
        .collect();
    let (tone, state) = match &line.state {
        Delivery::Rejected { why } => (
            Tone::Bad,
            format!("{} not sent: {}", glyphs.failed, text::one_line(why)),
        ),
        Delivery::Waiting {
            until: Some((_, None)),
        } => (Tone::Quiet, format!("{} waiting: {LIMITED}", glyphs.busy)),
        Delivery::Waiting {
            until: Some((_, Some(why))),
        } => (
            Tone::Soon,
            format!("{} waiting: {}", glyphs.busy, text::one_line(why)),
        ),
        Delivery::Writing
        | Delivery::Waiting { until: None }
        | Delivery::Sent { .. }
        | Delivery::Acknowledged { .. } => (
            Tone::Quiet,
            format!("{} sending{}", glyphs.busy, glyphs.cut),
        ),
    };
    for row in text::wrap(&state, cells) {
        let text = Span::styled(row, model.theme.style(tone));
        rows.push(Line::from(vec![Span::raw(indent.clone()), text]));
    }
    rows
}
