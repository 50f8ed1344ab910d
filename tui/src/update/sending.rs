//! Sending: the line that shows at once, its way into the log, and what happens when it fails.

use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::protocol::{Post, Posted, Verb};
use plenary_shared::text::MessageBody;

use super::Step;
use crate::model::Asked;
use crate::model::room::{OUTBOX_MAX, Pending, Room, Sending};
use crate::model::scroll::Scroll;
use crate::theme::Tone;

/// Lines from which on a send asks first.
const LINES_UNASKED_MAX: usize = 5;

impl Step<'_> {
    /// Enter in the input: send, obey a word, or, with nothing written, join or retry.
    pub(super) fn send(&mut self) {
        let text = self
            .model
            .composer()
            .map_or("", |composer| composer.editor.text())
            .to_owned();
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
        self.say(said.trim_end());
    }

    fn say(&mut self, text: &str) {
        let body = match MessageBody::parse(text) {
            Ok(body) => body,
            Err(error) => return self.model.tell(Tone::Bad, format!("not sent: {error}")),
        };
        let (now, spare) = (self.model.now, self.spare);
        let Some(id) = self
            .model
            .room()
            .filter(|room| room.wants_in)
            .map(|room| room.id)
        else {
            return self.not_in(text);
        };
        if text.lines().count() > LINES_UNASKED_MAX
            && self.model.confirming.as_deref() != Some(text)
        {
            let count = text.lines().count();
            self.model
                .tell(Tone::Soon, format!("{count} lines: Enter again sends them"));
            self.model.confirming = Some(text.to_owned());
            return;
        }
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        if room.outbox.len() >= OUTBOX_MAX {
            let why = format!("not sent: {OUTBOX_MAX} messages wait here already");
            return self.model.tell(Tone::Bad, why);
        }
        room.outbox.push(Pending {
            cmid: spare,
            body,
            since: now,
            state: Sending::Waiting { until: None },
            rejoined: false,
        });
        room.scroll = Scroll::Newest;
        room.divider = None;
        self.model.confirming = None;
        self.model.composer_mut().sent();
        self.drafts_changed();
        self.flush(id);
    }

    /// Something is written where one is not in: Enter again joins, and the text stays.
    fn not_in(&mut self, text: &str) {
        let active = self.model.shown.filter(|id| self.model.is_active(*id));
        let Some(id) = active else {
            return self.tell_not_in();
        };
        if self.model.confirming.take().as_deref() == Some(text) {
            return self.enter_meeting(id);
        }
        self.tell_not_in();
        self.model.confirming = Some(text.to_owned());
    }

    fn tell_not_in(&mut self) {
        let shown = self.model.shown;
        let text = match shown {
            None => "no meeting is open: choose one with Ctrl-N or F2".to_owned(),
            Some(id) if self.model.rooms.get(&id).is_some_and(Room::is_closed) => {
                Code::Ended.sentence().to_owned()
            }
            Some(id) if self.model.is_active(id) => {
                "not sent: you are not in this meeting. Enter again joins it".to_owned()
            }
            Some(_) => "not sent: this meeting is not running".to_owned(),
        };
        self.model.tell(Tone::Bad, text);
    }

    fn enter_on_nothing(&mut self) {
        if self
            .model
            .room()
            .is_some_and(|room| room.wants_in && room.failed() > 0)
        {
            return self.retry();
        }
        let Some(id) = self.model.shown else {
            return;
        };
        if self
            .model
            .room()
            .is_none_or(|room| !room.wants_in && !room.is_closed())
        {
            self.enter_meeting(id);
        }
    }

    /// Sends again what was refused.
    pub(super) fn retry(&mut self) {
        let Some(room) = self.model.room_mut().filter(|room| room.failed() > 0) else {
            return self.model.tell(Tone::Plain, "nothing here failed");
        };
        let id = room.id;
        for pending in &mut room.outbox {
            if matches!(pending.state, Sending::Failed { .. }) {
                pending.state = Sending::Waiting { until: None };
                pending.rejoined = false;
            }
        }
        if room.is_closed() {
            room.fail_outbox(Code::Ended.sentence());
            return self.model.tell(Tone::Bad, Code::Ended.sentence());
        }
        if !room.wants_in {
            room.fail_outbox(Code::NotParticipant.sentence());
            return self.model.tell(Tone::Bad, Code::NotParticipant.sentence());
        }
        self.flush(id);
    }

    /// Sends what waits, in order, if the meeting can take it now. One that has to wait holds back
    /// those behind it.
    pub(super) fn flush(&mut self, id: InstanceId) {
        let (me, now) = (self.model.my_id(), self.model.now);
        if !self.is_ready() {
            return;
        }
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        if !room.following || !room.has(me) {
            return;
        }
        let mut due = Vec::new();
        for pending in &mut room.outbox {
            match &pending.state {
                Sending::Waiting {
                    until: Some((time, _)),
                } if *time > now => break,
                Sending::Waiting { .. } => {
                    pending.state = Sending::Sent;
                    due.push((pending.cmid, pending.body.clone()));
                }
                Sending::Sent | Sending::Taken { .. } | Sending::Failed { .. } => {}
            }
        }
        for (cmid, body) in due {
            self.ask(
                Verb::Post(Post {
                    reply_to: None,
                    instance: id,
                    cmid,
                    body,
                }),
                Asked::Post(id, cmid),
            );
        }
    }

    /// It is in the log; its event may have come before, or comes soon.
    pub(super) fn posted(&mut self, id: InstanceId, cmid: Cmid, ok: Posted) {
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        let known = ok.seq <= room.last();
        if known {
            room.outbox.retain(|pending| pending.cmid != cmid);
        } else if let Some(pending) = room.outbox.iter_mut().find(|pending| pending.cmid == cmid) {
            pending.state = Sending::Taken { seq: ok.seq };
        }
    }

    /// It was refused: tried again where that helps by itself, otherwise its line says why.
    pub(super) fn post_refused(&mut self, id: InstanceId, cmid: Cmid, reject: &Reject) {
        let now = self.model.now;
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        let wants_in = room.wants_in;
        let Some(pending) = room.outbox.iter_mut().find(|pending| pending.cmid == cmid) else {
            return;
        };
        match reject.code {
            Code::Unavailable | Code::ArchiveBehind | Code::TooManyRequests => {
                let wait_ms = i64::from(reject.retry_after_s.unwrap_or(1).clamp(1, 60)) * 1_000;
                let until = Some((now.plus_ms(wait_ms), reject.detail.clone()));
                pending.state = Sending::Waiting { until };
            }
            Code::NotParticipant if wants_in && !pending.rejoined => {
                pending.rejoined = true;
                pending.state = Sending::Waiting { until: None };
                self.ask_join(id);
            }
            _ => {
                pending.state = Sending::Failed {
                    why: reject.detail.clone(),
                }
            }
        }
    }

    /// It could not be sent at all.
    pub(super) fn fail_post(&mut self, id: InstanceId, cmid: Cmid, why: &str) {
        let room = self.model.rooms.get_mut(&id);
        let outbox = room.into_iter().flat_map(|room| room.outbox.iter_mut());
        for pending in outbox.filter(|pending| pending.cmid == cmid) {
            pending.state = Sending::Failed {
                why: why.to_owned(),
            };
        }
    }
}
