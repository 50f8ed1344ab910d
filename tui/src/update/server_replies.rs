//! Dispatch of replies to the handlers of their requests.

use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{
    EventsOk, HelloOk, JoinTimesOk, MeetingsOk, MessagesOk, OpenOk, Outcome, ParticipantsOk,
    PlanOk, Posted, Reply, SearchOk, TerminalsOk, Verdict, WaitOk,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Step;
use crate::model::Asked;
use crate::model::layer::page::PageContent;
use crate::theme::Tone;

impl Step<'_> {
    /// Handles a reply. Replies to unknown requests are dropped.
    pub(super) fn reply(&mut self, reply: Reply<Value>) {
        let Some(asked) = self.model.connection.requests.remove(&reply.id) else {
            return;
        };
        match reply.outcome {
            Outcome::Ok(value) => self.answered(asked, value),
            Outcome::Error(reject) => self.refused(asked, &reject),
        }
    }

    fn answered(&mut self, asked: Asked, value: Value) {
        match asked {
            Asked::Hello => self.with(value, |step, ok: HelloOk| step.signed_on(ok)),
            Asked::Meetings => self.with(value, |step, ok: MeetingsOk| step.meetings_received(ok)),
            Asked::Open(id) => self.with(value, |step, ok: OpenOk| step.opened(id, ok)),
            Asked::Close | Asked::Read(_) | Asked::Typing | Asked::Idle | Asked::Watch => {}
            Asked::Wait(id) => {
                self.with(value, |step, ok: WaitOk| step.waiting_known(id, ok));
            }
            Asked::Terminals => self.with(value, |step, ok: TerminalsOk| step.terminals(&ok)),
            Asked::Moderate(id, kind, name) => self.moderation_done(id, kind, &name),
            Asked::Schedule => self.with(value, |step, ok: PlanOk| step.schedule_loaded(&ok)),
            Asked::Plan(kind) => self.with(value, |step, ok: PlanOk| step.planned(kind, ok)),
            Asked::DialogParticipants(id) => self.with(value, |step, ok: ParticipantsOk| {
                step.dialog_participants(id, ok.participants);
            }),
            // Of several requests, only the last one fills the page.
            Asked::Explain(id) if self.is_asked(&Asked::Explain(id)) => {}
            Asked::Explain(id) => self.with(value, |step, ok: Verdict| {
                if let Some(PageContent::Access {
                    instance, verdict, ..
                }) = step.answer_page()
                    && *instance == id
                {
                    *verdict = Some(ok);
                }
            }),
            Asked::Join(id) => self.with(value, |step, ok: Posted| step.joined(id, Some(ok))),
            Asked::Leave(id) => self.with(value, |step, _: Posted| step.left(id)),
            Asked::Post(id, cmid, sent) => {
                self.with(value, |step, ok: Posted| step.posted(id, cmid, sent, ok));
            }
            Asked::Older(id, before) => {
                self.with(value, |step, ok: EventsOk| step.older(id, before, ok));
            }
            Asked::Between(id) => self.with(value, |step, ok: EventsOk| step.between(id, ok)),
            Asked::Around(id, before) => {
                self.with(value, |step, ok: EventsOk| step.around(id, before, ok));
            }
            Asked::Search => self.with(value, |step, ok: SearchOk| step.found(ok)),
            Asked::Newer(id) => self.with(value, |step, ok: EventsOk| step.newer(id, ok)),
            Asked::People(id) => self.with(value, |step, ok: ParticipantsOk| {
                if let Some(room) = step.model.rooms.get_mut(&id) {
                    room.set_attendance(&ok.participants, ok.absent.clone());
                }
                if let Some(PageContent::People(of, people)) = step.answer_page()
                    && *of == id
                {
                    *people = Some(ok);
                }
            }),
            Asked::JoinTimes => self.with(value, |step, ok: JoinTimesOk| {
                if let Some(PageContent::JoinTimes(meetings)) = step.answer_page() {
                    *meetings = Some(ok.meetings);
                }
            }),
            Asked::UserMessages => self.with(value, |step, ok: MessagesOk| {
                if let Some(PageContent::Messages { said, .. }) = step.answer_page() {
                    *said = Some(ok);
                }
            }),
        }
    }

    fn refused(&mut self, asked: Asked, reject: &Reject) {
        match asked {
            Asked::Hello if reject.code == Code::NotSignedIn => self.sign_out(&reject.detail),
            Asked::Join(id) if reject.code == Code::AlreadyParticipant => self.joined(id, None),
            Asked::Join(id) => self.join_rejected(id, reject),
            Asked::Leave(id) if reject.code == Code::NotParticipant => self.left(id),
            Asked::Post(id, cmid, sent) => self.post_rejected(id, cmid, sent, reject),
            Asked::Open(id) => self.open_rejected(id, reject),
            Asked::Older(id, _) | Asked::Between(id) | Asked::Around(id, _) => {
                if let Some(room) = self.model.rooms.get_mut(&id) {
                    room.requested_older = None;
                }
                self.model.jump = None;
                self.show_rejection(reject);
            }
            Asked::Search => self.search_refused(&reject.detail),
            Asked::Newer(id) => {
                if let Some(room) = self.model.rooms.get_mut(&id) {
                    room.requested_newer = false;
                }
                self.show_rejection(reject);
            }
            Asked::People(_) | Asked::JoinTimes | Asked::UserMessages | Asked::Explain(_) => {
                self.model.layers.close_waiting_page();
                self.show_rejection(reject);
            }
            Asked::Watch => self.watch_refused(reject),
            Asked::Wait(id) => self.wait_rejected(id, reject),
            Asked::Moderate(id, kind, name) => self.moderation_refused(id, kind, &name, reject),
            Asked::Plan(kind) => self.plan_refused(kind, reject),
            // Not requested by the user, so errors are not shown.
            Asked::Read(_) | Asked::Typing | Asked::Idle | Asked::Terminals => {}
            Asked::Hello
            | Asked::Meetings
            | Asked::Leave(_)
            | Asked::Close
            | Asked::DialogParticipants(_)
            | Asked::Schedule => {
                self.show_rejection(reject);
            }
        }
    }

    /// Shows why a request was rejected.
    pub(crate) fn show_rejection(&mut self, reject: &Reject) {
        self.model.tell(Tone::Bad, reject.detail.clone());
    }

    /// Shows why a request about a meeting was rejected.
    pub(super) fn show_rejection_of(&mut self, id: InstanceId, reject: &Reject) {
        let title = self.title_of(id);
        self.model
            .tell(Tone::Bad, format!("{title}: {}", reject.detail));
    }

    fn answer_page(&mut self) -> Option<&mut PageContent> {
        let shown = self.model.layers.answer_page_mut();
        shown.map(|shown| &mut shown.page)
    }

    fn with<T: DeserializeOwned>(&mut self, value: Value, then: impl FnOnce(&mut Self, T)) {
        if let Ok(ok) = serde_json::from_value(value) {
            then(self, ok);
        } else {
            let text = "Unreadable reply from the server";
            self.model.tell(Tone::Bad, text);
        }
    }
}
