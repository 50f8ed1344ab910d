//! Idle detection: whether the user is idle, and what was last reported to the server.

use plenary_shared::limits::IDLE_AFTER_MS;
use plenary_shared::time::Timestamp;

/// Idle detection. Until the first key press the user counts as active.
#[derive(Clone, Copy, Debug, Default)]
pub struct Idling {
    used_at: Option<Timestamp>,
    told: bool,
}

impl Idling {
    /// Records a key press.
    pub fn used(&mut self, now: Timestamp) {
        self.used_at = Some(now);
    }

    /// Forgets what was reported, since a new connection starts without it.
    pub fn forget(&mut self) {
        self.told = false;
    }

    /// Returns the idle state to report, if it changed.
    pub fn event(&self, now: Timestamp) -> Option<bool> {
        let is_idle = self.idle_at().is_some_and(|at| at <= now);
        (is_idle != self.told).then_some(is_idle)
    }

    /// Records that the state was reported.
    pub fn told(&mut self, idle: bool) {
        self.told = idle;
    }

    /// Returns when the user becomes idle if no key is pressed.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.idle_at().filter(|_| !self.told)
    }

    fn idle_at(&self) -> Option<Timestamp> {
        self.used_at.map(|at| at.plus_ms(IDLE_AFTER_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_each_way() {
        let start = Timestamp::from_ms(1_000_000);
        let mut idling = Idling::default();
        assert_eq!(
            idling.event(start.plus_ms(IDLE_AFTER_MS)),
            None,
            "nothing is known"
        );
        idling.used(start);
        assert_eq!(idling.event(start.plus_ms(IDLE_AFTER_MS - 1)), None);
        let late = start.plus_ms(IDLE_AFTER_MS);
        assert_eq!(
            (idling.due_at(), idling.event(late)),
            (Some(late), Some(true))
        );
        idling.told(true);
        assert_eq!((idling.due_at(), idling.event(late)), (None, None));
        idling.used(late);
        assert_eq!(idling.event(late), Some(false));
        idling.told(false);
        assert_eq!(idling.event(late), None);
        idling.forget();
        assert_eq!(idling.event(late.plus_ms(IDLE_AFTER_MS)), Some(true));
    }
}
