//! The instances that are watched in detail, each read once for all its watchers, up to where the
//! dashboard has counted it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::{Generation, InstanceId, Seq};
use plenary_shared::limits::TIMELINE_MAX;
use plenary_shared::time::Timestamp;

use super::detail::Detail;
use super::lock;
use crate::error::Answer;
use crate::hub::Hub;
use crate::store::dashboard::Listed;
use crate::store::{NodeId, Store};

/// Instances watched in detail at one server.
const DETAILS_MAX: usize = 64;

/// Events of a log read at once.
const EVENTS_MAX: usize = 500;

/// How often a log that is behind is read within one pass; the next pass counts the rest.
const ROUNDS_MAX: usize = 20;

/// The instances that are watched in detail.
#[derive(Default)]
pub(super) struct Details {
    /// The watchers by their number, with the instance they watch.
    wanted: Mutex<HashMap<u64, InstanceId>>,
    known: Mutex<HashMap<InstanceId, Arc<Mutex<Detail>>>>,
}

/// Up to where the dashboard has counted an instance.
pub(super) struct Counted {
    pub(super) listed: Listed,
    pub(super) upto: Seq,
    pub(super) generation: Option<Generation>,
}

impl Details {
    /// Watches this instance, and no other.
    pub(super) fn want(&self, who: u64, instance: Option<InstanceId>) -> Result<(), Reject> {
        let mut wanted = lock(&self.wanted);
        let Some(instance) = instance else {
            wanted.remove(&who);
            return Ok(());
        };
        let others: BTreeSet<InstanceId> = wanted
            .iter()
            .filter(|(other, _)| **other != who)
            .map(|(_, instance)| *instance)
            .collect();
        if others.len() >= DETAILS_MAX && !others.contains(&instance) {
            let detail =
                format!("Admins watch {DETAILS_MAX} meetings in detail already; try again later.");
            return Err(Reject::new(Code::TooManyRequests, detail));
        }
        wanted.insert(who, instance);
        Ok(())
    }

    pub(super) fn known(&self, instance: InstanceId) -> Option<Arc<Mutex<Detail>>> {
        lock(&self.known).get(&instance).cloned()
    }

    /// Whether there is one that was not counted yet.
    pub(super) fn is_asked(&self) -> bool {
        let known = lock(&self.known);
        lock(&self.wanted)
            .values()
            .any(|id| !known.contains_key(id))
    }

    /// Drops everything, when nobody watches.
    pub(super) fn forget(&self) {
        lock(&self.known).clear();
    }

    /// The watched instances.
    fn all(&self) -> Vec<(InstanceId, Arc<Mutex<Detail>>)> {
        let wanted: BTreeSet<InstanceId> = lock(&self.wanted).values().copied().collect();
        let mut known = lock(&self.known);
        known.retain(|id, _| wanted.contains(id));
        for id in wanted {
            known
                .entry(id)
                .or_insert_with(|| Arc::new(Mutex::new(Detail::new(id))));
        }
        known.iter().map(|(id, one)| (*id, one.clone())).collect()
    }

    /// Updates all of them to where they are counted. Returns whether something changed.
    pub(super) async fn look(
        &self,
        looker: &Looker<'_>,
        counted: impl Fn(InstanceId) -> Option<Counted>,
        number: impl Fn() -> u64,
    ) -> Answer<bool> {
        let all = self.all();
        if all.is_empty() {
            return Ok(false);
        }
        let ids: Vec<InstanceId> = all.iter().map(|(id, _)| *id).collect();
        let holders = looker.store.holders(&ids).await?;
        for denial in looker.hub.take_denials() {
            if let Some(known) = self.known(denial.instance) {
                lock(&known).deny(denial);
            }
        }
        let mut is_news = false;
        for ((id, detail), holders) in all.into_iter().zip(holders) {
            if let Some(counted) = counted(id) {
                looker.bring_up(&detail, &counted).await?;
            } else {
                // It is unknown, or ended long ago.
                lock(&detail).is_begun = true;
            }
            let mut detail = lock(&detail);
            detail.hold(holders, looker.at, |user, connection| {
                let (node, number) = connection.split_once('.')?;
                let number = u64::from_str_radix(number, 16).ok()?;
                let is_ours = node == looker.node.0;
                is_ours.then(|| looker.hub.round_trip_ms(user, number))?
            });
            is_news |= detail.publish(number());
        }
        Ok(is_news)
    }
}

/// The inputs of one pass.
pub(super) struct Looker<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) hub: &'a Hub,
    pub(super) node: &'a NodeId,
    pub(super) at: Timestamp,
}

impl Looker<'_> {
    /// Counts as far as the dashboard has, so that both agree.
    async fn bring_up(&self, detail: &Mutex<Detail>, counted: &Counted) -> Answer<()> {
        let id = counted.listed.id;
        let goes_on = {
            let detail = lock(detail);
            detail.is_begun
                && detail.generation == counted.generation
                && detail.upto <= counted.upto
        };
        if !goes_on {
            let base = counted.listed.archived.min(counted.upto);
            let attended = self.store.attended(id, base).await?;
            let before = base.get().saturating_sub(TIMELINE_MAX as u64);
            let before = Seq::new(before).unwrap_or_default();
            let last = if base > before {
                self.store.backfill(id, before, TIMELINE_MAX).await?
            } else {
                Vec::new()
            };
            lock(detail).begin(counted.generation, base, attended, &last);
        }
        for _ in 0..ROUNDS_MAX {
            let after = lock(detail).upto;
            if after >= counted.upto {
                break;
            }
            let events = self.store.backfill(id, after, EVENTS_MAX).await?;
            let mut detail = lock(detail);
            for event in events {
                let is_ours = event.generation == Generation::default()
                    || Some(event.generation) == counted.generation;
                if !is_ours || event.seq != detail.upto.next() || event.seq > counted.upto {
                    break;
                }
                detail.count(&event);
            }
            if detail.upto == after {
                // It was rebuilt meanwhile; the next pass notices.
                break;
            }
        }
        Ok(())
    }
}
