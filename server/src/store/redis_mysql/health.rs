//! Health of both stores and of the archiving between them.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, timeout};

use crate::error::Fault;
use crate::store::redis::{Subscriber, UNARCHIVED_EVENTS_MAX};
use crate::store::{Check, HealthStore};

use super::RedisMysqlStore;

/// How long one check may take, in milliseconds.
const ASKED_MS_MAX: u64 = 2_000;

#[async_trait]
impl HealthStore for RedisMysqlStore {
    async fn ready(&self) -> Result<(), Fault> {
        self.redis.ping().await?;
        self.mysql.ping().await
    }

    async fn checks(&self) -> Vec<Check> {
        let (redis, mysql, live_state, archive) = tokio::join!(
            asked("redis", "Redis does not answer.", async {
                self.redis.ping().await.map(|()| None)
            }),
            asked(
                "mysql",
                "MySQL does not answer. Running meetings continue.",
                async { self.mysql.ping().await.map(|()| None) }
            ),
            self.live_state(),
            self.archive(),
        );
        vec![redis, mysql, self.feed_is_heard(), live_state, archive]
    }
}

impl RedisMysqlStore {
    /// Checks whether the live state was rebuilt in this Redis process.
    async fn live_state(&self) -> Check {
        let restoring = self.restorer.is_restoring();
        let why = "The live state is being rebuilt, as Redis may have lost data.";
        asked("live_state", why, async {
            if restoring || !self.redis.is_up().await? {
                return Err(Fault::unavailable("Redis", "the live state is not rebuilt"));
            }
            Ok(None)
        })
        .await
    }

    /// Checks how far the archive is behind. It fails only when posts are refused for that.
    async fn archive(&self) -> Check {
        let why = "Posts are refused because too many events wait to be archived.";
        asked("archive", why, async {
            let lag = self.redis.lag().await?;
            if lag.events_most >= UNARCHIVED_EVENTS_MAX {
                return Err(Fault::unavailable("MySQL", "archiving failed, retrying"));
            }
            Ok(Some(format!(
                "{} events are not archived, the oldest is {} s old.",
                lag.events,
                lag.oldest_ms / 1_000
            )))
        })
        .await
    }

    /// Checks whether published messages arrive.
    fn feed_is_heard(&self) -> Check {
        let latency = self.subscriber.get().and_then(Subscriber::heard);
        let ok = latency.is_some();
        Check {
            name: "feed",
            ok,
            detail: (!ok).then(|| {
                "Messages that Redis publishes do not arrive: events are late.".to_owned()
            }),
            latency_ms: latency.map(ms),
        }
    }
}

async fn asked(
    name: &'static str,
    why: &str,
    asking: impl Future<Output = Result<Option<String>, Fault>>,
) -> Check {
    let began = Instant::now();
    let answer = timeout(Duration::from_millis(ASKED_MS_MAX), asking).await;
    let (ok, detail) = match answer {
        Ok(Ok(detail)) => (true, detail),
        Ok(Err(fault)) => {
            tracing::debug!(%fault, check = name, "check failed");
            (false, Some(why.to_owned()))
        }
        Err(_late) => (false, Some(why.to_owned())),
    };
    Check {
        name,
        ok,
        detail,
        latency_ms: Some(ms(began.elapsed())),
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
