//! The transfer from the embedded store to Redis and MySQL.

use anyhow::Context;
use plenary_shared::domain::{Code, Reject};

use crate::clock::Clock;
use crate::config::{Settings, UsageError, redacted};
use crate::ctx::Randomness;
use crate::error::Error;
use crate::store::mysql::MysqlStore;
use crate::store::redis::RedisStore;
use crate::store::sqlite::{Export, OpenError};
use crate::store::transfer::{self, Target, TransferError};

pub use crate::store::transfer::Transferred;

/// Bytes of randomness in the token of a transfer.
const TOKEN_BYTES: usize = 16;

/// Copies everything from the data file to Redis and MySQL, or completes an earlier run.
pub async fn transfer(
    settings: &Settings,
    (redis_url, mysql_url): (&str, &str),
    clock: &Clock,
    randomness: &Randomness,
) -> anyhow::Result<Transferred> {
    let directory = settings.data_directory()?;
    let mysql = MysqlStore::connect(mysql_url)?;
    // The scripts are not used, so they need no nonce.
    let redis = RedisStore::connect(redis_url, "")?;
    redis.ping().await?;
    mysql.ping().await?;
    let from = match Export::open(directory, clock()) {
        Ok(from) => from,
        Err(missing @ OpenError::Missing { .. }) => {
            return Err(UsageError::new("data", missing).into());
        }
        Err(served @ OpenError::Served { .. }) => {
            return Err(Error::from(Reject::new(Code::Invalid, served.to_string())).into());
        }
        Err(other) => return Err(other.into()),
    };
    let to = Target {
        mysql,
        redis,
        place: format!("{} and {}", redacted(redis_url), redacted(mysql_url)),
    };
    match transfer::transfer(from, &to, token(randomness), clock).await {
        Ok(transferred) => Ok(transferred),
        Err(TransferError::Refused(reject)) => Err(Error::from(reject).into()),
        Err(TransferError::Open(error)) => Err(error.into()),
        Err(TransferError::Migrate(error)) => Err(error.into()),
        Err(TransferError::Fault(fault)) => Err(anyhow::Error::new(fault))
            .context("the move is incomplete, run the same command again to complete it"),
    }
}

/// Returns 32 hexadecimal digits that no other transfer has.
fn token(randomness: &Randomness) -> String {
    let mut bytes = [0; TOKEN_BYTES];
    randomness(&mut bytes);
    uuid::Uuid::from_bytes(bytes).simple().to_string()
}
