//! Whether the data file can be written.

use async_trait::async_trait;
use tokio::time::Instant;

use crate::error::{Error, Fault};
use crate::store::{Check, DiskSpace, HealthStore, LimitStore};

use super::{SqliteStore, fault};

/// Bytes of a mebibyte.
const MIB: u64 = 1024 * 1024;

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
        let file = Check {
            name: "file",
            ok: ready.is_ok(),
            detail: ready.err().map(|fault| match fault {
                Fault::Unavailable { .. } => {
                    "The data file cannot be written: is the disk full?".to_owned()
                }
                Fault::Broken { what, .. } => format!("The data file: {what} failed."),
            }),
            latency_ms: u64::try_from(began.elapsed().as_millis()).ok(),
        };
        let disk = self.disk().filter(|disk| disk.reserve_bytes > 0);
        [file].into_iter().chain(disk.map(disk_check)).collect()
    }
}

/// Fails when posts are refused because of it.
fn disk_check(disk: DiskSpace) -> Check {
    let (free_mib, reserve_mib) = (disk.free_bytes / MIB, disk.reserve_bytes / MIB);
    let ok = disk.free_bytes >= disk.reserve_bytes;
    let detail = if ok {
        format!("{free_mib} MiB are free.")
    } else {
        format!(
            "Posts are refused: {free_mib} MiB of disk space are free, the reserve is {reserve_mib} MiB."
        )
    };
    Check {
        name: "disk",
        ok,
        detail: Some(detail),
        latency_ms: None,
    }
}
