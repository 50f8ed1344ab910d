//! Puts the parts together: the store, the services' context, the doors, the tasks, and their end.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context;
use plenary_shared::domain::{Code, Reject};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::board::Board;
use crate::clock::Clock;
use crate::config::Settings;
use crate::ctx::{Ctx, Randomness};
use crate::error::Error;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::store::diagnostic::Diagnostic;
use crate::store::instrument::Instrument;
use crate::store::moving::check_arrived;
use crate::store::mysql::MysqlStore;
use crate::store::redis::RedisStore;
use crate::store::redis_mysql::RedisMysqlStore;
use crate::store::sqlite::{OpenError, Purpose, SqliteStore};
use crate::store::{NodeId, Store};
use crate::{archiver, doors, http, presence, reading, scheduler, ws};

mod backup;
mod figures;
mod moving;

pub use backup::{Copied, backup};
pub use moving::{Moved, move_home};

/// Instances with new events that may wait for the archiver's attention; it looks by itself too.
const FRESH_MAX: usize = 4_096;

/// How long a stopping server waits for its sockets and requests.
const DRAIN_S: u64 = 8;

/// For who runs no script.
const NO_NONCE: &str = "";

/// Opens the stores that the settings name, for one command beside the server, and brings the
/// tables up to date.
pub async fn open_store(settings: &Settings, clock: Clock) -> anyhow::Result<Arc<dyn Store>> {
    open_store_for(Purpose::Command, settings, clock, &Arc::default()).await
}

