//! Sending: adding entries to the outbox, posting them, and handling rejections.

use std::collections::BTreeSet;

use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::{Cmid, Generation, InstanceId};
use plenary_shared::protocol::{Ack, Delete, Edit, Post, Posted, Verb};
use plenary_shared::text::{MessageBody, TextError, email_key};

use super::Step;
use crate::command::{Command, MeetingsCommand};
use crate::effect::Effect;
use crate::journal::{ComposeTarget, JournalEntry, Owner};
use crate::model::composer::Composer;
use crate::model::layer::selection::body;
use crate::model::outbox::{NextSend, Outbox, OutboxEntry, Rejection};
use crate::model::room::Room;
use crate::model::scroll::Scroll;
use crate::model::{Asked, EnterDoes};
use crate::text;
use crate::theme::Tone;

/// Messages with more lines need a confirmation.
const LINES_UNCONFIRMED_MAX: usize = 5;

/// The shortest wait before a rejected entry is sent again, in milliseconds.
const WAIT_MS_MIN: i64 = 10;

/// The longest such wait, in milliseconds.
const WAIT_MS_MAX: i64 = 60_000;

impl Step<'_> {
    /// Enter in the input: posts, runs a command, or, on an empty input, joins or retries.
    pub(super) fn send(&mut self) {
        let text = self
            .model
            .composer()
            .map_or("", |composer| composer.editor.text())
            .to_owned();
        if self.target().is_change() {
            return self.send_change(&text);
        }
        if text.trim().is_empty() {
            return self.enter_on_nothing();
        }
        if text.starts_with('/') && !text.starts_with("//") && !text.contains('\n') {
            return self.word(&text);
        }
        let said = if text.starts_with("//") {
            &text[1..]
        } else {
            &text
        };
        self.post(said.trim_end());
    }

    /// Sends an edit. Its text is never a command.
    fn send_change(&mut self, text: &str) {
        let target = self.target().message();
        let log = self.model.room().and_then(|room| room.log.as_ref());
        let event = log
            .zip(target)
            .and_then(|(log, target)| log.event(target.seq_in(log)?));
        let is_as_it_was = event.is_some_and(|event| {
            let pending = self.model.outbox.pending_change(event);
            pending.is_none() && body(event) == Some(text.trim_end())
        });
        if text.trim().is_empty() {
            let text = "Message is empty. /delete deletes it, Esc cancels the edit";
            self.model.tell(Tone::Bad, text);
        } else if is_as_it_was {
            self.cancel_target();
        } else {
            self.post(text.trim_end());
        }
    }

    /// Returns what sending the text does.
    fn target(&self) -> ComposeTarget {
        self.model
            .composer()
            .map_or(ComposeTarget::New, Composer::target)
    }

    pub(super) fn post(&mut self, written: &str) {
        let body = match MessageBody::parse(written) {
            Ok(body) => body,
            Err(TextError::TooLong {
                bytes, bytes_max, ..
            }) => {
                let (bytes, max) = (text::number(bytes), text::number(bytes_max));
                let why = format!("Message too long ({bytes} bytes, limit {max})");
                return self.model.tell(Tone::Bad, why);
            }
            Err(error) => return self.model.tell(Tone::Bad, format!("Not sent: {error}")),
        };
        let (now, spare, target) = (self.model.now, self.spare, self.target());
        let Some(id) = self
            .model
            .room()
            .filter(|room| room.wants_to_join)
            .map(|room| room.id)
        else {
            return self.ask_to_join(written);
        };
        if let Some(restricted) = self.model.restricted() {
            return self.model.tell(Tone::Bad, restricted.sentence());
        }
        if written.lines().count() > LINES_UNCONFIRMED_MAX
            && self.model.confirming.as_deref() != Some(written)
        {
            let count = written.lines().count();
            self.model.tell(
                Tone::Soon,
                format!("{count} lines. Press Enter again to send"),
            );
            self.model.confirming = Some(written.to_owned());
            return;
        }
        let line = JournalEntry {
            instance: id,
            cmid: spare,
            body,
            target,
            since: now,
            failed: None,
        };
        if let Err(full) = self.model.outbox.enqueue(line) {
            return self.model.tell(Tone::Bad, format!("Not sent: {full}"));
        }
        self.model.confirming = None;
        if target.is_change() {
            // The message stays in place, and the history keeps its first version.
            self.model.composer_mut().take_sent();
            return self.drafts_changed();
        }
        if let Some(room) = self.model.rooms.get_mut(&id) {
            room.scroll = Scroll::Newest;
            room.divider = None;
            room.marked_unread = false;
        }
        self.clear_sent(Some(id));
    }

    /// Asks to join before posting. Enter again joins, and the text stays.
    fn ask_to_join(&mut self, text: &str) {
        let active = self.model.shown.filter(|id| self.model.is_active(*id));
        let Some(id) = active else {
            return self.explain_not_sent();
        };
        if self.model.confirming.take().as_deref() == Some(text) {
            return self.enter_meeting(id);
        }
        self.explain_not_sent();
        self.model.confirming = Some(text.to_owned());
    }

    fn explain_not_sent(&mut self) {
        let shown = self.model.shown;
        let text = match shown {
            None => {
                let (next, list) = (MeetingsCommand::Next, MeetingsCommand::List);
                let key = |command| self.model.key(Command::Meetings(command));
                let (next, list) = (key(next), key(list));
                format!("No meeting open. Choose one with {next} or {list}")
            }
            Some(id) if self.model.rooms.get(&id).is_some_and(Room::is_closed) => {
                Code::Ended.sentence().to_owned()
            }
            Some(id)
                if self
                    .model
                    .rooms
                    .get(&id)
                    .is_some_and(|room| room.cached_at.is_some()) =>
            {
                "Not sent: still connecting. Press Enter again once connected".to_owned()
            }
            Some(id) if self.model.is_active(id) => {
                "You are not in this meeting. Press Enter again to join".to_owned()
            }
            Some(_) => "Not sent: this meeting is not live".to_owned(),
        };
        self.model.tell(Tone::Bad, text);
    }

    fn enter_on_nothing(&mut self) {
        if self.model.enter_does() == EnterDoes::Retry {
            return self.retry();
        }
        let Some(id) = self.model.shown else {
            return;
        };
        if self
            .model
            .room()
            .is_none_or(|room| !room.wants_to_join && !room.is_closed())
        {
            self.enter_meeting(id);
        }
    }

    /// Retries the rejected entries of the meeting on screen.
    pub(super) fn retry(&mut self) {
        let failed = |id: &InstanceId| self.model.outbox.rejected_count(*id) > 0;
        let Some(id) = self.model.shown.filter(failed) else {
            return self.model.tell(Tone::Plain, "Nothing to retry");
        };
        let room = self.model.rooms.get(&id);
        if room.is_some_and(Room::is_closed) {
            return self.model.tell(Tone::Bad, Code::Ended.sentence());
        }
        if !room.is_some_and(|room| room.wants_to_join) {
            return self.model.tell(Tone::Bad, Code::NotParticipant.sentence());
        }
        self.model.outbox.retry(id);
        self.send_next(id);
    }

    /// Puts the last rejected entry back into the input.
    pub(super) fn recall(&mut self) {
        let recalled = self.model.shown.and_then(|id| self.model.outbox.recall(id));
        match recalled {
            Some(line) => self.restore_entry(line.target, &line.body),
            None => self.model.tell(Tone::Plain, "Nothing to restore"),
        }
    }

    /// Sends the next entry of a meeting if possible.
    pub(super) fn send_next(&mut self, id: InstanceId) {
        let (me, now) = (self.model.my_id(), self.model.now);
        if !self.is_ready() || self.is_asked(&Asked::Open(id)) {
            return;
        }
        let room = self.model.rooms.get(&id);
        let inside = room.is_some_and(|room| room.following && room.has(me));
        if !inside && room.is_some_and(|room| room.wants_to_join) {
            // Joining is pending.
            return;
        }
        let log = room.and_then(|room| room.log.as_ref());
        let generation = log.map_or_else(Generation::default, |log| log.position().generation);
        let due = self.model.outbox.next_send(id, now, generation, inside);
        if let Some(due) = due {
            self.send_entry(id, generation, due);
        }
    }

    /// Sends an entry. Its target may have another seq now, or be lost.
    fn send_entry(&mut self, instance: InstanceId, sent: Generation, due: NextSend) {
        let room = self.model.rooms.get(&instance);
        let log = room.and_then(|room| room.log.as_ref());
        let (cmid, body) = (due.cmid, due.body);
        let outbox = &self.model.outbox;
        let target = due.target.message();
        let seq = target.and_then(|target| outbox.seq_of(target, log));
        let verb = match (due.target, seq) {
            (ComposeTarget::Edit(_), Some(target)) => Verb::Edit(Edit {
                instance,
                target,
                cmid,
                body,
            }),
            (ComposeTarget::Delete(_), Some(target)) => Verb::Delete(Delete {
                instance,
                target,
                cmid,
            }),
            (ComposeTarget::Edit(_) | ComposeTarget::Delete(_), None) => {
                let why = "the server has lost the message".to_owned();
                self.model
                    .outbox
                    .rejected(cmid, sent, Rejection::Final { why });
                return self.send_next(instance);
            }
            // A reply is posted even if the message it replies to is lost.
            (ComposeTarget::New | ComposeTarget::Reply(_), reply_to) => Verb::Post(Post {
                instance,
                cmid,
                body,
                reply_to,
                ack: Ack::Ordered,
            }),
        };
        self.ask(verb, Asked::Post(instance, cmid, sent));
    }

    /// Handles an acknowledgement, which may arrive before or after its event.
    pub(super) fn posted(&mut self, id: InstanceId, cmid: Cmid, sent: Generation, ok: Posted) {
        let log = self.model.rooms.get(&id).and_then(|room| room.log.as_ref());
        let outbox = &mut self.model.outbox;
        match log {
            Some(log) => {
                outbox.acknowledged(cmid, ok.seq, sent, log.position().generation);
                outbox.remove_durable(log);
            }
            // Without a subscription nobody reports when it is durable.
            None => outbox.remove(cmid),
        }
        self.send_next(id);
    }

    /// Handles a rejection: retries a temporary one, otherwise shows the reason at the entry.
    pub(super) fn post_rejected(
        &mut self,
        id: InstanceId,
        cmid: Cmid,
        sent: Generation,
        reject: &Reject,
    ) {
        let why = reject.detail.clone();
        let wait_ms = i64::from(reject.wait_ms().unwrap_or(1_000)).clamp(WAIT_MS_MIN, WAIT_MS_MAX);
        let at = self.model.now.plus_ms(wait_ms);
        let wants_to_join = self
            .model
            .rooms
            .get(&id)
            .is_some_and(|room| room.wants_to_join);
        let refusal = match reject.code {
            // Nothing is wrong: the server accepts the rest a little later.
            Code::RateLimited => Rejection::Later { at, why: None },
            Code::Unavailable
            | Code::ArchiveBehind
            | Code::DiskReserve
            | Code::TooManyRequests
            | Code::NotSignedIn => Rejection::Later { at, why: Some(why) },
            Code::Internal => Rejection::ServerError { at, why },
            Code::NotParticipant if wants_to_join => Rejection::NotParticipant { why },
            _ => Rejection::Final { why },
        };
        let target = |line: &OutboxEntry| (line.cmid == cmid).then_some(line.target);
        let target = self
            .model
            .outbox
            .entries_of(id)
            .find_map(target)
            .unwrap_or_default();
        if let (ComposeTarget::Delete(_), Code::MessageDeleted) = (target, reject.code) {
            // Deleted already, by anyone.
            self.model.outbox.remove(cmid);
            return self.send_next(id);
        }
        if self.model.outbox.rejected(cmid, sent, refusal) {
            self.ask_join(id);
        }
        let failed = self
            .model
            .outbox
            .entries_of(id)
            .any(|l| l.cmid == cmid && l.is_rejected());
        // The edited message may be off the screen.
        if failed && (target.is_change() || self.model.shown != Some(id)) {
            let title = self.title_of(id);
            let failure = match target {
                ComposeTarget::New | ComposeTarget::Reply(_) => "message not sent",
                ComposeTarget::Edit(_) => "edit not saved",
                ComposeTarget::Delete(_) => "message not deleted",
            };
            let text = format!("{title}: {failure}: {}", reject.detail);
            self.model.tell(Tone::Bad, text);
        }
        self.send_next(id);
    }

    /// Sends entries that are on disk now.
    pub(super) fn recorded(&mut self, cmids: &[Cmid]) {
        self.model.outbox.written(cmids);
        let ids: BTreeSet<InstanceId> = self
            .model
            .outbox
            .entries()
            .filter(|line| cmids.contains(&line.cmid))
            .map(|line| line.instance)
            .collect();
        for id in ids {
            self.send_next(id);
        }
    }

    /// Opens the journal of the signed-in user, unless it is open.
    pub(super) fn open_journal(&mut self) {
        let Some(me) = &self.model.session.me else {
            return;
        };
        let owner = Owner {
            server: self.model.session.server.clone(),
            email: email_key(&me.email),
        };
        if self.model.session.outbox_owner.as_ref() != Some(&owner) {
            self.model.outbox = Outbox::default();
            self.model.session.outbox_owner = Some(owner.clone());
            self.out.push(Effect::OpenJournal(owner));
        }
    }

    /// Loads the entries left by an earlier process: shows them at once and sends them when
    /// possible.
    pub(super) fn journal(&mut self, owner: &Owner, lines: Vec<JournalEntry>) {
        if self.model.session.outbox_owner.as_ref() != Some(owner) {
            return;
        }
        for line in &lines {
            // It was sent already, so it is not a draft.
            if !line.target.is_change()
                && let Some(composer) = self.model.inputs.composers.get_mut(&Some(line.instance))
                && composer.editor.text().trim_end() == line.body.as_str()
            {
                composer.take_sent();
                self.drafts_changed();
            }
        }
        let ids: BTreeSet<InstanceId> = lines.iter().map(|line| line.instance).collect();
        self.model.outbox.load(lines);
        for id in ids {
            self.model.shown.get_or_insert(id);
            self.open(id);
            self.send_next(id);
        }
    }
}
