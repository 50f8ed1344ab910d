//! The last screens: kept when they have changed, and forgotten when they are somebody else's.

use plenary_shared::protocol::HelloOk;

use super::Step;
use crate::effect::Effect;
use crate::model::meetings::Meetings;

/// What changes is on disk so long after: a crash loses no more of it, a flood does not write it more
/// often.
const KEPT_AFTER_MS: i64 = 10_000;

impl Step<'_> {
    /// The server said something: what is on the screens may be something else by it.
    pub(super) fn screens_changed(&mut self) {
        let due = self.model.now.plus_ms(KEPT_AFTER_MS);
        self.model.screens_due.get_or_insert(due);
    }

    /// Keeps the last screens, if they have changed since they were kept.
    pub(super) fn keep_screens(&mut self) {
        if self.model.screens_due.take().is_some()
            && self.model.meetings.loaded
            && let Some(cache) = self.model.screens()
        {
            self.out.push(Effect::KeepScreens(Box::new(cache)));
        }
    }

    /// Whoever has another number by now has not seen what was kept.
    pub(super) fn forget_kept_of_others(&mut self, ok: &HelloOk) {
        if self.model.me.as_ref().is_none_or(|me| me.id == ok.user) {
            return;
        }
        self.model.rooms.retain(|_, room| room.kept_at.is_none());
        if self.model.meetings.kept_at.is_some() {
            self.model.meetings = Meetings::default();
            self.model.shown = None;
        }
    }
}
