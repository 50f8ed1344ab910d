//! Puts the parts together. (Not built yet.)

use std::sync::Arc;

use crate::config::Settings;
use crate::store::Store;

/// Opens the stores that the settings name.
pub async fn open_store(_settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    anyhow::bail!("not built yet")
}

/// Serves until told to stop.
pub async fn serve(_settings: Settings) -> anyhow::Result<()> {
    anyhow::bail!("not built yet")
}

/// Brings the database's tables up to date; one line for each step.
pub async fn migrate(_settings: &Settings) -> anyhow::Result<Vec<String>> {
    anyhow::bail!("not built yet")
}
