//! Announces changes of the model as lines of text, for line mode.
//!
//! Each call compares the model with what was announced before.

use std::collections::{BTreeMap, BTreeSet};

use plenary_shared::domain::{Event, Instance, InstanceState};
use plenary_shared::ids::{Cmid, InstanceId, Seq};
use plenary_shared::replica::Replica;

use crate::clock;
use crate::command::Named;
use crate::event_text;
use crate::model::layer::page::Page;
use crate::model::layer::quit::Quit;
use crate::model::layer::search::Search;
use crate::model::layer::selection::{self, Selection};
use crate::model::meetings::Entry;
use crate::model::outbox::Delivery;
use crate::model::scroll::{self, Scroll};
use crate::model::{Link, Model};
use crate::text;
use crate::theme::Tone;

/// The number of events announced when a meeting is opened.
const OPENED_EVENTS: usize = 10;

/// Width of pages in columns, as on a braille display or in a printed page.
const COLUMNS: usize = 80;

/// A question that the next key answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Leave,
    Delete,
}

/// What has been announced.
#[derive(Debug, Default)]
pub struct Announcer {
    link: Option<String>,
    notice: Option<String>,
    shown: Option<InstanceId>,
    waiting: Option<String>,
    has_listed: bool,
    /// The last announced event of each instance.
    events: BTreeMap<InstanceId, Seq>,
    failed: BTreeSet<Cmid>,
    scroll: Option<(InstanceId, Scroll)>,
    matches: usize,
    query: Option<String>,
    query_error: Option<String>,
    question: Option<Question>,
    pub has_rejection: bool,
}

impl Announcer {
    /// Returns the changes since the last call, one line each.
    pub fn announce(&mut self, model: &Model) -> Vec<String> {
        let mut lines = Vec::new();
        self.announce_link(model, &mut lines);
        self.announce_notice(model, &mut lines);
        if model.meetings.loaded && !std::mem::replace(&mut self.has_listed, true) {
            lines.extend(list(model));
        }
        self.announce_shown(model, &mut lines);
        self.announce_events(model, &mut lines);
        self.announce_failed(model, &mut lines);
        self.announce_scroll(model, &mut lines);
        self.announce_search(model, &mut lines);
        self.announce_question(model, &mut lines);
        lines
    }

    /// Announces the question before a quit or a delete.
    fn announce_question(&mut self, model: &Model, lines: &mut Vec<String>) {
        let selection = model.layers.get::<Selection>();
        let question = if model.layers.is_top::<Quit>() {
            Some(Question::Leave)
        } else if selection.is_some_and(|selection| selection.deleting) {
            Some(Question::Delete)
        } else {
            None
        };
        if std::mem::replace(&mut self.question, question) == question {
            return;
        }
        match question {
            Some(Question::Leave) => lines.push(
                "You're still in a meeting. l: leave and quit, s: quit and keep your seat for \
                 20 s, anything else: cancel"
                    .to_owned(),
            ),
            Some(Question::Delete) => {
                let body = model.selected().and_then(selection::body);
                let body = text::one_line(body.unwrap_or_default());
                lines.push(format!("Delete \"{body}\"? y: delete, anything else: keep"));
            }
            None => {}
        }
    }

    fn announce_link(&mut self, model: &Model, lines: &mut Vec<String>) {
        let link = match &model.connection.link {
            Link::Connecting { attempt: 0 } if self.link.is_none() => {
                format!("connecting to {}", model.session.server)
            }
            Link::Off | Link::Connecting { .. } | Link::Greeting => return,
            Link::Ready => match &model.session.me {
                Some(me) => format!("connected as {}", text::one_line(&me.name)),
                None => "connected".to_owned(),
            },
            Link::Lost { why, retry_at } => {
                let retry = retry_at.map_or("", |_| ", reconnecting");
                format!("offline: {}{retry}", text::one_line(why))
            }
        };
        if self.link.as_ref() != Some(&link) {
            lines.push(link.clone());
            self.link = Some(link);
        }
    }

