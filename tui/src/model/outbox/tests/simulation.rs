//! A simulation around one outbox: a disk, a lossy connection, and a server that may lose events
//! that are not durable.

use std::collections::{BTreeSet, VecDeque};

use plenary_shared::domain::{Event, EventKind, Instance, InstanceState};
use plenary_shared::ids::{Cmid, Generation, Seq, UserId};
use plenary_shared::protocol::{Durable, Fence, OpenOk, OwnRestrictions};
use plenary_shared::replica::{Applied, Replica};
use plenary_shared::text::MessageBody;
use proptest::prelude::*;

use super::super::*;
use super::{at, generation, id, line, seq};
use crate::journal::{JournalEntry, apply};

/// Events that opening reads, few enough that entries are often not among them.
const OPENED: usize = 3;

/// Rounds after which a healed simulation must be idle.
const ROUNDS_MAX: usize = 500;

/// A step of the simulation.
#[derive(Clone, Copy, Debug)]
enum Step {
    Say,
    DiskWrites,
    Send,
    /// The server processes a request. The flag says whether its store is available.
    Serve(bool),
    Answer,
    Tell,
    /// The connection breaks. The flag says whether requests in flight still arrive.
    Break(bool),
    Connect,
    Archive(usize),
    TellDurable,
    /// The live store loses up to this many events that are not durable.
    Forget(usize),
    TellFence,
    /// The client is killed and restarted. The flag says whether requests in flight still arrive.
    Crash(bool),
    /// A request from an old connection arrives.
    Stray,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Say),
        4 => Just(Step::DiskWrites),
        6 => Just(Step::Send),
        6 => prop::bool::weighted(0.8).prop_map(Step::Serve),
        6 => Just(Step::Answer),
        4 => Just(Step::Tell),
        2 => any::<bool>().prop_map(Step::Break),
        4 => Just(Step::Connect),
        2 => (1_usize..4).prop_map(Step::Archive),
        2 => Just(Step::TellDurable),
        1 => (0_usize..6).prop_map(Step::Forget),
        2 => Just(Step::TellFence),
        1 => any::<bool>().prop_map(Step::Crash),
        1 => Just(Step::Stray),
    ]
}

type Request = (Cmid, MessageBody);

/// The id, the generation in which it was sent, and the result.
type Answer = (Cmid, Generation, Option<Seq>);

struct Simulation {
    outbox: Outbox,
    log: Option<Replica>,
    connected: bool,
    unwritten: Vec<Record>,
    disk: Vec<JournalEntry>,
    requests: VecDeque<(Generation, Request)>,
    answers: VecDeque<Answer>,
    strays: Vec<Request>,
    /// The server's events.
    events: Vec<Request>,
    archived: usize,
    generation: u64,
    /// The number of events at the start of each generation after the first.
    floors: Vec<usize>,
    /// The entries that were on disk, in the order of writing.
    said: Vec<Cmid>,
    ever_taken: BTreeSet<Cmid>,
    forgot: bool,
    now_ms: i64,
    number: u128,
}

impl Simulation {
    fn new() -> Self {
        Self {
            outbox: Outbox::default(),
            log: None,
            connected: false,
            unwritten: vec![],
            disk: vec![],
            requests: VecDeque::new(),
            answers: VecDeque::new(),
            strays: vec![],
            events: vec![],
            archived: 0,
            generation: 1,
            floors: vec![],
            said: vec![],
            ever_taken: BTreeSet::new(),
            forgot: false,
            now_ms: 0,
            number: 0,
        }
    }

