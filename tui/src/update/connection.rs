//! The connection: sign-on, resuming, and loss.

use std::time::Duration;

use plenary_shared::domain::Code;
use plenary_shared::ids::InstanceId;
use plenary_shared::limits;
use plenary_shared::protocol::{
    Changed, ChangedList, Hello, HelloOk, Position, Push, ResumeMode, Resumed, ServerLine, Verb,
};

use super::Step;
use crate::effect::Effect;
use crate::model::layer::sign_in::SignIn;
use crate::model::outbox::Rejection;
use crate::model::room::Room;
use crate::model::{Asked, Cause, Link, Me};
use crate::net::LinkEvent;
use crate::theme::Tone;

/// Client name and version, for the server's log.
const CLIENT: &str = concat!("plenary/", env!("CARGO_PKG_VERSION"));

/// A loss this soon after a sleep is dated back to its start.
const SLEPT_RECENTLY_MS: i64 = 60_000;

impl Step<'_> {
    /// Handles an event of the connection.
    pub(super) fn link(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Connecting { attempt } => {
                self.model.connection.link = Link::Connecting { attempt }
            }
            LinkEvent::Open => self.hello(),
            LinkEvent::Line(line) => match *line {
                ServerLine::Reply(reply) => self.reply(reply),
                ServerLine::Push(push) => self.push(push),
            },
            LinkEvent::Garbled => {
                self.model
                    .tell(Tone::Bad, "Unreadable message from the server");
            }
            LinkEvent::Unsent { id } => self.unsent(id),
            LinkEvent::Closed { reason, retry_in } => {
                self.lost();
                if reason.is_signed_out() {
                    self.sign_out("Signed out. Sign in again");
                } else {
                    let wait_ms =
                        |wait: Duration| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                    self.model.connection.link = Link::Lost {
                        why: reason.to_string(),
                        retry_at: retry_in.map(|wait| self.model.now.plus_ms(wait_ms(wait))),
                    };
                }
            }
        }
    }

    fn push(&mut self, push: Push) {
        match push {
            Push::Event(event) => self.event(&event),
            Push::Durable(durable) => {
                let room = self.model.rooms.get_mut(&durable.instance);
                if let Some(log) = room.and_then(|room| room.log.as_mut()) {
                    log.set_durable(durable);
                    self.model.outbox.remove_durable(log);
                }
            }
            Push::Fence(fence) => self.fence(fence),
            Push::Changed(Changed {
                instance: Some(id),
                changed: ChangedList::Participants,
            }) => {
                if !self.refresh_waiting_room(id) {
                    self.ask(Verb::Participants(id), Asked::People(id));
                }
            }
            Push::Changed(_) => self.ask_meetings(),
            Push::Presence(told) => {
                if let Some(room) = self.model.rooms.get_mut(&told.instance) {
                    room.set_presence(told);
                }
            }
            Push::Waiting(told) => self.waiting_changed(told),
            Push::Read(read) => self.read_elsewhere(read),
            Push::Typing(typing) => self.typing(typing),
            Push::Dashboard(news) => self.dashboard_updated(*news),
            Push::Detail(news) => self.detail_updated(*news),
        }
    }

    fn hello(&mut self) {
        let Some(token) = &self.model.session.token else {
            return;
        };
        let resume: Vec<Position> = self
            .model
            .rooms
            .values()
            .filter(|room| room.is_loaded() && !room.is_closed())
            .filter_map(|room| room.log.as_ref())
            .map(plenary_shared::replica::Replica::position)
            .take(limits::FOLLOWED_MAX)
            .collect();
        let hello = Hello {
            token: token.secret().to_owned(),
            client: Some(CLIENT.to_owned()),
            resume,
        };
        self.model.connection.link = Link::Greeting;
        self.ask(Verb::Hello(hello), Asked::Hello);
    }

    /// Handles the reply to hello.
    pub(super) fn signed_on(&mut self, ok: HelloOk) {
        let local = self.model.now.plus_ms(-self.model.skew_ms);
        self.drop_cache_of_other_user(&ok);
        self.model.skew_ms = ok.now.ms_since(local);
        self.model.now = ok.now;
        self.model.session.me = Some(Me {
            id: ok.user,
            name: ok.name,
            email: ok.email,
            role: ok.role,
        });
        self.model.connection.link = Link::Ready;
        self.model.end_notice_of(Cause::Connection);
        self.open_journal();
        let lost_at = self.model.connection.lost_at.take();
        self.ask_meetings();
        if std::mem::take(&mut self.model.opens_dashboard) {
            self.toggle_dashboard();
        } else {
            self.watch();
        }

        let ids: Vec<_> = self.model.rooms.keys().copied().collect();
        for id in ids {
            let mode = ok
                .resumed
                .iter()
                .find(|resumed: &&Resumed| resumed.instance == id);
            if let (Some(from), Some(room)) = (lost_at, self.model.rooms.get_mut(&id))
                && room.is_loaded()
                && !room.is_closed()
            {
                room.add_offline_period(from, ok.now);
            }
            match mode.map(|resumed| resumed.mode) {
                Some(ResumeMode::Delta) => {
                    if let Some(room) = self.model.rooms.get_mut(&id) {
                        room.following = true;
                    }
                    self.send_next(id);
                }
                // The end may be in a generation that is unknown here.
                Some(ResumeMode::Snapshot | ResumeMode::Ended) => self.ask_open(id),
                Some(ResumeMode::Gone) => self.remove_unreadable(id),
                None => {
                    let closed = self.model.rooms.get(&id).is_some_and(Room::is_closed);
                    if !closed {
                        self.ask_open(id);
                    }
                }
            }
        }
    }

    /// Removes a meeting that can no longer be read.
    pub(super) fn remove_unreadable(&mut self, id: InstanceId) {
        let title = self.title_of(id);
        self.model.rooms.remove(&id);
        self.model
            .outbox
            .reject_unsent(id, Code::NotAllowed.sentence());
        self.send_next(id);
        let lines = self.model.outbox.entries_of(id).count();
        let left = match lines {
            0 => String::new(),
            _ => ". Unsent messages: /outbox".to_owned(),
        };
        let text = format!("You can no longer read {title}{left}");
        self.model.tell(Tone::Bad, text);
    }

    /// Shows the sign-in form and forgets the token.
    pub(super) fn sign_out(&mut self, why: &str) {
        let (server, now) = (self.model.session.server.clone(), self.model.now);
        let email = self
            .model
            .session
            .me
            .as_ref()
            .map(|me| me.email.clone())
            .unwrap_or_default();
        self.model.session.token = None;
        self.model.connection.link = Link::Off;
        self.model.layers.clear();
        let mut form = SignIn::new(&server, &email);
        form.error = Some((now, why.to_owned()));
        self.model.layers.push(form);
        self.out.push(Effect::Disconnect);
        self.out.push(Effect::ForgetToken { server });
    }

    /// Handles the loss of the connection and of all open requests.
    pub(super) fn lost(&mut self) {
        if self.model.connection.link == Link::Ready {
            let now = self.model.now;
            // A loss noticed on waking started with the sleep.
            let slept = self.model.connection.slept.take();
            let slept = slept.filter(|(_, noticed)| now.ms_since(*noticed) < SLEPT_RECENTLY_MS);
            self.model.connection.lost_at = Some(slept.map_or(now, |(from, _)| from));
        }
        for asked in std::mem::take(&mut self.model.connection.requests).into_values() {
            match asked {
                Asked::Read(id) => {
                    if let Some(room) = self.model.rooms.get_mut(&id) {
                        room.read_unreported = true;
                    }
                }
                Asked::Moderate(id, kind, name) => self.moderation_unknown(id, kind, &name),
                Asked::Plan(kind) => self.plan_unknown(kind),
                _ => {}
            }
        }
        self.model.outbox.connection_lost();
        self.model.idle.forget();
        for room in self.model.rooms.values_mut() {
            room.connection_lost();
        }
    }

    fn unsent(&mut self, id: u64) {
        let asked = self.model.connection.requests.remove(&id);
        if let Some(Asked::Post(instance, cmid, sent)) = asked {
            let why = "too large to send".to_owned();
            self.model
                .outbox
                .rejected(cmid, sent, Rejection::Final { why });
            self.send_next(instance);
        }
    }
}
