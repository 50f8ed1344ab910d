//! What may be done to a store: plain values that are drawn, shrunk, and shown when they fail.
//!
//! People, instances and connections are small numbers, taken modulo what there is, so that every
//! sequence of steps makes sense, and so does every part of one.

use plenary_shared::domain::Reason;
use proptest::prelude::*;
use proptest::sample::select;

/// The unit of all times here: much longer than a case takes on a store whose clock goes on.
pub const UNIT_MS: i64 = 600_000;

/// Who does it, among the people there are.
pub type Who = u8;

/// Where, among the instances there are and one that is not.
pub type At = u8;

/// By which of three connections that a person has; the third is of another server.
pub type By = u8;

/// A page of a log.
#[derive(Clone, Copy, Debug)]
pub enum Pick {
    /// The last ones.
    Last,
    /// The last ones before this seq.
    Before(u64),
    /// The first ones after this seq.
    After(u64),
}

/// What is read page by page.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The log.
    Events,
    /// The messages.
    Messages,
    /// One person's messages.
    MessagesOf(Who),
}

/// One verb, or what happens to a store from outside.
#[derive(Clone, Debug)]
pub enum Step {
    /// A person with the address of this number, which may be taken.
    AddUser(u8),
    /// A meeting: public, or for those people whose bits are set.
    AddMeeting(Option<u8>),
    /// From so many units after now, for so many: also what cannot be.
    Schedule { meeting: u8, from: i8, units: u8 },
    /// Starts what may be due.
    Start(At),
    /// Joins.
    Join { who: Who, at: At, by: Option<By> },
    /// Leaves.
    Leave { who: Who, at: At },
    /// Says something under one of a few ids, most of which are used again.
    Post { who: Who, at: At, cmid: u8 },
    /// Opens, and holds the stay.
    Open {
        who: Who,
        at: At,
        by: Option<By>,
        limit: usize,
    },
    /// Says that one is there still.
    Hold { who: Who, at: At, by: By },
    /// A connection is lost.
    Detach { who: Who, at: At, by: By },
    /// Ends what was lost so many units ago, in one instance.
    Reap { at: At, grace: u8 },
    /// In all of them, also what dead servers held.
    ReapAll { grace: u8 },
    /// A server's lease.
    Lease { second: bool, units: u8 },
    /// The first so many steps of an end.
    End { at: At, reason: Reason, steps: u8 },
    /// What is live is archived.
    Archive(At),
    /// Somebody invites a person, or does so no longer, and a sweep sees it.
    Invite {
        meeting: u8,
        who: Who,
        invited: bool,
    },
    /// A sweep of what is well.
    Sweep,
    /// A page.
    Read {
        who: Who,
        at: At,
        kind: Kind,
        pick: Pick,
        limit: usize,
    },
    /// Everything that one person sees of everything.
    Look(Who),
    /// What is due within so many units.
    Agenda { units: u8 },
    /// So much time passes.
    Jump { units: u8 },
    /// The server is another.
    Restart,
    /// What is live is in another process; whether that remembers what was there.
    Crash { remembers: bool },
}

/// A step, what matters most often.
pub fn step() -> impl Strategy<Value = Step> {
    let (who, by) = (0..5_u8, 0..3_u8);
    // Most of it in the two instances that have begun, so that something comes of it.
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
