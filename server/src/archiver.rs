//! The archiver copies new events continuously, so that an end has little left to do and a crash
//! little to lose.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use plenary_shared::ids::InstanceId;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::ctx::Ctx;
use crate::metrics::Stage;
use crate::store::NodeId;

/// How long new events may gather before one transaction.
const GATHER_MS: u64 = 100;

/// Time between two looks at all live instances, for events that this server did not see.
const LOOK_MS: u64 = 1_000;

/// Pause after a failure.
const RETRY_MS: u64 = 500;

/// Instances in one call.
const INSTANCES_MAX: usize = 100;

/// Runs until `stop` is cancelled, and archives the rest once more. `fresh` names instances with
/// new events; `nodes` are the live servers.
pub async fn run(
    ctx: Ctx,
    node: NodeId,
    nodes: watch::Receiver<Vec<NodeId>>,
    fresh: &mut mpsc::Receiver<InstanceId>,
    stop: CancellationToken,
) {
    let mut waiting: BTreeSet<InstanceId> = BTreeSet::new();
    let mut due: Option<Instant> = None;
    let mut look = interval(Duration::from_millis(LOOK_MS));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(id) = fresh.recv() => {
                if is_mine(id, &node, &nodes.borrow()) {
                    waiting.insert(id);
                }
            }
            _ = look.tick() => match ctx.store.archive_lag().await {
                Ok(lagging) => {
                    let nodes = nodes.borrow();
                    waiting.extend(lagging.into_iter().filter(|id| is_mine(*id, &node, &nodes)));
                }
                Err(error) => tracing::debug!(%error, "reading the archive lag failed"),
            },
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                due = None;
                let some: Vec<InstanceId> = waiting.iter().take(INSTANCES_MAX).copied().collect();
                for id in &some {
                    waiting.remove(id);
                }
                let began = Instant::now();
                match ctx.store.archive(&some).await {
                    Ok(more) => {
                        ctx.metrics.observe_stage(Stage::Archive, began.elapsed());
                        failing = false;
                        if !more.is_empty() {
                            due = Some(Instant::now());
                        }
                        waiting.extend(more);
                    }
                    Err(error) => {
                        waiting.extend(some);
                        due = Some(Instant::now() + Duration::from_millis(RETRY_MS));
                        if !std::mem::replace(&mut failing, true) {
                            tracing::error!(%error, "archiving failed, retrying");
                        }
                    }
                }
            }
        }
        if due.is_none() && !waiting.is_empty() {
            due = Some(Instant::now() + Duration::from_millis(GATHER_MS));
        }
    }
    flush(&ctx, waiting).await;
}

/// Archives once at shutdown. If it fails, another server or the next start does it.
async fn flush(ctx: &Ctx, mut waiting: BTreeSet<InstanceId>) {
    waiting.extend(ctx.store.archive_lag().await.unwrap_or_default());
    while !waiting.is_empty() {
        let some: Vec<InstanceId> = waiting.into_iter().collect();
        match ctx.store.archive(&some).await {
            Ok(more) => waiting = more.into_iter().collect(),
            Err(error) => {
                tracing::warn!(%error, "archiving at shutdown failed");
                return;
            }
        }
    }
}

/// Whether this server archives an instance: rendezvous hashing over the live servers, so that each
/// instance has one. Saves work; not needed for correctness.
fn is_mine(id: InstanceId, node: &NodeId, nodes: &[NodeId]) -> bool {
    let weight = |node: &NodeId| {
        let mut hasher = DefaultHasher::new();
        (id, node).hash(&mut hasher);
        hasher.finish()
    };
    let mine = weight(node);
    nodes
        .iter()
        .all(|other| other == node || weight(other) < mine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instance_has_one_archiver() {
        let nodes: Vec<NodeId> = ["a", "b", "c"].map(|n| NodeId(n.to_owned())).to_vec();
        for n in 0..50 {
            let id: InstanceId = format!("{n}/1").parse().expect("an instance");
            let owners = nodes
                .iter()
                .filter(|node| is_mine(id, node, &nodes))
                .count();
            assert_eq!(owners, 1, "{id}");
        }
        let id: InstanceId = "1/1".parse().expect("an instance");
        assert!(is_mine(id, &nodes[0], &[]), "alone, before the first lease");
    }
}
