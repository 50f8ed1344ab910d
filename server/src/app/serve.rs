//! The running server: starts its tasks and listeners, and stops them in order.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context;
use futures_util::FutureExt;
use plenary_shared::ids::InstanceId;
use tokio::net::TcpSocket;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::{CurrentSettings, Settings};
use crate::ctx::{Ctx, Randomness};
use crate::dashboard::Dashboard;
use crate::hub::Hub;
use crate::listener::ConnectionLimits;
use crate::metrics::Metrics;
use crate::store::sqlite::Purpose;
use crate::store::{Feed, NodeId};
use crate::tasks::{Shutdown, Tasks};
use crate::{archiver, http, listener, presence, read_positions, scheduler, telemetry, ws};

use super::metrics_endpoint::{self, MetricsEndpoint};
use super::signals::{Hangup, Request, Signals};
use super::{clock_watch, descriptors, open_store_for};

/// Instances with new events that are queued for the archiver. When the queue is full, the archiver
/// finds them in its own scan.
const NEW_EVENTS_MAX: usize = 4_096;

/// Time that a stopping server waits for its connections, and then again for its background tasks,
/// in seconds.
const DRAIN_S: u64 = 8;

/// Serves until SIGTERM or SIGINT. Fails if a background task fails. At SIGHUP, `read_settings` reads
/// the settings again.
pub async fn serve(
    settings: Settings,
    read_settings: &dyn Fn() -> anyhow::Result<Settings>,
    clock: Clock,
    randomness: Randomness,
) -> anyhow::Result<()> {
    let hangup = Hangup::catch()?;
    // A port that is taken is found before anything is changed.
    let addresses = Addresses::reserve(&settings)?;
    let mut metrics = Metrics::default();
    metrics.register_dropped_lines(telemetry::dropped_lines().clone());
    let metrics = Arc::new(metrics);
    let store = open_store_for(Purpose::Serve, &settings, clock.clone(), &metrics).await?;
    let current = CurrentSettings::new(settings.reloadable());
    let mut ctx = Ctx::new(store.clone(), clock, randomness, current.clone());
    ctx.metrics = metrics.clone();
    ctx.profiles = settings.profiles;
    ctx.request_limiter = settings.limits.post.map(|_| Arc::default());
    let shutdown = Shutdown::default();
    let mut signals = Signals::catch(hangup)?;

    let node = new_node(&ctx);
    let (new_events, to_archive) = mpsc::channel(NEW_EVENTS_MAX);
    let hub = Hub::new(
        store.clone(),
        new_events,
        ctx.clock.clone(),
        metrics.clone(),
    );
    let dashboard = Dashboard::new(store.clone(), hub.clone(), ctx.clock.clone(), node.clone());
    let feed = store.feed().await?;
    // Rebuilds what Redis has lost before the first request. If a store is unavailable, the first
    // request or the next sweep does it.
    if let Err(error) = store.sweep().await {
        tracing::warn!(%error, "first sweep failed, retrying in the background");
    }
    // Taken before the first user joins, so that the other servers notice a crash of this one.
    presence::begin(&ctx, &node).await;

    let parts = Parts {
        ctx,
        node,
        hub,
        dashboard,
        schedule_changed: Arc::new(Notify::new()),
    };
    let background = start_background(parts.clone(), feed, to_archive, &shutdown);
    let sockets = TaskTracker::new();
    let front = start_front(parts, addresses, &settings, &sockets, &shutdown)?;

    let requested = shutdown.token();
    let mut running = settings;
    loop {
        tokio::select! {
            () = requested.cancelled() => break,
            request = signals.next() => match request {
                Request::Stop => shutdown.request(),
                Request::Reload => reload(&mut running, &current, read_settings),
            },
        }
    }
    stop(front, &sockets, background).await;
    Ok(shutdown.result()?)
}

/// The reserved addresses.
struct Addresses {
    main: TcpSocket,
    metrics: Option<TcpSocket>,
}

impl Addresses {
    fn reserve(settings: &Settings) -> anyhow::Result<Self> {
        let main = listener::reserve(settings.bind)
            .with_context(|| format!("cannot listen on {}", settings.bind))?;
        let metrics = match settings.metrics_bind {
            Some(address) => Some(
                listener::reserve(address)
                    .with_context(|| format!("cannot serve metrics on {address}"))?,
            ),
            None => None,
        };
        Ok(Self { main, metrics })
    }
}

/// Reads the settings again and takes over what can change while the server runs. Invalid settings
/// change nothing.
fn reload(
    running: &mut Settings,
    current: &CurrentSettings,
    read_settings: &dyn Fn() -> anyhow::Result<Settings>,
) {
    let taken_over = read_settings().and_then(|read| {
        telemetry::reload(telemetry::filter(&read.log)?)?;
        Ok(read)
    });
    match taken_over {
        Ok(read) => {
            current.set(read.reloadable());
            let needs_restart = read.needs_restart(running).join(", ");
            if !needs_restart.is_empty() {
                tracing::warn!(needs_restart, "changed settings need a restart");
            }
            running.log.clone_from(&read.log);
            tracing::info!(log = read.log, settings = ?current.get(), "settings reloaded");
        }
        Err(error) => {
            let error = format!("{error:#}");
            tracing::error!(
                error,
                "settings not reloaded, the current ones stay in force"
            );
        }
    }
}

/// What the tasks work on.
#[derive(Clone)]
struct Parts {
    ctx: Ctx,
    node: NodeId,
    hub: Arc<Hub>,
    dashboard: Arc<Dashboard>,
    schedule_changed: Arc<Notify>,
}

