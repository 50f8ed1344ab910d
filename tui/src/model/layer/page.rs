//! Pages to read: help, participants, messages of a user, join times, outbox, and those of admins.

mod access;
mod help;
mod outbox;
mod planned;
mod servers;
mod update;
pub mod view;

use plenary_shared::domain::Presence;
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::protocol::{Absent, JoinTimes, MessagesOk, ParticipantsOk, PlanOk, Verdict};
use plenary_shared::time::Timestamp;
use ratatui::text::{Line, Span};

use crate::command::Context;
use crate::link;
use crate::model::Model;
use crate::model::editor::{Editor, KillRing};
use crate::model::layer::dashboard::Dashboard;
use crate::model::layer::selection;
use crate::text;
use crate::theme::Tone;

/// The state of a page.
#[derive(Clone, Debug)]
pub struct Page {
    pub page: PageContent,
    /// The number of rows scrolled off at the top.
    pub scroll: usize,
    /// What the help shows: the typed words, and the text cut from them.
    pub filter: Editor,
    ring: KillRing,
}

/// The content of a page; `None` until the server has replied.
#[derive(Clone, Debug)]
pub enum PageContent {
    /// The keys and slash commands.
    Help {
        /// The contexts whose keys come first: those of the layer from which the help was opened.
        here: &'static [Context],
    },
    /// The participants of a meeting with details.
    People(InstanceId, Option<ParticipantsOk>),
    /// The messages of a user.
    Messages {
        instance: InstanceId,
        name: String,
        said: Option<MessagesOk>,
    },
    /// The join times of all running meetings.
    JoinTimes(Option<Vec<JoinTimes>>),
    /// The links in the messages of the shown meeting.
    Urls,
    /// The errors in `keys.toml` and `theme.toml`.
    ConfigErrors,
    Outbox,
    /// The health of the servers and stores.
    Servers,
    Planned(MeetingId),
    /// The report after a change of the schedule.
    PlanReport(Box<PlanOk>),
    /// Why a user can or cannot join a meeting.
    Access {
        instance: InstanceId,
        email: String,
        /// The rule that decides, and how to change it.
        verdict: Option<Verdict>,
    },
}

impl Page {
    /// Creates a page that shows its first row.
    pub fn new(page: PageContent) -> Self {
        Self {
            page,
            scroll: 0,
            filter: Editor::default(),
            ring: KillRing::default(),
        }
    }

    /// The parts of the key table that apply on it.
    pub fn contexts(&self) -> &'static [Context] {
        if self.is_help() {
            &[Context::Choices, Context::Edit, Context::Anywhere]
        } else {
            &[Context::Lists, Context::Anywhere]
        }
    }

    /// The text field that takes the typing: the filter of the help.
    pub fn input(&mut self) -> Option<(&mut Editor, &mut KillRing)> {
        self.is_help().then_some((&mut self.filter, &mut self.ring))
    }

    /// The number of rows above the content: that of the filter.
    pub fn head_rows(&self) -> usize {
        usize::from(self.is_help())
    }

    /// Returns whether it shows the help.
    pub fn is_help(&self) -> bool {
        matches!(self.page, PageContent::Help { .. })
    }

    /// Returns whether it shows the help of this context, without a filter.
    pub fn is_help_for(&self, wanted: Context) -> bool {
        let is_here =
            matches!(self.page, PageContent::Help { here } if here.first() == Some(&wanted));
        is_here && self.filter.is_empty()
    }

    /// Returns whether it waits for the server.
    pub fn is_waiting(&self) -> bool {
        match &self.page {
            PageContent::People(_, None) | PageContent::JoinTimes(None) => true,
            PageContent::Messages { said, .. } => said.is_none(),
            PageContent::Access { verdict, .. } => verdict.is_none(),
            PageContent::Help { .. }
            | PageContent::People(..)
            | PageContent::JoinTimes(_)
            | PageContent::Urls
            | PageContent::ConfigErrors
            | PageContent::Outbox
            | PageContent::Planned(_)
            | PageContent::PlanReport(_)
            | PageContent::Servers => false,
        }
    }

    pub fn title(&self, model: &Model) -> String {
        let title = |id: InstanceId| {
            let board = model.layers.get::<Dashboard>();
            let row = board.and_then(|board| board.live.rows.get(&id));
            let title = model
                .instance(id)
                .map(|instance| &instance.title)
                .or(row.map(|row| &row.title))
                .map(|title| text::one_line(title));
            format!("{} {id}", title.unwrap_or_default())
        };
        match &self.page {
            PageContent::Help { .. } => "Help".to_owned(),
            PageContent::People(id, _) => format!("Participants of {}", title(*id)),
            PageContent::Messages { instance, name, .. } => {
                format!(
                    "Messages from {} in {}",
                    text::one_line(name),
                    title(*instance)
                )
            }
            PageContent::Urls => "Links in this meeting".to_owned(),
            PageContent::ConfigErrors => "Errors in keys.toml and theme.toml".to_owned(),
            PageContent::Outbox => "Outbox".to_owned(),
            PageContent::Servers => "Servers".to_owned(),
            PageContent::Planned(id) => planned::title(model, *id),
            PageContent::PlanReport(ok) => planned::report_title(ok).to_owned(),
            PageContent::Access {
                instance, email, ..
            } => format!("Can {} join {}?", text::one_line(email), title(*instance)),
            PageContent::JoinTimes(_) => "Join times in live meetings".to_owned(),
        }
    }

    /// Returns all rows, wrapped to `columns`.
    pub fn rows(&self, model: &Model, columns: usize) -> Vec<Line<'static>> {
        match &self.page {
            PageContent::Help { here } => help::rows(model, columns, here, self.filter.text()),
            PageContent::People(_, people) => waiting(model, people.as_ref(), |people| {
                people_rows(model, columns, people)
            }),
            PageContent::Messages { said, .. } => waiting(model, said.as_ref(), |said| {
                message_rows(model, columns, said)
            }),
            PageContent::Urls => url_rows(model, columns),
            PageContent::ConfigErrors => error_rows(model, columns),
            PageContent::Outbox => outbox::rows(model, columns),
            PageContent::Servers => servers::rows(model, columns),
            PageContent::Planned(id) => planned::rows(model, columns, *id),
            PageContent::PlanReport(ok) => planned::report(model, columns, ok),
            PageContent::Access { verdict, .. } => waiting(model, verdict.as_ref(), |verdict| {
                access::rows(model, columns, verdict)
            }),
            PageContent::JoinTimes(meetings) => waiting(model, meetings.as_deref(), |meetings| {
                join_rows(model, columns, meetings)
            }),
        }
    }
}