    fn step(&mut self, step: Step) {
        self.now_ms += 1;
        match step {
            Step::Say => {
                self.number += 1;
                let mut line = line(self.number);
                line.since = at(self.now_ms);
                self.outbox.enqueue(line).expect("there is room");
            }
            Step::DiskWrites => self.write(),
            Step::Send if self.connected => self.send(),
            Step::Serve(well) => {
                if let Some((sent, request)) = self.requests.pop_front() {
                    let seq = well.then(|| self.take(&request));
                    self.answers.push_back((request.0, sent, seq));
                }
            }
            Step::Answer => self.answer(),
            Step::Tell if self.connected => self.tell(),
            Step::Break(arrives) => self.part(arrives),
            Step::Connect if !self.connected => self.connect(),
            Step::Archive(count) => {
                self.archived = (self.archived + count).min(self.events.len());
            }
            Step::TellDurable if self.connected => self.tell_durable(),
            Step::Forget(count) => {
                let kept = self.events.len().saturating_sub(count).max(self.archived);
                self.events.truncate(kept);
                // The rest is made durable before the server accepts anything.
                self.archived = kept;
                self.floors.push(kept);
                self.generation += 1;
                self.forgot = true;
            }
            Step::TellFence if self.connected => self.tell_fence(),
            Step::Crash(arrives) => {
                self.part(arrives);
                self.unwritten.clear();
                self.outbox = Outbox::default();
                self.outbox.load(self.disk.clone());
                self.log = None;
            }
            Step::Stray => {
                if let Some(request) = self.strays.pop() {
                    self.take(&request);
                }
            }
            Step::Send | Step::Tell | Step::Connect | Step::TellDurable | Step::TellFence => {}
        }
        self.unwritten.extend(self.outbox.take_records());
    }

    fn write(&mut self) {
        let mut kept = vec![];
        for record in std::mem::take(&mut self.unwritten) {
            if let Record::Post(line) = &record {
                kept.push(line.cmid);
                if !self.said.contains(&line.cmid) {
                    self.said.push(line.cmid);
                }
            }
            apply(&mut self.disk, record);
        }
        self.outbox.written(&kept);
    }

    fn send(&mut self) {
        let Some(log) = &self.log else { return };
        let generation = log.position().generation;
        let due = self
            .outbox
            .next_send(id(), at(self.now_ms), generation, true);
        if let Some(request) = due.map(|due| (due.cmid, due.body)) {
            assert!(self.said.contains(&request.0), "sent before it was on disk");
            self.requests.push_back((generation, request));
        }
    }

    /// Accepts a request once for each id, as the server does.
    fn take(&mut self, request: &Request) -> Seq {
        let known = self.events.iter().position(|(cmid, _)| *cmid == request.0);
        let at = known.unwrap_or_else(|| {
            let earlier = self.said.iter().take_while(|cmid| **cmid != request.0);
            for cmid in earlier {
                assert!(
                    self.ever_taken.contains(cmid),
                    "{} was taken before {cmid}",
                    request.0
                );
            }
            self.ever_taken.insert(request.0);
            self.events.push(request.clone());
            self.events.len() - 1
        });
        seq(at as u64 + 1)
    }

    fn answer(&mut self) {
        let Some((cmid, sent, seq)) = self.answers.pop_front() else {
            return;
        };
        let Some(log) = &self.log else { return };
        if let Some(seq) = seq {
            self.outbox
                .acknowledged(cmid, seq, sent, log.position().generation);
            self.outbox.remove_durable(log);
        } else {
            let later = Rejection::Later {
                at: at(self.now_ms + 3),
                why: Some("away".into()),
            };
            self.outbox.rejected(cmid, sent, later);
        }
    }

    fn event(&self, at: usize) -> Event {
        let (cmid, body) = self.events[at].clone();
        Event {
            instance: id(),
            generation: generation(self.generation),
            seq: seq(at as u64 + 1),
            kind: EventKind::Message {
                user: UserId::default(),
                cmid,
                body,
                reply_to: None,
                edited: None,
                deleted: None,
            },
            timestamp: Timestamp::from_ms(0),
        }
    }

    /// Delivers the next event, after a fence if the server lost events.
    fn tell(&mut self) {
        self.tell_fence();
        let Some(log) = &self.log else { return };
        let next = usize::try_from(log.position().seq.get()).expect("small");
        if next >= self.events.len() {
            return;
        }
        let event = self.event(next);
        let Some(log) = &mut self.log else { return };
        if log.apply(event.clone()) == Applied::Applied
            && let EventKind::Message { cmid, .. } = event.kind
        {
            let generation = log.position().generation;
            self.outbox.event_received(cmid, event.seq, generation);
        }
    }

