//! The state of the interactive client: session, connection, meetings, rooms, outbox and layers.
//! It has no clock, socket or terminal, and only `update` changes it.

pub mod answer;
mod cached;
pub mod choice;
pub mod composer;
mod connection;
pub mod editor;
pub mod filter;
pub mod history;
pub mod idle;
mod inputs;
pub mod layer;
pub mod meetings;
pub mod next_tick;
mod notifications;
pub mod outbox;
pub mod place;
mod quitting;
pub mod restricted;
pub mod room;
pub mod scroll;
mod session;
pub(crate) mod step;
mod terminal;
pub mod timeline;
mod unread;
pub mod waiting_room;

use std::collections::BTreeMap;

use plenary_shared::domain::{Instance, InstanceState};
use plenary_shared::ids::{InstanceId, MeetingId, Seq, UserId};
use plenary_shared::text::email_key;
use plenary_shared::time::Timestamp;

use crate::cache::Cache;
use crate::clock::Zone;
use crate::command::{AppCommand, Command, Context};
use crate::journal::Owner;
use crate::keymap::Keymap;
use crate::layout::{self, Drawer, Hidden, Panes};
use crate::notify_level::NotifyLevel;
use crate::session::Token;
use crate::theme::{Theme, Tone};
use composer::Composer;
use editor::KillRing;
use history::History;
use idle::IdleState;
use layer::Layers;
use layer::meeting_list::MeetingList;
use layer::selection::Selection;
use layer::sign_in::SignIn;
use meetings::{ListLine, Meetings};
use outbox::Outbox;
use restricted::Restricted;
use room::Room;
use timeline::RoomView;
use waiting_room::WaitingRooms;

pub use connection::{Asked, Connection, Link};
pub use inputs::Inputs;
pub use notifications::Notifications;
pub use quitting::Quitting;
pub use session::{Me, Session};
pub use terminal::Terminal;

/// The values that the program starts with.
#[derive(Clone, Debug)]
pub struct Start {
    pub server: String,
    /// The email of the last sign-in, for the form.
    pub email: String,
    pub token: Option<Token>,
    /// The email of the account that the token belongs to, if known.
    pub person: Option<String>,
    pub drafts: Vec<(InstanceId, String)>,
    /// The cached screens of an earlier process.
    pub kept: Option<Cache>,
    /// The sent messages, oldest first.
    pub history: Vec<(MeetingId, String)>,
    /// The notification levels that were chosen.
    pub notify_levels: Vec<(MeetingId, NotifyLevel)>,
    pub theme: Theme,
    pub keymap: Keymap,
    /// The time zone of the screen.
    pub zone: Zone,
    /// The size of the screen in columns and rows.
    pub size: (u16, u16),
    /// The time by the clock of this machine.
    pub now: Timestamp,
}

/// The state of the interactive client.
#[derive(Debug)]
pub struct Model {
    /// The time by the server's clock.
    pub now: Timestamp,
    /// The server's clock minus this machine's, in milliseconds.
    pub skew_ms: i64,
    pub terminal: Terminal,
    pub theme: Theme,
    pub keymap: Keymap,
    /// The time zone of the screen.
    pub zone: Zone,
    /// The account that is signed in.
    pub session: Session,
    pub connection: Connection,
    pub notifications: Notifications,
    pub idle: IdleState,
    pub meetings: Meetings,
    pub rooms: BTreeMap<InstanceId, Room>,
    /// The messages that are not durable on the server yet.
    pub outbox: Outbox,
    /// The meeting that the chat shows; its row is selected in the list.
    pub shown: Option<InstanceId>,
    pub shown_before: Option<InstanceId>,
    pub inputs: Inputs,
    /// When changed screens are written to the cache.
    pub cache_due: Option<Timestamp>,
    /// The open layers, of which the top one gets the keys.
    pub layers: Layers,
    /// Whether the participants cover the chat on a narrow screen.
    pub people_open: bool,
    /// The users who wait for meetings to start.
    pub waiting: WaitingRooms,
    /// Whether the dashboard opens after sign-in.
    pub opens_dashboard: bool,
    /// The message to select once it is loaded.
    pub jump: Option<(InstanceId, Seq)>,
    /// The number of exports in progress.
    pub exports: usize,
    /// The notice in the status line.
    pub notice: Option<Notice>,
    pub quitting: Quitting,
    /// The errors in the user's `keys.toml` and `theme.toml`.
    pub config_errors: Vec<String>,
    /// The lists beside the chat that the user has hidden.
    pub hidden: Hidden,
    /// The text or command that the next Enter confirms.
    pub confirming: Option<String>,
}

