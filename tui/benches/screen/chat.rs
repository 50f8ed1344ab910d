//! The screen with an open meeting, drawn to a sink.

use std::io::{self, Sink};
use std::time::{Duration, Instant};

use chrono::FixedOffset;
use plenary::clock::Zone;
use plenary::effect::Effect;
use plenary::keymap::Keymap;
use plenary::model::scroll::{Place, Scroll};
use plenary::model::{Model, Start};
use plenary::msg::{AppEvent, Msg};
use plenary::net::LinkEvent;
use plenary::session::Token;
use plenary::theme::Theme;
use plenary::update::update;
use plenary::view::view;
use plenary_shared::domain::{Event, EventKind, Instance, InstanceState, Role};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::protocol::{
    HelloOk, MeetingsOk, OpenOk, Outcome, OwnRestrictions, Push, Reply, ServerLine, Verb,
};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use serde::Serialize;
use uuid::Uuid;

/// The time of the benchmark.
const NOW_MS: i64 = 1_790_000_000_000;

/// The screen.
pub struct Chat {
    model: Model,
    terminal: Terminal<CrosstermBackend<Sink>>,
    ids: u128,
}

impl Chat {
    /// Opens a screen that is signed in and follows a meeting.
    pub fn open(columns: u16, rows: u16) -> Self {
        let model = Model::new(Start {
            server: "http://127.0.0.1:7400".into(),
            email: String::new(),
            person: None,
            token: Some(Token::new("t")),
            drafts: vec![],
            kept: None,
            history: vec![],
            notify_levels: vec![],
            theme: Theme::new(true, false),
            keymap: Keymap::default(),
            zone: Zone::Fixed(FixedOffset::east_opt(0).expect("an offset")),
            size: (columns, rows),
            now: Timestamp::from_ms(NOW_MS),
        });
        let backend = CrosstermBackend::new(io::sink());
        let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport });
        let mut chat = Self {
            model,
            terminal: terminal.expect("a sink accepts all writes"),
            ids: 0,
        };
        chat.tell(AppEvent::Started);
        chat.tell(AppEvent::Link(LinkEvent::Open));
        chat.key("enter");
        chat.draw();
        assert!(
            chat.model.room().is_some_and(|room| room.log.is_some()),
            "it is open"
        );
        chat
    }

    /// Measures an action and the frame after it.
    pub fn timed(&mut self, happens: impl FnOnce(&mut Self)) -> Duration {
        let began = Instant::now();
        happens(self);
        self.draw();
        began.elapsed()
    }

    pub fn key(&mut self, name: &str) {
        self.tell(AppEvent::Key(name.parse().expect("a key")));
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.terminal
            .resize(Rect::new(0, 0, columns, rows))
            .expect("a sink accepts all writes");
        self.tell(AppEvent::Resized(columns, rows));
    }

    /// Receives a message from another user.
    pub fn receive(&mut self, number: u64, body: &str) {
        let event = Event {
            instance: instance().id,
            generation: Generation::new(1).expect("small"),
            seq: Seq::new(number).expect("small"),
            kind: EventKind::Message {
                user: user(2 + number % 20),
                cmid: Cmid(Uuid::from_u128((1 << 64) + u128::from(number))),
                body: MessageBody::parse(format!("{number}: {body}")).expect("a body"),
                reply_to: None,
                edited: None,
                deleted: None,
            },
            timestamp: Timestamp::from_ms(NOW_MS + i64::try_from(number).expect("small") * 10),
        };
        self.hear(ServerLine::Push(Push::Event(Box::new(event))));
    }

    /// Whether the first row of all is at the top.
    pub fn is_at_beginning(&self) -> bool {
        let first = Seq::new(1).expect("small");
        self.model.room().is_some_and(|room| match room.scroll {
            Scroll::From { place, .. } => place == Place::Event(first),
            Scroll::Newest => false,
        })
    }

    fn draw(&mut self) {
        let drawn = self.terminal.draw(|frame| drop(view(&self.model, frame)));
        drawn.expect("a sink accepts all writes");
    }

    fn hear(&mut self, line: ServerLine) {
        self.tell(AppEvent::Link(LinkEvent::Line(Box::new(line))));
    }

    fn tell(&mut self, event: AppEvent) {
        self.ids += 1;
        let msg = Msg {
            now: Timestamp::from_ms(NOW_MS),
            spare: Cmid(Uuid::from_u128(self.ids)),
            event,
        };
        for effect in update(&mut self.model, msg) {
            if let Effect::Ask(request) = effect {
                self.answer(request.id, &request.verb);
            }
        }
    }

    fn answer(&mut self, id: u64, verb: &Verb) {
        let now = Timestamp::from_ms(NOW_MS);
        match verb {
            Verb::Hello(_) => self.reply(
                id,
                HelloOk {
                    user: user(1),
                    name: "ada".into(),
                    email: "ada@example.org".into(),
                    role: Role::Member,
                    server: "1".into(),
                    now,
                    resumed: vec![],
                },
            ),
            Verb::Meetings {} => self.reply(
                id,
                MeetingsOk {
                    meetings: vec![instance()],
                    unread: vec![],
                    now,
                },
            ),
            Verb::Open(_) => self.reply(
                id,
                OpenOk {
                    instance: instance(),
                    generation: Generation::new(1).expect("small"),
                    seq: Seq::default(),
                    durable: Seq::default(),
                    roster: vec![],
                    events: vec![],
                    more: false,
                    users: vec![],
                    unread: None,
                    absent: None,
                    restrictions: OwnRestrictions::default(),
                },
            ),
            _ => {}
        }
    }

    fn reply(&mut self, id: u64, ok: impl Serialize) {
        let outcome = Outcome::Ok(serde_json::to_value(ok).expect("JSON"));
        self.hear(ServerLine::Reply(Reply { id, outcome }));
    }
}

fn user(id: u64) -> UserId {
    UserId::new(id).expect("small")
}

fn instance() -> Instance {
    let id: InstanceId = "1/1".parse().expect("an instance");
    Instance {
        title: "Seminar".into(),
        description: String::new(),
        is_public: true,
        fromdatetime: Timestamp::from_ms(NOW_MS - 60_000),
        todatetime: Timestamp::from_ms(NOW_MS + 86_400_000),
        id,
        state: InstanceState::Active,
        participants: 0,
        joined: None,
        cancelled: false,
        ended_at: None,
    }
}
