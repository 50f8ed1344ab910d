//! `serve`: runs the server.

use crate::app;
use crate::config::{Gathered, Settings};

pub(super) async fn run(settings: Settings, gathered: &Gathered) -> anyhow::Result<()> {
    settings.check_bind(gathered)?;
    app::serve(settings).await
}
