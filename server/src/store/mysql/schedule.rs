//! Meetings, who may join them, and when they take place.

use mysql_async::{Row, params};
use plenary_shared::domain::{Code, Instance, InstanceState, Meeting, Reason, Reject, Role, User};
use plenary_shared::ids::{InstanceId, MeetingId, OrderId, UserId};
use plenary_shared::limits;
use plenary_shared::time::Timestamp;

use super::link::{DUPLICATE, MysqlStore, TRIES_MAX, is_deadlock, server_code};
use super::planning::invite;
use super::{audit, row};
use crate::error::{Answer, Error, Fault};
use crate::store::planning::window;
use crate::store::refusal;
use crate::store::window::{AGENDA_MAX, AHEAD_MS, BACK_MS, LISTED_MAX, check_times};
use crate::store::{Agenda, NewMeeting, Planned, PlannedInstance};

impl MysqlStore {
    /// Adds a meeting with its audience.
    pub async fn add_meeting(&self, new: NewMeeting, now: Timestamp) -> Answer<Meeting> {
        let mut work = self.transaction().await?;
        let added = work
            .change(
                "INSERT INTO meeting (title, description, isPublic)
                 VALUES (:title, :description, :is_public)",
                params! {
                    "title" => &new.title,
                    "description" => &new.description,
                    "is_public" => new.is_public,
                },
            )
            .await?;
        let id = added
            .id
            .and_then(|id| MeetingId::new(id).ok())
            .ok_or_else(|| Fault::broken("adding a meeting", "the database gave no usable id"))?;
        let mut audience = new.audience;
        audience.sort_unstable();
        audience.dedup();
        invite(&mut work, id, &audience).await?;
        let (target, detail) = (format!("meeting {id}"), Some(new.title.clone()));
        audit::note(&mut work, now, new.by, "added", target, detail).await?;
        work.commit().await?;
        Ok(Meeting {
            id,
            title: new.title,
            description: new.description,
            is_public: new.is_public,
        })
    }

