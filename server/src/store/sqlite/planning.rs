//! Changes of meetings, their audiences, and instances that have not started. Live instances read the same
//! rows, so a change applies to them when it is committed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use async_trait::async_trait;
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::protocol::Overlap;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, named_params};

use super::live::stored;
use super::writer::WriteTransaction;
use super::{SqliteStore, statement};
use crate::error::{Answer, Error, Fault};
use crate::store::planning::{
    Difference, EditMeeting, Invitations, Invited, PlanningStore, edited, overlapping, window,
};
use crate::store::sql::{audience, meetings};
use crate::store::window::check_times;
use crate::store::{AccessChange, Feed, refusal};

#[async_trait]
impl PlanningStore for SqliteStore {
    async fn edit_meeting(
        &self,
        meeting: MeetingId,
        edit: &EditMeeting,
        by: Option<UserId>,
    ) -> Answer<()> {
        let edit = edit.clone();
        self.link
            .write(move |tx| edit_meeting(tx, meeting, &edit, by))
            .await
    }

    async fn change_audience(
        &self,
        meeting: MeetingId,
        change: &Invitations,
        by: Option<UserId>,
    ) -> Answer<Invited> {
        let change = change.clone();
        self.link
            .write(move |tx| change_audience(tx, meeting, &change, by))
            .await
    }

    async fn move_instance(
        &self,
        instance: InstanceId,
        from: Timestamp,
        to: Timestamp,
        by: Option<UserId>,
    ) -> Answer<()> {
        self.link
            .write(move |tx| move_instance(tx, instance, from, to, by))
            .await
    }

    async fn cancel(
        &self,
        instance: InstanceId,
        reason: Option<&str>,
        by: Option<UserId>,
    ) -> Answer<()> {
        let reason = reason.map(str::to_owned);
        self.link
            .write(move |tx| cancel(tx, instance, reason, by))
            .await
    }

    async fn overlaps(&self, meeting: MeetingId) -> Answer<Vec<(InstanceId, Overlap)>> {
        self.link
            .read(move |conn| Ok(overlaps(conn, meeting)?))
            .await
    }
}

fn edit_meeting(
    tx: &mut WriteTransaction<'_>,
    meeting: MeetingId,
    edit: &EditMeeting,
    by: Option<UserId>,
) -> Answer<()> {
    if tx.execute(meetings::edit(meeting, edit))? == 0 {
        return Err(refusal::no_meeting(meeting).into());
    }
    tx.tell(Feed::Changed);
    tx.tell(Feed::Access(AccessChange::Meeting(meeting)));
    let target = format!("meeting {meeting}");
    Ok(tx.audit(by, "edited", target, Some(edited(edit)))?)
}

fn change_audience(
    tx: &mut WriteTransaction<'_>,
    meeting: MeetingId,
    change: &Invitations,
    by: Option<UserId>,
) -> Answer<Invited> {
    if tx.execute(meetings::raise_revision(meeting))? == 0 {
        return Err(refusal::no_meeting(meeting).into());
    }
    let invited = audience::unique(statement::all(tx.conn, audience::emails(meeting))?);
    let difference = Difference::between(&invited, change)?;
    if difference.is_nothing() {
        return Ok(difference.invited);
    }
    for email in &difference.remove {
        statement::change(
            tx.conn,
            "DELETE FROM audience
             WHERE meetingID = :meeting
               AND emailKey = :email",
            named_params! { ":meeting": meeting.get(), ":email": email },
        )?;
    }
    for email in &difference.add {
        invite(tx.conn, meeting, email)?;
    }
    tx.tell(Feed::Changed);
    tx.tell(Feed::Access(AccessChange::Meeting(meeting)));
    let target = format!("meeting {meeting}");
    tx.audit(by, "audience", target, Some(difference.detail()))?;
    Ok(difference.invited)
}

/// Adds an address that is not in the audience.
pub(super) fn invite(conn: &Connection, meeting: MeetingId, email: &str) -> Result<(), Fault> {
    statement::change(
        conn,
        "INSERT INTO audience (meetingID, email)
         VALUES (:meeting, :email)",
        named_params! { ":meeting": meeting.get(), ":email": email },
    )?;
    Ok(())
}

fn move_instance(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    from: Timestamp,
    to: Timestamp,
    by: Option<UserId>,
) -> Answer<()> {
    check_times(from, to, tx.now)?;
    if tx.execute(meetings::move_instance(id, from, to))? == 0 {
        return Err(not_scheduled(tx.conn, id)?);
    }
    tx.tell(Feed::Changed);
    Ok(tx.audit(by, "moved", id.to_string(), Some(window(from, to)))?)
}

fn cancel(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    reason: Option<String>,
    by: Option<UserId>,
) -> Answer<()> {
    if tx.execute(meetings::cancel(id, tx.now))? == 0 {
        return Err(not_scheduled(tx.conn, id)?);
    }
    tx.tell(Feed::Changed);
    Ok(tx.audit(by, "cancelled", id.to_string(), reason)?)
}

fn not_scheduled(conn: &Connection, id: InstanceId) -> Result<Error, Fault> {
    Ok(match stored(conn, id)? {
        Some(stored) => refusal::not_scheduled(id, stored.state).into(),
        None => refusal::unknown(id).into(),
    })
}

fn overlaps(conn: &Connection, meeting: MeetingId) -> Result<Vec<(InstanceId, Overlap)>, Fault> {
    let pairs = statement::all(conn, audience::overlaps(meeting))?;
    let mut shared = BTreeMap::new();
    for pair in &pairs {
        let other = pair.other.meeting;
        if let Entry::Vacant(vacant) = shared.entry(other) {
            let count = statement::one(conn, audience::shared_count(meeting, other))?;
            let emails = statement::all(conn, audience::shared(meeting, other))?;
            vacant.insert((count.unwrap_or(0), audience::unique(emails)));
        }
    }
    Ok(overlapping(pairs, &shared))
}
