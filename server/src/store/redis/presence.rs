//! Connections that are bound to stays, and servers that hold connections.

use plenary_shared::domain::{Reason, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;
use redis::Value;

use crate::error::Fault;
use crate::store::{ConnectionId, NodeId};

use super::decode::{self, unexpected};
use super::keys::{self, Keys};
use super::scripts::{Refusal, Script, ScriptError, ScriptReply};
use super::{RedisStore, reader};

/// Lost connections per call of reap.lua. Keeps the script below a millisecond.
const REAP_CONNECTIONS_MAX: usize = 200;

/// What the archive lacks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lag {
    /// The number of events, of all instances.
    pub events: u64,
    /// The number of events of the instance that lacks most.
    pub events_most: u64,
    /// The age of the oldest of them, in milliseconds.
    pub oldest_ms: i64,
}

impl RedisStore {
    /// Checks that a follower may still read, and binds their connection to their stay, if any.
    pub async fn bind(
        &self,
        id: InstanceId,
        user: &User,
        connection: &ConnectionId,
    ) -> Result<(), ScriptError> {
        let mut command = self.scripts.command(Script::Bind, id);
        command.arg(&reader(user)).arg(connection.to_string());
        or_gone(self.run(&command).await.map(|_| ()))
    }

    /// Marks a connection as lost since `silent_ms` ago.
    pub async fn detach(
        &self,
        id: InstanceId,
        connection: &ConnectionId,
        silent_ms: i64,
    ) -> Result<(), ScriptError> {
        let mut command = self.scripts.command(Script::Detach, id);
        command.arg(connection.to_string()).arg(silent_ms);
        or_gone(self.run(&command).await.map(|_| ()))
    }

    /// Unbinds a connection, and ends its stay if no other connection is bound to it.
    pub async fn release(
        &self,
        id: InstanceId,
        connection: &ConnectionId,
        reason: Reason,
    ) -> Result<(), ScriptError> {
        let mut command = self.scripts.command(Script::Release, id);
        command.arg(connection.to_string()).arg(reason.as_str());
        or_gone(self.run(&command).await.map(|_| ()))
    }

    /// Sets since how many milliseconds a connection is idle; `None`: it is in use.
    pub async fn idle(
        &self,
        id: InstanceId,
        connection: &ConnectionId,
        idle_ms: Option<i64>,
    ) -> Result<(), ScriptError> {
        let mut command = self.scripts.command(Script::SetIdle, id);
        command
            .arg(connection.to_string())
            .arg(if idle_ms.is_some() { "1" } else { "" })
            .arg(idle_ms.unwrap_or(0));
        or_gone(self.run(&command).await.map(|_| ()))
    }

    /// Ends the stays whose grace period has passed. Returns how many connections were due.
    pub async fn reap(&self, id: InstanceId, grace_ms: i64) -> Result<usize, ScriptError> {
        let mut reaped = 0;
        loop {
            let mut command = self.scripts.command(Script::Reap, id);
            command.arg(grace_ms).arg(REAP_CONNECTIONS_MAX);
            let due = match self.run(&command).await {
                Ok(said) => decode::array(Value::Array(said.done()?.1))?,
                Err(ScriptError::Refused(Refusal::Gone)) => return Ok(reaped),
                Err(other) => return Err(other),
            };
            match due.first() {
                Some(Value::Int(count)) => {
                    let count = usize::try_from(*count).unwrap_or(0);
                    reaped += count;
                    if count < REAP_CONNECTIONS_MAX {
                        return Ok(reaped);
                    }
                }
                _ => return Err(unexpected("a count is missing").into()),
            }
        }
    }

    /// Returns those of these instances that have connections whose grace period has passed.
    pub async fn to_reap(
        &self,
        ids: &[InstanceId],
        lost_before_ms: i64,
    ) -> Result<Vec<InstanceId>, Fault> {
        let mut due = Vec::new();
        for some in ids.chunks(super::PIPELINE_INSTANCES_MAX) {
            let mut pipeline = redis::pipe();
            for id in some {
                pipeline
                    .cmd("ZCOUNT")
                    .arg(Keys(*id).grace())
                    .arg("-inf")
                    .arg(lost_before_ms);
            }
            let counts: Vec<u64> = self.ask_all(&pipeline).await?;
            due.extend(
                some.iter()
                    .zip(counts)
                    .filter(|(_, n)| *n > 0)
                    .map(|(id, _)| *id),
            );
        }
        Ok(due)
    }

    /// Renews the lease of this server; with 0 ends it. Returns Redis' time and every live server.
    pub async fn renew_lease(
        &self,
        node: &NodeId,
        lease_ms: i64,
    ) -> Result<(i64, Vec<NodeId>), ScriptError> {
        let keys = [keys::NODES.to_owned(), keys::RENEWED.to_owned()];
        let mut command = self.scripts.command_with(Script::RenewLease, &keys);
        command.arg(&node.0).arg(lease_ms);
        let answer: Vec<String> = self.noticed(self.connection.ask(&command).await)??;
        let mut answer = answer.into_iter();
        let now = answer
            .next()
            .and_then(|ms| ms.parse().ok())
            .ok_or_else(|| unexpected("a time is missing"))?;
        Ok((now, answer.map(NodeId).collect()))
    }

