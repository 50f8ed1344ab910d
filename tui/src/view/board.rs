//! The dashboard: the sums, the table of meetings, and what is about to be done.

use plenary_shared::domain::InstanceState;
use plenary_shared::protocol::{BoardHead, BoardRow};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::over::boxed;
use super::title::gauge;
use super::{put, spread, whole};
use crate::clock::{minutes, minutes_left};
use crate::command::Command;
use crate::model::Model;
use crate::model::board::{Asking, Dashboard, Field, OLD_MS, Sort};
use crate::text;
use crate::theme::{Glyphs, Tone};

/// Rows above the table: two of sums and its head.
const HEAD_ROWS: u16 = 3;
/// From so many columns on everything is shown; below, what is needed least goes first.
const ALL_COLUMNS: usize = 110;
const RECON_COLUMNS: usize = 64;
const MINUTE_COLUMNS: usize = 56;
/// Columns of the question at most.
const ASKING_COLUMNS: u16 = 76;
/// People that are offered at once.
const OFFERED_MAX: usize = 6;

/// Draws the dashboard in place of the chat.
pub(super) fn draw(model: &Model, board: &Dashboard, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let body = Rect::new(0, 0, screen.width, screen.height.saturating_sub(2));
    frame.render_widget(Clear, screen);
    let columns = usize::from(body.width);
    let mut lines = vec![title(model, board, columns), sums(model, board, columns)];
    let table = Table::new(columns);
    lines.push(table.head(model, board));
    let rows = board.rows(model.now);
    let at = board.at(&rows);
    let height = usize::from(body.height.saturating_sub(HEAD_ROWS)).max(1);
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
    let line = |y: u16| Rect::new(0, y, screen.width, 1);
    super::status::draw(model, frame, line(screen.height.saturating_sub(2)));
    super::status::hints(model, frame, line(screen.height.saturating_sub(1)));
    if let Some(asking) = &board.asking {
        ask(model, asking, frame, body);
    } else if board.filtering {
        let laid = board.filter.laid(columns.saturating_sub(12).max(2));
        let written = laid.rows.get(laid.row).cloned().unwrap_or_default();
        let x = u16::try_from(laid.column + 9).unwrap_or(u16::MAX);
        let area = line(screen.height.saturating_sub(2));
        frame.render_widget(Clear, area);
        let spans = vec![
            Span::styled(" filter: ", model.theme.style(Tone::Strong)),
            Span::raw(written),
        ];
        put(frame, area, vec![Line::from(spans)]);
        frame.set_cursor_position(Position::new(x.min(screen.width - 1), area.y));
    }
}

fn title(model: &Model, board: &Dashboard, columns: usize) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let name = if columns >= 60 {
        " DASHBOARD  meetings"
    } else {
        " DASHBOARD"
    };
    let left = vec![Span::styled(name, theme.style(Tone::Strong))];
    let mut right = Vec::new();
    if !board.filter.is_empty() && columns >= 60 {
        let filter = text::fit(board.filter.text(), 20, glyphs.cut);
        right.push(Span::styled(
            format!("filter: {filter}  "),
            theme.style(Tone::Strong),
        ));
    }
    if columns >= 80 {
        let way = if board.reversed {
            glyphs.below
        } else {
            glyphs.above
        };
        right.push(Span::raw(format!("sort: {}{way}  ", board.sort.title())));
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
    spread(columns, left, right, glyphs.cut)
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
        connections,
        ..
    } = head;
    let spark = spark(&head.spark, 10, glyphs);
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
        ("UNARCHIVED", unarchived.to_string(), Tone::Plain),
        ("CONNECTIONS", connections.to_string(), Tone::Plain),
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

/// Which columns there are, and how wide.
struct Table {
    title: usize,
    left: usize,
    gauge: usize,
    all: bool,
    minute: bool,
    recon: bool,
}

const HERE: usize = 10;
const SMALL: usize = 6;
const MINUTE: usize = 6;
const SPARK: usize = 10;
const LAST: usize = 5;

impl Table {
    fn new(columns: usize) -> Self {
        let all = columns >= ALL_COLUMNS;
        let minute = columns >= MINUTE_COLUMNS;
        let recon = columns >= RECON_COLUMNS;
        let gauge = if all { 12 } else { 0 };
        let left = if columns >= MINUTE_COLUMNS { 14 } else { 10 };
        let sparks = if columns >= 80 { SPARK + 1 } else { 0 };
        let mut taken = 4 + left + gauge + HERE;
        taken += if minute { MINUTE + 1 + sparks } else { 0 };
        taken += if recon { SMALL + LAST + 1 } else { 0 };
        taken += if all { 2 * SMALL } else { 0 };
        Self {
            title: columns.saturating_sub(taken).max(6),
            left,
            gauge,
            all,
            minute,
            recon,
        }
    }

    fn has_spark(&self) -> bool {
        self.minute && self.recon && self.title + self.left > 26
    }

