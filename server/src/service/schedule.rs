//! The schedule as an operator sets it up: meetings, and when they take place.

use plenary_shared::domain::Meeting;
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::text;
use plenary_shared::time::Timestamp;

use crate::ctx::Ctx;
use crate::error::{Answer, Error};
use crate::rules;
use crate::store::{MeetingListed, NewMeeting};

/// How many meetings a page of [`list`] holds.
pub const LIST_PAGE: usize = 500;

/// Adds a meeting; its texts and addresses are checked here.
pub async fn add_meeting(ctx: &Ctx, new: NewMeeting) -> Answer<Meeting> {
    let checked = |error: text::TextError| Error::Reject(error.into());
    let mut audience = new
        .audience
        .iter()
        .map(|email| text::parse_email(email).map_err(checked))
        .collect::<Answer<Vec<_>>>()?;
    audience.sort();
    audience.dedup();
    let new = NewMeeting {
        title: text::parse_title(&new.title).map_err(checked)?,
        description: text::parse_description(&new.description).map_err(checked)?,
        is_public: new.is_public,
        audience,
    };
    ctx.store.add_meeting(new).await
}

/// Adds an instance of a meeting.
pub async fn schedule(
    ctx: &Ctx,
    meeting: MeetingId,
    from: Timestamp,
    to: Timestamp,
) -> Answer<InstanceId> {
    rules::window(from, to, ctx.now())?;
    ctx.store.schedule(meeting, from, to).await
}

/// The page of all meetings that comes after `after`; shorter than [`LIST_PAGE`] if it is the last.
pub async fn list(ctx: &Ctx, after: Option<MeetingId>) -> Answer<Vec<MeetingListed>> {
    ctx.store.meetings(after, LIST_PAGE).await
}
