//! Simulated servers: the product's hub and store, and the calls that scheduler, archiver and
//! presence make, in the same order, started when the seed decides.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use plenary_server::clock::Clock;
use plenary_server::error::{Answer, Error, Fault};
use plenary_server::hub::Hub;
use plenary_server::store::{
    ArchiveStore, ConnectionId, EndStep, Feed, FeedStore, LifecycleStore, NodeId, PresenceStore,
    Stepped,
};
use plenary_shared::domain::Reason;
use plenary_shared::ids::InstanceId;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::environment::Environment;
use crate::gate::Process;
use crate::mistake::Wrong;
use crate::simulated_store::SimulatedStore;

/// The lease of a server, as in `presence`.
pub const LEASE_MS: i64 = 8_000;

/// The grace period of a lost connection.
pub const GRACE_MS: i64 = 20_000;

/// How far ahead the agenda is read.
const HORIZON_MS: i64 = 1_000;

/// Items waiting for a hub.
const FEED_MAX: usize = 16_384;

/// The hub compares positions when the simulator tells it to, never by a real clock.
const NEVER_MS: u64 = 86_400_000;

/// How often one run of the archiver continues with the rest.
const ARCHIVE_ROUNDS_MAX: usize = 4;

/// How often a reconnect is awaited.
const RECONNECTS_MAX: usize = 1_000;

/// Time between two polls.
const RECONNECT_MS: u64 = 5;

/// A server's background jobs; each runs at most once at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Before it accepts connections.
    Boot,
    /// Due starts and ends.
    Schedule,
    /// The archiver.
    Archive,
    /// Its lease.
    Lease,
    /// Dead servers and lost connections.
    Reap,
    /// The sweep.
    Sweep,
    /// Its own lost connections.
    Detach,
}

/// A running server.
pub struct Server {
    /// Its process.
    pub process: Process,
    /// Its name.
    pub node: NodeId,
    /// Its store.
    pub store: Arc<SimulatedStore>,
    /// Its hub.
    pub hub: Arc<Hub>,
    /// Sends items to the hub.
    pub feed: mpsc::Sender<Feed>,
    /// Items that the store publishes, where it does.
    pub published: Option<mpsc::Receiver<Feed>>,
    /// Items on their way to the hub.
    pub pending: VecDeque<Feed>,
    /// Whether it accepts connections.
    pub ready: bool,
    /// Its running jobs.
    pub busy: BTreeSet<Role>,
    /// Lost connections that it has to report.
    pub lost: VecDeque<(InstanceId, ConnectionId)>,
    /// Until when its lease lasts at least.
    pub lease_until: i64,
    /// When it was last seen without a lease.
    pub lapsed_at: i64,
    /// When it last started to look for lost connections.
    pub reaped_at: i64,
    /// The number of its next connection.
    pub next_connection: u64,
    hub_task: AbortHandle,
}

impl Server {
    /// Starts a server.
    pub async fn start(
        environment: &Environment,
        process: Process,
        clock: &Clock,
        wrong: Wrong,
    ) -> Self {
        let opened = environment.open(Arc::new(process.clone()), clock);
        let store = SimulatedStore::new(opened.store, opened.parts, environment.is_shared(), wrong);
        // Nothing is archived because of these: the archiver polls.
        let (fresh, _) = mpsc::channel(1);
        let hub = Hub::with_check_interval(
            NEVER_MS,
            store.clone(),
            fresh,
            clock.clone(),
            Arc::default(),
        );
        let (feed, mut to_hub) = mpsc::channel(FEED_MAX);
        let running = hub.clone();
        let running = async move {
            let changed = Arc::new(Notify::new());
            running
                .run(&mut to_hub, changed, CancellationToken::new())
                .await;
        };
        let hub_task = tokio::spawn(running).abort_handle();
        let published = if environment.is_shared() {
            None
        } else {
            Some(store.feed().await.expect("the first feed of a store"))
        };
        Self {
            node: NodeId(format!("n{}", process.number)),
            process,
            store,
            hub,
            feed,
            published,
            pending: VecDeque::new(),
            ready: false,
            busy: BTreeSet::new(),
            lost: VecDeque::new(),
            lease_until: i64::MIN,
            lapsed_at: i64::MAX,
            reaped_at: 0,
            next_connection: 1,
            hub_task,
        }
    }

