//! `backup`: copies the data file.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::output;
use crate::app::{self, Copied};
use crate::clock::Clock;
use crate::config::Settings;

#[derive(Args, Debug)]
#[command(after_help = "\
The copy is a complete and verified snapshot of the current state. The server may keep running. The
copy gets its name when it is complete. To serve it, rename it to plenary.db, put it into a directory
of its own, and name that directory with --data.

With Redis and MySQL, back up MySQL with mysqldump or mariadb-dump instead.

Examples:
  plenary-server backup /backup/plenary-$(date +%F).db
  plenary-server backup --data /srv/plenary --force /backup/latest.db")]
pub(super) struct Arguments {
    /// The copy; its directory must exist
    file: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Summary<'a> {
    file: &'a str,
    bytes: u64,
    pages: u64,
    users: u64,
    meetings: u64,
    instances: u64,
    messages: u64,
    elapsed_ms: i64,
}

pub(super) async fn run(
    settings: &Settings,
    clock: &Clock,
    arguments: Arguments,
) -> anyhow::Result<()> {
    let begun = clock();
    let copied = app::backup(settings, &arguments.file, arguments.force).await?;
    let elapsed_ms = clock().ms_since(begun);
    let Copied {
        bytes,
        pages,
        users,
        meetings,
        instances,
        messages,
    } = copied;
    let file = arguments.file.to_string_lossy();
    if arguments.json {
        return output::json(&Summary {
            file: &file,
            bytes,
            pages,
            users,
            meetings,
            instances,
            messages,
            elapsed_ms,
        });
    }
    output::line(&format!(
        "Copied to {file} in {elapsed_ms} ms: {bytes} bytes in {pages} pages, with {users} users, \
         {meetings} meetings, {instances} instances and {messages} messages. The copy is verified."
    ))?;
    Ok(())
}
