//! Reports jumps of this machine's clock: meetings start by it, and with SQLite they also end by it.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::ctx::Ctx;

/// Time between two comparisons, in milliseconds.
const COMPARE_MS: u64 = 1_000;

/// Differences between the clock and the elapsed time that are not reported, in milliseconds: NTP
/// adjusts a running clock in far smaller steps.
const DIFFERENCE_MS_MAX: i64 = 1_000;

/// Time that reading both clocks may take, in milliseconds. After a longer pause between them, they do
/// not belong together.
const READING_MS_MAX: u128 = 100;

/// Compares the clock with the elapsed time until `stop` is cancelled. Logs and counts the jumps.
pub(super) async fn run(ctx: Ctx, stop: CancellationToken) {
    let mut tick = interval(Duration::from_millis(COMPARE_MS));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = (ctx.now(), Instant::now());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let steady = Instant::now();
        let now = ctx.now();
        if steady.elapsed().as_millis() > READING_MS_MAX {
            continue;
        }
        let elapsed_ms = i64::try_from((steady - last.1).as_millis()).unwrap_or(i64::MAX);
        let ahead_ms = now.ms_since(last.0).saturating_sub(elapsed_ms);
        last = (now, steady);
        if ahead_ms.abs() > DIFFERENCE_MS_MAX {
            tracing::warn!(
                ahead_ms,
                "the clock of this machine has jumped, meetings start and end by it"
            );
            ctx.metrics.clock_jumps.inc();
        }
    }
}