    fn head(&self, model: &Model, board: &Dashboard) -> Line<'static> {
        let glyphs = model.theme.glyphs;
        let name = |sort: Sort, cells: usize, right: bool| {
            let way = match (board.sort == sort, board.reversed) {
                (false, _) => "",
                (true, true) => glyphs.below,
                (true, false) => glyphs.above,
            };
            let said = format!("{}{way}", sort.title());
            if right {
                text::right(&said, cells, glyphs.cut)
            } else {
                text::left(&said, cells, glyphs.cut)
            }
        };
        let mut said = format!("    {}", name(Sort::Name, self.title, false));
        said.push_str(&name(Sort::Left, self.left + self.gauge, false));
        said.push_str(&name(Sort::Here, HERE, false));
        if self.all {
            said.push_str(&name(Sort::Late, SMALL, false));
            said.push_str(&name(Sort::Early, SMALL, false));
        }
        if self.minute {
            said.push_str(&name(Sort::Minute, MINUTE + 1 + self.spark_cells(), false));
        }
        if self.recon {
            said.push_str(&name(Sort::Lost, SMALL, false));
            said.push_str(&name(Sort::Last, LAST, true));
        }
        Line::styled(said, model.theme.style(Tone::Quiet))
    }

    fn spark_cells(&self) -> usize {
        if self.has_spark() { SPARK + 1 } else { 0 }
    }

    fn row(
        &self,
        model: &Model,
        board: &Dashboard,
        row: &BoardRow,
        selected: bool,
    ) -> Line<'static> {
        let (theme, glyphs) = (model.theme, model.theme.glyphs);
        let bar = if selected { glyphs.bar } else { " " };
        let marked = board.marked.contains(&row.instance);
        let mark = if marked { "*" } else { " " };
        let (state, tone) = state(row, model);
        let name = self.name(row, glyphs);
        let live = matches!(row.state, InstanceState::Active | InstanceState::Ending);
        let mut spans = vec![
            Span::raw(format!("{bar}{mark}")),
            Span::styled(format!("{state} "), theme.style(tone)),
            Span::raw(text::left(&name, self.title, glyphs.cut)),
        ];
        let (left, tone) = left(model, row, self.left.saturating_sub(1));
        spans.push(Span::styled(
            text::left(&left, self.left, glyphs.cut),
            theme.style(tone),
        ));
        if self.gauge > 0 {
            let total = row.todatetime.ms_since(row.fromdatetime).max(1);
            let over = model.now.ms_since(row.fromdatetime).clamp(0, total);
            let bar = match live && over < total {
                true => gauge(theme, 8, over, total),
                false => String::new(),
            };
            spans.push(Span::raw(text::left(&bar, self.gauge, "")));
        }
        let dash = glyphs.dash;
        let here = match (row.state, row.invited) {
            (InstanceState::Scheduled, Some(invited)) => format!("{dash}/{invited}"),
            (InstanceState::Scheduled, None) => dash.to_owned(),
            (InstanceState::Ended, Some(invited)) => format!("{}/{invited}", row.ever),
            (InstanceState::Ended, None) => row.ever.to_string(),
            (_, Some(invited)) => format!("{}/{invited}", row.here),
            (_, None) => row.here.to_string(),
        };
        spans.push(Span::raw(text::left(&here, HERE, glyphs.cut)));
        let figure = |n: u32| {
            if n == 0 {
                dash.to_owned()
            } else {
                n.to_string()
            }
        };
        if self.all {
            spans.push(Span::raw(text::left(&figure(row.late), SMALL, glyphs.cut)));
            spans.push(Span::raw(text::left(&figure(row.early), SMALL, glyphs.cut)));
        }
        if self.minute {
            let (said, curve) = match row.state {
                InstanceState::Ended => (format!("{} in all", row.messages), String::new()),
                InstanceState::Scheduled => (dash.to_owned(), String::new()),
                InstanceState::Active | InstanceState::Ending => {
                    (row.minute.to_string(), spark(&row.spark, SPARK, glyphs))
                }
            };
            let cells = self.spark_cells();
            if curve.is_empty() || cells == 0 {
                spans.push(Span::raw(text::left(&said, MINUTE + 1 + cells, glyphs.cut)));
            } else {
                spans.push(Span::raw(text::left(&said, MINUTE, glyphs.cut)));
                spans.push(Span::raw(text::left(&curve, cells + 1, "")));
            }
        }
        if self.recon {
            let tone = if row.reconnecting > 0 {
                Tone::Soon
            } else {
                Tone::Plain
            };
            let lost = text::left(&figure(row.reconnecting), SMALL, glyphs.cut);
            spans.push(Span::styled(lost, theme.style(tone)));
            let last = match row.last_message {
                Some(at) => ago(model.now.ms_since(at)),
                None => dash.to_owned(),
            };
            spans.push(Span::raw(text::right(&last, LAST, glyphs.cut)));
        }
        Line::from(spans)
    }
}