    fn announce_notice(&mut self, model: &Model, lines: &mut Vec<String>) {
        let notice = model.notice.as_ref().map(|notice| {
            let text = text::one_line(&notice.text);
            let warning = model.theme.glyphs.warning;
            match text.strip_prefix(warning) {
                None if notice.tone == Tone::Bad => (true, format!("error: {}", text.trim())),
                None => (false, format!("note: {}", text.trim())),
                Some(text) => (false, format!("note: {}", text.trim())),
            }
        });
        let text = notice.as_ref().map(|(_, text)| text.clone());
        if text != self.notice
            && let Some((is_error, line)) = notice
        {
            lines.push(line);
            self.has_rejection |= is_error;
        }
        self.notice = text;
    }

    fn announce_shown(&mut self, model: &Model, lines: &mut Vec<String>) {
        let shown = model.shown.and_then(|id| model.instance(id));
        if let Some(instance) = shown
            && self.shown != Some(instance.id)
        {
            lines.push(format!("opened: {}", summary(model, instance)));
            self.shown = Some(instance.id);
            self.waiting = None;
        }
        let waiting = shown.and_then(|instance| model.describe_waiting(instance.id));
        if waiting.is_some() && waiting != self.waiting {
            lines.extend(waiting.clone());
            self.waiting = waiting;
        }
    }

    fn announce_events(&mut self, model: &Model, lines: &mut Vec<String>) {
        for (id, room) in &model.rooms {
            let Some(log) = &room.log else {
                continue;
            };
            let announced = self.events.get(id).copied();
            let after = announced.unwrap_or_else(|| {
                let mut newest = log.events().rev().skip(OPENED_EVENTS);
                newest.next().map_or(Seq::default(), |event| event.seq)
            });
            if announced.is_none() && (after > Seq::default() || log.older_than().is_some()) {
                lines.push("for earlier messages: /page-up".to_owned());
            }
            let prefix = match model.instance(*id) {
                Some(instance) if model.shown != Some(*id) => {
                    format!("[{}] ", text::one_line(&instance.title))
                }
                Some(_) | None => String::new(),
            };
            // After a fence, the log may end before the last announced event.
            for event in log.events_after(after.min(room.last())) {
                lines.extend(event_lines(model, log, event, &prefix));
            }
            self.events.insert(*id, room.last());
        }
    }

    fn announce_failed(&mut self, model: &Model, lines: &mut Vec<String>) {
        for pending in model.outbox.entries() {
            if let Delivery::Rejected { why } = &pending.state
                && self.failed.insert(pending.cmid)
            {
                let body = text::one_line(pending.body.as_str());
                let why = text::one_line(why);
                lines.push(format!("error: not sent: {body}: {why}"));
                self.has_rejection = true;
            }
        }
    }

    /// Announces the visible messages after the user has scrolled.
    fn announce_scroll(&mut self, model: &Model, lines: &mut Vec<String>) {
        let scroll = model.room().map(|room| (room.id, room.scroll));
        if scroll == std::mem::replace(&mut self.scroll, scroll) {
            return;
        }
        let Some(room) = model.room().filter(|room| !room.scroll.is_newest()) else {
            return;
        };
        lines.push("messages at this position:".to_owned());
        let rows = scroll::window(&model.room_view(room), model.chat_rows());
        lines.extend(
            rows.iter()
                .map(|row| row.line.to_string().trim_end().to_owned()),
        );
        lines.push("/page-up: older, /page-down: newer, /newest: latest".to_owned());
    }

