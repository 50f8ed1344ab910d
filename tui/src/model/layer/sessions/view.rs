//! The user's own sessions in a frame.

use plenary_shared::protocol::SessionListed;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Sessions;
use crate::command::{Command, SessionsCommand};
use crate::model::Model;
use crate::text;
use crate::theme::Tone;
use crate::widget::{boxed, put, whole};

/// The columns from which the expiry is shown.
const WIDE_COLUMNS_MIN: usize = 60;

/// Draws the list.
pub fn draw(model: &Model, sessions: &Sessions, frame: &mut Frame<'_>, area: Rect) {
    let glyphs = model.theme.glyphs;
    let end = model.key(Command::Sessions(SessionsCommand::End));
    let note = format!("{end} ends  Esc closes");
    let inside = boxed(model.theme, frame, area, "Sessions", &note);
    if inside.is_empty() {
        return;
    }
    let columns = usize::from(inside.width);
    let Some(list) = &sessions.list else {
        let text = format!(" {} Loading{}", glyphs.busy, glyphs.cut);
        return put(frame, inside, vec![Line::raw(text)]);
    };
    let height = usize::from(inside.height);
    let selected = sessions.selected.min(list.len().saturating_sub(1));
    let skipped = (selected + 1).saturating_sub(height);
    let rows = list.iter().enumerate().skip(skipped).take(height);
    let rows = rows.map(|(nth, one)| row(model, one, nth == selected, columns));
    put(frame, inside, rows.collect());
}

fn row(model: &Model, one: &SessionListed, is_selected: bool, columns: usize) -> Line<'static> {
    let glyphs = model.theme.glyphs;
    let bar = if is_selected { glyphs.bar } else { " " };
    let since = format!("since {}", model.zone.ymd_hm(one.created_at));
    let until = if columns >= WIDE_COLUMNS_MIN {
        format!("  until {}", model.zone.ymd_hm(one.expires_at))
    } else {
        String::new()
    };
    let here = if one.current { "  this one" } else { "" };
    let text = format!("{bar}{since}{until}{here}  {}", text::one_line(&one.label));
    let line = Line::from(Span::raw(text::fit(&text, columns, glyphs.cut)));
    let tone = if is_selected {
        Tone::Reversed
    } else {
        Tone::Plain
    };
    whole(line, columns, model.theme.style(tone))
}
