//! The status line and the hints below a screen of admins, or the filter while it has the focus.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::status;
use crate::model::Model;
use crate::model::editor::Editor;
use crate::model::filter::Filter;
use crate::theme::Tone;
use crate::widget::put;

/// Draws the status line, or the filter while it has the focus, and the hints.
pub(super) fn draw(model: &Model, filter: &Filter, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let line = |y: u16| Rect::new(0, y, screen.width, 1);
    status::hints(model, frame, line(screen.height.saturating_sub(1)));
    let status = line(screen.height.saturating_sub(2));
    if filter.has_focus {
        filter_line(model, &filter.editor, frame, status);
    } else {
        status::draw(model, frame, status);
    }
}

fn filter_line(model: &Model, filter: &Editor, frame: &mut Frame<'_>, area: Rect) {
    let layout = filter.layout(usize::from(area.width).saturating_sub(12).max(2));
    let written = layout.rows.get(layout.row).cloned().unwrap_or_default();
    let x = u16::try_from(layout.column + 9).unwrap_or(u16::MAX);
    frame.render_widget(Clear, area);
    let spans = vec![
        Span::styled(" filter: ", model.theme.style(Tone::Strong)),
        Span::raw(written),
    ];
    put(frame, area, vec![Line::from(spans)]);
    frame.set_cursor_position(Position::new(x.min(area.width - 1), area.y));
}
