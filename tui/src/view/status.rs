//! The status line and the key hints.

use plenary_shared::time::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::{put, spread};
use crate::command::{
    AppCommand, ChatCommand, Command, Context, EditCommand, KEYS, MeetingsCommand, Nav,
    SelectionCommand,
};
use crate::layout::Form;
use crate::model::layer::quit::{self, Quit};
use crate::model::layer::selection::Selection;
use crate::model::{EnterDoes, Link, Model};
use crate::text;
use crate::theme::Tone;

const SEND: Command = Command::Chat(ChatCommand::Send);
const DELETE: Command = Command::Selection(SelectionCommand::Delete);

/// Draws the status line.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let columns = usize::from(area.width);
    let left = left(model, columns);
    let mut right = link(model, columns, left.is_empty());
    let width =
        |spans: &[Span<'_>]| -> usize { spans.iter().map(|span| text::width(&span.content)).sum() };
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
    let form = model.panes().form;
    let narrow = matches!(form, Form::Tabs | Form::Narrow | Form::Tiny);
    let hint = |row: &'static crate::command::Row| {
        let text = match (row.command, model.enter_does()) {
            (SEND, EnterDoes::Retry) => "retry",
            (SEND, EnterDoes::Join) => "join",
            (SEND, EnterDoes::Read) => "read",
            (SEND, EnterDoes::Wait) => "toggle auto-join",
            (SEND, EnterDoes::Nothing) => return None,
            // In narrow layouts, the keys for the lists have priority.
            (
                Command::Edit(EditCommand::NewLine)
                | Command::Chat(ChatCommand::Complete)
                | Command::Nav(Nav::PageUp)
                | Command::Meetings(MeetingsCommand::Find | MeetingsCommand::Next),
                _,
            ) if form == Form::Narrow => {
                return None;
            }
            _ => row.hint?,
        };
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
        .filter(|(_, text)| !narrow || *text == "help")
        .flat_map(spans)
        .collect();
    let used: usize = right.iter().map(|span| text::width(&span.content)).sum();
    if used > columns {
        right.clear();
    }
    let mut room = columns.saturating_sub(used);
    let mut left = Vec::new();
    for spans in of(|context| context != Context::Anywhere).map(spans) {
        let more: usize = spans.iter().map(|span| text::width(&span.content)).sum();
        if more > room {
            break;
        }
        room -= more;
        left.extend(spans);
    }
    put(frame, area, vec![spread(columns, left, right, glyphs.cut)]);
}

fn left(model: &Model, columns: usize) -> Vec<Span<'static>> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    if model.layers.is_top::<Quit>() {
        let text = quit::view::question(glyphs.dot, columns);
        return vec![Span::styled(text, theme.style(Tone::Soon))];
    }
    let selection = model.layers.get::<Selection>();
    if selection.is_some_and(|selection| selection.deleting) {
        let (again, keep) = (model.key(DELETE), model.back_key());
        let text = format!(" Press {again} again to delete this message, {keep} to cancel");
        return vec![Span::styled(text, theme.style(Tone::Soon))];
    }
    if model.quitting.forced_at.is_some() {
        return vec![Span::raw(format!(" Leaving{}", glyphs.cut))];
    }
    if model.quitting.confirm_until.is_some() {
        return vec![Span::styled(
            format!(
                " Press {} again to quit",
                model.key(Command::App(AppCommand::ClearOrQuit))
            ),
            theme.style(Tone::Soon),
        )];
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
