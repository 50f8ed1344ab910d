//! The live state in Redis: one connection for verbs, one typed function per script.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use plenary_shared::domain::User;
use plenary_shared::ids::{Generation, InstanceId};
use redis::Value;

use crate::error::Fault;
use crate::rate_limits::SharedLimits;
use crate::store::instrument::Instrument;

mod arrival;
mod connection;
mod dashboard;
mod decode;
mod examine;
mod feed;
mod keys;
mod meeting;
mod messages;
mod moderation;
mod notices;
mod presence;
mod rates;
mod rebuild;
mod scripts;
mod session;
mod trial;
mod waiting;

pub use feed::{Subscriber, read_published};
pub use meeting::{LivePage, Opened};
pub use messages::{Author, PostOutcome, Target};
pub use presence::Lag;
pub use rebuild::{Closing, LiveEnd};
pub use scripts::{Refusal, ScriptError, Scripts, texts};

use connection::Connection;
use keys::Keys;
use scripts::ScriptReply;

/// How long one reply may take on an established connection.
const RESPONSE_MS_MAX: u64 = 2_000;

/// How many generations are cached. Beyond that the cache is cleared.
const GENERATIONS_MAX: usize = 10_000;

/// Instances per pipeline.
const PIPELINE_INSTANCES_MAX: usize = 1_000;

/// Events of one instance that the archive may lack before posts are refused. It bounds the memory
/// of Redis while MySQL is unavailable: eight minutes at 200 posts per second.
pub const UNARCHIVED_EVENTS_MAX: u64 = 100_000;

/// The live state of all instances.
pub struct RedisStore {
    client: redis::Client,
    connection: Connection,
    scripts: Scripts,
    instrument: Instrument,
    /// How fast users may write.
    limits: SharedLimits,
    /// Whether Redis is in cluster mode.
    is_cluster: AtomicBool,
    /// Whether the connection may now lead to another Redis, or to one that has changed role. It may know
    /// the scripts and lack the data, so the absence of NOSCRIPT proves nothing.
    unproven: Arc<AtomicBool>,
    /// The live generation of each instance, as last seen. A stale one costs one round trip.
    generations: Mutex<HashMap<InstanceId, Generation>>,
}

impl RedisStore {
    /// Connects lazily. `nonce` identifies the deployment.
    pub fn connect(url: &str, nonce: &str) -> Result<Self, Fault> {
        Self::instrumented(url, nonce, Instrument::default())
    }

    /// Connects lazily, with this instrument.
    pub fn instrumented(url: &str, nonce: &str, instrument: Instrument) -> Result<Self, Fault> {
        Self::with(url, Scripts::new(texts(nonce)), instrument)
    }

    /// Connects lazily, with these scripts and this instrument.
    pub fn with(url: &str, scripts: Scripts, instrument: Instrument) -> Result<Self, Fault> {
        let client = open_client(url)?;
        let unproven = Arc::new(AtomicBool::new(true));
        let connection = Connection::lazy(client.clone(), unproven.clone(), instrument.clone())?;
        Ok(Self {
            client,
            connection,
            scripts,
            instrument,
            limits: SharedLimits::default(),
            is_cluster: AtomicBool::new(false),
            unproven,
            generations: Mutex::default(),
        })
    }

    /// Returns whether Redis answers.
    pub async fn ping(&self) -> Result<(), Fault> {
        let mut command = redis::cmd("PING");
        self.ask::<String>(&mut command).await.map(|_| ())
    }

    /// Runs one plain command.
    async fn ask<T: redis::FromRedisValue>(&self, command: &mut redis::Cmd) -> Result<T, Fault> {
        self.noticed(self.connection.ask(command).await)?
            .map_err(fault)
    }

    /// Notes when the result shows that another Redis may answer next.
    fn noticed<T>(
        &self,
        answer: Result<redis::RedisResult<T>, Fault>,
    ) -> Result<redis::RedisResult<T>, Fault> {
        let may_be_another = match &answer {
            Ok(Ok(_)) => false,
            // A replica refuses writes: the roles have changed or are about to.
            Ok(Err(error)) => error.is_io_error() || error.code() == Some("READONLY"),
            Err(_late) => true,
        };
        if may_be_another {
            self.unproven.store(true, Ordering::Release);
        }
        answer
    }

    /// Checks that the live state was rebuilt in the Redis process that answers now.
    async fn prove(&self) -> Result<(), ScriptError> {
        if !self.unproven.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        match self.is_up().await {
            Ok(true) => Ok(()),
            // Recovers in the same way as without scripts.
            Ok(false) => {
                self.unproven.store(true, Ordering::Release);
                Err(ScriptError::NoScript)
            }
            Err(fault) => {
                self.unproven.store(true, Ordering::Release);
                Err(fault.into())
            }
        }
    }

    /// Runs several plain commands in one round trip.
    async fn ask_all<T: redis::FromRedisValue>(
        &self,
        pipeline: &redis::Pipeline,
    ) -> Result<T, Fault> {
        self.noticed(self.connection.ask_all(pipeline).await)?
            .map_err(fault)
    }

    async fn run(&self, command: &redis::Cmd) -> Result<ScriptReply, ScriptError> {
        self.prove().await?;
        self.run_unproven(command).await
    }

    /// Runs one script without the check of [`Self::prove`]. Only for rebuilding.
    async fn run_unproven(&self, command: &redis::Cmd) -> Result<ScriptReply, ScriptError> {
        let value: Value = self.noticed(self.connection.ask(command).await)??;
        ScriptReply::read(value)
    }

    /// Waits for so many milliseconds.
    pub async fn rest(&self, ms: u64) {
        self.instrument.sleep(ms).await;
    }

    /// Returns the live generation of an instance, from the cache if possible.
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

    /// Runs a script that changes an instance, in the cached generation. Runs it once more if a newer
    /// generation is live.
    async fn change(
        &self,
        id: InstanceId,
        command: impl Fn(Generation) -> redis::Cmd,
    ) -> Result<(String, Vec<Value>), ScriptError> {
        let Some(generation) = self.generation(id).await? else {
            return Err(ScriptError::Refused(Refusal::Gone));
        };
        let said = match self.run(&command(generation)).await {
            Ok(ScriptReply::Stale(newer)) => {
                self.remember(id, newer);
                self.run(&command(newer)).await
            }
            other => other,
        };
        if matches!(said, Err(ScriptError::Refused(Refusal::Gone))) {
            self.forget(id);
        }
        said?.done()
    }
}

/// The arguments that tell scripts who reads.
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

/// Converts a Redis error: an error reply is `Broken`, everything else `Unavailable`.
fn fault(error: redis::RedisError) -> Fault {
    use redis::{ErrorKind, ServerErrorKind};
    // Out of memory, disk or replicas: a passing state of Redis.
    if matches!(error.code(), Some("OOM" | "MISCONF" | "NOREPLICAS")) {
        return Fault::unavailable("Redis", error);
    }
    match error.kind() {
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly,
        )
        | ErrorKind::Io => Fault::unavailable("Redis", error),
        _ => Fault::broken("running a Redis command", error),
    }
}
