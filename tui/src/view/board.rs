//! The dashboard: the sums, the table of meetings, and what is about to be done.

mod asking;
mod detail;
mod table;

use plenary_shared::protocol::BoardHead;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::{put, spread, whole};
use crate::command::Command;
use crate::model::Model;
use crate::model::board::{Dashboard, OLD_MS};
use crate::model::editor::Editor;
use crate::text;
use crate::theme::{Glyphs, Tone};
use table::Table;

/// Rows above the table: two of sums and its head.
const HEAD_ROWS: u16 = 3;
/// Draws the dashboard in place of the chat.
pub(super) fn draw(model: &Model, board: &Dashboard, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let body = Rect::new(0, 0, screen.width, screen.height.saturating_sub(2));
    frame.render_widget(Clear, screen);
    match &board.drill {
        Some(drill) => detail::page(model, board, drill, frame, body),
        None => table(model, board, frame, body),
    }
    let line = |y: u16| Rect::new(0, y, screen.width, 1);
    super::status::draw(model, frame, line(screen.height.saturating_sub(2)));
    super::status::hints(model, frame, line(screen.height.saturating_sub(1)));
    let in_drill = board.drill.as_ref();
    let filter = match in_drill.filter(|drill| drill.filtering) {
        Some(drill) => Some(&drill.filter),
        None => Some(&board.filter).filter(|_| board.filtering),
    };
    if let Some(asked) = &board.asking {
        asking::ask(model, asked, frame, body);
    } else if let Some(filter) = filter {
        filter_line(model, filter, frame, line(screen.height.saturating_sub(2)));
    }
}

/// What is written in a filter.
fn filter_line(model: &Model, filter: &Editor, frame: &mut Frame<'_>, area: Rect) {
    let laid = filter.laid(usize::from(area.width).saturating_sub(12).max(2));
    let written = laid.rows.get(laid.row).cloned().unwrap_or_default();
    let x = u16::try_from(laid.column + 9).unwrap_or(u16::MAX);
    frame.render_widget(Clear, area);
    let spans = vec![
        Span::styled(" filter: ", model.theme.style(Tone::Strong)),
        Span::raw(written),
    ];
    put(frame, area, vec![Line::from(spans)]);
    frame.set_cursor_position(Position::new(x.min(area.width - 1), area.y));
}

/// Draws the table, and on a large screen the selected meeting below it.
fn table(model: &Model, board: &Dashboard, frame: &mut Frame<'_>, body: Rect) {
    let columns = usize::from(body.width);
    let mut lines = vec![title(model, board, columns), sums(model, board, columns)];
    let table = Table::new(columns);
    lines.push(table.head(model, board));
    let rows = board.rows(model.now);
    let at = board.at(&rows);
    let mut height = usize::from(body.height.saturating_sub(HEAD_ROWS)).max(1);
    if let Some(row) = rows
        .get(at)
        .filter(|row| model.detailed() == Some(row.instance))
    {
        height = height.min(
            rows.len()
                .clamp(1, usize::from(body.height / 2 - HEAD_ROWS)),
        );
        let taken = u16::try_from(height)
            .unwrap_or(u16::MAX)
            .saturating_add(HEAD_ROWS);
        let area = Rect {
            y: taken,
            height: body.height.saturating_sub(taken),
            ..body
        };
        detail::below(model, board, row, frame, area);
    }
    // As little above as keeps the selected row in sight, in steps of a screen.
    let skipped = at - at % height;
    for (nth, row) in rows.iter().enumerate().skip(skipped).take(height) {
        let line = table.row(model, board, row, nth == at);
        lines.push(if nth == at {
            whole(line, columns, model.theme.style(Tone::Reversed))
        } else {
            line
        });
    }
    if rows.is_empty() {
        let said = match &board.picture().head {
            None => format!(
                " {} asking{}",
                model.theme.glyphs.busy, model.theme.glyphs.cut
            ),
            Some(_) if board.filter.is_empty() => " no meeting goes on, or begins soon".to_owned(),
            Some(_) => " the filter lets nothing through".to_owned(),
        };
        lines.push(Line::styled(said, model.theme.style(Tone::Quiet)));
    }
    put(frame, body, lines);
    let row = u16::try_from(at - skipped).unwrap_or_default();
    let y = (HEAD_ROWS + row).min(body.height.saturating_sub(1));
    frame.set_cursor_position(Position::new(0, y));
}

