//! The one loop: takes all that is ready - keys, the server, answers, signals, the clock -, works
//! it in, then draws once. It sleeps when nothing comes and nothing visible changes.

mod away;
mod burst;
mod desktop;
mod exporter;
mod headless;
mod keeper;
mod outside;
mod plain;
mod screens_keeper;
mod sent_keeper;
mod terminal_input;
mod wishes;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::{Duration, SystemTime};

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt as _;
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::text::for_terminal;
use plenary_shared::time::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use crate::cache::{Cache, CacheFile};
use crate::clock::Zone;
use crate::drafts::DraftsFile;
use crate::effect::Effect;
use crate::keymap::Keymap;
use crate::model::{Model, Start};
use crate::msg::{AppEvent, Msg};
use crate::net::LinkEvent;
use crate::notify_file::NotifyFile;
use crate::sent::SentFile;
use crate::session::{Account, Session, SessionFile};
use crate::term::Term;
use crate::theme::{Theme, Tone};
use crate::update::update;
use crate::view::view;
use away::Away;
use burst::Burst;
use outside::{OnScreen, Outside};
use wishes::Wishes;

pub use desktop::Desktop;
pub use headless::Headless;
pub use plain::{Ended, run_plain};

/// The shortest time between two frames: more than 60 a second nobody sees.
const FRAME: Duration = Duration::from_millis(16);

/// AppEvent that are taken before a frame is drawn, so that a flood cannot keep the screen from it.
const TAKEN_MAX: usize = 1_000;

/// What the screen begins with, and where it keeps things.
#[derive(Clone, Debug)]
pub struct LaunchOptions {
    /// Which server, and as whom.
    pub account: Account,
    /// Where the session is kept.
    pub session_file: SessionFile,
    /// Where drafts are kept.
    pub state_dir: PathBuf,
    /// How meaning looks.
    pub theme: Theme,
    /// Where `keys.toml` and `theme.toml` are.
    pub config_dir: PathBuf,
    /// What stands around the terminal.
    pub desktop: Desktop,
    /// Whether the terminal is told where links lead.
    pub has_links: bool,
    /// The command line of the person's editor.
    pub editor: String,
    /// The wall clock: `SystemTime::now`.
    pub wall_clock: fn() -> SystemTime,
    /// Where ids of messages come from: `Uuid::now_v7`.
    pub new_id: fn() -> uuid::Uuid,
}

/// What happened first.
enum Taken {
    AppEvent(AppEvent),
    Told(LinkEvent),
    Sent,
    Continued,
    Back(io::Result<ExitStatus>),
    Woken,
}

/// Opens the screen, and returns when it is closed. The process must have a crypto provider.
pub async fn run(opening: &LaunchOptions, dashboard: bool) -> io::Result<()> {
    let mut term = Term::take(opening.has_links)?;
    let mut screen = Screen::new(opening, &term)?;
    screen.model.opens_dashboard = dashboard;
    let ended = screen.run(&mut term).await;
    drop(term);
    for text in screen.outside.end().await {
        // If nobody reads it, there is nobody to tell.
        let _ = writeln!(io::stderr(), "plenary: {}", for_terminal(&text));
    }
    ended
}

impl LaunchOptions {
    /// Who signed in to this server last.
    fn here(&self) -> Option<&Session> {
        let session = self.account.session.as_ref();
        session.filter(|session| session.server == self.account.server)
    }

    /// Whose token it is, where that is known: one that was given may be somebody else's.
    fn person(&self) -> Option<&str> {
        let here = self.here();
        let here = here.filter(|session| self.account.token.as_ref() == Some(&session.token));
        here.map(|session| session.email.as_str())
    }

    /// What the program knows when it begins, with the last screens of an earlier one.
    fn model_with_screens(&self, size: (u16, u16)) -> Model {
        let server = self.account.server.to_string();
        let file = CacheFile::within(&self.state_dir);
        let kept = self.person().map(|person| file.load(&server, person));
        match kept.unwrap_or(Ok(None)) {
            Ok(kept) => self.model(size, kept),
            Err(why) => {
                let mut model = self.model(size, None);
                model.tell(Tone::Bad, why);
                model
            }
        }
    }

    /// What the program knows when it begins.
    fn model(&self, size: (u16, u16), kept: Option<Cache>) -> Model {
        let account = &self.account;
        let server = account.server.to_string();
        Model::new(Start {
            email: self
                .here()
                .map(|session| session.email.clone())
                .unwrap_or_default(),
            person: self.person().map(str::to_owned),
            token: account.token.clone(),
            kept,
            drafts: DraftsFile::within(&self.state_dir).load(&server),
            history: SentFile::within(&self.state_dir).load(&server),
            notify_levels: NotifyFile::within(&self.state_dir).load(&server),
            server,
            theme: self.theme,
            keymap: Keymap::default(),
            zone: Zone::Local,
            size,
            now: now(self.wall_clock),
        })
    }
}