    /// Marks the connections of dead servers as lost since the last renewal of their lease.
    pub async fn mark_dead_nodes(
        &self,
        now_ms: i64,
        active: &[InstanceId],
    ) -> Result<(), ScriptError> {
        let mut command = redis::cmd("ZRANGEBYSCORE");
        command
            .arg(keys::NODES)
            .arg("-inf")
            .arg(now_ms)
            .arg("WITHSCORES");
        let dead: Vec<(String, f64)> = self.ask(&mut command).await?;
        for (node, lease_end) in dead {
            let mut command = redis::cmd("HGET");
            command.arg(keys::RENEWED).arg(&node);
            let renewed_ms: Option<i64> = self.ask(&mut command).await?;
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970")]
            let lost_ms = renewed_ms.unwrap_or(lease_end as i64);
            let mut living = 0;
            for id in active {
                let mut command = self.scripts.command(Script::MarkNodeLost, *id);
                command.arg(&node).arg(lost_ms).arg(now_ms);
                living += living_on(self.run(&command).await)?;
            }
            // It has bound connections since, so it lives, or the next check finds it dead with these.
            if living > 0 {
                continue;
            }
            let keys = [keys::NODES.to_owned(), keys::RENEWED.to_owned()];
            let mut command = self.scripts.command_with(Script::RemoveNode, &keys);
            command.arg(&node).arg(now_ms);
            self.run(&command).await?.done()?;
        }
        Ok(())
    }

    /// Returns Redis' time in milliseconds since 1970.
    pub async fn store_now(&self) -> Result<i64, ScriptError> {
        let (_, rest) = self
            .run(&self.scripts.command_with(Script::Time, &[]))
            .await?
            .done()?;
        match rest.first() {
            Some(Value::Int(ms)) => Ok(*ms),
            _ => Err(unexpected("a time is missing").into()),
        }
    }

    /// Returns the live instances that end by then and are not closed, with their ends.
    pub async fn ends(&self, until: Timestamp) -> Result<Vec<(InstanceId, Timestamp)>, Fault> {
        let mut command = redis::cmd("ZRANGEBYSCORE");
        command
            .arg(keys::ACTIVE_MEETINGS)
            .arg("-inf")
            .arg(until.as_ms());
        let members: Vec<String> = self.ask(&mut command).await?;
        let ids: Vec<InstanceId> = members
            .iter()
            .filter_map(|member| keys::instance_of(member))
            .collect();
        let mut ends = Vec::new();
        for some in ids.chunks(super::PIPELINE_INSTANCES_MAX) {
            let mut pipeline = redis::pipe();
            for id in some {
                pipeline
                    .cmd("HMGET")
                    .arg(Keys(*id).meeting())
                    .arg(&["state", "todatetime"]);
            }
            let answers: Vec<(Option<String>, Option<i64>)> = self.ask_all(&pipeline).await?;
            for (id, answer) in some.iter().zip(answers) {
                if let (Some(state), Some(to_ms)) = answer
                    && state != "closed"
                {
                    ends.push((*id, Timestamp::from_ms(to_ms)));
                }
            }
        }
        Ok(ends)
    }

    /// Returns what the archive lacks of all live instances.
    pub async fn lag(&self) -> Result<Lag, Fault> {
        let active = self.active().await?;
        let heads = self.heads(&active).await?;
        let now_ms = match self.store_now().await {
            Ok(now_ms) => now_ms,
            Err(ScriptError::Fault(fault)) => return Err(fault),
            Err(ScriptError::Refused(_) | ScriptError::NoScript) => {
                return Err(unexpected("a time is missing"));
            }
        };
        let mut lag = Lag::default();
        for (id, head) in active.into_iter().zip(heads) {
            let Some(head) = head.filter(|head| head.durable < head.seq) else {
                continue;
            };
            let events = head.seq.get() - head.durable.get();
            lag.events += events;
            lag.events_most = lag.events_most.max(events);
            if let Some(oldest) = self.log(id, head.durable, 1).await?.first() {
                lag.oldest_ms = lag.oldest_ms.max(now_ms - oldest.timestamp.as_ms());
            }
        }
        Ok(lag)
    }

    /// Returns the instances in the index of live ones.
    pub async fn active(&self) -> Result<Vec<InstanceId>, Fault> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(keys::ACTIVE_MEETINGS).arg(0).arg(-1);
        let members: Vec<String> = self.ask(&mut command).await?;
        Ok(members
            .iter()
            .filter_map(|member| keys::instance_of(member))
            .collect())
    }
}

/// Reads how many connections of a dead server are still alive.
fn living_on(said: Result<ScriptReply, ScriptError>) -> Result<i64, ScriptError> {
    match said.and_then(ScriptReply::done) {
        Ok((_, rest)) => match rest.first() {
            Some(Value::Int(living)) => Ok(*living),
            _ => Err(unexpected("a number is missing").into()),
        },
        Err(ScriptError::Refused(Refusal::Gone)) => Ok(0),
        Err(error) => Err(error),
    }
}

fn or_gone(said: Result<(), ScriptError>) -> Result<(), ScriptError> {
    match said {
        Err(ScriptError::Refused(Refusal::Gone)) => Ok(()),
        other => other,
    }
}
