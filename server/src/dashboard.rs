//! The dashboard: while admins watch, one task reads the stores once a second for all of them, and
//! serialises each change once.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use plenary_shared::domain::{InstanceState, Reject};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::limits::{ACTIVITY_MINUTES, UPCOMING_MS};
use plenary_shared::protocol::{
    DashboardLine, DashboardRow, DashboardTotals, DashboardUpdate, HealthCheck, ServerStatus,
};
use plenary_shared::time::Timestamp;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::error::Answer;
use crate::hub::{Hub, Subscriber};
use crate::store::dashboard::Listed;
use crate::store::{Check, NodeId, Store};

mod detail;
mod details;
mod figures;
mod servers;

use details::{Counted, Details, Looker};
use figures::Figures;

/// Time between two reads.
const READ_EVERY_MS: u64 = 1_000;

/// Reads between two reads of the schedule, unless it is known to have changed.
const READS_PER_SCHEDULE: u32 = 5;

/// How long an ended instance is shown, in milliseconds.
const ENDED_SHOWN_MS: i64 = 60 * 60 * 1_000;

/// Rows of one line, so that it stays far below the limit of a frame.
const ROWS_PER_LINE: usize = 40;

/// How often a log that is behind is read within one pass; the next pass counts the rest.
const ROUNDS_MAX: usize = 20;

/// The dashboard of this server, pushed to the admins who watch.
pub struct Dashboard {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    clock: Clock,
    node: NodeId,
    /// This server's name for users, once it listens.
    name: OnceLock<String>,
    details: Details,
    /// The watchers by their number.
    watchers: Mutex<BTreeMap<u64, Arc<Subscriber>>>,
    next: AtomicU64,
    wanted: Notify,
    edition: Mutex<Option<Arc<Edition>>>,
}

/// The state after one read, and what it changed.
struct Edition {
    number: u64,
    /// The edition to which its changes apply.
    follows: Option<u64>,
    head: DashboardTotals,
    rows: BTreeMap<InstanceId, DashboardRow>,
    checks: Vec<HealthCheck>,
    servers: Vec<ServerStatus>,
    changes: Vec<Arc<str>>,
    /// The complete state, once a watcher needs it.
    all: OnceLock<Vec<Arc<str>>>,
}

/// One socket's view of the dashboard. Dropping it ends the watch.
pub struct Watching {
    dashboard: Arc<Dashboard>,
    number: u64,
    seen: Option<u64>,
    /// The instance watched in detail, and the edition of it that was sent last.
    detail: Option<(InstanceId, Option<u64>)>,
}

impl Dashboard {
    /// Returns a dashboard that reads nothing until somebody watches.
    pub fn new(store: Arc<dyn Store>, hub: Arc<Hub>, clock: Clock, node: NodeId) -> Arc<Self> {
        Arc::new(Self {
            store,
            hub,
            clock,
            node,
            name: OnceLock::new(),
            details: Details::default(),
            watchers: Mutex::default(),
            next: AtomicU64::new(1),
            wanted: Notify::new(),
            edition: Mutex::default(),
        })
    }

    /// Starts a watch: the listener is woken when there is something to pull.
    pub fn watch(self: &Arc<Self>, listener: Arc<Subscriber>) -> Watching {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // There may be a state already.
        listener.wake();
        lock(&self.watchers).insert(number, listener);
        self.wanted.notify_one();
        Watching {
            dashboard: self.clone(),
            number,
            seen: None,
            detail: None,
        }
    }

