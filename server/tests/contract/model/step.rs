//! The steps of the model test: plain values that are generated, shrunk, and printed on failure.
//!
//! Users, instances and connections are small numbers, taken modulo what exists, so that every
//! sequence of steps is meaningful, and every part of one too.

use plenary_shared::domain::Reason;
use proptest::prelude::*;
use proptest::sample::select;

/// The unit of all times here: much longer than a case takes on a store with a real clock.
pub const UNIT_MS: i64 = 600_000;

/// The acting user, as an index.
pub type Who = u8;

/// The instance, as an index; one index names no instance.
pub type At = u8;

/// One of a user's three connections; the third is to another server.
pub type By = u8;

/// A page of a log.
#[derive(Clone, Copy, Debug)]
pub enum Pick {
    /// The last events.
    Last,
    /// The last events before this seq.
    Before(u64),
    /// The first events after this seq.
    After(u64),
}

/// What is read in pages.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The log.
    Events,
    /// The messages.
    Messages,
    /// One user's messages.
    MessagesOf(Who),
}

/// One operation, or an event outside the store.
#[derive(Clone, Debug)]
pub enum Step {
    /// Adds a user with the address of this number, which may be taken.
    AddUser(u8),
    /// Adds a meeting: public, or private for the users whose bits are set.
    AddMeeting(Option<u8>),
    /// Schedules an instance: start and length in units from now, including invalid ones.
    Schedule { meeting: u8, from: i8, units: u8 },
    /// Starts an instance that may be due.
    Start(At),
    /// Joins.
    Join { who: Who, at: At, by: Option<By> },
    /// Leaves.
    Leave { who: Who, at: At },
    /// Posts with one of a few cmids, most of which are used repeatedly.
    Post { who: Who, at: At, cmid: u8 },
    /// Opens an instance and holds the stay.
    Open {
        who: Who,
        at: At,
        by: Option<By>,
        limit: usize,
    },
    /// Confirms that a connection still follows.
    Hold { who: Who, at: At, by: By },
    /// Loses a connection.
    Detach { who: Who, at: At, by: By },
    /// Ends stays that were lost this many units ago, in one instance.
    Reap { at: At, grace: u8 },
    /// The same in all instances, including connections of dead servers.
    ReapAll { grace: u8 },
    /// Renews a server's lease.
    Lease { second: bool, units: u8 },
    /// Takes the first steps of an end.
    End { at: At, reason: Reason, steps: u8 },
    /// Archives the events.
    Archive(At),
    /// Another program changes the audience, and a sweep notices it.
    Invite {
        meeting: u8,
        who: Who,
        invited: bool,
    },
    /// Sweeps a healthy state.
    Sweep,
    /// Reads a page.
    Read {
        who: Who,
        at: At,
        kind: Kind,
        pick: Pick,
        limit: usize,
    },
    /// Reads everything that one user sees.
    Look(Who),
    /// Reads the agenda for this many units.
    Agenda { units: u8 },
    /// Lets this much time pass.
    Jump { units: u8 },
    /// Replaces the server.
    Restart,
    /// Restarts the process of the live state, with or without its data.
    Crash { remembers: bool },
}

/// Generates a step; important ones are more frequent.
pub fn step() -> impl Strategy<Value = Step> {
    let (who, by) = (0..5_u8, 0..3_u8);
    // Mostly in the two instances that have started, so that steps have effects.
    let at = prop_oneof![6 => 0..2_u8, 2 => 2..6_u8];
    let maybe_by = proptest::option::of(0..3_u8);
    let limit = || prop_oneof![3 => 1..6_usize, 1 => Just(1_000)];
    let pick = prop_oneof![
        Just(Pick::Last),
        (0..30_u64).prop_map(Pick::Before),
        (0..30_u64).prop_map(Pick::After),
    ];
    let kind = prop_oneof![
        Just(Kind::Events),
        Just(Kind::Messages),
        who.clone().prop_map(Kind::MessagesOf),
    ];
    let reason = select(vec![Reason::Scheduled, Reason::Ended, Reason::Missed]);
    let talking = prop_oneof![
        6 => (who.clone(), at.clone(), maybe_by.clone())
            .prop_map(|(who, at, by)| Step::Join { who, at, by }),
        3 => (who.clone(), at.clone()).prop_map(|(who, at)| Step::Leave { who, at }),
        9 => (who.clone(), at.clone(), 0..4_u8)
            .prop_map(|(who, at, cmid)| Step::Post { who, at, cmid }),
    ];
    let holding = prop_oneof![
        3 => (who.clone(), at.clone(), maybe_by, limit())
            .prop_map(|(who, at, by, limit)| Step::Open { who, at, by, limit }),
        1 => (who.clone(), at.clone(), by.clone())
            .prop_map(|(who, at, by)| Step::Hold { who, at, by }),
        4 => (who.clone(), at.clone(), by).prop_map(|(who, at, by)| Step::Detach { who, at, by }),
        3 => (at.clone(), 0..3_u8).prop_map(|(at, grace)| Step::Reap { at, grace }),
        2 => (0..3_u8).prop_map(|grace| Step::ReapAll { grace }),
        2 => (any::<bool>(), 0..3_u8).prop_map(|(second, units)| Step::Lease { second, units }),
    ];
    let planning = prop_oneof![
        1 => (0..6_u8).prop_map(Step::AddUser),
        1 => proptest::option::of(0..64_u8).prop_map(Step::AddMeeting),
        3 => (0..3_u8, -2..3_i8, 0..7_u8)
            .prop_map(|(meeting, from, units)| Step::Schedule { meeting, from, units }),
        4 => at.clone().prop_map(Step::Start),
        2 => (0..3_u8, who.clone(), any::<bool>())
            .prop_map(|(meeting, who, invited)| Step::Invite { meeting, who, invited }),
    ];
    let passing = prop_oneof![
        2 => (at.clone(), reason, 1..6_u8)
            .prop_map(|(at, reason, steps)| Step::End { at, reason, steps }),
        2 => at.clone().prop_map(Step::Archive),
        1 => Just(Step::Sweep),
        4 => (1..4_u8).prop_map(|units| Step::Jump { units }),
        1 => Just(Step::Restart),
        2 => any::<bool>().prop_map(|remembers| Step::Crash { remembers }),
    ];
    let looking = prop_oneof![
        4 => (who.clone(), at, kind, pick, limit())
            .prop_map(|(who, at, kind, pick, limit)| Step::Read { who, at, kind, pick, limit }),
        2 => who.prop_map(Step::Look),
        1 => (0..8_u8).prop_map(|units| Step::Agenda { units }),
    ];
    prop_oneof![
        8 => talking,
        5 => holding,
        3 => planning,
        3 => passing,
        3 => looking,
    ]
}
