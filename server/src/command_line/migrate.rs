//! `migrate`: brings the database's tables up to date.

use super::output;
use crate::app;
use crate::config::Settings;

pub(super) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let steps = app::migrate(settings).await?;
    for step in &steps {
        output::line(step)?;
    }
    if steps.is_empty() {
        output::line("The tables are up to date.")?;
    }
    Ok(())
}
