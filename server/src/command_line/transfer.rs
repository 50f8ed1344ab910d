//! `move`: transfers all data from the data file to Redis and MySQL.

use clap::Args;
use serde_json::{Map, Value};

use super::output;
use crate::app;
use crate::clock::Clock;
use crate::config::{Settings, mysql_flag, redis_flag};
use crate::ctx::Randomness;

#[expect(clippy::doc_markdown, reason = "help texts are not Markdown")]
#[derive(Args, Debug)]
#[command(after_help = "\
Moves users with their passwords and roles, sessions, meetings with their audiences and instances,
event logs, messages and the audit log, with all ids and times. Stop the server first. Both
destinations must be empty. If a run is interrupted, run the same command again to complete it.

The data file is kept and marked as moved. A server starts on it only with serve --force. Active
meetings continue when the new server starts. Clients rejoin automatically, and participants who do
not return within the grace period leave.

Example:
  plenary-server move --to-redis redis://127.0.0.1:6379/0 \\
      --to-mysql mysql://plenary:PASSWORD@127.0.0.1:3306/plenary")]
pub(super) struct Arguments {
    /// URL of the new Redis, such as redis://127.0.0.1:6379/0
    #[arg(long, value_name = "URL")]
    to_redis: String,
    /// URL of the new MySQL or MariaDB, such as mysql://user:password@127.0.0.1:3306/plenary
    #[arg(long, value_name = "URL")]
    to_mysql: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(
    settings: &Settings,
    (clock, randomness): (&Clock, &Randomness),
    arguments: Arguments,
) -> anyhow::Result<()> {
    let redis = redis_flag("to-redis", &arguments.to_redis)?;
    let mysql = mysql_flag("to-mysql", &arguments.to_mysql)?;
    let begun = clock();
    let moved = app::transfer(settings, (&redis, &mysql), clock, randomness).await?;
    let elapsed_ms = clock().ms_since(begun);
    if arguments.json {
        let mut summary: Map<String, Value> = moved
            .rows
            .iter()
            .map(|(name, rows)| (name.replace(' ', "_"), Value::from(*rows)))
            .collect();
        summary.insert("rows_now".to_owned(), Value::from(moved.now));
        summary.insert("elapsed_ms".to_owned(), Value::from(elapsed_ms));
        return output::json(&summary);
    }
    for (name, rows) in &moved.rows {
        output::line(&format!("{rows:>9} {name}"))?;
    }
    let total: u64 = moved.rows.iter().map(|(_, rows)| rows).sum();
    let earlier = match total.saturating_sub(moved.now) {
        0 => String::new(),
        rows => format!(", of which {rows} rows by an earlier run"),
    };
    output::line(&format!(
        "Moved and verified {total} rows in {elapsed_ms} ms{earlier}. Start the server with --redis \
         and --mysql."
    ))?;
    Ok(())
}