    fn announce_search(&mut self, model: &Model, lines: &mut Vec<String>) {
        let Some(search) = model.layers.shown::<Search>() else {
            (self.query, self.matches) = (None, 0);
            return;
        };
        let query = search.asked.as_ref().map(|(query, _)| query.clone());
        if query != self.query {
            (self.query, self.matches) = (query, 0);
        }
        if search.wrong != self.query_error {
            let errors = search.wrong.iter();
            lines.extend(errors.map(|why| format!("error: {}", text::one_line(why))));
            self.has_rejection |= search.wrong.is_some();
            self.query_error.clone_from(&search.wrong);
        }
        if search.reading || self.query.is_none() {
            return;
        }
        for (index, found) in search.found.iter().enumerate().skip(self.matches) {
            let message = &found.message;
            let (zone, at) = (model.zone, message.timestamp);
            let when = format!("{} {}", zone.day_title(at), zone.hm(at));
            let (title, name) = (text::one_line(&found.title), text::one_line(&message.name));
            let body = text::one_line(message.body.as_str());
            let number = index + 1;
            lines.push(format!(
                "{number}. {title} {}, {when}, {name}: {body}",
                found.instance
            ));
        }
        let count = search.found.len();
        if count > self.matches || self.matches == 0 {
            let more = if search.has_more() {
                " 'more' for more matches,"
            } else {
                ""
            };
            lines.push(format!(
                "{count} matches. Enter a number to open one,{more} other words for a new \
                 search, or /back to close the search"
            ));
            self.matches = count.max(1);
        }
    }
}

/// Returns the list of meetings, one line each.
pub fn list(model: &Model) -> Vec<String> {
    let entries = model.meetings.entries(model.now, model.zone);
    if entries.is_empty() {
        return vec!["no meetings".to_owned()];
    }
    let line = |entry: &Entry<'_>| {
        format!(
            "meeting {}: {}",
            entry.number,
            summary(model, entry.instance)
        )
    };
    entries.iter().map(line).collect()
}

/// Returns the open page as lines, starting with its title.
pub fn page(model: &Model) -> Vec<String> {
    let Some(overlay) = model.layers.get::<Page>() else {
        return Vec::new();
    };
    if overlay.is_help() {
        return help();
    }
    let title = format!("{}:", overlay.title(model));
    let rows = overlay.rows(model, COLUMNS);
    let rows = rows.iter().map(|row| row.to_string().trim_end().to_owned());
    [title].into_iter().chain(rows).collect()
}

/// Returns the commands of line mode, one line each.
fn help() -> Vec<String> {
    let commands = Named::all().filter_map(|named| match named {
        Named::Slash(command) if command.needs_screen() => None,
        Named::Slash(command) => {
            let usage = format!("{} {}", command.name, command.argument);
            Some(format!("{}: {}", usage.trim_end(), command.help))
        }
        Named::Row(row) if row.needs_screen() => None,
        Named::Row(row) => Some(format!("/{}: {}", row.name, row.help)),
    });
    let lines = ["commands:".to_owned()].into_iter().chain(commands);
    lines
        .chain(["//text: Send /text as it is".to_owned()])
        .collect()
}

fn summary(model: &Model, instance: &Instance) -> String {
    let title = text::one_line(&instance.title);
    let state = match instance.state {
        InstanceState::Active => {
            let left = clock::left(model.now, instance.todatetime);
            let joined = instance.joined.map_or("", |_| ", joined");
            format!("live, {left} left, {} here{joined}", instance.participants)
        }
        InstanceState::Scheduled => {
            format!("starts {}", model.zone.weekday_hm(instance.fromdatetime))
        }
        InstanceState::Ending | InstanceState::Ended if instance.cancelled => {
            "cancelled".to_owned()
        }
        InstanceState::Ending | InstanceState::Ended => "ended".to_owned(),
    };
    let private = if instance.is_public { "" } else { ", private" };
    format!("{title} {}, {state}{private}", instance.id)
}

/// Returns the lines of an event. Continuation lines are indented, so that no message can imitate
/// another.
fn event_lines(model: &Model, log: &Replica, event: &Event, prefix: &str) -> Vec<String> {
    let name = |user| {
        if model.my_id() == Some(user) {
            "you".to_owned()
        } else {
            text::one_line(&log.name(user))
        }
    };
    let text = match event_text::describe(event, name, |at| model.zone.hm(at)) {
        (Some(author), text) => format!("{author}: {text}"),
        (None, text) => text,
    };
    let time = model.zone.hm(event.timestamp);
    let mut lines = text::lines(&text).into_iter();
    let first = lines.next().unwrap_or_default();
    let further = lines.map(|line| format!("    {line}"));
    [format!("{prefix}{time} {first}")]
        .into_iter()
        .chain(further)
        .collect()
}
