//! Executes effects: the connection, the sign-in and files. Returns what the screen has to do.

mod connection;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::protocol::{Login, LoginOk};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::LaunchOptions;
use super::account_task;
use super::cache_writer::CacheWriter;
use super::export_task::{self, Export};
use super::history_writer::HistoryWriter;
use super::journal_writer::JournalWriter;
use crate::api::Api;
use crate::cache::CacheFile;
use crate::drafts::{Drafts, DraftsFile};
use crate::effect::{AccountRequest, Effect};
use crate::msg::AppEvent;
use crate::net::{Link, LinkCommand, LinkEvent};
use crate::notify_file::NotifyFile;
use crate::notify_level::NotifyLevel;
use crate::private_file;
use crate::sent::SentFile;
use crate::server_url::ServerUrl;
use crate::session::{Session, SessionFile, Token};

/// Capacity of the queue for results of background tasks. Tasks wait while it is full.
const EVENTS_MAX: usize = 16;

/// Size limit of a file with emails, in bytes: the content of one request with JSON escapes.
const LIST_BYTES_MAX: u64 = 48 * 1_024;

/// How long the exit waits for exports, enough for a long meeting over a slow line.
const EXPORT_WAIT: Duration = Duration::from_secs(20);

/// How long the exit waits for the end of a session that is not stored.
const LOGOUT_WAIT: Duration = Duration::from_secs(2);

/// Executes effects and collects their results.
pub(super) struct Effects {
    session_file: SessionFile,
    drafts_file: DraftsFile,
    journal: JournalWriter,
    history: HistoryWriter,
    cache: CacheWriter,
    notify_file: NotifyFile,
    /// Events of the journal that are not delivered yet.
    journal_events: VecDeque<AppEvent>,
    wall_clock: fn() -> SystemTime,
    link: Option<Link>,
    /// Commands that the link has not taken yet. Bounded by the outbox and the user's keys, and cleared
    /// when the connection closes.
    unsent: VecDeque<LinkCommand>,
    /// Set to cancel a running sign-in.
    sign_in: Option<Arc<AtomicBool>>,
    /// The session of a sign-in that could not be stored. It ends with the program.
    unstored: Arc<Mutex<Option<Api>>>,
    events: mpsc::Receiver<AppEvent>,
    sender: mpsc::Sender<AppEvent>,
    /// Running exports, one for each command of the user.
    exports: JoinSet<()>,
    drafts_writing: Option<JoinHandle<()>>,
    drafts_pending: Option<(String, Drafts)>,
    /// Whether the user's stays continue for the reconnect grace after the exit.
    keeps_seats: bool,
}

/// An effect that the screen executes.
pub(super) enum ScreenEffect {
    /// Set the title of the terminal.
    Title(String),
    /// Open the external editor.
    Edit {
        /// The instance in which the text is written.
        at: Option<InstanceId>,
        /// The text so far.
        text: String,
    },
    /// Show a notification.
    Notify {
        /// The author and the meeting.
        title: String,
        text: String,
    },
    /// Copy a text to the clipboard.
    Copy(String),
    /// Open a URL in the browser.
    OpenUrl(String),
    /// Enable or disable mouse reports.
    Mouse(bool),
    Redraw,
    /// Stop the process until it continues.
    Suspend,
    Quit,
}

/// The result of [`Effects::next`].
pub(super) enum Next {
    Link(LinkEvent),
    Event(AppEvent),
    /// Work that needs no update of the model.
    Progress,
}

impl Effects {
    pub(super) fn new(options: &LaunchOptions) -> Self {
        let state_dir = &options.state_dir;
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        Self {
            session_file: options.session_file.clone(),
            drafts_file: DraftsFile::within(state_dir),
            journal: JournalWriter::new(state_dir, options.new_id),
            cache: CacheWriter::new(CacheFile::within(state_dir)),
            history: HistoryWriter::new(SentFile::within(state_dir)),
            notify_file: NotifyFile::within(state_dir),
            journal_events: VecDeque::new(),
            wall_clock: options.wall_clock,
            link: None,
            unsent: VecDeque::new(),
            sign_in: None,
            unstored: Arc::default(),
            events,
            sender,
            exports: JoinSet::new(),
            drafts_writing: None,
            drafts_pending: None,
            keeps_seats: false,
        }
    }

