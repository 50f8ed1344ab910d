//! What is live, in Redis: one connection for verbs, one typed function a script.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use plenary_shared::domain::User;
use plenary_shared::ids::{Generation, InstanceId};
use redis::Value;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use crate::error::Fault;

mod arrival;
mod change;
mod decode;
mod examine;
mod feed;
mod keys;
mod meeting;
mod presence;
mod rebuild;
mod scripts;
mod session;

pub use change::{Author, Meant};
pub use feed::Subscriber;
pub use meeting::{LivePage, Opened};
pub use rebuild::Closing;
pub use scripts::{NotDone, Refused};

use keys::Keys;
use scripts::{Said, Scripts};

/// How long Redis may take for one answer, reconnecting included: the longest script takes a few
/// milliseconds, so whoever waits longer waits for a Redis that is not there.
const ANSWER_MS_MAX: u64 = 2_500;

/// How long one answer may take on a connection that stands.
const RESPONSE_MS_MAX: u64 = 2_000;

/// Commands that one write to Redis may gather.
const PIPELINE_COMMANDS_MAX: usize = 1_000;

/// Generations that are remembered; then all are asked for again.
const GENERATIONS_MAX: usize = 10_000;

/// Instances asked for in one pipeline.
const PIPELINE_INSTANCES_MAX: usize = 1_000;

/// Events of one instance that the archive may lack before posts are refused: bounds what Redis
/// holds while MySQL is away. At 200 posts a second, eight minutes of it.
const UNARCHIVED_EVENTS_MAX: u64 = 100_000;

/// What is live.
pub struct Live {
    client: redis::Client,
    connection: ConnectionManager,
    scripts: Scripts,
    /// The generation in which each instance is known to live; a wrong one costs a round trip.
    generations: Mutex<HashMap<InstanceId, Generation>>,
}

impl Live {
    /// Connects lazily. `nonce` is the deployment's own.
    pub fn connect(url: &str, nonce: &str) -> Result<Self, Fault> {
        let client = open_client(url)?;
        let config = ConnectionManagerConfig::new()
            .set_min_delay(Duration::from_millis(20))
            .set_max_delay(Duration::from_millis(500))
            .set_number_of_retries(4)
            .set_connection_timeout(Some(Duration::from_millis(RESPONSE_MS_MAX)))
            .set_response_timeout(Some(Duration::from_millis(RESPONSE_MS_MAX)))
            .set_pipeline_buffer_size(PIPELINE_COMMANDS_MAX);
        let connection =
            ConnectionManager::new_lazy_with_config(client.clone(), config).map_err(fault)?;
        Ok(Self {
            client,
            connection,
            scripts: Scripts::new(nonce),
            generations: Mutex::default(),
        })
    }

    /// Whether Redis answers.
    pub async fn ping(&self) -> Result<(), Fault> {
        let mut command = redis::cmd("PING");
        self.ask::<String>(&mut command).await.map(|_| ())
    }

    /// One plain command.
    async fn ask<T: redis::FromRedisValue>(&self, command: &mut redis::Cmd) -> Result<T, Fault> {
        let mut connection = self.connection.clone();
        within(command.query_async(&mut connection))
            .await?
            .map_err(fault)
    }

    /// Several plain commands, in one round trip.
    async fn ask_all<T: redis::FromRedisValue>(
        &self,
        pipeline: &redis::Pipeline,
    ) -> Result<T, Fault> {
        let mut connection = self.connection.clone();
        within(pipeline.query_async(&mut connection))
            .await?
            .map_err(fault)
    }

    /// One script.
    async fn run(&self, command: &redis::Cmd) -> Result<Said, NotDone> {
        let mut connection = self.connection.clone();
        let value: Value = within(command.query_async(&mut connection)).await??;
        Said::read(value)
    }

    /// The generation in which an instance lives, as far as is known here.
    async fn generation(&self, id: InstanceId) -> Result<Option<Generation>, Fault> {
        if let Some(known) = self.known_generations().get(&id) {
            return Ok(Some(*known));
        }
        let mut command = redis::cmd("HGET");
        command.arg(Keys(id).meeting()).arg("gen");
        let found: Option<u64> = self.ask(&mut command).await?;
        let found = found
            .map(Generation::new)
            .transpose()
            .map_err(|error| Fault::broken("reading a generation", error))?;
        if let Some(generation) = found {
            self.remember(id, generation);
        }
        Ok(found)
    }

    fn remember(&self, id: InstanceId, generation: Generation) {
        let mut known = self.known_generations();
        if known.len() >= GENERATIONS_MAX {
            known.clear();
        }
        known.insert(id, generation);
    }

    fn forget(&self, id: InstanceId) {
        self.known_generations().remove(&id);
    }

    fn known_generations(&self) -> std::sync::MutexGuard<'_, HashMap<InstanceId, Generation>> {
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A script that changes an instance, in the generation that is known; once more if another
    /// generation has begun meanwhile.
    async fn change(
        &self,
        id: InstanceId,
        command: impl Fn(Generation) -> redis::Cmd,
    ) -> Result<(String, Vec<Value>), NotDone> {
        let Some(generation) = self.generation(id).await? else {
            return Err(NotDone::Refused(Refused::Gone));
        };
        let said = match self.run(&command(generation)).await {
            Ok(Said::Stale(newer)) => {
                self.remember(id, newer);
                self.run(&command(newer)).await
            }
            other => other,
        };
        if matches!(said, Err(NotDone::Refused(Refused::Gone))) {
            self.forget(id);
        }
        said?.done()
    }
}

/// Who reads, as the scripts are told.
fn reader(user: &User) -> [String; 3] {
    let admin = match user.role {
        plenary_shared::domain::Role::Admin => "1",
        plenary_shared::domain::Role::Member => "0",
    };
    [user.id.to_string(), user.email_key(), admin.to_owned()]
}

fn open_client(url: &str) -> Result<redis::Client, Fault> {
    use redis::IntoConnectionInfo;
    let info = url.into_connection_info().map_err(fault)?;
    let settings = info
        .redis_settings()
        .clone()
        .set_protocol(redis::ProtocolVersion::RESP3);
    redis::Client::open(info.set_redis_settings(settings)).map_err(fault)
}

async fn within<T>(
    asking: impl Future<Output = redis::RedisResult<T>>,
) -> Result<redis::RedisResult<T>, Fault> {
    tokio::time::timeout(Duration::from_millis(ANSWER_MS_MAX), asking)
        .await
        .map_err(|late| Fault::away("Redis", late))
}

/// A Redis error as a fault: an error that Redis itself answers with is broken, all else is away.
fn fault(error: redis::RedisError) -> Fault {
    use redis::{ErrorKind, ServerErrorKind};
    // No memory, no disk, no replica: nothing that we did, and it passes.
    if matches!(error.code(), Some("OOM" | "MISCONF" | "NOREPLICAS")) {
        return Fault::away("Redis", error);
    }
    match error.kind() {
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly,
        )
        | ErrorKind::Io => Fault::away("Redis", error),
        _ => Fault::broken("asking Redis", error),
    }
}
