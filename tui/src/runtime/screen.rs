//! The event loop of the screen: waits for events, updates the model, and draws at most one frame each
//! 16 ms. It sleeps while nothing happens.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::{Duration, SystemTime};

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt as _;
use plenary_shared::ids::{Cmid, InstanceId};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use super::config_watch::ConfigWatch;
use super::effects::{self, Effects, ScreenEffect};
use super::external_editor::ExternalEditor;
use super::paste_detector::PasteDetector;
use super::user_config::UserConfig;
use super::{Desktop, LaunchOptions, now, terminal_input, wake_at};
use crate::effect::Effect;
use crate::model::{Link, Model};
use crate::msg::{AppEvent, Msg};
use crate::net::LinkEvent;
use crate::term::Term;
use crate::update::update;
use crate::view::view;

/// The minimum time between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// The number of events processed between two frames, so that a flood of events cannot delay a frame.
const EVENTS_PER_FRAME_MAX: usize = 1_000;

/// What the event loop woke up for.
enum Wakeup {
    Event(AppEvent),
    Link(LinkEvent),
    /// Work of an effect that needs no update.
    Progress,
    /// The process continues after a stop.
    Continued,
    EditorExited(io::Result<ExitStatus>),
    /// A file in the configuration directory has changed.
    ConfigChanged,
    Timer,
}

/// The state of the event loop.
pub(super) struct Screen {
    pub(super) model: Model,
    pub(super) effects: Effects,
    user_config: UserConfig,
    config_watch: ConfigWatch,
    /// The events of the terminal. `None` while the editor uses it.
    events: Option<EventStream>,
    paste_detector: PasteDetector,
    editor: Option<ExternalEditor>,
    desktop: Desktop,
    editor_command: String,
    state_dir: PathBuf,
    terminate: [Signal; 3],
    continued: Signal,
    wall_clock: fn() -> SystemTime,
    new_id: fn() -> uuid::Uuid,
    has_quit: bool,
    must_redraw: bool,
    must_suspend: bool,
}