async fn open_store_for(
    purpose: Purpose,
    settings: &Settings,
    clock: Clock,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Arc<dyn Store>> {
    let instrument = |store| Instrument::metered(metrics.clone(), store);
    if settings.is_embedded() {
        let directory = settings.data_directory()?;
        if purpose == Purpose::Serve {
            tracing::info!(directory = %directory.display(), "everything is kept in one file");
        }
        return match SqliteStore::open_paced(directory, clock, purpose, instrument("file")) {
            Ok(store) => Ok(store),
            Err(moved @ (OpenError::Moved { .. } | OpenError::Moving { .. })) => {
                Err(Error::from(Reject::new(Code::Invalid, moved.to_string())).into())
            }
            Err(other) => Err(other.into()),
        };
    }
    // Half a setting is told before anything is asked.
    let redis = settings.redis_url()?;
    let mysql = open_mysql(settings)?.instrumented(instrument("mysql"));
    mysql.migrate().await?;
    check_arrived(&mysql).await?;
    let nonce = mysql.nonce().await?;
    let live = RedisStore::instrumented(redis, &nonce, instrument("redis"))?;
    Ok(RedisMysqlStore::new(live, mysql, clock))
}

/// Brings the database's tables up to date; one line for each step.
pub async fn migrate(settings: &Settings, clock: &Clock) -> anyhow::Result<Vec<String>> {
    if settings.is_embedded() {
        return Ok(SqliteStore::migrate(settings.data_directory()?, clock())?);
    }
    Ok(open_mysql(settings)?.migrate().await?)
}

/// Looks at the stores that the settings name, for an operator. Changes nothing.
pub async fn examine(settings: &Settings, clock: &Clock) -> anyhow::Result<Vec<Diagnostic>> {
    if settings.is_embedded() {
        return Ok(SqliteStore::examine(settings.data_directory()?));
    }
    let live = RedisStore::connect(settings.redis_url()?, NO_NONCE)?;
    let mysql = open_mysql(settings)?;
    let (of_live, of_ledger) = tokio::join!(live.examine(&**clock), mysql.examine(&**clock));
    Ok([of_live, of_ledger].concat())
}

fn open_mysql(settings: &Settings) -> anyhow::Result<MysqlStore> {
    Ok(MysqlStore::connect(settings.mysql_url()?)?)
}

/// Lets the data file be served again that was moved away. Does nothing to one that was not.
pub fn take_back(settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    let directory = settings.data_directory()?;
    if SqliteStore::take_back(directory, clock())? {
        tracing::warn!(
            directory = %directory.display(),
            "taken back: what was said in the new home since is not here"
        );
    }
    Ok(())
}

/// Serves until told to stop by SIGTERM or SIGINT.
pub async fn serve(settings: Settings, clock: Clock, randomness: Randomness) -> anyhow::Result<()> {
    let metrics = Arc::<Metrics>::default();
    let store = open_store_for(Purpose::Serve, &settings, clock.clone(), &metrics).await?;
    let mut ctx = Ctx::new(store.clone(), clock, randomness, settings.session_ttl_s);
    ctx.metrics = metrics.clone();
    let stop = CancellationToken::new();
    let node = new_node(&ctx);
    stop_on_signals(stop.clone())?;

    let (fresh, to_archive) = mpsc::channel(FRESH_MAX);
    let hub = Hub::new(store.clone(), fresh, ctx.clock.clone(), metrics.clone());
    let feed = store.feed().await?;
    // What Redis has forgotten is built anew before anybody asks for it. Should a store be away now,
    // the first verb or the next sweep does it.
    if let Err(error) = store.sweep().await {
        tracing::warn!(%error, "swept later");
    }
    // Before anybody is in by this server, so that others see its death however soon it comes.
    presence::begin(&ctx, &node).await;
    let changed = Arc::new(Notify::new());
    let (nodes, nodes_seen) = watch::channel(Vec::new());

    // The doors close first; then the sockets; the archiver and the lease go last.
    let (sockets, background) = (TaskTracker::new(), TaskTracker::new());
    let last = CancellationToken::new();
    background.spawn(hub.clone().run(feed, changed.clone(), last.clone()));
    background.spawn(scheduler::run(ctx.clone(), changed, stop.clone()));
    background.spawn(presence::run(
        ctx.clone(),
        node.clone(),
        nodes,
        settings.detach_grace_ms,
        last.clone(),
    ));
    background.spawn(archiver::run(
        ctx.clone(),
        node.clone(),
        nodes_seen,
        to_archive,
        last.clone(),
    ));

    background.spawn(reading::run(
        ctx.reading.clone(),
        store.clone(),
        last.clone(),
    ));

    let board = Board::new(store.clone(), hub.clone(), ctx.clock.clone(), node.clone());
    background.spawn(board.clone().run(last.clone()));
    background.spawn(board.clone().tell(last.clone()));

    let http_state = http::HttpState { ctx: ctx.clone() };
    if let Some(at) = settings.metrics_bind {
        let figures = figures::Figures {
            metrics: metrics.clone(),
            store,
            hub: hub.clone(),
        };
        figures::tell(at, figures, settings.head_timeout, &stop, &background)?;
    }
    let ws_state = ws::WsState {
        ctx,
        hub,
        board: board.clone(),
        node,
        detach_grace_ms: settings.detach_grace_ms,
        stop: stop.clone(),
        tasks: sockets.clone(),
        next_number: Arc::new(AtomicU64::new(1)),
    };
    let routes = http::router_with(ws::router(ws_state), http_state);
    let routes = figures::counted(routes, metrics);
    let listener = doors::listen(settings.bind)
        .with_context(|| format!("cannot listen on {}", settings.bind))?;
    let bound = listener.local_addr()?;
    board.listens(bound);
    // The one line on standard output: whoever started this waits for it.
    println!("plenary-server listening on http://{bound}");
    tracing::info!(%bound, "listening");

    let doors = doors::serve(listener, routes, settings.head_timeout, stop.clone());
    let doors = tokio::spawn(doors);
    stop.cancelled().await;
    tracing::info!("stopping");
    sockets.close();
    let drained = async {
        sockets.wait().await;
        doors.await
    };
    if let Ok(done) = tokio::time::timeout(Duration::from_secs(DRAIN_S), drained).await {
        done?;
    } else {
        tracing::warn!("some connections did not end in time");
    }
    last.cancel();
    background.close();
    if tokio::time::timeout(Duration::from_secs(DRAIN_S), background.wait())
        .await
        .is_err()
    {
        tracing::warn!("some work is left to the next server");
    }
    tracing::info!("stopped");
    Ok(())
}

/// A name that no server had before.
fn new_node(ctx: &Ctx) -> NodeId {
    let mut bytes = [0; 16];
    (ctx.randomness)(&mut bytes);
    NodeId(uuid::Uuid::from_bytes(bytes).simple().to_string())
}

fn stop_on_signals(stop: CancellationToken) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}
