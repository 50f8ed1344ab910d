//! Follows the events of one instance without gaps or duplicates. Pure: returns what to send and print.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use plenary_shared::domain::{Code, Event, EventKind, InstanceState, Reject, UserRef};
use plenary_shared::ids::{Generation, InstanceId, Seq, UserId};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::{
    Events, EventsOk, Fence, Hello, HelloOk, Open, OpenOk, Outcome, Position, Push, Reply, Request,
    ResumeMode, ServerLine, Verb,
};
use serde::de::DeserializeOwned;

use super::super::{Exit, Failure};
use crate::session::Token;

/// The number of events printed first without `--since`.
const LAST_EVENTS: usize = 10;

/// The number of events buffered until their predecessors arrive. Others are requested again.
const EARLY_MAX: usize = PAGE_MAX;

/// An action of the caller. Steps are executed in order.
#[derive(Debug)]
pub enum Step {
    Send(Request),
    Print(Event),
    /// Print a note for the user.
    Note(String),
    /// Wait, then call [`Follow::retry`].
    RetryAfter(Duration),
    /// The instance has ended and all events are printed.
    End,
    Fail(Failure),
}

/// The state of following an instance.
pub struct Follow {
    instance: InstanceId,
    token: Token,
    /// Events up to this number are not printed. Unknown until `open` is answered.
    since: Option<Seq>,
    /// The position since `open` was answered.
    place: Option<Place>,
    early: BTreeMap<Seq, Event>,
    names: HashMap<UserId, String>,
    requests: u64,
    /// The pending request, at most one.
    pending: Option<Request>,
    /// The request to repeat after a wait.
    retry: Option<Verb>,
}

#[derive(Clone, Copy)]
struct Place {
    generation: Generation,
    /// The last event received without a gap before it.
    last: Seq,
    /// The newest event known to exist.
    newest: Seq,
    /// Whether `newest` is the last event of the instance.
    is_ended: bool,
}

impl Follow {
    /// Starts after event `since`, or with the last [`LAST_EVENTS`].
    pub fn new(instance: InstanceId, token: Token, since: Option<Seq>) -> Self {
        Self {
            instance,
            token,
            since,
            place: None,
            early: BTreeMap::new(),
            names: HashMap::new(),
            requests: 0,
            pending: None,
            retry: None,
        }
    }

    /// Returns the name of a user, or `#ID` if it is unknown.
    pub fn name(&self, user: UserId) -> String {
        self.names
            .get(&user)
            .cloned()
            .unwrap_or_else(|| format!("#{user}"))
    }

    /// Handles an open connection.
    pub fn connected(&mut self) -> Vec<Step> {
        let resume = self.place.map(|place| Position {
            instance: self.instance,
            generation: place.generation,
            seq: place.last,
        });
        self.send(Verb::Hello(Hello {
            token: self.token.secret().to_owned(),
            client: Some(concat!("plenary/", env!("CARGO_PKG_VERSION"), " tail").to_owned()),
            resume: resume.into_iter().collect(),
        }))
    }

    /// Repeats the request after a [`Step::RetryAfter`].
    pub fn retry(&mut self) -> Vec<Step> {
        match self.retry.take() {
            Some(verb) => self.send(verb),
            None => vec![],
        }
    }

    /// Handles a line of the server.
    pub fn line(&mut self, line: ServerLine) -> Vec<Step> {
        match line {
            ServerLine::Reply(reply) => self.reply(reply),
            ServerLine::Push(Push::Event(event)) if event.instance == self.instance => {
                let mut steps = Vec::new();
                self.take(*event, &mut steps);
                self.catch_up(&mut steps);
                steps
            }
            ServerLine::Push(Push::Fence(fence)) if fence.instance == self.instance => {
                self.fenced(fence)
            }
            ServerLine::Push(
                Push::Event(_)
                | Push::Fence(_)
                | Push::Durable(_)
                | Push::Read(_)
                | Push::Typing(_)
                | Push::Waiting(_)
                | Push::Presence(_)
                | Push::Dashboard(_)
                | Push::Detail(_)
                | Push::Changed(_),
            ) => vec![],
        }
    }

    fn send(&mut self, verb: Verb) -> Vec<Step> {
        self.requests += 1;
        let request = Request {
            id: self.requests,
            verb,
        };
        self.pending = Some(request.clone());
        self.retry = None;
        vec![Step::Send(request)]
    }

