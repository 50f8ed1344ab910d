//! Meetings, who may join them, and when they take place.

use std::collections::BTreeMap;

use async_trait::async_trait;
use plenary_shared::domain::{Code, Instance, InstanceState, Meeting, Reason, Reject, Role, User};
use plenary_shared::ids::{InstanceId, MeetingId, OrderId, UserId};
use plenary_shared::limits;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, Row, named_params};

use crate::error::{Answer, Fault};
use crate::store::planning::window;
use crate::store::window::{AHEAD_MS, BACK_MS, LISTED_MAX, check_times};
use crate::store::{Feed, MeetingStore, NewMeeting, Planned, PlannedInstance, refusal};

use super::planning::invite;
use super::writer::WriteTransaction;
use super::{SqliteStore, audit, row};

#[async_trait]
impl MeetingStore for SqliteStore {
    async fn add_meeting(&self, new: NewMeeting) -> Answer<Meeting> {
        self.link.write(move |atom| add_meeting(atom, new)).await
    }

    async fn schedule(
        &self,
        meeting: MeetingId,
        from: Timestamp,
        to: Timestamp,
        by: Option<UserId>,
    ) -> Answer<InstanceId> {
        self.link
            .write(move |atom| schedule(atom, meeting, from, to, by))
            .await
    }

    async fn meeting(&self, id: MeetingId) -> Answer<Option<Planned>> {
        let found = self
            .link
            .read(move |conn| planned(conn, (id.get(), id.get()), 1));
        Ok(found.await?.pop())
    }

    async fn meetings(&self, after: Option<MeetingId>, limit: usize) -> Answer<Vec<Planned>> {
        self.link
            .read(move |conn| {
                planned(
                    conn,
                    (after.map_or(0, |id| id.get() + 1), limits::ID_MAX),
                    limit,
                )
            })
            .await
    }

    async fn visible(&self, viewer: &User, now: Timestamp) -> Answer<Vec<Instance>> {
        let viewer = viewer.clone();
        self.link
            .read(move |conn| visible(conn, &viewer, now))
            .await
    }

    async fn active_meetings(&self, viewer: &User) -> Answer<Vec<Instance>> {
        let viewer = viewer.clone();
        self.link
            .read(move |conn| active_meetings(conn, &viewer))
            .await
    }
}

/// Adds a meeting with its audience.
fn add_meeting(tx: &mut WriteTransaction<'_>, new: NewMeeting) -> Answer<Meeting> {
    row::change(
        tx.conn,
        "INSERT INTO meeting (title, description, isPublic)
         VALUES (:title, :description, :is_public)",
        named_params! {
            ":title": new.title,
            ":description": new.description,
            ":is_public": new.is_public,
        },
    )?;
    let id = u64::try_from(tx.conn.last_insert_rowid())
        .ok()
        .and_then(|id| MeetingId::new(id).ok())
        .ok_or_else(|| Fault::broken("adding a meeting", "SQLite gave no usable id"))?;
    let mut audience = new.audience;
    audience.sort_unstable();
    audience.dedup();
    for email in audience {
        invite(tx.conn, id, &email)?;
    }
    let target = format!("meeting {id}");
    audit::note(tx, new.by, "added", &target, Some(&new.title))?;
    tx.tell(Feed::Changed);
    Ok(Meeting {
        id,
        title: new.title,
        description: new.description,
        is_public: new.is_public,
    })
}

