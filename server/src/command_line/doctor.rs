//! `doctor`: what is wrong with the settings and the stores, and what to do.

use clap::Args;

use super::output;
use crate::app;
use crate::clock::Clock;
use crate::config::Settings;
use crate::store::finding::{Finding, Grade};

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
    /// Prints one JSON object a finding: about, grade (good, warning, bad, away), says, advice
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
    let mut findings = vec![about_settings(settings)];
    findings.extend(app::examine(settings, clock).await?);
    for finding in &findings {
        if arguments.json {
            output::json(finding)?;
        } else {
            print(finding)?;
        }
    }
    let worst = findings.iter().map(|finding| finding.grade).max();
    match worst {
        Some(Grade::Away) => Err(Unwell { away: true }.into()),
        Some(Grade::Bad) => Err(Unwell { away: false }.into()),
        Some(Grade::Warning | Grade::Good) | None => Ok(()),
    }
}

fn about_settings(settings: &Settings) -> Finding {
    let (about, bind) = ("settings", settings.bind);
    if settings.is_embedded() {
        return Finding::good(about, format!("one file; serve listens on {bind}"));
    }
    Finding::good(about, format!("Redis and MySQL; serve listens on {bind}"))
}

fn print(finding: &Finding) -> std::io::Result<()> {
    let sign = match finding.grade {
        Grade::Good => "ok     ",
        Grade::Warning => "warning",
        Grade::Bad => "bad    ",
        Grade::Away => "away   ",
    };
    output::line(&format!("{sign}  {}: {}", finding.about, finding.says))?;
    if let Some(advice) = &finding.advice {
        output::line(&format!("         → {advice}"))?;
    }
    Ok(())
}
