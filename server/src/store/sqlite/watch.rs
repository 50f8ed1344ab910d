//! Detecting changes by other processes.

use super::feeding::Feeding;
use super::link::WeakLink;
use super::sessions;
use crate::store::Feed;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The interval of the checks for changes, in milliseconds.
const LOOK_MS: u64 = 500;

/// Publishes changes by other processes until the hub closes the feed. Starts again after a panic.
pub(super) async fn supervise(link: WeakLink, feeding: Arc<Feeding>) {
    while AssertUnwindSafe(watch(&link, &feeding))
        .catch_unwind()
        .await
        .is_err()
    {
        tracing::error!("watching the data file panicked, restarting");
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    }
}

async fn watch(link: &WeakLink, feeding: &Feeding) {
    let seen = Arc::new(AtomicI64::new(0));
    let mut look = tokio::time::interval(Duration::from_millis(LOOK_MS));
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        if feeding.is_over() {
            return;
        }
        feeding.confess();
        let Some(link) = link.upgrade() else { return };
        let seen = seen.clone();
        let looked = link
            .write(move |tx| {
                // Changes with every commit of other connections, and not with commits of this one.
                let version: i64 = tx
                    .conn
                    .prepare_cached("PRAGMA data_version")?
                    .query_row([], |row| row.get(0))?;
                if ![0, version].contains(&seen.swap(version, Ordering::Relaxed)) {
                    tx.tell(Feed::Changed);
                    sessions::tell_signed_out(tx)?;
                }
                Ok(())
            })
            .await;
        if let Err(error) = looked {
            tracing::debug!(%error, "what others changed is seen later");
        }
    }
}
