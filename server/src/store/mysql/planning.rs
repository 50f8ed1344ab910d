//! Changes of meetings, their audiences, and instances that have not started.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use mysql_async::{Params, Value};
use plenary_shared::domain::Meeting;
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::protocol::Overlap;
use plenary_shared::time::Timestamp;

use super::error::is_deadlock;
use super::pool::{MysqlStore, TRIES_MAX, Transaction};
use crate::error::{Answer, Error, Fault};
use crate::store::planning::{
    Difference, EditMeeting, Invitations, Invited, edited, overlapping, window,
};
use crate::store::refusal;
use crate::store::sql::{Query, audience, audit, meetings, params};
use crate::store::window::check_times;

/// Addresses in one statement.
const ADDRESSES: usize = 100;

/// What a live instance takes from its meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivePlan {
    pub instance: InstanceId,
    /// How often the meeting was changed: the plan with more changes wins.
    pub revision: u64,
    pub meeting: Meeting,
    /// The audience: addresses in lower case. Empty when the meeting is public.
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
        if work.execute(meetings::edit(meeting, edit)).await?.rows == 0 {
            return Err(refusal::no_meeting(meeting).into());
        }
        let (target, detail) = (format!("meeting {meeting}"), Some(edited(edit)));
        work.execute(audit::entry(now, by, "edited", target, detail))
            .await?;
        Ok(work.commit().await?)
    }

    /// Changes the audience of a meeting. `not_found`, `invalid`.
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
        // This locks the meeting against other changes of its audience.
        if work.execute(meetings::raise_revision(meeting)).await?.rows == 0 {
            return Err(refusal::no_meeting(meeting).into());
        }
        let invited = audience::unique(work.all(audience::emails(meeting)).await?);
        let difference = Difference::between(&invited, change)?;
        if difference.is_nothing() {
            return Ok(difference.invited);
        }
        uninvite(&mut work, meeting, &difference.remove).await?;
        invite(&mut work, meeting, &difference.add).await?;
        let (target, detail) = (format!("meeting {meeting}"), Some(difference.detail()));
        work.execute(audit::entry(now, by, "audience", target, detail))
            .await?;
        work.commit().await?;
        Ok(difference.invited)
    }

    /// Moves a scheduled instance. `not_found`, `not_scheduled`, `invalid`.
    pub async fn move_instance(
        &self,
        id: InstanceId,
        (from, to): (Timestamp, Timestamp),
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<()> {
        check_times(from, to, now)?;
        let mut work = self.transaction().await?;
        let moved = work.execute(meetings::move_instance(id, from, to)).await?;
        if moved.rows == 0 {
            return Err(self.not_scheduled(id).await);
        }
        work.execute(audit::entry(
            now,
            by,
            "moved",
            id.to_string(),
            Some(window(from, to)),
        ))
        .await?;
        Ok(work.commit().await?)
    }

    /// Cancels a scheduled instance. `not_found`, `not_scheduled`.
    pub async fn cancel(
        &self,
        id: InstanceId,
        reason: Option<&str>,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<()> {
        let mut work = self.transaction().await?;
        if work.execute(meetings::cancel(id, now)).await?.rows == 0 {
            return Err(self.not_scheduled(id).await);
        }
        let detail = reason.map(str::to_owned);
        work.execute(audit::entry(now, by, "cancelled", id.to_string(), detail))
            .await?;
        Ok(work.commit().await?)
    }

    async fn not_scheduled(&self, id: InstanceId) -> Error {
        match self.stored(id).await {
            Ok(Some(stored)) => refusal::not_scheduled(id, stored.state).into(),
            Ok(None) => refusal::unknown(id).into(),
            Err(error) => error,
        }
    }

    /// Instances at the same time as a meeting's active and scheduled ones.
    pub async fn overlaps(&self, meeting: MeetingId) -> Answer<Vec<(InstanceId, Overlap)>> {
        let pairs = self.all(audience::overlaps(meeting)).await?;
        let mut shared = BTreeMap::new();
        for pair in &pairs {
            let other = pair.other.meeting;
            if let Entry::Vacant(vacant) = shared.entry(other) {
                let count = self.one(audience::shared_count(meeting, other)).await?;
                let emails = self.all(audience::shared(meeting, other)).await?;
                vacant.insert((count.unwrap_or(0), audience::unique(emails)));
            }
        }
        Ok(overlapping(pairs, &shared))
    }

    /// What every active instance takes from its meeting; only instances of one meeting, if that is
    /// given. A plan is at least as new as its revision says.
    pub async fn live_plans(&self, only: Option<MeetingId>) -> Answer<Vec<LivePlan>> {
        let query = Query::new(
            "meeting_instance",
            "SELECT i.meetingID, i.orderID, m.title, m.description, m.isPublic, m.revision
             FROM meeting_instance i
             JOIN meeting m ON m.meetingID = i.meetingID
             WHERE i.state = 'active'
               AND (:only IS NULL OR i.meetingID = :only)",
            params! { "only": only },
            |row| {
                Ok(LivePlan {
                    instance: row.instance_id()?,
                    revision: row.count("revision"),
                    meeting: row.meeting()?,
                    audience: Vec::new(),
                })
            },
        );
        let mut plans = self.all(query).await?;
        // Read after the revisions: a change in between raises the revision and is sent again.
        let mut audiences = self.live_audiences(only).await?;
        for plan in &mut plans {
            if !plan.meeting.is_public {
                plan.audience = audiences.remove(&plan.instance).unwrap_or_default();
            }
        }
        Ok(plans)
    }

    /// The audience of each active instance: addresses in lower case.
    async fn live_audiences(
        &self,
        only: Option<MeetingId>,
    ) -> Answer<BTreeMap<InstanceId, Vec<String>>> {
        let query = Query::new(
            "audience",
            "SELECT i.meetingID, i.orderID, a.email
             FROM meeting_instance i
             JOIN audience a ON a.meetingID = i.meetingID
             WHERE i.state = 'active'
               AND (:only IS NULL OR i.meetingID = :only)",
            params! { "only": only },
            |row| Ok((row.instance_id()?, row.email()?)),
        );
        let mut audiences: BTreeMap<InstanceId, Vec<String>> = BTreeMap::new();
        for (id, email) in self.all(query).await? {
            audiences.entry(id).or_default().push(email);
        }
        Ok(audiences)
    }

    /// How often a meeting was changed.
    pub async fn revision(&self, meeting: MeetingId) -> Answer<u64> {
        let query = Query::new(
            "meeting",
            "SELECT revision
             FROM meeting
             WHERE meetingID = :meeting",
            params! { "meeting": meeting },
            |row| Ok(row.count("revision")),
        );
        Ok(self.one(query).await?.unwrap_or(0))
    }
}

/// Adds addresses that are not in the audience.
pub(super) async fn invite(
    work: &mut Transaction,
    meeting: MeetingId,
    emails: &[String],
) -> Result<(), Fault> {
    for some in emails.chunks(ADDRESSES) {
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

async fn uninvite(
    work: &mut Transaction,
    meeting: MeetingId,
    emails: &[String],
) -> Result<(), Fault> {
    for some in emails.chunks(ADDRESSES) {
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
    Ok(())
}
