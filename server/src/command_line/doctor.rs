//! `doctor`: what is wrong with the settings and the stores, and what to do.

use clap::Args;

use super::output;
use crate::app;
use crate::clock::Clock;
use crate::config::Settings;
use crate::store::diagnostic::{Diagnostic, Grade};

const AFTER_HELP: &str = "\
Changes nothing, and may run beside the server.

Exit codes: 0 nothing is bad, 1 something is, 2 wrong settings, 5 a store does not answer.

Examples:
  plenary-server doctor
  plenary-server doctor --json | jq -r 'select(.grade != \"good\") | .advice'";

/// See the command's help.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Prints one JSON object a diagnostic: about, grade (good, warning, bad, away), says, advice
    #[arg(long)]
    json: bool,
}

/// That something is bad; what, has been said.
#[derive(Debug, thiserror::Error)]
#[error("not all is well")]
pub(super) struct Unwell {
    /// Whether a store does not answer.
    pub(super) away: bool,
}

pub(super) async fn run(
    settings: &Settings,
    clock: &Clock,
    arguments: &Arguments,
) -> anyhow::Result<()> {
    let mut diagnostics = vec![about_settings(settings)];
    diagnostics.extend(app::examine(settings, clock).await?);
    for diagnostic in &diagnostics {
        if arguments.json {
            output::json(diagnostic)?;
        } else {
            print(diagnostic)?;
        }
    }
    let worst = diagnostics.iter().map(|diagnostic| diagnostic.grade).max();
    match worst {
        Some(Grade::Away) => Err(Unwell { away: true }.into()),
        Some(Grade::Bad) => Err(Unwell { away: false }.into()),
        Some(Grade::Warning | Grade::Good) | None => Ok(()),
    }
}

fn about_settings(settings: &Settings) -> Diagnostic {
    let (about, bind) = ("settings", settings.bind);
    if settings.is_embedded() {
        return Diagnostic::good(about, format!("one file; serve listens on {bind}"));
    }
    Diagnostic::good(about, format!("Redis and MySQL; serve listens on {bind}"))
}

fn print(diagnostic: &Diagnostic) -> std::io::Result<()> {
    let sign = match diagnostic.grade {
        Grade::Good => "ok     ",
        Grade::Warning => "warning",
        Grade::Bad => "bad    ",
        Grade::Away => "away   ",
    };
    output::line(&format!(
        "{sign}  {}: {}",
        diagnostic.about, diagnostic.says
    ))?;
    if let Some(advice) = &diagnostic.advice {
        output::line(&format!("         → {advice}"))?;
    }
    Ok(())
}
