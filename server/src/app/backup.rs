//! A copy of the one file, made beside the server; stopped in good order by SIGTERM or SIGINT.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use plenary_shared::domain::{Code, Reject};
use tokio_util::sync::CancellationToken;

use crate::config::{Settings, UsageError};
use crate::error::Error;
use crate::store::sqlite::{self, BackupError};

pub use crate::store::sqlite::Copied;

/// Copies the data file to `to`, in the state that it has now. `replace`: whether a file of that name
/// may be there.
pub async fn backup(settings: &Settings, to: &Path, replace: bool) -> anyhow::Result<Copied> {
    let directory = settings.data_directory()?.to_owned();
    let to: PathBuf = to.to_owned();
    let stop = Arc::new(AtomicBool::new(false));
    let signalled = CancellationToken::new();
    super::stop_on_signals(signalled.clone())?;
    let stopping = stop.clone();
    tokio::spawn(async move {
        signalled.cancelled().await;
        stopping.store(true, Ordering::Relaxed);
    });
    tokio::task::spawn_blocking(move || sqlite::backup(&directory, &to, replace, &stop))
        .await
        .context("copying the data file")?
        .map_err(told)
}

/// As the command line tells failures apart: wrong settings, refused, failed.
fn told(error: BackupError) -> anyhow::Error {
    match error {
        BackupError::Missing { .. } => UsageError::new("data", error).into(),
        BackupError::Exists { .. }
        | BackupError::NotReplaceable { .. }
        | BackupError::NoDirectory { .. } => {
            Error::from(Reject::new(Code::Invalid, error.to_string())).into()
        }
        BackupError::Full { .. }
        | BackupError::Unwritable { .. }
        | BackupError::Damaged { .. }
        | BackupError::Stopped
        | BackupError::Migrate(_)
        | BackupError::Fault(_) => error.into(),
    }
}
