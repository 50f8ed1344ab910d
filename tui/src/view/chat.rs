//! The chat: the log of the meeting on screen, or a description of one that is not open.

use plenary_shared::domain::{Instance, InstanceState};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::{put, title, whole};
use crate::clock;
use crate::link::Links;
use crate::model::layer::selection::Selection;
use crate::model::room::Room;
use crate::model::scroll::{Place, ScreenRow};
use crate::model::timeline::RoomView;
use crate::model::{Link, Model, scroll};
use crate::text;
use crate::theme::Tone;

/// Rows shown of a description.
const DESCRIPTION_ROWS_MAX: usize = 8;

/// Rows for the names of waiting users.
const WAITING_ROWS_MAX: usize = 4;

/// Spans of a message's first row before its text: time, blanks, name, blanks.
const WHO_SPANS: usize = 4;

/// Draws the chat. Returns the links in it.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) -> Links {
    if area.is_empty() {
        return Links::new();
    }
    match (model.room(), model.shown.and_then(|id| model.instance(id))) {
        (Some(room), _) => return log(model, room, frame, area),
        (None, Some(instance)) => put(frame, area, card(model, instance, area)),
        (None, None) => put(frame, area, nothing(model, area)),
    }
    Links::new()
}

fn log(model: &Model, room: &Room, frame: &mut Frame<'_>, area: Rect) -> Links {
    let height = usize::from(area.height);
    let view = model.room_view(room);
    let shown = scroll::window(&view, height);
    let links = links(&view, &shown);
    let selected = model.selected().map(|event| Place::Event(event.seq));
    let is_selected = |row: &ScreenRow| Some(row.place) == selected && row.row >= 0;
    let cursor = shown.iter().position(is_selected);
    let sought = model
        .layers
        .get::<Selection>()
        .map_or("", |select| &select.sought);
    let columns = usize::from(area.width);
    let rows: Vec<Line<'static>> = shown
        .into_iter()
        .map(|row| {
            let chosen = is_selected(&row);
            let line = match row.place {
                Place::Event(_) if row.row >= 0 => marked(row.line, sought),
                Place::Event(_) | Place::Tail => row.line,
            };
            if chosen {
                whole(line, columns, model.theme.style(Tone::Reversed))
            } else {
                line
            }
        })
        .collect();
    // A short log is aligned to the bottom, next to the input.
    let free = u16::try_from(height - rows.len().min(height)).unwrap_or_default();
    let below = Rect::new(area.x, area.y + free, area.width, area.height - free);
    put(frame, below, rows);
    if let Some(row) =
        cursor.filter(|_| model.query().is_none() && model.layers.is_top::<Selection>())
    {
        let y = below.y + u16::try_from(row).unwrap_or_default();
        frame.set_cursor_position(Position::new(area.x, y));
    }
    links
}

/// Returns the links of the messages on the screen.
fn links(view: &RoomView<'_>, shown: &[ScreenRow]) -> Links {
    let log = view.room.log.as_ref();
    let mut seqs: Vec<_> = shown
        .iter()
        .filter_map(|row| match row.place {
            Place::Event(seq) => Some(seq),
            Place::Tail => None,
        })
        .collect();
    seqs.dedup();
    let events = seqs.into_iter().filter_map(|seq| log?.event(seq));
    events.flat_map(|event| view.links(event)).collect()
}