fn waiting<T: ?Sized>(
    model: &Model,
    answer: Option<&T>,
    rows: impl FnOnce(&T) -> Vec<Line<'static>>,
) -> Vec<Line<'static>> {
    let glyphs = model.theme.glyphs;
    answer.map_or_else(
        || vec![Line::raw(format!("{} Loading{}", glyphs.busy, glyphs.cut))],
        rows,
    )
}

/// A time to the second in 8 columns; on another day its date.
fn joined(model: &Model, at: Timestamp) -> String {
    let (zone, now) = (model.zone, model.now);
    if zone.day(at) == zone.day(now) {
        zone.hms(at)
    } else {
        format!("{:<8}", zone.day_month(at))
    }
}

fn nothing(model: &Model, text: &'static str) -> Vec<Line<'static>> {
    vec![Line::styled(text, model.theme.style(Tone::Quiet))]
}

/// Returns the links in the known messages of the shown meeting, newest first.
fn url_rows(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let log = model.room().and_then(|room| room.log.as_ref());
    let mut rows = Vec::new();
    for event in log.into_iter().flat_map(|log| log.events().rev()) {
        let (Some(user), Some(body)) = (event.kind.user(), selection::body(event)) else {
            continue;
        };
        let name = log.map_or_else(String::new, |log| log.name(user));
        let at = model.zone.time(event.timestamp, model.now);
        let head = format!("{at} {}", text::one_line(&name));
        for found in link::found(body) {
            rows.push(Line::styled(head.clone(), model.theme.style(Tone::Quiet)));
            let cells = columns.saturating_sub(2).max(1);
            let url = text::wrap(&text::one_line(&body[found]), cells).into_iter();
            rows.extend(url.map(|row| Line::raw(format!("  {row}"))));
        }
    }
    if rows.is_empty() {
        return nothing(model, "No links in the loaded messages");
    }
    rows
}

fn error_rows(model: &Model, columns: usize) -> Vec<Line<'static>> {
    if model.config_errors.is_empty() {
        return nothing(model, "No errors");
    }
    let errors = model.config_errors.iter();
    let rows = errors.flat_map(|error| text::wrap(&text::one_line(error), columns));
    rows.map(Line::raw).collect()
}

