//! Helpers that several views draw with: rows, selected rows and frames.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use crate::text;
use crate::theme::{Theme, Tone};

/// Draws lines into an area, as many as it has rows.
pub fn put(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'static>>) {
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        frame.render_widget(line, Rect::new(area.x, y, area.width, 1));
    }
}

/// Returns a line with a left and a right part. The left part is cut if the line is too narrow.
pub fn spread(
    columns: usize,
    left: Vec<Span<'static>>,
    right: Vec<Span<'static>>,
    cut: &str,
) -> Line<'static> {
    let wide =
        |spans: &[Span<'_>]| -> usize { spans.iter().map(|s| text::width(&s.content)).sum() };
    let kept = wide(&right);
    let mut spans = Vec::new();
    let mut room = columns.saturating_sub(kept);
    for span in left {
        let shown = text::fit(&span.content, room, cut);
        room -= text::width(&shown).min(room);
        let full = shown == span.content;
        spans.push(Span::styled(shown, span.style));
        if !full {
            break;
        }
    }
    spans.push(Span::raw(" ".repeat(room)));
    spans.extend(right);
    Line::from(spans)
}

/// Styles a selected row.
pub fn select(line: Line<'static>, style: Style) -> Line<'static> {
    line.patch_style(style)
}

/// Styles a selected row up to the right end of its area.
pub fn whole(mut line: Line<'static>, columns: usize, style: Style) -> Line<'static> {
    let free = columns.saturating_sub(line.width());
    line.push_span(Span::raw(" ".repeat(free)));
    select(line, style)
}

/// Clears an area, draws a frame around it, and returns the area inside.
pub fn boxed(theme: Theme, frame: &mut Frame<'_>, area: Rect, title: &str, note: &str) -> Rect {
    frame.render_widget(Clear, area);
    if area.width < 3 || area.height < 3 {
        return area;
    }
    let glyphs = theme.glyphs;
    let style = theme.style(Tone::Quiet);
    let [upper_left, upper_right, lower_right, lower_left] = glyphs.corners;
    let inner = usize::from(area.width - 2);
    let title = text::fit(&format!(" {title} "), inner.saturating_sub(1), glyphs.cut);
    let room = inner.saturating_sub(text::width(&title) + 1);
    let note = if note.is_empty() {
        String::new()
    } else {
        format!(" {note} ")
    };
    let (note, rest) = if !note.is_empty() && text::width(&note) < room {
        let rest = room - text::width(&note) - 1;
        (note, rest)
    } else {
        (String::new(), room)
    };
    let end = if note.is_empty() {
        String::new()
    } else {
        glyphs.rule.to_owned()
    };
    let top = Line::from(vec![
        Span::styled(format!("{upper_left}{}", glyphs.rule), style),
        Span::styled(title, theme.style(Tone::Strong)),
        Span::styled(
            format!("{}{note}{end}{upper_right}", glyphs.rule.repeat(rest)),
            style,
        ),
    ]);
    let bottom = Line::styled(
        format!("{lower_left}{}{lower_right}", glyphs.rule.repeat(inner)),
        style,
    );
    put(frame, area, vec![top]);
    put(
        frame,
        Rect::new(area.x, area.bottom() - 1, area.width, 1),
        vec![bottom],
    );
    let side = Line::styled(glyphs.standing, style);
    for y in area.top() + 1..area.bottom() - 1 {
        frame.render_widget(&side, Rect::new(area.x, y, 1, 1));
        frame.render_widget(&side, Rect::new(area.right() - 1, y, 1, 1));
    }
    Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2)
}

/// Returns a bar of `cells` cells that is filled by `part` of `whole`.
pub fn gauge(theme: Theme, cells: i64, part: i64, whole: i64) -> String {
    let [start, end] = theme.glyphs.ends;
    let glyphs = theme.glyphs.parts;
    let steps = i64::try_from(glyphs.len() - 1).unwrap_or(1);
    let filled = part * cells * steps / whole;
    let bar = (0..cells).map(|cell| {
        let here = (filled - cell * steps).clamp(0, steps);
        glyphs[usize::try_from(here).unwrap_or_default()]
    });
    format!("{start}{}{end}", bar.collect::<String>())
}
