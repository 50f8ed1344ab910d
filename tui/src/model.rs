//! Everything the screen knows: who one is, the meetings, the rooms, what is written and asked.
//! It holds no clock, socket or terminal, and changes only in `update`.

mod admin;
mod cached;
pub mod choice;
pub mod composer;
pub mod dashboard;
pub mod editor;
pub mod filter;
pub mod history;
pub mod idle;
pub mod layer;
pub mod meetings;
pub mod next_tick;
pub mod outbox;
pub mod room;
pub mod schedule;
pub mod scroll;
pub(crate) mod step;
pub mod timeline;
mod unread;
pub mod waiting_room;

use std::collections::{BTreeMap, HashMap};

use plenary_shared::domain::{Instance, InstanceState, ModerationKind, Role};
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, Seq, UserId};
use plenary_shared::time::Timestamp;

use crate::cache::Cache;
use crate::clock::Zone;
use crate::command::{AppCommand, Command, Context};
use crate::journal::Owner;
use crate::keymap::Keymap;
use crate::layout::{self, Drawer, Panes};
use crate::notify_level::NotifyLevel;
use crate::session::Token;
use crate::theme::{Theme, Tone};
use composer::Composer;
use editor::KillRing;
use history::History;
use idle::IdleState;
use layer::sign_in::SignIn;
use layer::{Layers, MeetingList};
use meetings::{ListLine, Meetings};
use outbox::Outbox;
use room::Room;
use schedule::FormKind;
use timeline::RoomView;
use waiting_room::WaitingRooms;

/// What the program begins with.
#[derive(Clone, Debug)]
pub struct Start {
    /// The server's address.
    pub server: String,
    /// Who signed in last, for the form.
    pub email: String,
    /// The kept login token.
    pub token: Option<Token>,
    /// Whose token that is, where it is known.
    pub person: Option<String>,
    /// The kept drafts.
    pub drafts: Vec<(InstanceId, String)>,
    /// The last screens of an earlier program of theirs.
    pub kept: Option<Cache>,
    /// What was sent before, oldest first.
    pub history: Vec<(MeetingId, String)>,
    /// What meetings may call for, where it was chosen.
    pub notify_levels: Vec<(MeetingId, NotifyLevel)>,
    /// How meaning looks.
    pub theme: Theme,
    /// What keys do.
    pub keymap: Keymap,
    /// In which zone times are shown.
    pub zone: Zone,
    /// Columns and rows.
    pub size: (u16, u16),
    /// The time.
    pub now: Timestamp,
}

