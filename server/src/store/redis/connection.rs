//! The connection for verbs. It is replaced when a reply is late: the library replaces only connections
//! that break, and one whose peer has vanished silently never breaks.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{FromRedisValue, PushInfo, PushKind, RedisResult};

use crate::error::Fault;
use crate::store::instrument::{Backend, Call, Instrument, Locks};

use super::{RESPONSE_MS_MAX, fault};

/// How long one reply may take, including reconnecting. The longest script takes a few milliseconds, so
/// a later reply means that Redis is unreachable.
const ANSWER_MS_MAX: u64 = 2_500;

/// Commands that one write to Redis may contain.
const PIPELINE_COMMANDS_MAX: usize = 1_000;

/// Words of a command that are traced: `EVALSHA`, the script, the number of keys, the first key.
const TRACED_WORDS_MAX: usize = 4;

/// The shared connection.
#[derive(Clone)]
pub(super) struct Connection {
    client: redis::Client,
    instrument: Instrument,
    current: Arc<Mutex<Current>>,
    unproven: Arc<AtomicBool>,
}

struct Current {
    manager: ConnectionManager,
    /// The number of connections before this one.
    number: u64,
}

impl Connection {
    /// Connects lazily. `unproven` is set whenever another Redis may answer next.
    pub(super) fn lazy(
        client: redis::Client,
        unproven: Arc<AtomicBool>,
        instrument: Instrument,
    ) -> Result<Self, Fault> {
        let manager = manager(&client, &unproven).map_err(fault)?;
        Ok(Self {
            client,
            instrument,
            current: Arc::new(Mutex::new(Current { manager, number: 0 })),
            unproven,
        })
    }

    /// Runs one command.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        command: &redis::Cmd,
    ) -> Result<RedisResult<T>, Fault> {
        let (mut manager, number) = self.get();
        let asking = self.within(number, command.query_async(&mut manager));
        self.counted(self.instrument.call(call(&Text(command)), asking).await)
    }

    /// Runs several commands in one round trip.
    pub(super) async fn ask_all<T: FromRedisValue>(
        &self,
        pipeline: &redis::Pipeline,
    ) -> Result<RedisResult<T>, Fault> {
        let (mut manager, number) = self.get();
        let asking = self.within(number, pipeline.query_async(&mut manager));
        self.counted(self.instrument.call(call(&FirstOf(pipeline)), asking).await)
    }

    /// Counts I/O errors, which are not replies, as unavailability.
    fn counted<T>(&self, answer: Result<RedisResult<T>, Fault>) -> Result<RedisResult<T>, Fault> {
        if let Ok(Err(error)) = &answer
            && error.is_io_error()
        {
            self.instrument.unavailable();
        }
        answer
    }

    async fn within<T>(
        &self,
        number: u64,
        asking: impl Future<Output = RedisResult<T>>,
    ) -> Result<RedisResult<T>, Fault> {
        let answer = tokio::time::timeout(Duration::from_millis(ANSWER_MS_MAX), asking).await;
        if !matches!(&answer, Ok(answer) if !is_late(answer)) {
            self.give_up(number);
        }
        answer.map_err(|late| Fault::unavailable("Redis", late))
    }

    fn get(&self) -> (ConnectionManager, u64) {
        let current = self.current();
        (current.manager.clone(), current.number)
    }

    /// Replaces the connection of this number. Of many callers that time out together, the first does it.
    fn give_up(&self, number: u64) {
        let mut current = self.current();
        if current.number != number {
            return;
        }
        // It connects on first use, so an error here does not come from the network.
        if let Ok(manager) = manager(&self.client, &self.unproven) {
            self.unproven.store(true, Ordering::Release);
            tracing::warn!("Redis does not answer, replacing the connection");
            current.manager = manager;
            current.number += 1;
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first words of a command, for traces.
struct Text<'a>(&'a redis::Cmd);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.0.args_iter().take(TRACED_WORDS_MAX).enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            match word {
                redis::Arg::Simple(word) => f.write_str(&String::from_utf8_lossy(word))?,
                _ => f.write_str("…")?,
            }
        }
        Ok(())
    }
}

/// The first command of a pipeline, for traces.
struct FirstOf<'a>(&'a redis::Pipeline);

impl fmt::Display for FirstOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.cmd_iter().next() {
            Some(command) => Text(command).fmt(f),
            None => Ok(()),
        }
    }
}

fn call(text: &(dyn fmt::Display + Send + Sync)) -> Call<'_> {
    Call {
        backend: Backend::Redis,
        locks: Locks::Free,
        text,
    }
}

fn manager(client: &redis::Client, unproven: &Arc<AtomicBool>) -> RedisResult<ConnectionManager> {
    let lost = unproven.clone();
    let config = ConnectionManagerConfig::new()
        .set_push_sender(move |push: PushInfo| -> Result<(), Fault> {
            if push.kind == PushKind::Disconnection {
                lost.store(true, Ordering::Release);
            }
            Ok(())
        })
        .set_min_delay(Duration::from_millis(20))
        .set_max_delay(Duration::from_millis(500))
        .set_number_of_retries(4)
        .set_connection_timeout(Some(Duration::from_millis(RESPONSE_MS_MAX)))
        .set_response_timeout(Some(Duration::from_millis(RESPONSE_MS_MAX)))
        .set_pipeline_buffer_size(PIPELINE_COMMANDS_MAX);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

fn is_late<T>(answer: &RedisResult<T>) -> bool {
    answer.as_ref().is_err_and(redis::RedisError::is_timeout)
}
