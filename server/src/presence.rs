//! This server's lease, and the clean-up after servers whose lease has expired.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::ctx::Ctx;
use crate::store::NodeId;

/// How long a server counts as alive after its last renewal. Its users leave one grace period after
/// that, so the lease is the smaller part of the delay.
const LEASE_MS: i64 = 6_000;

/// Time between two renewals: two may fail.
const RENEW_MS: u64 = 2_000;

/// Time between two looks for connections of dead servers. Their users are shown as left this much
/// after the grace period.
const REAP_MS: u64 = 2_000;

/// Time between two sweeps, which resume what a crash left unfinished and take over what other
/// programs wrote to the durable store.
const SWEEP_MS: u64 = 10_000;

/// The result of the last renewal.
#[derive(Debug)]
pub struct Lease {
    /// The live servers.
    pub nodes: watch::Sender<Vec<NodeId>>,
    /// Whether the last renewal succeeded.
    pub is_held: watch::Sender<bool>,
}

/// Takes the lease. If Redis is unavailable, the first renewal takes it.
pub async fn begin(ctx: &Ctx, node: &NodeId) {
    if let Err(error) = ctx.store.renew_lease(node, LEASE_MS).await {
        tracing::warn!(%error, "taking the lease failed, retrying");
    }
}

/// Renews the lease until `stop` is cancelled. It waits for nothing else, so the lease of a server that
/// is alive expires only if Redis does not answer.
pub async fn renew(ctx: Ctx, node: NodeId, lease: &Lease, stop: CancellationToken) {
    let mut renew = every(RENEW_MS);
    let mut away_since: Option<Instant> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = renew.tick() => {}
        }
        match ctx.store.renew_lease(&node, LEASE_MS).await {
            Ok(live) => {
                if let Some(since) = away_since.take() {
                    tracing::info!(away_ms = elapsed_ms(since), "Redis is back");
                }
                lease.nodes.send_replace(live);
                lease
                    .is_held
                    .send_if_modified(|held| !std::mem::replace(held, true));
            }
            Err(error) => {
                if away_since.is_none() {
                    tracing::error!(%error, "renewing the lease failed, Redis is unavailable");
                    away_since = Some(Instant::now());
                }
                lease
                    .is_held
                    .send_if_modified(|held| std::mem::replace(held, false));
            }
        }
    }
    if let Err(error) = ctx.store.renew_lease(&node, 0).await {
        tracing::warn!(%error, "releasing the lease failed, it will expire");
    }
}

/// Reaps lost connections and sweeps until `stop` is cancelled, while this server holds its lease and is
/// the first of the live servers.
pub async fn clean_up(
    ctx: Ctx,
    node: NodeId,
    nodes: watch::Receiver<Vec<NodeId>>,
    mut is_held: watch::Receiver<bool>,
    stop: CancellationToken,
) {
    let mut reap = every(REAP_MS);
    let mut sweep = every(SWEEP_MS);
    loop {
        let is_due = *is_held.borrow_and_update() && is_first(&node, &nodes.borrow());
        tokio::select! {
            () = stop.cancelled() => return,
            Ok(()) = is_held.changed() => {
                // Redis may have lost data.
                if *is_held.borrow() {
                    sweep.reset_immediately();
                }
            }
            _ = reap.tick() => if is_due {
                // This server renews first, so that after a stall it does not take its own users
                // for lost.
                let reaped = match ctx.store.renew_lease(&node, LEASE_MS).await {
                    Ok(_) => {
                        let grace_ms = ctx.settings.get().reconnect_grace_ms;
                        ctx.store.reap_all(grace_ms).await
                    }
                    Err(error) => Err(error),
                };
                match reaped {
                    Ok(reaped) => count(&ctx, reaped),
                    Err(error) => tracing::warn!(%error, "reaping lost connections failed, retrying"),
                }
            },
            _ = sweep.tick() => if is_due
                && let Err(error) = ctx.store.sweep().await
            {
                tracing::warn!(%error, "sweep failed, retrying");
            },
        }
    }
}

/// Whether this server does the work that one server should do. Saves work; not needed for
/// correctness.
fn is_first(node: &NodeId, nodes: &[NodeId]) -> bool {
    nodes.iter().min().is_none_or(|first| first >= node)
}

/// Counts stays whose grace period has passed.
fn count(ctx: &Ctx, reaped: usize) {
    let reaped = u64::try_from(reaped).unwrap_or(u64::MAX);
    ctx.metrics.reaped.inc_by(reaped);
}

fn every(ms: u64) -> tokio::time::Interval {
    let mut interval = interval(Duration::from_millis(ms));
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
