//! Statistics of the last minute: delivery times and errors.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Time that one slot covers, in milliseconds.
const SLOT_MS: u64 = 10_000;

/// Slots in a minute.
const SLOTS: usize = 6;

/// Upper bounds of the delivery times, in milliseconds. Each is about 1.5 times the one before, which
/// limits the error of a percentile to that factor.
const BOUNDS_MS: [u32; 24] = [
    1, 2, 3, 4, 6, 9, 13, 20, 30, 45, 65, 100, 150, 220, 330, 500, 750, 1_100, 1_700, 2_500, 3_700,
    5_500, 8_000, 12_000,
];

/// The slots of the last minute.
#[derive(Debug, Default)]
pub struct Recent(Mutex<[Slot; SLOTS]>);

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The number of the slot since the server started.
    number: u64,
    deliveries: [u32; BOUNDS_MS.len()],
    errors: u32,
}

impl Recent {
    /// Records a delivery that took `took`. `at` is the uptime of the server.
    pub(super) fn record_delivery(&self, at: Duration, took: Duration) {
        let ms = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        let last = BOUNDS_MS.len() - 1;
        let bound = BOUNDS_MS.partition_point(|bound| *bound < ms).min(last);
        self.in_slot(at, |slot| slot.deliveries[bound] += 1);
    }

    pub(super) fn record_error(&self, at: Duration) {
        self.in_slot(at, |slot| slot.errors += 1);
    }

    /// Returns the 95th percentile of the delivery times in milliseconds, or `None` without deliveries.
    pub(super) fn p95_ms(&self, at: Duration) -> Option<u32> {
        let mut counts = [0_u64; BOUNDS_MS.len()];
        for slot in self.last_minute(at) {
            for (sum, count) in counts.iter_mut().zip(slot.deliveries) {
                *sum += u64::from(count);
            }
        }
        let total: u64 = counts.iter().sum();
        let mut so_far = 0;
        let bound = counts.iter().position(|count| {
            so_far += count;
            total > 0 && so_far * 100 >= total * 95
        });
        bound.map(|bound| BOUNDS_MS[bound])
    }

    /// Returns the number of errors.
    pub(super) fn errors(&self, at: Duration) -> u64 {
        let slots = self.last_minute(at);
        slots.map(|slot| u64::from(slot.errors)).sum()
    }

    fn last_minute(&self, at: Duration) -> impl Iterator<Item = Slot> {
        let oldest = (number(at) + 1).saturating_sub(SLOTS as u64);
        let slots = *self.slots();
        slots.into_iter().filter(move |slot| slot.number >= oldest)
    }

    fn in_slot(&self, at: Duration, change: impl FnOnce(&mut Slot)) {
        let number = number(at);
        let mut slots = self.slots();
        let nth = usize::try_from(number).unwrap_or_default() % SLOTS;
        if slots[nth].number != number {
            slots[nth] = Slot {
                number,
                ..Slot::default()
            };
        }
        change(&mut slots[nth]);
    }

    // Every statement leaves the slots consistent, so a poisoned lock is still usable.
    fn slots(&self) -> MutexGuard<'_, [Slot; SLOTS]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn number(at: Duration) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or(u64::MAX) / SLOT_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn statistics_older_than_a_minute_are_dropped() {
        let recent = Recent::default();
        assert_eq!((recent.p95_ms(s(1)), recent.errors(s(1))), (None, 0));
        recent.record_error(s(1));
        for _ in 0..94 {
            recent.record_delivery(s(2), Duration::from_millis(5));
        }
        for _ in 0..6 {
            recent.record_delivery(s(31), Duration::from_millis(700));
        }
        assert_eq!((recent.p95_ms(s(59)), recent.errors(s(59))), (Some(750), 1));
        assert_eq!((recent.p95_ms(s(60)), recent.errors(s(60))), (Some(750), 0));
        assert_eq!(recent.p95_ms(s(100)), None);
        recent.record_delivery(s(100), Duration::from_mins(1));
        assert_eq!(recent.p95_ms(s(100)), Some(12_000));
        recent.record_delivery(s(200), Duration::ZERO);
        assert_eq!(recent.p95_ms(s(200)), Some(1));
    }
}