/// Adds an instance; its order is the meeting's next. `not_found` for an unknown meeting, `invalid`
/// for a time that cannot be.
fn schedule(
    tx: &mut WriteTransaction<'_>,
    meeting: MeetingId,
    from: Timestamp,
    to: Timestamp,
    by: Option<UserId>,
) -> Answer<InstanceId> {
    check_times(from, to, tx.now)?;
    let known = row::exists(
        tx.conn,
        "SELECT 1
         FROM meeting
         WHERE meetingID = :meeting",
        named_params! { ":meeting": meeting.get() },
    )?;
    if !known {
        return Err(refusal::no_meeting(meeting).into());
    }
    let last = row::one(
        tx.conn,
        "meeting_instance",
        "SELECT MAX(orderID) AS last
         FROM meeting_instance
         WHERE meetingID = :meeting",
        named_params! { ":meeting": meeting.get() },
        |row| Ok(row::get::<i64>(row, "last").unwrap_or(0)),
    )?;
    let next = u64::try_from(last.unwrap_or(0)).map_or(1, |last| last.saturating_add(1));
    let order = OrderId::new(next).map_err(|_| {
        Reject::new(
            Code::Invalid,
            format!("Meeting {meeting} has the largest order number already: add a meeting."),
        )
    })?;
    row::change(
        tx.conn,
        "INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime)
         VALUES (:meeting, :order, :from, :to)",
        named_params! {
            ":meeting": meeting.get(),
            ":order": order.get(),
            ":from": from.as_ms(),
            ":to": to.as_ms(),
        },
    )?;
    tx.tell(Feed::Changed);
    let id = InstanceId::new(meeting, order);
    let detail = window(from, to);
    audit::note(tx, by, "scheduled", &id.to_string(), Some(&detail))?;
    Ok(id)
}

/// The first meetings with an id between these two, with audience and instances, by id.
fn planned(conn: &Connection, (from, to): (u64, u64), limit: usize) -> Answer<Vec<Planned>> {
    let meetings = row::all(
        conn,
        "meeting",
        "SELECT meetingID, title, description, isPublic
         FROM meeting
         WHERE meetingID BETWEEN :from AND :to
         ORDER BY meetingID
         LIMIT :limit",
        named_params! {
            ":from": from,
            ":to": to,
            ":limit": limit.min(limits::PAGE_MAX),
        },
        row::meeting,
    )?;
    let (Some(first), Some(last)) = (meetings.first(), meetings.last()) else {
        return Ok(Vec::new());
    };
    let range = named_params! { ":first": first.id.get(), ":last": last.id.get() };
    let invited = row::all(
        conn,
        "audience",
        "SELECT meetingID, email
         FROM audience
         WHERE meetingID BETWEEN :first AND :last
         ORDER BY meetingID, emailKey",
        range,
        |row| Ok((row::meeting_id(row, "meetingID")?, row::email(row)?)),
    )?;
    let instances = row::all(
        conn,
        "meeting_instance",
        "SELECT meetingID, orderID, fromdatetime, todatetime, state, reason
         FROM meeting_instance
         WHERE meetingID BETWEEN :first AND :last
         ORDER BY meetingID, orderID",
        range,
        instance_listed,
    )?;
    let mut listed: BTreeMap<MeetingId, Planned> = meetings
        .into_iter()
        .map(|meeting| {
            let one = Planned {
                meeting,
                audience: Vec::new(),
                instances: Vec::new(),
            };
            (one.meeting.id, one)
        })
        .collect();
    for (meeting, email) in invited {
        if let Some(one) = listed.get_mut(&meeting) {
            one.audience.push(email);
        }
    }
    for instance in instances {
        if let Some(one) = listed.get_mut(&instance.id.meeting) {
            one.instances.push(instance);
        }
    }
    Ok(listed.into_values().collect())
}

/// What this person may see, by start: what goes on, what comes within 14 days, what ended within
/// the last 24 hours. Whoever is in what goes on sees it, even if they are not invited any more.
fn visible(conn: &Connection, viewer: &User, now: Timestamp) -> Answer<Vec<Instance>> {
    let mut listed = row::all(
        conn,
        "meeting_instance",
        LISTED,
        named_params! {
            ":admin": viewer.role == Role::Admin,
            ":email": viewer.email.trim(),
            ":key": viewer.email_key().trim(),
            ":user": viewer.id.get(),
            ":now": now.as_ms(),
            ":ahead": now.plus_ms(AHEAD_MS).as_ms(),
            ":back": now.plus_ms(-BACK_MS).as_ms(),
            ":limit": LISTED_MAX,
        },
        instance,
    )?;
    // What goes on comes first in the answer, so it is never crowded out by what is over.
    listed.truncate(LISTED_MAX);
    listed.sort_by_key(|instance| (instance.fromdatetime, instance.id));
    Ok(listed)
}

