//! The status line and the key hints.

use plenary_shared::limits::MESSAGE_BODY_BYTES_MAX;
use plenary_shared::time::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::{put, spread};
use crate::command::{
    AppCommand, ChatCommand, Command, Context, EditCommand, KEYS, MeetingsCommand, Nav,
    QuitCommand, Row, SelectionCommand,
};
use crate::layout::Form;
use crate::model::layer::Chat;
use crate::model::layer::quit::{self, Quit};
use crate::model::layer::selection::{self, Selection};
use crate::model::{EnterDoes, Link, Model};
use crate::text;
use crate::theme::Tone;

const SEND: Command = Command::Chat(ChatCommand::Send);
const CONFIRM_DELETE: Command = Command::Selection(SelectionCommand::ConfirmDelete);
/// The lines of a message from which on they are counted beside it: as many as a send asks about.
const COUNTED_LINES_MIN: usize = 6;
/// The fewest columns of the message in the question before a delete.
const QUOTE_CELLS_MIN: usize = 8;

/// Draws the status line.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let columns = usize::from(area.width);
    let left = left(model, columns);
    let mut right = link(model, columns, left.is_empty());
    if model.connection.link == Link::Ready && width(&left) + width(&right) > columns {
        // "connected" is omitted if it does not fit.
        right.clear();
    }
    let used = width(&left) + width(&right);
    if let Some(typing) = typing(model, columns.saturating_sub(used)) {
        right.insert(0, typing);
    }
    let line = spread(columns, left, right, model.theme.glyphs.cut);
    put(frame, area, vec![line]);
}

/// Returns who is typing, in the form that fits.
fn typing(model: &Model, cells: usize) -> Option<Span<'static>> {
    let room = model.room()?;
    let log = room.log.as_ref()?;
    let names: Vec<String> = room
        .typing
        .keys()
        .map(|user| text::one_line(&log.name(*user)))
        .collect();
    let forms = [names.join(", "), format!("{} participants", names.len())];
    let cut = model.theme.glyphs.cut;
    let text = forms
        .into_iter()
        .filter(|_| !names.is_empty())
        .find_map(|who| {
            let text = format!(" {who} typing{cut} ");
            (text::width(&text) <= cells).then_some(text)
        });
    text.map(|text| Span::styled(text, model.theme.style(Tone::Quiet)))
}

/// Draws the key hints for the current context, as many as fit.
pub(super) fn hints(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let columns = usize::from(area.width);
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let contexts = model.contexts();
    let is_wide = matches!(model.panes().form, Form::Three | Form::Two);
    let hint = |row: &'static Row| {
        let text = hint_of(model, row)?;
        let key = model.keymap.keys_of(row).first()?;
        // A nearer context may use the key for something else.
        let (nearest, _) = model.keymap.row_of(contexts, *key)?;
        if nearest.name != row.name {
            return None;
        }
        Some((key.label(glyphs.keys), text))
    };
    let of = |wanted: fn(Context) -> bool| {
        contexts
            .iter()
            .copied()
            .filter(move |context| wanted(*context))
            .flat_map(|context| KEYS.iter().filter(move |row| row.context == context))
            .filter_map(hint)
    };
    let spans = |(key, text): (String, &'static str)| {
        [
            Span::styled(format!(" {key}"), theme.style(Tone::Strong)),
            Span::styled(format!(" {text} "), theme.style(Tone::Quiet)),
        ]
    };
    let mut right: Vec<Span<'static>> = of(|context| context == Context::Anywhere)
        .filter(|(_, text)| is_wide || *text == "help")
        .flat_map(spans)
        .collect();
    if let Some(length) = length(model) {
        right.insert(0, length);
    }
    if width(&right) > columns {
        right.truncate(1);
    }
    let mut room = columns.saturating_sub(width(&right));
    let mut left = Vec::new();
    for spans in of(|context| context != Context::Anywhere).map(spans) {
        let more = width(&spans);
        if more > room {
            break;
        }
        room -= more;
        left.extend(spans);
    }
    put(frame, area, vec![spread(columns, left, right, glyphs.cut)]);
}

