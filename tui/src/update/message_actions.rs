//! Replying to messages, and editing and deleting own ones.

use plenary_shared::domain::{Code, Event, EventKind};
use plenary_shared::text::MessageBody;

use super::Step;
use crate::command::{Command, EditCommand};
use crate::journal::{ComposeTarget, JournalEntry, MessageRef};
use crate::model::layer::selection::Selection;
use crate::theme::Tone;

impl Step<'_> {
    /// Starts a reply to the selected message.
    pub(crate) fn reply_selected(&mut self) {
        if let Some(event) = self.model.selected().cloned() {
            self.close_selection();
            self.reply_to(&event);
        }
    }

    /// Starts to edit the selected message.
    pub(crate) fn edit_selected(&mut self) {
        if let Some(event) = self.model.selected().cloned()
            && self.can_change(&event)
        {
            self.close_selection();
            self.edit_message(&event);
        }
    }

    /// Asks whether to delete the selected message.
    pub(crate) fn ask_to_delete(&mut self) {
        let Some(event) = self.model.selected().cloned() else {
            return;
        };
        if self.can_change(&event)
            && self.can_post()
            && let Some(select) = self.model.layers.get_mut::<Selection>()
        {
            select.deleting = true;
        }
    }

    /// Deletes the selected message.
    pub(crate) fn delete_selected(&mut self) {
        if let Some(event) = self.model.selected().cloned() {
            self.close_selection();
            self.delete_message(&event);
        }
    }

    /// `/reply`: replies to the last message from another user, or from the named one.
    pub(super) fn reply_command(&mut self, name: &str) -> bool {
        let whose = match name {
            "" => None,
            name => match self.person_named(name) {
                Ok((user, _)) => Some(user),
                Err(why) => {
                    self.model.tell(Tone::Bad, why);
                    return false;
                }
            },
        };
        let me = self.model.my_id();
        let found = self.find_last(|event| match whose {
            Some(user) => event.kind.user() == Some(user),
            None => event.kind.user() != me,
        });
        match found {
            Some(event) if self.can_post() => {
                // Remove the command from the input first.
                self.clear_command(self.model.shown);
                self.reply_to(&event);
            }
            Some(_) => {}
            None => self.tell_no_match(),
        }
        false
    }

    /// `/edit`: edits the user's last message.
    pub(super) fn edit_command(&mut self) -> bool {
        match self.my_last() {
            Some(event) if self.can_post() => {
                self.clear_command(self.model.shown);
                self.edit_message(&event);
            }
            Some(_) => {}
            None => self.tell_no_match(),
        }
        false
    }

    /// `/delete`: selects the user's last message and asks whether to delete it.
    pub(super) fn delete_command(&mut self) -> bool {
        let Some(event) = self.my_last() else {
            self.tell_no_match();
            return false;
        };
        if !self.can_post() {
            return false;
        }
        self.select(event.seq);
        self.ask_to_delete();
        true
    }

    /// Cancels a reply, keeping the text, or an edit, restoring the draft.
    pub(super) fn cancel_target(&mut self) {
        let changed = self.model.composer_mut().cancel_target();
        self.save_cancelled_edit(changed);
        self.drafts_changed();
    }

    /// Adds the changed text of a cancelled edit to the kill ring.
    fn save_cancelled_edit(&mut self, changed: Option<String>) {
        if let Some(text) = changed {
            self.model.inputs.kill_ring.push(&text);
            let key = self.model.key(Command::Edit(EditCommand::Yank));
            let text = format!("Edit cancelled; {key} inserts your text");
            self.model.tell(Tone::Plain, text);
        }
    }

    /// Puts a recalled entry back into the input with its target, replacing the draft.
    pub(super) fn restore_entry(&mut self, target: ComposeTarget, body: &MessageBody) {
        let composer = self.model.composer_mut();
        match target {
            // Undo restores the draft.
            ComposeTarget::New => composer.editor.set(body.as_str()),
            ComposeTarget::Reply(target) => {
                composer.reply(target);
                composer.editor.set(body.as_str());
            }
            ComposeTarget::Edit(target) => {
                composer.editor.take();
                composer.edit(target, "");
                composer.editor.set(body.as_str());
            }
            ComposeTarget::Delete(_) => {
                composer.editor.take();
                self.model.tell(Tone::Plain, "Deletion cancelled");
            }
        }
        self.drafts_changed();
    }

    fn reply_to(&mut self, event: &Event) {
        if let Some(target) = MessageRef::of(event).filter(|_| self.can_post()) {
            let changed = self.model.composer_mut().reply(target);
            self.save_cancelled_edit(changed);
        }
    }

    fn edit_message(&mut self, event: &Event) {
        let (Some(target), EventKind::Message { body, .. }) = (MessageRef::of(event), &event.kind)
        else {
            return;
        };
        if self.can_post() {
            // Start from a pending edit of the message, if there is one.
            let pending = self.model.outbox.pending_change(event);
            let text = pending.map_or(body, |line| &line.body).to_string();
            let changed = self.model.composer_mut().edit(target, &text);
            self.save_cancelled_edit(changed);
        }
    }

    fn delete_message(&mut self, event: &Event) {
        let Some(target) = MessageRef::of(event) else {
            return;
        };
        let line = JournalEntry {
            instance: event.instance,
            cmid: self.spare,
            body: MessageBody::deleted(),
            target: ComposeTarget::Delete(target),
            since: self.model.now,
            failed: None,
        };
        if let Err(full) = self.model.outbox.enqueue(line) {
            self.model.tell(Tone::Bad, format!("Not deleted: {full}"));
        }
    }

    /// Returns whether the user may change this message. Otherwise shows why not.
    fn can_change(&mut self, event: &Event) -> bool {
        let code = match &event.kind {
            EventKind::Message { deleted, .. } if deleted.is_some() => Code::MessageDeleted,
            EventKind::Message { user, .. } if Some(*user) == self.model.my_id() => return true,
            _ => Code::NotYours,
        };
        self.model.tell(Tone::Bad, code.sentence());
        false
    }

    /// Returns whether the user may post in the meeting on screen. Otherwise shows why not.
    fn can_post(&mut self) -> bool {
        let room = self.model.room();
        let code = match room {
            Some(room) if room.is_closed() => Code::Ended,
            Some(room) if room.wants_to_join => return true,
            Some(_) | None => Code::NotParticipant,
        };
        self.model.tell(Tone::Bad, code.sentence());
        false
    }

    fn my_last(&self) -> Option<Event> {
        let me = self.model.my_id();
        self.find_last(|event| event.kind.user() == me)
    }

    /// Returns the last known message that matches and is not deleted.
    fn find_last(&self, is: impl Fn(&Event) -> bool) -> Option<Event> {
        let log = self.model.room().and_then(|room| room.log.as_ref())?;
        let is_there = |event: &&Event| match &event.kind {
            EventKind::Message { deleted, .. } => deleted.is_none() && is(event),
            _ => false,
        };
        log.events().rev().find(is_there).cloned()
    }

    fn tell_no_match(&mut self) {
        let text = "No matching message; load older ones with PgUp";
        self.model.tell(Tone::Plain, text);
    }
}
