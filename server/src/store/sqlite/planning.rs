//! Changes of meetings, of who may join them, and of instances that have not begun. What is live is read
//! from the same rows, so it follows with the commit.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use async_trait::async_trait;
use plenary_shared::ids::{InstanceId, MeetingId, OrderId, UserId};
use plenary_shared::limits::{OVERLAP_EMAILS_MAX, OVERLAPS_MAX};
use plenary_shared::protocol::Overlap;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, Row, named_params};

use super::live::stored;
use super::writer::WriteTransaction;
use super::{SqliteStore, audit, row};
use crate::error::{Answer, Error, Fault};
use crate::store::planning::{
    Difference, EditMeeting, Invitations, Invited, Pair, PlanningStore, edited, overlapping, window,
};
use crate::store::window::check_times;
use crate::store::{Feed, refusal};

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
            .write(move |tx| cancel(tx, instance, reason.as_deref(), by))
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
    let changed = row::change(
        tx.conn,
        "UPDATE meeting
         SET title = COALESCE(:title, title),
             description = COALESCE(:description, description),
             isPublic = COALESCE(:is_public, isPublic),
             revision = revision + 1
         WHERE meetingID = :meeting",
        named_params! {
            ":title": edit.title,
            ":description": edit.description,
            ":is_public": edit.is_public,
            ":meeting": meeting.get(),
        },
    )?;
    if changed == 0 {
        return Err(refusal::no_meeting(meeting).into());
    }
    tx.tell(Feed::Changed);
    let target = format!("meeting {meeting}");
    Ok(audit::note(tx, by, "edited", &target, Some(&edited(edit)))?)
}

fn change_audience(
    tx: &mut WriteTransaction<'_>,
    meeting: MeetingId,
    change: &Invitations,
    by: Option<UserId>,
) -> Answer<Invited> {
    let known = row::change(
        tx.conn,
        "UPDATE meeting
         SET revision = revision + 1
         WHERE meetingID = :meeting",
        named_params! { ":meeting": meeting.get() },
    )?;
    if known == 0 {
        return Err(refusal::no_meeting(meeting).into());
    }
    let mut now = row::all(
        tx.conn,
        "audience",
        "SELECT email
         FROM audience
         WHERE meetingID = :meeting",
        named_params! { ":meeting": meeting.get() },
        row::email,
    )?;
    now.sort_unstable();
    now.dedup();
    let found = Difference::between(&now, change)?;
    if found.is_nothing() {
        return Ok(found.invited);
    }
    for email in &found.remove {
        row::change(
            tx.conn,
            "DELETE FROM audience
             WHERE meetingID = :meeting
               AND emailKey = :email",
            named_params! { ":meeting": meeting.get(), ":email": email },
        )?;
    }
    for email in &found.add {
        invite(tx.conn, meeting, email)?;
    }
    tx.tell(Feed::Changed);
    let target = format!("meeting {meeting}");
    audit::note(tx, by, "audience", &target, Some(&found.detail()))?;
    Ok(found.invited)
}

/// Writes an address that is not there.
pub(super) fn invite(conn: &Connection, meeting: MeetingId, email: &str) -> Result<(), Fault> {
    row::change(
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
    let changed = row::change(
        tx.conn,
        "UPDATE meeting_instance
         SET fromdatetime = :from, todatetime = :to
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state = 'scheduled'",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":from": from.as_ms(),
            ":to": to.as_ms(),
        },
    )?;
    if changed == 0 {
        return Err(not_scheduled(tx.conn, id)?);
    }
    tx.tell(Feed::Changed);
    let detail = window(from, to);
    Ok(audit::note(
        tx,
        by,
        "moved",
        &id.to_string(),
        Some(&detail),
    )?)
}

fn cancel(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    reason: Option<&str>,
    by: Option<UserId>,
) -> Answer<()> {
    let changed = row::change(
        tx.conn,
        "UPDATE meeting_instance
         SET state = 'ended', reason = 'cancelled', ended_at = :now
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state = 'scheduled'",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":now": tx.now.as_ms(),
        },
    )?;
    if changed == 0 {
        return Err(not_scheduled(tx.conn, id)?);
    }
    tx.tell(Feed::Changed);
    Ok(audit::note(tx, by, "cancelled", &id.to_string(), reason)?)
}

