//! One run: everything follows from its seed, one store call at a time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use plenary_server::clock::Clock;
use plenary_server::error::{Answer, Error, Fault};
use plenary_server::hub::Cursor;
use plenary_server::store::{ConnectionId, Feed, LifecycleStore, PresenceStore};
use plenary_shared::domain::Event;
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, OrderId, Seq, UserId};
use plenary_shared::protocol::{OpenOk, Posted};
use plenary_shared::time::Timestamp;
use tokio::task::AbortHandle;

use crate::choose::Action;
use crate::clients::{Client, Fact};
use crate::environment::{Environment, Fixture, RedisRestart};
use crate::gate::{Gate, JOB};
use crate::mistake::Wrong;
use crate::plan::{Faults, Plan};
use crate::rng::Rng;
use crate::scripts::Product;
use crate::servers::{self, GRACE_MS, LEASE_MS, Role, Server};

/// The start of every run: 2026-01-01.
pub const BEGIN_MS: i64 = 1_767_225_600_000;

/// Steps without faults at the start.
const FAULTLESS_STEPS_MAX: usize = 200;

/// How long the lock for rebuilding lasts, as in the product.
const FENCING_MS: i64 = 10_000;

/// The result of a job.
pub enum Outcome {
    /// A client's open.
    Opened(Answer<(OpenOk, Option<Cursor>)>),
    /// A client's resume.
    Resumed(Answer<(OpenOk, Option<Cursor>)>),
    /// A client's join.
    Joined(Answer<Posted>),
    /// A client's leave.
    Left(Answer<Posted>),
    /// A client's post.
    Posted(Cmid, Answer<Posted>),
    /// A confirmation that a client's connection holds its stay.
    Bound(Answer<()>),
    /// Events for a client that was behind.
    Backfilled(Answer<Vec<Event>>),
    /// A background job of a server; it started at this time.
    RoleDone(Role, i64, Answer<()>),
    /// A report of a lost connection.
    Detached((InstanceId, ConnectionId), Answer<()>),
}

/// A job in a server.
pub struct Job {
    process: usize,
    name: String,
    handle: AbortHandle,
    /// The client's request, if it is one.
    pub requester: Option<Requester>,
}

/// The origin of a request.
#[derive(Clone, Debug)]
pub struct Requester {
    /// The client.
    pub client: usize,
    /// The number of its connection.
    pub link: u64,
    /// The connection's id in the store.
    pub connection: ConnectionId,
}

/// The result of a run.
pub struct Report {
    /// Violated guarantees.
    pub violations: Vec<String>,
    /// What happened.
    pub trace: Vec<String>,
    /// Archived events at the end.
    pub events: usize,
}

/// A run.
#[expect(clippy::struct_excessive_bools, reason = "independent facts of a run")]
pub struct Run<'a> {
    pub(crate) rng: Rng,
    pub(crate) plan: Plan,
    pub(crate) environment: &'a mut Environment,
    pub(crate) gate: Arc<Gate>,
    pub(crate) clock: Clock,
    pub(crate) servers: Vec<Option<Server>>,
    pub(crate) clients: Vec<Client>,
    pub(crate) fixture: Fixture,
    pub(crate) violations: Vec<String>,
    /// Whether Redis has lost acknowledged data.
    pub(crate) lossy: bool,
    /// Whether any live state was rebuilt.
    pub(crate) rebuilt: bool,
    pub(crate) faults_off: bool,
    /// Whether the run is ending.
    pub(crate) ending: bool,
    /// Whether the run is waiting to settle.
    pub(crate) settling: bool,
    pub(crate) jobs: BTreeMap<u64, Job>,
    pub(crate) next_number: u64,
    pub(crate) wrong: Wrong,
    pub(crate) now: Arc<AtomicI64>,
    pub(crate) redis_now: i64,
    pub(crate) redis_called: bool,
    /// Whether a task may have progressed since the last step.
    pub(crate) progressed: bool,
    pub(crate) finished: Arc<Mutex<Vec<(u64, Outcome)>>>,
    pub(crate) seen: BTreeMap<(InstanceId, Generation, Seq), (Fact, String)>,
    pub(crate) redis_down_until: i64,
    pub(crate) mysql_down_until: i64,
    pub(crate) rebuilding_since: Option<i64>,
    pub(crate) trace: Vec<String>,
    pub(crate) steps: usize,
}

/// Runs a seed.
pub fn run(
    environment: &mut Environment,
    seed: u64,
    product: &Arc<Product>,
    faults: Faults,
) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let report = runtime.block_on(async {
        let mut run = Run::begin(environment, seed, product, faults).await;
        run.execute().await
    });
    drop(runtime);
    environment.end();
    report
}

