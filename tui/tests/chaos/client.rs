//! A simulated user: posts through the real client without its screen and records what it observes.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use plenary::model::outbox::Delivery;
use plenary::model::room::Room;
use plenary::model::{Link, Model};
use plenary::msg::AppEvent;
use plenary::runtime::{Desktop, Headless, LaunchOptions};
use plenary::session::{Account, SessionFile, Token};
use plenary::theme::Theme;
use plenary_shared::domain::{Event, EventKind, Moderation};
use plenary_shared::ids::{Cmid, InstanceId};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The interval of checks whether to join.
const JOIN_EVERY: Duration = Duration::from_secs(2);

/// Capacity of the command queue.
const COMMANDS_MAX: usize = 8;

/// A command to a client.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// Crash, and restart after this duration.
    Crash(Duration),
    /// Stop posting.
    Pause,
    /// Quit and return the observations.
    Quit,
}

/// What a client has observed so far.
#[derive(Debug, Default)]
pub struct Observed {
    /// The posted messages in order.
    pub posted: Vec<String>,
    /// Messages that were being written to disk during a crash. They may be lost.
    pub unwritten: HashSet<String>,
    /// Messages that were rejected and retried later. They may be out of order.
    pub rejected: HashSet<String>,
    /// The acknowledged messages, and the time of the last acknowledgement.
    pub acknowledged: HashSet<String>,
    pub acknowledged_at: Option<Instant>,
    /// The messages acknowledged as durable.
    pub durable: HashSet<String>,
    /// The number of unsettled messages.
    pub pending: usize,
    /// The state of the first unacknowledged message.
    pub first_pending: String,
    /// When the connection was lost and restored.
    pub lost_at: Vec<Instant>,
    pub back_at: Vec<Instant>,
    pub is_connected: bool,
    pub is_in: bool,
    /// The last known seq.
    pub last: u64,
    pub is_closed: bool,
    pub crashes: usize,
}

/// A handle to a client.
pub struct Client {
    pub name: String,
    pub instance: InstanceId,
    seen: Arc<Mutex<Observed>>,
    commands: mpsc::Sender<Command>,
    task: JoinHandle<Vec<Event>>,
}

/// The configuration of a client.
pub struct Config {
    pub name: String,
    pub token: String,
    pub server: String,
    pub instance: InstanceId,
    pub home: PathBuf,
    pub post_every: Duration,
}

impl Client {
    pub fn start(config: Config) -> Self {
        let seen = Arc::new(Mutex::new(Observed::default()));
        let (commands, taken) = mpsc::channel(COMMANDS_MAX);
        let (name, instance) = (config.name.clone(), config.instance);
        let actor = Actor {
            client: Headless::open(&opening(&config)),
            config,
            seen: Arc::clone(&seen),
            states: HashMap::new(),
            was_ready: false,
            number: 0,
        };
        let task = tokio::spawn(actor.run(taken));
        Self {
            name,
            instance,
            seen,
            commands,
            task,
        }
    }

    pub fn seen(&self) -> MutexGuard<'_, Observed> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub async fn send(&self, command: Command) {
        self.commands.send(command).await.expect("the client runs");
    }

    /// Quits and returns the observations and the log.
    pub async fn quit(self) -> (String, InstanceId, Observed, Vec<Event>) {
        let sent = self.commands.send(Command::Quit).await;
        sent.expect("the client runs");
        let log = self.task.await.expect("the client does not panic");
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        (self.name, self.instance, seen, log)
    }
}

struct Actor {
    config: Config,
    client: Headless,
    seen: Arc<Mutex<Observed>>,
    /// The last observed text and state of each message.
    states: HashMap<Cmid, (String, Delivery)>,
    was_ready: bool,
    number: u64,
}

