//! The participants of the meeting on screen: present, idle, reconnecting, left, absent.

use plenary_shared::domain::{InstanceState, Presence};
use plenary_shared::ids::UserId;
use plenary_shared::replica::{Member, Replica};
use plenary_shared::time::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{put, spread};
use crate::clock;
use crate::command::{Command, MeetingsCommand};
use crate::model::Model;
use crate::model::room::Room;
use crate::text;
use crate::theme::Tone;

/// Absent users in one row.
const ABSENT_IN_ROW: usize = 2;

const MINUTE_MS: i64 = 60_000;

/// A row, and the number of users it shows.
type Row = (Line<'static>, usize);

/// Draws the participants.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let columns = usize::from(area.width);
    let mut rows = vec![head(model, columns)];
    let space = usize::from(area.height).saturating_sub(1);
    let room = model.room();
    let all = if let Some((room, log)) = room.and_then(|room| Some((room, room.log.as_ref()?))) {
        let mut all = member_rows(model, room, log, columns);
        all.extend(left_rows(model, log, columns));
        all.extend(absent_rows(model, room, columns));
        all
    } else {
        waiting_rows(model, columns).unwrap_or_else(|| unopened_rows(model, columns))
    };
    rows.extend(folded(model, all, space));
    put(frame, area, rows);
}

/// Returns the rows that fit, the last one with the number of users not shown.
fn folded(model: &Model, mut all: Vec<Row>, space: usize) -> Vec<Line<'static>> {
    if all.len() > space {
        let hidden = all.split_off(space.saturating_sub(1));
        let people: usize = hidden.into_iter().map(|(_, people)| people).sum();
        let text = format!("{}{people} more: /who", model.theme.glyphs.cut);
        all.push((Line::styled(text, model.theme.style(Tone::Quiet)), 0));
    }
    all.into_iter().map(|(row, _)| row).collect()
}

fn head(model: &Model, columns: usize) -> Line<'static> {
    let theme = model.theme;
    let log = model.room().and_then(|room| room.log.as_ref());
    let listed = model.shown.and_then(|id| model.instance(id));
    let here = log.map_or_else(
        || listed.map_or(0, |instance| instance.participants),
        |log| log.instance().participants,
    );
    // In private meetings, the expected number of participants, if known.
    let absent = model.room().and_then(|room| room.absent.as_ref());
    let expected = absent.map_or_else(String::new, |absent| {
        let left = log.map_or(0, |log| left_participants(model, log).len());
        let here = usize::try_from(here).unwrap_or(usize::MAX);
        format!(
            "/{}",
            here.saturating_add(left).saturating_add(absent.count)
        )
    });
    let waiting = model.shown.and_then(|id| model.waiting.get(id)?.count);
    let heading = match waiting.filter(|_| log.is_none()) {
        Some(count) => format!(" WAITING {count}"),
        None => format!(" PARTICIPANTS {here}{expected}"),
    };
    spread(
        columns,
        vec![Span::styled(heading, theme.style(Tone::Strong))],
        vec![Span::styled(
            format!(
                "{} ",
                model.key(Command::Meetings(MeetingsCommand::Participants))
            ),
            theme.style(Tone::Quiet),
        )],
        theme.glyphs.cut,
    )
}

/// Returns the current participants: present, reconnecting, then idle.
fn member_rows(model: &Model, room: &Room, log: &Replica, columns: usize) -> Vec<Row> {
    let presence = |member: &Member| room.presence.get(&member.id).map(|(presence, _)| *presence);
    let mut members = log.members();
    members.sort_by_key(|member| match presence(member) {
        None | Some(Presence::Present) => 0,
        Some(Presence::Reconnecting) => 1,
        Some(Presence::Idle) => 2,
    });
    let row = |member| (member_row(model, room, log, member, columns), 1);
    members.into_iter().map(row).collect()
}

fn member_row(
    model: &Model,
    room: &Room,
    log: &Replica,
    member: &Member,
    columns: usize,
) -> Line<'static> {
    let theme = model.theme;
    let glyphs = theme.glyphs;
    let own = model.my_id() == Some(member.id);
    let name = if own {
        "you".to_owned()
    } else {
        text::one_line(&log.name(member.id))
    };
    let joined = model.zone.short_time(member.joined, model.now);
    let away = room.presence.get(&member.id);
    let (glyph, tone, time) = match away {
        None | Some((Presence::Present, _)) => (glyphs.live, Tone::Good, joined),
        Some((Presence::Reconnecting, _)) => {
            (glyphs.busy, Tone::Soon, Presence::Reconnecting.to_string())
        }
        Some((Presence::Idle, since)) => {
            let minutes = model.now.ms_since(*since).max(0) / MINUTE_MS;
            let idle = format!("idle {} {joined}", clock::minutes(minutes));
            (glyphs.idle, Tone::Quiet, idle)
        }
    };
    let typing = if room.typing.contains_key(&member.id) {
        format!(" {}", glyphs.pen)
    } else {
        String::new()
    };
    let space = columns.saturating_sub(text::width(&time) + 4 + text::width(&typing));
    spread(
        columns,
        vec![
            Span::styled(glyph, theme.style(tone)),
            Span::raw(" "),
            Span::styled(
                text::fit(&name, space, glyphs.cut),
                theme.name(member.id.get(), own),
            ),
            Span::raw(typing),
        ],
        vec![Span::styled(format!("{time} "), theme.style(Tone::Quiet))],
        glyphs.cut,
    )
}