fn title(model: &Model, board: &Dashboard, columns: usize) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let name = if columns >= 60 {
        " DASHBOARD  meetings"
    } else {
        " DASHBOARD"
    };
    let left = vec![Span::styled(name, theme.style(Tone::Strong))];
    let sort = (board.sort.title(), board.reversed);
    let right = state_of(model, board, &board.filter, sort, columns);
    spread(columns, left, right, glyphs.cut)
}

/// What is filtered, by what it is sorted, whether the picture is live, and its time.
fn state_of(
    model: &Model,
    board: &Dashboard,
    filter: &Editor,
    (sort, reversed): (&str, bool),
    columns: usize,
) -> Vec<Span<'static>> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let mut right = Vec::new();
    if !filter.is_empty() && columns >= 60 {
        let filter = text::fit(filter.text(), 20, glyphs.cut);
        right.push(Span::styled(
            format!("filter: {filter}  "),
            theme.style(Tone::Strong),
        ));
    }
    if columns >= 80 {
        let way = if reversed { glyphs.below } else { glyphs.above };
        right.push(Span::raw(format!("sort: {sort}{way}  ")));
    }
    let head = board.picture().head.as_ref();
    let (tone, said) = match head {
        _ if board.frozen.is_some() => {
            let key = model.key(Command::BoardFreeze);
            (Tone::Soon, format!("FROZEN ({key} goes on)  "))
        }
        Some(head) if model.now.ms_since(head.now) > OLD_MS => {
            (Tone::Bad, format!("{} old  ", glyphs.warning))
        }
        Some(_) => (Tone::Good, format!("{} live  ", glyphs.live)),
        None => (Tone::Quiet, String::new()),
    };
    right.push(Span::styled(said, theme.style(tone)));
    if let Some(head) = head {
        right.push(Span::raw(format!("{} ", model.zone.hms(head.now))));
    }
    right
}

fn sums(model: &Model, board: &Dashboard, columns: usize) -> Line<'static> {
    let Some(head) = &board.picture().head else {
        return Line::default();
    };
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let alarming = |n: u64| if n > 0 { Tone::Soon } else { Tone::Plain };
    let BoardHead {
        live,
        soon,
        overrun,
        here,
        peak,
        reconnecting,
        minute,
        unarchived,
        delivery_p95_ms,
        errors,
        ..
    } = head;
    let spark = spark(&head.spark, 10, glyphs);
    let lag = match delivery_p95_ms {
        Some(ms) => format!("{ms} ms"),
        None => glyphs.dash.to_owned(),
    };
    let parts = [
        ("LIVE", live.to_string(), Tone::Plain),
        ("SOON", soon.to_string(), Tone::Plain),
        ("PEOPLE", here.to_string(), Tone::Plain),
        ("MSG/min", minute.to_string(), Tone::Plain),
        (
            "RECONNECTING",
            reconnecting.to_string(),
            alarming((*reconnecting).into()),
        ),
        ("OVERRUN", overrun.to_string(), alarming((*overrun).into())),
        ("LAG p95", lag, Tone::Plain),
        ("ERR", errors.to_string(), alarming(*errors)),
        ("UNARCHIVED", unarchived.to_string(), Tone::Plain),
    ];
    let mut spans = Vec::new();
    let mut room = columns;
    for (name, figure, tone) in parts {
        let more = match name {
            "PEOPLE" if columns >= 80 => format!(" (peak {peak})"),
            "MSG/min" if columns >= 80 => format!(" {spark}"),
            _ => String::new(),
        };
        let name = match name {
            "RECONNECTING" if columns < 110 => "RECON",
            "MSG/min" if columns < 60 => "MSG",
            other => other,
        };
        let cells = text::width(name) + text::width(&figure) + text::width(&more) + 3;
        if cells > room {
            break;
        }
        room -= cells;
        spans.push(Span::styled(format!(" {name} "), theme.style(Tone::Quiet)));
        let tone = if tone == Tone::Plain {
            Tone::Strong
        } else {
            tone
        };
        spans.push(Span::styled(figure, theme.style(tone)));
        spans.push(Span::raw(format!("{more} ")));
    }
    Line::from(spans)
}

/// A small curve of the last figures; the highest of them fills its cell.
fn spark(figures: &[u64], cells: usize, glyphs: &Glyphs) -> String {
    let figures = &figures[figures.len().saturating_sub(cells)..];
    let most = figures.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let steps = glyphs.spark.len() as u64 - 1;
    let glyph = |figure: &u64| {
        // The least that is something is seen.
        let step = (figure * steps).div_ceil(most);
        glyphs.spark[usize::try_from(step).unwrap_or_default()]
    };
    figures.iter().map(glyph).collect()
}
