//! The end of a connection: its user's stays end at once if the user quit. Otherwise they are detached,
//! and reaped after the grace period.

use std::collections::BTreeMap;
use std::time::Duration;

use plenary_shared::domain::Reason;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::Departure;
use tokio::time::Instant;

use super::WsState;
use super::socket::Socket;
use crate::ctx::Caller;
use crate::hub::Cursor;
use crate::store::{ConnectionId, Store, Waiting};

/// Pause between two attempts to detach a lost connection, in milliseconds.
const DETACH_RETRY_MS: u64 = 1_000;

/// Time that is added to the grace period, so that it has also passed on the store's clock.
const CLOCK_MARGIN_MS: u64 = 50;

/// Time before the end of the grace period at which the stays of a suspended client end, so that no
/// sweep ends them as those of a lost connection.
const SUSPENDED_MARGIN_MS: i64 = 200;

impl Socket {
    /// Cleans up after the connection. The user's stays end after the grace period, unless another
    /// connection takes them over. `last_seen` is the time of the last sign of life.
    pub(super) async fn clean_up(self, last_seen: Instant) {
        let Self {
            state,
            connection,
            subscriber,
            cursors,
            waits,
            bound,
            caller,
            departure,
            ..
        } = self;
        drop(cursors);
        if let Some(subscriber) = subscriber {
            state.hub.unregister(&subscriber);
        }
        if let Some(caller) = caller {
            stop_waiting(&state, &caller, waits).await;
        }
        let mut instances: Vec<InstanceId> = bound.into_iter().collect();
        if departure == Some(Departure::Quit) {
            release(&*state.ctx.store, &connection, Reason::Left, &mut instances).await;
        }
        let mut attached = instances.clone();
        detach(&*state.ctx.store, &connection, last_seen, &mut attached).await;
        if !instances.is_empty() {
            // One task for each connection that held a stay.
            let tasks = state.tasks.clone();
            let lost = LostConnection {
                connection,
                last_seen,
                is_suspended: departure == Some(Departure::Suspended),
            };
            tasks.spawn(reap_later(state, lost, instances, attached));
        }
    }
}

/// A connection whose stays end after the grace period.
struct LostConnection {
    connection: ConnectionId,
    last_seen: Instant,
    is_suspended: bool,
}

/// Detaches what is still attached, waits for the grace period, and reaps. If the server stops before,
/// the others reap after the end of its lease, or it does after its next start.
async fn reap_later(
    state: WsState,
    lost: LostConnection,
    mut instances: Vec<InstanceId>,
    mut attached: Vec<InstanceId>,
) {
    let LostConnection {
        connection,
        last_seen,
        is_suspended,
    } = lost;
    let store = &*state.ctx.store;
    while !attached.is_empty() {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(DETACH_RETRY_MS)) => {}
            () = state.stop.cancelled() => return,
        }
        detach(store, &connection, last_seen, &mut attached).await;
    }
    let grace_ms = state.ctx.settings.get().reconnect_grace_ms;
    let left_ms = grace_ms - elapsed_ms(last_seen);
    let left = |margin_ms: i64| u64::try_from(left_ms - margin_ms).unwrap_or(0);
    let wait_ms = if is_suspended {
        left(SUSPENDED_MARGIN_MS)
    } else {
        left(0) + CLOCK_MARGIN_MS
    };
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(wait_ms)) => {}
        () = state.stop.cancelled() => return,
    }
    if is_suspended {
        // What cannot be released is reaped as lost by the next sweep.
        return release(store, &connection, Reason::Suspended, &mut instances).await;
    }
    for instance in instances {
        match store.reap(instance, grace_ms).await {
            Ok(reaped) => {
                let reaped = u64::try_from(reaped).unwrap_or(u64::MAX);
                state.ctx.metrics.reaped.inc_by(reaped);
            }
            Err(error) => tracing::warn!(%instance, %error, "reap failed, the next sweep retries"),
        }
    }
}

/// Releases the connection in these instances, until the first error. Leaves the rest in `instances`.
async fn release(
    store: &dyn Store,
    connection: &ConnectionId,
    reason: Reason,
    instances: &mut Vec<InstanceId>,
) {
    while let Some(instance) = instances.last() {
        if let Err(error) = store.release(*instance, connection, reason).await {
            tracing::warn!(%instance, %error, "release failed, the stay ends after the grace period");
            return;
        }
        instances.pop();
    }
}

/// Removes the user from the waiting lists, unless another connection waits. An entry that cannot be
/// removed expires.
async fn stop_waiting(
    state: &WsState,
    caller: &Caller,
    waits: BTreeMap<InstanceId, (Cursor, Waiting)>,
) {
    let (user, store) = (&caller.user, &state.ctx.store);
    for (instance, (cursor, waiting)) in waits {
        drop(cursor);
        if waiting == Waiting::Wait
            && !state.hub.is_waiting(user.id, instance)
            && let Err(error) = store.wait(instance, user, Waiting::Stop).await
        {
            tracing::debug!(%instance, %error, "leaving the waiting list failed, the entry expires");
        }
    }
}

/// Marks the connection as lost in these instances, until the first error. Leaves the rest in
/// `instances`.
async fn detach(
    store: &dyn Store,
    connection: &ConnectionId,
    last_seen: Instant,
    instances: &mut Vec<InstanceId>,
) {
    while let Some(instance) = instances.last() {
        let silent_ms = elapsed_ms(last_seen);
        if let Err(error) = store.detach(*instance, connection, silent_ms).await {
            tracing::warn!(%instance, %error, "detach failed, retrying");
            return;
        }
        instances.pop();
    }
}

fn elapsed_ms(since: Instant) -> i64 {
    i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)
}
