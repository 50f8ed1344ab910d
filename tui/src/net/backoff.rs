//! How long to wait before the next try.

use std::time::Duration;

/// The wait before the second try.
const FIRST_MS: u64 = 250;

/// No wait is longer.
const LONGEST_MS: u64 = 10_000;

/// The wait before try `attempt`: none before try 0, then up to 0.25 s, 0.5 s, 1 s … 10 s.
///
/// `random` in 0..1 takes up to half of it off, so that many who lost the same server do not come
/// back in step.
pub fn wait_before(attempt: u32, random: f64) -> Duration {
    let Some(doublings) = attempt.checked_sub(1) else {
        return Duration::ZERO;
    };
    let longest_ms = 2_u64
        .checked_pow(doublings)
        .and_then(|factor| factor.checked_mul(FIRST_MS))
        .map_or(LONGEST_MS, |ms| ms.min(LONGEST_MS));
    Duration::from_millis(longest_ms).mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 0.0, 0)]
    #[case(0, 0.9, 0)]
    #[case(1, 0.0, 250)]
    #[case(1, 1.0, 125)]
    #[case(2, 0.0, 500)]
    #[case(3, 0.5, 750)]
    #[case(4, 0.0, 2_000)]
    #[case(6, 0.0, 8_000)]
    #[case(7, 0.0, 10_000)]
    #[case(7, 1.0, 5_000)]
    #[case(64, 0.0, 10_000)]
    #[case(65, 0.0, 10_000)]
    #[case(u32::MAX, 0.0, 10_000)]
    fn waits(#[case] attempt: u32, #[case] random: f64, #[case] expected_ms: u64) {
        assert_eq!(
            wait_before(attempt, random),
            Duration::from_millis(expected_ms)
        );
    }
}
