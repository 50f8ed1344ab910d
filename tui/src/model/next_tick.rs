//! The next time at which the screen changes without input: the clock, a countdown, an expiring
//! notice.

use plenary_shared::domain::Presence;
use plenary_shared::time::Timestamp;

use crate::model::layer::dashboard::{Dashboard, STALE_MS};
use crate::model::layer::sign_in::SignIn;
use crate::model::meetings::UPCOMING_MS;
use crate::model::outbox::OutboxEntry;
use crate::model::{Link, Model};

/// Minimum interval between two reports of a read position.
pub const READ_REPORT_MS: i64 = 1_000;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;

impl Model {
    /// Returns the next time, by the server's clock, at which something on the screen changes.
    pub fn next_tick_at(&self) -> Timestamp {
        let mut next = self.zone.next_minute(self.now);
        let mut at = |time: Timestamp| {
            if time > self.now {
                next = next.min(time);
            }
        };
        if self.shows_seconds() {
            let now_ms = self.now.as_ms();
            at(self.now.plus_ms(SECOND_MS - now_ms.rem_euclid(SECOND_MS)));
        }
        let dashboard = self.layers.get::<Dashboard>();
        if let Some(head) = dashboard.and_then(|dashboard| dashboard.live.head.as_ref()) {
            at(head.now.plus_ms(STALE_MS + 1));
        }
        if self.reports_idle() {
            self.idle.idle_from().into_iter().for_each(&mut at);
        }
        let times = [
            self.notice.as_ref().map(|notice| notice.until),
            self.quitting.confirm_until,
            self.inputs.drafts_due,
            self.cache_due,
            self.quitting.forced_at,
        ];
        times.into_iter().flatten().for_each(&mut at);
        for instance in self.meetings.iter() {
            at(instance.fromdatetime.plus_ms(-UPCOMING_MS));
            at(instance.fromdatetime.plus_ms(-MINUTE_MS));
            at(instance.fromdatetime);
            at(instance.todatetime);
        }
        if let Some(instance) = self.shown.and_then(|id| self.instance(id)) {
            let starts_ms = instance.fromdatetime.ms_since(self.now);
            if (1..=MINUTE_MS).contains(&starts_ms) {
                // The last minute counts down in seconds.
                at(self.now.plus_ms((starts_ms - 1) % SECOND_MS + 1));
            }
            let left_ms = instance.todatetime.ms_since(self.now);
            // The whole minutes are rounded down.
            at(self.now.plus_ms(left_ms.rem_euclid(MINUTE_MS) + 1));
        }
        for room in self.rooms.values() {
            let reported = room.read_reported_at.filter(|_| room.read_unreported);
            if let Some(time) = reported {
                at(time.plus_ms(READ_REPORT_MS));
            }
            room.retry_at.into_iter().for_each(&mut at);
        }
        if let Some(room) = self.room() {
            room.typing.values().copied().for_each(&mut at);
            let idle = room.presence.values();
            for (_, since) in idle.filter(|(presence, _)| *presence == Presence::Idle) {
                at(self
                    .now
                    .plus_ms(since.ms_since(self.now).rem_euclid(MINUTE_MS)));
            }
        }
        self.outbox.retry_times().for_each(|(_, time)| at(time));
        self.waiting.retry_at().for_each(&mut at);
        next
    }

    /// Returns whether the screen counts seconds: until a retry, a sign-in or an acknowledgement.
    fn shows_seconds(&self) -> bool {
        let counts_down = match &self.connection.link {
            Link::Lost { retry_at, .. } => retry_at.is_some(),
            Link::Connecting { .. } | Link::Greeting | Link::Off | Link::Ready => false,
        };
        let form = self.layers.get::<SignIn>();
        let signing_in = form.is_some_and(|form| form.since.is_some());
        let is_sending = self.shown.is_some_and(|id| {
            let mut entries = self.outbox.entries_of(id);
            entries.any(OutboxEntry::is_unacknowledged)
        });
        counts_down || signing_in || is_sending
    }
}
