//! The pings of one connection: each has a number, so that a late answer is not taken for that of another.

use std::collections::VecDeque;
use std::time::Duration;

use plenary_shared::protocol::{PING_S, SILENCE_S};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Bytes;

/// Pings without an answer that are remembered. The connection is closed before there are more.
const OUTSTANDING_MAX: usize = (SILENCE_S / PING_S) as usize + 1;

/// The pings that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Pings {
    last: u64,
    /// Number and time, oldest first.
    outstanding: VecDeque<(u64, Instant)>,
}

impl Pings {
    /// Returns the payload of a ping that is sent now.
    pub(super) fn next(&mut self, now: Instant) -> Bytes {
        self.last += 1;
        self.outstanding.push_back((self.last, now));
        if self.outstanding.len() > OUTSTANDING_MAX {
            self.outstanding.pop_front();
        }
        Bytes::copy_from_slice(&self.last.to_be_bytes())
    }

    /// Returns the round trip of the ping with this payload. Forgets it and all earlier pings.
    pub(super) fn answered(&mut self, payload: &[u8], now: Instant) -> Option<Duration> {
        let number = u64::from_be_bytes(payload.try_into().ok()?);
        let found = self.outstanding.iter().position(|(n, _)| *n == number)?;
        let (_, sent) = self.outstanding.drain(..=found).next_back()?;
        Some(now - sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn late_answer_belongs_to_its_own_ping() {
        let start = Instant::now();
        let mut pings = Pings::default();
        let first = pings.next(start);
        let second = pings.next(start + 5 * SECOND);
        let late = pings.answered(&first, start + 6 * SECOND);
        assert_eq!(late, Some(6 * SECOND));
        let soon = pings.answered(&second, start + 6 * SECOND);
        assert_eq!(soon, Some(SECOND));
    }

    #[test]
    fn answer_to_a_lost_ping_is_not_awaited() {
        let start = Instant::now();
        let mut pings = Pings::default();
        let lost = pings.next(start);
        let second = pings.next(start + 5 * SECOND);
        assert!(pings.answered(&second, start + 6 * SECOND).is_some());
        assert_eq!(pings.answered(&lost, start + 7 * SECOND), None);
        assert_eq!(pings.answered(b"invented", start + 7 * SECOND), None);
        assert_eq!(pings.answered(b"", start + 7 * SECOND), None);
    }

    #[test]
    fn unanswered_pings_are_bounded() {
        let mut pings = Pings::default();
        for _ in 0..100 {
            pings.next(Instant::now());
        }
        assert_eq!(pings.outstanding.len(), OUTSTANDING_MAX);
    }
}
