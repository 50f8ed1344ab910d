//! Idle detection: whether the user is idle, and what was last reported to the server.

use plenary_shared::limits::IDLE_AFTER_MS;
use plenary_shared::time::Timestamp;

/// Idle detection. Until the first key press the user counts as active.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdleState {
    used_at: Option<Timestamp>,
    reported: bool,
}

impl IdleState {
    /// Records a key press.
    pub fn key_pressed(&mut self, now: Timestamp) {
        self.used_at = Some(now);
    }

    /// Forgets what was reported, since a new connection starts without it.
    pub fn forget(&mut self) {
        self.reported = false;
    }

    /// Returns the idle state to report, if it changed.
    pub fn event(&self, now: Timestamp) -> Option<bool> {
        let is_idle = self.idle_at().is_some_and(|at| at <= now);
        (is_idle != self.reported).then_some(is_idle)
    }

    /// Records that the state was reported.
    pub fn reported(&mut self, idle: bool) {
        self.reported = idle;
    }

    /// Returns when the user becomes idle if no key is pressed.
    pub fn idle_from(&self) -> Option<Timestamp> {
        self.idle_at().filter(|_| !self.reported)
    }

    fn idle_at(&self) -> Option<Timestamp> {
        self.used_at.map(|at| at.plus_ms(IDLE_AFTER_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_changes_are_reported_once() {
        let start = Timestamp::from_ms(1_000_000);
        let mut idle = IdleState::default();
        assert_eq!(
            idle.event(start.plus_ms(IDLE_AFTER_MS)),
            None,
            "nothing is known"
        );
        idle.key_pressed(start);
        assert_eq!(idle.event(start.plus_ms(IDLE_AFTER_MS - 1)), None);
        let late = start.plus_ms(IDLE_AFTER_MS);
        assert_eq!(
            (idle.idle_from(), idle.event(late)),
            (Some(late), Some(true))
        );
        idle.reported(true);
        assert_eq!((idle.idle_from(), idle.event(late)), (None, None));
        idle.key_pressed(late);
        assert_eq!(idle.event(late), Some(false));
        idle.reported(false);
        assert_eq!(idle.event(late), None);
        idle.forget();
        assert_eq!(idle.event(late.plus_ms(IDLE_AFTER_MS)), Some(true));
    }
}