    fn reply(&mut self, reply: Reply<serde_json::Value>) -> Vec<Step> {
        // Ignores replies to superseded requests.
        let Some(request) = self.pending.take_if(|pending| pending.id == reply.id) else {
            return vec![];
        };
        let content = match reply.outcome {
            Outcome::Ok(content) => content,
            Outcome::Error(reject) => return self.rejected(request, reject),
        };
        match request.verb {
            Verb::Hello(_) => parsed(content, |hello| self.hello(&hello)),
            Verb::Open(_) => parsed(content, |opened| self.opened(opened)),
            Verb::Events(_) => parsed(content, |page| self.paged(page)),
            Verb::Meetings {}
            | Verb::Close(_)
            | Verb::Join(_)
            | Verb::Leave(_)
            | Verb::Post(_)
            | Verb::Participants(_)
            | Verb::Terminals {}
            | Verb::JoinTimes {}
            | Verb::Edit(_)
            | Verb::Delete(_)
            | Verb::Read(_)
            | Verb::Typing(_)
            | Verb::Idle(_)
            | Verb::Wait(_)
            | Verb::Moderate(_)
            | Verb::Plan(_)
            | Verb::Watch(_)
            | Verb::Explain(_)
            | Verb::Search(_)
            | Verb::UserMessages(_) => vec![],
        }
    }

    fn rejected(&mut self, request: Request, reject: Reject) -> Vec<Step> {
        let is_temporary = matches!(
            reject.code,
            Code::Unavailable | Code::ArchiveBehind | Code::TooManyRequests | Code::RateLimited
        );
        if !is_temporary {
            return vec![Step::Fail(reject.into())];
        }
        self.retry = Some(request.verb);
        let wait = Duration::from_millis(reject.wait_ms().unwrap_or(1_000).into());
        vec![Step::RetryAfter(wait)]
    }

    fn hello(&mut self, hello: &HelloOk) -> Vec<Step> {
        let resumed = hello
            .resumed
            .iter()
            .find(|resumed| resumed.instance == self.instance);
        match resumed.map(|resumed| resumed.mode) {
            Some(ResumeMode::Delta) => {
                let mut steps = Vec::new();
                self.catch_up(&mut steps);
                steps
            }
            Some(ResumeMode::Snapshot) | None => self.open(),
            Some(ResumeMode::Ended) => {
                let Some(place) = self.place.as_mut() else {
                    return self.open();
                };
                place.is_ended = true;
                self.request_page()
            }
            Some(ResumeMode::Gone) => vec![Step::Fail(Failure::new(
                Exit::Rejected,
                Code::NotFound.as_str(),
                format!("You can no longer read {}.", self.instance),
            ))],
        }
    }

    fn open(&mut self) -> Vec<Step> {
        let limit = match (self.since, self.place) {
            (None, None) => LAST_EVENTS,
            (Some(_), _) | (_, Some(_)) => PAGE_MAX,
        };
        self.send(Verb::Open(Open {
            instance: self.instance,
            limit,
        }))
    }

    fn opened(&mut self, opened: OpenOk) -> Vec<Step> {
        let mut steps = Vec::new();
        self.learn(opened.users);
        for participant in opened.roster {
            self.names.insert(participant.id, participant.name);
        }
        let first = opened.events.first().map(|event| event.seq.get());
        let since = *self.since.get_or_insert_with(|| {
            let before_first = first.map_or(opened.seq.get(), |first| first.saturating_sub(1));
            Seq::new(before_first).unwrap_or_default()
        });
        let last = self.place.map_or(since, |place| place.last);
        if self.place.is_some() && last > opened.seq {
            steps.push(lost_after(opened.seq));
        }
        // Events pushed before this reply may be newer.
        self.early
            .retain(|_, event| is_of(event, opened.generation));
        self.place = Some(Place {
            generation: opened.generation,
            last: last.min(opened.seq),
            newest: opened.seq,
            is_ended: opened.instance.state == InstanceState::Ended,
        });
        for event in opened.events {
            self.take(event, &mut steps);
        }
        self.take_early(&mut steps);
        self.catch_up(&mut steps);
        steps
    }

