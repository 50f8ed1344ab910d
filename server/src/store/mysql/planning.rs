//! Changes of meetings, of who may join them, and of instances that have not begun.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use mysql_async::{Params, Row, Value, params};
use plenary_shared::domain::Meeting;
use plenary_shared::ids::{InstanceId, MeetingId, OrderId, UserId};
use plenary_shared::limits::{OVERLAP_EMAILS_MAX, OVERLAPS_MAX};
use plenary_shared::protocol::Overlap;
use plenary_shared::time::Timestamp;

use super::link::{MysqlStore, TRIES_MAX, Work, is_deadlock};
use super::{audit, row};
use crate::error::{Answer, Error};
use crate::store::planning::{
    Difference, EditMeeting, Invitations, Invited, Pair, edited, overlapping, window,
};
use crate::store::refusal;
use crate::store::window::check_times;

/// Addresses written in one statement.
const INVITED: usize = 100;

/// What a live instance takes from its meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivePlan {
    /// Which.
    pub instance: InstanceId,
    /// How often the meeting was changed: of two plans, the one of more changes holds.
    pub revision: u64,
    /// What it is an instance of.
    pub meeting: Meeting,
    /// Who may join: addresses in lower case. Empty when the meeting is public.
    pub audience: Vec<String>,
}