fn people_rows(model: &Model, columns: usize, found: &ParticipantsOk) -> Vec<Line<'static>> {
    let absent = absent_rows(model, columns, found.absent.as_ref());
    if found.participants.is_empty() {
        let mut rows = nothing(model, "No participants");
        rows.extend(absent);
        return rows;
    }
    let cut = model.theme.glyphs.cut;
    let name_cells = (columns / 4).clamp(6, 20);
    // Members see only the names of others.
    let is_detailed = found.participants.iter().any(|one| one.email.is_some());
    let rows = found.participants.iter().map(|person| {
        let name = text::left(&text::one_line(&person.name), name_cells, cut);
        let age = person.age.map(|age| age.to_string()).unwrap_or_default();
        let gender = person
            .gender
            .map(plenary_shared::domain::Gender::as_str)
            .unwrap_or_default();
        let email = text::one_line(person.email.as_deref().unwrap_or_default());
        let own = model.my_id() == Some(person.id);
        let there = match (person.presence, person.since) {
            (Presence::Present, _) => String::new(),
            (away, None) => format!("({away})  "),
            (away, Some(since)) => {
                let since = model.zone.time(since, model.now);
                format!("({away} since {since})  ")
            }
        };
        Line::from(vec![
            Span::raw(format!("{} ", joined(model, person.joined))),
            Span::styled(name, model.theme.name(person.id.get(), own)),
            Span::raw(text::fit(
                &if is_detailed {
                    format!(" {age:>3} {gender:<6} {there}{email}")
                } else {
                    format!(" {there}")
                },
                columns.saturating_sub(name_cells + 9),
                cut,
            )),
        ])
    });
    let head = Line::styled(
        text::fit(
            &format!(
                "JOINED   {} {}",
                text::left("NAME", name_cells, cut),
                if is_detailed { "AGE GENDER EMAIL" } else { "" }
            ),
            columns,
            cut,
        ),
        model.theme.style(Tone::Quiet),
    );
    [head].into_iter().chain(rows).chain(absent).collect()
}

/// Returns the rows of invited users who have not joined yet.
fn absent_rows(model: &Model, columns: usize, absent: Option<&Absent>) -> Vec<Line<'static>> {
    let Some(absent) = absent.filter(|absent| absent.count > 0) else {
        return vec![];
    };
    let glyphs = model.theme.glyphs;
    let head = format!("NOT JOINED {}", absent.count);
    let mut rows = vec![
        Line::default(),
        Line::styled(head, model.theme.style(Tone::Strong)),
    ];
    rows.extend(absent.users.iter().map(|one| {
        let name = format!("{} {}", glyphs.dot, text::one_line(&one.name));
        Line::raw(text::fit(&name, columns, glyphs.cut))
    }));
    let more = absent.count.saturating_sub(absent.users.len());
    if more > 0 {
        let text = format!("{} and {more} more", glyphs.cut);
        rows.push(Line::styled(text, model.theme.style(Tone::Quiet)));
    }
    rows
}

fn message_rows(model: &Model, columns: usize, said: &MessagesOk) -> Vec<Line<'static>> {
    if said.messages.is_empty() {
        return nothing(model, "No messages");
    }
    let mut rows = Vec::new();
    if said.more {
        rows.extend(nothing(model, "Earlier messages are not shown"));
    }
    let mut day = None;
    for message in &said.messages {
        let today = model.zone.day(message.timestamp);
        if day.replace(today) != Some(today) {
            let title = model.zone.day_title(message.timestamp);
            rows.push(Line::styled(title, model.theme.style(Tone::Quiet)));
        }
        let time = model.zone.hms(message.timestamp);
        let indent = " ".repeat(time.len() + 1);
        let cells = columns.saturating_sub(indent.len()).max(1);
        let wrapped = text::lines(message.body.as_str());
        let texts = wrapped.iter().flat_map(|line| text::wrap(line, cells));
        rows.extend(texts.enumerate().map(|(index, row)| {
            let head = if index == 0 {
                format!("{time} ")
            } else {
                indent.clone()
            };
            Line::from(vec![
                Span::styled(head, model.theme.style(Tone::Quiet)),
                Span::raw(row),
            ])
        }));
    }
    rows
}

fn join_rows(model: &Model, columns: usize, meetings: &[JoinTimes]) -> Vec<Line<'static>> {
    if meetings.is_empty() {
        return nothing(model, "No live meetings");
    }
    let cut = model.theme.glyphs.cut;
    let mut rows = Vec::new();
    for meeting in meetings {
        let title = format!(
            "{} {} ({})",
            text::one_line(&meeting.meeting),
            meeting.instance,
            meeting.join_logs.len()
        );
        let title = text::fit(&title, columns, cut);
        rows.push(Line::styled(title, model.theme.style(Tone::Strong)));
        if meeting.join_logs.is_empty() {
            rows.extend(nothing(model, "  No participants"));
        }
        for log in &meeting.join_logs {
            let own = model.my_id() == Some(log.user);
            let name = text::fit(&text::one_line(&log.name), columns.saturating_sub(11), cut);
            rows.push(Line::from(vec![
                Span::raw(format!("  {} ", joined(model, log.timestamp))),
                Span::styled(name, model.theme.name(log.user.get(), own)),
            ]));
        }
    }
    rows
}