    /// Adds an instance; its order is the meeting's next. `not_found` for an unknown meeting,
    /// `invalid` for a time that cannot be.
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
                // Somebody who does not lock the meeting took the same order.
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
        let locked = work
            .row(
                "SELECT meetingID
                 FROM meeting
                 WHERE meetingID = :meeting
                 FOR UPDATE",
                params! { "meeting" => meeting.get() },
            )
            .await?;
        if locked.is_none() {
            return Err(refusal::no_meeting(meeting).into());
        }
        let last = work
            .row(
                "SELECT MAX(orderID) AS last
                 FROM meeting_instance
                 WHERE meetingID = :meeting",
                params! { "meeting" => meeting.get() },
            )
            .await?
            .and_then(|row| row::get::<u64>(&row, "last"))
            .unwrap_or(0);
        let order = OrderId::new(last.saturating_add(1)).map_err(|_| {
            Reject::new(
                Code::Invalid,
                format!("Meeting {meeting} has the largest order number already: add a meeting."),
            )
        })?;
        work.change(
            "INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime)
             VALUES (:meeting, :order, :from, :to)",
            params! {
                "meeting" => meeting.get(),
                "order" => order.get(),
                "from" => row::at(from),
                "to" => row::at(to),
            },
        )
        .await?;
        let id = InstanceId::new(meeting, order);
        let detail = Some(window(from, to));
        audit::note(&mut work, now, by, "scheduled", id.to_string(), detail).await?;
        work.commit().await?;
        Ok(id)
    }

    /// A meeting with its audience and instances.
    pub async fn meeting(&self, id: MeetingId) -> Answer<Option<Planned>> {
        Ok(self.planned((id.get(), id.get()), 1).await?.pop())
    }

    /// A page of all meetings with audience and instances, by id, above `after`.
    pub async fn meetings(&self, after: Option<MeetingId>, limit: usize) -> Answer<Vec<Planned>> {
        let from = after.map_or(0, |id| id.get() + 1);
        self.planned((from, limits::ID_MAX), limit).await
    }

    /// The first meetings with an id between these two.
    async fn planned(&self, (from, to): (u64, u64), limit: usize) -> Answer<Vec<Planned>> {
        let rows = self
            .rows(
                "SELECT meetingID, title, description, isPublic
                 FROM meeting
                 WHERE meetingID BETWEEN :from AND :to
                 ORDER BY meetingID
                 LIMIT :limit",
                params! {
                    "from" => from,
                    "to" => to,
                    "limit" => limit.min(limits::PAGE_MAX),
                },
            )
            .await?;
        let meetings = row::usable(&rows, "meeting", row::meeting);
        let (Some(first), Some(last)) = (meetings.first(), meetings.last()) else {
            return Ok(Vec::new());
        };
        let range = params! { "first" => first.id.get(), "last" => last.id.get() };
        let invited = self
            .rows(
                "SELECT meetingID, email
                 FROM audience
                 WHERE meetingID BETWEEN :first AND :last
                 ORDER BY meetingID, emailKey",
                range.clone(),
            )
            .await?;
        let instances = self
            .rows(
                "SELECT meetingID, orderID, fromdatetime, todatetime, state, reason
                 FROM meeting_instance
                 WHERE meetingID BETWEEN :first AND :last
                 ORDER BY meetingID, orderID",
                range,
            )
            .await?;
        let mut listed: Vec<Planned> = meetings
            .into_iter()
            .map(|meeting| Planned {
                meeting,
                audience: Vec::new(),
                instances: Vec::new(),
            })
            .collect();
        for (meeting, email) in row::usable(&invited, "audience", invitation) {
            if let Some(at) = position(&listed, meeting) {
                listed[at].audience.push(email);
            }
        }
        for instance in row::usable(&instances, "meeting_instance", instance_listed) {
            if let Some(at) = position(&listed, instance.id.meeting) {
                listed[at].instances.push(instance);
            }
        }
        Ok(listed)
    }

    /// What this person may see, by start: what goes on, what comes within 14 days, what ended
    /// within the last 24 hours. Nobody's participation is known here.
    pub async fn listed(&self, viewer: &User, now: Timestamp) -> Answer<Vec<Instance>> {
        let params = params! {
            "admin" => viewer.role == Role::Admin,
            "email" => viewer.email.trim(),
            "key" => viewer.email_key().trim(),
            "now" => row::at(now),
            "ahead" => row::at(now.plus_ms(AHEAD_MS)),
            "back" => row::at(now.plus_ms(-BACK_MS)),
            "limit" => LISTED_MAX,
        };
        let rows = self.rows(LISTED, params).await?;
        let mut listed = row::usable(&rows, "meeting_instance", instance);
        // What goes on comes first in the answer, so it is never crowded out by what is over.
        listed.truncate(LISTED_MAX);
        listed.sort_by_key(|instance| (instance.fromdatetime, instance.id));
        Ok(listed)
    }

    /// What is to be done by the clock until `now + horizon_ms`, each in the order of its time.
    pub async fn agenda(&self, now: Timestamp, horizon_ms: i64) -> Answer<Agenda> {
        let until = row::at(now.plus_ms(horizon_ms));
        let starts = self
            .rows(
                "SELECT meetingID, orderID, fromdatetime, todatetime
                 FROM meeting_instance
                 WHERE state = 'scheduled'
                   AND fromdatetime <= :until
                 ORDER BY fromdatetime
                 LIMIT :limit",
                params! { "until" => &until, "limit" => AGENDA_MAX },
            )
            .await?;
        let ends = self
            .rows(
                "SELECT meetingID, orderID, fromdatetime, todatetime
                 FROM meeting_instance
                 WHERE state = 'active'
                   AND todatetime <= :until
                 ORDER BY todatetime
                 LIMIT :limit",
                params! { "until" => &until, "limit" => AGENDA_MAX },
            )
            .await?;
        let ending = self
            .rows(
                "SELECT meetingID, orderID
                 FROM meeting_instance
                 WHERE state = 'ending'
                 ORDER BY todatetime
                 LIMIT :limit",
                params! { "limit" => AGENDA_MAX },
            )
            .await?;
        Ok(Agenda {
            starts: row::usable(&starts, "meeting_instance", |row| {
                row::time(row, "todatetime")?;
                Ok((row::instance_id(row)?, row::time(row, "fromdatetime")?))
            }),
            ends: row::usable(&ends, "meeting_instance", |row| {
                Ok((row::instance_id(row)?, row::time(row, "todatetime")?))
            }),
            ending: row::usable(&ending, "meeting_instance", row::instance_id),
        })
    }
}