/// Everything the screen knows.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Model {
    /// The server's time, as well as it is known.
    pub now: Timestamp,
    /// The server's clock less this machine's, in milliseconds.
    pub skew_ms: i64,
    /// Columns and rows.
    pub size: (u16, u16),
    /// How meaning looks.
    pub theme: Theme,
    /// What keys do.
    pub keymap: Keymap,
    /// In which zone times are shown.
    pub zone: Zone,
    /// Whether the terminal has the focus, as far as it says.
    pub focused: bool,
    /// Whether it has ever told.
    pub focus_told: bool,
    /// What meetings may call for, where it was chosen.
    pub notify_levels: HashMap<MeetingId, NotifyLevel>,
    /// Whether nothing may call.
    pub dnd: bool,
    /// When the reader was called last.
    pub notified_at: Option<Timestamp>,
    /// The server's address.
    pub server: String,
    /// The login token.
    pub token: Option<Token>,
    /// Who one is.
    pub me: Option<Me>,
    /// The connection.
    pub link: Link,
    /// When the connection was lost, until it is back.
    pub lost_at: Option<Timestamp>,
    /// Since when the program was stopped, and when it noticed.
    pub slept: Option<(Timestamp, Timestamp)>,
    /// Whether the keyboard is used.
    pub idle: IdleState,
    /// What was asked on this connection and not answered.
    pub asks: HashMap<u64, Asked>,
    /// The number of the last request.
    pub last_ask: u64,
    /// The list of meetings.
    pub meetings: Meetings,
    /// The opened meetings.
    pub rooms: BTreeMap<InstanceId, Room>,
    /// Every line that was sent and is not safe yet.
    pub outbox: Outbox,
    /// Whose lines those are.
    pub outbox_of: Option<Owner>,
    /// The meeting whose row is selected and that the chat shows.
    pub shown: Option<InstanceId>,
    /// The meeting shown before.
    pub shown_before: Option<InstanceId>,
    /// What is written, by meeting.
    pub composers: HashMap<Option<InstanceId>, Composer>,
    /// What was sent before.
    pub history: History,
    /// What was cut from messages.
    pub kill_ring: KillRing,
    /// When drafts that changed are kept on disk.
    pub drafts_due: Option<Timestamp>,
    /// When screens that changed are kept on disk.
    pub cache_due: Option<Timestamp>,
    /// What is open above the chat, and who gets the keys.
    pub layers: Layers,
    /// Whether the participants are shown over the chat where there is no room beside it.
    pub people_open: bool,
    /// Who waits for what has not begun.
    pub waiting: WaitingRooms,
    /// Whether the dashboard opens after sign-in.
    pub opens_dashboard: bool,
    /// The message that is gone to as soon as it has been read.
    pub jump: Option<(InstanceId, Seq)>,
    /// Files that are being written.
    pub exports: usize,
    /// Whether nothing but the chat is shown.
    pub plain: bool,
    /// Whether the mouse is ours.
    pub mouse: bool,
    /// What the status line says for a while.
    pub notice: Option<Notice>,
    /// Until when a second Ctrl-C quits.
    pub quit_until: Option<Timestamp>,
    /// When the program ends although a leave was not answered.
    pub quit_at: Option<Timestamp>,
    /// A text of many lines that was about to be sent: sent again, it goes.
    pub confirming: Option<String>,
    /// What the terminal's title says.
    pub title: String,
}

/// Who one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    /// Which user.
    pub id: UserId,
    /// What one is called.
    pub name: String,
    /// One's address.
    pub email: String,
    /// What one may do.
    pub role: Role,
}

/// The connection, as the status line shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// None is wanted: nobody is signed in.
    Off,
    /// It is tried.
    Connecting {
        /// Tries before this one.
        attempt: u32,
    },
    /// It is open; hello has been said.
    Greeting,
    /// It works.
    Ready,
    /// It is lost.
    Lost {
        /// Why.
        why: String,
        /// When it is tried again; never by itself when there is no time.
        retry_at: Option<Timestamp>,
    },
}

/// What was asked, so that the answer is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is the verb of its name, with what its answer needs"
)]
pub enum Asked {
    Hello,
    Meetings,
    Open(InstanceId),
    Close,
    Join(InstanceId),
    Leave(InstanceId),
    /// With the log's generation when it was sent.
    Post(InstanceId, Cmid, Generation),
    Older(InstanceId, Seq),
    Between(InstanceId),
    Around(InstanceId, Seq),
    Search,
    Newer(InstanceId),
    People(InstanceId),
    JoinTimes,
    UserMessages,
    Read(InstanceId),
    Typing,
    Idle,
    Wait(InstanceId),
    Watch,
    /// With the name of the user that the action applies to.
    Moderate(InstanceId, ModerationKind, String),
    DialogParticipants(InstanceId),
    /// A page of the schedule.
    Schedule,
    Plan(FormKind),
    Explain(InstanceId),
}

/// What Enter does in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnterDoes {
    /// It sends what is written.
    Send,
    /// It sends again what failed.
    Retry,
    /// It joins.
    Join,
    /// It opens what has ended.
    Read,
    /// It says when the meeting begins.
    Wait,
    /// Nothing: the meeting is over, and open already.
    Nothing,
}

/// What the status line says for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The sentence.
    pub text: String,
    /// What it means.
    pub tone: Tone,
    /// Until when it is shown.
    pub until: Timestamp,
}

/// How long a notice is shown.
const NOTICE_MS: i64 = 8_000;

