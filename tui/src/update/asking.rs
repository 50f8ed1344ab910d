//! Requests: numbered, remembered until they are answered.

use plenary_shared::protocol::{Request, Verb};

use super::Step;
use crate::effect::Effect;
use crate::model::{Asked, Link};
use crate::theme::Tone;

impl Step<'_> {
    /// Whether the server listens.
    pub(crate) fn is_ready(&self) -> bool {
        self.model.link == Link::Ready
    }

    /// Asks, if the server listens; otherwise what is due is asked after the next hello.
    pub(crate) fn ask(&mut self, verb: Verb, asked: Asked) -> bool {
        if !self.is_ready() && asked != Asked::Hello {
            return false;
        }
        self.model.last_ask += 1;
        let id = self.model.last_ask;
        self.model.asks.insert(id, asked);
        self.out.push(Effect::Ask(Request { id, verb }));
        true
    }

    /// Asks for something that a person waits for; offline they are told so.
    pub(super) fn ask_or_tell(&mut self, verb: Verb, asked: Asked) -> bool {
        let sent = self.ask(verb, asked);
        if !sent {
            self.model.tell(
                Tone::Bad,
                "Not connected. Try again once the connection is back",
            );
        }
        sent
    }

    /// Whether this was asked and is not answered yet.
    pub(super) fn is_asked(&self, asked: &Asked) -> bool {
        self.model.asks.values().any(|other| other == asked)
    }

    /// Asks for the list of meetings; if that is under way, once more after it.
    pub(super) fn ask_meetings(&mut self) {
        self.model.meetings.stale = self.is_asked(&Asked::Meetings);
        if !self.model.meetings.stale {
            self.ask(Verb::Meetings {}, Asked::Meetings);
        }
    }
}
