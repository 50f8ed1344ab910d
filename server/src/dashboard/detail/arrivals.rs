//! The histogram of joins: a fixed number of steps, which get longer with time.

use plenary_shared::limits::ARRIVAL_STEPS_MAX;
use plenary_shared::protocol::Arrivals;
use plenary_shared::time::Timestamp;

/// The first length of a step, in milliseconds.
const FIRST_STEP_MS: i64 = 60_000;

/// Adds a join. One before the first step counts into the first.
pub(super) fn add(curve: &mut Arrivals, at: Timestamp) {
    if curve.counts.is_empty() {
        curve.start = Timestamp::from_ms(at.as_ms().div_euclid(FIRST_STEP_MS) * FIRST_STEP_MS);
        curve.step_ms = FIRST_STEP_MS;
    }
    let step = loop {
        let step = at.ms_since(curve.start).max(0) / curve.step_ms;
        match usize::try_from(step) {
            Ok(step) if step < ARRIVAL_STEPS_MAX => break step,
            _ => widen(curve),
        }
    };
    if curve.counts.len() <= step {
        curve.counts.resize(step + 1, 0);
    }
    curve.counts[step] += 1;
}

/// Merges pairs of steps.
fn widen(curve: &mut Arrivals) {
    curve.step_ms *= 2;
    curve.counts = curve.counts.chunks(2).map(|two| two.iter().sum()).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_has_no_more_steps_than_a_short_one_and_loses_nobody() {
        let mut curve = Arrivals::default();
        for minute in 0..500 {
            add(&mut curve, Timestamp::from_ms(3_000 + minute * 60_000));
            assert!(curve.counts.len() <= ARRIVAL_STEPS_MAX);
            let sum: u32 = curve.counts.iter().sum();
            assert_eq!(i64::from(sum), minute + 1);
        }
        assert_eq!(
            (curve.start, curve.step_ms),
            (Timestamp::from_ms(0), 32 * 60_000)
        );
        assert_eq!(curve.counts[0], 32);
    }
}