/// Returns what the hint for a key says at the moment, if it has one.
fn hint_of(model: &Model, row: &Row) -> Option<&'static str> {
    let (form, elsewhere) = (model.panes().form, model.quitting.stays_elsewhere);
    Some(match (row.command, model.enter_does()) {
        (SEND, EnterDoes::Retry) => "retry",
        (SEND, EnterDoes::Join) => "join",
        (SEND, EnterDoes::Read) => "read",
        (SEND, EnterDoes::Wait) => "toggle auto-join",
        (SEND, EnterDoes::Nothing | EnterDoes::Restricted(_)) => return None,
        (Command::Quit(QuitCommand::Leave), _) if elsewhere => "leave on all",
        (Command::Quit(QuitCommand::Stay), _) if elsewhere => "quit here",
        // In narrow layouts, the keys for the lists have priority.
        (
            Command::Edit(EditCommand::NewLine)
            | Command::Chat(ChatCommand::Complete)
            | Command::Nav(Nav::PageUp)
            | Command::Meetings(MeetingsCommand::Find | MeetingsCommand::Next),
            _,
        ) if form == Form::Narrow => return None,
        _ => return row.hint,
    })
}

/// Returns the number of cells of text in several styles.
fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| text::width(&span.content)).sum()
}

/// Returns the lines and bytes of a message of many lines, or of one that nears the limit.
fn length(model: &Model) -> Option<Span<'static>> {
    let composer = model.composer().filter(|_| model.layers.is_top::<Chat>())?;
    let written = composer.editor.text().trim_end();
    let (lines, bytes) = (written.lines().count(), written.len());
    if lines < COUNTED_LINES_MIN && bytes * 5 < MESSAGE_BODY_BYTES_MAX * 4 {
        return None;
    }
    let max = text::number(MESSAGE_BODY_BYTES_MAX);
    let text = format!(
        " {}, {}/{max} bytes ",
        text::count(lines, "line", "lines"),
        text::number(bytes)
    );
    let theme = model.theme;
    Some(if bytes > MESSAGE_BODY_BYTES_MAX {
        let text = format!(" {}{text}", theme.glyphs.failed);
        Span::styled(text, theme.style(Tone::Bad))
    } else {
        Span::styled(text, theme.style(Tone::Quiet))
    })
}

fn left(model: &Model, columns: usize) -> Vec<Span<'static>> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    if model.layers.is_top::<Quit>() {
        let elsewhere = model.quitting.stays_elsewhere;
        let text = quit::view::question(glyphs.dot, columns, elsewhere);
        return vec![Span::styled(text, theme.style(Tone::Soon))];
    }
    let selection = model.layers.get::<Selection>();
    if selection.is_some_and(|selection| selection.deleting) {
        let (delete, keep) = (model.key(CONFIRM_DELETE), model.back_key());
        let answers = format!("{delete}: delete {} {keep}: keep", glyphs.dot);
        let cells = columns.saturating_sub(text::width(&answers) + 13);
        let body = model.selected().and_then(selection::body);
        let body = text::one_line(body.unwrap_or_default());
        let quote = text::fit(&body, cells.max(QUOTE_CELLS_MIN), glyphs.cut);
        let text = format!(" Delete \"{quote}\"? {answers}");
        return vec![Span::styled(text, theme.style(Tone::Soon))];
    }
    if model.quitting.forced_at.is_some() {
        return vec![Span::raw(format!(" Leaving{}", glyphs.cut))];
    }
    if model.quitting.confirm_until.is_some() {
        let key = model.key(Command::App(AppCommand::ClearOrQuit));
        let leave = match model.joined_rooms().next() {
            Some(_) if model.quitting.stays_elsewhere && columns < 60 => ". You stay in",
            Some(_) if model.quitting.stays_elsewhere => ". Another terminal stays in the meeting",
            Some(_) => " and leave",
            None => "",
        };
        let text = format!(" Press {key} again to quit{leave}");
        return vec![Span::styled(text, theme.style(Tone::Soon))];
    }
    if let Some(notice) = &model.notice {
        let mark = match notice.tone {
            Tone::Bad if !notice.text.starts_with(glyphs.warning) => format!(" {} ", glyphs.failed),
            _ => " ".to_owned(),
        };
        let text = format!("{mark}{}", text::one_line(&notice.text));
        return vec![Span::styled(text, theme.style(notice.tone))];
    }
    if let Some(id) = model.next_unread().filter(|id| model.shown != Some(*id)) {
        let title = model
            .instance(id)
            .map(|instance| text::one_line(&instance.title));
        let (unread, mentions) = model.unread_of(id);
        let mention_mark = if mentions > 0 {
            format!(" !{mentions}")
        } else {
            String::new()
        };
        let key = model.key(Command::Meetings(MeetingsCommand::NextUnread));
        let title = title.unwrap_or_default();
        let text = format!(" {} {title}{mention_mark} +{unread} ({key})", glyphs.came);
        return vec![Span::styled(text, theme.style(Tone::Strong))];
    }
    let elsewhere = model.outbox.entries();
    let elsewhere =
        elsewhere.filter(|line| line.is_rejected() && model.shown != Some(line.instance));
    match elsewhere.count() {
        0 => Vec::new(),
        count => {
            let text = format!(
                " {} {count} failed in other meetings: /outbox",
                glyphs.failed
            );
            vec![Span::styled(text, theme.style(Tone::Bad))]
        }
    }
}

