//! Requests to the server, which are numbered and remembered until their reply.

use plenary_shared::protocol::{Request, Verb};

use super::Step;
use crate::effect::Effect;
use crate::model::{Asked, Cause, Link};
use crate::theme::Tone;

impl Step<'_> {
    /// Returns whether the connection is ready for requests.
    pub(crate) fn is_ready(&self) -> bool {
        self.model.connection.link == Link::Ready
    }

    /// Sends a request. Returns false if the connection is not ready.
    pub(crate) fn ask(&mut self, verb: Verb, asked: Asked) -> bool {
        if !self.is_ready() && asked != Asked::Hello {
            return false;
        }
        self.model.connection.last_request += 1;
        let id = self.model.connection.last_request;
        self.model.connection.requests.insert(id, asked);
        self.out.push(Effect::Ask(Request { id, verb }));
        true
    }

    /// Sends a request for the user, or tells them that the client is offline.
    pub(crate) fn ask_or_tell(&mut self, verb: Verb, asked: Asked) -> bool {
        let sent = self.ask(verb, asked);
        if !sent {
            let text = "Not connected. Try again once the connection is back";
            self.model.tell_until(Cause::Connection, Tone::Bad, text);
        }
        sent
    }

    /// Returns whether this request is pending.
    pub(crate) fn is_asked(&self, asked: &Asked) -> bool {
        self.model
            .connection
            .requests
            .values()
            .any(|other| other == asked)
    }

    /// Requests the list of meetings; once more after a pending request.
    pub(super) fn ask_meetings(&mut self) {
        self.model.meetings.stale = self.is_asked(&Asked::Meetings);
        if !self.model.meetings.stale {
            self.ask(Verb::Meetings {}, Asked::Meetings);
        }
    }
}
