//! The help: every key and every word of the table, those of the current place first.

use ratatui::text::{Line, Span};

use crate::command::{Context, KEYS, WORDS};
use crate::model::Model;
use crate::text;
use crate::theme::Tone;

/// Keys of one row that are shown.
const KEYS_SHOWN: usize = 3;
/// Columns from which on two columns of help stand side by side.
const TWO_COLUMNS_MIN: usize = 96;

/// One entry: a title, or a key and what it does.
enum Entry {
    Title(String),
    Key(String, String),
    Blank,
}

/// The rows on so many columns.
pub(super) fn rows(model: &Model, columns: usize, here: Context) -> Vec<Line<'static>> {
    let nearest = group(model, here, "you are here: ");
    let others = Context::ALL
        .iter()
        .copied()
        .filter(|context| *context != here);
    let others: Vec<Vec<Entry>> = others.map(|context| group(model, context, "")).collect();
    if columns < TWO_COLUMNS_MIN {
        let all = nearest
            .into_iter()
            .chain(words())
            .chain(others.into_iter().flatten());
        let all = all.chain(symbols(model));
        return all.map(|entry| draw(model, entry, columns)).collect();
    }
    let (mut left, mut right) = (nearest, words());
    for group in others {
        let shorter = if left.len() <= right.len() {
            &mut left
        } else {
            &mut right
        };
        shorter.extend(group);
    }
    let shorter = if left.len() <= right.len() {
        &mut left
    } else {
        &mut right
    };
    shorter.extend(symbols(model));
    let height = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    let half = columns / 2 - 1;
    (0..height)
        .map(|_| {
            let mut line = draw(model, left.next().unwrap_or(Entry::Blank), half);
            line.push_span(Span::raw("  "));
            let other = draw(
                model,
                right.next().unwrap_or(Entry::Blank),
                columns - half - 2,
            );
            line.spans.extend(
                other
                    .spans
                    .into_iter()
                    .map(|span| span.patch_style(other.style)),
            );
            line
        })
        .collect()
}

fn group(model: &Model, context: Context, place: &str) -> Vec<Entry> {
    let mut entries = vec![Entry::Title(format!("{place}{}", context.title()))];
    for row in KEYS.iter().filter(|row| row.context == context) {
        let keys = row.labels(model.theme.glyphs, KEYS_SHOWN);
        entries.push(Entry::Key(keys, row.help.to_owned()));
    }
    entries.push(Entry::Blank);
    entries
}

fn words() -> Vec<Entry> {
    let mut entries = vec![Entry::Title("commands, written into the input".to_owned())];
    for word in WORDS {
        let usage = format!("{} {}", word.name, word.argument);
        entries.push(Entry::Key(
            usage.trim_end().to_owned(),
            word.help.to_owned(),
        ));
    }
    entries.push(Entry::Key(
        "//text".to_owned(),
        "send /text as it is".to_owned(),
    ));
    entries.push(Entry::Blank);
    entries
}

fn symbols(model: &Model) -> Vec<Entry> {
    let mut entries = vec![Entry::Title("symbols".to_owned())];
    let glyphs = model.theme.glyphs;
    for (glyph, means) in [
        (glyphs.live, "live; joined, in the list"),
        (glyphs.private, "private"),
        (glyphs.done, "ended; connected"),
        (glyphs.busy, "under way"),
        (glyphs.failed, "went wrong"),
        (glyphs.mention, "speaks of you"),
        ("+3 !1", "unread, and those that speak of you"),
    ] {
        entries.push(Entry::Key(glyph.to_owned(), means.to_owned()));
    }
    entries
}

fn draw(model: &Model, entry: Entry, columns: usize) -> Line<'static> {
    let cut = model.theme.glyphs.cut;
    match entry {
        Entry::Blank => Line::raw(" ".repeat(columns)),
        Entry::Title(title) => {
            let rule = model.theme.glyphs.rule;
            let title = text::fit(&title, columns.saturating_sub(4), cut);
            let rest = columns.saturating_sub(text::width(&title) + 4);
            let line = format!("{} {title} {}", rule.repeat(2), rule.repeat(rest));
            Line::styled(line, model.theme.style(Tone::Strong))
        }
        Entry::Key(key, help) => {
            let cells = (columns / 3).clamp(6, 22);
            let key = text::left(&format!(" {key}"), cells, cut);
            let help = text::left(&format!(" {help}"), columns.saturating_sub(cells), cut);
            Line::from(vec![
                Span::styled(key, model.theme.style(Tone::Strong)),
                Span::raw(help),
            ])
        }
    }
}
