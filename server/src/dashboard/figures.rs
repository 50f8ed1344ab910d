//! The figures of one instance: counts of its log, and its current state.

use std::collections::{BTreeMap, BTreeSet};

use plenary_shared::domain::InstanceState;
use plenary_shared::ids::{Generation, Seq, UserId};
use plenary_shared::limits::{ACTIVITY_MINUTES, LATE_MS};
use plenary_shared::protocol::DashboardRow;
use plenary_shared::time::Timestamp;

use crate::store::dashboard::{Counted, Listed, Now, STEP_MS};

const MINUTE_MS: i64 = 60_000;

const STEPS_PER_MINUTE: i64 = MINUTE_MS / STEP_MS;

/// One instance, counted up to a seq.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// The last counted seq.
    pub(super) upto: Seq,
    /// The live generation that was counted; `None` if only the record was.
    pub(super) generation: Option<Generation>,
    ever: BTreeSet<UserId>,
    late: u32,
    stayed: u32,
    messages: u64,
    last_message: Option<Timestamp>,
    steps: BTreeMap<i64, u64>,
    now: Option<Now>,
    /// Users who wait for its start.
    pub(super) waiting: u32,
}

impl Figures {
    /// Adds the events up to this seq.
    pub(super) fn count(&mut self, listed: &Listed, upto: Seq, news: Counted) {
        self.upto = upto;
        for (user, joined) in news.joined {
            let is_late = joined.ms_since(listed.from) > LATE_MS;
            if self.ever.insert(user) && is_late {
                self.late += 1;
            }
        }
        self.stayed += news.stayed;
        self.messages += news.messages;
        self.last_message = news.last_message.or(self.last_message);
        for (step, messages) in news.steps {
            *self.steps.entry(step).or_default() += messages;
        }
    }

    /// Sets the current state.
    pub(super) fn is(&mut self, now: Option<Now>) {
        self.now = now;
    }

    /// The row that the dashboard shows at this time.
    pub(super) fn row(&mut self, listed: &Listed, at: Timestamp) -> DashboardRow {
        let step = at.as_ms().div_euclid(STEP_MS);
        let minute = step.div_euclid(STEPS_PER_MINUTE);
        let minutes = i64::try_from(ACTIVITY_MINUTES).unwrap_or(i64::MAX);
        let first = minute - minutes + 1;
        self.steps = self.steps.split_off(&(first * STEPS_PER_MINUTE));
        let ever = u32::try_from(self.ever.len()).unwrap_or(u32::MAX);
        let here = self.now.as_ref().map_or(0, |now| now.here);
        let early = match listed.state {
            InstanceState::Scheduled => 0,
            InstanceState::Active | InstanceState::Ending | InstanceState::Ended => {
                ever.saturating_sub(here).saturating_sub(self.stayed)
            }
        };
        DashboardRow {
            instance: listed.id,
            title: listed.title.clone(),
            is_public: listed.is_public,
            fromdatetime: listed.from,
            todatetime: self.now.as_ref().map_or(listed.to, |now| now.to),
            state: self.now.as_ref().map_or(listed.state, |now| now.state),
            cancelled: listed.cancelled,
            locked: self.now.as_ref().is_some_and(|now| now.locked),
            read_only: self.now.as_ref().is_some_and(|now| now.read_only),
            participants: here,
            waiting: match listed.state {
                InstanceState::Scheduled => self.waiting,
                InstanceState::Active | InstanceState::Ending | InstanceState::Ended => 0,
            },
            reconnecting: self.now.as_ref().map_or(0, |now| now.reconnecting),
            total_participants: ever,
            invited: (!listed.is_public).then_some(listed.invited),
            late: self.late,
            left_early: early,
            messages: self.messages,
            messages_per_minute: self
                .steps
                .range(step - STEPS_PER_MINUTE + 1..)
                .map(|(_, n)| n)
                .sum(),
            activity: self.spark(first, minutes),
            last_message: self.last_message,
            seq: self.now.as_ref().map_or(listed.archived, |now| now.seq),
            durable: self.now.as_ref().map_or(listed.archived, |now| now.durable),
        }
    }

    /// Empty if nothing was posted in this time.
    fn spark(&self, first: i64, minutes: i64) -> Vec<u64> {
        if self.steps.is_empty() {
            return Vec::new();
        }
        let of = |minute: i64| {
            let steps = minute * STEPS_PER_MINUTE..(minute + 1) * STEPS_PER_MINUTE;
            self.steps.range(steps).map(|(_, n)| n).sum()
        };
        (first..first + minutes).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> Listed {
        Listed {
            id: "1/4".parse().expect("an instance"),
            title: "Seminar".to_owned(),
            is_public: false,
            from: Timestamp::from_ms(0),
            to: Timestamp::from_ms(3_600_000),
            cancelled: false,
            state: InstanceState::Active,
            invited: 3,
            archived: Seq::default(),
        }
    }

    fn user(n: u64) -> UserId {
        UserId::new(n).expect("small")
    }

    fn joined(who: u64, at: i64) -> (UserId, Timestamp) {
        (user(who), Timestamp::from_ms(at))
    }

    fn seq(n: u64) -> Seq {
        Seq::new(n).expect("small")
    }

    fn now(here: u32) -> Now {
        Now {
            generation: Generation::default(),
            seq: seq(9),
            durable: seq(9),
            state: InstanceState::Active,
            to: Timestamp::from_ms(3_600_000),
            locked: false,
            read_only: true,
            here,
            reconnecting: 0,
            news: None,
        }
    }

    #[test]
    fn whoever_comes_again_is_late_once_or_never() {
        let mut figures = Figures::default();
        let news = |joined| Counted {
            joined,
            ..Counted::default()
        };
        figures.count(
            &listed(),
            seq(3),
            news(vec![joined(1, 1_000), joined(2, LATE_MS)]),
        );
        figures.count(
            &listed(),
            seq(5),
            news(vec![joined(1, LATE_MS + 1), joined(3, LATE_MS + 1)]),
        );
        figures.is(Some(now(2)));
        let row = figures.row(&listed(), Timestamp::from_ms(LATE_MS + 2));
        assert_eq!(
            (
                row.total_participants,
                row.late,
                row.participants,
                row.left_early
            ),
            (3, 1, 2, 1)
        );
        assert_eq!(row.invited, Some(3));
        assert!(row.read_only && !row.locked);
    }

    #[test]
    fn what_was_said_leaves_the_minute_and_then_the_curve() {
        let mut figures = Figures::default();
        let news = Counted {
            messages: 5,
            steps: vec![(0, 2), (6, 3)],
            last_message: Some(Timestamp::from_ms(61_000)),
            ..Counted::default()
        };
        figures.count(&listed(), seq(6), news);
        let mut at = |ms| {
            let row = figures.row(&listed(), Timestamp::from_ms(ms));
            (
                row.messages_per_minute,
                row.activity
                    .iter()
                    .rev()
                    .take(2)
                    .copied()
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(at(59_000), (2 + 3, vec![2, 0]));
        assert_eq!(at(61_000), (3, vec![3, 2]));
        assert_eq!(at(125_000), (0, vec![0, 3]));
        assert_eq!(at(10 * 60_000 + 61_000), (0, vec![]));
        assert_eq!(figures.row(&listed(), Timestamp::from_ms(0)).messages, 5);
    }
}