impl<'a> Run<'a> {
    async fn begin(
        environment: &'a mut Environment,
        seed: u64,
        product: &Arc<Product>,
        faults: Faults,
    ) -> Self {
        let mut rng = Rng::new(seed);
        let plan = Plan::draw(&mut rng, environment.is_shared(), faults);
        let begin = Timestamp::from_ms(BEGIN_MS);
        let instances = (1..=plan.instances)
            .map(|number| {
                let id = InstanceId::new(
                    MeetingId::new(number).expect("small"),
                    OrderId::new(1).expect("small"),
                );
                (
                    id,
                    begin.plus_ms(rng.ms(0, 1_500)),
                    begin.plus_ms(plan.lasts_ms),
                )
            })
            .collect();
        let fixture = Fixture {
            people: plan.people,
            instances,
            product: product.clone(),
        };
        environment.begin(&fixture).await;
        let now = Arc::new(AtomicI64::new(BEGIN_MS));
        let read = now.clone();
        let clock: Clock = Arc::new(move || Timestamp::from_ms(read.load(Ordering::Relaxed)));
        let clients = (0..plan.clients)
            .map(|number| {
                let user = UserId::new(2 + number % plan.people).expect("small");
                let at = usize::try_from(number % plan.instances).unwrap_or(0);
                Client::new(user, fixture.instances[at].0)
            })
            .collect();
        let mut run = Self {
            servers: (0..plan.servers).map(|_| None).collect(),
            clients,
            fixture,
            rng,
            plan,
            environment,
            gate: Arc::default(),
            clock,
            violations: Vec::new(),
            lossy: false,
            rebuilt: false,
            faults_off: false,
            ending: false,
            settling: false,
            jobs: BTreeMap::new(),
            next_number: 1,
            wrong: product.wrong,
            now,
            redis_now: 0,
            redis_called: false,
            progressed: true,
            finished: Arc::default(),
            seen: BTreeMap::new(),
            redis_down_until: 0,
            mysql_down_until: 0,
            rebuilding_since: None,
            trace: Vec::new(),
            steps: 0,
        };
        run.gate.set_now(BEGIN_MS);
        let plan = format!("{:?}", run.plan);
        run.note(plan);
        run
    }

    async fn execute(&mut self) -> Report {
        if self.plan.starts_without_faults {
            self.start_without_faults().await;
        }
        let last = self.steps + self.plan.steps;
        while self.steps < last && self.violations.is_empty() {
            self.step().await;
        }
        let events = self.finish_run().await;
        Report {
            violations: std::mem::take(&mut self.violations),
            trace: std::mem::take(&mut self.trace),
            events,
        }
    }

    /// Runs without faults until every client has joined.
    async fn start_without_faults(&mut self) {
        self.faults_off = true;
        let starts = self.fixture.instances.iter().map(|(_, from, _)| *from);
        let last = starts.max().unwrap_or_default();
        self.pass(last.as_ms() - self.now_ms());
        for _ in 0..FAULTLESS_STEPS_MAX {
            let all_in = self.clients.iter().all(|client| client.is_in);
            if all_in || !self.violations.is_empty() {
                break;
            }
            self.step().await;
        }
        self.faults_off = false;
        self.note("--- everything may happen from here on ---".to_owned());
    }

    // --- one step ---

    /// Runs one action.
    pub(crate) async fn step(&mut self) {
        self.steps += 1;
        if std::mem::take(&mut self.progressed) {
            self.gate.settle().await;
            self.collect();
        }
        let action = self.choose();
        self.progressed = !matches!(
            action,
            Action::Tick(..) | Action::DumpRedis | Action::DropItem(_)
        );
        match action {
            Action::Decide(ready) => self.decide(&ready),
            Action::Client(client, what) => self.run_client_action(client, &what),
            Action::Pull(client) => self.progressed = self.pull(client),
            Action::Role(server, role) => self.begin_role(server, role),
            Action::ComparePositions(server) => {
                self.note(format!("s{server} looks at positions"));
                self.feed(server, Feed::Gap);
            }
            Action::Deliver(server) => self.deliver(server),
            Action::DropItem(server) => {
                let server_up = self.servers[server].as_mut().expect("it is up");
                let lost = server_up.pending.pop_front();
                self.note(format!("s{server} never learns that {lost:?} is lost"));
            }
            Action::Tick(low, high) => {
                let ms = self.rng.ms(low, high);
                self.pass(ms);
            }
            Action::Kill(server) => self.kill(server),
            Action::Start(server) => self.start(server).await,
            Action::RestartRedis(restart) => self.restart_redis(restart).await,
            Action::DumpRedis => {
                if let Environment::RedisMysql(shared) = self.environment {
                    shared.save_dump();
                }
                self.note("a dump of Redis is kept".to_owned());
            }
            Action::RedisOutage => {
                let ms = self.rng.ms(100, 3_000);
                self.redis_down_until = self.now_ms() + ms;
                self.note(format!("Redis is down for {ms} ms"));
            }
            Action::MysqlOutage => {
                let ms = self.rng.ms(100, 30_000);
                self.mysql_down_until = self.now_ms() + ms;
                self.note(format!("MySQL is down for {ms} ms"));
            }
        }
        self.pass(1);
    }

