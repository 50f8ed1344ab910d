//! The test fixture: a model that takes messages and returns its effects, requests and screen.

mod server_data;

use std::time::Duration;

use chrono::FixedOffset;
use plenary_shared::domain::{EventKind, Instance, Reject, Role};
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::protocol::{
    Changed, ChangedList, Durable, HelloOk, MeetingsOk, Outcome, Push, Reply, Request, ResumeMode,
    Resumed, ServerLine, Verb,
};
use plenary_shared::time::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use serde::Serialize;

use crate::cache::Cache;
use crate::clock::Zone;
use crate::effect::Effect;
use crate::journal::Record;
use crate::keymap::Keymap;
use crate::model::{Model, Start};
use crate::msg::{AppEvent, Msg};
use crate::net::{CloseReason, LinkEvent};
use crate::session::Token;
use crate::theme::Theme;
use crate::update::update;
use crate::view::view;

pub const NOW: &str = "2026-09-22T13:52:00Z";
/// Ada, the signed-in user.
pub const ME: u64 = 7;

pub use server_data::*;

pub struct Fixture {
    pub model: Model,
    pub now: Timestamp,
    /// The effects that were not taken yet.
    pub effects: Vec<Effect>,
    /// Whether writing to disk does not finish.
    pub disk_is_slow: bool,
    /// Ada's role.
    pub role: Role,
    passing: Vec<(String, Request)>,
    spares: u128,
}

impl Fixture {
    /// Returns a signed-in client before the first message from the server.
    pub fn new(columns: u16, rows: u16) -> Self {
        Self::begin(
            columns,
            rows,
            Some(Token::new("t")),
            Theme::new(true, false),
        )
    }

    pub fn begin(columns: u16, rows: u16, token: Option<Token>, theme: Theme) -> Self {
        Self::begin_with(columns, rows, token, theme, None)
    }

    /// Restarts the client with the screens that this one would cache.
    pub fn restarted(&self) -> Self {
        let (columns, rows) = self.model.terminal.size;
        let (token, theme) = (Some(Token::new("t")), self.model.theme);
        Self::begin_with(columns, rows, token, theme, self.model.cache())
    }

    fn begin_with(
        columns: u16,
        rows: u16,
        token: Option<Token>,
        theme: Theme,
        kept: Option<Cache>,
    ) -> Self {
        let now = time(NOW);
        let model = Model::new(Start {
            server: "http://127.0.0.1:7400".into(),
            email: String::new(),
            person: None,
            token,
            kept,
            drafts: Vec::new(),
            history: Vec::new(),
            notify_levels: Vec::new(),
            theme,
            keymap: Keymap::default(),
            zone: Zone::Fixed(FixedOffset::east_opt(3_600).expect("an offset")),
            size: (columns, rows),
            now,
        });
        let mut fixture = Self {
            model,
            now,
            effects: Vec::new(),
            disk_is_slow: false,
            role: Role::Member,
            passing: Vec::new(),
            spares: 0,
        };
        fixture.tell(AppEvent::Started);
        fixture
    }

    /// Returns a connected client with a list of meetings.
    pub fn ready(columns: u16, rows: u16) -> Self {
        let mut fixture = Self::new(columns, rows);
        fixture.greet(vec![]);
        fixture.answer_meetings(demo_meetings());
        fixture
    }

    /// Returns a client that has joined the meeting 42/1, with participants and messages.
    pub fn talking(columns: u16, rows: u16) -> Self {
        let mut fixture = Self::ready(columns, rows);
        fixture.key("enter");
        fixture.answer("join", posted(19));
        fixture.answer(
            "open",
            opened(talk(), vec![(8, "13:31"), (9, "13:31"), (ME, "13:52")]),
        );
        fixture
    }

