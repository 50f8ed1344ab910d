//! `backup`: a copy of the one file.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::output;
use crate::app::{self, Copied};
use crate::clock::Clock;
use crate::config::Settings;

#[derive(Args, Debug)]
#[command(after_help = "\
The copy is the state at the moment of the call, checked and complete, while the server goes on or
without one. It gets its name only when it is done. To serve it, put it as plenary.db into a
directory of its own and name that with --data.

With Redis and MySQL the database is what is to be copied, by mysqldump or mariadb-dump.

Examples:
  plenary-server backup /backup/plenary-$(date +%F).db
  plenary-server backup --data /srv/plenary --force /backup/latest.db")]
pub(super) struct Arguments {
    /// The copy; its directory must be there
    file: PathBuf,
    /// Replaces a file of that name
    #[arg(long)]
    force: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Told<'a> {
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
        return output::json(&Told {
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
        "Copied to {file} in {elapsed_ms} ms: {bytes} bytes in {pages} pages, with {users} people, \
         {meetings} meetings, {instances} instances and {messages} messages. It is whole."
    ))?;
    Ok(())
}