impl Screen {
    pub(super) fn new(options: &LaunchOptions, term: &Term) -> io::Result<Self> {
        Ok(Self {
            model: options.model_with_cache(term.size()?),
            effects: Effects::new(options),
            user_config: UserConfig::within(&options.config_dir, options.theme),
            config_watch: ConfigWatch::new(&options.config_dir),
            events: Some(EventStream::new()),
            paste_detector: PasteDetector::default(),
            editor: None,
            desktop: options.desktop.clone(),
            editor_command: options.editor.clone(),
            state_dir: options.state_dir.clone(),
            terminate: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
                signal(SignalKind::interrupt())?,
            ],
            continued: signal(SignalKind::from_raw(SIGCONT))?,
            wall_clock: options.wall_clock,
            new_id: options.new_id,
            has_quit: false,
            must_redraw: false,
            must_suspend: false,
        })
    }

    /// Runs until the user quits or a signal ends the process.
    pub(super) async fn run(&mut self, term: &mut Term) -> io::Result<()> {
        self.dispatch(term, AppEvent::Started)?;
        let mut drawn_at: Option<Instant> = None;
        let mut is_dirty = true;
        while !self.has_quit {
            let draws = is_dirty && self.editor.is_none();
            if draws && drawn_at.is_none_or(|at| at.elapsed() >= FRAME) {
                self.draw(term)?;
                drawn_at = Some(Instant::now());
                is_dirty = false;
            }
            let draws = is_dirty && self.editor.is_none();
            let frame_due = drawn_at.filter(|_| draws).map(|at| at + FRAME);
            let waiting = Instant::now();
            let mut wakeup = self.next(frame_due).await;
            self.paste_detector.idled(waiting.elapsed());
            for _ in 0..EVENTS_PER_FRAME_MAX {
                is_dirty |= self.process(term, wakeup)?;
                if std::mem::take(&mut self.must_suspend) {
                    self.suspend(term).await?;
                }
                match self.ready().await {
                    Some(next) if !self.has_quit => wakeup = next,
                    Some(_) | None => break,
                }
            }
        }
        Ok(())
    }

    fn draw(&mut self, term: &mut Term) -> io::Result<()> {
        let size = term.size()?;
        if size != self.model.terminal.size {
            self.dispatch(term, AppEvent::Resized(size.0, size.1))?;
        }
        if std::mem::take(&mut self.must_redraw) {
            term.clear()?;
        }
        term.draw(|frame| view(&self.model, frame))
    }

    /// Waits for the next wakeup. Cancel safe.
    async fn next(&mut self, frame_due: Option<Instant>) -> Wakeup {
        let timer = frame_due.unwrap_or_else(|| wake_at(&self.model, self.wall_clock));
        let timer = self
            .paste_detector
            .release_in()
            .map_or(timer, |wait| timer.min(Instant::now() + wait));
        let [terminate, hangup, interrupt] = &mut self.terminate;
        tokio::select! {
            biased;
            _ = terminate.recv() => Wakeup::Event(AppEvent::Terminated),
            _ = hangup.recv() => Wakeup::Event(AppEvent::Terminated),
            // The editor handles its own Ctrl-C.
            _ = interrupt.recv() => match self.editor {
                None => Wakeup::Event(AppEvent::Terminated),
                Some(_) => Wakeup::Progress,
            },
            _ = self.continued.recv() => Wakeup::Continued,
            event = next_event(&mut self.events) => {
                terminal_input::convert(event).map_or(Wakeup::Progress, Wakeup::Event)
            }
            status = editor_exited(&mut self.editor) => Wakeup::EditorExited(status),
            () = self.config_watch.changed() => Wakeup::ConfigChanged,
            next = self.effects.next() => match next {
                effects::Next::Link(event) => Wakeup::Link(event),
                effects::Next::Event(event) => Wakeup::Event(event),
                effects::Next::Progress => Wakeup::Progress,
            },
            () = tokio::time::sleep_until(timer) => Wakeup::Timer,
        }
    }

    /// Returns a wakeup that is ready now. Polls within this task, since the event stream wakes the
    /// task that polled it last.
    async fn ready(&mut self) -> Option<Wakeup> {
        tokio::select! {
            biased;
            wakeup = self.next(None) => Some(wakeup),
            () = std::future::ready(()) => None,
        }
    }

    /// Processes a wakeup. Returns whether the screen may have changed.
    fn process(&mut self, term: &mut Term, wakeup: Wakeup) -> io::Result<bool> {
        match wakeup {
            Wakeup::Event(event) => {
                let ready = self.paste_detector.take(event);
                let is_dirty = !ready.is_empty();
                for event in ready {
                    self.dispatch(term, event)?;
                }
                return Ok(is_dirty);
            }
            Wakeup::EditorExited(status) => {
                if let Some(editor) = self.editor.take() {
                    self.resume_after_editor(term, editor.finish(status))?;
                }
            }
            Wakeup::Link(event) => self.dispatch(term, AppEvent::Link(event))?,
            // The editor continues and uses the terminal.
            Wakeup::Continued if self.editor.is_some() => return Ok(false),
            Wakeup::Continued => self.resume(term)?,
            Wakeup::ConfigChanged => {
                let configured = self.user_config.changed(now(self.wall_clock));
                if let Some(configured) = configured {
                    self.update(term, configured)?;
                }
            }
            Wakeup::Progress => return Ok(false),
            Wakeup::Timer => return self.timer(term),
        }
        Ok(true)
    }

    fn timer(&mut self, term: &mut Term) -> io::Result<bool> {
        let held = self.paste_detector.due();
        if !held.is_empty() {
            for event in held {
                self.dispatch(term, event)?;
            }
            return Ok(true);
        }
        // The timer may have been the one for the next frame.
        let tick_at = self.model.next_tick_at().plus_ms(-self.model.skew_ms);
        if now(self.wall_clock) < tick_at {
            return Ok(false);
        }
        self.dispatch(term, AppEvent::Tick)?;
        Ok(true)
    }

    /// Updates the model with an event, and with the user's configuration if it has changed.
    fn dispatch(&mut self, term: &mut Term, event: AppEvent) -> io::Result<()> {
        let checks_config = matches!(
            event,
            AppEvent::Started | AppEvent::Key(_) | AppEvent::Focused(true) | AppEvent::Tick
        );
        if checks_config && let Some(configured) = self.user_config.check(now(self.wall_clock)) {
            self.update(term, configured)?;
        }
        self.update(term, event)
    }

    fn update(&mut self, term: &mut Term, event: AppEvent) -> io::Result<()> {
        let msg = Msg {
            now: now(self.wall_clock),
            spare: Cmid((self.new_id)()),
            event,
        };
        for effect in update(&mut self.model, msg) {
            self.execute(term, effect)?;
        }
        Ok(())
    }

    fn execute(&mut self, term: &mut Term, effect: Effect) -> io::Result<()> {
        match self.effects.execute(&self.model.session.server, effect) {
            Some(ScreenEffect::Title(title)) if self.editor.is_none() => term.set_title(&title)?,
            // The title is set after the editor exits.
            Some(ScreenEffect::Title(_)) | None => {}
            Some(ScreenEffect::Edit { at, text }) => self.open_editor(term, at, &text)?,
            Some(ScreenEffect::Notify { title, text }) => {
                let sequence = self.desktop.notification_sequence(&title, &text);
                self.write_sequence(term, Some(sequence))?;
                self.desktop.notify(&title, &text);
            }
            Some(ScreenEffect::Copy(text)) => {
                self.write_sequence(term, self.desktop.copy_sequence(&text))?;
                self.desktop.copy(text);
            }
            Some(ScreenEffect::OpenUrl(url)) => {
                if !self.desktop.has_opener() {
                    self.write_sequence(term, self.desktop.copy_sequence(&url))?;
                }
                self.desktop.open(&url, self.effects.events());
            }
            Some(ScreenEffect::Mouse(enabled)) => term.set_mouse(enabled)?,
            Some(ScreenEffect::Redraw) => self.must_redraw = true,
            Some(ScreenEffect::Suspend) => self.must_suspend = true,
            Some(ScreenEffect::Quit) => self.has_quit = true,
        }
        Ok(())
    }

    /// Writes a control sequence unless the editor uses the terminal.
    fn write_sequence(&self, term: &mut Term, sequence: Option<String>) -> io::Result<()> {
        match sequence.filter(|_| self.editor.is_none()) {
            Some(sequence) => term.write_sequence(&sequence),
            None => Ok(()),
        }
    }

    /// Opens the external editor. The connection stays open meanwhile.
    fn open_editor(
        &mut self,
        term: &mut Term,
        at: Option<InstanceId>,
        text: &str,
    ) -> io::Result<()> {
        // The event stream would take the keys of the editor.
        self.events = None;
        term.release();
        match ExternalEditor::start(&self.editor_command, &self.state_dir, at, text) {
            Ok(editor) => {
                self.editor = Some(editor);
                Ok(())
            }
            Err(why) => self.resume_after_editor(term, AppEvent::Failed(why)),
        }
    }

    fn resume_after_editor(&mut self, term: &mut Term, event: AppEvent) -> io::Result<()> {
        self.events = Some(EventStream::new());
        self.resume(term)?;
        self.dispatch(term, event)
    }

    /// Closes the connection and stops the process. Reconnects after it continues.
    async fn suspend(&mut self, term: &mut Term) -> io::Result<()> {
        let was_connected = matches!(self.model.connection.link, Link::Ready | Link::Greeting);
        if was_connected {
            for event in self.effects.suspend().await {
                self.dispatch(term, AppEvent::Link(event))?;
            }
        }
        term.suspend()?;
        term.set_title(&self.model.terminal.title)?;
        if was_connected {
            self.effects.reconnect();
        }
        Ok(())
    }

    /// Enters raw mode again and updates the size.
    fn resume(&mut self, term: &mut Term) -> io::Result<()> {
        term.resume()?;
        term.set_title(&self.model.terminal.title)?;
        let (columns, rows) = term.size()?;
        self.dispatch(term, AppEvent::Resized(columns, rows))
    }
}

/// Waits for an event of the terminal, forever without a stream.
async fn next_event(events: &mut Option<EventStream>) -> Option<io::Result<Event>> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

/// Waits for the exit of the editor, forever without an editor.
async fn editor_exited(editor: &mut Option<ExternalEditor>) -> io::Result<ExitStatus> {
    match editor {
        Some(editor) => editor.exited().await,
        None => std::future::pending().await,
    }
}

/// The number of the signal that continues a stopped process, on Linux and on the BSDs.
const SIGCONT: i32 = if cfg!(any(
    target_os = "macos",
    target_os = "freebsd",
    target_os = "openbsd"
)) {
    19
} else {
    18
};