    /// Reads while somebody watches, until `stop` is cancelled.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wanted.notified() => {}
            }
            let mut reader = Reader::default();
            self.hub.collect_denials(true);
            let mut tick = interval(Duration::from_millis(READ_EVERY_MS));
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !lock(&self.watchers).is_empty() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    // A new detail does not wait for the next read of all instances.
                    () = self.wanted.notified(), if reader.looks > 0 => {
                        if self.details.is_asked() {
                            self.look_into(&reader).await;
                        }
                        continue;
                    }
                    _ = tick.tick() => {}
                }
                match self.look(&mut reader).await {
                    Ok(()) => {
                        self.look_into(&reader).await;
                        self.publish(&mut reader);
                    }
                    // Watchers see the age of the last state.
                    Err(error) => tracing::debug!(%error, "reading the dashboard failed, retrying"),
                }
            }
            *lock(&self.edition) = None;
            self.details.forget();
            self.hub.collect_denials(false);
        }
    }

    /// Updates the figures from the stores.
    async fn look(&self, reader: &mut Reader) -> Answer<()> {
        let now = (self.clock)();
        if reader.must_list(self.hub.list_changes(), now) {
            let (soon, since) = (now.plus_ms(UPCOMING_MS), now.plus_ms(-ENDED_SHOWN_MS));
            match self.store.listed(soon, since).await {
                Ok(listed) => reader.take_listed(listed, self.hub.list_changes()),
                // Live instances can be shown without MySQL.
                Err(error) if reader.listed.is_empty() => return Err(error),
                Err(error) => tracing::debug!(%error, "reading the schedule failed, retrying"),
            }
        }
        self.count_recorded(reader).await?;
        let mut behind: Vec<InstanceId> = reader.going_on();
        for _ in 0..ROUNDS_MAX {
            if behind.is_empty() {
                break;
            }
            let asked: Vec<(InstanceId, Seq)> =
                behind.iter().map(|id| (*id, reader.upto(*id))).collect();
            let found = self.store.now(&asked).await?;
            behind = reader.take_now(behind, found);
        }
        let coming = reader.coming();
        let waiting = if coming.is_empty() {
            Vec::new()
        } else {
            self.store.waiting(&coming).await?
        };
        reader.take_waiting(&coming, &waiting);
        if reader.looks % READS_PER_SCHEDULE == 1 {
            reader.checks = self.checks().await;
        }
        reader.at = now;
        Ok(())
    }

    /// Updates the instances watched in detail to where the figures are.
    async fn look_into(&self, reader: &Reader) {
        let looker = Looker {
            store: &*self.store,
            hub: &self.hub,
            node: &self.node,
            at: reader.at,
        };
        let counted = |id| reader.counted(id);
        let number = || self.next.fetch_add(1, Ordering::Relaxed);
        match self.details.look(&looker, counted, number).await {
            Ok(true) => self.wake(),
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(%error, "reading the detail of an instance failed, retrying");
            }
        }
    }

    async fn checks(&self) -> Vec<HealthCheck> {
        let of_tasks = Check::of_tasks(&self.hub.metrics().tasks);
        let checks = self.store.checks().await.into_iter().chain([of_tasks]);
        checks
            .map(|one| HealthCheck {
                name: one.name.to_owned(),
                ok: one.ok,
                detail: one.detail,
                latency_ms: one.latency_ms,
            })
            .collect()
    }

    /// Counts the record of instances that were not counted yet.
    async fn count_recorded(&self, reader: &mut Reader) -> Answer<()> {
        for listed in reader.uncounted() {
            let upto = listed.archived;
            let mut figures = Figures::default();
            if upto > Seq::default() {
                let news = self.store.recorded(listed.id, upto).await?;
                figures.count(&listed, upto, news);
            }
            reader.figures.insert(listed.id, figures);
        }
        Ok(())
    }

    /// Publishes what has changed.
    fn publish(&self, reader: &mut Reader) {
        let before = lock(&self.edition).clone();
        let rows = reader.rows();
        let servers = self.servers();
        let head = reader.head(&rows, &servers);
        let checks = reader.checks.clone();
        let changes = before.as_ref().map(|before| DashboardUpdate {
            reset: false,
            totals: (head != before.head).then(|| head.clone()),
            rows: rows
                .values()
                .filter(|row| before.rows.get(&row.instance) != Some(row))
                .cloned()
                .collect(),
            checks: if checks == before.checks {
                Vec::new()
            } else {
                checks.clone()
            },
            servers: if servers == before.servers {
                Vec::new()
            } else {
                servers.clone()
            },
            removed: before
                .rows
                .keys()
                .filter(|id| !rows.contains_key(id))
                .copied()
                .collect(),
        });
        let edition = Edition {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            follows: before.map(|before| before.number),
            head,
            rows,
            checks,
            servers,
            changes: changes.map(lines).unwrap_or_default(),
            all: OnceLock::new(),
        };
        *lock(&self.edition) = Some(Arc::new(edition));
        self.wake();
    }

    fn wake(&self) {
        for listener in lock(&self.watchers).values() {
            listener.wake();
        }
    }
}

impl std::fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dashboard")
            .field("watchers", &lock(&self.watchers).len())
            .finish_non_exhaustive()
    }
}

