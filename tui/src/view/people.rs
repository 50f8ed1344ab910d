//! The people of the shown meeting, with the time each joined.

use plenary_shared::domain::InstanceState;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{put, spread};
use crate::command::Command;
use crate::model::Model;
use crate::text;
use crate::theme::Tone;

/// Draws the list of people.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let columns = usize::from(area.width);
    let theme = model.theme;
    let glyphs = theme.glyphs;
    let log = model.room().and_then(|room| room.log.as_ref());
    let members = log.map(|log| log.members()).unwrap_or_default();
    let listed = model.shown.and_then(|id| model.instance(id));
    let count = log.map_or_else(
        || listed.map_or(0, |instance| instance.participants),
        |log| log.instance().participants,
    );
    let head = spread(
        columns,
        vec![Span::styled(
            format!(" HERE {count}"),
            theme.style(Tone::Strong),
        )],
        vec![Span::styled(
            format!("{} ", model.key(Command::PeopleList)),
            theme.style(Tone::Quiet),
        )],
        glyphs.cut,
    );
    let space = usize::from(area.height).saturating_sub(1);
    let more = members.len().saturating_sub(space);
    let shown = if more > 0 {
        space.saturating_sub(1)
    } else {
        space
    };
    let mut rows = vec![head];
    for member in members.iter().take(shown) {
        let own = model.my_id() == Some(member.id);
        let name = if own {
            "you".to_owned()
        } else {
            text::one_line(&log.map_or_else(String::new, |log| log.name(member.id)))
        };
        let time = model.zone.hm(member.joined);
        let types = model
            .room()
            .is_some_and(|room| room.typing.contains_key(&member.id));
        let typing = if types {
            format!(" {}", glyphs.pen)
        } else {
            String::new()
        };
        let room = columns.saturating_sub(time.len() + 4 + text::width(&typing));
        rows.push(spread(
            columns,
            vec![
                Span::styled(glyphs.live, theme.style(Tone::Good)),
                Span::raw(" "),
                Span::styled(
                    text::fit(&name, room, glyphs.cut),
                    theme.name(member.id.get(), own),
                ),
                Span::raw(typing),
            ],
            vec![Span::styled(format!("{time} "), theme.style(Tone::Quiet))],
            glyphs.cut,
        ));
    }
    if more == 0 {
        rows.extend(left(model, columns));
    }
    if more > 0 && shown < space {
        let text = format!("{}{} more: /who", glyphs.cut, members.len() - shown);
        rows.push(Line::styled(text, theme.style(Tone::Quiet)));
    }
    if log.is_none() {
        let text = match listed.map(|instance| instance.state) {
            Some(InstanceState::Active) => "join to see who is here",
            Some(InstanceState::Scheduled) => "nobody is here before it begins",
            Some(InstanceState::Ending | InstanceState::Ended) => "open it to see who was here",
            None => "",
        };
        let rest = text::wrap(text, columns.saturating_sub(2));
        rows.extend(
            rest.into_iter()
                .map(|row| Line::styled(format!(" {row}"), theme.style(Tone::Quiet))),
        );
    }
    put(frame, area, rows);
}

/// Those who have left, the latest first, with the time they were here.
fn left(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let (theme, glyphs, zone) = (model.theme, model.theme.glyphs, model.zone);
    let Some((room, log)) = model
        .room()
        .and_then(|room| Some((room, room.log.as_ref()?)))
    else {
        return Vec::new();
    };
    let gone = room.left.iter().filter(|(user, _)| !log.is_member(**user));
    let mut gone: Vec<_> = gone.map(|(user, (from, to))| (*to, *from, *user)).collect();
    if gone.is_empty() {
        return Vec::new();
    }
    gone.sort_unstable();
    let quiet = theme.style(Tone::Quiet);
    let head = format!(" LEFT {}", gone.len());
    let mut rows = vec![Line::styled(head, theme.style(Tone::Strong))];
    for (to, from, user) in gone.into_iter().rev() {
        let from = from.map_or_else(String::new, |from| zone.hm(from));
        let time = format!("{from}{}{}", glyphs.dash, zone.hm(to));
        let name = text::one_line(&log.name(user));
        let space = columns.saturating_sub(text::width(&time) + 4);
        rows.push(spread(
            columns,
            vec![
                Span::styled(format!("{} ", glyphs.gone), quiet),
                Span::styled(text::fit(&name, space, glyphs.cut), quiet),
            ],
            vec![Span::styled(format!("{time} "), quiet)],
            glyphs.cut,
        ));
    }
    rows
}
