//! The clock: expiring notices, ending meetings, and retries.

use std::collections::BTreeSet;

use plenary_shared::domain::Instance;
use plenary_shared::protocol::{Idle, Verb};
use plenary_shared::time::Timestamp;

use super::Step;
use crate::clock::minutes_left;
use crate::model::Asked;
use crate::theme::Tone;

/// Remaining minutes at which participants are warned.
const WARNING_MINUTES: [i64; 3] = [10, 5, 1];

impl Step<'_> {
    /// Handles the passing of time from `before` to `model.now`.
    pub(super) fn tick(&mut self, before: Timestamp) {
        let now = self.model.now;
        let passed = |time: Timestamp| time > before && time <= now;
        if self
            .model
            .notice
            .as_ref()
            .is_some_and(|notice| notice.until <= now)
        {
            self.model.notice = None;
        }
        if self
            .model
            .quitting
            .confirm_until
            .is_some_and(|until| until <= now)
        {
            self.model.quitting.confirm_until = None;
        }
        if self.model.inputs.drafts_due.is_some_and(|due| due <= now) {
            self.save_drafts();
        }
        if self.model.cache_due.is_some_and(|due| due <= now) {
            self.save_cache();
        }
        if self.model.quitting.forced_at.is_some_and(|at| at <= now) {
            self.model.quitting.forced_at = None;
            self.quit_now();
        }
        let due = |i: &Instance| passed(i.fromdatetime) || passed(i.todatetime);
        if self.model.meetings.iter().any(due) {
            self.ask_meetings();
        }
        for room in self.model.rooms.values_mut() {
            room.typing.retain(|_, until| *until > now);
        }
        self.report_idle();
        self.warn();
        self.retry_opening();
        self.send_delayed();
    }

    /// Reports to the server whether the user is idle.
    fn report_idle(&mut self) {
        let event = self.model.idle.event(self.model.now);
        if let Some(idle) = event.filter(|_| self.model.reports_idle())
            && self.ask(Verb::Idle(Idle { idle }), Asked::Idle)
        {
            self.model.idle.reported(idle);
        }
    }

    /// Warns once at each of these minutes before a joined meeting ends.
    fn warn(&mut self) {
        let now = self.model.now;
        let joined: Vec<_> = self
            .model
            .rooms
            .values()
            .filter(|room| room.wants_to_join && !room.is_closed())
            .map(|room| room.id)
            .collect();
        for id in joined {
            let Some(end) = self.model.instance(id).map(|instance| instance.todatetime) else {
                continue;
            };
            let left = minutes_left(now, end);
            let due = WARNING_MINUTES.into_iter().filter(|at| left <= *at).min();
            let title = self.title_of(id);
            let Some(room) = self.model.rooms.get_mut(&id) else {
                continue;
            };
            let told = room.warned_minutes;
            match due {
                Some(at) if at < told && now < end => {
                    room.warned_minutes = at;
                    let tone = if at <= 1 { Tone::Bad } else { Tone::Soon };
                    let mark = self.model.theme.glyphs.warning;
                    let left = match left {
                        0 => "less than a minute".to_owned(),
                        1 => "1 minute".to_owned(),
                        left => format!("{left} minutes"),
                    };
                    self.model
                        .tell(tone, format!("{mark} {title} ends in {left}"));
                }
                // An extended meeting warns again.
                None => room.warned_minutes = i64::MAX,
                Some(_) => {}
            }
        }
    }

    /// Opens rooms again whose last attempt failed temporarily.
    fn retry_opening(&mut self) {
        let now = self.model.now;
        let mut due = Vec::new();
        for room in self.model.rooms.values_mut() {
            if room.retry_at.take_if(|at| *at <= now).is_some() {
                due.push(room.id);
            }
        }
        for id in due {
            self.ask_open(id);
        }
    }

    fn send_delayed(&mut self) {
        let now = self.model.now;
        let due = self.model.outbox.retry_times().filter(|(_, at)| *at <= now);
        let ids: BTreeSet<_> = due.map(|(id, _)| id).collect();
        for id in ids {
            self.send_next(id);
        }
    }
}