/// Each of the three kinds is one range of an index; only what the viewer may see counts.
const LISTED: &str = "
 (SELECT i.meetingID, i.orderID, i.fromdatetime, i.todatetime, i.state, i.reason,
         m.title, m.description, m.isPublic
  FROM meeting_instance i
  JOIN meeting m ON m.meetingID = i.meetingID
  WHERE i.state IN ('active', 'ending')
    AND (:admin OR m.isPublic OR EXISTS (
      SELECT 1 FROM audience a
      WHERE a.meetingID = i.meetingID AND a.emailKey IN (:email, :key)))
  ORDER BY i.fromdatetime
  LIMIT :limit)
 UNION ALL
 (SELECT i.meetingID, i.orderID, i.fromdatetime, i.todatetime, i.state, i.reason,
         m.title, m.description, m.isPublic
  FROM meeting_instance i
  JOIN meeting m ON m.meetingID = i.meetingID
  WHERE i.state = 'scheduled'
    AND i.fromdatetime <= :ahead
    AND i.todatetime > :now
    AND i.todatetime > i.fromdatetime
    AND (:admin OR m.isPublic OR EXISTS (
      SELECT 1 FROM audience a
      WHERE a.meetingID = i.meetingID AND a.emailKey IN (:email, :key)))
  ORDER BY i.fromdatetime
  LIMIT :limit)
 UNION ALL
 (SELECT i.meetingID, i.orderID, i.fromdatetime, i.todatetime, i.state, i.reason,
         m.title, m.description, m.isPublic
  FROM meeting_instance i
  JOIN meeting m ON m.meetingID = i.meetingID
  WHERE i.state = 'ended'
    AND i.todatetime > :back
    AND COALESCE(i.ended_at, i.todatetime) > :back
    AND (:admin OR m.isPublic OR EXISTS (
      SELECT 1 FROM audience a
      WHERE a.meetingID = i.meetingID AND a.emailKey IN (:email, :key)))
  ORDER BY i.todatetime DESC
  LIMIT :limit)";

fn position(listed: &[Planned], id: MeetingId) -> Option<usize> {
    listed.binary_search_by_key(&id, |one| one.meeting.id).ok()
}

fn invitation(row: &Row) -> Result<(MeetingId, String), row::Unusable> {
    Ok((row::meeting_id(row, "meetingID")?, row::email(row)?))
}

fn instance_listed(row: &Row) -> Result<PlannedInstance, row::Unusable> {
    Ok(PlannedInstance {
        id: row::instance_id(row)?,
        fromdatetime: row::time(row, "fromdatetime")?,
        todatetime: row::time(row, "todatetime")?,
        state: row::state(row)?,
        reason: row::reason(row).map(|reason| reason.to_string()),
    })
}

fn instance(row: &Row) -> Result<Instance, row::Unusable> {
    let meeting = row::meeting(row)?;
    let state: InstanceState = row::state(row)?;
    Ok(Instance {
        title: meeting.title,
        description: meeting.description,
        is_public: meeting.is_public,
        fromdatetime: row::time(row, "fromdatetime")?,
        todatetime: row::time(row, "todatetime")?,
        id: row::instance_id(row)?,
        state,
        participants: 0,
        joined: None,
        cancelled: state == InstanceState::Ended && row::reason(row) == Some(Reason::Cancelled),
    })
}
