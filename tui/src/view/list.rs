//! The meeting list, as a pane and as a tab strip.

use plenary_shared::domain::{Instance, InstanceState};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{put, select, spread};
use crate::clock;
use crate::command::{Command, MeetingsCommand};
use crate::model::Model;
use crate::model::meetings::{Entry, Group, ListLine};
use crate::text;
use crate::theme::Tone;

/// The highest number with a key.
const NUMBER_MAX: usize = 9;

/// Draws the list. Returns the position of the selected row.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) -> Option<Position> {
    let columns = usize::from(area.width);
    let height = usize::from(area.height).saturating_sub(1);
    let (lines, skipped) = model.list(height);
    let mut selected = None;
    let mut rows = Vec::with_capacity(lines.len());
    for line in &lines {
        rows.push(match line {
            ListLine::Group(group, count) => group_row(model, *group, *count, columns),
            ListLine::Entry(entry) => {
                let chosen = model.shown == Some(entry.instance.id);
                if chosen {
                    selected = Some(rows.len());
                }
                row(model, entry, chosen, columns)
            }
        });
    }
    if lines.is_empty() {
        let text = if model.meetings.loaded {
            " No meetings"
        } else {
            ""
        };
        rows.push(Line::styled(text, model.theme.style(Tone::Quiet)));
    }
    let glyphs = model.theme.glyphs;
    let find = match model.meetings.cached_at {
        Some(at) => format!("as of {}", model.zone.hm(at)),
        None => format!(
            "{} find",
            model.key(Command::Meetings(MeetingsCommand::Find))
        ),
    };
    let head = spread(
        columns,
        vec![Span::styled(" MEETINGS", model.theme.style(Tone::Strong))],
        vec![Span::styled(find, model.theme.style(Tone::Quiet))],
        glyphs.cut,
    );
    let shown = rows.into_iter().skip(skipped);
    put(frame, area, [head].into_iter().chain(shown).collect());
    let y = u16::try_from(selected?.checked_sub(skipped)? + 1).ok()?;
    (y < area.height).then(|| Position::new(area.x, area.y + y))
}

/// Draws the tab strip.
pub(super) fn tabs(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let columns = usize::from(area.width);
    let glyphs = model.theme.glyphs;
    let entries = model.meetings.entries(model.now, model.zone);
    let at = entries
        .iter()
        .position(|entry| model.shown == Some(entry.instance.id))
        .unwrap_or(0);
    let find = model.key(Command::Meetings(MeetingsCommand::Find));
    let find_cells = 5 + text::width(&find);
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    let mut hidden = 0;
    // Start at the first tab that leaves room for the selected one.
    let labels: Vec<String> = entries
        .iter()
        .map(|entry| tab(model, entry, columns))
        .collect();
    let room = columns.saturating_sub(find_cells);
    let mut first = at;
    let mut cells = labels.get(at).map_or(0, |tab| text::width(tab));
    while first > 0 && cells + text::width(&labels[first - 1]) <= room {
        first -= 1;
        cells += text::width(&labels[first]);
    }
    for (index, shown) in labels.iter().enumerate().skip(first) {
        let more = text::width(shown);
        if hidden > 0 || (used + more > room && index != at) {
            hidden += 1;
            continue;
        }
        used += more;
        let style = if index == at {
            model.theme.style(Tone::Reversed)
        } else if unread(model, entries[index].instance).is_empty() {
            model.theme.style(Tone::Plain)
        } else {
            model.theme.style(Tone::Strong)
        };
        spans.push(Span::styled(shown.clone(), style));
    }
    hidden += first;
    let right = if hidden > 0 {
        format!("+{hidden} {find} ")
    } else {
        format!("{find} ")
    };
    let right = vec![Span::styled(right, model.theme.style(Tone::Quiet))];
    put(frame, area, vec![spread(columns, spans, right, glyphs.cut)]);
}