/// Returns the text for a meeting that is not open.
fn unopened_rows(model: &Model, columns: usize) -> Vec<Row> {
    let listed = model.shown.and_then(|id| model.instance(id));
    let text = match listed.map(|instance| instance.state) {
        Some(InstanceState::Active) => "Join to see participants",
        Some(InstanceState::Scheduled) => "No one waiting",
        Some(InstanceState::Ending | InstanceState::Ended) => "Open to see participants",
        None => "",
    };
    let quiet = model.theme.style(Tone::Quiet);
    let rest = text::wrap(text, columns.saturating_sub(2)).into_iter();
    rest.map(|row| (Line::styled(format!(" {row}"), quiet), 0))
        .collect()
}

/// Returns the users waiting for a meeting that has not started, if any.
fn waiting_rows(model: &Model, columns: usize) -> Option<Vec<Row>> {
    let room = model.waiting.get(model.shown?)?;
    let count = room.count.filter(|count| *count > 0)?;
    let (theme, me) = (model.theme, model.my_id());
    let glyphs = theme.glyphs;
    let people = room.people(me);
    let unnamed = count.saturating_sub(people.len());
    let rows = people.into_iter().map(|(id, name)| {
        let own = Some(id) == me;
        let name = if own {
            "you".to_owned()
        } else {
            text::one_line(name)
        };
        let name = text::fit(&name, columns.saturating_sub(4), glyphs.cut);
        let row = Line::from(vec![
            Span::styled(format!(" {} ", glyphs.busy), theme.style(Tone::Soon)),
            Span::styled(name, theme.name(id.get(), own)),
        ]);
        (row, 1)
    });
    let mut rows: Vec<Row> = rows.collect();
    if unnamed > 0 {
        let text = format!(" {unnamed} more");
        rows.push((Line::styled(text, theme.style(Tone::Quiet)), unnamed));
    }
    Some(rows)
}

/// Returns the participants who left: when they left, when they joined, and their id; the earliest
/// first.
fn left_participants(model: &Model, log: &Replica) -> Vec<(Timestamp, Option<Timestamp>, UserId)> {
    let left = model.room().into_iter().flat_map(|room| room.left.iter());
    let gone = left.filter(|(user, _)| !log.is_member(**user));
    let mut gone: Vec<_> = gone.map(|(user, (from, to))| (*to, *from, *user)).collect();
    gone.sort_unstable();
    gone
}

/// Returns the rows of those who left, the latest first, with their time in the meeting.
fn left_rows(model: &Model, log: &Replica, columns: usize) -> Vec<Row> {
    let (theme, glyphs, zone) = (model.theme, model.theme.glyphs, model.zone);
    let gone = left_participants(model, log);
    if gone.is_empty() {
        return Vec::new();
    }
    let quiet = theme.style(Tone::Quiet);
    let mut rows = vec![title(model, "LEFT", gone.len())];
    for (to, from, user) in gone.into_iter().rev() {
        let from = from.map_or_else(String::new, |from| zone.hm(from));
        let time = format!("{from}{}{}", glyphs.dash, zone.hm(to));
        let name = text::one_line(&log.name(user));
        let space = columns.saturating_sub(text::width(&time) + 4);
        let row = spread(
            columns,
            vec![
                Span::styled(format!("{} ", glyphs.gone), quiet),
                Span::styled(text::fit(&name, space, glyphs.cut), quiet),
            ],
            vec![Span::styled(format!("{time} "), quiet)],
            glyphs.cut,
        );
        rows.push((row, 1));
    }
    rows
}

/// Returns the rows of invited users who have not joined.
fn absent_rows(model: &Model, room: &Room, columns: usize) -> Vec<Row> {
    let glyphs = model.theme.glyphs;
    let Some(absent) = room.absent.as_ref().filter(|absent| absent.count > 0) else {
        return Vec::new();
    };
    let quiet = model.theme.style(Tone::Quiet);
    let mut rows = vec![title(model, "NOT JOINED", absent.count)];
    let cells = columns / ABSENT_IN_ROW;
    for some in absent.users.chunks(ABSENT_IN_ROW) {
        let names = some.iter().map(|one| {
            let name = format!("{} {}", glyphs.dot, text::one_line(&one.name));
            text::left(&name, cells, glyphs.cut)
        });
        rows.push((Line::styled(names.collect::<String>(), quiet), some.len()));
    }
    let more = absent.count.saturating_sub(absent.users.len());
    if more > 0 {
        let text = format!("{}{more} more", glyphs.cut);
        rows.push((Line::styled(text, quiet), more));
    }
    rows
}

fn title(model: &Model, word: &str, count: usize) -> Row {
    let style = model.theme.style(Tone::Strong);
    (Line::styled(format!(" {word} {count}"), style), 0)
}
