//! The help: all keys and slash commands, those of the current layer first.

use ratatui::text::{Line, Span};

use crate::command::{Context, KEYS, SLASH_COMMANDS};
use crate::model::Model;
use crate::text;
use crate::theme::Tone;

/// The most columns of the keys.
const KEY_CELLS_MAX: usize = 22;
/// The width from which on the help has two columns.
const TWO_COLUMNS_MIN: usize = 96;

/// An entry: a heading, or a key with its help.
enum Entry {
    Title(String),
    Key(String, String),
    Blank,
}

impl Entry {
    /// Whether it contains all of these words. Headings and blank rows belong to their group.
    fn has(&self, words: &[String]) -> bool {
        let Self::Key(keys, help) = self else {
            return true;
        };
        let text = format!("{keys} {help}").to_lowercase();
        words.iter().all(|word| text.contains(word))
    }
}

/// The rows whose keys, command or help contain all words of the filter, wrapped to `columns`.
pub(super) fn rows(
    model: &Model,
    columns: usize,
    here: &[Context],
    filter: &str,
) -> Vec<Line<'static>> {
    let mut groups = Vec::new();
    for (nth, context) in here.iter().enumerate() {
        groups.push(group(model, *context, if nth == 0 { "Here: " } else { "" }));
        if *context == Context::Compose {
            groups.push(slash_commands(model));
        }
    }
    if !here.contains(&Context::Compose) {
        groups.push(slash_commands(model));
    }
    let others = Context::ALL
        .iter()
        .filter(|context| !here.contains(context));
    groups.extend(others.map(|context| group(model, *context, "")));
    groups.push(symbols(model));
    let words: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
    for group in &mut groups {
        group.retain(|entry| entry.has(&words));
        if !group.iter().any(|entry| matches!(entry, Entry::Key(..))) {
            group.clear();
        }
    }
    if groups.iter().all(Vec::is_empty) {
        return super::nothing(model, " No match");
    }
    if columns < TWO_COLUMNS_MIN {
        let all = groups.into_iter().flatten();
        return all.flat_map(|entry| draw(model, &entry, columns)).collect();
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for group in groups {
        let shorter = if left.len() <= right.len() {
            &mut left
        } else {
            &mut right
        };
        shorter.extend(group);
    }
    let half = columns / 2 - 1;
    let rest = columns - half - 2;
    let column = |entries: Vec<Entry>, cells: usize| -> Vec<Line<'static>> {
        entries
            .iter()
            .flat_map(|entry| draw(model, entry, cells))
            .collect()
    };
    let (left, right) = (column(left, half), column(right, rest));
    let blank = |cells: usize| Line::raw(" ".repeat(cells));
    (0..left.len().max(right.len()))
        .map(|at| {
            let mut line = left.get(at).cloned().unwrap_or_else(|| blank(half));
            line.push_span(Span::raw("  "));
            let other = right.get(at).cloned().unwrap_or_else(|| blank(rest));
            let style = other.style;
            let spans = other.spans.into_iter();
            line.spans.extend(spans.map(|span| span.patch_style(style)));
            line
        })
        .collect()
}

fn group(model: &Model, context: Context, place: &str) -> Vec<Entry> {
    let mut entries = vec![Entry::Title(format!("{place}{}", context.title()))];
    for row in KEYS.iter().filter(|row| row.context == context) {
        let keys = model.keymap.labels(row, model.theme.glyphs);
        if keys.is_empty() {
            continue;
        }
        entries.push(Entry::Key(keys, row.help.to_owned()));
    }
    entries.push(Entry::Blank);
    entries
}

fn slash_commands(model: &Model) -> Vec<Entry> {
    let mut entries = vec![Entry::Title("Slash commands".to_owned())];
    for word in SLASH_COMMANDS {
        let usage = format!("{} {}", word.name, word.argument);
        entries.push(Entry::Key(
            usage.trim_end().to_owned(),
            word.help.to_owned(),
        ));
    }
    entries.push(Entry::Key(
        format!("/help, /quit{}", model.theme.glyphs.cut),
        "Commands with keys in Chat, Meetings and Anywhere. Type / for a list".to_owned(),
    ));
    entries.push(Entry::Key(
        "//text".to_owned(),
        "Send /text as it is".to_owned(),
    ));
    entries.push(Entry::Blank);
    entries
}

fn symbols(model: &Model) -> Vec<Entry> {
    let mut entries = vec![Entry::Title("Symbols".to_owned())];
    let glyphs = model.theme.glyphs;
    for (glyph, means) in [
        (glyphs.live, "Live; in the list: joined"),
        (glyphs.private, "Private"),
        (glyphs.done, "Ended; connected"),
        (glyphs.busy, "In progress; in the list: auto-join"),
        (glyphs.failed, "Failed"),
        (glyphs.mention, "Mention; reply"),
        (glyphs.pen, "Draft or typing"),
        ("+3 !1", "Unread messages, unread mentions"),
    ] {
        entries.push(Entry::Key(glyph.to_owned(), means.to_owned()));
    }
    entries
}

/// Returns the rows of an entry, padded to `columns`.
fn draw(model: &Model, entry: &Entry, columns: usize) -> Vec<Line<'static>> {
    match entry {
        Entry::Blank => vec![Line::raw(" ".repeat(columns))],
        Entry::Title(title) => {
            let rule = model.theme.glyphs.rule;
            let title = text::fit(title, columns.saturating_sub(4), model.theme.glyphs.cut);
            let rest = columns.saturating_sub(text::width(&title) + 4);
            let line = format!("{} {title} {}", rule.repeat(2), rule.repeat(rest));
            vec![Line::styled(line, model.theme.style(Tone::Strong))]
        }
        Entry::Key(key, help) => {
            let cells = (columns * 2 / 5).clamp(6, KEY_CELLS_MAX);
            let rest = columns.saturating_sub(cells);
            let keys = text::wrap(key, cells.saturating_sub(1));
            let helps = text::wrap(help, rest.saturating_sub(1));
            let nth = |rows: &[String], at: usize| rows.get(at).cloned().unwrap_or_default();
            (0..keys.len().max(helps.len()))
                .map(|at| {
                    let key = text::left(&format!(" {}", nth(&keys, at)), cells, "");
                    let help = text::left(&format!(" {}", nth(&helps, at)), rest, "");
                    let style = model.theme.style(Tone::Strong);
                    Line::from(vec![Span::styled(key, style), Span::raw(help)])
                })
                .collect()
        }
    }
}
