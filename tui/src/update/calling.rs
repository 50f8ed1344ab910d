//! Notifications for messages while the user looks elsewhere, and their settings.

use plenary_shared::domain::{Event, What};
use plenary_shared::ids::InstanceId;

use super::Step;
use crate::effect::Effect;
use crate::model::loudness::Loudness;
use crate::text;
use crate::theme::Tone;

/// Minimum interval between two notifications. A burst of messages causes one.
const PAUSE_MS: i64 = 2_000;

/// Columns of a message in a notification.
const TEXT_CELLS: usize = 160;

impl Step<'_> {
    /// Collects a notification for a message from another user.
    pub(super) fn note_call(&mut self, id: InstanceId, event: &Event, is_meant: bool) {
        let What::Message { user, body, .. } = &event.what else {
            return;
        };
        let model = &*self.model;
        let loudness = model.loudness.get(&id.meeting).copied().unwrap_or_default();
        // Terminals without focus reports count as focused.
        let looks = if model.focus_told {
            model.focused
        } else {
            model.looks_at(id)
        };
        let Some(room) = model.rooms.get(&id).filter(|room| room.wants_in) else {
            return;
        };
        if Some(*user) == model.my_id() || looks || model.dnd || !loudness.calls(is_meant) {
            return;
        }
        let name = room
            .log
            .as_ref()
            .map(|log| text::one_line(&log.name(*user)));
        let title = format!("{} in {}", name.unwrap_or_default(), self.title_of(id));
        let said = text::fit(&text::one_line(body.as_str()), TEXT_CELLS, "...");
        self.calls.push((title, said));
    }

    /// Sends one notification for the messages of this update.
    pub(super) fn call(&mut self) {
        let calls = std::mem::take(&mut self.calls);
        let now = self.model.now;
        let Some((title, text)) = calls.last().cloned() else {
            return;
        };
        let recent = |at| now.ms_since(at) < PAUSE_MS;
        if self.model.called_at.is_some_and(recent) {
            return;
        }
        self.model.called_at = Some(now);
        let text = match calls.len() {
            1 => text,
            count => format!("{text} (and {} more)", count - 1),
        };
        self.out.push(Effect::Call { title, text });
    }

    /// `/notify`: shows or sets the notification level of the meeting on screen.
    pub(super) fn notify(&mut self, argument: &str) -> bool {
        let Some(id) = self.model.shown else {
            self.model.tell(Tone::Bad, "No meeting open");
            return false;
        };
        if argument.is_empty() {
            let level = self.model.loudness.get(&id.meeting).copied();
            let level = level.unwrap_or_default().describe();
            let text = format!("{level}. Change with /notify all, mentions or none");
            self.model.tell(Tone::Plain, text);
            return true;
        }
        let Ok(loudness) = argument.parse::<Loudness>() else {
            let text = "Usage: /notify all, /notify mentions or /notify none";
            self.model.tell(Tone::Bad, text);
            return false;
        };
        self.set_loudness(id, loudness);
        true
    }

    /// `/mute`: mutes or unmutes notifications of the meeting on screen.
    pub(super) fn mute(&mut self) -> bool {
        let Some(id) = self.model.shown else {
            self.model.tell(Tone::Bad, "No meeting open");
            return false;
        };
        let silent = self.model.loudness.get(&id.meeting) == Some(&Loudness::Silent);
        let loudness = if silent {
            Loudness::default()
        } else {
            Loudness::Silent
        };
        self.set_loudness(id, loudness);
        true
    }

    /// `/dnd`: turns do not disturb on or off.
    pub(super) fn toggle_dnd(&mut self) {
        self.model.dnd = !self.model.dnd;
        let text = if self.model.dnd {
            "Do not disturb on"
        } else {
            "Do not disturb off"
        };
        self.model.tell(Tone::Plain, text);
    }

    fn set_loudness(&mut self, id: InstanceId, loudness: Loudness) {
        self.model.loudness.insert(id.meeting, loudness);
        self.model.tell(Tone::Plain, loudness.describe());
        let mut kept: Vec<_> = self
            .model
            .loudness
            .iter()
            .map(|(id, l)| (*id, *l))
            .collect();
        kept.sort_by_key(|(id, _)| *id);
        self.out.push(Effect::KeepLoudness(kept));
    }
}
