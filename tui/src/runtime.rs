//! The one loop: takes all that is ready - keys, the server, answers, signals, the clock -, works
//! it in, then draws once. It sleeps when nothing comes and nothing visible changes.

mod keeper;
mod news;
mod outside;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crossterm::event::EventStream;
use futures_util::StreamExt as _;
use plenary_shared::ids::Cmid;
use plenary_shared::time::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use crate::clock::Zone;
use crate::drafts::DraftsFile;
use crate::effect::Effect;
use crate::keymap::Keymap;
use crate::model::{Model, Start};
use crate::msg::{Msg, News};
use crate::net::{Ask, Told};
use crate::session::{Account, SessionFile};
use crate::term::Term;
use crate::theme::Theme;
use crate::update::update;
use crate::view::view;
use keeper::Keeper;
use outside::Outside;

/// The shortest time between two frames: more than 60 a second nobody sees.
const FRAME: Duration = Duration::from_millis(16);

/// News that are taken before a frame is drawn, so that a flood cannot keep the screen from it.
const TAKEN_MAX: usize = 1_000;

/// What the screen begins with, and where it keeps things.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Which server, and as whom.
    pub account: Account,
    /// Where the session is kept.
    pub session_file: SessionFile,
    /// Where drafts are kept.
    pub state_dir: PathBuf,
    /// How meaning looks.
    pub theme: Theme,
    /// The wall clock: `SystemTime::now`.
    pub wall_clock: fn() -> SystemTime,
    /// Where ids of messages come from: `Uuid::now_v7`.
    pub new_id: fn() -> uuid::Uuid,
}

/// What happened first.
enum Taken {
    News(News),
    Told(Told),
    Sent,
    Continued,
    Woken,
}

/// Opens the screen, and returns when it is closed. The process must have a crypto provider.
pub async fn run(opening: Opening) -> io::Result<()> {
    let mut term = Term::take()?;
    let mut screen = Screen::new(opening, &term)?;
    let ended = screen.run(&mut term).await;
    drop(term);
    screen.outside.end().await;
    ended
}

struct Screen {
    model: Model,
    keymap: Keymap,
    outside: Outside,
    events: EventStream,
    ends: [Signal; 3],
    continues: Signal,
    wall_clock: fn() -> SystemTime,
    new_id: fn() -> uuid::Uuid,
    is_over: bool,
    redraw: bool,
}

impl Screen {
    fn new(opening: Opening, term: &Term) -> io::Result<Self> {
        let account = &opening.account;
        let server = account.server.to_string();
        let drafts_file = DraftsFile::within(&opening.state_dir);
        let here = account
            .session
            .as_ref()
            .filter(|session| session.server == account.server);
        let model = Model::new(Start {
            email: here
                .map(|session| session.email.clone())
                .unwrap_or_default(),
            // A token that was given may be somebody else's.
            person: here
                .filter(|session| account.token.as_ref() == Some(&session.token))
                .map(|session| session.email.clone()),
            token: account.token.clone(),
            drafts: drafts_file.load(&server),
            server,
            theme: opening.theme,
            zone: Zone::Local,
            size: term.size()?,
            now: now(opening.wall_clock),
        });
        Ok(Self {
            model,
            keymap: Keymap::default(),
            outside: Outside::new(
                opening.session_file,
                drafts_file,
                Keeper::new(&opening.state_dir, opening.new_id),
                opening.wall_clock,
            ),
            events: EventStream::new(),
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
        self.work_in(term, News::Started)?;
        let mut drawn_at: Option<Instant> = None;
        let mut dirty = true;
        while !self.is_over {
            if dirty && drawn_at.is_none_or(|at| at.elapsed() >= FRAME) {
                let size = term.size()?;
                if size != self.model.size {
                    self.work_in(term, News::Resized(size.0, size.1))?;
                }
                if std::mem::take(&mut self.redraw) {
                    term.clear()?;
                }
                term.draw(|frame| view(&self.model, frame))?;
                drawn_at = Some(Instant::now());
                dirty = false;
            }
            let frame_due = drawn_at.filter(|_| dirty).map(|at| at + FRAME);
            let mut taken = self.next(frame_due).await;
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
        let [terminate, hangup, interrupt] = &mut self.ends;
        tokio::select! {
            biased;
            _ = terminate.recv() => Taken::News(News::Terminated),
            _ = hangup.recv() => Taken::News(News::Terminated),
            _ = interrupt.recv() => Taken::News(News::Terminated),
            _ = self.continues.recv() => Taken::Continued,
            event = self.events.next() => news::of_terminal(event).map_or(Taken::Sent, Taken::News),
            next = self.outside.next() => match next {
                outside::Next::Told(told) => Taken::Told(told),
                outside::Next::News(news) => Taken::News(news),
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
        let wake_ms = self.model.wake_at().plus_ms(-self.model.skew_ms);
        let wait_ms = wake_ms.ms_since(now(self.wall_clock)).max(0);
        Instant::now() + Duration::from_millis(wait_ms.unsigned_abs())
    }

    /// Works one thing in; says whether the screen may have changed.
    fn take(&mut self, term: &mut Term, taken: Taken) -> io::Result<bool> {
        match taken {
            Taken::News(news) => self.work_in(term, news)?,
            Taken::Told(told) => {
                if matches!(told, Told::Closed { .. }) {
                    self.outside.forget_unsent();
                }
                self.work_in(term, News::Link(news::of_link(told)))?;
            }
            Taken::Continued => {
                term.resume()?;
                let (columns, rows) = term.size()?;
                self.work_in(term, News::Resized(columns, rows))?;
            }
            Taken::Sent => return Ok(false),
            Taken::Woken => {
                // A frame that was due wakes as well; then no time of the model has passed.
                let local = self.model.wake_at().plus_ms(-self.model.skew_ms);
                if now(self.wall_clock) < local {
                    return Ok(false);
                }
                self.work_in(term, News::Tick)?;
            }
        }
        Ok(true)
    }

    fn work_in(&mut self, term: &mut Term, news: News) -> io::Result<()> {
        let spare = Cmid((self.new_id)());
        let msg = Msg {
            now: now(self.wall_clock),
            spare,
            news,
        };
        for effect in update(&mut self.model, &self.keymap, msg) {
            self.carry_out(term, effect)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, term: &mut Term, effect: Effect) -> io::Result<()> {
        match effect {
            Effect::SignIn {
                server,
                email,
                password,
            } => {
                self.outside.sign_in(&server, email, password);
            }
            Effect::CancelSignIn => self.outside.cancel_sign_in(),
            Effect::Connect { server } => self.outside.connect(&server),
            Effect::Disconnect => self.outside.disconnect(),
            Effect::ForgetToken { server } => self.outside.forget_token(&server),
            Effect::Ask(request) => self.outside.ask(Ask::Send(request)),
            Effect::Reconnect => self.outside.ask(Ask::Reconnect),
            Effect::OpenJournal(owner) => self.outside.keeper.open(owner),
            Effect::Record(records) => self.outside.keeper.write(records),
            Effect::KeepDrafts(drafts) => {
                self.outside.keep_drafts(self.model.server.clone(), drafts);
            }
            Effect::Title(title) => term.set_title(&title)?,
            Effect::Redraw => self.redraw = true,
            Effect::Suspend => term.suspend()?,
            Effect::Quit => self.is_over = true,
        }
        Ok(())
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
