//! The store for several servers: Redis holds the live state, MySQL everything durable.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plenary_shared::domain::{Code, Reason, Reject, User};
use plenary_shared::ids::{Generation, InstanceId};
use tokio::sync::OnceCell;

use crate::clock::Clock;
use crate::error::{Answer, Error, Fault};
use crate::rate_limits::WriteLimits;

use self::restore::Restorer;
use super::mysql::MysqlStore;
use super::redis::{RedisStore, Refusal, ScriptError, Subscriber};
use super::{DiskSpace, LimitStore, refusal};

mod archive;
mod dashboard;
mod feed;
mod health;
mod lifecycle;
mod log;
mod meetings;
mod messages;
mod moderation;
mod participation;
mod planning;
mod presence;
mod read_positions;
mod restore;
mod search;
mod sessions;
mod users;
mod waiting;

/// How long time-critical steps wait for MySQL, in milliseconds. Then they continue with what Redis knows.
const SHORT_TIMEOUT_MS: u64 = 1_000;

/// The same limit while the last such call timed out, so that many ends at once do not each wait. Longer
/// than a healthy database takes.
const SHORT_TIMEOUT_SILENT_MS: u64 = 100;

/// How long the agenda waits for MySQL, in milliseconds. It is read again soon after.
const AGENDA_MS: u64 = 2_000;

/// How often the archive is checked for one post. Once suffices unless ten thousand events are archived
/// between the check and the post.
const ARCHIVE_CHECKS_MAX: usize = 3;

/// Redis and MySQL together.
pub struct RedisMysqlStore {
    redis: Arc<RedisStore>,
    mysql: MysqlStore,
    subscriber: OnceCell<Subscriber>,
    restorer: Arc<Restorer>,
    /// The instances that the last sweep found missing, with their generations.
    missing: std::sync::Mutex<BTreeMap<InstanceId, Generation>>,
    /// Whether the last call with a short timeout timed out.
    silent: AtomicBool,
    clock: Clock,
}

impl RedisMysqlStore {
    /// Combines the two stores. `clock` is for what the clocks of the stores do not decide.
    pub fn new(redis: RedisStore, mysql: MysqlStore, clock: Clock) -> Arc<Self> {
        let redis = Arc::new(redis);
        let restorer = Arc::new(Restorer::new(redis.clone(), mysql.clone()));
        Arc::new(Self {
            redis,
            mysql,
            subscriber: OnceCell::new(),
            restorer,
            missing: std::sync::Mutex::default(),
            silent: AtomicBool::new(false),
            clock,
        })
    }

    /// Awaits a call to MySQL for a short time.
    async fn with_short_timeout<T>(&self, asking: impl Future<Output = Answer<T>>) -> Answer<T> {
        let silent = self.silent.load(Ordering::Relaxed);
        let limit_ms = if silent {
            SHORT_TIMEOUT_SILENT_MS
        } else {
            SHORT_TIMEOUT_MS
        };
        self.with_timeout(limit_ms, Box::pin(asking)).await
    }

    async fn with_timeout<T>(
        &self,
        limit_ms: u64,
        asking: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        let answer = self.mysql.instrument().within(limit_ms, asking).await;
        self.silent.store(answer.is_none(), Ordering::Relaxed);
        answer.unwrap_or_else(|| {
            Err(Fault::unavailable("MySQL", "it does not answer in time").into())
        })
    }

    /// Runs a verb in Redis. If Redis has lost the scripts, rebuilds the live state and runs the verb again.
    async fn with_recovery<T, F, Fut>(&self, verb: F) -> Result<Result<T, Refusal>, Fault>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, ScriptError>>,
    {
        let first = verb().await;
        let second = if matches!(first, Err(ScriptError::NoScript)) {
            self.restore().await?;
            verb().await
        } else {
            first
        };
        match second {
            Ok(done) => Ok(Ok(done)),
            Err(ScriptError::Refused(refused)) => Ok(Err(refused)),
            Err(ScriptError::Fault(fault)) => Err(fault),
            Err(ScriptError::NoScript) => {
                Err(Fault::unavailable("Redis", "the scripts are missing again"))
            }
        }
    }

