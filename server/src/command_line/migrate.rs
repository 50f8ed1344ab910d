//! `migrate`: brings the database's tables up to date.

use super::output;
use crate::app;
use crate::config::Settings;

pub(super) async fn run(settings: &Settings) -> anyhow::Result<()> {
    for step in app::migrate(settings).await? {
        output::line(&step)?;
    }
    Ok(())
}