impl Actor {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) -> Vec<Event> {
        let mut posting = tokio::time::interval(self.config.post_every);
        posting.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut joining = tokio::time::interval(JOIN_EVERY);
        joining.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_paused = false;
        loop {
            tokio::select! {
                () = self.client.next() => {}
                _ = posting.tick(), if !is_paused => self.post(),
                _ = joining.tick() => self.join(),
                command = commands.recv() => match command {
                    Some(Command::Crash(down)) => self.crash(down).await,
                    Some(Command::Pause) => is_paused = true,
                    Some(Command::Quit) | None => break,
                },
            }
            self.observe();
        }
        let log = log_of(self.client.model(), self.config.instance);
        self.client.close().await;
        log
    }

    fn write(&mut self, text: &str) {
        self.client
            .tell(AppEvent::Key("ctrl-u".parse().expect("a key")));
        self.client.tell(AppEvent::Pasted(text.to_owned()));
        self.client
            .tell(AppEvent::Key("enter".parse().expect("a key")));
    }

    fn post(&mut self) {
        let model = self.client.model();
        let room = model.rooms.get(&self.config.instance);
        if model.shown != Some(self.config.instance) || !room.is_some_and(|room| room.wants_to_join)
        {
            return;
        }
        self.number += 1;
        let text = format!("{} says {}", self.config.name, self.number);
        self.write(&text);
        let model = self.client.model();
        let last = model.outbox.entries().next_back();
        if last.is_some_and(|line| line.body.as_str() == text) {
            self.seen().posted.push(text);
        }
    }

    /// Joins the meeting, or retries messages that were rejected while not in it.
    fn join(&mut self) {
        let (model, id) = (self.client.model(), self.config.instance);
        let room = model.rooms.get(&id);
        if model.connection.link != Link::Ready || room.is_some_and(Room::is_closed) {
            return;
        }
        if model.shown != Some(id) || !room.is_some_and(|room| room.wants_to_join) {
            self.write(&format!("/join {id}"));
        } else if model.outbox.rejected_count(id) > 0 {
            self.write("/retry");
        }
    }

    async fn crash(&mut self, down: Duration) {
        self.observe();
        for line in self.client.model().outbox.entries() {
            if line.state == Delivery::Writing {
                let body = line.body.as_str().to_owned();
                self.seen().unwritten.insert(body);
            }
        }
        self.seen().crashes += 1;
        // Like a killed process: the journal file stays and its lock is released.
        let mut opening = opening(&self.config);
        opening.account.token = None;
        self.client = Headless::open(&opening);
        tokio::time::sleep(down).await;
        // A killed process would not write any further.
        while !self.is_unlocked() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.client = Headless::open(&self::opening(&self.config));
        self.states.clear();
    }

    fn is_unlocked(&self) -> bool {
        let files = fs::read_dir(self.config.home.join("outbox"));
        files.into_iter().flatten().all(|entry| {
            let file = entry.and_then(|entry| File::open(entry.path()));
            file.is_ok_and(|file| file.try_lock().is_ok())
        })
    }

    fn observe(&mut self) {
        let model = self.client.model();
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = model.connection.link == Link::Ready;
        if ready != self.was_ready {
            let times = if ready {
                &mut seen.back_at
            } else {
                &mut seen.lost_at
            };
            times.push(now);
            self.was_ready = ready;
            seen.is_connected = ready;
        }
        let room = model.rooms.get(&self.config.instance);
        seen.is_in = room.is_some_and(|room| room.has(model.my_id()));
        seen.is_closed = room.is_some_and(Room::is_closed);
        seen.last = room.map_or(0, |room| room.last().get());
        seen.pending = model.outbox.entries().count();
        let first = model.outbox.entries().find(|line| line.is_unacknowledged());
        seen.first_pending = first.map_or_else(String::new, |line| format!("{:?}", line.state));
        let mut here = HashSet::new();
        for line in model.outbox.entries() {
            here.insert(line.cmid);
            let known = self.states.get(&line.cmid);
            if known.is_some_and(|(_, state)| *state == line.state) {
                continue;
            }
            let body = line.body.as_str().to_owned();
            match line.state {
                Delivery::Acknowledged { .. } => {
                    seen.acknowledged.insert(body.clone());
                    seen.acknowledged_at = Some(now);
                }
                Delivery::Rejected { .. } => {
                    seen.rejected.insert(body.clone());
                }
                Delivery::Writing | Delivery::Waiting { .. } | Delivery::Sent { .. } => {}
            }
            self.states.insert(line.cmid, (body, line.state.clone()));
        }
        // No message is withdrawn here: a removed one is durable.
        self.states.retain(|cmid, (body, _)| {
            let stays = here.contains(cmid);
            if !stays {
                seen.durable.insert(body.clone());
                seen.acknowledged.insert(body.clone());
            }
            stays
        });
    }

    fn seen(&self) -> MutexGuard<'_, Observed> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_of(model: &Model, id: InstanceId) -> Vec<Event> {
    let log = model.rooms.get(&id).and_then(|room| room.log.as_ref());
    log.into_iter()
        .flat_map(|log| log.events().cloned())
        .collect()
}

fn opening(config: &Config) -> LaunchOptions {
    LaunchOptions {
        account: Account {
            server: config.server.parse().expect("an address"),
            token: Some(Token::new(&config.token)),
            session: None,
        },
        session_file: SessionFile::within(&config.home),
        state_dir: config.home.clone(),
        theme: Theme::new(false, false),
        config_dir: config.home.clone(),
        desktop: Desktop::default(),
        has_links: false,
        editor: String::new(),
        wall_clock: SystemTime::now,
        new_id: uuid::Uuid::now_v7,
    }
}

/// Returns an event as a row of MySQL, for comparison.
pub fn row(event: &Event) -> (u64, String, String, String) {
    let (user, body) = match &event.kind {
        EventKind::Message { user, body, .. } => (user.to_string(), body.to_string()),
        EventKind::Join { user, .. }
        | EventKind::Leave { user, .. }
        | EventKind::Edited { user, .. }
        | EventKind::Deleted { user, .. }
        | EventKind::Moderated(Moderation { user, .. }) => (user.to_string(), String::new()),
        EventKind::Opened | EventKind::Closed { .. } => ("NULL".to_owned(), String::new()),
    };
    (event.seq.get(), event.kind.as_str().to_owned(), user, body)
}
