//! Planning by admins and operators: meetings, their audiences and their instances.

use plenary_shared::domain::{Code, Meeting, Reject};
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::limits::{AUDIENCE_MAX, PLAN_PAGE, PLAN_PAGE_EMAILS_MAX};
use plenary_shared::protocol::{ImportReport, Overlap, Plan, PlanOk, RejectedLine};
use plenary_shared::text;
use plenary_shared::time::Timestamp;

use crate::ctx::{Caller, Ctx};
use crate::error::Answer;
use crate::rules;
use crate::rules::importing::{self, Imported};
use crate::store::planning::{EditMeeting, Invitations};
use crate::store::{NewMeeting, PlannedMeeting};

/// Meetings per page of [`list`].
pub const LIST_PAGE: usize = 500;

/// Addresses of an audience that [`without_account`] looks up; each is one read.
const LOOKED_UP_MAX: usize = 100;

/// Characters of an invalid email address that an error shows.
const SHOWN_CHARS_MAX: usize = 100;

/// A list of email addresses to import, with its options.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// CSV, or one address per line.
    pub text: &'a str,
    /// Removes all addresses that are not on the list.
    pub replace: bool,
    /// Changes nothing if a line is invalid.
    pub strict: bool,
}

/// Runs a planning request. Returns `admins_only` for other callers.
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

/// Adds a meeting, after checking its texts and addresses.
pub async fn add_meeting(ctx: &Ctx, new: NewMeeting) -> Answer<Meeting> {
    let audience = addresses("audience", &new.audience)?;
    if audience.len() > AUDIENCE_MAX {
        let count = audience.len();
        let detail = format!("The audience has {count} addresses; the limit is {AUDIENCE_MAX}.");
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
        let detail = "Nothing to change. Set title, description or isPublic.";
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
    if !is_already(ctx, meeting, &edit).await? {
        ctx.store.edit_meeting(meeting, &edit, by).await?;
    }
    meeting_now(ctx, meeting).await
}

/// Returns whether the meeting has these properties already. A repeated edit has no effect.
async fn is_already(ctx: &Ctx, id: MeetingId, edit: &EditMeeting) -> Answer<bool> {
    let Some(PlannedMeeting { meeting, .. }) = ctx.store.meeting(id).await? else {
        return Ok(false);
    };
    let EditMeeting {
        title,
        description,
        is_public,
    } = edit;
    Ok(title.as_ref().is_none_or(|title| *title == meeting.title)
        && description
            .as_ref()
            .is_none_or(|text| *text == meeting.description)
        && is_public.is_none_or(|public| public == meeting.is_public))
}

/// Adds and removes addresses of the audience.
pub async fn change_audience(
    ctx: &Ctx,
    by: Option<UserId>,
    meeting: MeetingId,
    (add, remove): (&[String], &[String]),
) -> Answer<PlanOk> {
    if add.is_empty() && remove.is_empty() {
        let detail = "Nothing to change. Put addresses into add or remove.";
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    let change = Invitations {
        add: addresses("add", add)?,
        remove: addresses("remove", remove)?,
        replace: false,
    };
    invite(ctx, by, meeting, &change, Vec::new()).await
}

/// Imports a list of addresses into the audience. The answer reports every invalid line.
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
            count => format!(", and {} more lines are invalid", count - 1),
        };
        let detail = format!(
            "Line {} is invalid: {}{more}. Nothing was changed.",
            first.line, first.reason
        );
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    if emails.is_empty() && import.replace {
        let detail = "The list contains no valid address. Nothing was changed.";
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    let change = Invitations {
        add: emails,
        remove: Vec::new(),
        replace: import.replace,
    };
    invite(ctx, by, meeting, &change, wrong).await
}

/// Schedules an instance of a meeting.
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

/// Reschedules an instance that has not started.
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

/// Cancels an instance that has not started.
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

/// Returns the addresses of a private meeting's audience that have no account, among the first hundred;
/// `None` if nobody can join the meeting.
pub async fn without_account(ctx: &Ctx, meeting: MeetingId) -> Answer<Option<Vec<String>>> {
    let Some(planned) = ctx.store.meeting(meeting).await? else {
        return Ok(Some(Vec::new()));
    };
    if planned.meeting.is_public {
        return Ok(Some(Vec::new()));
    }
    if planned.audience.is_empty() {
        return Ok(None);
    }
    let mut strangers = Vec::new();
    for email in planned.audience.into_iter().take(LOOKED_UP_MAX) {
        if ctx.store.account(&email).await?.is_none() {
            strangers.push(email);
        }
    }
    Ok(Some(strangers))
}

/// Returns the page of meetings that follows `after`. The last page is shorter than [`LIST_PAGE`].
pub async fn list(ctx: &Ctx, after: Option<MeetingId>) -> Answer<Vec<PlannedMeeting>> {
    ctx.store.meetings(after, LIST_PAGE).await
}

/// Returns a page for a screen. It has fewer meetings if their audiences are long.
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

/// Returns a meeting and its overlaps with other meetings, or `not_found`.
pub async fn meeting_now(ctx: &Ctx, id: MeetingId) -> Answer<PlanOk> {
    let (meetings, found) = read(ctx, id).await?;
    let mut overlaps: Vec<Overlap> = Vec::new();
    // An instance may overlap with several of this meeting; it is listed once.
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

/// Returns the meeting of an instance, and the overlaps of that instance.
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

/// Returns the meeting, and the overlaps of each of its instances.
async fn read(
    ctx: &Ctx,
    id: MeetingId,
) -> Answer<(Vec<PlannedMeeting>, Vec<(InstanceId, Overlap)>)> {
    let Some(meeting) = ctx.store.meeting(id).await? else {
        let detail = format!("Meeting {id} does not exist. See the list of meetings.");
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
    wrong: Vec<RejectedLine>,
) -> Answer<PlanOk> {
    let invited = ctx.store.change_audience(meeting, change, by).await?;
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let report = ImportReport {
        added: count(invited.added),
        existing: count(invited.already),
        removed: count(invited.removed),
        rejected: wrong,
    };
    Ok(PlanOk {
        report: Some(report),
        ..meeting_now(ctx, meeting).await?
    })
}

/// Returns the addresses in lower case, without duplicates. Each of the given texts may have several, in
/// the forms that mail programs write.
fn addresses(field: &str, given: &[String]) -> Result<Vec<String>, Reject> {
    let parse = |email: &str| {
        text::parse_email(email).map_err(|error| {
            let shown: String = email.chars().take(SHOWN_CHARS_MAX).collect();
            let detail = format!("Field {field}: '{shown}': {error}.");
            Reject::new(Code::Invalid, detail)
        })
    };
    let mut read = Vec::with_capacity(given.len());
    for list in given {
        let emails = text::split_emails(list);
        if emails.is_empty() {
            read.push(parse(list)?);
        }
        for email in emails {
            read.push(parse(email)?);
        }
    }
    read.sort();
    read.dedup();
    Ok(read)
}
