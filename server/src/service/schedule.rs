//! The schedule as admins and operators plan it: meetings, who may join, and when they take place.

use plenary_shared::domain::{Code, Meeting, Reject};
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::limits::{AUDIENCE_MAX, PLAN_PAGE, PLAN_PAGE_EMAILS_MAX};
use plenary_shared::protocol::{ImportReport, Overlap, Plan, PlanOk, WrongLine};
use plenary_shared::text;
use plenary_shared::time::Timestamp;

use crate::ctx::{Caller, Ctx};
use crate::error::Answer;
use crate::rules;
use crate::rules::importing::{self, Imported};
use crate::store::planning::{EditMeeting, Invitations};
use crate::store::{NewMeeting, Planned};

/// How many meetings a page of [`list`] holds.
pub const LIST_PAGE: usize = 500;

/// How much of a wrong address is told, in characters.
const SHOWN_CHARS_MAX: usize = 100;

/// A list of addresses, and how it is meant.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// CSV, or an address a line.
    pub text: &'a str,
    /// Whoever is not on it is invited no more.
    pub replace: bool,
    /// One wrong line, and nothing is changed.
    pub strict: bool,
}

/// Does what an admin plans. `admins_only`.
pub async fn plan(ctx: &Ctx, caller: &Caller, asked: Plan) -> Answer<PlanOk> {
    rules::admin(&caller.user)?;
    let by = Some(caller.user.id);
    match asked {
        Plan::Meetings { after } => page(ctx, after).await,
        Plan::Meeting { meeting } => meeting_now(ctx, meeting).await,
        Plan::Add {
            title,
            description,
            is_public,
            audience,
        } => {
            let new = NewMeeting {
                title,
                description,
                is_public,
                audience,
                by,
            };
            let meeting = add_meeting(ctx, new).await?;
            meeting_now(ctx, meeting.id).await
        }
        Plan::Edit {
            meeting,
            title,
            description,
            is_public,
        } => {
            let edit = EditMeeting {
                title,
                description,
                is_public,
            };
            edit_meeting(ctx, by, meeting, edit).await
        }
        Plan::Audience {
            meeting,
            add,
            remove,
        } => change_audience(ctx, by, meeting, (&add, &remove)).await,
        Plan::Import {
            meeting,
            text,
            replace,
        } => {
            let import = Import {
                text: &text,
                replace,
                strict: false,
            };
            import_audience(ctx, by, meeting, import).await
        }
        Plan::Schedule {
            meeting,
            fromdatetime: from,
            todatetime: to,
        } => {
            let instance = schedule(ctx, by, meeting, from, to).await?;
            instance_now(ctx, instance).await
        }
        Plan::Move {
            instance,
            fromdatetime: from,
            todatetime: to,
        } => move_instance(ctx, by, instance, from, to).await,
        Plan::Cancel { instance, reason } => cancel(ctx, by, instance, reason).await,
    }
}

