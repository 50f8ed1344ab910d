//! Compares what is read from a store with the model: logs, pages, lists, and the feed.

use plenary_server::store::{Feed, Page};
use plenary_shared::domain::{Event, InstanceState, User};
use plenary_shared::ids::{Generation, Seq};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::OpenOk;
use plenary_shared::time::Timestamp;
use plenary_testkit::until_async;

use super::answers::{Part, seq};
use super::runner::Runner;
use super::state::{Entry, Instance, Published};
use super::step::{At, Kind, Pick, UNIT_MS, Who};
use crate::harness::{code, exact};

impl Entry {
    /// Takes over the time that was read, which must be within the model's bounds.
    pub fn adopt_time(&mut self, timestamp: Timestamp) {
        let span = self.when.low..=self.when.high;
        assert!(span.contains(&timestamp), "{timestamp} is not in {self:?}");
        (self.when.low, self.when.high) = (timestamp, timestamp);
    }
}

impl Instance {
    /// Sorts events that may come in any order as they were read, and takes over their times.
    fn adopt_order(&mut self, log: &[Event]) {
        for (at, event) in log.iter().enumerate().take(self.log.len()) {
            let batch = self.log[at].batch;
            if batch != 0 && self.log[at].what != event.kind {
                let mut same = (at..self.log.len()).take_while(|at| self.log[*at].batch == batch);
                if let Some(found) = same.find(|at| self.log[*at].what == event.kind) {
                    self.log.swap(at, found);
                }
            }
            assert_eq!(event.kind, self.log[at].what, "{}: {log:#?}", self.id);
            self.log[at].adopt_time(event.timestamp);
            assert_eq!(event.seq, seq(at + 1), "{}", self.id);
            assert_eq!(event.instance, self.id);
        }
        assert_eq!(log.len(), self.log.len(), "{}: {log:#?}", self.id);
    }
}

impl Runner {
    /// Compares every log and its position.
    pub async fn check_logs(&mut self) {
        let ids: Vec<_> = self.model.instances.iter().map(|here| here.id).collect();
        for (at, id) in ids.iter().enumerate() {
            let log = self.store().backfill(*id, Seq::default(), PAGE_MAX).await;
            self.model.instances[at].adopt_order(&log.expect("the store answers"));
        }
        let heads = self.store().heads(&ids).await.expect("the store answers");
        let expected: Vec<_> = (0..ids.len()).map(|at| self.model.head(at)).collect();
        assert_eq!(heads, expected);
    }

    /// Everything was fed once, in order, and nothing else.
    pub async fn check_feed(&self) {
        for here in &self.model.instances {
            let published = || -> Vec<Feed> {
                let fed = self.fed.lock().expect("nobody panicked");
                fed.iter().filter(|one| is_of(one, here)).cloned().collect()
            };
            until_async(&format!("the feed of {}", here.id), async || {
                (published().len() >= here.published.len()).then_some(())
            })
            .await;
            let published: Vec<_> = published().iter().map(plain).collect();
            let expected: Vec<_> = here
                .published
                .iter()
                .map(|published| here.plain(published))
                .collect();
            assert_eq!(published, expected, "what was fed of {}", here.id);
            for one in self.fed.lock().expect("nobody panicked").iter() {
                if let Feed::Durable { instance, seq, .. } = one
                    && *instance == here.id
                {
                    assert!(seq.get() <= here.archived as u64, "{one:?}");
                }
            }
        }
    }

    pub fn check_opened(&self, at: usize, user: &User, opened: &OpenOk, limit: usize) {
        let part = self.model.part(at, Kind::Events, None, Pick::Last, limit);
        self.check_events(at, &part, &opened.events, opened.more);
        assert_eq!(opened.users, self.model.users_named(&opened.events));
        let here = &self.model.instances[at];
        assert_eq!(opened.generation, self.model.generation(at));
        let heads = (opened.seq, opened.durable);
        assert_eq!(heads, (seq(here.log.len()), seq(here.archived)));
        let people: Vec<_> = opened
            .roster
            .iter()
            .map(|one| (one.id, one.name.clone(), one.joined))
            .collect();
        assert_eq!(people, self.model.present(at));
        // The model does not know when exactly it ended.
        let instance = plenary_shared::domain::Instance {
            ended_at: None,
            ..opened.instance.clone()
        };
        assert_eq!(instance, self.model.opened(at, user));
    }

    fn check_events(&self, at: usize, part: &Part, events: &[Event], more: bool) {
        assert_eq!(exact(events), self.model.facts(at, &part.seqs));
        assert_eq!(more, part.more, "{part:?}");
    }

    pub async fn read(&self, who: Who, at: At, kind: Kind, pick: Pick, limit: usize) {
        let (user, (id, place)) = (self.user(who), self.here(at));
        let page = match pick {
            Pick::Last => Page::Before(None),
            Pick::Before(bound) => Page::Before(Some(Seq::new(bound).expect("a small number"))),
            Pick::After(bound) => Page::After(Seq::new(bound).expect("a small number")),
        };
        let of = match kind {
            Kind::MessagesOf(who) => Some(self.user(who).id),
            Kind::Events | Kind::Messages => None,
        };
        if let Kind::Events = kind {
            let (answer, now) = self
                .ask(async |store| store.events(id, &user, page, limit).await)
                .await;
            let expected = self.model.readable(place, &user, now);
            assert_eq!(code(&answer), expected.err());
            if let (Ok(read), Ok(at)) = (answer, expected) {
                let part = self.model.part(at, kind, of, pick, limit);
                self.check_events(at, &part, &read.events, read.more);
                assert_eq!(read.users, self.model.users_named(&read.events));
            }
            return;
        }
        let (answer, now) = self
            .ask(async |store| match of {
                Some(of) => store.user_messages(id, &user, of, page, limit).await,
                None => store.messages(id, &user, page, limit).await,
            })
            .await;
        let expected = self.model.readable(place, &user, now);
        assert_eq!(code(&answer), expected.err());
        if let (Ok(read), Ok(at)) = (answer, expected) {
            let part = self.model.part(at, kind, of, pick, limit);
            assert_eq!(read.messages, self.model.messages(at, &part.seqs));
            assert_eq!(read.more, part.more, "{part:?}");
        }
    }