/// Highlights the search matches in the text of a row.
fn marked(line: Line<'static>, sought: &str) -> Line<'static> {
    if sought.is_empty() {
        return line;
    }
    let mut line = line;
    // Rows start with blanks, or with time, blanks, name and blanks.
    let is_first = |span: &Span<'_>| !span.content.starts_with(' ');
    let head = if line.spans.first().is_some_and(is_first) {
        WHO_SPANS
    } else {
        1
    };
    let said = line.spans.split_off(head.min(line.spans.len()));
    for span in said {
        let parts = text::split_at_matches(&span.content, sought);
        line.spans.extend(parts.into_iter().map(|(part, found)| {
            let style = if found {
                let marks = Modifier::UNDERLINED | Modifier::BOLD;
                span.style.add_modifier(marks)
            } else {
                span.style
            };
            Span::styled(part, style)
        }));
    }
    line
}

/// Draws the marker at the right of its row: more below, and how much of it is unread.
pub(super) fn marker(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some(room) = model.room().filter(|_| !area.is_empty()) else {
        return;
    };
    let glyphs = model.theme.glyphs;
    let text = if room.unread > 0 {
        format!(" {} {} new ", glyphs.below, room.unread)
    } else {
        format!(" {} newest ", glyphs.below)
    };
    let text = text::fit(&text, usize::from(area.width), glyphs.cut);
    let width = u16::try_from(text::width(&text)).unwrap_or(area.width);
    let at = Rect::new(
        area.right() - width.min(area.width),
        area.bottom() - 1,
        width,
        1,
    );
    let line = Line::styled(text, model.theme.style(Tone::Reversed));
    frame.render_widget(line, at.intersection(area));
}

/// Describes a meeting that is not open, and what Enter does.
fn card(model: &Model, instance: &Instance, area: Rect) -> Vec<Line<'static>> {
    let cells = usize::from(area.width).saturating_sub(4).clamp(1, 70);
    let theme = model.theme;
    let mut rows = vec![Line::default()];
    for row in text::wrap(&text::one_line(&instance.title), cells) {
        rows.push(Line::styled(row, theme.style(Tone::Strong)));
    }
    rows.push(title::when(model, instance));
    let audience = if instance.is_public {
        "Public: any signed-in user can join".to_owned()
    } else {
        format!("{} Private: invited users only", theme.glyphs.private)
    };
    rows.push(Line::styled(audience, theme.style(Tone::Quiet)));
    rows.push(Line::default());
    let described = text::lines(instance.description.trim());
    let described = described.iter().flat_map(|line| text::wrap(line, cells));
    if !instance.description.trim().is_empty() {
        rows.extend(described.take(DESCRIPTION_ROWS_MAX).map(Line::raw));
        rows.push(Line::default());
    }
    let enter = theme.glyphs.keys[3];
    let (said, hint) = match instance.state {
        InstanceState::Active => {
            let left = clock::left(model.now, instance.todatetime);
            let here = match instance.participants {
                0 => "no participants yet".to_owned(),
                1 => "1 participant".to_owned(),
                count => format!("{count} participants"),
            };
            (
                format!("{} live, {left} left, {here}", theme.glyphs.live),
                format!("{enter} join"),
            )
        }
        InstanceState::Scheduled => {
            let left = countdown(model, instance);
            let hint = if model.meetings.joins_automatically(instance.id) {
                format!("You'll join at the start. {enter} to cancel")
            } else {
                format!("{enter} join automatically when it starts")
            };
            (format!("{} starts in {left}", theme.glyphs.busy), hint)
        }
        InstanceState::Ending | InstanceState::Ended if instance.cancelled => (
            format!("{} cancelled", theme.glyphs.failed),
            "Cancelled by an admin before it started".to_owned(),
        ),
        InstanceState::Ending | InstanceState::Ended => (
            format!("{} ended", theme.glyphs.done),
            format!("{enter} read messages"),
        ),
    };
    rows.push(Line::raw(said));
    if let Some(waiting) = model.describe_waiting(instance.id) {
        let waiting = text::wrap(&waiting, cells).into_iter();
        rows.extend(waiting.take(WAITING_ROWS_MAX).map(Line::raw));
    }
    let hint = text::wrap(&hint, cells).into_iter();
    rows.extend(hint.map(|row| Line::styled(row, theme.style(Tone::Strong))));
    indented(rows, cells)
}

/// Returns the time until a meeting starts, in seconds during the last minute.
fn countdown(model: &Model, instance: &Instance) -> String {
    let left_s = (instance.fromdatetime.ms_since(model.now).max(0) + 999) / 1_000;
    if left_s <= 60 {
        format!("{left_s} s")
    } else {
        clock::left(model.now, instance.fromdatetime)
    }
}

/// Returns the text for an empty meeting list.
fn nothing(model: &Model, area: Rect) -> Vec<Line<'static>> {
    let cells = usize::from(area.width).saturating_sub(4).max(1);
    let text = match &model.connection.link {
        _ if model.meetings.loaded => {
            "No live or upcoming meetings. New ones appear here automatically."
        }
        Link::Off | Link::Connecting { .. } | Link::Greeting => "Connecting",
        Link::Ready => "Loading meetings",
        Link::Lost { .. } => "Not connected. Meetings appear once the connection is back.",
    };
    let rows = text::wrap(text, cells)
        .into_iter()
        .map(Line::raw)
        .collect::<Vec<_>>();
    indented([Line::default()].into_iter().chain(rows).collect(), cells)
}

fn indented(rows: Vec<Line<'static>>, cells: usize) -> Vec<Line<'static>> {
    let indent = |line: Line<'static>| {
        let style = line.style;
        let shown: Vec<Span<'static>> = [Span::raw("  ")]
            .into_iter()
            .chain(line.spans.into_iter().map(|span| {
                Span::styled(text::fit(&span.content, cells, ""), span.style.patch(style))
            }))
            .collect();
        Line::from(shown)
    };
    rows.into_iter().map(indent).collect()
}
