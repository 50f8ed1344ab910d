//! What is live, in Redis: one connection for verbs, one typed function a script.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use plenary_shared::domain::User;
use plenary_shared::ids::{Generation, InstanceId};
use redis::Value;

use crate::error::Fault;
use crate::store::instrument::Instrument;

mod arrival;
mod change;
mod connection;
mod decode;
mod examine;
mod feed;
mod keys;
mod meeting;
mod moderation;
mod overview;
mod presence;
mod rebuild;
mod scripts;
mod session;
mod waiting;

pub use change::{Author, Meant};
pub use feed::{Subscriber, read_published};
pub use meeting::{LivePage, Opened, Saying};
pub use presence::Lag;
pub use rebuild::{Closing, LiveEnd};
pub use scripts::{NotDone, Refused, Scripts, texts};

use connection::Connection;
use keys::Keys;
use scripts::Said;

/// How long one answer may take on a connection that stands.
const RESPONSE_MS_MAX: u64 = 2_000;

/// Generations that are remembered; then all are asked for again.
const GENERATIONS_MAX: usize = 10_000;

/// Instances asked for in one pipeline.
const PIPELINE_INSTANCES_MAX: usize = 1_000;

/// Events of one instance that the archive may lack before posts are refused: bounds what Redis
/// holds while MySQL is away. At 200 posts a second, eight minutes of it.
pub const UNARCHIVED_EVENTS_MAX: u64 = 100_000;

/// What is live.
pub struct RedisStore {
    client: redis::Client,
    connection: Connection,
    scripts: Scripts,
    instrument: Instrument,
    /// Whether the connection may lead to another Redis than before, or to one that was something
    /// else meanwhile: its scripts may be there and its data not, so that NOSCRIPT says nothing.
    unproven: Arc<AtomicBool>,
    /// The generation in which each instance is known to live; a wrong one costs a round trip.
    generations: Mutex<HashMap<InstanceId, Generation>>,
}

impl RedisStore {
    /// Connects lazily. `nonce` is the deployment's own.
    pub fn connect(url: &str, nonce: &str) -> Result<Self, Fault> {
        Self::instrumented(url, nonce, Instrument::default())
    }

    /// The same, at this instrument.
    pub fn instrumented(url: &str, nonce: &str, instrument: Instrument) -> Result<Self, Fault> {
        Self::with(url, Scripts::new(texts(nonce)), instrument)
    }

    /// With these scripts, at this instrument.
    pub fn with(url: &str, scripts: Scripts, instrument: Instrument) -> Result<Self, Fault> {
        let client = open_client(url)?;
        let unproven = Arc::new(AtomicBool::new(true));
        let connection = Connection::lazy(client.clone(), unproven.clone(), instrument.clone())?;
        Ok(Self {
            client,
            connection,
            scripts,
            instrument,
            unproven,
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
        self.noticed(self.connection.ask(command).await)?
            .map_err(fault)
    }

    /// Notices by an answer, or by its absence, that another Redis may answer next.
    fn noticed<T>(
        &self,
        answer: Result<redis::RedisResult<T>, Fault>,
    ) -> Result<redis::RedisResult<T>, Fault> {
        let may_be_another = match &answer {
            Ok(Ok(_)) => false,
            // A replica refuses to write: it was the master, or is to be.
            Ok(Err(error)) => error.is_io_error() || error.code() == Some("READONLY"),
            Err(_late) => true,
        };
        if may_be_another {
            self.unproven.store(true, Ordering::Release);
        }
        answer
    }

    /// Makes sure that the live state was brought up in the process of Redis that answers now.
    async fn prove(&self) -> Result<(), NotDone> {
        if !self.unproven.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        match self.is_up().await {
            Ok(true) => Ok(()),
            // As if it had no scripts.
            Ok(false) => {
                self.unproven.store(true, Ordering::Release);
                Err(NotDone::NoScript)
            }
            Err(fault) => {
                self.unproven.store(true, Ordering::Release);
                Err(fault.into())
            }
        }
    }

    /// Several plain commands, in one round trip.
    async fn ask_all<T: redis::FromRedisValue>(
        &self,
        pipeline: &redis::Pipeline,
    ) -> Result<T, Fault> {
        self.noticed(self.connection.ask_all(pipeline).await)?
            .map_err(fault)
    }

    /// One script.
    async fn run(&self, command: &redis::Cmd) -> Result<Said, NotDone> {
        self.prove().await?;
        self.run_unproven(command).await
    }

    /// One script, wherever it is run: for the fence alone.
    async fn run_unproven(&self, command: &redis::Cmd) -> Result<Said, NotDone> {
        let value: Value = self.noticed(self.connection.ask(command).await)??;
        Said::read(value)
    }

    /// Does nothing for so long.
    pub async fn rest(&self, ms: u64) {
        self.instrument.sleep(ms).await;
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

/// A Redis error as a fault: an error that Redis itself answers with is broken, all else is away.
fn fault(error: redis::RedisError) -> Fault {
    use redis::{ErrorKind, ServerErrorKind};
    // No memory, no disk, no replica: nothing that we did, and it passes.
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
        _ => Fault::broken("asking Redis", error),
    }
}