    fn paged(&mut self, page: EventsOk) -> Vec<Step> {
        let mut steps = Vec::new();
        self.learn(page.users);
        let before = self.place.map(|place| place.last);
        for event in page.events {
            self.take(event, &mut steps);
        }
        self.take_early(&mut steps);
        let Some(place) = self.place else {
            return steps;
        };
        let has_more = place.last < place.newest || (place.is_ended && page.more);
        if place.is_ended && !page.more {
            steps.push(Step::End);
        } else if has_more && before == Some(place.last) {
            // Known events are missing: the store lags behind.
            self.retry = Some(self.page());
            steps.push(Step::RetryAfter(Duration::from_secs(1)));
        } else if has_more {
            steps.extend(self.request_page());
        }
        steps
    }

    fn fenced(&mut self, fence: Fence) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(place) = self.place.as_mut() {
            if place.last > fence.base {
                steps.push(lost_after(fence.base));
            }
            place.generation = fence.generation;
            place.last = place.last.min(fence.base);
            place.newest = place.last;
        }
        self.early.clear();
        steps.extend(self.open());
        steps
    }

    /// Prints an event if it is the next one.
    fn take(&mut self, event: Event, steps: &mut Vec<Step>) {
        let Some(place) = self.place.as_mut() else {
            self.buffer(event);
            return;
        };
        if !is_of(&event, place.generation) {
            if event.generation < place.generation {
                // Lost since the fence.
                return;
            }
            let is_settling = self
                .pending
                .as_ref()
                .is_some_and(|pending| matches!(pending.verb, Verb::Hello(_) | Verb::Open(_)));
            self.buffer(event);
            if !is_settling {
                steps.extend(self.open());
            }
            return;
        }
        if event.seq <= place.last {
            return;
        }
        place.newest = place.newest.max(event.seq);
        if event.seq != place.last.next() {
            self.buffer(event);
            return;
        }
        place.last = event.seq;
        if let EventKind::Join { user, name } = &event.kind {
            self.names.insert(*user, name.clone());
        }
        let is_last = matches!(event.kind, EventKind::Closed { .. });
        if self.since.is_none_or(|since| event.seq > since) {
            steps.push(Step::Print(event));
        }
        if is_last {
            steps.push(Step::End);
        }
    }

    /// Buffers an event that arrived before its predecessors or before the reply to `open`.
    fn buffer(&mut self, event: Event) {
        if self.early.len() < EARLY_MAX {
            self.early.insert(event.seq, event);
        }
    }

    /// Takes buffered events whose predecessors have arrived.
    fn take_early(&mut self, steps: &mut Vec<Step>) {
        while let Some(first) = self.early.first_entry()
            && let Some(place) = self.place.as_mut()
        {
            if *first.key() > place.last.next() {
                if let Some((newest, _)) = self.early.last_key_value() {
                    place.newest = place.newest.max(*newest);
                }
                return;
            }
            let event = first.remove();
            self.take(event, steps);
        }
    }

    /// Requests known events that have not arrived.
    fn catch_up(&mut self, steps: &mut Vec<Step>) {
        let Some(place) = self.place else { return };
        if self.pending.is_some() || self.retry.is_some() {
            return;
        }
        if place.last < place.newest {
            steps.extend(self.request_page());
        } else if place.is_ended {
            steps.push(Step::End);
        }
    }

    fn request_page(&mut self) -> Vec<Step> {
        let page = self.page();
        self.send(page)
    }

    fn page(&self) -> Verb {
        Verb::Events(Events {
            instance: self.instance,
            after: Some(self.place.map(|place| place.last).unwrap_or_default()),
            before: None,
            limit: PAGE_MAX,
        })
    }

    fn learn(&mut self, people: Vec<UserRef>) {
        for person in people {
            self.names.insert(person.id, person.name);
        }
    }
}

fn parsed<T: DeserializeOwned>(
    content: serde_json::Value,
    then: impl FnOnce(T) -> Vec<Step>,
) -> Vec<Step> {
    match serde_json::from_value(content) {
        Ok(content) => then(content),
        Err(_) => vec![Step::Fail(Failure::new(
            Exit::Other,
            "not_understood",
            "The reply of the server does not match the version of this client.",
        ))],
    }
}

/// Returns whether the event belongs to `generation`, or comes from the durable store, which stores
/// no generation.
fn is_of(event: &Event, generation: Generation) -> bool {
    event.generation == generation || event.generation == Generation::default()
}

fn lost_after(base: Seq) -> Step {
    Step::Note(format!(
        "the server lost all events after number {base}, ignore them above"
    ))
}

#[cfg(test)]
mod tests;