    pub fn tell(&mut self, event: AppEvent) {
        self.spares += 1;
        let spare = Cmid(uuid::Uuid::from_u128(self.spares));
        let effects = update(
            &mut self.model,
            Msg {
                now: self.now,
                spare,
                event,
            },
        );
        let mut said = Vec::new();
        for effect in &effects {
            if let Effect::Record(records) = effect {
                said.extend(records.iter().filter_map(|record| match record {
                    Record::Post(line) => Some(line.cmid),
                    Record::Failed { .. } | Record::Retry(_) | Record::Done(_) => None,
                }));
            }
        }
        self.effects.extend(effects);
        if !said.is_empty() && !self.disk_is_slow {
            self.tell(AppEvent::Recorded(said));
        }
    }

    pub fn key(&mut self, name: &str) {
        self.tell(AppEvent::Key(name.parse().expect("a key's name")));
    }

    pub fn write(&mut self, text: &str) {
        for c in text.chars() {
            self.key(&c.to_string());
        }
    }

    /// Advances the time, with a tick whenever the model asks for one.
    pub fn wait_ms(&mut self, ms: i64) {
        let end = self.now.plus_ms(ms);
        loop {
            let wake = self.model.next_tick_at().plus_ms(-self.model.skew_ms);
            if wake > end {
                break;
            }
            assert!(wake > self.now, "it wants to be woken in the past");
            self.now = wake;
            self.tell(AppEvent::Tick);
        }
        self.now = end;
        self.tell(AppEvent::Tick);
    }

    pub fn open_link(&mut self) {
        self.tell(AppEvent::Link(LinkEvent::Connecting { attempt: 0 }));
        self.tell(AppEvent::Link(LinkEvent::Open));
    }

    pub fn greet(&mut self, resumed: Vec<(InstanceId, ResumeMode)>) {
        self.open_link();
        let now = self.now;
        let resumed = resumed
            .into_iter()
            .map(|(instance, mode)| Resumed { instance, mode })
            .collect();
        self.answer(
            "hello",
            HelloOk {
                user: user(ME),
                name: "ada".into(),
                email: "ada@example.org".into(),
                role: self.role,
                server: "0.1.0".into(),
                now,
                resumed,
            },
        );
    }

    pub fn lose_link(&mut self) {
        self.tell(AppEvent::Link(LinkEvent::Closed {
            reason: CloseReason::Lost {
                why: "reset".into(),
            },
            retry_in: Some(Duration::from_secs(4)),
        }));
    }

    pub fn answer_meetings(&mut self, meetings: Vec<Instance>) {
        let now = self.now;
        self.answer(
            "meetings",
            MeetingsOk {
                meetings,
                unread: vec![],
                now,
            },
        );
    }

    /// Replaces the list by live meetings with these titles: 1/1, 2/1, and so on.
    pub fn answer_list(&mut self, titles: &[&str]) {
        use plenary_shared::domain::InstanceState::Active;
        let meetings = (1..).zip(titles).map(|(number, title)| {
            let (from, to) = ("2026-09-22T13:30:00Z", "2026-09-22T14:15:00Z");
            instance(id(number, 1), title, from, to, Active)
        });
        let meetings = meetings.collect();
        self.push(Push::Changed(Changed {
            instance: None,
            changed: ChangedList::Meetings,
        }));
        self.answer_meetings(meetings);
    }

    /// Takes the requests by name, without read positions and typing notices.
    pub fn asked(&mut self) -> Vec<(String, Request)> {
        let all = self.requests();
        let (passing, asked) = all.into_iter().partition(|(_, r)| is_in_passing(&r.verb));
        self.passing.extend::<Vec<_>>(passing);
        asked
    }

    /// Takes the read positions and typing notices.
    pub fn told(&mut self) -> Vec<Verb> {
        let all = self.requests();
        let passing = std::mem::take(&mut self.passing).into_iter().chain(all);
        let verbs = passing.map(|(_, request)| request.verb);
        verbs.filter(is_in_passing).collect()
    }