/// The effect of Enter in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnterDoes {
    Send,
    Retry,
    Join,
    /// Opens a meeting that has ended.
    Read,
    /// Turns auto-join on or off.
    Wait,
    /// Nothing: the meeting has ended and is open.
    Nothing,
    /// Nothing: an admin has restricted what the user would do.
    Restricted(Restricted),
}

/// The notice in the status line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    /// The tone, which selects the style.
    pub tone: Tone,
    /// The time at which it disappears.
    pub until: Timestamp,
    /// What makes it disappear earlier, besides the next command.
    pub ends_with: Cause,
}

/// The cause of a notice. The notice ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Something that was done.
    Command,
    /// A key that has no meaning here: the next key ends it.
    Key,
    /// The lost connection.
    Connection,
}

/// The time that a notice is shown for.
const NOTICE_MS: i64 = 8_000;

impl Model {
    /// Creates the model of a program that starts: signed in if a token was stored.
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
        let outbox_owner = start.person.map(|person| Owner {
            server: start.server.clone(),
            email: email_key(&person),
        });
        let mut model = Self {
            now: start.now,
            skew_ms: 0,
            terminal: Terminal::new(start.size),
            theme: start.theme,
            keymap: start.keymap,
            zone: start.zone,
            session: Session {
                server: start.server,
                token: start.token,
                me: None,
                outbox_owner,
            },
            connection: Connection::default(),
            notifications: Notifications {
                levels: start.notify_levels.into_iter().collect(),
                ..Notifications::default()
            },
            idle: IdleState::default(),
            meetings: Meetings::default(),
            rooms: BTreeMap::new(),
            outbox: Outbox::default(),
            shown: None,
            shown_before: None,
            inputs: Inputs {
                composers,
                history: History::new(start.history),
                kill_ring: KillRing::default(),
                drafts_due: None,
            },
            cache_due: None,
            layers: Layers::default(),
            people_open: false,
            waiting: WaitingRooms::default(),
            opens_dashboard: false,
            jump: None,
            exports: 0,
            notice: None,
            quitting: Quitting::default(),
            config_errors: Vec::new(),
            hidden: Hidden::default(),
            confirming: None,
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

    /// Returns what is known about a meeting, from the list or from the opened room.
    pub fn instance(&self, id: InstanceId) -> Option<&Instance> {
        let opened = || Some(self.rooms.get(&id)?.log.as_ref()?.instance());
        self.meetings.get(id).or_else(opened)
    }

    /// Returns whether a meeting is running.
    pub fn is_active(&self, id: InstanceId) -> bool {
        let closed = self.rooms.get(&id).and_then(|room| room.log.as_ref());
        !closed.is_some_and(plenary_shared::replica::Replica::is_closed)
            && self
                .instance(id)
                .is_some_and(|instance| instance.state == InstanceState::Active)
    }

    /// Returns the id of the user who is signed in.
    pub fn my_id(&self) -> Option<UserId> {
        self.session.me.as_ref().map(|me| me.id)
    }

    /// Returns the lines of the list of meetings, and how many of them are scrolled off at the top.
    pub fn list(&self, height: usize) -> (Vec<ListLine<'_>>, usize) {
        let lines = meetings::grouped(&self.meetings.entries(self.now, self.zone));
        let is_shown = |line: &ListLine<'_>| match line {
            ListLine::Entry(entry) => Some(entry.instance.id) == self.shown,
            ListLine::Group(..) => false,
        };
        // Scrolls no further than needed to show the selected row.
        let selected = lines.iter().position(is_shown);
        let skipped = selected.map_or(0, |at| (at + 1).saturating_sub(height));
        (lines, skipped)
    }

    /// Returns the meeting in a row of the list.
    pub fn meeting_on_row(&self, row: usize, height: usize) -> Option<InstanceId> {
        let (lines, skipped) = self.list(height);
        match lines.get(skipped + row)? {
            ListLine::Entry(entry) => Some(entry.instance.id),
            ListLine::Group(..) => None,
        }
    }

    /// Returns the input of the shown meeting.
    pub fn composer(&self) -> Option<&Composer> {
        self.inputs.composers.get(&self.shown)
    }

    /// Returns the input of the shown meeting, for a change.
    pub fn composer_mut(&mut self) -> &mut Composer {
        self.inputs.composers.entry(self.shown).or_default()
    }

