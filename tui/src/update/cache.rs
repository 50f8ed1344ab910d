//! Caching of the last screens after changes, and dropping the cache of another user.

use plenary_shared::protocol::HelloOk;

use super::Step;
use crate::effect::Effect;
use crate::model::meetings::Meetings;

/// Delay between a change and writing the cache: a crash loses no more than this, and a burst
/// causes one write.
const CACHE_DELAY_MS: i64 = 10_000;

impl Step<'_> {
    /// Schedules writing the cache after a message from the server.
    pub(super) fn schedule_cache(&mut self) {
        let due = self.model.now.plus_ms(CACHE_DELAY_MS);
        self.model.cache_due.get_or_insert(due);
    }

    /// Writes the cache if the screens changed.
    pub(super) fn save_cache(&mut self) {
        if self.model.cache_due.take().is_some()
            && self.model.meetings.loaded
            && let Some(cache) = self.model.cache()
        {
            self.out.push(Effect::SaveCache(Box::new(cache)));
        }
    }

    /// Drops the cached screens if they belong to another user.
    pub(super) fn drop_cache_of_other_user(&mut self, ok: &HelloOk) {
        if self
            .model
            .session
            .me
            .as_ref()
            .is_none_or(|me| me.id == ok.user)
        {
            return;
        }
        self.model.rooms.retain(|_, room| room.cached_at.is_none());
        if self.model.meetings.cached_at.is_some() {
            self.model.meetings = Meetings::default();
            self.model.shown = None;
        }
    }
}
