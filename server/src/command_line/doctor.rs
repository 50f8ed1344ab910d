//! `doctor`: checks the settings and the stores, and suggests fixes.

use std::io::ErrorKind;
use std::net::TcpListener;

use clap::Args;

use super::output;
use crate::app;
use crate::clock::Clock;
use crate::config::Settings;
use crate::store::diagnostic::{Diagnostic, Grade};

const AFTER_HELP: &str = "\
Tries what the server does on scratch keys and in scratch transactions, and leaves nothing behind. The
server may keep running.

Exit codes: 0 no problem or only warnings, 1 problems, 2 invalid settings, 5 store unavailable.

Examples:
  plenary-server doctor
  plenary-server doctor --json | jq -r 'select(.grade != \"good\") | .advice'";

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Print one JSON object per check: about, grade (good, warning, bad, unavailable), says, advice
    #[arg(long)]
    json: bool,
}

/// Problems were found and printed.
#[derive(Debug, thiserror::Error)]
#[error("problems were found")]
pub(super) struct Unhealthy {
    /// Whether a store does not answer.
    pub(super) unavailable: bool,
}

pub(super) async fn run(
    settings: &Settings,
    findings: Vec<Diagnostic>,
    clock: &Clock,
    arguments: &Arguments,
) -> anyhow::Result<()> {
    let mut diagnostics = vec![about_settings(settings), about_address(settings)];
    diagnostics.extend(findings);
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
        Some(Grade::Unavailable) => Err(Unhealthy { unavailable: true }.into()),
        Some(Grade::Bad) => Err(Unhealthy { unavailable: false }.into()),
        Some(Grade::Warning | Grade::Good) | None => Ok(()),
    }
}

fn about_settings(settings: &Settings) -> Diagnostic {
    let (about, bind) = ("settings", settings.bind);
    if settings.is_embedded() {
        return Diagnostic::good(about, format!("data file; serve listens on {bind}"));
    }
    Diagnostic::good(about, format!("Redis and MySQL; serve listens on {bind}"))
}

/// Tries to listen. An address in use is good: it may be the server's.
fn about_address(settings: &Settings) -> Diagnostic {
    let (about, bind) = ("settings: bind", settings.bind);
    match TcpListener::bind(bind) {
        Ok(_) => Diagnostic::good(about, format!("{bind} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Diagnostic::good(about, format!("{bind} is in use"))
        }
        Err(error) => Diagnostic::not_good(
            Grade::Bad,
            about,
            format!("{bind}: {error}"),
            "choose an address of this machine and a port from 1024 on",
        ),
    }
}

fn print(diagnostic: &Diagnostic) -> std::io::Result<()> {
    let grade = match diagnostic.grade {
        Grade::Good => "ok",
        Grade::Warning => "warning",
        Grade::Bad => "bad",
        Grade::Unavailable => "unavailable",
    };
    output::line(&format!(
        "{grade:<11}  {}: {}",
        diagnostic.about, diagnostic.says
    ))?;
    if let Some(advice) = &diagnostic.advice {
        output::line(&format!("             → {advice}"))?;
    }
    Ok(())
}