    /// Executes an effect. Returns an effect for the screen, if there is one.
    pub(super) fn execute(&mut self, server: &str, effect: Effect) -> Option<ScreenEffect> {
        match effect {
            Effect::SignIn {
                server,
                email,
                password,
            } => self.sign_in(&server, email, password),
            Effect::CancelSignIn => self.cancel_sign_in(),
            Effect::Account {
                token,
                user,
                request,
            } => self.request_account(server, token, user, request),
            Effect::Connect { server } => self.connect(&server),
            Effect::Disconnect => self.disconnect(),
            Effect::ForgetToken { server } => self.forget_token(&server),
            Effect::Ask(request) => self.unsent.push_back(LinkCommand::Send(request)),
            Effect::Reconnect => self.unsent.push_back(LinkCommand::Reconnect),
            Effect::OpenJournal(owner) => self.journal.open(owner),
            Effect::Record(records) => self.journal.write(records),
            Effect::SaveDrafts(drafts) => self.save_drafts(server.to_owned(), drafts),
            Effect::SaveCache(cache) => self.cache.write(*cache),
            Effect::AppendHistory { meeting, text } => {
                self.history.append(server.to_owned(), meeting, text);
            }
            Effect::SaveNotifyLevels(levels) => {
                self.save_notify_levels(server.to_owned(), levels);
            }
            Effect::Export {
                token,
                instance,
                format,
                file,
            } => self.export(Export {
                server: server.to_owned(),
                token,
                instance,
                format,
                path: file,
                now: super::now(self.wall_clock),
            }),
            Effect::ReadList {
                path,
                meeting,
                replace,
            } => self.read_list(path, meeting, replace),
            Effect::Edit { at, text } => return Some(ScreenEffect::Edit { at, text }),
            Effect::Notify { title, text } => return Some(ScreenEffect::Notify { title, text }),
            Effect::Copy(text) => return Some(ScreenEffect::Copy(text)),
            Effect::Open(url) => return Some(ScreenEffect::OpenUrl(url)),
            Effect::Mouse(enabled) => return Some(ScreenEffect::Mouse(enabled)),
            Effect::Title(title) => return Some(ScreenEffect::Title(title)),
            Effect::Redraw => return Some(ScreenEffect::Redraw),
            Effect::Suspend => return Some(ScreenEffect::Suspend),
            Effect::KeepSeats => self.keeps_seats = true,
            Effect::Quit => return Some(ScreenEffect::Quit),
        }
        None
    }

    /// Waits for the next event or for progress. Cancel safe.
    pub(super) async fn next(&mut self) -> Next {
        enum Ready {
            Link(Option<LinkEvent>),
            Event(AppEvent),
            CommandTaken,
            LinkGone,
            DraftsWritten,
            JournalWritten(Vec<AppEvent>),
        }
        if let Some(event) = self.journal_events.pop_front() {
            return Next::Event(event);
        }
        let (commands, link_events) = match &mut self.link {
            Some(link) => (Some(&link.commands), Some(&mut link.events)),
            None => (None, None),
        };
        let commands = commands.filter(|_| !self.unsent.is_empty());
        let ready = tokio::select! {
            event = async { link_events?.recv().await }, if link_events.is_some() => {
                Ready::Link(event)
            }
            Some(event) = self.events.recv() => Ready::Event(event),
            permit = async { commands?.reserve().await.ok() }, if commands.is_some() => match permit {
                Some(permit) => {
                    if let Some(command) = self.unsent.pop_front() {
                        permit.send(command);
                    }
                    Ready::CommandTaken
                }
                None => Ready::LinkGone,
            },
            events = self.journal.done(), if self.journal.is_busy() => Ready::JournalWritten(events),
            () = finished(&mut self.drafts_writing), if self.drafts_writing.is_some() => {
                Ready::DraftsWritten
            }
        };
        match ready {
            Ready::Link(Some(event)) => {
                if matches!(event, LinkEvent::Closed { .. }) {
                    // The model sends unanswered requests again on the next connection.
                    self.unsent
                        .retain(|command| *command == LinkCommand::Reconnect);
                }
                return Next::Link(event);
            }
            Ready::Link(None) => self.link = None,
            Ready::Event(event) => return Next::Event(event),
            Ready::CommandTaken => {}
            Ready::JournalWritten(events) => self.journal_events.extend(events),
            Ready::LinkGone => self.unsent.clear(),
            Ready::DraftsWritten => {
                self.drafts_writing = None;
                self.write_drafts();
            }
        }
        Next::Progress
    }