fn not_scheduled(conn: &Connection, id: InstanceId) -> Result<Error, Fault> {
    Ok(match stored(conn, id)? {
        Some(stored) => refusal::not_scheduled(id, stored.state).into(),
        None => refusal::unknown(id).into(),
    })
}

fn overlaps(conn: &Connection, meeting: MeetingId) -> Result<Vec<(InstanceId, Overlap)>, Fault> {
    let pairs = row::all(
        conn,
        "meeting_instance",
        OVERLAPS,
        named_params! { ":meeting": meeting.get(), ":limit": OVERLAPS_MAX },
        |row| pair(meeting, row),
    )?;
    let mut all = BTreeMap::new();
    for pair in &pairs {
        let other = pair.other.meeting;
        if let Entry::Vacant(vacant) = all.entry(other) {
            vacant.insert(shared(conn, meeting, other)?);
        }
    }
    Ok(overlapping(pairs, &all))
}

/// Who is invited to both of two private meetings: how many, and the first of them.
fn shared(
    conn: &Connection,
    one: MeetingId,
    other: MeetingId,
) -> Result<(usize, Vec<String>), Fault> {
    let people = row::one(
        conn,
        "audience",
        "SELECT COUNT(DISTINCT a.emailKey) AS people
         FROM audience a
         JOIN audience b ON b.emailKey = a.emailKey AND b.meetingID = :other
         JOIN meeting m ON m.meetingID = a.meetingID
         WHERE a.meetingID = :one
           AND NOT COALESCE(m.isPublic, 0)",
        named_params! { ":one": one.get(), ":other": other.get() },
        |row| Ok(row::get::<usize>(row, "people").unwrap_or(0)),
    )?;
    let some = row::all(
        conn,
        "audience",
        "SELECT DISTINCT a.emailKey AS email
         FROM audience a
         JOIN audience b ON b.emailKey = a.emailKey AND b.meetingID = :other
         JOIN meeting m ON m.meetingID = a.meetingID
         WHERE a.meetingID = :one
           AND NOT COALESCE(m.isPublic, 0)
         ORDER BY a.emailKey
         LIMIT :limit",
        named_params! { ":one": one.get(), ":other": other.get(), ":limit": OVERLAP_EMAILS_MAX },
        row::email,
    )?;
    Ok((people.unwrap_or(0), some))
}

/// Each state is one range of an index.
const OVERLAPS: &str = "
 SELECT i.orderID AS mine, o.meetingID, o.orderID, o.fromdatetime, o.todatetime, m.title,
        m.description, m.isPublic
 FROM meeting_instance i
 JOIN meeting own ON own.meetingID = i.meetingID
 JOIN meeting_instance o
   ON o.state IN ('scheduled', 'active')
  AND o.fromdatetime < i.todatetime
  AND o.todatetime > i.fromdatetime
 JOIN meeting m ON m.meetingID = o.meetingID
 WHERE i.meetingID = :meeting
   AND i.state IN ('scheduled', 'active')
   AND (o.meetingID <> i.meetingID OR o.orderID <> i.orderID)
   AND (o.meetingID = i.meetingID
     OR (NOT COALESCE(own.isPublic, 0) AND NOT COALESCE(m.isPublic, 0) AND EXISTS (
       SELECT 1
       FROM audience a
       JOIN audience b ON b.emailKey = a.emailKey AND b.meetingID = o.meetingID
       WHERE a.meetingID = i.meetingID)))
 ORDER BY i.fromdatetime, i.orderID, o.fromdatetime, o.meetingID, o.orderID
 LIMIT :limit";

fn pair(meeting: MeetingId, row: &Row<'_>) -> Result<Pair, row::Unusable> {
    let mine: OrderId = row::order_id(row, "mine")?;
    Ok(Pair {
        instance: InstanceId::new(meeting, mine),
        other: row::instance_id(row)?,
        title: row::meeting(row)?.title,
        from: row::time(row, "fromdatetime")?,
        to: row::time(row, "todatetime")?,
    })
}
