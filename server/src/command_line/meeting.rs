//! `meeting`: adds and lists meetings and schedules their instances.

use chrono::Local;
use clap::{Args, Subcommand};
use plenary_shared::ids::MeetingId;
use plenary_shared::time::Timestamp;
use serde::Serialize;

use super::output;
use crate::ctx::Ctx;
use crate::service::schedule;
use crate::store::{NewMeeting, PlannedInstance, PlannedMeeting};

mod planning;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a meeting
    Add(Add),
    /// Schedule an instance of a meeting
    Schedule(Schedule),
    /// Edit a meeting; active instances change at once
    Edit(planning::Edit),
    /// Change who may join a private meeting
    #[command(subcommand)]
    Audience(planning::Audience),
    /// Reschedule an instance that has not started
    Move(planning::Move),
    /// Cancel an instance that has not started
    Cancel(planning::Cancel),
    /// List all meetings with their audiences and instances
    #[command(after_help = "Example:\n  plenary-server meeting list --json | jq -r .title")]
    List {
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  plenary-server meeting add --title Seminar --public
  plenary-server meeting add --title Retro --audience ada@example.org,bob@example.org")]
pub(super) struct Add {
    /// Title, one line
    #[arg(long)]
    title: String,
    /// Description, any text
    #[arg(long, default_value = "")]
    description: String,
    /// Allow all users to join
    #[arg(long)]
    public: bool,
    /// Email addresses that may join, separated by commas
    #[arg(long, value_name = "A@X,B@Y")]
    audience: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Times: 2026-05-06T13:00:00Z, '2026-05-06 13:00' (local), now, 'in 5m'. Lengths: 45m, 90s, 1h30m, 1d.

Examples:
  plenary-server meeting schedule 1 --from now --for 1h
  plenary-server meeting schedule 1 --from '2026-05-06 13:00' --to '2026-05-06 14:00'")]
pub(super) struct Schedule {
    /// Id of the meeting
    meeting: MeetingId,
    #[command(flatten)]
    when: planning::When,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The scheduled instance.
#[derive(Serialize)]
struct Scheduled {
    #[serde(flatten)]
    instance: plenary_shared::ids::InstanceId,
    fromdatetime: Timestamp,
    todatetime: Timestamp,
}

pub(super) async fn run(ctx: &Ctx, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add(asked) => add(ctx, asked).await,
        Command::Schedule(asked) => schedule_instance(ctx, asked).await,
        Command::Edit(asked) => planning::edit(ctx, asked).await,
        Command::Audience(asked) => planning::audience(ctx, asked).await,
        Command::Move(asked) => planning::shift(ctx, asked).await,
        Command::Cancel(asked) => planning::cancel(ctx, asked).await,
        Command::List { json } => list(ctx, json).await,
    }
}

async fn add(ctx: &Ctx, asked: Add) -> anyhow::Result<()> {
    let new = NewMeeting {
        title: asked.title,
        description: asked.description,
        is_public: asked.public,
        audience: asked.audience,
        by: None,
    };
    let meeting = schedule::add_meeting(ctx, new).await?;
    warn(ctx, meeting.id).await?;
    if asked.json {
        return output::json(&meeting);
    }
    Ok(output::line(&format!(
        "Meeting {} was added: {}",
        meeting.id, meeting.title
    ))?)
}

/// Warns if nobody can join a meeting, and about addresses that have no account.
async fn warn(ctx: &Ctx, meeting: MeetingId) -> anyhow::Result<()> {
    let strangers = schedule::without_account(ctx, meeting).await?;
    let Some(strangers) = strangers else {
        output::warning(&format!(
            "nobody can join meeting {meeting}: add people with 'plenary-server meeting audience add \
             {meeting} EMAIL', or make it public with 'plenary-server meeting edit {meeting} --public'"
        ));
        return Ok(());
    };
    for email in strangers {
        output::warning(&format!(
            "{email} has no account: add one with 'plenary-server user add', or correct the address"
        ));
    }
    Ok(())
}

async fn schedule_instance(ctx: &Ctx, asked: Schedule) -> anyhow::Result<()> {
    let (from, to) = asked.when.parse(ctx.now())?;
    let instance = schedule::schedule(ctx, None, asked.meeting, from, to).await?;
    if asked.json {
        return output::json(&Scheduled {
            instance,
            fromdatetime: from,
            todatetime: to,
        });
    }
    output::line(&format!("{instance} from {} to {}", local(from), local(to)))?;
    let now = schedule::instance_now(ctx, instance).await?;
    planning::print_overlaps(&now.overlaps)
}

async fn list(ctx: &Ctx, json: bool) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = schedule::list(ctx, after).await?;
        for meeting in &page {
            if json {
                output::json(meeting)?;
            } else {
                print(meeting)?;
            }
        }
        after = page.last().map(|listed| listed.meeting.id);
        if page.len() < schedule::LIST_PAGE {
            return Ok(());
        }
    }
}

fn print(listed: &PlannedMeeting) -> std::io::Result<()> {
    let meeting = &listed.meeting;
    let who = if meeting.is_public {
        "public".to_owned()
    } else {
        format!("private: {}", listed.audience.join(", "))
    };
    output::line(&format!("{}  {}  ({who})", meeting.id, meeting.title))?;
    for instance in &listed.instances {
        let PlannedInstance {
            id,
            fromdatetime,
            state,
            reason,
            ..
        } = instance;
        let reason = reason
            .as_ref()
            .map_or_else(String::new, |reason| format!(", {reason}"));
        output::line(&format!(
            "   {id}  {} to {}  {state}{reason}",
            local(*fromdatetime),
            local(instance.end())
        ))?;
    }
    Ok(())
}

/// Formats a time to the second, in the local time zone.
fn local(at: Timestamp) -> String {
    at.to_utc()
        .with_timezone(&Local)
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}
