//! `move`: everything from the one file to Redis and MySQL.

use clap::Args;
use serde_json::{Map, Value};

use super::output;
use crate::app;
use crate::clock::Clock;
use crate::config::{Settings, mysql_flag, redis_flag};
use crate::ctx::Randomness;

#[expect(clippy::doc_markdown, reason = "help texts are no Markdown")]
#[derive(Args, Debug)]
#[command(after_help = "\
Moved are people with their passwords and roles, sessions, meetings, who may join them, every
instance, the logs, the messages and the audit, with all their ids, numbers and times. Stop the
server before. Both new stores must be empty. A run that was cut off is completed by the same command.

Afterwards the old file is kept, and marked: no server starts on it unless by serve --force.
Instances that were live go on when the new server starts; clients join again by themselves, and who
does not come back within the grace is shown as left.

Example:
  plenary-server move --to-redis redis://127.0.0.1:6379/0 \\
      --to-mysql mysql://plenary:PASSWORD@127.0.0.1:3306/plenary")]
pub(super) struct Arguments {
    /// The new Redis, such as redis://127.0.0.1:6379/0
    #[arg(long, value_name = "URL")]
    to_redis: String,
    /// The new MySQL or MariaDB, such as mysql://user:password@127.0.0.1:3306/plenary
    #[arg(long, value_name = "URL")]
    to_mysql: String,
    /// Prints one JSON object
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
        let mut told: Map<String, Value> = moved
            .kinds
            .iter()
            .map(|(name, rows)| (name.replace(' ', "_"), Value::from(*rows)))
            .collect();
        told.insert("rows_now".to_owned(), Value::from(moved.now));
        told.insert("elapsed_ms".to_owned(), Value::from(elapsed_ms));
        return output::json(&told);
    }
    for (name, rows) in &moved.kinds {
        output::line(&format!("{rows:>9} {name}"))?;
    }
    let total: u64 = moved.kinds.iter().map(|(_, rows)| rows).sum();
    let earlier = match total.saturating_sub(moved.now) {
        0 => String::new(),
        rows => format!(", {rows} of the rows by an earlier run"),
    };
    output::line(&format!(
        "Everything is moved and counted, in {elapsed_ms} ms{earlier}. Start the server there by \
         --redis and --mysql."
    ))?;
    Ok(())
}
