//! What effects are carried out on: the connection, the sign-in, the files.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, SystemTime};

use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::protocol::{Login, LoginOk};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::timeout;

use super::LaunchOptions;
use super::exporter::{self, Export};
use super::keeper::Keeper;
use super::screens_keeper::ScreensKeeper;
use super::sent_keeper::SentKeeper;
use crate::api::Api;
use crate::cache::CacheFile;
use crate::drafts::{Drafts, DraftsFile};
use crate::effect::Effect;
use crate::model::notify_level::NotifyLevel;
use crate::msg::AppEvent;
use crate::net::{Link, LinkCommand, LinkEvent, link};
use crate::notify_file::NotifyFile;
use crate::private_file;
use crate::sent::SentFile;
use crate::server_url::ServerUrl;
use crate::session::{Session, SessionFile, Token};

/// Answers that wait to be taken; whoever answers then waits.
const ANSWERS_MAX: usize = 16;

/// Bytes of a list of addresses: what one request holds, with what is escaped.
const LIST_BYTES_MAX: u64 = 48 * 1_024;

/// How long the end of the program waits for files that are being written: for a long meeting over a
/// slow line, and not for ever.
const EXPORT_WAIT: Duration = Duration::from_secs(20);

/// Everything outside.
pub(super) struct Outside {
    session_file: SessionFile,
    drafts_file: DraftsFile,
    /// What is on its way, on disk.
    keeper: Keeper,
    /// What was sent, on disk.
    sent: SentKeeper,
    /// The last screens, on disk.
    screens: ScreensKeeper,
    notify_file: NotifyFile,
    /// What came of writing it, and is not told yet.
    kept: VecDeque<AppEvent>,
    wall_clock: fn() -> SystemTime,
    link: Option<Link>,
    /// What the connection has not taken yet: at most what the outboxes and the keys ask for while
    /// it is open, as all of it goes when it closes.
    unsent: VecDeque<LinkCommand>,
    signing_in: Option<AbortHandle>,
    answers: mpsc::Receiver<AppEvent>,
    answer: mpsc::Sender<AppEvent>,
    /// Meetings that are being written into files: as many as a person asks for at once.
    exports: JoinSet<()>,
    drafts_writing: Option<JoinHandle<()>>,
    drafts_waiting: Option<(String, Drafts)>,
}

/// What an effect wants of the screen.
pub(super) enum OnScreen {
    /// A title.
    Title(String),
    /// The person's editor, with this text.
    Edit {
        /// Where it is written.
        at: Option<InstanceId>,
        /// What is written so far.
        text: String,
    },
    /// A call.
    Call {
        /// Who, and where.
        title: String,
        /// What was said.
        text: String,
    },
    /// To be copied.
    Copy(String),
    /// An address to be opened.
    Open(String),
    /// The mouse, or not.
    Mouse(bool),
    /// Everything anew.
    Redraw,
    /// To give the terminal back and stop.
    Suspend,
    /// The end.
    Quit,
}

/// What came first.
pub(super) enum Next {
    /// The connection says something.
    Told(LinkEvent),
    /// An effect was answered.
    AppEvent(AppEvent),
    /// A request was taken by the connection, or a file was written.
    Sent,
}

impl Outside {
    pub(super) fn new(opening: &LaunchOptions) -> Self {
        let (answer, answers) = mpsc::channel(ANSWERS_MAX);
        Self {
            session_file: opening.session_file.clone(),
            drafts_file: DraftsFile::within(&opening.state_dir),
            keeper: Keeper::new(&opening.state_dir, opening.new_id),
            screens: ScreensKeeper::new(CacheFile::within(&opening.state_dir)),
            sent: SentKeeper::new(SentFile::within(&opening.state_dir)),
            notify_file: NotifyFile::within(&opening.state_dir),
            kept: VecDeque::new(),
            wall_clock: opening.wall_clock,
            link: None,
            unsent: VecDeque::new(),
            signing_in: None,
            answers,
            answer,
            exports: JoinSet::new(),
            drafts_writing: None,
            drafts_waiting: None,
        }
    }

