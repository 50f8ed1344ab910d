//! Notifications for messages while the user looks elsewhere, and their settings.

use plenary_shared::domain::{Event, EventKind};
use plenary_shared::ids::InstanceId;

use super::Step;
use crate::effect::Effect;
use crate::notify_level::NotifyLevel;
use crate::text;
use crate::theme::Tone;

/// Minimum interval between two notifications. A burst of messages causes one.
const PAUSE_MS: i64 = 2_000;

/// Columns of a message in a notification.
const TEXT_CELLS: usize = 160;

impl Step<'_> {
    /// Collects a notification for a message from another user.
    pub(super) fn collect_notification(&mut self, id: InstanceId, event: &Event, is_mention: bool) {
        let EventKind::Message { user, body, .. } = &event.kind else {
            return;
        };
        let model = &*self.model;
        let notify_levels = model
            .notifications
            .levels
            .get(&id.meeting)
            .copied()
            .unwrap_or_default();
        // Terminals without focus reports count as focused.
        let is_looking = if model.terminal.reports_focus {
            model.terminal.focused
        } else {
            model.is_viewing_end(id)
        };
        let Some(room) = model.rooms.get(&id).filter(|room| room.wants_to_join) else {
            return;
        };
        if Some(*user) == model.my_id()
            || is_looking
            || model.notifications.dnd
            || !notify_levels.notifies(is_mention)
        {
            return;
        }
        let name = room
            .log
            .as_ref()
            .map(|log| text::one_line(&log.name(*user)));
        let title = format!("{} in {}", name.unwrap_or_default(), self.title_of(id));
        let body_text = text::fit(&text::one_line(body.as_str()), TEXT_CELLS, "...");
        self.notifications.push((title, body_text));
    }

    /// Sends one notification for the messages of this update.
    pub(super) fn send_notification(&mut self) {
        let pending = std::mem::take(&mut self.notifications);
        let now = self.model.now;
        let Some((title, text)) = pending.last().cloned() else {
            return;
        };
        let recent = |at| now.ms_since(at) < PAUSE_MS;
        if self.model.notifications.last_at.is_some_and(recent) {
            return;
        }
        self.model.notifications.last_at = Some(now);
        let text = match pending.len() {
            1 => text,
            count => format!("{text} (and {} more)", count - 1),
        };
        self.out.push(Effect::Notify { title, text });
    }

    /// `/notify`: shows or sets the notification level of the meeting on screen.
    pub(super) fn notify(&mut self, argument: &str) -> bool {
        let Some(id) = self.model.shown else {
            self.model.tell(Tone::Bad, "No meeting open");
            return false;
        };
        if argument.is_empty() {
            let level = self.model.notifications.levels.get(&id.meeting).copied();
            let level = level.unwrap_or_default().describe();
            let text = format!("{level}. Change with /notify all, mentions or none");
            self.model.tell(Tone::Plain, text);
            return true;
        }
        let Ok(notify_levels) = argument.parse::<NotifyLevel>() else {
            let text = "Usage: /notify all, /notify mentions or /notify none";
            self.model.tell(Tone::Bad, text);
            return false;
        };
        self.set_loudness(id, notify_levels);
        true
    }

    /// `/mute`: mutes or unmutes notifications of the meeting on screen.
    pub(super) fn mute(&mut self) -> bool {
        let Some(id) = self.model.shown else {
            self.model.tell(Tone::Bad, "No meeting open");
            return false;
        };
        let silent = self.model.notifications.levels.get(&id.meeting) == Some(&NotifyLevel::Off);
        let notify_levels = if silent {
            NotifyLevel::default()
        } else {
            NotifyLevel::Off
        };
        self.set_loudness(id, notify_levels);
        true
    }

    /// `/dnd`: turns do not disturb on or off.
    pub(super) fn toggle_dnd(&mut self) {
        self.model.notifications.dnd = !self.model.notifications.dnd;
        let text = if self.model.notifications.dnd {
            "Do not disturb on"
        } else {
            "Do not disturb off"
        };
        self.model.tell(Tone::Plain, text);
    }

    fn set_loudness(&mut self, id: InstanceId, notify_levels: NotifyLevel) {
        self.model
            .notifications
            .levels
            .insert(id.meeting, notify_levels);
        self.model.tell(Tone::Plain, notify_levels.describe());
        let mut kept: Vec<_> = self
            .model
            .notifications
            .levels
            .iter()
            .map(|(id, l)| (*id, *l))
            .collect();
        kept.sort_by_key(|(id, _)| *id);
        self.out.push(Effect::SaveNotifyLevels(kept));
    }
}
