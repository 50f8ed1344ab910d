//! The page that explains why a user can or cannot join a meeting, and what would change that.

use plenary_shared::protocol::Verdict;
use ratatui::text::{Line, Span};

use crate::model::Model;
use crate::text;
use crate::theme::Tone;

/// The rule that applies to a participant, who cannot join a second time.
const ALREADY_IN: &str = "already_participant";

/// The rows, wrapped to `columns`.
pub(super) fn rows(model: &Model, columns: usize, verdict: &Verdict) -> Vec<Line<'static>> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let (mark, tone, answer) = if verdict.allowed {
        (glyphs.done, Tone::Good, "Can join")
    } else if verdict.rule == ALREADY_IN {
        (glyphs.live, Tone::Plain, "Is in the meeting")
    } else {
        (glyphs.failed, Tone::Bad, "Cannot join")
    };
    let rule = text::one_line(&verdict.rule).replace('_', " ");
    let mut rows = vec![
        Line::from(vec![
            Span::styled(format!(" {mark} {answer}"), theme.style(tone)),
            Span::raw(format!(" (rule: {rule})")),
        ]),
        Line::default(),
    ];
    let cells = columns.saturating_sub(2).max(1);
    let wrapped = |text: &str, tone: Tone| {
        let lines = text::wrap(&text::one_line(text), cells).into_iter();
        lines.map(move |line| Line::styled(format!(" {line}"), theme.style(tone)))
    };
    rows.extend(wrapped(&verdict.explanation, Tone::Strong));
    rows.push(Line::default());
    rows.extend(wrapped("To change this:", Tone::Quiet));
    rows.extend(wrapped(&verdict.remedy, Tone::Plain));
    rows
}