    /// Carries an effect out; what the screen has to do comes back.
    pub(super) fn carry_out(&mut self, server: &str, effect: Effect) -> Option<OnScreen> {
        match effect {
            Effect::SignIn {
                server,
                email,
                password,
            } => self.sign_in(&server, email, password),
            Effect::CancelSignIn => self.cancel_sign_in(),
            Effect::Connect { server } => self.connect(&server),
            Effect::Disconnect => self.disconnect(),
            Effect::ForgetToken { server } => self.forget_token(&server),
            Effect::Ask(request) => self.unsent.push_back(LinkCommand::Send(request)),
            Effect::Reconnect => self.unsent.push_back(LinkCommand::Reconnect),
            Effect::OpenJournal(owner) => self.keeper.open(owner),
            Effect::Record(records) => self.keeper.write(records),
            Effect::SaveDrafts(drafts) => self.save_drafts(server.to_owned(), drafts),
            Effect::SaveCache(cache) => self.screens.keep(*cache),
            Effect::AppendHistory { meeting, text } => {
                self.sent.keep(server.to_owned(), meeting, text)
            }
            Effect::SaveNotifyLevels(kept) => self.save_notify_levels(server.to_owned(), kept),
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
                file,
                now: super::now(self.wall_clock),
            }),
            Effect::ReadList {
                path,
                meeting,
                replace,
            } => self.read_list(path, meeting, replace),
            Effect::Edit { at, text } => return Some(OnScreen::Edit { at, text }),
            Effect::Notify { title, text } => return Some(OnScreen::Call { title, text }),
            Effect::Copy(text) => return Some(OnScreen::Copy(text)),
            Effect::Open(address) => return Some(OnScreen::Open(address)),
            Effect::Mouse(ours) => return Some(OnScreen::Mouse(ours)),
            Effect::Title(title) => return Some(OnScreen::Title(title)),
            Effect::Redraw => return Some(OnScreen::Redraw),
            Effect::Suspend => return Some(OnScreen::Suspend),
            Effect::Quit => return Some(OnScreen::Quit),
        }
        None
    }

    /// Waits for whatever comes first. Dropping it loses nothing.
    pub(super) async fn next(&mut self) -> Next {
        enum Came {
            Told(Option<LinkEvent>),
            AppEvent(AppEvent),
            Taken,
            Closed,
            Written,
            Kept(Vec<AppEvent>),
        }
        if let Some(event) = self.kept.pop_front() {
            return Next::AppEvent(event);
        }
        let (ask, told) = match &mut self.link {
            Some(link) => (Some(&link.commands), Some(&mut link.events)),
            None => (None, None),
        };
        let ask = ask.filter(|_| !self.unsent.is_empty());
        let came = tokio::select! {
            told = async { told?.recv().await }, if told.is_some() => Came::Told(told),
            Some(event) = self.answers.recv() => Came::AppEvent(event),
            permit = async { ask?.reserve().await.ok() }, if ask.is_some() => match permit {
                Some(permit) => {
                    if let Some(ask) = self.unsent.pop_front() {
                        permit.send(ask);
                    }
                    Came::Taken
                }
                None => Came::Closed,
            },
            event = self.keeper.done(), if self.keeper.is_busy() => Came::Kept(event),
            () = finished(&mut self.drafts_writing), if self.drafts_writing.is_some() => {
                Came::Written
            }
        };
        match came {
            Came::Told(Some(told)) => return Next::Told(told),
            Came::Told(None) => self.link = None,
            Came::AppEvent(event) => return Next::AppEvent(event),
            Came::Taken => {}
            Came::Kept(event) => self.kept.extend(event),
            Came::Closed => self.unsent.clear(),
            Came::Written => {
                self.drafts_writing = None;
                self.write_drafts();
            }
        }
        Next::Sent
    }

    /// Where effects are answered that are carried out elsewhere.
    pub(super) fn answer(&self) -> mpsc::Sender<AppEvent> {
        self.answer.clone()
    }

    /// The connection closed: what was to be said on it is said anew on the next.
    pub(super) fn forget_unsent(&mut self) {
        self.unsent.retain(|ask| *ask == LinkCommand::Reconnect);
    }

    fn connect(&mut self, server: &str) {
        self.unsent.clear();
        self.link = match server.parse::<ServerUrl>() {
            Ok(server) => Some(link(server, self.wall_clock)),
            Err(error) => {
                self.fail(error.to_string());
                None
            }
        };
    }

    fn disconnect(&mut self) {
        self.unsent.clear();
        self.link = None;
    }

    fn sign_in(&mut self, server: &str, email: String, password: String) {
        let (answer, session_file) = (self.answer.clone(), self.session_file.clone());
        let server = server.parse::<ServerUrl>();
        let task = tokio::spawn(async move {
            let signed_in = match server {
                Ok(server) => ask_to_sign_in(server, email, password, &session_file, &answer).await,
                Err(error) => Err(error.to_string()),
            };
            // Nobody waits for it any more when the screen is closed.
            let _ = answer.send(AppEvent::SignedIn(signed_in)).await;
        });
        self.signing_in = Some(task.abort_handle());
    }

    fn cancel_sign_in(&mut self) {
        if let Some(task) = self.signing_in.take() {
            task.abort();
        }
    }

    /// Removes the kept token, if it is this server's.
    fn forget_token(&mut self, server: &str) {
        self.screens.forget();
        let kept = self
            .session_file
            .load()
            .ok()
            .and_then(|loaded| loaded.session);
        if kept.is_some_and(|session| session.server.to_string() == server)
            && let Err(error) = self.session_file.remove()
        {
            self.fail(error.to_string());
        }
    }

    fn save_drafts(&mut self, server: String, drafts: Drafts) {
        self.drafts_waiting = Some((server, drafts));
        if self.drafts_writing.is_none() {
            self.write_drafts();
        }
    }

    /// Lets what is under way come to its end: the goodbye to the server, the drafts, files. What is
    /// to be said of those comes back.
    pub(super) async fn end(mut self) -> Vec<String> {
        self.cancel_sign_in();
        let is_written = async { while self.exports.join_next().await.is_some() {} };
        let is_late = timeout(EXPORT_WAIT, is_written).await.is_err();
        let mut said: Vec<String> = Vec::new();
        while let Ok(event) = self.answers.try_recv() {
            if let AppEvent::Exported(Ok(text) | Err(text)) = event {
                said.push(text);
            }
        }
        if is_late {
            said.push("a meeting was not written: that took too long".to_owned());
        }
        while let Some(writing) = self.drafts_writing.take() {
            finished(&mut Some(writing)).await;
            self.write_drafts();
        }
        self.keeper.end().await;
        self.sent.end().await;
        self.screens.end().await;
        if let Some(link) = self.link.take() {
            link.close().await;
        }
        said
    }

    /// One at a time, so that the newest is written last.
    fn write_drafts(&mut self) {
        let Some((server, drafts)) = self.drafts_waiting.take() else {
            return;
        };
        let (file, answer) = (self.drafts_file.clone(), self.answer.clone());
        self.drafts_writing = Some(tokio::task::spawn_blocking(move || {
            if let Err(error) = file.save(&server, drafts) {
                // If even this has no room, the status line has enough to say.
                let _ = answer.try_send(AppEvent::Failed(format!("drafts are not kept: {error}")));
            }
        }));
    }

    fn save_notify_levels(&self, server: String, kept: Vec<(MeetingId, NotifyLevel)>) {
        let (file, answer) = (self.notify_file.clone(), self.answer.clone());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = file.save(&server, &kept) {
                let why = format!("the choice is not kept: {error}");
                // If even this has no room, the status line has enough to say.
                let _ = answer.try_send(AppEvent::Failed(why));
            }
        });
    }

    fn export(&mut self, export: Export) {
        // Those that are done are not kept.
        while self.exports.try_join_next().is_some() {}
        let answer = self.answer.clone();
        self.exports.spawn(async move {
            // Nobody waits for it any more when the screen is closed.
            let _ = answer.send(exporter::export(export).await).await;
        });
    }

    fn read_list(&self, path: String, meeting: MeetingId, replace: bool) {
        let answer = self.answer.clone();
        tokio::task::spawn_blocking(move || {
            let read = private_file::read(&exporter::at_home(&path), LIST_BYTES_MAX);
            let read = read.map_err(|error| match error.kind() {
                io::ErrorKind::FileTooLarge => format!(
                    "{path} has more than {LIST_BYTES_MAX} bytes: import it by \
                     plenary-server meeting audience"
                ),
                io::ErrorKind::InvalidData => format!("{path} is no text in UTF-8"),
                _ => format!("{path} cannot be read: {error}"),
            });
            // Nobody waits for it any more when the screen is closed.
            let _ = answer.blocking_send(AppEvent::ListRead {
                meeting,
                replace,
                read,
            });
        });
    }

    fn fail(&self, why: String) {
        // If even this has no room, the status line has enough to say.
        let _ = self.answer.try_send(AppEvent::Failed(why));
    }
}

async fn finished(task: &mut Option<JoinHandle<()>>) {
    if let Some(task) = task {
        // A panic in it has been reported by the panic hook.
        let _ = task.await;
    }
}

async fn ask_to_sign_in(
    server: ServerUrl,
    email: String,
    password: String,
    session_file: &SessionFile,
    answer: &mpsc::Sender<AppEvent>,
) -> Result<LoginOk, String> {
    let api = Api::new(server.clone(), None).map_err(|error| error.to_string())?;
    let login = Login {
        email: email.clone(),
        password,
        label: Some("plenary screen".to_owned()),
    };
    let ok = api.login(&login).await.map_err(|error| error.to_string())?;
    let session = Session {
        server,
        token: Token::new(&ok.token),
        email,
        name: ok.name.clone(),
        expires_at: ok.expires_at,
    };
    if let Err(error) = session_file.save(&session) {
        // Signed in all the same, only not the next time.
        let why = format!("the sign-in is not kept: {error}");
        let _ = answer.send(AppEvent::Failed(why)).await;
    }
    Ok(ok)
}
