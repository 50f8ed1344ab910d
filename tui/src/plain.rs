//! The program as lines: what somebody is told who looks at no screen. Each time what is known is held
//! against what was told of it before. Words stand where the screen has signs.

use std::collections::{BTreeMap, BTreeSet};

use plenary_shared::domain::{Event, Instance, InstanceState, Reason, What};
use plenary_shared::ids::{Cmid, InstanceId, Seq};
use plenary_shared::replica::Replica;

use crate::clock::{minutes, minutes_left};
use crate::model::layer::Quit;
use crate::model::outbox::Delivery;
use crate::model::overlay::Overlay;
use crate::model::scroll::{self, Scroll};
use crate::model::seek::Seek;
use crate::model::{Link, Model};
use crate::text;
use crate::theme::Tone;

/// Events of a meeting that are told when it is opened.
const OPENED_EVENTS: usize = 10;
/// Columns of what stands in tables: a line of a braille display or of a page.
const COLUMNS: usize = 80;

/// What has been told.
#[derive(Debug, Default)]
pub struct Told {
    link: Option<String>,
    notice: Option<String>,
    shown: Option<InstanceId>,
    waiting: Option<String>,
    listed: bool,
    /// The last event that was told of each meeting.
    events: BTreeMap<InstanceId, Seq>,
    failed: BTreeSet<Cmid>,
    scroll: Option<(InstanceId, Scroll)>,
    found: usize,
    asked: Option<String>,
    wrong: Option<String>,
    leaving: bool,
    /// Whether something was refused.
    pub refused: bool,
}

impl Told {
    /// What is new, a line each.
    pub fn news(&mut self, model: &Model) -> Vec<String> {
        let mut lines = Vec::new();
        self.tell_link(model, &mut lines);
        self.tell_notice(model, &mut lines);
        self.tell_list(model, &mut lines);
        self.tell_shown(model, &mut lines);
        self.tell_events(model, &mut lines);
        self.tell_failed(model, &mut lines);
        self.tell_scroll(model, &mut lines);
        self.tell_found(model, &mut lines);
        let leaving = model.layers.is_top::<Quit>();
        if leaving && !self.leaving {
            lines.push(
                "a meeting is running: l leaves it and ends, s only ends (after 20 seconds you \
                 have left), anything else goes on"
                    .to_owned(),
            );
        }
        self.leaving = leaving;
        lines
    }

    fn tell_link(&mut self, model: &Model, lines: &mut Vec<String>) {
        let link = match &model.link {
            Link::Connecting { attempt: 0 } if self.link.is_none() => {
                format!("connecting to {}", model.server)
            }
            Link::Off | Link::Connecting { .. } | Link::Greeting => return,
            Link::Ready => match &model.me {
                Some(me) => format!("connected as {}", text::one_line(&me.name)),
                None => "connected".to_owned(),
            },
            Link::Lost { why, retry_at } => {
                let again = if retry_at.is_some() {
                    ", trying again"
                } else {
                    ""
                };
                format!("offline: {}{again}", text::one_line(why))
            }
        };
        if self.link.as_ref() != Some(&link) {
            lines.push(link.clone());
            self.link = Some(link);
        }
    }

    fn tell_notice(&mut self, model: &Model, lines: &mut Vec<String>) {
        let notice = model.notice.as_ref().map(|notice| {
            let said = text::one_line(&notice.text);
            let warning = model.theme.glyphs.warning;
            let said = said
                .strip_prefix(warning)
                .unwrap_or(&said)
                .trim()
                .to_owned();
            match notice.tone {
                Tone::Bad if !notice.text.starts_with(warning) => (true, format!("error: {said}")),
                _ => (false, format!("note: {said}")),
            }
        });
        let said = notice.as_ref().map(|(_, said)| said.clone());
        if said != self.notice
            && let Some((refused, said)) = notice
        {
            lines.push(said);
            self.refused |= refused;
        }
        self.notice = said;
    }

