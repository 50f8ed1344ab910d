//! The store of production: Redis for what is live, `MySQL` for what lasts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plenary_shared::domain::{Code, Reason, Reject, User};
use plenary_shared::ids::{Generation, InstanceId};
use tokio::sync::OnceCell;

use crate::clock::Clock;
use crate::error::{Answer, Error, Fault};

use self::restore::Restorer;
use super::mysql::MysqlStore;
use super::redis::{NotDone, RedisStore, Refused, Subscriber};
use super::refusal;

mod archive;
mod feed;
mod health;
mod lifecycle;
mod log;
mod meetings;
mod messages;
mod moderation;
mod overview;
mod participation;
mod planning;
mod presence;
mod read_positions;
mod restore;
mod search;
mod sessions;
mod users;
mod waiting;

/// How long what must happen on time waits for what lasts, in milliseconds: then it goes on with what
/// the live store knows.
const BRIEF_MS: u64 = 1_000;

/// The same while what lasts has left the last such question without an answer: many ends of one
/// moment must not each wait for it. It is longer than a healthy database takes.
const BRIEF_SILENT_MS: u64 = 100;

/// How long the agenda waits, in milliseconds. Nobody waits for it but the next reading.
const AGENDA_MS: u64 = 2_000;

/// How often the archive is asked for one post. Once is enough unless ten thousand events come
/// between the question and the post.
const LOOK_UPS_MAX: usize = 3;

/// Redis and `MySQL` together.
pub struct RedisMysqlStore {
    redis: Arc<RedisStore>,
    mysql: MysqlStore,
    subscriber: OnceCell<Subscriber>,
    restorer: Arc<Restorer>,
    /// What the last sweep found missing, and in which generation.
    missing: std::sync::Mutex<BTreeMap<InstanceId, Generation>>,
    /// Whether what lasts has left the last brief question without an answer.
    silent: AtomicBool,
    clock: Clock,
}

impl RedisMysqlStore {
    /// Over these two. The clock is for what no store's clock rules.
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

    /// An answer of what lasts, if it comes soon.
    async fn brief<T>(&self, asking: impl Future<Output = Answer<T>>) -> Answer<T> {
        let silent = self.silent.load(Ordering::Relaxed);
        let limit_ms = if silent { BRIEF_SILENT_MS } else { BRIEF_MS };
        self.within(limit_ms, Box::pin(asking)).await
    }

    async fn within<T>(&self, limit_ms: u64, asking: impl Future<Output = Answer<T>>) -> Answer<T> {
        let answer = self.mysql.instrument().within(limit_ms, asking).await;
        self.silent.store(answer.is_none(), Ordering::Relaxed);
        answer.unwrap_or_else(|| {
            Err(Fault::unavailable("MySQL", "it does not answer in time").into())
        })
    }

    /// A verb in Redis. If this Redis has forgotten its scripts, the live state is brought up again
    /// and the verb tried once more.
    async fn tried<T, F, Fut>(&self, verb: F) -> Result<Result<T, Refused>, Fault>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, NotDone>>,
    {
        let first = verb().await;
        let second = if matches!(first, Err(NotDone::NoScript)) {
            self.restore().await?;
            verb().await
        } else {
            first
        };
        match second {
            Ok(done) => Ok(Ok(done)),
            Err(NotDone::Refused(refused)) => Ok(Err(refused)),
            Err(NotDone::Fault(fault)) => Err(fault),
            Err(NotDone::NoScript) => {
                Err(Fault::unavailable("Redis", "it forgot its scripts again"))
            }
        }
    }

    /// Brings the live state up, to the end even if whoever asked for it is gone meanwhile.
    async fn restore(&self) -> Result<(), Fault> {
        let restorer = self.restorer.clone();
        tokio::spawn(async move { restorer.restore().await })
            .await
            .map_err(|error| Fault::broken("bringing the live state up", error))?
    }

    /// Builds one instance's live state anew, in the next generation.
    /// `before`: the generation that is live, if one is.
    async fn rebuild(&self, id: InstanceId, before: Option<Generation>) -> Result<(), Fault> {
        let restorer = self.restorer.clone();
        let done = tokio::spawn(async move { restorer.rebuild(id, false, before).await });
        done.await
            .map_err(|error| Fault::broken("building an instance anew", error))?
    }

    /// Why a person is told no, in words that fit this instance.
    async fn reject(&self, id: InstanceId, viewer: &User, refused: Refused) -> Error {
        let code = match refused {
            Refused::NotAllowed => Code::NotAllowed,
            Refused::AlreadyParticipant => Code::AlreadyParticipant,
            // Whoever may not know that it is going on is not told by this either.
            Refused::NotParticipant => match self.tried(|| self.redis.sees(id, viewer)).await {
                Ok(Ok(true)) => Code::NotParticipant,
                Ok(Ok(false) | Err(_)) => Code::NotAllowed,
                Err(fault) => return fault.into(),
            },
            Refused::Full => Code::Full,
            Refused::Locked => Code::Locked,
            Refused::Banned => Code::Banned,
            Refused::ReadOnly => Code::ReadOnly,
            Refused::Muted => Code::Muted,
            Refused::AlreadySo => Code::AlreadySo,
            Refused::NotThere => return refusal::not_there().into(),
            Refused::NotLater => return refusal::not_later().into(),
            Refused::TooLong => return refusal::too_long().into(),
            Refused::ArchiveBehind => Code::ArchiveBehind,
            Refused::NoSuchMessage => Code::NoSuchMessage,
            Refused::NotYours => Code::NotYours,
            Refused::MessageDeleted => Code::MessageDeleted,
            Refused::Elsewhere => {
                let what = "a script asks for what it was told";
                return Fault::broken("changing a message", what).into();
            }
            Refused::Gone
            | Refused::Over
            | Refused::Ended
            | Refused::Unarchived
            | Refused::Behind => {
                return match self.why_not_live(id, viewer).await {
                    Ok(reject) => reject.into(),
                    Err(error) => error,
                };
            }
        };
        code.into()
    }

    /// Why an instance that is not live is not.
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

impl RedisMysqlStore {
    /// Tells every server that a list has changed. They look by themselves every few seconds, so a
    /// Redis that is away loses nothing.
    async fn notice_changed(&self) {
        if let Err(fault) = self.redis.notice_changed().await {
            tracing::warn!(%fault, "the other servers hear of the change later");
        }
    }
}