/// Starts the tasks that run until the last connection has ended.
fn start_background(
    parts: Parts,
    feed: mpsc::Receiver<Feed>,
    to_archive: mpsc::Receiver<InstanceId>,
    shutdown: &Shutdown,
) -> Tasks {
    let Parts {
        ctx,
        node,
        hub,
        dashboard,
        schedule_changed,
    } = parts;
    let states = ctx.metrics.tasks.clone();
    let mut tasks = Tasks::new(CancellationToken::new(), shutdown.clone(), states);
    tasks.start("hub", feed, move |feed, stop| {
        let hub = hub.clone();
        hub.run(feed, schedule_changed.clone(), stop).boxed()
    });
    let (nodes, live_nodes) = watch::channel(Vec::new());
    let (is_held, held) = watch::channel(true);
    let lease = presence::Lease { nodes, is_held };
    let (lease_ctx, lease_node) = (ctx.clone(), node.clone());
    tasks.start("lease", lease, move |lease, stop| {
        presence::renew(lease_ctx.clone(), lease_node.clone(), lease, stop).boxed()
    });
    let (presence_ctx, presence_node, nodes) = (ctx.clone(), node.clone(), live_nodes.clone());
    tasks.start("presence", (), move |(), stop| {
        let (ctx, node) = (presence_ctx.clone(), presence_node.clone());
        presence::clean_up(ctx, node, nodes.clone(), held.clone(), stop).boxed()
    });
    let clock_ctx = ctx.clone();
    tasks.start("clock", (), move |(), stop| {
        clock_watch::run(clock_ctx.clone(), stop).boxed()
    });
    let archiver_ctx = ctx.clone();
    tasks.start("archiver", to_archive, move |to_archive, stop| {
        let (ctx, node, nodes) = (archiver_ctx.clone(), node.clone(), live_nodes.clone());
        archiver::run(ctx, node, nodes, to_archive, stop).boxed()
    });
    tasks.start("read positions", (), move |(), stop| {
        read_positions::run(ctx.read_positions.clone(), ctx.store.clone(), stop).boxed()
    });
    let reader = dashboard.clone();
    tasks.start("dashboard", (), move |(), stop| {
        reader.clone().run(stop).boxed()
    });
    tasks.start("server status", (), move |(), stop| {
        dashboard.clone().tell(stop).boxed()
    });
    tasks
}

/// Starts the tasks that stop first: the listeners and the scheduler. Prints the address.
fn start_front(
    parts: Parts,
    addresses: Addresses,
    settings: &Settings,
    sockets: &TaskTracker,
    shutdown: &Shutdown,
) -> anyhow::Result<Tasks> {
    let Parts {
        ctx,
        node,
        hub,
        dashboard,
        schedule_changed,
    } = parts;
    let metrics = ctx.metrics.clone();
    let mut tasks = Tasks::new(shutdown.token(), shutdown.clone(), metrics.tasks.clone());
    if let Some(reserved) = addresses.metrics {
        let endpoint = MetricsEndpoint {
            metrics: metrics.clone(),
            store: ctx.store.clone(),
            hub: hub.clone(),
        };
        metrics_endpoint::start(reserved, endpoint, settings.head_timeout, &mut tasks)?;
    }
    let ws_state = ws::WsState {
        ctx: ctx.clone(),
        hub,
        dashboard: dashboard.clone(),
        node,
        stop: shutdown.token(),
        tasks: sockets.clone(),
        next_number: Arc::new(AtomicU64::new(1)),
    };
    let http_state = http::HttpState {
        ctx: ctx.clone(),
        allowed_origins: settings.allow_origin.clone().into(),
    };
    let routes = http::router_with(ws::router(ws_state), http_state);
    let routes = metrics_endpoint::count_responses(routes, metrics);
    let limits = ConnectionLimits::for_descriptors(descriptors::raise_limit());
    tracing::info!(
        connections = limits.total,
        strangers = limits.strangers,
        strangers_per_address = limits.strangers_per_network,
        "limits on connections"
    );
    let options = listener::Options {
        proxies: settings.trusted_proxies.clone(),
        proxy_protocol: settings.proxy_protocol,
        ..listener::Options::new(settings.head_timeout, limits)
    };
    let socket = listener::listen(addresses.main)
        .with_context(|| format!("cannot listen on {}", settings.bind))?;
    let bound = socket.local_addr()?;
    dashboard.listens(bound);
    let serving = listener::serve(socket, routes, options, shutdown.token());
    tasks.start_once("http", serving);
    tasks.start("scheduler", (), move |(), stop| {
        scheduler::run(ctx.clone(), schedule_changed.clone(), stop).boxed()
    });
    // The only line on standard output. Programs that start the server wait for it.
    tracing::info!(%bound, "listening");
    if let Err(error) = writeln!(io::stdout(), "plenary-server listening on http://{bound}") {
        tracing::warn!(%error, "standard output cannot be written, serving without it");
    }
    Ok(tasks)
}

/// Stops accepting requests, then closes the connections, and ends the background tasks last.
async fn stop(front: Tasks, sockets: &TaskTracker, background: Tasks) {
    tracing::info!("stopping");
    let deadline = Instant::now() + Duration::from_secs(DRAIN_S);
    sockets.close();
    front.stop(deadline).await;
    if timeout_at(deadline, sockets.wait()).await.is_err() {
        tracing::warn!(open = sockets.len(), "connections did not end in time");
    }
    let deadline = Instant::now() + Duration::from_secs(DRAIN_S);
    background.stop(deadline).await;
    tracing::info!("stopped");
}

/// Returns a node id that no server has had before.
fn new_node(ctx: &Ctx) -> NodeId {
    let mut bytes = [0; 16];
    (ctx.randomness)(&mut bytes);
    NodeId(uuid::Uuid::from_bytes(bytes).simple().to_string())
}
