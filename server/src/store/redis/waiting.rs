//! Waiting for instances to start.

use plenary_shared::domain::{User, UserRef};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::{WAITING_MAX, WAITING_MS};
use plenary_shared::protocol::WaitOk;
use redis::Value;

use crate::error::Fault;
use crate::store::Waiting;

use super::decode::{self, unexpected};
use super::keys::Keys;
use super::scripts::{Script, ScriptError};
use super::{PIPELINE_INSTANCES_MAX, RedisStore};

/// Expired entries removed per call. Keeps the script short.
const FORGOTTEN_MAX: usize = 200;

impl RedisStore {
    /// Returns how many users wait for each of these instances.
    pub async fn waiting(&self, instances: &[InstanceId]) -> Result<Vec<u32>, Fault> {
        let mut found = Vec::with_capacity(instances.len());
        for some in instances.chunks(PIPELINE_INSTANCES_MAX) {
            let mut pipeline = redis::pipe();
            for id in some {
                pipeline.cmd("ZCARD").arg(Keys(*id).waiting());
            }
            let counts: Vec<u32> = self.ask_all(&pipeline).await?;
            found.extend(counts);
        }
        Ok(found)
    }

    /// Starts, renews or stops waiting, or only lists who waits. Checks no permission.
    pub async fn wait(
        &self,
        id: InstanceId,
        user: &User,
        what: Waiting,
    ) -> Result<WaitOk, ScriptError> {
        let mut command = self.scripts.command(Script::Wait, id);
        command
            .arg(match what {
                Waiting::Look => "look",
                Waiting::Wait => "wait",
                Waiting::Stop => "stop",
            })
            .arg(user.id.get())
            .arg(&user.name)
            .arg(WAITING_MS)
            .arg(WAITING_MAX)
            .arg(FORGOTTEN_MAX);
        let (_, rest) = self.run(&command).await?.done()?;
        let [Value::Int(count), some, called] = rest.as_slice() else {
            return Err(unexpected("a list of waiting users is missing").into());
        };
        let names = decode::texts(called.clone())?;
        let ids = decode::texts(some.clone())?;
        let people = ids.iter().zip(names).map(|(id, name)| {
            let id = decode::user(id)?;
            Ok(UserRef { id, name })
        });
        Ok(WaitOk {
            count: usize::try_from(*count).unwrap_or(0),
            users: people.collect::<Result<_, Fault>>()?,
        })
    }
}
