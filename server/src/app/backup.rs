//! The backup of the embedded store, which works while the server runs. SIGTERM and SIGINT cancel it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use plenary_shared::domain::{Code, Reject};

use crate::config::{Settings, UsageError};
use crate::error::Error;
use crate::store::sqlite::{self, BackupError};

pub use crate::store::sqlite::Copied;

/// Copies the data file to `to` in its current state. Fails if `to` exists, unless `replace` is set.
pub async fn backup(settings: &Settings, to: &Path, replace: bool) -> anyhow::Result<Copied> {
    let directory = settings.data_directory()?.to_owned();
    let to: PathBuf = to.to_owned();
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = stop.clone();
    super::signals::on_termination(move || stopping.store(true, Ordering::Relaxed))?;
    tokio::task::spawn_blocking(move || sqlite::backup(&directory, &to, replace, &stop))
        .await
        .context("copying the data file")?
        .map_err(classify)
}

/// Maps each error to the exit code of its kind: wrong settings, rejected, or failed.
fn classify(error: BackupError) -> anyhow::Error {
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
