//! Changes of meetings: texts, audiences and the times of instances.

use std::io::{self, Read};

use anyhow::Context;
use chrono::Local;
use clap::{Args, Subcommand};
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::limits::IMPORT_BYTES_MAX;
use plenary_shared::protocol::{ImportReport, Overlap, PlanOk};
use plenary_shared::time::{Timestamp, parse_end, parse_when};

use super::super::output;
use crate::config::UsageError;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::rules::importing;
use crate::service::schedule::{self, Import};
use crate::store::planning::EditMeeting;

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  plenary-server meeting edit 1 --title Seminar --private")]
pub(in crate::command_line) struct Edit {
    /// Id of the meeting
    meeting: MeetingId,
    /// New title, one line
    #[arg(long, required_unless_present_any = ["description", "public", "private"])]
    title: Option<String>,
    /// New description, any text
    #[arg(long)]
    description: Option<String>,
    /// Allow all users to join
    #[arg(long, conflicts_with = "private")]
    public: bool,
    /// Allow only the audience to join
    #[arg(long)]
    private: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Changes of an audience. Participants who are removed stay until they leave.
#[derive(Debug, Subcommand)]
pub(in crate::command_line) enum Audience {
    /// Add email addresses to the audience
    Add(Addresses),
    /// Remove email addresses from the audience; participants stay until they leave
    Remove(Addresses),
    /// Add all email addresses of a list
    Import(ImportFile),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  plenary-server meeting audience add 1 ada@example.org bob@example.org
  plenary-server meeting audience remove 1 bob@example.org")]
pub(in crate::command_line) struct Addresses {
    /// Id of the meeting
    meeting: MeetingId,
    /// Email addresses
    #[arg(required = true, value_name = "EMAIL")]
    emails: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
The list is CSV (the column 'email', or the first column with an @) or one address per line. Blank lines
and lines that start with # are ignored. Invalid lines are reported and skipped.

Examples:
  plenary-server meeting audience import 1 members.csv
  plenary-server meeting audience import 1 --replace --strict - < members.txt")]
pub(in crate::command_line) struct ImportFile {
    /// Id of the meeting
    meeting: MeetingId,
    /// A file, or - for standard input
    file: std::path::PathBuf,
    /// Remove all addresses that are not on the list
    #[arg(long)]
    replace: bool,
    /// Change nothing if a line is invalid
    #[arg(long)]
    strict: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Times: 2026-05-06T13:00:00Z, '2026-05-06 13:00' (local), now, 'in 5m'. Lengths: 45m, 90s, 1h30m, 1d.
To move the end of an active instance, use 'plenary admin extend'.

Example:
  plenary-server meeting move 1/4 --from 'in 2h' --for 45m")]
pub(in crate::command_line) struct Move {
    /// The instance, such as 1/4
    instance: InstanceId,
    #[command(flatten)]
    when: When,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
To end an active instance, use 'plenary admin end'.

Example:
  plenary-server meeting cancel 1/4 --reason 'public holiday'")]
pub(in crate::command_line) struct Cancel {
    /// The instance, such as 1/4
    instance: InstanceId,
    /// Reason for the audit log, one line
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(super) struct When {
    /// Start
    #[arg(long, value_name = "TIME")]
    from: String,
    /// End
    #[arg(
        long,
        value_name = "TIME",
        required_unless_present = "length",
        conflicts_with = "length"
    )]
    to: Option<String>,
    /// Length, instead of the end
    #[arg(long = "for", value_name = "LENGTH")]
    length: Option<String>,
}

impl When {
    /// Parses the start and the end.
    pub(super) fn parse(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), UsageError> {
        let from = parse_when(&self.from, now, &Local).map_err(|e| UsageError::new("from", e))?;
        let to = match (&self.to, &self.length) {
            (Some(to), _) => parse_when(to, now, &Local).map_err(|e| UsageError::new("to", e))?,
            (None, length) => parse_end(from, length.as_deref().unwrap_or_default())
                .map_err(|e| UsageError::new("for", e))?,
        };
        Ok((from, to))
    }
}

pub(super) async fn edit(ctx: &Ctx, asked: Edit) -> anyhow::Result<()> {
    let edit = EditMeeting {
        title: asked.title,
        description: asked.description,
        is_public: (asked.public || asked.private).then_some(asked.public),
    };
    let now = schedule::edit_meeting(ctx, None, asked.meeting, edit).await?;
    print(&now, asked.json)
}

pub(super) async fn audience(ctx: &Ctx, asked: Audience) -> anyhow::Result<()> {
    let (meeting, json, add, remove) = match asked {
        Audience::Add(added) => (added.meeting, added.json, added.emails, vec![]),
        Audience::Remove(removed) => (removed.meeting, removed.json, vec![], removed.emails),
        Audience::Import(asked) => return import(ctx, asked).await,
    };
    let now = schedule::change_audience(ctx, None, meeting, (&add, &remove)).await?;
    super::warn(ctx, meeting).await?;
    print(&now, json)
}

async fn import(ctx: &Ctx, asked: ImportFile) -> anyhow::Result<()> {
    let bytes = read(&asked.file)
        .with_context(|| format!("the list {} cannot be read", asked.file.display()))?;
    let import = Import {
        text: importing::decode(&bytes).map_err(Error::from)?,
        replace: asked.replace,
        strict: asked.strict,
    };
    let now = schedule::import_audience(ctx, None, asked.meeting, import).await?;
    print(&now, asked.json)
}

/// Reads one byte more than allowed, so that a longer list is rejected instead of truncated.
fn read(file: &std::path::Path) -> io::Result<Vec<u8>> {
    let most = IMPORT_BYTES_MAX as u64 + 1;
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(file)?
            .take(most)
            .read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

pub(super) async fn shift(ctx: &Ctx, asked: Move) -> anyhow::Result<()> {
    let (from, to) = asked.when.parse(ctx.now())?;
    let now = schedule::move_instance(ctx, None, asked.instance, from, to).await?;
    print(&now, asked.json)
}

pub(super) async fn cancel(ctx: &Ctx, asked: Cancel) -> anyhow::Result<()> {
    let now = schedule::cancel(ctx, None, asked.instance, asked.reason).await?;
    print(&now, asked.json)
}

/// Prints the meeting after a change, with the import report and the overlaps.
fn print(now: &PlanOk, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(now);
    }
    for meeting in &now.meetings {
        super::print(meeting)?;
    }
    if let Some(report) = &now.report {
        print_report(report)?;
    }
    print_overlaps(&now.overlaps)
}

fn print_report(report: &ImportReport) -> anyhow::Result<()> {
    output::line(&format!(
        "{} added, {} already present, {} removed",
        report.added, report.existing, report.removed
    ))?;
    for wrong in &report.rejected {
        output::line(&format!(
            "   line {}: {}: {}",
            wrong.line, wrong.reason, wrong.text
        ))?;
    }
    Ok(())
}

/// Prints the overlaps, which are allowed.
pub(super) fn print_overlaps(overlaps: &[Overlap]) -> anyhow::Result<()> {
    for overlap in overlaps {
        let some = match overlap.emails.as_slice() {
            [] => String::new(),
            some => format!(": {}", some.join(", ")),
        };
        output::line(&format!(
            "   overlaps with {}  {}  {} to {}, {} shared users{some}",
            overlap.instance,
            overlap.title,
            super::local(overlap.fromdatetime),
            super::local(overlap.todatetime),
            overlap.shared_users,
        ))?;
    }
    Ok(())
}
