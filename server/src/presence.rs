//! This server's lease, and what is done for servers that let theirs go.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::ctx::Ctx;
use crate::store::NodeId;

/// How long a server is believed to live without a word of it. Its people leave a grace after its
/// last word, so this is the smaller part of that.
const LEASE_MS: i64 = 6_000;

/// Between two renewals: two may fail.
const RENEW_MS: u64 = 2_000;

/// Between two looks at what dead servers left: so long after the grace they are shown as left.
const REAP_MS: u64 = 2_000;

/// Between two sweeps: what a crash left half done, and what others wrote into what lasts, is
/// taken up so long after.
const SWEEP_MS: u64 = 10_000;

/// Takes the lease; should the live store be away, the first renewal takes it.
pub async fn begin(ctx: &Ctx, node: &NodeId) {
    if let Err(error) = ctx.store.renew_lease(node, LEASE_MS).await {
        tracing::warn!(%error, "the lease is taken later");
    }
}

/// Runs until told to stop; tells `nodes` which servers live.
pub async fn run(
    ctx: Ctx,
    node: NodeId,
    nodes: &watch::Sender<Vec<NodeId>>,
    grace_ms: i64,
    stop: CancellationToken,
) {
    let mut renew = every(RENEW_MS);
    let mut reap = every(REAP_MS);
    let mut sweep = every(SWEEP_MS);
    let mut away_since: Option<Instant> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = renew.tick() => match ctx.store.renew_lease(&node, LEASE_MS).await {
                Ok(live) => {
                    if let Some(since) = away_since.take() {
                        tracing::info!(away_ms = elapsed_ms(since), "the live store is back");
                        sweep.reset_immediately();
                    }
                    nodes.send_replace(live);
                }
                Err(error) => {
                    if away_since.is_none() {
                        tracing::error!(%error, "the live store is away");
                        away_since = Some(Instant::now());
                    }
                }
            },
            _ = reap.tick(), if away_since.is_none() && is_first(&node, &nodes.borrow()) => {
                // This server first: having stood still, it must not take its own for dead.
                let reaped = match ctx.store.renew_lease(&node, LEASE_MS).await {
                    Ok(_) => ctx.store.reap_all(grace_ms).await,
                    Err(error) => Err(error),
                };
                match reaped {
                    Ok(reaped) => count(&ctx, reaped),
                    Err(error) => tracing::warn!(%error, "lost connections are reaped later"),
                }
            }
            _ = sweep.tick(), if away_since.is_none() && is_first(&node, &nodes.borrow()) => {
                if let Err(error) = ctx.store.sweep().await {
                    tracing::warn!(%error, "swept later");
                }
            }
        }
    }
    if let Err(error) = ctx.store.renew_lease(&node, 0).await {
        tracing::warn!(%error, "the lease runs out by itself");
    }
}

/// Whether this server does what one of all should do. For economy, not for safety.
fn is_first(node: &NodeId, nodes: &[NodeId]) -> bool {
    nodes.iter().min().is_none_or(|first| first >= node)
}

/// Lost connections whose grace was over.
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