impl Watching {
    /// Watches this instance in detail, and no other.
    pub fn look_into(&mut self, instance: Option<InstanceId>) -> Result<(), Reject> {
        if self.detail.map(|(id, _)| id) != instance {
            self.dashboard.details.want(self.number, instance)?;
            self.detail = instance.map(|id| (id, None));
            self.dashboard.wanted.notify_one();
            // Another watcher may have it already.
            if let Some(listener) = lock(&self.dashboard.watchers).get(&self.number) {
                listener.wake();
            }
        }
        Ok(())
    }

    /// Returns the lines that the socket has not sent: the changes, or the complete state for a new
    /// watcher or one that is behind.
    pub fn pull(&mut self) -> Vec<Arc<str>> {
        let mut lines = self.pull_rows();
        if let Some((id, seen)) = &mut self.detail
            && let Some(known) = self.dashboard.details.known(*id)
            && let Some((number, news)) = lock(&known).told(*seen)
        {
            *seen = Some(number);
            lines.extend(news);
        }
        lines
    }

    fn pull_rows(&mut self) -> Vec<Arc<str>> {
        let Some(edition) = lock(&self.dashboard.edition).clone() else {
            return Vec::new();
        };
        let seen = self.seen.replace(edition.number);
        match seen {
            Some(seen) if seen == edition.number => Vec::new(),
            Some(seen) if Some(seen) == edition.follows => edition.changes.clone(),
            _ => edition.whole(),
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        lock(&self.dashboard.watchers).remove(&self.number);
        // Watching none is always granted.
        let _ = self.dashboard.details.want(self.number, None);
    }
}

impl Edition {
    fn whole(&self) -> Vec<Arc<str>> {
        let all = self.all.get_or_init(|| {
            lines(DashboardUpdate {
                reset: true,
                totals: Some(self.head.clone()),
                rows: self.rows.values().cloned().collect(),
                checks: self.checks.clone(),
                servers: self.servers.clone(),
                removed: Vec::new(),
            })
        });
        all.clone()
    }
}

/// The state of the reading task.
#[derive(Default)]
struct Reader {
    at: Timestamp,
    listed: HashMap<InstanceId, Listed>,
    figures: HashMap<InstanceId, Figures>,
    /// The hub's count of changes when the schedule was read.
    changes: u64,
    looks: u32,
    checks: Vec<HealthCheck>,
    /// Whether something contradicts the schedule that was read.
    doubts: bool,
    peak: u32,
}

impl Reader {
    fn must_list(&mut self, changes: u64, now: Timestamp) -> bool {
        let is_due = self.looks.is_multiple_of(READS_PER_SCHEDULE);
        self.looks = self.looks.wrapping_add(1);
        let begins = |one: &Listed| one.state == InstanceState::Scheduled && one.from <= now;
        is_due || self.doubts || self.changes != changes || self.listed.values().any(begins)
    }

    fn take_listed(&mut self, listed: Vec<Listed>, changes: u64) {
        self.changes = changes;
        self.doubts = false;
        self.listed = listed.into_iter().map(|one| (one.id, one)).collect();
        self.figures.retain(|id, _| self.listed.contains_key(id));
    }

    /// Instances that were not counted. An ended one is counted once more, to its end.
    fn uncounted(&self) -> Vec<Listed> {
        self.listed
            .values()
            .filter(|one| match (self.figures.get(&one.id), one.state) {
                (None, _) => true,
                (Some(known), InstanceState::Ended) => known.upto < one.archived,
                (Some(_), _) => false,
            })
            .cloned()
            .collect()
    }

    fn going_on(&self) -> Vec<InstanceId> {
        self.listed
            .values()
            .filter(|one| matches!(one.state, InstanceState::Active | InstanceState::Ending))
            .map(|one| one.id)
            .collect()
    }

    fn coming(&self) -> Vec<InstanceId> {
        let listed = self.listed.values();
        listed
            .filter(|one| one.state == InstanceState::Scheduled)
            .map(|one| one.id)
            .collect()
    }

    fn take_waiting(&mut self, coming: &[InstanceId], waiting: &[u32]) {
        for (id, waiting) in coming.iter().zip(waiting) {
            if let Some(figures) = self.figures.get_mut(id) {
                figures.waiting = *waiting;
            }
        }
    }