    /// Waits until its connections are open again.
    pub async fn reconnect(&self) {
        for _ in 0..RECONNECTS_MAX {
            let mut stands = self.store.inner.ready().await.is_ok();
            if let Some((live, _)) = &self.store.parts {
                stands &= live.ping().await.is_ok();
            }
            if stands {
                return;
            }
            tokio::time::sleep(Duration::from_millis(RECONNECT_MS)).await;
        }
        panic!("{} does not find its Redis again", self.node);
    }

    /// Stops its tasks.
    pub fn die(self) {
        self.hub_task.abort();
    }
}

/// Starts and ends due instances, as the scheduler does.
pub async fn schedule(store: Arc<SimulatedStore>, clock: Clock) -> Answer<()> {
    let now = clock();
    let agenda = match store.agenda(now, HORIZON_MS).await {
        Ok(agenda) => agenda,
        Err(Error::Fault(Fault::Unavailable { .. })) => {
            for (id, at) in store.live_ends(now).await? {
                if at <= now {
                    end(&store, &clock, id, Reason::Scheduled).await?;
                }
            }
            return Ok(());
        }
        Err(other) => return Err(other),
    };
    for (id, _) in agenda.starts.iter().filter(|(_, at)| *at <= now) {
        if let Some(to) = store.start(*id, clock()).await?
            && to <= clock()
        {
            end(&store, &clock, *id, Reason::Missed).await?;
        }
    }
    let due = agenda.ends.iter().filter(|(_, at)| *at <= now);
    for id in due.map(|(id, _)| id).chain(&agenda.ending) {
        end(&store, &clock, *id, Reason::Scheduled).await?;
    }
    Ok(())
}

/// Takes the steps of an end as far as possible now.
async fn end(store: &SimulatedStore, clock: &Clock, id: InstanceId, reason: Reason) -> Answer<()> {
    let order = match store.wrong {
        Wrong::DestroysEarly => &[
            EndStep::Marked,
            EndStep::Closed,
            EndStep::Destroyed,
            EndStep::Archived,
            EndStep::Recorded,
        ],
        Wrong::Nothing | Wrong::ReloadsScripts | Wrong::PublishesBeforeCommit => EndStep::ALL,
    };
    for step in order {
        match store.end_step(id, reason, *step, clock()).await {
            Ok(Stepped::Done) => {}
            Ok(Stepped::NotYet) => return Ok(()),
            // MySQL is unavailable: participants still have to leave on time.
            Err(Error::Fault(Fault::Unavailable { .. })) if *step == EndStep::Marked => {}
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

/// Archives, as the archiver does.
pub async fn archive(store: Arc<SimulatedStore>) -> Answer<()> {
    let mut waiting = store.archive_lag().await?;
    for _ in 0..ARCHIVE_ROUNDS_MAX {
        if waiting.is_empty() {
            break;
        }
        waiting.sort();
        waiting = store.archive(&waiting).await?;
    }
    Ok(())
}

/// Starts up, before it accepts connections.
pub async fn boot(store: Arc<SimulatedStore>, node: NodeId) -> Answer<()> {
    let swept = store.sweep().await;
    store.renew_lease(&node, LEASE_MS).await?;
    swept
}

/// Handles dead servers and lost connections.
pub async fn reap(store: Arc<SimulatedStore>, node: NodeId) -> Answer<()> {
    store.renew_lease(&node, LEASE_MS).await?;
    store.reap_all(GRACE_MS).await?;
    Ok(())
}
