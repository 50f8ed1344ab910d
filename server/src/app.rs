//! Assembles the program: opens the stores that the settings name, and runs the server on them.

use std::sync::Arc;

use plenary_shared::domain::{Code, Reject};

use crate::clock::Clock;
use crate::config::Settings;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::store::diagnostic::Diagnostic;
use crate::store::instrument::Instrument;
use crate::store::mysql::MysqlStore;
use crate::store::redis::RedisStore;
use crate::store::redis_mysql::RedisMysqlStore;
use crate::store::sqlite::{OpenError, Purpose, SqliteStore};
use crate::store::transfer::check_complete;
use crate::store::{LimitStore, Store};

mod backup;
mod clock_watch;
mod descriptors;
mod metrics_endpoint;
mod serve;
mod signals;
mod transfer;

pub use backup::{Copied, backup};
pub use serve::serve;
pub use transfer::{Transferred, transfer};

/// The nonce of a Redis connection that runs no scripts.
const NO_NONCE: &str = "";

/// Opens the stores that the settings name, for a command that runs beside the server. Applies the
/// migrations that are pending.
pub async fn open_store(settings: &Settings, clock: Clock) -> anyhow::Result<Arc<dyn Store>> {
    open_store_for(Purpose::Command, settings, clock, &Arc::default()).await
}

async fn open_store_for(
    purpose: Purpose,
    settings: &Settings,
    clock: Clock,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Arc<dyn Store>> {
    let instrument = |store| Instrument::metered(metrics.clone(), store);
    if settings.is_embedded() {
        let directory = settings.data_directory()?;
        if purpose == Purpose::Serve {
            tracing::info!(directory = %directory.display(), "using the embedded store");
        }
        return match SqliteStore::open_paced(directory, clock, purpose, instrument("sqlite")) {
            Ok(store) => {
                store.set_limits(settings.limits);
                Ok(store)
            }
            Err(moved @ (OpenError::Moved { .. } | OpenError::Moving { .. })) => {
                Err(Error::from(Reject::new(Code::Invalid, moved.to_string())).into())
            }
            Err(other) => Err(other.into()),
        };
    }
    // Both URLs are checked before either store is contacted.
    let redis = settings.redis_url()?;
    let mysql = open_mysql(settings)?.instrumented(instrument("mysql"));
    mysql.migrate().await?;
    check_complete(&mysql).await?;
    mysql.read_indexed_words().await?;
    let nonce = mysql.nonce().await?;
    let redis = RedisStore::instrumented(redis, &nonce, instrument("redis"))?;
    redis.limits().set(settings.limits);
    Ok(RedisMysqlStore::new(redis, mysql, clock))
}

/// Applies the pending migrations. Returns one line per migration.
pub async fn migrate(settings: &Settings, clock: &Clock) -> anyhow::Result<Vec<String>> {
    if settings.is_embedded() {
        return Ok(SqliteStore::migrate(settings.data_directory()?, clock())?);
    }
    Ok(open_mysql(settings)?.migrate().await?)
}

/// Checks the stores that the settings name, without changing anything.
pub async fn examine(settings: &Settings, clock: &Clock) -> anyhow::Result<Vec<Diagnostic>> {
    if settings.is_embedded() {
        return Ok(SqliteStore::examine(
            settings.data_directory()?,
            settings.limits.disk_reserve_bytes,
        ));
    }
    let redis = RedisStore::connect(settings.redis_url()?, NO_NONCE)?;
    let mysql = open_mysql(settings)?;
    let (of_redis, of_mysql) = tokio::join!(redis.examine(&**clock), mysql.examine(&**clock));
    Ok([of_redis, of_mysql].concat())
}

fn open_mysql(settings: &Settings) -> anyhow::Result<MysqlStore> {
    Ok(MysqlStore::connect(settings.mysql_url()?)?)
}

/// Makes a data file that was moved to other stores usable again. Does nothing to any other file.
pub fn reclaim(settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    let directory = settings.data_directory()?;
    if SqliteStore::reclaim(directory, clock())? {
        tracing::warn!(
            directory = %directory.display(),
            "serving a data file that was moved, changes made in the other stores are missing"
        );
    }
    Ok(())
}