struct Screen {
    model: Model,
    wishes: Wishes,
    outside: Outside,
    /// What comes from the terminal, while it is ours.
    events: Option<EventStream>,
    burst: Burst,
    /// The editor that has the terminal.
    away: Option<Away>,
    desktop: Desktop,
    editor: String,
    state_dir: PathBuf,
    ends: [Signal; 3],
    continues: Signal,
    wall_clock: fn() -> SystemTime,
    new_id: fn() -> uuid::Uuid,
    is_over: bool,
    redraw: bool,
}

impl Screen {
    fn new(opening: &LaunchOptions, term: &Term) -> io::Result<Self> {
        let model = opening.model_with_screens(term.size()?);
        Ok(Self {
            model,
            wishes: Wishes::within(&opening.config_dir, opening.theme),
            outside: Outside::new(opening),
            events: Some(EventStream::new()),
            burst: Burst::default(),
            away: None,
            desktop: opening.desktop.clone(),
            editor: opening.editor.clone(),
            state_dir: opening.state_dir.clone(),
            ends: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
                signal(SignalKind::interrupt())?,
            ],
            continues: signal(SignalKind::from_raw(SIGCONT))?,
            wall_clock: opening.wall_clock,
            new_id: opening.new_id,
            is_over: false,
            redraw: false,
        })
    }

    async fn run(&mut self, term: &mut Term) -> io::Result<()> {
        self.work_in(term, AppEvent::Started)?;
        let mut drawn_at: Option<Instant> = None;
        let mut dirty = true;
        while !self.is_over {
            if dirty && self.away.is_none() && drawn_at.is_none_or(|at| at.elapsed() >= FRAME) {
                let size = term.size()?;
                if size != self.model.size {
                    self.work_in(term, AppEvent::Resized(size.0, size.1))?;
                }
                if std::mem::take(&mut self.redraw) {
                    term.clear()?;
                }
                term.draw(|frame| view(&self.model, frame))?;
                drawn_at = Some(Instant::now());
                dirty = false;
            }
            let draws = dirty && self.away.is_none();
            let frame_due = drawn_at.filter(|_| draws).map(|at| at + FRAME);
            let waits = Instant::now();
            let mut taken = self.next(frame_due).await;
            self.burst.waited(waits.elapsed());
            for _ in 0..TAKEN_MAX {
                dirty |= self.take(term, taken)?;
                match self.ready().await {
                    Some(next) if !self.is_over => taken = next,
                    Some(_) | None => break,
                }
            }
        }
        Ok(())
    }

    /// Waits for whatever comes first. Dropping it loses nothing.
    async fn next(&mut self, frame_due: Option<Instant>) -> Taken {
        let wake = frame_due.unwrap_or_else(|| self.wake());
        let wake = self
            .burst
            .left()
            .map_or(wake, |left| wake.min(Instant::now() + left));
        let [terminate, hangup, interrupt] = &mut self.ends;
        tokio::select! {
            biased;
            _ = terminate.recv() => Taken::AppEvent(AppEvent::Terminated),
            _ = hangup.recv() => Taken::AppEvent(AppEvent::Terminated),
            // Ctrl-C in the editor is the editor's.
            _ = interrupt.recv() => match self.away {
                None => Taken::AppEvent(AppEvent::Terminated),
                Some(_) => Taken::Sent,
            },
            _ = self.continues.recv() => Taken::Continued,
            event = next_event(&mut self.events) => {
                terminal_input::convert(event).map_or(Taken::Sent, Taken::AppEvent)
            }
            status = ended(&mut self.away) => Taken::Back(status),
            next = self.outside.next() => match next {
                outside::Next::Told(told) => Taken::Told(told),
                outside::Next::AppEvent(event) => Taken::AppEvent(event),
                outside::Next::Sent => Taken::Sent,
            },
            () = tokio::time::sleep_until(wake) => Taken::Woken,
        }
    }

    /// What is there already, if anything. Polled as this task: the terminal's events wake whoever
    /// asked for them first, and would not wake the loop if that was nobody.
    async fn ready(&mut self) -> Option<Taken> {
        tokio::select! {
            biased;
            taken = self.next(None) => Some(taken),
            () = std::future::ready(()) => None,
        }
    }

    /// When the screen changes by itself next.
    fn wake(&self) -> Instant {
        let wake_ms = self.model.next_tick_at().plus_ms(-self.model.skew_ms);
        let wait_ms = wake_ms.ms_since(now(self.wall_clock)).max(0);
        Instant::now() + Duration::from_millis(wait_ms.unsigned_abs())
    }

    /// Works one thing in; says whether the screen may have changed.
    fn take(&mut self, term: &mut Term, taken: Taken) -> io::Result<bool> {
        match taken {
            Taken::AppEvent(event) => {
                let ready = self.burst.take(event);
                if ready.is_empty() {
                    return Ok(false);
                }
                for event in ready {
                    self.work_in(term, event)?;
                }
            }
            Taken::Back(status) => self.come_back(term, status)?,
            Taken::Told(told) => {
                if matches!(told, LinkEvent::Closed { .. }) {
                    self.outside.forget_unsent();
                }
                self.work_in(term, AppEvent::Link(told))?;
            }
            // Whoever stopped with us has the terminal.
            Taken::Continued if self.away.is_some() => return Ok(false),
            Taken::Continued => {
                term.resume()?;
                term.set_title(&self.model.title)?;
                let (columns, rows) = term.size()?;
                self.work_in(term, AppEvent::Resized(columns, rows))?;
            }
            Taken::Sent => return Ok(false),
            Taken::Woken => {
                let held = self.burst.due();
                if !held.is_empty() {
                    for event in held {
                        self.work_in(term, event)?;
                    }
                    return Ok(true);
                }
                // A frame that was due wakes as well; then no time of the model has passed.
                let local = self.model.next_tick_at().plus_ms(-self.model.skew_ms);
                if now(self.wall_clock) < local {
                    return Ok(false);
                }
                self.work_in(term, AppEvent::Tick)?;
            }
        }
        Ok(true)
    }

    fn work_in(&mut self, term: &mut Term, event: AppEvent) -> io::Result<()> {
        let looks = matches!(
            event,
            AppEvent::Started | AppEvent::Key(_) | AppEvent::Focused(true) | AppEvent::Tick
        );
        if looks && let Some(configured) = self.wishes.look(now(self.wall_clock)) {
            self.work_in_one(term, configured)?;
        }
        self.work_in_one(term, event)
    }

    fn work_in_one(&mut self, term: &mut Term, event: AppEvent) -> io::Result<()> {
        let spare = Cmid((self.new_id)());
        let msg = Msg {
            now: now(self.wall_clock),
            spare,
            event,
        };
        for effect in update(&mut self.model, msg) {
            self.carry_out(term, effect)?;
        }
        Ok(())
    }

    /// Gives the terminal to the person's editor, with this text. The connection goes on.
    fn go_away(&mut self, term: &mut Term, at: Option<InstanceId>, text: &str) -> io::Result<()> {
        // It would read the editor's keys.
        self.events = None;
        term.release();
        match Away::begin(&self.editor, &self.state_dir, at, text) {
            Ok(away) => {
                self.away = Some(away);
                Ok(())
            }
            Err(why) => self.take_again(term, AppEvent::Failed(why)),
        }
    }

    /// To the terminal itself, while it is ours.
    fn say(&self, term: &mut Term, sequence: Option<String>) -> io::Result<()> {
        match sequence.filter(|_| self.away.is_none()) {
            Some(sequence) => term.say(&sequence),
            None => Ok(()),
        }
    }

    fn come_back(&mut self, term: &mut Term, status: io::Result<ExitStatus>) -> io::Result<()> {
        match self.away.take() {
            Some(away) => {
                let event = away.finish(status);
                self.take_again(term, event)
            }
            None => Ok(()),
        }
    }

    fn take_again(&mut self, term: &mut Term, event: AppEvent) -> io::Result<()> {
        term.resume()?;
        term.set_title(&self.model.title)?;
        self.events = Some(EventStream::new());
        let (columns, rows) = term.size()?;
        self.work_in(term, AppEvent::Resized(columns, rows))?;
        self.work_in(term, event)
    }

    fn carry_out(&mut self, term: &mut Term, effect: Effect) -> io::Result<()> {
        match self.outside.carry_out(&self.model.server, effect) {
            Some(OnScreen::Title(title)) if self.away.is_none() => term.set_title(&title)?,
            // It is written when the terminal is ours again.
            Some(OnScreen::Title(_)) | None => {}
            Some(OnScreen::Edit { at, text }) => self.go_away(term, at, &text)?,
            Some(OnScreen::Call { title, text }) => {
                self.say(term, Some(self.desktop.calling(&title, &text)))?;
                self.desktop.call(&title, &text);
            }
            Some(OnScreen::Copy(text)) => {
                self.say(term, self.desktop.copying(&text))?;
                self.desktop.copy(text);
            }
            Some(OnScreen::Open(address)) => {
                if !self.desktop.has_opener() {
                    self.say(term, self.desktop.copying(&address))?;
                }
                self.desktop.open(&address, self.outside.answer());
            }
            Some(OnScreen::Mouse(ours)) => term.set_mouse(ours)?,
            Some(OnScreen::Redraw) => self.redraw = true,
            Some(OnScreen::Suspend) => {
                term.suspend()?;
                term.set_title(&self.model.title)?;
            }
            Some(OnScreen::Quit) => self.is_over = true,
        }
        Ok(())
    }
}

/// Never, while the terminal is somebody else's.
async fn next_event(events: &mut Option<EventStream>) -> Option<io::Result<Event>> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

/// Never, while there is no editor.
async fn ended(away: &mut Option<Away>) -> io::Result<ExitStatus> {
    match away {
        Some(away) => away.ended().await,
        None => std::future::pending().await,
    }
}

/// The number of the signal by which a stopped job goes on, as Linux and the BSDs have it.
const SIGCONT: i32 = if cfg!(any(
    target_os = "macos",
    target_os = "freebsd",
    target_os = "openbsd"
)) {
    19
} else {
    18
};

fn now(wall_clock: fn() -> SystemTime) -> Timestamp {
    let since = wall_clock()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