    // --- time ---

    /// The simulated time.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, ms: i64) {
        let now = self.now_ms() + ms;
        self.now.store(now, Ordering::Relaxed);
        self.gate.set_now(now);
        if ms > 10 {
            self.note(format!("{ms} ms pass"));
        }
        for server in self.servers.iter_mut().flatten() {
            if now >= server.lease_until {
                server.lapsed_at = now;
            }
        }
        if self
            .rebuilding_since
            .is_some_and(|since| since + FENCING_MS <= now)
        {
            self.rebuilding_since = None;
            if let Environment::RedisMysql(shared) = self.environment {
                shared.release_rebuilding();
            }
            self.note("the right to bring the live state up has run out".to_owned());
        }
    }

    /// Makes every store available again.
    pub(crate) fn heal(&mut self) {
        self.redis_down_until = 0;
        self.mysql_down_until = 0;
        self.faults_off = true;
        self.ending = true;
        self.note("--- no further faults from here on ---".to_owned());
    }

    // --- jobs ---

    /// Starts a job in a server's process.
    pub(crate) fn spawn(
        &mut self,
        server: usize,
        name: String,
        requester: Option<Requester>,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        let process = self.servers[server]
            .as_ref()
            .expect("it is up")
            .process
            .number;
        let (finished, gate) = (self.finished.clone(), self.gate.clone());
        let task = JOB.scope(name.clone(), async move {
            let outcome = work.await;
            finished
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((number, outcome));
            gate.record_progress();
        });
        self.note(format!("p{process} {name} begins"));
        let handle = tokio::spawn(task).abort_handle();
        let job = Job {
            process,
            name,
            handle,
            requester,
        };
        self.jobs.insert(number, job);
        number
    }

    fn begin_role(&mut self, at: usize, role: Role) {
        let clock = self.clock.clone();
        let began = self.now_ms();
        let server = self.servers[at].as_mut().expect("it is up");
        server.busy.insert(role);
        if role == Role::Reap {
            server.reaped_at = began;
        }
        let (store, node) = (server.store.clone(), server.node.clone());
        let lost = if role == Role::Detach {
            server.lost.pop_front()
        } else {
            None
        };
        self.spawn(at, format!("{role:?}"), None, async move {
            let answer = match role {
                Role::Boot => servers::boot(store, node).await,
                Role::Sweep => store.sweep().await,
                Role::Schedule => servers::schedule(store, clock).await,
                Role::Archive => servers::archive(store).await,
                Role::Lease => store.renew_lease(&node, LEASE_MS).await.map(|_| ()),
                Role::Reap => servers::reap(store, node).await,
                Role::Detach => {
                    let Some((id, connection)) = lost else {
                        return Outcome::RoleDone(role, began, Ok(()));
                    };
                    let answer = store.detach(id, &connection, 0).await;
                    return Outcome::Detached((id, connection), answer);
                }
            };
            Outcome::RoleDone(role, began, answer)
        });
    }

    /// Takes over the results since the last step.
    fn collect(&mut self) {
        if std::mem::take(&mut self.redis_called) {
            self.redis_now = self.now_ms();
            for line in self.environment.published(self.redis_now) {
                let (channel, payload) = line.split_once(' ').expect("the simulation wrote it");
                match plenary_server::store::redis::read_published(channel, payload) {
                    Ok(item) => self.publish(None, &item),
                    Err(fault) => self.violate(format!("published, but not readable: {fault}")),
                }
            }
        }
        for at in 0..self.servers.len() {
            while let Some(item) = self.servers[at]
                .as_mut()
                .and_then(|server| server.published.as_mut()?.try_recv().ok())
            {
                self.publish(Some(at), &item);
            }
        }
        let finished =
            std::mem::take(&mut *self.finished.lock().unwrap_or_else(PoisonError::into_inner));
        for (number, outcome) in finished {
            // The result of a dead process is not delivered.
            let Some(job) = self.jobs.remove(&number) else {
                continue;
            };
            self.finish(&job, outcome);
        }
    }

    fn finish(&mut self, job: &Job, outcome: Outcome) {
        let Some(at) = self.server_of(job.process) else {
            return;
        };
        self.complain(&job.name, &outcome);
        match outcome {
            Outcome::RoleDone(role, began, answer) => {
                let done = match &answer {
                    Ok(()) => "done".to_owned(),
                    Err(error) => format!("not done: {error}"),
                };
                self.note(format!("p{} {} is {done}", job.process, job.name));
                let server = self.servers[at].as_mut().expect("it is up");
                server.busy.remove(&role);
                match role {
                    Role::Boot => server.ready = true,
                    Role::Lease if answer.is_ok() => server.lease_until = began + LEASE_MS,
                    Role::Lease
                    | Role::Schedule
                    | Role::Archive
                    | Role::Reap
                    | Role::Sweep
                    | Role::Detach => {}
                }
            }
            Outcome::Detached(lost, answer) => {
                let server = self.servers[at].as_mut().expect("it is up");
                server.busy.remove(&Role::Detach);
                if answer.is_err() {
                    server.lost.push_back(lost);
                }
            }
            other => self.receive_answer(at, job, other),
        }
    }

    /// Checks the invariants that hold whatever happens to the stores.
    fn complain(&mut self, name: &str, outcome: &Outcome) {
        let (Outcome::Opened(Err(error))
        | Outcome::Resumed(Err(error))
        | Outcome::Joined(Err(error))
        | Outcome::Left(Err(error))
        | Outcome::Posted(_, Err(error))
        | Outcome::Bound(Err(error))
        | Outcome::Backfilled(Err(error))
        | Outcome::RoleDone(_, _, Err(error))
        | Outcome::Detached(_, Err(error))) = outcome
        else {
            return;
        };
        if let Error::Fault(fault @ Fault::Broken { .. }) = error {
            self.violate(format!("{name}: {fault}"));
        }
    }

    pub(crate) fn server_of(&self, process: usize) -> Option<usize> {
        let is_it = |server: &Server| server.process.number == process;
        self.servers
            .iter()
            .position(|server| server.as_ref().is_some_and(is_it))
    }

    // --- deaths ---

    fn kill(&mut self, at: usize) {
        let Some(server) = self.servers[at].take() else {
            return;
        };
        let process = server.process.number;
        self.note(format!("p{process} (s{at}) is killed"));
        self.gate.kill(process);
        self.jobs.retain(|_, job| {
            let dead = job.process == process;
            if dead {
                job.handle.abort();
            }
            !dead
        });
        for client in &mut self.clients {
            if client
                .link
                .as_ref()
                .is_some_and(|link| link.process == process)
            {
                client.link = None;
                client.pending_request = None;
                client.unsettle();
            }
        }
        server.die();
    }

    async fn start(&mut self, at: usize) {
        let process = self.gate.process();
        self.note(format!("p{} starts as s{at}", process.number));
        let server = Server::start(self.environment, process, &self.clock, self.wrong).await;
        self.servers[at] = Some(server);
        self.begin_role(at, Role::Boot);
    }

    async fn restart_redis(&mut self, restart: RedisRestart) {
        self.note(format!("Redis comes back: {restart:?}"));
        let Environment::RedisMysql(shared) = self.environment else {
            return;
        };
        shared.restart(restart);
        self.redis_now = 0;
        if restart == RedisRestart::ScriptsInPlace {
            return;
        }
        self.lossy |= restart != RedisRestart::OnlyScripts;
        // A dump may contain the lock since then.
        self.rebuilding_since = Some(self.now_ms());
        for client in &mut self.clients {
            if let Some(link) = &mut client.link {
                link.bound_since = None;
            }
        }
        // Repairs that servers make at once are not simulated.
        self.gate.set_open(true);
        for server in self.servers.iter().flatten() {
            server.reconnect().await;
        }
        self.gate.set_open(false);
    }

    // --- published items ---

    pub(crate) fn violate(&mut self, what: String) {
        self.note(format!("!!! {what}"));
        self.violations.push(what);
    }

    pub(crate) fn note(&mut self, what: String) {
        let ms = self.now_ms() - BEGIN_MS;
        let mut line = what;
        let when = format!("{:>5} +{:>3}.{:03} ", self.steps, ms / 1_000, ms % 1_000);
        line.insert_str(0, &when);
        self.trace.push(line);
    }

    /// How long the loss of a connection may stay unnoticed.
    pub(crate) const fn settle_ms() -> i64 {
        GRACE_MS + LEASE_MS + 12_000
    }
}