/// The active instances that this person may see, by start. Whoever is in one sees it.
pub(super) fn active_meetings(conn: &Connection, viewer: &User) -> Answer<Vec<Instance>> {
    let mut active = row::all(
        conn,
        "meeting_instance",
        ACTIVE,
        named_params! {
            ":admin": viewer.role == Role::Admin,
            ":email": viewer.email.trim(),
            ":key": viewer.email_key().trim(),
            ":user": viewer.id.get(),
        },
        instance,
    )?;
    // Until it closes it is active, also when it is marked to end.
    for instance in &mut active {
        instance.state = InstanceState::Active;
    }
    Ok(active)
}

macro_rules! seen {
    ($only:literal, $and:literal, $order:literal) => {
        concat!(
            "
 SELECT i.meetingID, i.orderID, i.fromdatetime, i.todatetime, i.state, i.reason,
        m.title, m.description, m.isPublic,
        (SELECT l.state FROM live_instance l
         WHERE l.meetingID = i.meetingID AND l.orderID = i.orderID) AS live,
        (SELECT COUNT(*) FROM stay s
         WHERE s.meetingID = i.meetingID AND s.orderID = i.orderID) AS participants,
        (SELECT s.joined FROM stay s
         WHERE s.meetingID = i.meetingID AND s.orderID = i.orderID AND s.userID = :user) AS joined
 FROM meeting_instance i
 JOIN meeting m ON m.meetingID = i.meetingID
 WHERE ",
            $only,
            "
   AND (:admin OR m.isPublic OR EXISTS (
     SELECT 1 FROM audience a
     WHERE a.meetingID = i.meetingID AND a.emailKey IN (:email, :key))",
            $and,
            ")
 ORDER BY ",
            $order
        )
    };
}

/// Each of the three kinds is one range of an index; only what the viewer may see counts.
const LISTED: &str = concat!(
    "SELECT * FROM (",
    seen!(
        "i.state IN ('active', 'ending')",
        " OR EXISTS (
     SELECT 1 FROM stay s
     WHERE s.meetingID = i.meetingID AND s.orderID = i.orderID AND s.userID = :user)",
        "i.fromdatetime"
    ),
    " LIMIT :limit) UNION ALL SELECT * FROM (",
    seen!(
        "i.state = 'scheduled'
   AND i.fromdatetime <= :ahead
   AND i.todatetime > :now
   AND i.todatetime > i.fromdatetime",
        "",
        "i.fromdatetime"
    ),
    " LIMIT :limit) UNION ALL SELECT * FROM (",
    seen!(
        "i.state = 'ended'
   AND i.todatetime > :back
   AND COALESCE(i.ended_at, i.todatetime) > :back",
        "",
        "i.todatetime DESC"
    ),
    " LIMIT :limit)"
);

const ACTIVE: &str = seen!(
    "EXISTS (
     SELECT 1 FROM live_instance l
     WHERE l.meetingID = i.meetingID AND l.orderID = i.orderID AND l.state = 'active')",
    " OR EXISTS (
     SELECT 1 FROM stay s
     WHERE s.meetingID = i.meetingID AND s.orderID = i.orderID AND s.userID = :user)",
    "i.fromdatetime, i.meetingID, i.orderID"
);

fn instance_listed(row: &Row<'_>) -> Result<PlannedInstance, row::Unusable> {
    Ok(PlannedInstance {
        id: row::instance_id(row)?,
        fromdatetime: row::time(row, "fromdatetime")?,
        todatetime: row::time(row, "todatetime")?,
        state: row::state(row)?,
        reason: row::reason(row).map(|reason| reason.to_string()),
    })
}

fn instance(row: &Row<'_>) -> Result<Instance, row::Unusable> {
    let meeting = row::meeting(row)?;
    let state: InstanceState = row::state(row)?;
    // As long as people may be in.
    let is_open = row::text(row, "live").is_some_and(|state| state == "active");
    Ok(Instance {
        title: meeting.title,
        description: meeting.description,
        is_public: meeting.is_public,
        fromdatetime: row::time(row, "fromdatetime")?,
        todatetime: row::time(row, "todatetime")?,
        id: row::instance_id(row)?,
        state,
        cancelled: state == InstanceState::Ended && row::reason(row) == Some(Reason::Cancelled),
        participants: if is_open {
            row::get(row, "participants").unwrap_or(0)
        } else {
            0
        },
        joined: row::maybe_time(row, "joined").filter(|_| is_open),
    })
}
