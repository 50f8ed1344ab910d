//! What live instances are at this instant, for the dashboard: one script each, in one pipeline.

use std::collections::BTreeMap;

use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::time::Timestamp;
use redis::Value;

use crate::error::Fault;
use crate::store::overview::{COUNTED_MAX, Counted, Holder, Now, STEP_MS};

use super::decode::{self, Decode, unexpected};
use super::keys::Keys;
use super::meeting::live_state;
use super::scripts::{NotDone, Refused, Said, Script};
use super::{PIPELINE_INSTANCES_MAX, RedisStore};

/// Lost connections of one instance that are looked at: as many as a dead server leaves behind.
const LOST_MAX: usize = 2_000;

impl RedisStore {
    /// What these instances are, and what happened in each above a seq; `None`: not live.
    pub async fn overview(&self, asked: &[(InstanceId, Seq)]) -> Result<Vec<Option<Now>>, NotDone> {
        let mut found = Vec::with_capacity(asked.len());
        for some in asked.chunks(PIPELINE_INSTANCES_MAX) {
            let mut pipeline = redis::pipe();
            for (id, after) in some {
                pipeline.add_command(self.overview_command(*id, *after));
            }
            let answers: Vec<Value> = self.connection.ask_all(&pipeline).await??;
            for answer in answers {
                found.push(match Said::read(answer) {
                    Ok(said) => Some(now(said.done()?.1)?),
                    Err(NotDone::Refused(Refused::Gone)) => None,
                    Err(other) => return Err(other),
                });
            }
        }
        Ok(found)
    }

    /// Which connections hold the stays of these instances; nothing where it is not live.
    pub async fn holders(&self, asked: &[InstanceId]) -> Result<Vec<Vec<Holder>>, NotDone> {
        let mut found = Vec::with_capacity(asked.len());
        for some in asked.chunks(PIPELINE_INSTANCES_MAX) {
            let mut pipeline = redis::pipe();
            for id in some {
                let k = Keys(*id);
                let keys = [k.meeting(), k.owners(), k.grace()];
                pipeline.add_command(self.scripts.command(Script::Holders, &keys));
            }
            let answers: Vec<Value> = self.connection.ask_all(&pipeline).await??;
            for answer in answers {
                found.push(match Said::read(answer) {
                    Ok(said) => holding(said.done()?.1)?,
                    Err(NotDone::Refused(Refused::Gone)) => Vec::new(),
                    Err(other) => return Err(other),
                });
            }
        }
        Ok(found)
    }

    fn overview_command(&self, id: InstanceId, after: Seq) -> redis::Cmd {
        let k = Keys(id);
        let keys = [
            k.meeting(),
            k.participants(),
            k.owners(),
            k.grace(),
            k.log(),
        ];
        let mut command = self.scripts.command(Script::Overview, &keys);
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
        .map_err(|_| unexpected("an overview of another length"))?;
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
        .map_err(|_| unexpected("a count of another length"))?;
    let last = last.text()?;
    let steps = decode::texts(steps)?;
    // Each the first time: they are in the order of their seqs, and so of their times.
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
        .map_err(|_| unexpected("holders of another length"))?;
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
    text.parse()
        .map_err(|_| unexpected("no number where a count belongs"))
}