    /// Returns the sender for results of effects that the screen executes.
    pub(super) fn events(&self) -> mpsc::Sender<AppEvent> {
        self.sender.clone()
    }

    /// Finishes exports, writes pending files and closes the connection. Returns messages for the user.
    pub(super) async fn finish(mut self) -> Vec<String> {
        self.cancel_sign_in();
        let exported = async { while self.exports.join_next().await.is_some() {} };
        let timed_out = timeout(EXPORT_WAIT, exported).await.is_err();
        let mut notes: Vec<String> = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            if let AppEvent::Exported(Ok(text) | Err(text)) = event {
                notes.push(text);
            }
        }
        if timed_out {
            let seconds = EXPORT_WAIT.as_secs();
            notes.push(format!("An export was cancelled after {seconds} s."));
        }
        while let Some(writing) = self.drafts_writing.take() {
            finished(&mut Some(writing)).await;
            self.write_drafts();
        }
        self.journal.finish().await;
        self.history.finish().await;
        self.cache.finish().await;
        match self.link.take() {
            Some(link) if self.keeps_seats => link.close().await,
            Some(link) => link.quit().await,
            None => {}
        }
        let unstored = lock(&self.unstored).take();
        if let Some(api) = unstored {
            // If it fails, the session expires.
            let _ = timeout(LOGOUT_WAIT, api.logout()).await;
        }
        notes
    }

    fn sign_in(&mut self, server: &str, email: String, password: String) {
        let (sender, session_file) = (self.sender.clone(), self.session_file.clone());
        let server = server.parse::<ServerUrl>();
        let cancelled = Arc::new(AtomicBool::new(false));
        self.sign_in = Some(cancelled.clone());
        let unstored = self.unstored.clone();
        tokio::spawn(async move {
            let result = match server {
                Ok(server) => {
                    let signing_in = SignIn {
                        session_file,
                        sender: sender.clone(),
                        cancelled: cancelled.clone(),
                        unstored,
                    };
                    signing_in.run(server, email, password).await
                }
                Err(error) => Err(error.to_string()),
            };
            if !cancelled.load(Ordering::Relaxed) {
                // The program may have quit.
                let _ = sender.send(AppEvent::SignedIn(result)).await;
            }
        });
    }

    fn request_account(&self, server: &str, token: Token, user: UserId, request: AccountRequest) {
        let (sender, server) = (self.sender.clone(), server.to_owned());
        tokio::spawn(async move {
            let event = account_task::run(&server, token, user, request).await;
            // The program may have quit.
            let _ = sender.send(event).await;
        });
    }

    fn cancel_sign_in(&mut self) {
        if let Some(cancelled) = self.sign_in.take() {
            cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Removes the cache, and the stored session if it is one of this server.
    fn forget_token(&mut self, server: &str) {
        self.cache.remove();
        let loaded = self.session_file.load().ok();
        let session = loaded.and_then(|loaded| loaded.session);
        if session.is_some_and(|session| session.server.to_string() == server)
            && let Err(error) = self.session_file.remove()
        {
            self.fail(error.to_string());
        }
    }

    fn save_drafts(&mut self, server: String, drafts: Drafts) {
        self.drafts_pending = Some((server, drafts));
        if self.drafts_writing.is_none() {
            self.write_drafts();
        }
    }

    /// Writes the pending drafts. One write at a time, so that the latest drafts are written last.
    fn write_drafts(&mut self) {
        let Some((server, drafts)) = self.drafts_pending.take() else {
            return;
        };
        let (file, sender) = (self.drafts_file.clone(), self.sender.clone());
        self.drafts_writing = Some(tokio::task::spawn_blocking(move || {
            if let Err(error) = file.save(&server, drafts) {
                report(&sender, format!("Cannot save drafts: {error}"));
            }
        }));
    }

    fn save_notify_levels(&self, server: String, levels: Vec<(MeetingId, NotifyLevel)>) {
        let (file, sender) = (self.notify_file.clone(), self.sender.clone());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = file.save(&server, &levels) {
                report(
                    &sender,
                    format!("Cannot save notification settings: {error}"),
                );
            }
        });
    }

    fn export(&mut self, export: Export) {
        // Drops finished tasks.
        while self.exports.try_join_next().is_some() {}
        let sender = self.sender.clone();
        self.exports.spawn(async move {
            let exported = export_task::run(export).await;
            // The program may have quit.
            let _ = sender.send(AppEvent::Exported(exported)).await;
        });
    }

    fn read_list(&self, path: String, meeting: MeetingId, replace: bool) {
        let sender = self.sender.clone();
        tokio::task::spawn_blocking(move || {
            let read = private_file::read(&export_task::expand_home(&path), LIST_BYTES_MAX);
            let read = read.map_err(|error| match error.kind() {
                io::ErrorKind::FileTooLarge => format!(
                    "{path} is too large, the limit is {LIST_BYTES_MAX} bytes. \
                     Import it with 'plenary-server meeting audience'."
                ),
                io::ErrorKind::InvalidData => format!("{path} is not a UTF-8 text file"),
                _ => format!("Cannot read {path}: {error}"),
            });
            // The program may have quit.
            let _ = sender.blocking_send(AppEvent::ListRead {
                meeting,
                replace,
                read,
            });
        });
    }

    fn fail(&self, why: String) {
        report(&self.sender, why);
    }
}