    /// Returns whether other users see that this user is idle; never in copy mode.
    pub fn reports_idle(&self) -> bool {
        let me = self.my_id();
        let mut rooms = self.rooms.values();
        !self.terminal.plain
            && self.connection.link == Link::Ready
            && rooms.any(|room| room.following && room.has(me))
    }

    /// Returns the panes of the screen.
    pub fn panes(&self) -> Panes {
        let (columns, rows) = self.terminal.size;
        if self.terminal.plain {
            return self.aimed(layout::plain(columns, rows));
        }
        // The input's width does not depend on its height, so the first layout can measure it.
        let cells = layout::panes(columns, rows, 1, self.hidden, None).input_columns();
        let editor = self.composer().map(|composer| &composer.editor);
        let most = usize::from(layout::INPUT_ROWS_MAX);
        let rows_written = editor.map_or(1, |editor| editor.rows(cells, most));
        let input_rows = u16::try_from(rows_written).unwrap_or(u16::MAX);
        let drawer = self.drawer();
        self.aimed(layout::panes(
            columns,
            rows,
            input_rows,
            self.hidden,
            drawer,
        ))
    }

    fn aimed(&self, panes: Panes) -> Panes {
        let panes = match self.composer() {
            Some(composer) if !composer.target().is_new() => panes.with_target(),
            Some(_) | None => panes,
        };
        let is_scrolled = self.room().is_some_and(|room| !room.scroll.is_newest());
        if is_scrolled && self.layers.get::<Selection>().is_none() {
            panes.with_marker()
        } else {
            panes
        }
    }

    /// Returns what drawing a room's log needs.
    pub fn room_view<'a>(&'a self, room: &'a Room) -> RoomView<'a> {
        let panes = self.panes();
        RoomView {
            room,
            outbox: &self.outbox,
            me: self.session.me.as_ref(),
            theme: self.theme,
            keymap: &self.keymap,
            zone: self.zone,
            now: self.now,
            columns: usize::from(panes.chat.width),
            form: panes.form,
        }
    }

    /// Returns the number of rows that show the log.
    pub fn chat_rows(&self) -> usize {
        usize::from(self.panes().chat.height)
    }

    /// Returns the columns and rows inside the frame of a page.
    pub fn overlay_size(&self) -> (usize, usize) {
        let body = self.panes().over();
        (
            usize::from(body.width.saturating_sub(2)),
            usize::from(body.height.saturating_sub(2)),
        )
    }

    /// Returns the parts of the key table that apply now, the nearest first.
    pub fn contexts(&self) -> &'static [Context] {
        self.layers.top().contexts()
    }

    /// Returns the list that covers the chat on a narrow screen.
    pub fn drawer(&self) -> Option<Drawer> {
        if self.layers.shows::<MeetingList>() {
            Some(Drawer::Meetings)
        } else {
            self.people_open.then_some(Drawer::People)
        }
    }

    /// Returns the running meetings that the user has joined.
    pub fn joined_rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms
            .values()
            .filter(|room| room.wants_to_join && !room.is_closed())
    }

    /// Returns the effect of Enter in the input.
    pub fn enter_does(&self) -> EnterDoes {
        let written = self
            .composer()
            .is_some_and(|composer| !composer.editor.is_empty());
        if let Some(restricted) = self.restricted() {
            return EnterDoes::Restricted(restricted);
        }
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

    /// Returns the label of the key that goes back.
    pub fn back_key(&self) -> String {
        self.key(Command::App(AppCommand::Back))
    }

    /// Returns the label of a command's first key in one context.
    pub fn key_in(&self, context: Context, command: Command) -> String {
        self.keymap.label_in(context, command, self.theme.glyphs)
    }

    /// Returns the label of a command's first key.
    pub fn key(&self, command: Command) -> String {
        self.keymap.label(command, self.theme.glyphs)
    }

    /// Shows a notice in the status line, until the next command or for [`NOTICE_MS`].
    pub fn tell(&mut self, tone: Tone, text: impl Into<String>) {
        self.tell_until(Cause::Command, tone, text);
    }

    /// Shows a notice that ends with its cause.
    pub fn tell_until(&mut self, ends_with: Cause, tone: Tone, text: impl Into<String>) {
        let until = self.now.plus_ms(NOTICE_MS);
        self.notice = Some(Notice {
            text: text.into(),
            tone,
            until,
            ends_with,
        });
    }

    /// Ends a notice with this cause.
    pub fn end_notice_of(&mut self, cause: Cause) {
        if self
            .notice
            .as_ref()
            .is_some_and(|notice| notice.ends_with == cause)
        {
            self.notice = None;
        }
    }
}