impl Model {
    /// As the program begins: signed in where a token was kept.
    pub fn new(start: Start) -> Self {
        let sign_in = start
            .token
            .is_none()
            .then(|| SignIn::new(&start.server, &start.email));
        let composers = start
            .drafts
            .into_iter()
            .map(|(id, draft)| (Some(id), Composer::new(draft)))
            .collect();
        let outbox_of = start.person.map(|person| Owner {
            server: start.server.clone(),
            email: person.to_lowercase(),
        });
        let mut model = Self {
            now: start.now,
            skew_ms: 0,
            size: start.size,
            theme: start.theme,
            keymap: start.keymap,
            zone: start.zone,
            focused: true,
            focus_told: false,
            notify_levels: start.notify_levels.into_iter().collect(),
            dnd: false,
            notified_at: None,
            server: start.server,
            token: start.token,
            me: None,
            link: Link::Off,
            lost_at: None,
            slept: None,
            idle: IdleState::default(),
            asks: HashMap::new(),
            last_ask: 0,
            meetings: Meetings::default(),
            rooms: BTreeMap::new(),
            outbox: Outbox::default(),
            outbox_of,
            shown: None,
            shown_before: None,
            composers,
            history: History::new(start.history),
            kill_ring: KillRing::default(),
            drafts_due: None,
            cache_due: None,
            layers: Layers::default(),
            people_open: false,
            waiting: WaitingRooms::default(),
            opens_dashboard: false,
            jump: None,
            exports: 0,
            plain: false,
            mouse: true,
            notice: None,
            quit_until: None,
            quit_at: None,
            confirming: None,
            title: String::new(),
        };
        if let Some(form) = sign_in {
            model.layers.push(form);
        }
        if let Some(cache) = start.kept {
            model.show_cache(cache);
        }
        model
    }

    /// The opened meeting that is shown.
    pub fn room(&self) -> Option<&Room> {
        self.rooms.get(&self.shown?)
    }

    /// The opened meeting that is shown.
    pub fn room_mut(&mut self) -> Option<&mut Room> {
        self.rooms.get_mut(&self.shown?)
    }

    /// What is known of a meeting: from the list, or from when it was opened.
    pub fn instance(&self, id: InstanceId) -> Option<&Instance> {
        let opened = || Some(self.rooms.get(&id)?.log.as_ref()?.instance());
        self.meetings.get(id).or_else(opened)
    }

    /// Whether a meeting goes on now.
    pub fn is_active(&self, id: InstanceId) -> bool {
        let closed = self.rooms.get(&id).and_then(|room| room.log.as_ref());
        !closed.is_some_and(plenary_shared::replica::Replica::is_closed)
            && self
                .instance(id)
                .is_some_and(|instance| instance.state == InstanceState::Active)
    }

    /// Which user one is.
    pub fn my_id(&self) -> Option<UserId> {
        self.me.as_ref().map(|me| me.id)
    }

