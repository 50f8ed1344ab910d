//! The search through all messages: the query, its state and the results.

use plenary_shared::protocol::SearchHit;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::{FOUND_MAX, Search, excerpt};
use crate::command::{Command, SearchCommand};
use crate::model::Model;
use crate::text;
use crate::theme::Tone;
use crate::widget::{boxed, put, whole};

/// The rows of a text that are shown.
const EXCERPT_ROWS: usize = 2;

pub fn draw(model: &Model, search: &Search, frame: &mut Frame<'_>, area: Rect) {
    let glyphs = model.theme.glyphs;
    let title = match search.from.filter(|_| search.here) {
        Some((id, _)) => {
            let title = model.instance(id).map(|one| text::one_line(&one.title));
            format!("Search in {} {id}", title.unwrap_or_default())
        }
        None => "Search all meetings".to_owned(),
    };
    let scope = model.key(Command::Search(SearchCommand::Scope));
    let other = if search.here {
        "all meetings"
    } else {
        "this meeting only"
    };
    let note = format!("{scope}: {other}  Esc closes");
    let inside = boxed(model.theme, frame, area, &title, &note);
    if inside.is_empty() {
        return;
    }
    let columns = usize::from(inside.width);
    let layout = search.query.layout(columns.saturating_sub(4).max(2));
    let written = layout.rows.get(layout.row).cloned().unwrap_or_default();
    let x = u16::try_from(layout.column + 3).unwrap_or(u16::MAX);
    let x = inside.x.saturating_add(x).min(inside.right() - 1);
    frame.set_cursor_position(Position::new(x, inside.y));
    let mut lines = vec![
        Line::raw(format!(" {} {written}", glyphs.prompt)),
        state(model, search, columns),
    ];
    let height = usize::from(inside.height).saturating_sub(lines.len());
    lines.extend(rows(model, search, columns, height));
    put(frame, inside, lines);
}

/// Describes the state of the search.
fn state(model: &Model, search: &Search, columns: usize) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let count = search.found.len();
    let enter = glyphs.keys[3];
    let (tone, said) = match &search.wrong {
        Some(why) => (
            Tone::Bad,
            format!("{} {}", glyphs.failed, text::one_line(why)),
        ),
        None if search.reading && count == 0 => (
            Tone::Quiet,
            format!("{} Searching{}", glyphs.busy, glyphs.cut),
        ),
        None if search.asked.is_none() => {
            let text = format!(
                "{enter} search  {dot}  from:ada  in:1/4  after:2026-11-01  before:2026-12-01  \"two words\"",
                dot = glyphs.dot
            );
            (Tone::Quiet, text)
        }
        None if !search.is_current() => (Tone::Quiet, format!("{enter} search again")),
        None if count == 0 => {
            let text = "No results. The latest messages may be missing";
            (Tone::Plain, text.to_owned())
        }
        None => {
            let at = search.selected.min(count - 1) + 1;
            let more = match (search.reading, search.next.is_some()) {
                (true, _) => format!(", loading more{}", glyphs.cut),
                (false, true) if count >= FOUND_MAX => ", more exist: narrow the search".to_owned(),
                (false, true) => ", more below".to_owned(),
                (false, false) => String::new(),
            };
            (
                Tone::Quiet,
                format!("{at} of {count}{more}, newest first  {enter} open"),
            )
        }
    };
    let said = text::fit(&format!(" {said}"), columns, glyphs.cut);
    Line::styled(said, theme.style(tone))
}

/// Returns the rows of as many results as fit, including the selected one.
fn rows(model: &Model, search: &Search, columns: usize, height: usize) -> Vec<Line<'static>> {
    let Some(last) = search.found.len().checked_sub(1) else {
        return Vec::new();
    };
    let sought = search.sought();
    let block = |at: usize| {
        one(
            model,
            &search.found[at],
            &sought,
            columns,
            at == search.selected,
        )
    };
    let selected = search.selected.min(last);
    // Scrolls by screens, and shows the selected result in full.
    let mut first = selected;
    let mut used = block(selected).len();
    while first > 0 {
        let more = block(first - 1).len();
        if used + more > height {
            break;
        }
        used += more;
        first -= 1;
    }
    (first..=last).flat_map(block).take(height).collect()
}

/// Returns the rows of a result: meeting, time and author, then the text.
fn one(
    model: &Model,
    found: &SearchHit,
    sought: &[(String, bool)],
    columns: usize,
    selected: bool,
) -> Vec<Line<'static>> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let message = &found.message;
    let mark = if found.live { glyphs.live } else { glyphs.done };
    let bar = if selected { glyphs.bar } else { " " };
    let at = model.zone;
    let time = if at.day(message.timestamp) == at.day(model.now) {
        at.hm(message.timestamp)
    } else {
        format!(
            "{} {}",
            at.day_title(message.timestamp),
            at.hm(message.timestamp)
        )
    };
    let own = model.my_id() == Some(message.user);
    let name = text::fit(&text::one_line(&message.name), columns / 4, glyphs.cut);
    let edited = if message.edited.is_some() {
        " (edited)"
    } else {
        ""
    };
    let taken = text::width(&time) + text::width(&name) + edited.len() + 8;
    let title = format!("{} {}", text::one_line(&found.title), found.instance);
    let title = text::fit(&title, columns.saturating_sub(taken).max(6), glyphs.cut);
    let head = Line::from(vec![
        Span::raw(format!("{bar}{mark} ")),
        Span::styled(title, theme.style(Tone::Strong)),
        Span::styled(format!("  {time}  "), theme.style(Tone::Quiet)),
        Span::styled(name, theme.name(message.user.get(), own)),
        Span::styled(edited, theme.style(Tone::Quiet)),
    ]);
    let cells = columns.saturating_sub(4).max(1);
    // Wrapping at words leaves some cells unused.
    let excerpt = excerpt(
        message.body.as_str(),
        sought,
        cells * EXCERPT_ROWS - cells / 4,
        glyphs.cut,
    );
    let said = text::wrap(&excerpt, cells).into_iter().take(EXCERPT_ROWS);
    let said = said.map(|row| {
        let mut spans = vec![Span::raw(format!("{bar}  "))];
        spans.extend(marked(&row, sought));
        Line::from(spans)
    });
    let rows = [head].into_iter().chain(said);
    let style = theme.style(Tone::Reversed);
    rows.map(|row| {
        if selected {
            whole(row, columns, style)
        } else {
            row
        }
    })
    .collect()
}

/// Highlights the matches in a row.
fn marked(row: &str, sought: &[(String, bool)]) -> Vec<Span<'static>> {
    let marks = Style::new().add_modifier(Modifier::UNDERLINED | Modifier::BOLD);
    let parts = text::split_at_terms(row, sought).into_iter();
    parts
        .map(|(part, found)| Span::styled(part, if found { marks } else { Style::new() }))
        .collect()
}
