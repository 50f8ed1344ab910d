//! Caching of the last screens after changes, and dropping the cache of another user.

use plenary_shared::protocol::HelloOk;

use super::Step;
use crate::effect::Effect;
use crate::model::meetings::Meetings;

/// Delay between a change and writing the cache: a crash loses no more than this, and a burst
/// causes one write.
const KEPT_AFTER_MS: i64 = 10_000;

impl Step<'_> {
    /// Schedules writing the cache after a message from the server.
    pub(super) fn screens_changed(&mut self) {
        let due = self.model.now.plus_ms(KEPT_AFTER_MS);
        self.model.screens_due.get_or_insert(due);
    }

    /// Writes the cache if the screens changed.
    pub(super) fn keep_screens(&mut self) {
        if self.model.screens_due.take().is_some()
            && self.model.meetings.loaded
            && let Some(cache) = self.model.screens()
        {
            self.out.push(Effect::KeepScreens(Box::new(cache)));
        }
    }

    /// Drops the cached screens if they belong to another user.
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
