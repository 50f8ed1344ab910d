//! Following one instance: what to ask, what to show, in which order. Pure; no event is shown twice
//! or left out.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use plenary_shared::domain::{Code, Event, InstanceState, Person, Reject, What};
use plenary_shared::ids::{Generation, InstanceId, Seq, UserId};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::{
    Events, EventsOk, Fence, Hello, HelloOk, Open, OpenOk, Outcome, Position, Push, Reply, Request,
    ResumeMode, ServerLine, Verb,
};
use serde::de::DeserializeOwned;

use super::super::{Exit, Failure};
use crate::session::Token;

/// Without `--since`, it begins with so many events.
const LAST_EVENTS: usize = 10;

/// Events that came before their predecessors are kept so far; the others are asked for.
const EARLY_MAX: usize = PAGE_MAX;

/// What is to be done next, in this order.
#[derive(Debug)]
pub enum Step {
    /// Ask the server.
    Ask(Request),
    /// Show this; it is the next one.
    Show(Event),
    /// Tell the person.
    Note(String),
    /// Wait, then see [`Follow::again`].
    WaitThenAgain(Duration),
    /// The instance is over, and all of it was shown.
    End,
    /// It cannot go on.
    Fail(Failure),
}

/// How far an instance has been followed.
pub struct Follow {
    instance: InstanceId,
    token: Token,
    /// Only what comes after it is shown; open until the server said where it is.
    since: Option<Seq>,
    /// Where the server was when it last answered `open`, in which generation.
    place: Option<Place>,
    early: BTreeMap<Seq, Event>,
    names: HashMap<UserId, String>,
    requests: u64,
    /// The one request that is not answered yet.
    asked: Option<Request>,
    /// What is to be asked after a wait.
    again: Option<Verb>,
}

#[derive(Clone, Copy)]
struct Place {
    generation: Generation,
    /// The last event of an unbroken row.
    last: Seq,
    /// The last event that exists, as far as is known.
    newest: Seq,
    /// Nothing will come after `newest`.
    is_over: bool,
}

impl Follow {
    /// From after `since` on, or from the last few events on.
    pub fn new(instance: InstanceId, token: Token, since: Option<Seq>) -> Self {
        Self {
            instance,
            token,
            since,
            place: None,
            early: BTreeMap::new(),
            names: HashMap::new(),
            requests: 0,
            asked: None,
            again: None,
        }
    }

    /// What a person is called, as far as events have said it.
    pub fn name(&self, user: UserId) -> String {
        self.names
            .get(&user)
            .cloned()
            .unwrap_or_else(|| format!("#{user}"))
    }

    /// A connection is open.
    pub fn connected(&mut self) -> Vec<Step> {
        let resume = self.place.map(|place| Position {
            instance: self.instance,
            generation: place.generation,
            seq: place.last,
        });
        self.ask(Verb::Hello(Hello {
            token: self.token.secret().to_owned(),
            client: Some(concat!("plenary/", env!("CARGO_PKG_VERSION"), " tail").to_owned()),
            resume: resume.into_iter().collect(),
        }))
    }

    /// The time to wait is over.
    pub fn again(&mut self) -> Vec<Step> {
        match self.again.take() {
            Some(verb) => self.ask(verb),
            None => vec![],
        }
    }