    /// Up to where an instance is counted.
    fn counted(&self, id: InstanceId) -> Option<Counted> {
        let (listed, figures) = (self.listed.get(&id)?, self.figures.get(&id)?);
        Some(Counted {
            listed: listed.clone(),
            upto: figures.upto,
            generation: figures.generation,
        })
    }

    fn upto(&self, id: InstanceId) -> Seq {
        self.figures.get(&id).map_or(Seq::default(), |one| one.upto)
    }

    /// Returns which of these have more events to count.
    fn take_now(
        &mut self,
        asked: Vec<InstanceId>,
        found: Vec<Option<crate::store::dashboard::Now>>,
    ) -> Vec<InstanceId> {
        let mut behind = Vec::new();
        for (id, now) in asked.into_iter().zip(found) {
            let (Some(listed), Some(figures)) = (self.listed.get(&id), self.figures.get_mut(&id))
            else {
                continue;
            };
            let Some(mut now) = now else {
                // It has just ended, or is about to start.
                self.doubts = true;
                figures.is(None);
                continue;
            };
            let is_another = figures
                .generation
                .is_some_and(|known| known != now.generation);
            let news = now.news.take();
            let (false, Some((upto, news))) = (is_another, news) else {
                // Events counted beyond the record may be void, or the live log starts later: the
                // record is read again.
                self.figures.remove(&id);
                self.doubts = true;
                continue;
            };
            figures.generation = Some(now.generation);
            figures.count(listed, upto, news);
            if upto < now.seq {
                behind.push(id);
            }
            figures.is(Some(now));
        }
        behind
    }

    fn rows(&mut self) -> BTreeMap<InstanceId, DashboardRow> {
        let at = self.at;
        let listed = &self.listed;
        self.figures
            .iter_mut()
            .filter_map(|(id, figures)| Some((*id, figures.row(listed.get(id)?, at))))
            .collect()
    }

    fn head(
        &mut self,
        rows: &BTreeMap<InstanceId, DashboardRow>,
        servers: &[ServerStatus],
    ) -> DashboardTotals {
        let mut head = DashboardTotals {
            now: self.at,
            live: 0,
            upcoming: 0,
            overrun: 0,
            participants: 0,
            peak: 0,
            reconnecting: 0,
            messages_per_minute: 0,
            activity: vec![0; ACTIVITY_MINUTES],
            unarchived: 0,
            connections: 0,
            delivery_p95_ms: None,
            errors: 0,
        };
        for row in rows.values() {
            match row.state {
                InstanceState::Scheduled => head.upcoming += 1,
                InstanceState::Active | InstanceState::Ending => {
                    head.live += 1;
                    head.overrun += u32::from(row.todatetime <= self.at);
                }
                InstanceState::Ended => {}
            }
            head.participants += row.participants;
            head.reconnecting += row.reconnecting;
            head.messages_per_minute += row.messages_per_minute;
            head.unarchived += row.seq.get().saturating_sub(row.durable.get());
            for (sum, one) in head.activity.iter_mut().zip(&row.activity) {
                *sum += one;
            }
        }
        self.peak = self.peak.max(head.participants);
        head.peak = self.peak;
        servers::sum(servers, &mut head);
        head
    }
}

/// Splits an update into lines of bounded size. An empty update has no lines.
fn lines(news: DashboardUpdate) -> Vec<Arc<str>> {
    let DashboardUpdate {
        reset: anew,
        totals: head,
        rows,
        checks,
        servers,
        removed: gone,
    } = news;
    let mut parts: Vec<DashboardUpdate> = rows
        .chunks(ROWS_PER_LINE)
        .map(|rows| DashboardUpdate {
            rows: rows.to_vec(),
            ..DashboardUpdate::default()
        })
        .collect();
    parts.extend(gone.chunks(ROWS_PER_LINE).map(|gone| DashboardUpdate {
        removed: gone.to_vec(),
        ..DashboardUpdate::default()
    }));
    if parts.is_empty() && (anew || head.is_some() || !checks.is_empty() || !servers.is_empty()) {
        parts.push(DashboardUpdate::default());
    }
    if let Some(first) = parts.first_mut() {
        first.reset = anew;
        first.totals = head;
        first.checks = checks;
        first.servers = servers;
    }
    parts
        .into_iter()
        .filter_map(|dashboard| serde_json::to_string(&DashboardLine { dashboard }).ok())
        .map(Arc::from)
        .collect()
}

/// The guarded value is consistent after every statement, so a panic elsewhere does no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
