//! Whether the data file can be written.

use async_trait::async_trait;
use tokio::time::Instant;

use crate::error::{Error, Fault};
use crate::store::{Check, HealthStore};

use super::{SqliteStore, fault};

#[async_trait]
impl HealthStore for SqliteStore {
    async fn ready(&self) -> Result<(), Fault> {
        match self.link.write(|_| Ok(())).await {
            // A lease is written every two seconds, so this state is recent.
            Ok(()) if self.link.is_failing() => Err(Fault::unavailable(
                fault::STORE,
                "the data file cannot be written",
            )),
            Ok(()) => Ok(()),
            Err(Error::Fault(fault)) => Err(fault),
            Err(Error::Reject(reject)) => Err(Fault::broken("writing", reject)),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let began = Instant::now();
        let ready = self.ready().await;
        vec![Check {
            name: "file",
            ok: ready.is_ok(),
            detail: ready.err().map(|fault| match fault {
                Fault::Unavailable { .. } => {
                    "The data file cannot be written: is the disk full?".to_owned()
                }
                Fault::Broken { what, .. } => format!("The data file: {what} failed."),
            }),
            latency_ms: u64::try_from(began.elapsed().as_millis()).ok(),
        }]
    }
}
