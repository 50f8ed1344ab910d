//! Somebody who talks by the real client without its screen, and remembers what was promised.

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
use plenary_shared::domain::{Event, Moderation, What};
use plenary_shared::ids::{Cmid, InstanceId};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Between two looks whether one has to join.
const JOIN_EVERY: Duration = Duration::from_secs(2);

/// Orders that wait to be taken.
const ORDERS_MAX: usize = 8;

/// What the play tells a person.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// Be killed, and start again after this.
    Die(Duration),
    /// Talk no more.
    Hush,
    /// End, and give back what was seen.
    End,
}

/// What a person has seen so far; read by the play at any time.
#[derive(Debug, Default)]
pub struct Seen {
    /// What was sent and can have been lost by nobody, in order.
    pub said: Vec<String>,
    /// What was being put on disk when its program was killed.
    pub cut_short: HashSet<String>,
    /// What was refused at some time, and tried again later than its place in the order.
    pub refused: HashSet<String>,
    /// What the server acknowledged, and when the last one was.
    pub taken: HashSet<String>,
    pub taken_at: Option<Instant>,
    /// What was acknowledged as being in the archive.
    pub durable: HashSet<String>,
    /// Lines that are still on their way.
    pub on_the_way: usize,
    /// How far the first of those is that is not taken.
    pub first: String,
    /// When the connection was lost and was back.
    pub lost_at: Vec<Instant>,
    pub back_at: Vec<Instant>,
    pub is_connected: bool,
    pub is_in: bool,
    /// The last seq that is known.
    pub last: u64,
    pub is_closed: bool,
    pub deaths: usize,
}

/// A person, from outside.
pub struct Person {
    pub name: String,
    pub instance: InstanceId,
    seen: Arc<Mutex<Seen>>,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<Vec<Event>>,
}

/// Who, where, and how fast they talk.
pub struct Role {
    pub name: String,
    pub token: String,
    pub server: String,
    pub instance: InstanceId,
    pub home: PathBuf,
    pub every: Duration,
}

impl Person {
    pub fn begin(role: Role) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (orders, taken) = mpsc::channel(ORDERS_MAX);
        let (name, instance) = (role.name.clone(), role.instance);
        let actor = Actor {
            client: Headless::open(&opening(&role)),
            role,
            seen: Arc::clone(&seen),
            states: HashMap::new(),
            was_ready: false,
            number: 0,
        };
        let task = tokio::spawn(actor.act(taken));
        Self {
            name,
            instance,
            seen,
            orders,
            task,
        }
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub async fn order(&self, order: Order) {
        self.orders.send(order).await.expect("the person acts");
    }

    /// Ends; the log as the client has it.
    pub async fn end(self) -> (String, InstanceId, Seen, Vec<Event>) {
        let sent = self.orders.send(Order::End).await;
        sent.expect("the person acts");
        let log = self.task.await.expect("the person does not panic");
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        (self.name, self.instance, seen, log)
    }
}

struct Actor {
    role: Role,
    client: Headless,
    seen: Arc<Mutex<Seen>>,
    /// Lines as they were when last looked at: what they say, and how far they were.
    states: HashMap<Cmid, (String, Delivery)>,
    was_ready: bool,
    number: u64,
}