    fn tell_list(&mut self, model: &Model, lines: &mut Vec<String>) {
        if model.meetings.loaded && !std::mem::replace(&mut self.listed, true) {
            lines.extend(list(model));
        }
    }

    fn tell_shown(&mut self, model: &Model, lines: &mut Vec<String>) {
        let shown = model.shown.and_then(|id| model.instance(id));
        if let Some(instance) = shown
            && self.shown != Some(instance.id)
        {
            lines.push(format!("here: {}", about(model, instance)));
            self.shown = Some(instance.id);
            self.waiting = None;
        }
        let waiting = shown.and_then(|instance| model.describe_waiting(instance.id));
        if waiting.is_some() && waiting != self.waiting {
            lines.extend(waiting.clone());
            self.waiting = waiting;
        }
    }

    fn tell_events(&mut self, model: &Model, lines: &mut Vec<String>) {
        for (id, room) in &model.rooms {
            let Some(log) = &room.log else {
                continue;
            };
            let told = self.events.get(id).copied();
            let after = told.unwrap_or_else(|| {
                let mut newest = log.events().rev().skip(OPENED_EVENTS);
                newest.next().map_or(Seq::default(), |event| event.seq)
            });
            if told.is_none() && (after > Seq::default() || log.older_than().is_some()) {
                lines.push("earlier messages: /page-up".to_owned());
            }
            let place = match model.instance(*id) {
                Some(instance) if model.shown != Some(*id) => {
                    format!("[{}] ", text::one_line(&instance.title))
                }
                Some(_) | None => String::new(),
            };
            // After a fence the log may end earlier than what was told.
            for event in log.events_after(after.min(room.last())) {
                lines.extend(said(model, log, event, &place));
            }
            self.events.insert(*id, room.last());
        }
    }

    fn tell_failed(&mut self, model: &Model, lines: &mut Vec<String>) {
        for pending in model.outbox.entries() {
            if let Delivery::Rejected { why } = &pending.state
                && self.failed.insert(pending.cmid)
            {
                let body = text::one_line(pending.body.as_str());
                let why = text::one_line(why);
                lines.push(format!("error: not sent: {body}: {why}"));
                self.refused = true;
            }
        }
    }

    /// Whoever goes back is told what a screen would show.
    fn tell_scroll(&mut self, model: &Model, lines: &mut Vec<String>) {
        let now = model.room().map(|room| (room.id, room.scroll));
        let moved = now != self.scroll;
        self.scroll = now;
        let Some(room) = model
            .room()
            .filter(|room| moved && !room.scroll.is_newest())
        else {
            return;
        };
        lines.push("from here:".to_owned());
        let rows = scroll::window(&model.room_view(room), model.chat_rows());
        lines.extend(
            rows.iter()
                .map(|row| row.line.to_string().trim_end().to_owned()),
        );
        lines.push("/page-up and /page-down read on, /newest is the end".to_owned());
    }

    fn tell_found(&mut self, model: &Model, lines: &mut Vec<String>) {
        let Some(seek) = model.layers.shown::<Seek>() else {
            (self.asked, self.found) = (None, 0);
            return;
        };
        let asked = seek.asked.as_ref().map(|(asked, _)| asked.clone());
        if asked != self.asked {
            (self.asked, self.found) = (asked, 0);
        }
        if seek.wrong != self.wrong {
            lines.extend(
                seek.wrong
                    .iter()
                    .map(|why| format!("error: {}", text::one_line(why))),
            );
            self.refused |= seek.wrong.is_some();
            self.wrong.clone_from(&seek.wrong);
        }
        if seek.reading || self.asked.is_none() {
            return;
        }
        for (index, found) in seek.found.iter().enumerate().skip(self.found) {
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
        if seek.found.len() > self.found || self.found == 0 {
            let more = if seek.has_more() {
                "more reads more, "
            } else {
                ""
            };
            let count = seek.found.len();
            lines.push(format!(
                "{count} found: {more}a number goes there, other words search anew, /back ends"
            ));
            self.found = seek.found.len().max(1);
        }
    }
}

/// The meetings, a line each.
pub fn list(model: &Model) -> Vec<String> {
    let entries = model.meetings.entries(model.now, model.zone);
    if entries.is_empty() {
        return vec!["there is no meeting for you".to_owned()];
    }
    let line = |entry: &crate::model::meetings::Entry<'_>| {
        format!("meeting {}: {}", entry.number, about(model, entry.instance))
    };
    entries.iter().map(line).collect()
}

