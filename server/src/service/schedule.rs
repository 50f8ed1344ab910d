//! The schedule as admins and operators plan it: meetings, who may join, and when they take place.

use plenary_shared::domain::{Code, Meeting, Reject};
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::limits::{AUDIENCE_MAX, AUDIENCE_SHOWN_MAX, PLAN_PAGE};
use plenary_shared::protocol::{
    AddMeeting, AudienceReport, ChangeAudience, EditMeeting, Plan, PlanOk,
};
use plenary_shared::text;
use plenary_shared::time::Timestamp;

use crate::ctx::{Caller, Ctx};
use crate::error::{Answer, Error};
use crate::rules;
use crate::rules::importing::{self, Imported};
use crate::store::planning::Invitations;
use crate::store::{MeetingListed, NewMeeting};

/// How many meetings a page of [`list`] holds.
pub const LIST_PAGE: usize = 500;

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
        Plan::Add(new) => {
            let meeting = add_meeting(ctx, by, new).await?;
            meeting_now(ctx, meeting.id).await
        }
        Plan::Edit { meeting, edit } => edit_meeting(ctx, by, meeting, edit).await,
        Plan::Audience { meeting, change } => change_audience(ctx, by, meeting, change).await,
        Plan::Import {
            meeting,
            text,
            replace,
            strict,
        } => {
            let import = Import {
                text: &text,
                replace,
                strict,
            };
            import_audience(ctx, by, meeting, import).await
        }
        Plan::Schedule { meeting, times } => {
            let (from, to) = (times.fromdatetime, times.todatetime);
            let instance = schedule(ctx, by, meeting, from, to).await?;
            instance_now(ctx, instance).await
        }
        Plan::Move { instance, times } => {
            move_instance(ctx, by, instance, times.fromdatetime, times.todatetime).await
        }
        Plan::Cancel { instance, reason } => cancel(ctx, by, instance, reason).await,
    }
}

/// Adds a meeting; its texts and addresses are checked here.
pub async fn add_meeting(ctx: &Ctx, by: Option<UserId>, new: AddMeeting) -> Answer<Meeting> {
    let (audience, _) = addresses("audience", &new.audience)?;
    if audience.len() > AUDIENCE_MAX {
        let detail = format!("The field audience has at most {AUDIENCE_MAX} addresses.");
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    let new = NewMeeting {
        title: text::parse_title(&new.title).map_err(Reject::from)?,
        description: text::parse_description(&new.description).map_err(Reject::from)?,
        is_public: new.is_public,
        audience,
        by,
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

/// Invites people, and others no more.
pub async fn change_audience(
    ctx: &Ctx,
    by: Option<UserId>,
    meeting: MeetingId,
    change: ChangeAudience,
) -> Answer<PlanOk> {
    if change == ChangeAudience::default() {
        let detail = "Say whom to add or to remove: the fields add and remove are empty.";
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    let (add, repeated) = addresses("add", &change.add)?;
    let (remove, again) = addresses("remove", &change.remove)?;
    let change = Invitations {
        add,
        remove,
        replace: false,
    };
    let report = AudienceReport {
        repeated: repeated + again,
        ..AudienceReport::default()
    };
    invite(ctx, by, meeting, &change, report).await
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
        repeated,
        wrong,
        wrong_count,
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
    let report = AudienceReport {
        repeated,
        wrong,
        wrong_count,
        ..AudienceReport::default()
    };
    invite(ctx, by, meeting, &change, report).await
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
pub async fn list(ctx: &Ctx, after: Option<MeetingId>) -> Answer<Vec<MeetingListed>> {
    ctx.store.meetings(after, LIST_PAGE).await
}

/// A page as a screen wants it: of long audiences the beginning.
async fn page(ctx: &Ctx, after: Option<MeetingId>) -> Answer<PlanOk> {
    let mut meetings = ctx.store.meetings(after, PLAN_PAGE + 1).await?;
    let more = meetings.len() > PLAN_PAGE;
    meetings.truncate(PLAN_PAGE);
    for meeting in &mut meetings {
        meeting.audience.truncate(AUDIENCE_SHOWN_MAX);
    }
    Ok(PlanOk {
        meetings,
        more,
        instance: None,
        overlaps: Vec::new(),
        report: None,
    })
}

/// A meeting as it is now, and what overlaps with it. `not_found`.
pub async fn meeting_now(ctx: &Ctx, id: MeetingId) -> Answer<PlanOk> {
    let before = id.get().checked_sub(1).and_then(|n| MeetingId::new(n).ok());
    let mut meetings = ctx.store.meetings(before, 1).await?;
    meetings.retain(|one| one.meeting.id == id);
    if meetings.is_empty() {
        let detail = format!("There is no meeting {id}: look at the list of meetings.");
        return Err(Reject::new(Code::NotFound, detail).into());
    }
    Ok(PlanOk {
        meetings,
        more: false,
        instance: None,
        overlaps: ctx.store.overlaps(id).await?,
        report: None,
    })
}

/// The same of an instance's meeting, with what overlaps with the instance.
pub async fn instance_now(ctx: &Ctx, id: InstanceId) -> Answer<PlanOk> {
    let mut now = meeting_now(ctx, id.meeting).await?;
    now.overlaps.retain(|overlap| overlap.instance == id);
    now.instance = Some(id);
    Ok(now)
}

async fn invite(
    ctx: &Ctx,
    by: Option<UserId>,
    meeting: MeetingId,
    change: &Invitations,
    report: AudienceReport,
) -> Answer<PlanOk> {
    let invited = ctx.store.change_audience(meeting, change, by).await?;
    let mut now = meeting_now(ctx, meeting).await?;
    now.report = Some(AudienceReport {
        added: invited.added,
        already: invited.already,
        removed: invited.removed,
        absent: invited.absent,
        ..report
    });
    Ok(now)
}

/// The addresses in lower case, each once; and how often one stood there again.
fn addresses(field: &str, given: &[String]) -> Result<(Vec<String>, usize), Error> {
    let mut read = given
        .iter()
        .map(|email| {
            text::parse_email(email).map_err(|error| {
                let shown: String = email.chars().take(100).collect();
                let detail = format!("The field {field}: '{shown}': {error}.");
                Reject::new(Code::Invalid, detail)
            })
        })
        .collect::<Result<Vec<_>, Reject>>()?;
    read.sort();
    read.dedup();
    let repeated = given.len() - read.len();
    Ok((read, repeated))
}
