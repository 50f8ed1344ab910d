//! An admin steers a live instance: one script for every measure.

use plenary_shared::domain::{Act, Standing, User};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::time::Timestamp;

use crate::error::Fault;
use crate::store::moderation::{LENGTH_MS_MAX, Measure, Order};

use super::decode::{self, Decode};
use super::keys::{self, Keys};
use super::meeting::Saying;
use super::scripts::{NotDone, Script};
use super::{RedisStore, UNARCHIVED_EVENTS_MAX};

impl RedisStore {
    /// Does what an admin wants. `looked`: up to there, the archive has nothing of this user under
    /// this cmid.
    pub async fn moderate(
        &self,
        id: InstanceId,
        actor: &User,
        order: &Order,
        looked: Seq,
    ) -> Result<Saying, NotDone> {
        let k = Keys(id);
        let keys = [
            k.meeting(),
            k.participants(),
            k.owners(),
            k.presence(),
            k.log(),
            k.sent(),
            k.channel(),
        ];
        let by_ms = match order.measure {
            Measure::ExtendBy(ms) => ms.to_string(),
            _ => String::new(),
        };
        let act = order.measure.clone().act(Timestamp::default());
        let (subject, whom, note) = told(&act, order.reason.as_deref());
        let (word, mut rest) = self
            .change(id, |generation| {
                let mut command = self.scripts.command(Script::Moderate, &keys);
                command
                    .arg(generation.get())
                    .arg(actor.id.get())
                    .arg(&actor.name)
                    .arg(order.cmid.to_string())
                    .arg(act.as_str())
                    .arg(&subject)
                    .arg(&whom)
                    .arg(&note)
                    .arg(&by_ms)
                    .arg(looked.get())
                    .arg(UNARCHIVED_EVENTS_MAX)
                    .arg(LENGTH_MS_MAX);
                command
            })
            .await?;
        if word == "ok"
            && let Some(end) = rest.pop()
        {
            let end = decode::time(&end.text()?)?;
            let now = rest.get(1).map(Decode::text).transpose()?;
            self.index_end(id, &act, end, now.as_deref()).await;
        }
        Saying::read(&word, &rest)
    }

    /// Brings the index of ends up to what was done. It is an index only: the sweep repairs it.
    async fn index_end(&self, id: InstanceId, act: &Act, end: Timestamp, now: Option<&str>) {
        let at_ms = match (act, now) {
            (Act::Extended { .. }, _) => end.as_ms().to_string(),
            (Act::Ended, Some(now)) => now.to_owned(),
            _ => return,
        };
        let mut index = redis::cmd("ZADD");
        index
            .arg(keys::ACTIVE_MEETINGS)
            .arg(at_ms)
            .arg(keys::member(id));
        if let Err(fault) = self.ask::<u64>(&mut index).await {
            tracing::debug!(instance = %id, %fault, "the index of ends is repaired later");
        }
    }

    /// What holds in a live instance because admins said so.
    pub async fn standing(&self, id: InstanceId) -> Result<Standing, Fault> {
        let mut command = redis::cmd("HKEYS");
        command.arg(Keys(id).meeting());
        let fields: Vec<String> = self.ask(&mut command).await?;
        let mut standing = Standing::default();
        for field in fields {
            if let Some(user) = field.strip_prefix("muted:") {
                standing.muted.insert(decode::user(user)?);
            } else if let Some(user) = field.strip_prefix("banned:") {
                standing.banned.insert(decode::user(user)?);
            }
            standing.locked |= field == "locked";
            standing.read_only |= field == "readOnly";
        }
        Ok(standing)
    }

    /// When a live instance is over by the live store, if it goes on; `None`: it is not live, or its
    /// end has begun.
    pub async fn end_by_clock(&self, id: InstanceId) -> Result<Option<Timestamp>, Fault> {
        let mut command = redis::cmd("HMGET");
        command
            .arg(Keys(id).meeting())
            .arg(&["state", "todatetime"]);
        let found: Vec<Option<String>> = self.ask(&mut command).await?;
        match found.as_slice() {
            [Some(state), Some(to)] if state == "active" => Ok(Some(decode::time(to)?)),
            _ => Ok(None),
        }
    }
}

/// Whom it concerns or until when, what that person is called, and what is said of it; empty: nothing.
fn told(act: &Act, reason: Option<&str>) -> (String, String, String) {
    let (subject, whom) = match act {
        Act::Extended { todatetime, .. } => (todatetime.as_ms().to_string(), String::new()),
        other => other.whom().map_or_else(Default::default, |whom| {
            (whom.id.to_string(), whom.name.clone())
        }),
    };
    let note = match act {
        Act::Announced { body } => body.to_string(),
        _ => reason.unwrap_or_default().to_owned(),
    };
    (subject, whom, note)
}