    fn tell_durable(&mut self) {
        let durable = Durable {
            instance: id(),
            generation: generation(self.generation),
            durable: seq(self.archived as u64),
        };
        if let Some(log) = &mut self.log {
            log.set_durable(durable);
            self.outbox.remove_durable(log);
        }
    }

    fn tell_fence(&mut self) {
        let Some(log) = &mut self.log else { return };
        let known = log.position().generation;
        if known == generation(self.generation) {
            return;
        }
        // A client that missed several fences gets the lowest base.
        let missed = usize::try_from(known.get()).expect("small") - 1;
        let base = self.floors.iter().skip(missed).min().expect("it forgot");
        let fence = Fence {
            instance: id(),
            generation: generation(self.generation),
            base: seq(*base as u64),
        };
        if let Some(void) = log.fence(fence) {
            let now = at(self.now_ms);
            let me = Some(UserId::default());
            self.outbox.apply_fence(id(), fence.base, &void, me, now);
        }
        self.open();
    }

    fn part(&mut self, arrives: bool) {
        self.connected = false;
        let lost = std::mem::take(&mut self.requests);
        if arrives {
            self.strays
                .extend(lost.into_iter().map(|(_, request)| request));
        }
        self.answers.clear();
        self.outbox.connection_lost();
    }

    fn connect(&mut self) {
        self.connected = true;
        self.open();
    }

    fn open(&mut self) {
        let from = self.events.len().saturating_sub(OPENED);
        let opened = OpenOk {
            instance: Instance {
                title: String::new(),
                description: String::new(),
                is_public: true,
                fromdatetime: at(0),
                todatetime: at(1_000_000),
                id: id(),
                state: InstanceState::Active,
                participants: 0,
                joined: None,
                cancelled: false,
                ended_at: None,
            },
            generation: generation(self.generation),
            seq: seq(self.events.len() as u64),
            durable: seq(self.archived as u64),
            roster: vec![],
            events: (from..self.events.len()).map(|at| self.event(at)).collect(),
            more: from > 0,
            users: vec![],
            unread: None,
            absent: None,
            restrictions: OwnRestrictions::default(),
        };
        match &mut self.log {
            Some(log) => log.reopen(opened),
            None => self.log = Some(Replica::new(opened)),
        }
        if let Some(log) = &self.log {
            self.outbox.reconcile(log);
        }
    }

    /// Lets everything arrive until nothing is pending.
    fn heal(&mut self) {
        self.step(Step::Connect);
        for _ in 0..ROUNDS_MAX {
            for step in [
                Step::DiskWrites,
                Step::TellFence,
                Step::Send,
                Step::Serve(true),
                Step::Answer,
                Step::Tell,
                Step::Stray,
                Step::Archive(100),
                Step::TellDurable,
            ] {
                self.step(step);
            }
        }
        self.step(Step::DiskWrites);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_entry_arrives_once_and_in_order(
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut simulation = Simulation::new();
        for step in steps {
            simulation.step(step);
        }
        simulation.heal();
        let left: Vec<_> = simulation.outbox.entries().collect();
        prop_assert!(left.is_empty(), "still on their way: {left:?}");
        prop_assert!(simulation.disk.is_empty(), "still on disk: {:?}", simulation.disk);
        let taken: Vec<Cmid> = simulation.events.iter().map(|(cmid, _)| *cmid).collect();
        let once: BTreeSet<Cmid> = taken.iter().copied().collect();
        prop_assert_eq!(once.len(), taken.len(), "twice in the log");
        let said: BTreeSet<Cmid> = simulation.said.iter().copied().collect();
        prop_assert_eq!(&once, &said, "lost, or never said");
        if !simulation.forgot {
            prop_assert_eq!(taken, simulation.said);
        }
    }
}