fn tab(model: &Model, entry: &Entry<'_>, columns: usize) -> String {
    let glyphs = model.theme.glyphs;
    let title = text::one_line(&entry.instance.title);
    let title = text::fit(&title, (columns / 5).clamp(6, 14), glyphs.cut);
    let number = number(entry).unwrap_or(' ');
    let joined = if is_joined(model, entry.instance) {
        glyphs.live
    } else if model.meetings.joins_automatically(entry.instance.id) {
        glyphs.busy
    } else {
        " "
    };
    let unread = unread(model, entry.instance);
    let right = match entry.group {
        Group::Live if unread.is_empty() => String::new(),
        Group::Live => format!(" {unread}"),
        Group::Ended if !unread.is_empty() => format!(" {} {unread}", glyphs.done),
        Group::Soon | Group::Today | Group::Tomorrow | Group::Later | Group::Ended => {
            format!(" {}", time(model, entry))
        }
    };
    format!(" {number}{joined}{title}{right} ")
}

fn group_row(model: &Model, group: Group, count: usize, columns: usize) -> Line<'static> {
    let glyphs = model.theme.glyphs;
    let style = model.theme.style(Tone::Quiet);
    spread(
        columns,
        vec![Span::styled(
            format!("{} {}", glyphs.group, group.title()),
            style,
        )],
        vec![Span::styled(format!("{count} "), style)],
        glyphs.cut,
    )
}

fn row(model: &Model, entry: &Entry<'_>, chosen: bool, columns: usize) -> Line<'static> {
    let glyphs = model.theme.glyphs;
    let instance = entry.instance;
    let bar = if chosen { glyphs.bar } else { " " };
    let number = number(entry).unwrap_or(' ');
    let joined = if is_joined(model, instance) {
        glyphs.live
    } else if model.meetings.joins_automatically(entry.instance.id) {
        glyphs.busy
    } else {
        " "
    };
    let private = if instance.is_public {
        String::new()
    } else {
        format!(" {}", glyphs.private)
    };
    let unread = unread(model, instance);
    let title = text::one_line(&instance.title);
    let right = format!(
        "{unread}{}{} ",
        if unread.is_empty() { "" } else { " " },
        time(model, entry)
    );
    let room = columns.saturating_sub(text::width(&right) + text::width(&private) + 4);
    let title = text::fit(&title, room, glyphs.cut);
    let tone = if unread.is_empty() {
        Tone::Plain
    } else {
        Tone::Strong
    };
    let left = vec![
        Span::raw(format!("{bar}{number}")),
        Span::styled(joined, model.theme.style(Tone::Good)),
        Span::styled(format!("{title}{private}"), model.theme.style(tone)),
    ];
    let right = vec![Span::styled(right, model.theme.style(tone))];
    let line = spread(columns, left, right, glyphs.cut);
    if chosen {
        select(line, model.theme.style(Tone::Reversed))
    } else {
        line
    }
}

/// Returns the remaining time, or when the meeting starts or ended.
fn time(model: &Model, entry: &Entry<'_>) -> String {
    let instance = entry.instance;
    match entry.group {
        Group::Live => clock::left(model.now, instance.todatetime),
        Group::Soon => format!("in {}", clock::left(model.now, instance.fromdatetime)),
        Group::Today => model.zone.hm(instance.fromdatetime),
        Group::Tomorrow => model.zone.weekday_hm(instance.fromdatetime),
        Group::Later => model.zone.day_month(instance.fromdatetime),
        Group::Ended => {
            let (zone, glyphs) = (model.zone, model.theme.glyphs);
            let mark = if instance.cancelled {
                glyphs.failed
            } else {
                glyphs.done
            };
            format!("{mark} {}", zone.short_time(instance.end(), model.now))
        }
    }
}

/// `!2 +9`: unread mentions and unread messages.
fn unread(model: &Model, instance: &Instance) -> String {
    match model.unread_of(instance.id) {
        (0, _) => String::new(),
        (unread, 0) => format!("+{unread}"),
        (unread, mentions) => format!("!{mentions} +{unread}"),
    }
}

fn number(entry: &Entry<'_>) -> Option<char> {
    let number = u32::try_from(entry.number)
        .ok()
        .filter(|_| entry.number <= NUMBER_MAX)?;
    char::from_digit(number, 10)
}

fn is_joined(model: &Model, instance: &Instance) -> bool {
    instance.state == InstanceState::Active
        && model
            .rooms
            .get(&instance.id)
            .map_or(instance.joined.is_some(), |room| {
                if room.log.is_some() {
                    room.has(model.my_id())
                } else {
                    instance.joined.is_some()
                }
            })
}
