//! Whether the person uses this terminal, and what the server was told of it.

use plenary_shared::limits::IDLE_AFTER_MS;
use plenary_shared::time::Timestamp;

/// See above. Who has pressed nothing since the start is not idle: nothing is known of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Idling {
    used_at: Option<Timestamp>,
    told: bool,
}

impl Idling {
    /// A key was pressed.
    pub fn used(&mut self, now: Timestamp) {
        self.used_at = Some(now);
    }

    /// The connection is another one, which was told nothing.
    pub fn forget(&mut self) {
        self.told = false;
    }

    /// What the server is to be told now: whether the person is idle.
    pub fn news(&self, now: Timestamp) -> Option<bool> {
        let is_idle = self.idle_at().is_some_and(|at| at <= now);
        (is_idle != self.told).then_some(is_idle)
    }

    /// It was told.
    pub fn told(&mut self, idle: bool) {
        self.told = idle;
    }

    /// When there will be something to tell if no key is pressed.
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
            idling.news(start.plus_ms(IDLE_AFTER_MS)),
            None,
            "nothing is known"
        );
        idling.used(start);
        assert_eq!(idling.news(start.plus_ms(IDLE_AFTER_MS - 1)), None);
        let late = start.plus_ms(IDLE_AFTER_MS);
        assert_eq!(
            (idling.due_at(), idling.news(late)),
            (Some(late), Some(true))
        );
        idling.told(true);
        assert_eq!((idling.due_at(), idling.news(late)), (None, None));
        idling.used(late);
        assert_eq!(idling.news(late), Some(false));
        idling.told(false);
        assert_eq!(idling.news(late), None);
        idling.forget();
        assert_eq!(idling.news(late.plus_ms(IDLE_AFTER_MS)), Some(true));
    }
}