    /// The server said this.
    pub fn heard(&mut self, line: ServerLine) -> Vec<Step> {
        match line {
            ServerLine::Reply(reply) => self.answered(reply),
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
                | Push::Board(_)
                | Push::Detail(_)
                | Push::Changed(_),
            ) => vec![],
        }
    }

    fn ask(&mut self, verb: Verb) -> Vec<Step> {
        self.requests += 1;
        let request = Request {
            id: self.requests,
            verb,
        };
        self.asked = Some(request.clone());
        self.again = None;
        vec![Step::Ask(request)]
    }

    fn answered(&mut self, reply: Reply<serde_json::Value>) -> Vec<Step> {
        // An answer to what is no longer asked is of no use.
        let Some(request) = self.asked.take_if(|asked| asked.id == reply.id) else {
            return vec![];
        };
        let said = match reply.outcome {
            Outcome::Ok(said) => said,
            Outcome::Error(reject) => return self.refused(request, reject),
        };
        match request.verb {
            Verb::Hello(_) => with(said, |hello| self.greeted(&hello)),
            Verb::Open(_) => with(said, |opened| self.opened(opened)),
            Verb::Events(_) => with(said, |page| self.paged(page)),
            Verb::Meetings {}
            | Verb::Close(_)
            | Verb::Join(_)
            | Verb::Leave(_)
            | Verb::Post(_)
            | Verb::People(_)
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

    fn refused(&mut self, request: Request, reject: Reject) -> Vec<Step> {
        let is_temporary = matches!(
            reject.code,
            Code::Unavailable | Code::ArchiveBehind | Code::TooManyRequests
        );
        if !is_temporary {
            return vec![Step::Fail(reject.into())];
        }
        self.again = Some(request.verb);
        let wait = Duration::from_secs(reject.retry_after_s.unwrap_or(1).into());
        vec![Step::WaitThenAgain(wait)]
    }

    fn greeted(&mut self, hello: &HelloOk) -> Vec<Step> {
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
                place.is_over = true;
                self.ask_for_page()
            }
            Some(ResumeMode::Gone) => vec![Step::Fail(Failure::told(
                Exit::Refused,
                Code::NotFound.as_str(),
                format!("{} can no longer be read.", self.instance),
            ))],
        }
    }

    fn open(&mut self) -> Vec<Step> {
        let limit = match (self.since, self.place) {
            (None, None) => LAST_EVENTS,
            (Some(_), _) | (_, Some(_)) => PAGE_MAX,
        };
        self.ask(Verb::Open(Open {
            instance: self.instance,
            limit,
        }))
    }

    fn opened(&mut self, opened: OpenOk) -> Vec<Step> {
        let mut steps = Vec::new();
        self.learn(opened.users);
        for participant in opened.people {
            self.names.insert(participant.id, participant.name);
        }
        let first = opened.events.first().map(|event| event.seq.get());
        let since = *self.since.get_or_insert_with(|| {
            let before_first = first.map_or(opened.seq.get(), |first| first.saturating_sub(1));
            Seq::new(before_first).unwrap_or_default()
        });
        let last = self.place.map_or(since, |place| place.last);
        if self.place.is_some() && last > opened.seq {
            steps.push(void_above(opened.seq));
        }
        // What was pushed before this answer may be newer than it.
        self.early
            .retain(|_, event| is_of(event, opened.generation));
        self.place = Some(Place {
            generation: opened.generation,
            last: last.min(opened.seq),
            newest: opened.seq,
            is_over: opened.instance.state == InstanceState::Ended,
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
        let has_more = place.last < place.newest || (place.is_over && page.more);
        if place.is_over && !page.more {
            steps.push(Step::End);
        } else if has_more && before == Some(place.last) {
            // What must be there does not come: the store is behind.
            self.again = Some(self.page());
            steps.push(Step::WaitThenAgain(Duration::from_secs(1)));
        } else if has_more {
            steps.extend(self.ask_for_page());
        }
        steps
    }

    fn fenced(&mut self, fence: Fence) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(place) = self.place.as_mut() {
            if place.last > fence.base {
                steps.push(void_above(fence.base));
            }
            place.generation = fence.generation;
            place.last = place.last.min(fence.base);
            place.newest = place.last;
        }
        self.early.clear();
        steps.extend(self.open());
        steps
    }

    /// Shows an event if it is the next one.
    fn take(&mut self, event: Event, steps: &mut Vec<Step>) {
        let Some(place) = self.place.as_mut() else {
            self.keep(event);
            return;
        };
        if !is_of(&event, place.generation) {
            if event.generation < place.generation {
                // Void since the fence.
                return;
            }
            let is_settling = self
                .asked
                .as_ref()
                .is_some_and(|asked| matches!(asked.verb, Verb::Hello(_) | Verb::Open(_)));
            self.keep(event);
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
            self.keep(event);
            return;
        }
        place.last = event.seq;
        if let What::Join { user, name } = &event.what {
            self.names.insert(*user, name.clone());
        }
        let is_last = matches!(event.what, What::Closed { .. });
        if self.since.is_none_or(|since| event.seq > since) {
            steps.push(Step::Show(event));
        }
        if is_last {
            steps.push(Step::End);
        }
    }

    /// Keeps an event that came before its predecessors, or before `open` was answered.
    fn keep(&mut self, event: Event) {
        if self.early.len() < EARLY_MAX {
            self.early.insert(event.seq, event);
        }
    }

    /// Takes the kept ones whose predecessors have come.
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

    /// Asks for what is known to exist and did not come.
    fn catch_up(&mut self, steps: &mut Vec<Step>) {
        let Some(place) = self.place else { return };
        if self.asked.is_some() || self.again.is_some() {
            return;
        }
        if place.last < place.newest {
            steps.extend(self.ask_for_page());
        } else if place.is_over {
            steps.push(Step::End);
        }
    }

    fn ask_for_page(&mut self) -> Vec<Step> {
        let page = self.page();
        self.ask(page)
    }

    fn page(&self) -> Verb {
        Verb::Events(Events {
            instance: self.instance,
            after: Some(self.place.map(|place| place.last).unwrap_or_default()),
            before: None,
            limit: PAGE_MAX,
        })
    }

    fn learn(&mut self, people: Vec<Person>) {
        for person in people {
            self.names.insert(person.id, person.name);
        }
    }
}

fn with<T: DeserializeOwned>(
    said: serde_json::Value,
    then: impl FnOnce(T) -> Vec<Step>,
) -> Vec<Step> {
    match serde_json::from_value(said) {
        Ok(said) => then(said),
        Err(_) => vec![Step::Fail(Failure::told(
            Exit::Other,
            "not_understood",
            "The server answered something that this program does not understand.",
        ))],
    }
}

/// Whether the event belongs to this generation, or comes from the archive, which knows none.
fn is_of(event: &Event, generation: Generation) -> bool {
    event.generation == generation || event.generation == Generation::default()
}

fn void_above(base: Seq) -> Step {
    Step::Note(format!(
        "the server lost what came after number {base}: those lines above are void"
    ))
}

#[cfg(test)]
mod tests;
