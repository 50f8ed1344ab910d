//! The title line: title, state, times, remaining time, participants and clock.

use plenary_shared::domain::{Instance, InstanceState};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::put;
use crate::clock::{self, minutes_left};
use crate::layout::Form;
use crate::model::Model;
use crate::text;
use crate::theme::Tone;
use crate::widget::gauge;

/// Minutes before the end from which the remaining time is highlighted.
const SOON_MINUTES: i64 = 5;
/// Minutes before the end from which it is shown as urgent.
const LAST_MINUTES: i64 = 1;

/// A part of the line, omitted if it does not fit.
struct Part {
    text: String,
    style: Style,
    /// Parts with the lowest rank are left out first.
    rank: u8,
    right: bool,
}

/// Draws the title line.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let columns = usize::from(area.width);
    let instance = model.shown.and_then(|id| model.instance(id));
    let mut parts = instance.map_or_else(Vec::new, |instance| parts(model, instance, columns));
    let glyphs = model.theme.glyphs;
    let clock = format!("{} {} ", glyphs.clock, model.zone.hm(model.now));
    parts.push(part(clock, Style::new(), 70, true));
    let title = match (instance, model.room()) {
        (Some(instance), _) => text::one_line(&instance.title),
        (None, Some(room)) => format!("meeting {}", room.id),
        (None, None) => "plenary".to_owned(),
    };
    let title_min = text::width(&title).min(columns / 3).min(20) + 1;
    let width = |parts: &[Part]| -> usize {
        parts
            .iter()
            .map(|part| text::width(&part.text) + 2)
            .sum::<usize>()
    };
    while width(&parts) + title_min > columns && !parts.is_empty() {
        let least = parts.iter().map(|part| part.rank).min().unwrap_or_default();
        parts.retain(|part| part.rank != least);
    }
    let room = columns.saturating_sub(width(&parts) + 1);
    let title = text::fit(&title, room, glyphs.cut);
    let mut left = vec![
        Span::raw(" "),
        Span::styled(title, model.theme.style(Tone::Strong)),
    ];
    let mut right = Vec::new();
    for part in parts {
        let side = if part.right { &mut right } else { &mut left };
        side.push(Span::raw("  "));
        side.push(Span::styled(part.text, part.style));
    }
    put(
        frame,
        area,
        vec![super::spread(columns, left, right, glyphs.cut)],
    );
}

fn parts(model: &Model, instance: &Instance, columns: usize) -> Vec<Part> {
    let (theme, zone, glyphs) = (model.theme, model.zone, model.theme.glyphs);
    let mut parts = vec![part(
        instance.id.to_string(),
        theme.style(Tone::Quiet),
        40,
        false,
    )];
    let (from, to) = (instance.fromdatetime, instance.end());
    let times = zone.span(from, to, model.now, glyphs.dash);
    match instance.state {
        InstanceState::Active => {
            let live = format!("{} LIVE", glyphs.live);
            parts.push(part(live, theme.style(Tone::Good), 50, false));
            if let Some(restricted) = model.restricted() {
                let style = theme.style(Tone::Soon);
                parts.push(part(restricted.word().to_owned(), style, 95, false));
            }
            parts.push(part(times, Style::new(), 35, false));
            parts.extend(remaining(model, instance, columns));
        }
        InstanceState::Scheduled => {
            let left = clock::left(model.now, instance.fromdatetime);
            parts.push(part(times, Style::new(), 50, false));
            parts.push(part(format!("starts in {left}"), Style::new(), 90, true));
        }
        InstanceState::Ending | InstanceState::Ended => {
            let ended = if instance.cancelled {
                format!("{} cancelled", glyphs.failed)
            } else {
                format!("{} ended", glyphs.done)
            };
            parts.push(part(ended, Style::new(), 90, false));
            parts.push(part(times, theme.style(Tone::Quiet), 50, false));
        }
    }
    if !instance.is_public {
        let text = if columns >= 100 {
            format!("{} private", glyphs.private)
        } else {
            glyphs.private.to_owned()
        };
        parts.push(part(text, Style::new(), 25, false));
    }
    parts
}

/// Returns the remaining minutes, a gauge of the elapsed time, and the number of participants.
fn remaining(model: &Model, instance: &Instance, columns: usize) -> Vec<Part> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let left = minutes_left(model.now, instance.todatetime);
    let (tone, mark) = match left {
        ..=LAST_MINUTES => (Tone::Bad, format!("{} ", glyphs.warning)),
        2..=SOON_MINUTES => (Tone::Soon, String::new()),
        _ => (Tone::Plain, String::new()),
    };
    let style = theme.style(tone);
    let cells = match model.panes().form {
        Form::Three => 20,
        Form::Two => 12,
        Form::Tabs | Form::Narrow | Form::Tiny => 8,
    };
    let total_ms = instance.todatetime.ms_since(instance.fromdatetime).max(1);
    // In whole minutes, to change together with the number.
    let over_ms = (total_ms - left * 60_000).clamp(0, total_ms);
    let percent = over_ms * 100 / total_ms;
    let gauge = gauge(theme, cells, over_ms, total_ms);
    let mut parts = vec![part(
        format!("{mark}{} left", clock::left(model.now, instance.todatetime)),
        style,
        90,
        true,
    )];
    parts.push(part(gauge, style, 38, true));
    if columns >= 90 {
        parts.push(part(format!("{percent}%"), Style::new(), 20, true));
    }
    parts.push(part(
        format!("{} here", instance.participants),
        Style::new(),
        60,
        true,
    ));
    parts
}

fn part(text: String, style: Style, rank: u8, right: bool) -> Part {
    Part {
        text,
        style,
        rank,
        right,
    }
}

/// Returns date and times for the description of a meeting.
pub(super) fn when(model: &Model, instance: &Instance) -> Line<'static> {
    let (zone, glyphs) = (model.zone, model.theme.glyphs);
    let (from, to) = (instance.fromdatetime, instance.end());
    let day = zone.day_title(from);
    // The day of the start stands before the times.
    let times = zone.span(from, to, from, glyphs.dash);
    Line::raw(format!("{day}, {times}"))
}