impl Actor {
    async fn act(mut self, mut orders: mpsc::Receiver<Order>) -> Vec<Event> {
        let mut talking = tokio::time::interval(self.role.every);
        talking.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut joining = tokio::time::interval(JOIN_EVERY);
        joining.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut hushed = false;
        loop {
            tokio::select! {
                () = self.client.next() => {}
                _ = talking.tick(), if !hushed => self.talk(),
                _ = joining.tick() => self.join(),
                order = orders.recv() => match order {
                    Some(Order::Die(down)) => self.die(down).await,
                    Some(Order::Hush) => hushed = true,
                    Some(Order::End) | None => break,
                },
            }
            self.look();
        }
        let log = log_of(self.client.model(), self.role.instance);
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

    fn talk(&mut self) {
        let model = self.client.model();
        let room = model.rooms.get(&self.role.instance);
        if model.shown != Some(self.role.instance) || !room.is_some_and(|room| room.wants_to_join) {
            return;
        }
        self.number += 1;
        let text = format!("{} says {}", self.role.name, self.number);
        self.write(&text);
        let model = self.client.model();
        let last = model.outbox.entries().next_back();
        if last.is_some_and(|line| line.body.as_str() == text) {
            self.seen().said.push(text);
        }
    }

    /// Is in the meeting, and tries again what was refused while out of it.
    fn join(&mut self) {
        let (model, id) = (self.client.model(), self.role.instance);
        let room = model.rooms.get(&id);
        if model.link != Link::Ready || room.is_some_and(Room::is_closed) {
            return;
        }
        if model.shown != Some(id) || !room.is_some_and(|room| room.wants_to_join) {
            self.write(&format!("/join {id}"));
        } else if model.outbox.rejected_count(id) > 0 {
            self.write("/retry");
        }
    }

    async fn die(&mut self, down: Duration) {
        self.look();
        for line in self.client.model().outbox.entries() {
            if line.state == Delivery::Writing {
                let body = line.body.as_str().to_owned();
                self.seen().cut_short.insert(body);
            }
        }
        self.seen().deaths += 1;
        // As if killed: the file stays as it is, and only its lock goes.
        let mut opening = opening(&self.role);
        opening.account.token = None;
        self.client = Headless::open(&opening);
        tokio::time::sleep(down).await;
        // Of a killed process nothing would go on writing.
        while !self.is_unlocked() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.client = Headless::open(&self::opening(&self.role));
        self.states.clear();
    }

    fn is_unlocked(&self) -> bool {
        let files = fs::read_dir(self.role.home.join("outbox"));
        files.into_iter().flatten().all(|entry| {
            let file = entry.and_then(|entry| File::open(entry.path()));
            file.is_ok_and(|file| file.try_lock().is_ok())
        })
    }

    fn look(&mut self) {
        let model = self.client.model();
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = model.link == Link::Ready;
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
        let room = model.rooms.get(&self.role.instance);
        seen.is_in = room.is_some_and(|room| room.has(model.my_id()));
        seen.is_closed = room.is_some_and(Room::is_closed);
        seen.last = room.map_or(0, |room| room.last().get());
        seen.on_the_way = model.outbox.entries().count();
        let first = model.outbox.entries().find(|line| line.is_unacknowledged());
        seen.first = first.map_or_else(String::new, |line| format!("{:?}", line.state));
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
                    seen.taken.insert(body.clone());
                    seen.taken_at = Some(now);
                }
                Delivery::Rejected { .. } => {
                    seen.refused.insert(body.clone());
                }
                Delivery::Writing | Delivery::Waiting { .. } | Delivery::Sent { .. } => {}
            }
            self.states.insert(line.cmid, (body, line.state.clone()));
        }
        // Nothing is taken back here: what is gone is safe.
        self.states.retain(|cmid, (body, _)| {
            let stays = here.contains(cmid);
            if !stays {
                seen.durable.insert(body.clone());
                seen.taken.insert(body.clone());
            }
            stays
        });
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_of(model: &Model, id: InstanceId) -> Vec<Event> {
    let log = model.rooms.get(&id).and_then(|room| room.log.as_ref());
    log.into_iter()
        .flat_map(|log| log.events().cloned())
        .collect()
}

fn opening(role: &Role) -> LaunchOptions {
    LaunchOptions {
        account: Account {
            server: role.server.parse().expect("an address"),
            token: Some(Token::new(&role.token)),
            session: None,
        },
        session_file: SessionFile::within(&role.home),
        state_dir: role.home.clone(),
        theme: Theme::new(false, false),
        config_dir: role.home.clone(),
        desktop: Desktop::default(),
        has_links: false,
        editor: String::new(),
        wall_clock: SystemTime::now,
        new_id: uuid::Uuid::now_v7,
    }
}

/// What an event says, to be compared with the archive's row.
pub fn told(event: &Event) -> (u64, String, String, String) {
    let (user, body) = match &event.what {
        What::Message { user, body, .. } => (user.to_string(), body.to_string()),
        What::Join { user, .. }
        | What::Leave { user, .. }
        | What::Edited { user, .. }
        | What::Deleted { user, .. }
        | What::Moderated(Moderation { user, .. }) => (user.to_string(), String::new()),
        What::Opened | What::Closed { .. } => ("NULL".to_owned(), String::new()),
    };
    (event.seq.get(), event.what.as_str().to_owned(), user, body)
}