/// Adds a meeting; its texts and addresses are checked here.
pub async fn add_meeting(ctx: &Ctx, new: NewMeeting) -> Answer<Meeting> {
    let audience = addresses("audience", &new.audience)?;
    if audience.len() > AUDIENCE_MAX {
        let detail = format!("The field audience has at most {AUDIENCE_MAX} addresses.");
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    let new = NewMeeting {
        title: text::parse_title(&new.title).map_err(Reject::from)?,
        description: text::parse_description(&new.description).map_err(Reject::from)?,
        is_public: new.is_public,
        audience,
        by: new.by,
    };
    ctx.store.add_meeting(new).await
}

/// Changes a meeting.
pub async fn edit_meeting(
    ctx: &Ctx,
    by: Option<UserId>,
    meeting: MeetingId,
    edit: EditMeeting,
) -> Answer<PlanOk> {
    if edit == EditMeeting::default() {
        let detail = "Say what to change: title, description or isPublic.";
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    let checked = |text: Result<String, text::TextError>| text.map_err(Reject::from);
    let edit = EditMeeting {
        title: edit
            .title
            .map(|title| checked(text::parse_title(&title)))
            .transpose()?,
        description: edit
            .description
            .map(|description| checked(text::parse_description(&description)))
            .transpose()?,
        is_public: edit.is_public,
    };
    ctx.store.edit_meeting(meeting, &edit, by).await?;
    meeting_now(ctx, meeting).await
}

/// Invites the first of these, and the second no more.
pub async fn change_audience(
    ctx: &Ctx,
    by: Option<UserId>,
    meeting: MeetingId,
    (add, remove): (&[String], &[String]),
) -> Answer<PlanOk> {
    if add.is_empty() && remove.is_empty() {
        let detail = "Say whom to add or to remove: the fields add and remove are empty.";
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    let change = Invitations {
        add: addresses("add", add)?,
        remove: addresses("remove", remove)?,
        replace: false,
    };
    invite(ctx, by, meeting, &change, Vec::new()).await
}

/// Invites everybody on a list; what is wrong on it is told, line by line.
pub async fn import_audience(
    ctx: &Ctx,
    by: Option<UserId>,
    meeting: MeetingId,
    import: Import<'_>,
) -> Answer<PlanOk> {
    let Imported {
        emails,
        wrong,
        wrong_count,
        ..
    } = importing::import(import.text)?;
    if let (true, Some(first)) = (import.strict, wrong.first()) {
        let more = match wrong_count {
            1 => String::new(),
            more => format!(", and {} more are", more - 1),
        };
        let detail = format!(
            "Line {} is wrong: {}{more}. Nothing was changed.",
            first.line, first.why
        );
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    if emails.is_empty() && import.replace {
        let detail = "There is no address in the list: nobody was removed.";
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    let change = Invitations {
        add: emails,
        remove: Vec::new(),
        replace: import.replace,
    };
    invite(ctx, by, meeting, &change, wrong).await
}

/// Adds an instance of a meeting.
pub async fn schedule(
    ctx: &Ctx,
    by: Option<UserId>,
    meeting: MeetingId,
    from: Timestamp,
    to: Timestamp,
) -> Answer<InstanceId> {
    rules::window(from, to, ctx.now())?;
    ctx.store.schedule(meeting, from, to, by).await
}

/// Gives another time to an instance that has not begun.
pub async fn move_instance(
    ctx: &Ctx,
    by: Option<UserId>,
    instance: InstanceId,
    from: Timestamp,
    to: Timestamp,
) -> Answer<PlanOk> {
    rules::window(from, to, ctx.now())?;
    ctx.store.move_instance(instance, from, to, by).await?;
    instance_now(ctx, instance).await
}

/// Calls off an instance that has not begun.
pub async fn cancel(
    ctx: &Ctx,
    by: Option<UserId>,
    instance: InstanceId,
    reason: Option<String>,
) -> Answer<PlanOk> {
    let reason = reason
        .filter(|reason| !reason.trim().is_empty())
        .map(|reason| text::parse_reason(&reason).map_err(Reject::from))
        .transpose()?;
    ctx.store.cancel(instance, reason.as_deref(), by).await?;
    instance_now(ctx, instance).await
}

/// The page of all meetings that comes after `after`; shorter than [`LIST_PAGE`] if it is the last.
pub async fn list(ctx: &Ctx, after: Option<MeetingId>) -> Answer<Vec<Planned>> {
    ctx.store.meetings(after, LIST_PAGE).await
}

/// A page as a screen wants it, shorter where audiences are long.
async fn page(ctx: &Ctx, after: Option<MeetingId>) -> Answer<PlanOk> {
    let mut meetings = ctx.store.meetings(after, PLAN_PAGE + 1).await?;
    let mut emails = 0;
    let fit = meetings.iter().take(PLAN_PAGE).take_while(|one| {
        let fits = emails < PLAN_PAGE_EMAILS_MAX;
        emails += one.audience.len();
        fits
    });
    let fit = fit.count();
    let more = meetings.len() > fit;
    meetings.truncate(fit);
    Ok(PlanOk {
        meetings,
        more,
        ..PlanOk::default()
    })
}

/// A meeting as it is now, and what overlaps with it. `not_found`.
pub async fn meeting_now(ctx: &Ctx, id: MeetingId) -> Answer<PlanOk> {
    let (meetings, found) = read(ctx, id).await?;
    let mut overlaps: Vec<Overlap> = Vec::new();
    // One that overlaps with several of its instances is told once.
    for (_, overlap) in found {
        if overlaps.iter().all(|one| one.instance != overlap.instance) {
            overlaps.push(overlap);
        }
    }
    Ok(PlanOk {
        meetings,
        overlaps,
        ..PlanOk::default()
    })
}

/// The same of an instance's meeting, with what overlaps with the instance.
pub async fn instance_now(ctx: &Ctx, id: InstanceId) -> Answer<PlanOk> {
    let (meetings, found) = read(ctx, id.meeting).await?;
    let of_it = found.into_iter().filter(|(own, _)| *own == id);
    Ok(PlanOk {
        meetings,
        instance: Some(id),
        overlaps: of_it.map(|(_, overlap)| overlap).collect(),
        ..PlanOk::default()
    })
}

/// The one meeting, and what overlaps with which of its instances.
async fn read(ctx: &Ctx, id: MeetingId) -> Answer<(Vec<Planned>, Vec<(InstanceId, Overlap)>)> {
    let Some(meeting) = ctx.store.meeting(id).await? else {
        let detail = format!("There is no meeting {id}: look at the list of meetings.");
        return Err(Reject::new(Code::NotFound, detail).into());
    };
    let overlaps = ctx.store.overlaps(id).await?;
    Ok((vec![meeting], overlaps))
}

async fn invite(
    ctx: &Ctx,
    by: Option<UserId>,
    meeting: MeetingId,
    change: &Invitations,
    wrong: Vec<WrongLine>,
) -> Answer<PlanOk> {
    let invited = ctx.store.change_audience(meeting, change, by).await?;
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let report = ImportReport {
        added: count(invited.added),
        known: count(invited.already),
        removed: count(invited.removed),
        wrong,
    };
    Ok(PlanOk {
        report: Some(report),
        ..meeting_now(ctx, meeting).await?
    })
}

/// The addresses in lower case, each once.
fn addresses(field: &str, given: &[String]) -> Result<Vec<String>, Reject> {
    let mut read = given
        .iter()
        .map(|email| {
            text::parse_email(email).map_err(|error| {
                let shown: String = email.chars().take(SHOWN_CHARS_MAX).collect();
                let detail = format!("The field {field}: '{shown}': {error}.");
                Reject::new(Code::Invalid, detail)
            })
        })
        .collect::<Result<Vec<_>, Reject>>()?;
    read.sort();
    read.dedup();
    Ok(read)
}
