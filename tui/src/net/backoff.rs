//! The wait before each connection attempt.

use std::time::Duration;

/// The longest wait before the second attempt.
const FIRST_MS: u64 = 250;

/// The longest wait before any attempt.
const WAIT_MS_MAX: u64 = 10_000;

/// Returns the wait before attempt `attempt`: none before attempt 0, then up to 0.25 s, 0.5 s,
/// 1 s … 10 s.
///
/// `random` in 0..1 shortens the wait by up to one half, so that clients that lost the same server do
/// not reconnect at the same moment.
pub fn wait_before(attempt: u32, random: f64) -> Duration {
    let Some(doublings) = attempt.checked_sub(1) else {
        return Duration::ZERO;
    };
    let longest_ms = 2_u64
        .saturating_pow(doublings)
        .saturating_mul(FIRST_MS)
        .min(WAIT_MS_MAX);
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
    fn wait_doubles_up_to_the_limit(
        #[case] attempt: u32,
        #[case] random: f64,
        #[case] expected_ms: u64,
    ) {
        assert_eq!(
            wait_before(attempt, random),
            Duration::from_millis(expected_ms)
        );
    }
}