/// A page, its title first.
pub fn page(model: &Model) -> Vec<String> {
    let Some(overlay) = model.layers.get::<Overlay>() else {
        return Vec::new();
    };
    let title = format!("{}:", overlay.title(model));
    let rows = overlay.rows(model, COLUMNS);
    let rows = rows.iter().map(|row| row.to_string().trim_end().to_owned());
    [title].into_iter().chain(rows).collect()
}

fn about(model: &Model, instance: &Instance) -> String {
    let title = text::one_line(&instance.title);
    let state = match instance.state {
        InstanceState::Active => {
            let left = minutes(minutes_left(model.now, instance.todatetime));
            let joined = if instance.joined.is_some() {
                ", joined"
            } else {
                ""
            };
            format!("live, {left} left, {} here{joined}", instance.participants)
        }
        InstanceState::Scheduled => {
            format!("begins {}", model.zone.weekday_hm(instance.fromdatetime))
        }
        InstanceState::Ending | InstanceState::Ended if instance.cancelled => {
            "cancelled".to_owned()
        }
        InstanceState::Ending | InstanceState::Ended => "ended".to_owned(),
    };
    let private = if instance.is_public { "" } else { ", private" };
    format!("{title} {}, {state}{private}", instance.id)
}

/// What happened, and when and where.
fn said(model: &Model, log: &Replica, event: &Event, place: &str) -> Vec<String> {
    let name = |user| {
        if model.my_id() == Some(user) {
            "you".to_owned()
        } else {
            text::one_line(&log.name(user))
        }
    };
    let what = match &event.what {
        What::Opened => "the meeting has begun".to_owned(),
        What::Join { user, .. } => format!("{} joined", name(*user)),
        What::Leave { user, reason } => {
            let why = match reason {
                Reason::ConnectionLost => ", connection lost",
                Reason::Removed => ", removed by an admin",
                Reason::Left
                | Reason::Scheduled
                | Reason::Ended
                | Reason::Missed
                | Reason::Cancelled => "",
            };
            format!("{} left{why}", name(*user))
        }
        What::Message {
            user,
            body,
            edited,
            deleted,
            ..
        } => match (deleted, edited) {
            (Some(_), _) => format!("{}: (deleted)", name(*user)),
            (None, Some(_)) => format!("{}: {body} (edited)", name(*user)),
            (None, None) => format!("{}: {body}", name(*user)),
        },
        What::Edited { user, body, .. } => format!("{} changed a message: {body}", name(*user)),
        What::Deleted { user, .. } => format!("{} deleted a message", name(*user)),
        What::Moderated(done) => {
            let sentence = done.sentence(name, |at| model.zone.hm(at));
            format!("{} {sentence}", name(done.user))
        }
        What::Closed { reason } => {
            let why = match reason {
                Reason::Missed => "nothing ran at its time",
                Reason::Cancelled => "it was cancelled",
                Reason::Ended | Reason::Removed => "it was ended",
                Reason::Scheduled | Reason::Left | Reason::ConnectionLost => "its time is over",
            };
            format!("the meeting is over: {why}")
        }
    };
    let time = model.zone.hm(event.timestamp);
    let mut lines = text::lines(&what).into_iter();
    let first = lines.next().unwrap_or_default();
    // What is said in several lines cannot pass for what somebody else said.
    let further = lines.map(|line| format!("    {line}"));
    [format!("{place}{time} {first}")]
        .into_iter()
        .chain(further)
        .collect()
}
