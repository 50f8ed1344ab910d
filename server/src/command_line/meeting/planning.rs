//! What is changed of meetings that are there: their texts, their audience, their instances' times.

use std::io::{self, Read};

use anyhow::Context;
use chrono::Local;
use clap::{Args, Subcommand};
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::limits::IMPORT_BYTES_MAX;
use plenary_shared::protocol::{ImportReport, Overlap, PlanOk};
use plenary_shared::time::{Timestamp, parse_length, parse_when};

use super::super::output;
use crate::config::UsageError;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::rules::importing;
use crate::service::schedule::{self, Import};
use crate::store::planning::EditMeeting;

#[derive(Args, Debug)]
pub(in crate::command_line) struct Edit {
    /// The meeting's number
    meeting: MeetingId,
    /// One line
    #[arg(long, required_unless_present_any = ["description", "public", "private"])]
    title: Option<String>,
    /// What it is about
    #[arg(long)]
    description: Option<String>,
    /// Lets everybody join who can sign in
    #[arg(long, conflicts_with = "private")]
    public: bool,
    /// Lets only its audience join
    #[arg(long)]
    private: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

/// Who may join a private meeting. Whoever is removed while they are in stays in until they leave.
#[derive(Debug, Subcommand)]
pub(in crate::command_line) enum Audience {
    /// Invites people
    Add(People),
    /// Invites people no more
    Remove(People),
    /// Invites everybody on a list
    Import(ImportFile),
}

#[derive(Args, Debug)]
pub(in crate::command_line) struct People {
    /// The meeting's number
    meeting: MeetingId,
    /// Their addresses
    #[arg(required = true, value_name = "EMAIL", value_delimiter = ',')]
    emails: Vec<String>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
The list is CSV (addresses in the column 'email', or in the first that holds an @), or an address a line.
Blank lines and those that begin with # say nothing. Wrong lines are reported, and the others taken.")]
pub(in crate::command_line) struct ImportFile {
    /// The meeting's number
    meeting: MeetingId,
    /// A file, or - for standard input
    file: std::path::PathBuf,
    /// Whoever is not on the list is invited no more
    #[arg(long)]
    replace: bool,
    /// Changes nothing if one line is wrong
    #[arg(long)]
    strict: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Times: 2026-05-06T13:00:00Z, '2026-05-06 13:00' (local), now, 'in 5m'. Lengths: 45m, 90s, 1h30m, 1d.
Only what has not begun is moved: 'plenary admin extend' moves the end of what goes on.")]
pub(in crate::command_line) struct Move {
    /// Which instance: meeting/order, like 1/4
    instance: InstanceId,
    /// When it takes place.
    #[command(flatten)]
    when: When,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Only what has not begun is cancelled: 'plenary admin end' ends what goes on.")]
pub(in crate::command_line) struct Cancel {
    /// Which instance: meeting/order, like 1/4
    instance: InstanceId,
    /// Why: one line, for the audit
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

/// When something takes place.
#[derive(Args, Debug)]
pub(super) struct When {
    /// When it begins
    #[arg(long, value_name = "TIME")]
    from: String,
    /// When it is over
    #[arg(
        long,
        value_name = "TIME",
        required_unless_present = "length",
        conflicts_with = "length"
    )]
    to: Option<String>,
    /// How long it lasts
    #[arg(long = "for", value_name = "LENGTH")]
    length: Option<String>,
}

impl When {
    /// From when to when.
    pub(super) fn read(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), UsageError> {
        let from = parse_when(&self.from, now, &Local).map_err(|e| UsageError::new("from", e))?;
        let to = match (&self.to, &self.length) {
            (Some(to), _) => parse_when(to, now, &Local).map_err(|e| UsageError::new("to", e))?,
            (None, length) => {
                let length = parse_length(length.as_deref().unwrap_or_default())
                    .map_err(|e| UsageError::new("for", e))?;
                from.plus_ms(length.num_milliseconds())
            }
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
    told(&now, asked.json)
}

pub(super) async fn audience(ctx: &Ctx, asked: Audience) -> anyhow::Result<()> {
    let (meeting, json, add, remove) = match asked {
        Audience::Add(people) => (people.meeting, people.json, people.emails, vec![]),
        Audience::Remove(people) => (people.meeting, people.json, vec![], people.emails),
        Audience::Import(asked) => return import(ctx, asked).await,
    };
    let now = schedule::change_audience(ctx, None, meeting, (&add, &remove)).await?;
    told(&now, json)
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
    told(&now, asked.json)
}

/// A little more than may be, so that more is refused and not cut.
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
    let (from, to) = asked.when.read(ctx.now())?;
    let now = schedule::move_instance(ctx, None, asked.instance, from, to).await?;
    told(&now, asked.json)
}

pub(super) async fn cancel(ctx: &Ctx, asked: Cancel) -> anyhow::Result<()> {
    let now = schedule::cancel(ctx, None, asked.instance, asked.reason).await?;
    told(&now, asked.json)
}

/// How it is now: the meeting, what became of the addresses, what overlaps.
fn told(now: &PlanOk, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(now);
    }
    for meeting in &now.meetings {
        super::print(meeting)?;
    }
    if let Some(report) = &now.report {
        tell_report(report)?;
    }
    tell_overlaps(&now.overlaps)
}

fn tell_report(report: &ImportReport) -> anyhow::Result<()> {
    output::line(&format!(
        "{} added, {} there already, {} removed",
        report.added, report.known, report.removed
    ))?;
    for wrong in &report.wrong {
        output::line(&format!(
            "   line {}: {}: {}",
            wrong.line, wrong.why, wrong.text
        ))?;
    }
    Ok(())
}

/// Shown, and not forbidden.
pub(super) fn tell_overlaps(overlaps: &[Overlap]) -> anyhow::Result<()> {
    for overlap in overlaps {
        let some = match overlap.people.as_slice() {
            [] => String::new(),
            some => format!(": {}", some.join(", ")),
        };
        output::line(&format!(
            "   at the same time: {}  {}  {} to {}, {} of the same people{some}",
            overlap.instance,
            overlap.title,
            super::local(overlap.fromdatetime),
            super::local(overlap.todatetime),
            overlap.shared,
        ))?;
    }
    Ok(())
}