    /// Runs a verb in Redis like [`Self::with_recovery`]. A refusal becomes the error for this user.
    async fn run_for<T, F, Fut>(&self, id: InstanceId, user: &User, verb: F) -> Answer<T>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, ScriptError>>,
    {
        match self.with_recovery(verb).await? {
            Ok(done) => Ok(done),
            Err(refused) => Err(self.reject(id, user, refused).await),
        }
    }

    /// Rebuilds the live state, and completes that even if the caller is dropped.
    async fn restore(&self) -> Result<(), Fault> {
        let restorer = self.restorer.clone();
        tokio::spawn(async move { restorer.restore().await })
            .await
            .map_err(|error| Fault::broken("rebuilding the live state", error))?
    }

    /// Rebuilds one instance in the next generation. `before`: the generation that is live, if any.
    async fn rebuild(&self, id: InstanceId, before: Option<Generation>) -> Result<(), Fault> {
        let restorer = self.restorer.clone();
        let done = tokio::spawn(async move { restorer.rebuild(id, false, before).await });
        done.await
            .map_err(|error| Fault::broken("rebuilding an instance", error))?
    }

    /// Converts a refusal to the error for this user and instance.
    async fn reject(&self, id: InstanceId, viewer: &User, refused: Refusal) -> Error {
        let code = match refused {
            Refusal::NotAllowed => Code::NotAllowed,
            Refusal::AlreadyParticipant => Code::AlreadyParticipant,
            // Users who may not see the instance must not learn that it is running.
            Refusal::NotParticipant => {
                match self.with_recovery(|| self.redis.sees(id, viewer)).await {
                    Ok(Ok(true)) => Code::NotParticipant,
                    Ok(Ok(false) | Err(_)) => Code::NotAllowed,
                    Err(fault) => return fault.into(),
                }
            }
            Refusal::Full => Code::Full,
            Refusal::Locked => Code::Locked,
            Refusal::Banned => Code::Banned,
            Refusal::ReadOnly => Code::ReadOnly,
            Refusal::Muted => Code::Muted,
            Refusal::AlreadySo => Code::AlreadySo,
            Refusal::TargetNotParticipant => return refusal::target_not_participant().into(),
            Refusal::NotLater => return refusal::not_later().into(),
            Refusal::TooLong => return refusal::too_long().into(),
            Refusal::ArchiveBehind => Code::ArchiveBehind,
            Refusal::RateLimited { wait_ms } => return Reject::rate_limited(wait_ms).into(),
            Refusal::NoSuchMessage => Code::NoSuchMessage,
            Refusal::NotYours => Code::NotYours,
            Refusal::MessageDeleted => Code::MessageDeleted,
            Refusal::ArchivedMessage => {
                let what = "a script asks for the author that it was given";
                return Fault::broken("changing a message", what).into();
            }
            Refusal::Gone
            | Refusal::Ended
            | Refusal::Destroyed
            | Refusal::Unarchived
            | Refusal::NewerEvents => {
                return match self.why_not_live(id, viewer).await {
                    Ok(reject) => reject.into(),
                    Err(error) => error,
                };
            }
        };
        code.into()
    }

    async fn why_not_live(&self, id: InstanceId, viewer: &User) -> Answer<Reject> {
        let Some(stored) = self.mysql.stored(id).await? else {
            return Ok(refusal::unknown(id));
        };
        if !self.mysql.may_read(id, viewer).await? {
            return Ok(Code::NotAllowed.into());
        }
        if stored.reason == Some(Reason::Cancelled) {
            return Ok(refusal::cancelled(id));
        }
        let now = (self.clock)();
        Ok(refusal::of_time(
            id,
            stored.state,
            (stored.from, stored.to),
            stored.ended_at,
            now,
        ))
    }
}

impl LimitStore for RedisMysqlStore {
    fn limits(&self) -> WriteLimits {
        self.redis.limits().get()
    }

    fn set_limits(&self, limits: WriteLimits) {
        self.redis.limits().set(limits);
    }

    fn disk(&self) -> Option<DiskSpace> {
        None
    }
}

impl RedisMysqlStore {
    /// Notifies all servers that a list has changed. They also read the lists every few seconds, so a lost
    /// notification only delays them.
    async fn publish_changed(&self) {
        if let Err(fault) = self.redis.publish_changed().await {
            tracing::warn!(%fault, "change not published, other servers notice it later");
        }
    }
}