impl MysqlStore {
    /// Changes a meeting. `not_found`.
    pub async fn edit_meeting(
        &self,
        meeting: MeetingId,
        edit: &EditMeeting,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<()> {
        let mut work = self.transaction().await?;
        let changed = work
            .change(
                "UPDATE meeting
                 SET title = COALESCE(:title, title),
                     description = COALESCE(:description, description),
                     isPublic = COALESCE(:is_public, isPublic),
                     revision = revision + 1
                 WHERE meetingID = :meeting",
                params! {
                    "title" => edit.title.as_deref(),
                    "description" => edit.description.as_deref(),
                    "is_public" => edit.is_public,
                    "meeting" => meeting.get(),
                },
            )
            .await?;
        if changed.rows == 0 {
            return Err(refusal::no_meeting(meeting).into());
        }
        let (target, detail) = (format!("meeting {meeting}"), edited(edit));
        audit::note(&mut work, now, by, "edited", target, Some(detail)).await?;
        Ok(work.commit().await?)
    }

    /// Changes who may join a meeting. `not_found`, `invalid`.
    pub async fn change_audience(
        &self,
        meeting: MeetingId,
        change: &Invitations,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<Invited> {
        let mut tries = 1;
        loop {
            match self.try_audience(meeting, change, by, now).await {
                Err(Error::Fault(fault)) if tries < TRIES_MAX && is_deadlock(&fault) => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn try_audience(
        &self,
        meeting: MeetingId,
        change: &Invitations,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<Invited> {
        let mut work = self.transaction().await?;
        // Whoever else changes it waits here.
        let locked = work
            .change(
                "UPDATE meeting
                 SET revision = revision + 1
                 WHERE meetingID = :meeting",
                params! { "meeting" => meeting.get() },
            )
            .await?;
        if locked.rows == 0 {
            return Err(refusal::no_meeting(meeting).into());
        }
        let rows = work
            .rows(
                super::read::AUDIENCE,
                params! { "meeting" => meeting.get() },
            )
            .await?;
        let found = Difference::between(&super::read::audience(&rows), change)?;
        if found.is_nothing() {
            return Ok(found.invited);
        }
        for some in found.remove.chunks(INVITED) {
            let sql = format!(
                "DELETE FROM audience
                 WHERE meetingID = ?
                   AND emailKey IN ({})",
                vec!["?"; some.len()].join(", ")
            );
            let mut values = vec![Value::from(meeting.get())];
            values.extend(some.iter().map(Value::from));
            work.change(&sql, Params::Positional(values)).await?;
        }
        invite(&mut work, meeting, &found.add).await?;
        let (target, detail) = (format!("meeting {meeting}"), found.detail());
        audit::note(&mut work, now, by, "audience", target, Some(detail)).await?;
        work.commit().await?;
        Ok(found.invited)
    }

    /// Gives an instance another time, if it has not begun. `not_found`, `not_scheduled`, `invalid`.
    pub async fn move_instance(
        &self,
        id: InstanceId,
        (from, to): (Timestamp, Timestamp),
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<()> {
        check_times(from, to, now)?;
        let mut work = self.transaction().await?;
        let changed = work
            .change(
                "UPDATE meeting_instance
                 SET fromdatetime = :from, todatetime = :to
                 WHERE meetingID = :meeting
                   AND orderID = :order
                   AND state = 'scheduled'",
                row::with(id, params! { "from" => row::at(from), "to" => row::at(to) }),
            )
            .await?;
        if changed.rows == 0 {
            return Err(self.not_scheduled(id).await);
        }
        let (target, detail) = (id.to_string(), window(from, to));
        audit::note(&mut work, now, by, "moved", target, Some(detail)).await?;
        Ok(work.commit().await?)
    }

    /// Calls an instance off, if it has not begun. `not_found`, `not_scheduled`.
    pub async fn cancel(
        &self,
        id: InstanceId,
        reason: Option<&str>,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<()> {
        let mut work = self.transaction().await?;
        let changed = work
            .change(
                "UPDATE meeting_instance
                 SET state = 'ended', reason = 'cancelled', ended_at = :now
                 WHERE meetingID = :meeting
                   AND orderID = :order
                   AND state = 'scheduled'",
                row::with(id, params! { "now" => row::at(now) }),
            )
            .await?;
        if changed.rows == 0 {
            return Err(self.not_scheduled(id).await);
        }
        let (target, detail) = (id.to_string(), reason.map(str::to_owned));
        audit::note(&mut work, now, by, "cancelled", target, detail).await?;
        Ok(work.commit().await?)
    }

    async fn not_scheduled(&self, id: InstanceId) -> Error {
        match self.stored(id).await {
            Ok(Some(stored)) => refusal::not_scheduled(id, stored.state).into(),
            Ok(None) => refusal::unknown(id).into(),
            Err(error) => error,
        }
    }

    /// What takes place at the same time as a meeting's running and coming instances.
    pub async fn overlaps(&self, meeting: MeetingId) -> Answer<Vec<(InstanceId, Overlap)>> {
        let rows = self
            .rows(
                OVERLAPS,
                params! { "meeting" => meeting.get(), "limit" => OVERLAPS_MAX },
            )
            .await?;
        let pairs = row::usable(&rows, "meeting_instance", |row| pair(meeting, row));
        let mut shared = BTreeMap::new();
        for pair in &pairs {
            let other = pair.other.meeting;
            if let Entry::Vacant(vacant) = shared.entry(other) {
                vacant.insert(self.shared(meeting, other).await?);
            }
        }
        Ok(overlapping(pairs, &shared))
    }

    /// Who is invited to both of two private meetings: how many, and the first of them.
    async fn shared(&self, one: MeetingId, other: MeetingId) -> Answer<(usize, Vec<String>)> {
        let (one, other) = (one.get(), other.get());
        let params = params! { "one" => one, "other" => other };
        let row = self.row(SHARED_COUNT, params).await?;
        let people = row.and_then(|row| row::get::<u64>(&row, "people"));
        let limit = OVERLAP_EMAILS_MAX;
        let params = params! { "one" => one, "other" => other, "limit" => limit };
        let rows = self.rows(SHARED, params).await?;
        let people = usize::try_from(people.unwrap_or(0)).unwrap_or(usize::MAX);
        Ok((people, super::read::audience(&rows)))
    }

    /// What every active instance takes from its meeting; only those of one meeting, if that is
    /// given. A plan is never newer than its revision says.
    pub async fn live_plans(&self, only: Option<MeetingId>) -> Answer<Vec<LivePlan>> {
        let only = only.map(MeetingId::get);
        let rows = self
            .rows(
                "SELECT i.meetingID, i.orderID, m.title, m.description, m.isPublic, m.revision
                 FROM meeting_instance i
                 JOIN meeting m ON m.meetingID = i.meetingID
                 WHERE i.state = 'active'
                   AND (:only IS NULL OR i.meetingID = :only)",
                params! { "only" => only },
            )
            .await?;
        let mut plans = row::usable(&rows, "meeting_instance", |row| {
            Ok(LivePlan {
                instance: row::instance_id(row)?,
                revision: row::get(row, "revision").unwrap_or(0),
                meeting: row::meeting(row)?,
                audience: Vec::new(),
            })
        });
        // Read after the revisions: a change between the two is told again with its own.
        let mut audiences = self.live_audiences(only).await?;
        for plan in &mut plans {
            if !plan.meeting.is_public {
                plan.audience = audiences.remove(&plan.instance).unwrap_or_default();
            }
        }
        Ok(plans)
    }

    /// Who may join each active private instance: addresses in lower case.
    async fn live_audiences(&self, only: Option<u64>) -> Answer<BTreeMap<InstanceId, Vec<String>>> {
        let rows = self
            .rows(
                "SELECT i.meetingID, i.orderID, a.email
                 FROM meeting_instance i
                 JOIN audience a ON a.meetingID = i.meetingID
                 WHERE i.state = 'active'
                   AND (:only IS NULL OR i.meetingID = :only)",
                params! { "only" => only },
            )
            .await?;
        let mut audiences: BTreeMap<InstanceId, Vec<String>> = BTreeMap::new();
        for (id, email) in row::usable(&rows, "audience", |row| {
            Ok((row::instance_id(row)?, row::email(row)?))
        }) {
            audiences.entry(id).or_default().push(email);
        }
        Ok(audiences)
    }

    /// How often a meeting was changed.
    pub async fn revision(&self, meeting: MeetingId) -> Answer<u64> {
        let row = self
            .row(
                "SELECT revision
                 FROM meeting
                 WHERE meetingID = :meeting",
                params! { "meeting" => meeting.get() },
            )
            .await?;
        Ok(row.and_then(|row| row::get(&row, "revision")).unwrap_or(0))
    }
}

/// Writes addresses that are not there.
pub(super) async fn invite(
    work: &mut Work,
    meeting: MeetingId,
    emails: &[String],
) -> Result<(), crate::error::Fault> {
    for some in emails.chunks(INVITED) {
        let sql = format!(
            "INSERT INTO audience (meetingID, email)
             VALUES {}",
            vec!["(?, ?)"; some.len()].join(", ")
        );
        let values = some
            .iter()
            .flat_map(|email| [Value::from(meeting.get()), Value::from(email)])
            .collect();
        work.change(&sql, Params::Positional(values)).await?;
    }
    Ok(())
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

const SHARED_COUNT: &str = "
 SELECT COUNT(DISTINCT a.emailKey) AS people
 FROM audience a
 JOIN audience b ON b.emailKey = a.emailKey AND b.meetingID = :other
 JOIN meeting m ON m.meetingID = a.meetingID
 WHERE a.meetingID = :one
   AND NOT COALESCE(m.isPublic, 0)";

const SHARED: &str = "
 SELECT DISTINCT a.emailKey AS email
 FROM audience a
 JOIN audience b ON b.emailKey = a.emailKey AND b.meetingID = :other
 JOIN meeting m ON m.meetingID = a.meetingID
 WHERE a.meetingID = :one
   AND NOT COALESCE(m.isPublic, 0)
 ORDER BY a.emailKey
 LIMIT :limit";

fn pair(meeting: MeetingId, row: &Row) -> Result<Pair, row::Unusable> {
    let mine: OrderId = row::order_id(row, "mine")?;
    Ok(Pair {
        instance: InstanceId::new(meeting, mine),
        other: row::instance_id(row)?,
        title: row::meeting(row)?.title,
        from: row::time(row, "fromdatetime")?,
        to: row::time(row, "todatetime")?,
    })
}