/// Reports an error. It is dropped if the queue is full, since the status line shows only the latest.
fn report(sender: &mpsc::Sender<AppEvent>, why: String) {
    let _ = sender.try_send(AppEvent::Failed(why));
}

async fn finished(task: &mut Option<JoinHandle<()>>) {
    if let Some(task) = task {
        // The panic hook has reported a panic.
        let _ = task.await;
    }
}

/// A sign-in and where its result goes.
struct SignIn {
    session_file: SessionFile,
    sender: mpsc::Sender<AppEvent>,
    cancelled: Arc<AtomicBool>,
    unstored: Arc<Mutex<Option<Api>>>,
}

impl SignIn {
    /// Signs in and stores the session. A session that nobody will use is ended. The error is a message
    /// for the user.
    async fn run(
        self,
        server: ServerUrl,
        email: String,
        password: String,
    ) -> Result<LoginOk, String> {
        let api = |token| Api::new(server.clone(), token).map_err(|error| error.to_string());
        let login = Login {
            email: email.clone(),
            password,
            label: Some("plenary screen".to_owned()),
        };
        let ok = api(None)?.login(&login).await;
        let ok = ok.map_err(|error| error.to_string())?;
        let signed_in = api(Some(Token::new(&ok.token)))?;
        if self.cancelled.load(Ordering::Relaxed) {
            // If it fails, the session expires.
            let _ = signed_in.logout().await;
            return Err("Sign-in cancelled".to_owned());
        }
        let session = Session {
            server,
            token: Token::new(&ok.token),
            email,
            name: ok.name.clone(),
            expires_at: ok.expires_at,
        };
        if let Err(error) = self.session_file.save(&session) {
            // The user is signed in, but only until the exit.
            report(&self.sender, format!("Cannot store the session: {error}"));
            *lock(&self.unstored) = Some(signed_in);
        }
        Ok(ok)
    }
}

/// Locks a mutex. Its content is replaced as a whole, so a poisoned lock is usable.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
