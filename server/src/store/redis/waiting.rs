//! Who waits for what has not begun.

use plenary_shared::domain::User;
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::{WAITING_MAX, WAITING_MS};
use plenary_shared::protocol::{WaitOk, Waiter};
use redis::Value;

use crate::error::Fault;
use crate::store::Waiting;

use super::decode::{self, unexpected};
use super::keys::Keys;
use super::scripts::{NotDone, Script};
use super::{PIPELINE_INSTANCES_MAX, RedisStore};

/// People that one call forgets who have not said for too long that they wait; keeps the script short.
const FORGOTTEN_MAX: usize = 200;

impl RedisStore {
    /// How many wait for each of these.
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

    /// Somebody waits, looks who does, or waits no more. Asks no permission.
    pub async fn wait(
        &self,
        id: InstanceId,
        user: &User,
        what: Waiting,
    ) -> Result<WaitOk, NotDone> {
        let k = Keys(id);
        let keys = [k.waiting(), k.waiters(), k.channel()];
        let mut command = self.scripts.command(Script::Wait, &keys);
        command
            .arg(match what {
                Waiting::Looks => "looks",
                Waiting::Waits => "waits",
                Waiting::Stops => "stops",
            })
            .arg(user.id.get())
            .arg(&user.name)
            .arg(WAITING_MS)
            .arg(WAITING_MAX)
            .arg(FORGOTTEN_MAX);
        let (_, rest) = self.run(&command).await?.done()?;
        let [Value::Int(count), some, called] = rest.as_slice() else {
            return Err(unexpected("no people who wait where they belong").into());
        };
        let names = decode::texts(called.clone())?;
        let ids = decode::texts(some.clone())?;
        let people = ids.iter().zip(names).map(|(id, name)| {
            let id = decode::user(id)?;
            Ok(Waiter { id, name })
        });
        Ok(WaitOk {
            count: usize::try_from(*count).unwrap_or(0),
            people: people.collect::<Result<_, Fault>>()?,
        })
    }
}