    fn requests(&mut self) -> Vec<(String, Request)> {
        let asked = std::mem::take(&mut self.effects).into_iter();
        let asked = asked.filter_map(|effect| match effect {
            Effect::Ask(request) => Some((name_of(&request.verb), request)),
            _ => None,
        });
        asked.collect()
    }

    /// Answers the first open request with this name.
    pub fn answer(&mut self, name: &str, ok: impl Serialize) {
        let ok = serde_json::to_value(ok).expect("JSON");
        self.reply(name, Outcome::Ok(ok));
    }

    /// Rejects the first open request with this name.
    pub fn refuse(&mut self, name: &str, reject: Reject) {
        self.reply(name, Outcome::Error(reject));
    }

    fn reply(&mut self, name: &str, outcome: Outcome<serde_json::Value>) {
        let at = self.effects.iter().position(
            |effect| matches!(effect, Effect::Ask(request) if name_of(&request.verb) == name),
        );
        let at = at.unwrap_or_else(|| panic!("{name} was not asked: {:?}", self.effects));
        let Effect::Ask(request) = self.effects.remove(at) else {
            unreachable!("just matched")
        };
        let line = ServerLine::Reply(Reply {
            id: request.id,
            outcome,
        });
        self.tell(AppEvent::Link(LinkEvent::Line(Box::new(line))));
    }

    pub fn push(&mut self, push: Push) {
        self.tell(AppEvent::Link(LinkEvent::Line(Box::new(ServerLine::Push(
            push,
        )))));
    }

    pub fn event(&mut self, seq: u64, what: EventKind) {
        self.push(Push::Event(Box::new(event(seq, self.now, what))));
    }

    /// Reports events up to `number` as durable.
    pub fn durable(&mut self, number: u64) {
        self.push(Push::Durable(Durable {
            instance: sync(),
            generation: generation(1),
            durable: seq(number),
        }));
    }

    /// A message from a user arrives.
    pub fn hears(&mut self, seq: u64, who: u64, body: &str) {
        self.event(seq, message(who, seq, body));
    }

    /// Returns the screen as cells.
    pub fn cells(&self) -> Buffer {
        self.drawn().0
    }

    fn drawn(&self) -> (Buffer, Position) {
        let (columns, rows) = self.model.terminal.size;
        let mut terminal =
            Terminal::new(TestBackend::new(columns, rows)).expect("no terminal can fail");
        terminal
            .draw(|frame| drop(view(&self.model, frame)))
            .expect("no terminal can fail");
        let cursor = terminal
            .get_cursor_position()
            .expect("no terminal can fail");
        (terminal.backend().buffer().clone(), cursor)
    }

    /// Returns the screen as text, with the cursor as `█` on a blank.
    pub fn screen(&self) -> String {
        let (columns, rows) = self.model.terminal.size;
        let (buffer, cursor) = self.drawn();
        let mut lines = Vec::new();
        for y in 0..rows {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..columns {
                let symbol = buffer[(x, y)].symbol();
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                skip = crate::text::width(symbol).saturating_sub(1);
                let here = (x, y) == (cursor.x, cursor.y);
                line.push_str(if here && symbol == " " { "█" } else { symbol });
            }
            lines.push(line.trim_end().to_owned());
        }
        lines.join("\n")
    }

    /// Returns whether the screen contains a text.
    pub fn shows(&self, text: &str) -> bool {
        self.screen().contains(text)
    }
}

fn is_in_passing(verb: &Verb) -> bool {
    matches!(verb, Verb::Read(_) | Verb::Typing(_))
}

fn name_of(verb: &Verb) -> String {
    let json = serde_json::to_value(Request {
        id: 0,
        verb: verb.clone(),
    })
    .expect("JSON");
    let object = json.as_object().expect("an object");
    object
        .keys()
        .find(|key| *key != "id")
        .expect("a verb")
        .clone()
}
