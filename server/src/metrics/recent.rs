//! What happened within the last minute: how long deliveries took, and what went wrong.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a slot collects, in milliseconds.
const SLOT_MS: u64 = 10_000;

/// Slots of a minute.
const SLOTS: usize = 6;

/// Upper bounds of how long something took, in milliseconds; each at most half again as long as the one
/// before, so that what is told is at most so much too long.
const BOUNDS_MS: [u32; 24] = [
    1, 2, 3, 4, 6, 9, 13, 20, 30, 45, 65, 100, 150, 220, 330, 500, 750, 1_100, 1_700, 2_500, 3_700,
    5_500, 8_000, 12_000,
];

/// What happened within the last minute.
#[derive(Debug, Default)]
pub struct Recent(Mutex<[Slot; SLOTS]>);

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Which slot of all time it is.
    number: u64,
    took: [u32; BOUNDS_MS.len()],
    errors: u32,
}

impl Recent {
    /// Something was delivered, and took so long. `at`: since when the server runs.
    pub(super) fn delivered(&self, at: Duration, took: Duration) {
        let ms = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        let last = BOUNDS_MS.len() - 1;
        let bound = BOUNDS_MS.partition_point(|bound| *bound < ms).min(last);
        self.in_slot(at, |slot| slot.took[bound] += 1);
    }

    /// Something went wrong.
    pub(super) fn failed(&self, at: Duration) {
        self.in_slot(at, |slot| slot.errors += 1);
    }

    /// 95 of 100 deliveries took no longer, in milliseconds; `None`: there were none.
    pub(super) fn p95_ms(&self, at: Duration) -> Option<u32> {
        let mut took = [0_u64; BOUNDS_MS.len()];
        for slot in self.live(at) {
            for (sum, one) in took.iter_mut().zip(slot.took) {
                *sum += u64::from(one);
            }
        }
        let all: u64 = took.iter().sum();
        let mut upto = 0;
        let bound = took.iter().position(|one| {
            upto += one;
            all > 0 && upto * 100 >= all * 95
        });
        bound.map(|bound| BOUNDS_MS[bound])
    }

    /// How much went wrong.
    pub(super) fn errors(&self, at: Duration) -> u64 {
        self.live(at).map(|slot| u64::from(slot.errors)).sum()
    }

    fn live(&self, at: Duration) -> impl Iterator<Item = Slot> {
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

    /// Each change is whole before it is let go.
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
    fn what_is_older_than_a_minute_is_forgotten() {
        let recent = Recent::default();
        assert_eq!((recent.p95_ms(s(1)), recent.errors(s(1))), (None, 0));
        recent.failed(s(1));
        for _ in 0..94 {
            recent.delivered(s(2), Duration::from_millis(5));
        }
        for _ in 0..6 {
            recent.delivered(s(31), Duration::from_millis(700));
        }
        assert_eq!((recent.p95_ms(s(59)), recent.errors(s(59))), (Some(750), 1));
        assert_eq!((recent.p95_ms(s(60)), recent.errors(s(60))), (Some(750), 0));
        assert_eq!(recent.p95_ms(s(100)), None);
        recent.delivered(s(100), Duration::from_mins(1));
        assert_eq!(recent.p95_ms(s(100)), Some(12_000));
        recent.delivered(s(200), Duration::ZERO);
        assert_eq!(recent.p95_ms(s(200)), Some(1));
    }
}
