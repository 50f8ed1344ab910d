//! Meetings and when they take place.

use plenary_shared::domain::{Instance, Meeting, Role, User};
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::time::Timestamp;

use super::error::{DUPLICATE, is_deadlock, server_code};
use super::planning::invite;
use super::pool::{MysqlStore, TRIES_MAX};
use crate::error::{Answer, Error, Fault};
use crate::store::planning::window;
use crate::store::sql::{Query, audience, audit, meetings, params};
use crate::store::window::{AHEAD_MS, BACK_MS, LISTED_MAX, check_times};
use crate::store::{Agenda, NewMeeting, PlannedMeeting, refusal};

impl MysqlStore {
    /// Adds a meeting with its audience.
    pub async fn add_meeting(&self, mut new: NewMeeting, now: Timestamp) -> Answer<Meeting> {
        let mut work = self.transaction().await?;
        let added = work.execute(meetings::insert(&new)).await?;
        let id = added
            .id
            .and_then(|id| MeetingId::new(id).ok())
            .ok_or_else(|| Fault::broken("adding a meeting", "MySQL returned no usable id"))?;
        let emails = audience::unique(std::mem::take(&mut new.audience));
        invite(&mut work, id, &emails).await?;
        let (target, detail) = (format!("meeting {id}"), Some(new.title.clone()));
        work.execute(audit::entry(now, new.by, "added", target, detail))
            .await?;
        work.commit().await?;
        Ok(meetings::inserted(id, new))
    }

    /// Adds an instance with the meeting's next order. `not_found` for an unknown meeting, `invalid`
    /// for an impossible time.
    pub async fn schedule(
        &self,
        meeting: MeetingId,
        (from, to): (Timestamp, Timestamp),
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<InstanceId> {
        check_times(from, to, now)?;
        let mut tries = 1;
        loop {
            match self.add_instance(meeting, (from, to), by, now).await {
                // Another program, which does not lock the meeting, took the same order.
                Err(Error::Fault(fault))
                    if tries < TRIES_MAX
                        && (is_deadlock(&fault) || server_code(&fault) == Some(DUPLICATE)) =>
                {
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn add_instance(
        &self,
        meeting: MeetingId,
        (from, to): (Timestamp, Timestamp),
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<InstanceId> {
        let mut work = self.transaction().await?;
        let lock = Query::new(
            "meeting",
            "SELECT meetingID
             FROM meeting
             WHERE meetingID = :meeting
             FOR UPDATE",
            params! { "meeting": meeting },
            |row| row.meeting_id("meetingID"),
        );
        if work.one(lock).await?.is_none() {
            return Err(refusal::no_meeting(meeting).into());
        }
        let last = work.one(meetings::last_order(meeting)).await?;
        let order = meetings::next_order(meeting, last.unwrap_or(0))?;
        let id = InstanceId::new(meeting, order);
        work.execute(meetings::insert_instance(id, from, to))
            .await?;
        let detail = Some(window(from, to));
        work.execute(audit::entry(now, by, "scheduled", id.to_string(), detail))
            .await?;
        work.commit().await?;
        Ok(id)
    }

    /// A meeting with its audience and instances.
    pub async fn meeting(&self, id: MeetingId) -> Answer<Option<PlannedMeeting>> {
        Ok(self.planned((id.get(), id.get()), 1).await?.pop())
    }

    /// A page of meetings with audience and instances in the order of their ids, above `after`.
    pub async fn meetings(
        &self,
        after: Option<MeetingId>,
        limit: usize,
    ) -> Answer<Vec<PlannedMeeting>> {
        self.planned(meetings::above(after), limit).await
    }

    async fn planned(&self, ids: (u64, u64), limit: usize) -> Answer<Vec<PlannedMeeting>> {
        let page = self.all(meetings::page(ids, limit)).await?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else {
            return Ok(Vec::new());
        };
        let (first, last) = (first.id, last.id);
        let audiences = self.all(meetings::audiences(first, last)).await?;
        let instances = self.all(meetings::instances(first, last)).await?;
        Ok(meetings::planned(page, audiences, instances))
    }

    /// The instances that a user may see, by start: running ones, those of the next 14 days, and those
    /// that ended in the last 24 hours. Participation is not known here.
    pub async fn listed(&self, viewer: &User, now: Timestamp) -> Answer<Vec<Instance>> {
        let query = Query::new(
            "meeting_instance",
            LISTED,
            params! {
                "admin": viewer.role == Role::Admin,
                "email": viewer.email.trim(),
                "key": viewer.email_key().trim(),
                "now": now,
                "ahead": now.plus_ms(AHEAD_MS),
                "back": now.plus_ms(-BACK_MS),
                "limit": LISTED_MAX,
            },
            meetings::listed,
        );
        Ok(meetings::by_start(self.all(query).await?))
    }

    /// The starts and ends until `now + horizon_ms`, each in the order of its time.
    pub async fn agenda(&self, now: Timestamp, horizon_ms: i64) -> Answer<Agenda> {
        let until = now.plus_ms(horizon_ms);
        Ok(Agenda {
            starts: self.all(meetings::starts(until)).await?,
            ends: self.all(meetings::ends(until)).await?,
            ending: self.all(meetings::ending()).await?,
        })
    }
}

macro_rules! visible {
    ($which:literal, $order:literal) => {
        concat!(
            "(SELECT i.meetingID, i.orderID, i.fromdatetime, i.todatetime, i.state, i.reason,
                     i.ended_at, m.title, m.description, m.isPublic
              FROM meeting_instance i
              JOIN meeting m ON m.meetingID = i.meetingID
              WHERE ",
            $which,
            "
                AND (:admin OR m.isPublic OR EXISTS (
                  SELECT 1 FROM audience a
                  WHERE a.meetingID = i.meetingID AND a.emailKey IN (:email, :key)))
              ORDER BY ",
            $order,
            "
              LIMIT :limit)"
        )
    };
}

/// Each of the three parts is one range of an index, and its limit counts only what the user may see.
const LISTED: &str = concat!(
    visible!("i.state IN ('active', 'ending')", "i.fromdatetime"),
    " UNION ALL ",
    visible!(
        "i.state = 'scheduled'
                AND i.fromdatetime <= :ahead
                AND i.todatetime > :now
                AND i.todatetime > i.fromdatetime",
        "i.fromdatetime"
    ),
    " UNION ALL ",
    visible!(
        "i.state = 'ended'
                AND i.todatetime > :back
                AND COALESCE(i.ended_at, i.todatetime) > :back",
        "i.todatetime DESC"
    )
);
