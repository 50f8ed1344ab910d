//! Current figures of live instances for the dashboard: one script per instance, in one pipeline.

use std::collections::BTreeMap;

use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::time::Timestamp;
use redis::Value;

use crate::error::Fault;
use crate::store::dashboard::{COUNTED_MAX, Counted, Holder, Now, STEP_MS};

use super::decode::{self, Decode, unexpected};
use super::meeting::live_state;
use super::scripts::{Refusal, Script, ScriptError, ScriptReply};
use super::{PIPELINE_INSTANCES_MAX, RedisStore};

/// Lost connections of one instance that are examined: as many as a dead server leaves behind.
const LOST_MAX: usize = 2_000;

impl RedisStore {
    /// Returns the figures of these instances, with what happened above a seq; `None` if not live.
    pub async fn overview(
        &self,
        asked: &[(InstanceId, Seq)],
    ) -> Result<Vec<Option<Now>>, ScriptError> {
        let mut found = Vec::with_capacity(asked.len());
        for some in asked.chunks(PIPELINE_INSTANCES_MAX) {
            let mut pipeline = redis::pipe();
            for (id, after) in some {
                pipeline.add_command(self.overview_command(*id, *after));
            }
            let answers: Vec<Value> = self.connection.ask_all(&pipeline).await??;
            for answer in answers {
                found.push(match ScriptReply::read(answer) {
                    Ok(said) => Some(now(said.done()?.1)?),
                    Err(ScriptError::Refused(Refusal::Gone)) => None,
                    Err(other) => return Err(other),
                });
            }
        }
        Ok(found)
    }

    /// Returns the connections bound to stays of these instances; none if not live.
    pub async fn holders(&self, asked: &[InstanceId]) -> Result<Vec<Vec<Holder>>, ScriptError> {
        let mut found = Vec::with_capacity(asked.len());
        for some in asked.chunks(PIPELINE_INSTANCES_MAX) {
            let mut pipeline = redis::pipe();
            for id in some {
                pipeline.add_command(self.scripts.command(Script::BoundConnections, *id));
            }
            let answers: Vec<Value> = self.connection.ask_all(&pipeline).await??;
            for answer in answers {
                found.push(match ScriptReply::read(answer) {
                    Ok(said) => holding(said.done()?.1)?,
                    Err(ScriptError::Refused(Refusal::Gone)) => Vec::new(),
                    Err(other) => return Err(other),
                });
            }
        }
        Ok(found)
    }

    fn overview_command(&self, id: InstanceId, after: Seq) -> redis::Cmd {
        let mut command = self.scripts.command(Script::Dashboard, id);
        command
            .arg(after.get())
            .arg(COUNTED_MAX)
            .arg(STEP_MS)
            .arg(LOST_MAX);
        command
    }
}

fn now(rest: Vec<Value>) -> Result<Now, Fault> {
    let [
        generation,
        seq,
        durable,
        state,
        to,
        locked,
        read_only,
        here,
        reconnecting,
        news,
    ]: [Value; 10] = rest
        .try_into()
        .map_err(|_| unexpected("dashboard figures of the wrong length"))?;
    Ok(Now {
        generation: decode::generation(&generation)?,
        seq: decode::seq(&seq)?,
        durable: decode::seq(&durable)?,
        state: live_state(&state.text()?),
        to: decode::time(&to.text()?)?,
        locked: locked.text()? == "1",
        read_only: read_only.text()? == "1",
        here: number(&here)?,
        reconnecting: number(&reconnecting)?,
        news: counted(news)?,
    })
}

fn counted(news: Value) -> Result<Option<(Seq, Counted)>, Fault> {
    let parts = decode::array(news)?;
    if parts.is_empty() {
        return Ok(None);
    }
    let [upto, stayed, messages, last, steps, joined]: [Value; 6] = parts
        .try_into()
        .map_err(|_| unexpected("counts of the wrong length"))?;
    let last = last.text()?;
    let steps = decode::texts(steps)?;
    // Keeps the first join of each user: joins are in the order of their times.
    let mut first = BTreeMap::new();
    for (user, at) in decode::stays(joined)? {
        first.entry(user).or_insert(at);
    }
    let counted = Counted {
        joined: first.into_iter().collect(),
        stayed: number(&stayed)?,
        messages: number(&messages)?,
        steps: steps
            .chunks_exact(2)
            .map(|pair| Ok((parsed(&pair[0])?, parsed(&pair[1])?)))
            .collect::<Result<_, Fault>>()?,
        last_message: said_at(&last)?,
    };
    Ok(Some((decode::seq(&upto)?, counted)))
}

fn holding(rest: Vec<Value>) -> Result<Vec<Holder>, Fault> {
    let [all]: [Value; 1] = rest
        .try_into()
        .map_err(|_| unexpected("connections of the wrong length"))?;
    let words = decode::texts(all)?;
    let each = words.chunks_exact(3).map(|three| {
        Ok(Holder {
            user: decode::user(&three[0])?,
            connection: three[1].clone(),
            lost: three[2] == "1",
        })
    });
    each.collect()
}

fn said_at(last: &str) -> Result<Option<Timestamp>, Fault> {
    match last {
        "" => Ok(None),
        at => decode::time(at).map(Some),
    }
}

fn number<T: std::str::FromStr>(value: &Value) -> Result<T, Fault> {
    parsed(&value.text()?)
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, Fault> {
    text.parse().map_err(|_| unexpected("a count is missing"))
}
