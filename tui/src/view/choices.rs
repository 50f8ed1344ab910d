//! The completions of the word before the cursor, above the input.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{boxed, put, select};
use crate::model::Model;
use crate::text;
use crate::theme::Tone;

/// The most rows that are shown at once.
const ROWS_MAX: usize = 6;
/// The most columns of the box.
const COLUMNS_MAX: u16 = 72;
/// The rows and columns from which on there is a frame.
const FRAMED_MIN: (u16, u16) = (5, 24);

/// Draws the completions at the lower left of an area.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some((choices, chosen)) = model.choices() else {
        return;
    };
    let (rows_min, columns_min) = FRAMED_MIN;
    let framed = area.height >= rows_min && area.width >= columns_min;
    let edges = if framed { 2 } else { 0 };
    let most = usize::from(area.height.saturating_sub(edges)).min(ROWS_MAX);
    let count = choices.offers.len().min(most);
    let height = u16::try_from(count).unwrap_or(area.height) + edges;
    let width = area.width.min(COLUMNS_MAX);
    let area = Rect::new(area.x, area.bottom().saturating_sub(height), width, height);
    if count == 0 || area.is_empty() {
        return;
    }
    let note = format!("{}/{}", chosen.map_or(0, |at| at + 1), choices.offers.len());
    let note = match chosen {
        Some(_) => note,
        None if choices.offers.len() > count => {
            format!("Tab {} {}", model.theme.glyphs.dot, choices.offers.len())
        }
        None => "Tab".to_owned(),
    };
    let inside = if framed {
        boxed(model.theme, frame, area, choices.title, &note)
    } else {
        frame.render_widget(ratatui::widgets::Clear, area);
        area
    };
    let columns = usize::from(inside.width);
    let cut = model.theme.glyphs.cut;
    let widest = choices.offers.iter().map(|offer| text::width(&offer.text));
    let cells = widest.max().unwrap_or_default().min(columns * 2 / 3) + 2;
    let skipped = chosen.map_or(0, |at| (at + 1).saturating_sub(count));
    let mut lines = Vec::with_capacity(count);
    for (index, offer) in choices.offers.iter().enumerate().skip(skipped).take(count) {
        let bar = if Some(index) == chosen {
            model.theme.glyphs.bar
        } else {
            " "
        };
        let name = text::left(&format!("{bar}{}", offer.text), cells, cut);
        let note = text::left(&offer.note, columns.saturating_sub(cells), cut);
        let line = Line::from(vec![
            Span::styled(name, model.theme.style(Tone::Strong)),
            Span::styled(note, model.theme.style(Tone::Quiet)),
        ]);
        lines.push(if Some(index) == chosen {
            select(line, model.theme.style(Tone::Reversed))
        } else {
            line
        });
    }
    put(frame, inside, lines);
}