fn link(model: &Model, columns: usize, alone: bool) -> Vec<Span<'static>> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let mut spans = match &model.connection.link {
        Link::Off => Vec::new(),
        Link::Connecting { attempt } => {
            let text = match attempt {
                0 => format!(" {} Connecting{}", glyphs.busy, glyphs.cut),
                _ => format!(
                    " {} Reconnecting{} (attempt {})",
                    glyphs.busy,
                    glyphs.cut,
                    attempt + 1
                ),
            };
            vec![Span::raw(text)]
        }
        Link::Greeting => vec![Span::raw(format!(
            " {} Signing in{}",
            glyphs.busy, glyphs.cut
        ))],
        Link::Ready => {
            let word = if columns < 60 { "" } else { " connected" };
            let text = format!(" {}{word}", glyphs.done);
            vec![Span::styled(text, theme.style(Tone::Good))]
        }
        Link::Lost { why, retry_at } => lost(model, columns, why, *retry_at),
    };
    if model.notifications.dnd {
        spans.push(Span::styled("  DND", theme.style(Tone::Strong)));
    }
    if columns >= 100
        && let Some(me) = &model.session.me
    {
        let email = text::fit(&text::one_line(&me.email), 30, glyphs.cut);
        spans.push(Span::raw(format!("  {email}")));
    }
    if alone
        && !model.shows_dashboard()
        && model.panes().form == Form::Tabs
        && model.connection.link == Link::Ready
    {
        for command in [MeetingsCommand::List, MeetingsCommand::Participants] {
            let command = Command::Meetings(command);
            let row = KEYS.iter().find(|row| row.command == command);
            if let Some(hint) = row.and_then(|row| row.hint) {
                spans.push(Span::raw(format!("  {} {hint}", model.key(command))));
            }
        }
    }
    spans.push(Span::raw(" "));
    spans
}

/// Returns the status without a connection: the reason if there is room, and the countdown.
fn lost(
    model: &Model,
    columns: usize,
    why: &str,
    retry_at: Option<Timestamp>,
) -> Vec<Span<'static>> {
    let rest = match retry_at {
        Some(at) => {
            let left_s = (at.ms_since(model.now).max(0) + 999) / 1_000;
            format!(" reconnecting in {left_s} s")
        }
        None => " /reconnect to retry".to_owned(),
    };
    let why = match columns {
        90.. => {
            let why = text::fit(&text::one_line(why), columns / 3, model.theme.glyphs.cut);
            format!(" {why}")
        }
        _ => String::new(),
    };
    let word = Span::styled(" offline ", model.theme.style(Tone::Reversed));
    vec![Span::raw(" "), word, Span::raw(format!("{why}{rest}"))]
}