    /// Compares lists, participants and join times.
    pub async fn look(&self, who: Who) {
        let user = self.user(who);
        let at = self.back_end.now();
        let (visible, now) = self.ask(async |store| store.visible(&user, at).await).await;
        let mut visible = visible.expect("the store answers");
        for one in &mut visible {
            assert_eq!(one.ended_at.is_some(), one.state == InstanceState::Ended);
            one.ended_at = None;
        }
        assert_eq!(visible, self.model.visible(&user, now), "visible");
        let (active, _) = self
            .ask(async |store| store.active_meetings(&user).await)
            .await;
        let expected = self.model.active(&user);
        assert_eq!(active.expect("the store answers"), expected, "active");
        let (times, _) = self.ask(async |store| store.join_times(&user).await).await;
        let times: Vec<_> = times
            .expect("the store answers")
            .into_iter()
            .map(|one| {
                let logs = one.join_logs.into_iter();
                let joined = logs.map(|log| (log.user, log.name, log.timestamp));
                (one.instance, one.meeting, joined.collect::<Vec<_>>())
            })
            .collect();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|one| {
                let mut places = self.model.instances.iter();
                let place = places.position(|here| here.id == one.id);
                let place = place.expect("it is one of them");
                (one.id, one.title, self.model.present(place))
            })
            .collect();
        assert_eq!(times, expected, "join times");
        for place in 0..self.model.instances.len() {
            let id = self.model.instances[place].id;
            let (answer, now) = self.ask(async |store| store.people(id, &user).await).await;
            let expected = self.model.people(Some(place), &user, now);
            assert_eq!(code(&answer), expected.as_ref().err().copied(), "{id}");
            if let (Ok(people), Ok(expected)) = (answer, expected) {
                let people: Vec<_> = people
                    .into_iter()
                    .map(|one| (one.id, one.name, one.joined))
                    .collect();
                assert_eq!(people, expected, "{id}");
            }
        }
    }

    /// Compares the agenda and the instances that wait for the archive.
    pub async fn agenda(&self, units: u8) {
        let horizon_ms = i64::from(units) * UNIT_MS;
        let until = self.passed_ms + horizon_ms;
        let at = self.back_end.now();
        let (agenda, _) = self
            .ask(async |store| store.agenda(at, horizon_ms).await)
            .await;
        let mut agenda = agenda.expect("the store answers");
        assert!(agenda.starts.is_sorted_by_key(|(_, at)| *at));
        assert!(agenda.ends.is_sorted_by_key(|(_, at)| *at));
        agenda.starts.sort_unstable();
        agenda.ends.sort_unstable();
        agenda.ending.sort_unstable();
        assert_eq!(agenda.starts, self.model.starts(until));
        assert_eq!(agenda.ends, self.model.ends(until));
        assert_eq!(agenda.ending, self.model.ending());
        let (ends, _) = self
            .ask(async |store| store.live_ends(at.plus_ms(horizon_ms)).await)
            .await;
        let mut ends = ends.expect("the store answers");
        ends.sort_unstable();
        assert_eq!(ends, self.model.live_ends(until));
        let (lag, _) = self.ask(async |store| store.archive_lag().await).await;
        let mut lag = lag.expect("the store answers");
        lag.sort_unstable();
        assert_eq!(lag, self.model.lag());
    }
}

/// An event or a fence, in short.
type Plain = (Generation, Seq, Option<Event>);

impl Instance {
    fn plain(&self, published: &Published) -> Plain {
        let number = |number: u64| Generation::new(number).expect("a small number");
        match published {
            Published::Fence(generation, base) => (number(*generation), seq(*base), None),
            Published::Event(generation, at) => {
                let entry = &self.log[at - 1];
                let event = Event {
                    instance: self.id,
                    generation: number(*generation),
                    seq: seq(*at),
                    kind: entry.what.clone(),
                    timestamp: entry.when.low,
                };
                (event.generation, event.seq, Some(event))
            }
        }
    }
}

fn plain(fed: &Feed) -> Plain {
    match fed {
        Feed::Event(event) => (event.generation, event.seq, Some((**event).clone())),
        Feed::Fence {
            generation, base, ..
        } => (*generation, *base, None),
        Feed::Durable { .. }
        | Feed::Gap
        | Feed::Changed
        | Feed::SignedOut(_)
        | Feed::Access(_)
        | Feed::Denied(_)
        | Feed::Server(_)
        | Feed::Read(_)
        | Feed::Typing { .. }
        | Feed::Waiting(_)
        | Feed::Presence(_) => {
            unreachable!("only events and fences are of an instance's log")
        }
    }
}

/// Whether this changes a follower's view of that instance.
fn is_of(fed: &Feed, here: &Instance) -> bool {
    match fed {
        Feed::Event(event) => event.instance == here.id,
        Feed::Fence { instance, .. } => *instance == here.id,
        Feed::Durable { .. }
        | Feed::Gap
        | Feed::Changed
        | Feed::SignedOut(_)
        | Feed::Access(_)
        | Feed::Denied(_)
        | Feed::Server(_)
        | Feed::Read(_)
        | Feed::Typing { .. }
        | Feed::Waiting(_)
        | Feed::Presence(_) => false,
    }
}
