//! `migrate`: applies pending migrations.

use super::output;
use crate::app;
use crate::clock::Clock;
use crate::config::Settings;

pub(super) async fn run(settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    let steps = app::migrate(settings, clock).await?;
    for step in &steps {
        output::line(step)?;
    }
    if steps.is_empty() {
        output::line("The tables are up to date.")?;
    }
    Ok(())
}