    /// The list of meetings on so many rows: its lines, and how many of them are above the first.
    pub fn list(&self, height: usize) -> (Vec<ListLine<'_>>, usize) {
        let lines = meetings::grouped(&self.meetings.entries(self.now, self.zone));
        let is_shown = |line: &ListLine<'_>| match line {
            ListLine::Entry(entry) => Some(entry.instance.id) == self.shown,
            ListLine::Group(..) => false,
        };
        // As little above as keeps the selected row in sight, with its group where that fits.
        let selected = lines.iter().position(is_shown);
        let skipped = selected.map_or(0, |at| (at + 1).saturating_sub(height));
        (lines, skipped)
    }

    /// The meeting on a row of the list, if there is one.
    pub fn meeting_on_row(&self, row: usize, height: usize) -> Option<InstanceId> {
        let (lines, skipped) = self.list(height);
        match lines.get(skipped + row)? {
            ListLine::Entry(entry) => Some(entry.instance.id),
            ListLine::Group(..) => None,
        }
    }

    /// What is written in the shown meeting.
    pub fn composer(&self) -> Option<&Composer> {
        self.composers.get(&self.shown)
    }

    /// What is written in the shown meeting, to change it.
    pub fn composer_mut(&mut self) -> &mut Composer {
        self.composers.entry(self.shown).or_default()
    }

    /// Whether somebody is there to be told that the keyboard is not used: never by lines.
    pub fn reports_idle(&self) -> bool {
        let me = self.my_id();
        let mut rooms = self.rooms.values();
        !self.plain && self.link == Link::Ready && rooms.any(|room| room.following && room.has(me))
    }

    /// Where things stand on the screen.
    pub fn panes(&self) -> Panes {
        let (columns, rows) = self.size;
        if self.plain {
            return self.aimed(layout::plain(columns, rows));
        }
        // The input's width does not depend on its height, so the first layout can measure it.
        let cells = layout::panes(columns, rows, 1, None).input_columns();
        let editor = self.composer().map(|composer| &composer.editor);
        let most = usize::from(layout::INPUT_ROWS_MAX);
        let rows_written = editor.map_or(1, |editor| editor.rows(cells, most));
        let input_rows = u16::try_from(rows_written).unwrap_or(u16::MAX);
        self.aimed(layout::panes(columns, rows, input_rows, self.drawer()))
    }

    fn aimed(&self, panes: Panes) -> Panes {
        match self.composer() {
            Some(composer) if !composer.target().is_new() => panes.with_target(),
            Some(_) | None => panes,
        }
    }

    /// How a room's log is drawn on this screen.
    pub fn room_view<'a>(&'a self, room: &'a Room) -> RoomView<'a> {
        let panes = self.panes();
        RoomView {
            room,
            outbox: &self.outbox,
            me: self.me.as_ref(),
            theme: self.theme,
            keymap: &self.keymap,
            zone: self.zone,
            now: self.now,
            columns: usize::from(panes.chat.width),
            form: panes.form,
        }
    }

    /// Rows of the chat that show the log.
    pub fn chat_rows(&self) -> usize {
        usize::from(self.panes().chat.height)
    }

    /// Columns and rows of a page over the chat, within its frame.
    pub fn overlay_size(&self) -> (usize, usize) {
        let body = self.panes().over();
        (
            usize::from(body.width.saturating_sub(2)),
            usize::from(body.height.saturating_sub(2)),
        )
    }

    /// The parts of the key table that apply now, the nearest first.
    pub fn contexts(&self) -> &'static [Context] {
        self.layers.top().contexts()
    }

    /// The list that lies over the chat where there is no room beside it.
    pub fn drawer(&self) -> Option<Drawer> {
        if self.layers.shows::<MeetingList>() {
            Some(Drawer::Meetings)
        } else {
            self.people_open.then_some(Drawer::People)
        }
    }

    /// The running meetings that one is in.
    pub fn joined_rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms
            .values()
            .filter(|room| room.wants_to_join && !room.is_closed())
    }

    /// What Enter does in the input now.
    pub fn enter_does(&self) -> EnterDoes {
        let written = self
            .composer()
            .is_some_and(|composer| !composer.editor.is_empty());
        let room = self.room();
        let Some(id) = self.shown.filter(|_| !written) else {
            return EnterDoes::Send;
        };
        if self.outbox.rejected_count(id) > 0 && room.is_some_and(|room| room.wants_to_join) {
            return EnterDoes::Retry;
        }
        if room.is_some_and(|room| room.wants_to_join) {
            return EnterDoes::Send;
        }
        let over = room.is_some_and(Room::is_closed);
        match self.instance(id).map(|instance| instance.state) {
            Some(InstanceState::Active) if !over => EnterDoes::Join,
            Some(InstanceState::Scheduled) => EnterDoes::Wait,
            Some(InstanceState::Ended | InstanceState::Ending) if room.is_none() => EnterDoes::Read,
            Some(InstanceState::Active | InstanceState::Ended | InstanceState::Ending) => {
                EnterDoes::Nothing
            }
            None => EnterDoes::Send,
        }
    }

    /// The first key of Esc's command, as people read it.
    pub fn back_key(&self) -> String {
        self.key(Command::App(AppCommand::Back))
    }

    /// The first key of a command in one context, as people read it.
    pub fn key_in(&self, context: Context, command: Command) -> String {
        self.keymap.label_in(context, command, self.theme.glyphs)
    }

    /// The first key of a command, as people read it.
    pub fn key(&self, command: Command) -> String {
        self.keymap.label(command, self.theme.glyphs)
    }

    /// Says something in the status line.
    pub fn tell(&mut self, tone: Tone, text: impl Into<String>) {
        let until = self.now.plus_ms(NOTICE_MS);
        self.notice = Some(Notice {
            text: text.into(),
            tone,
            until,
        });
    }
}