impl Table {
    /// The title gives way to what is said of it.
    fn name(&self, row: &BoardRow, glyphs: &Glyphs) -> String {
        let mut said = format!(" {}", row.instance);
        if !row.is_public {
            said = format!("{said} {}", glyphs.private);
        }
        let (locked, read_only) = match self.all {
            true => ("locked", "read-only"),
            false => ("L", "R"),
        };
        for (holds, word) in [(row.locked, locked), (row.read_only, read_only)] {
            if holds {
                said = format!("{said} [{word}]");
            }
        }
        let cells = self.title.saturating_sub(1);
        let room = cells.saturating_sub(text::width(&said)).max(6);
        let title = text::fit(&text::one_line(&row.title), room, glyphs.cut);
        text::fit(&format!("{title}{said}"), cells, glyphs.cut)
    }
}

fn state(row: &BoardRow, model: &Model) -> (&'static str, Tone) {
    let glyphs = model.theme.glyphs;
    match row.state {
        InstanceState::Scheduled => (glyphs.busy, Tone::Quiet),
        InstanceState::Active | InstanceState::Ending if row.todatetime <= model.now => {
            (glyphs.warning, Tone::Bad)
        }
        InstanceState::Active | InstanceState::Ending => (glyphs.live, Tone::Good),
        InstanceState::Ended => (glyphs.done, Tone::Quiet),
    }
}

fn left(model: &Model, row: &BoardRow, cells: usize) -> (String, Tone) {
    let now = model.now;
    let short = cells < 12;
    match row.state {
        InstanceState::Scheduled => {
            let begins = minutes(minutes_left(now, row.fromdatetime));
            let said = if short { "in" } else { "opens in" };
            (format!("{said} {begins}"), Tone::Plain)
        }
        InstanceState::Active | InstanceState::Ending => {
            let left = minutes_left(now, row.todatetime);
            match left {
                ..=0 => {
                    let over = now.ms_since(row.todatetime) / 60_000;
                    let word = if short { "" } else { " OVERRUN" };
                    (format!("+{}{word}", minutes(over)), Tone::Bad)
                }
                1..=5 => (minutes(left), Tone::Soon),
                _ => (minutes(left), Tone::Plain),
            }
        }
        InstanceState::Ended => {
            let at = model.zone.hm(row.todatetime);
            let said = if short { at } else { format!("ended {at}") };
            (said, Tone::Quiet)
        }
    }
}

fn ago(ms: i64) -> String {
    match ms.max(0) / 1_000 {
        seconds @ ..=59 => format!("{seconds}s"),
        seconds => minutes(seconds / 60),
    }
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

/// Draws the question over the lower part of the table.
fn ask(model: &Model, asking: &Asking, frame: &mut Frame<'_>, body: Rect) {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let offered = asking.matches();
    let offers = match asking.field {
        Field::Person => offered.len().clamp(1, OFFERED_MAX),
        Field::Minutes | Field::Text | Field::Reason => 0,
    };
    let rows = u16::try_from(offers).unwrap_or_default() + 4;
    let (width, height) = (body.width.min(ASKING_COLUMNS), body.height.min(rows));
    let x = (body.width - width) / 2;
    let area = Rect::new(x, body.bottom() - height, width, height);
    let enter = glyphs.keys[3];
    let does = match asking.field {
        Field::Person | Field::Minutes => "goes on",
        Field::Text | Field::Reason => "does it",
    };
    let note = format!("{enter} {does}  Esc leaves it");
    let inside = boxed(
        model,
        frame,
        area,
        &format!("{}?", asking.sentence()),
        &note,
    );
    if inside.is_empty() {
        return;
    }
    let columns = usize::from(inside.width);
    let question = text::fit(
        asking.field.question(),
        columns.saturating_sub(1),
        glyphs.cut,
    );
    let laid = asking.editor.laid(columns.saturating_sub(4).max(2));
    let written = laid.rows.get(laid.row).cloned().unwrap_or_default();
    let mut lines = vec![
        Line::styled(format!(" {question}"), theme.style(Tone::Quiet)),
        Line::raw(format!(" {} {written}", glyphs.prompt)),
    ];
    let picked = asking.picked.min(offered.len().saturating_sub(1));
    let skipped = (picked + 1).saturating_sub(OFFERED_MAX);
    for (nth, one) in offered.iter().enumerate().skip(skipped).take(offers) {
        let bar = if nth == picked { glyphs.bar } else { " " };
        let said = format!(
            "{bar}{}  {}",
            text::one_line(&one.name),
            text::one_line(&one.email)
        );
        let line = Line::raw(text::fit(&said, columns, glyphs.cut));
        let style = if nth == picked {
            theme.style(Tone::Reversed)
        } else {
            Style::new()
        };
        lines.push(whole(line, columns, style));
    }
    if offers > 0 && offered.is_empty() {
        let said = " nobody here is called so: write a whole address";
        lines.push(Line::styled(said, theme.style(Tone::Quiet)));
    }
    put(frame, inside, lines);
    let x = u16::try_from(laid.column + 3).unwrap_or(u16::MAX);
    let x = inside
        .x
        .saturating_add(x)
        .min(inside.right().saturating_sub(1));
    let y = (inside.y + 1).min(inside.bottom().saturating_sub(1));
    frame.set_cursor_position(Position::new(x, y));
}
