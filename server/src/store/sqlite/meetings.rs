//! Meetings and when they take place.

use async_trait::async_trait;
use plenary_shared::domain::{Instance, InstanceState, Meeting, Role, User};
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, named_params};

use crate::error::{Answer, Fault};
use crate::store::planning::window;
use crate::store::sql::{Row, Unusable, audience, meetings};
use crate::store::window::{AHEAD_MS, BACK_MS, LISTED_MAX, check_times};
use crate::store::{Feed, MeetingStore, NewMeeting, PlannedMeeting, refusal};

use super::planning::invite;
use super::writer::WriteTransaction;
use super::{SqliteStore, statement};

#[async_trait]
impl MeetingStore for SqliteStore {
    async fn add_meeting(&self, new: NewMeeting) -> Answer<Meeting> {
        self.link.write(move |tx| add_meeting(tx, new)).await
    }

    async fn schedule(
        &self,
        meeting: MeetingId,
        from: Timestamp,
        to: Timestamp,
        by: Option<UserId>,
    ) -> Answer<InstanceId> {
        self.link
            .write(move |tx| schedule(tx, meeting, from, to, by))
            .await
    }

    async fn meeting(&self, id: MeetingId) -> Answer<Option<PlannedMeeting>> {
        let found = self
            .link
            .read(move |conn| planned(conn, (id.get(), id.get()), 1));
        Ok(found.await?.pop())
    }

    async fn meetings(
        &self,
        after: Option<MeetingId>,
        limit: usize,
    ) -> Answer<Vec<PlannedMeeting>> {
        self.link
            .read(move |conn| planned(conn, meetings::above(after), limit))
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

fn add_meeting(tx: &mut WriteTransaction<'_>, mut new: NewMeeting) -> Answer<Meeting> {
    tx.execute(meetings::insert(&new))?;
    let id = u64::try_from(tx.conn.last_insert_rowid())
        .ok()
        .and_then(|id| MeetingId::new(id).ok())
        .ok_or_else(|| Fault::broken("adding a meeting", "SQLite returned no usable id"))?;
    for email in audience::unique(std::mem::take(&mut new.audience)) {
        invite(tx.conn, id, &email)?;
    }
    let target = format!("meeting {id}");
    tx.audit(new.by, "added", target, Some(new.title.clone()))?;
    tx.tell(Feed::Changed);
    Ok(meetings::inserted(id, new))
}

fn schedule(
    tx: &mut WriteTransaction<'_>,
    meeting: MeetingId,
    from: Timestamp,
    to: Timestamp,
    by: Option<UserId>,
) -> Answer<InstanceId> {
    check_times(from, to, tx.now)?;
    let exists = statement::exists(
        tx.conn,
        "SELECT 1
         FROM meeting
         WHERE meetingID = :meeting",
        named_params! { ":meeting": meeting.get() },
    )?;
    if !exists {
        return Err(refusal::no_meeting(meeting).into());
    }
    let last = statement::one(tx.conn, meetings::last_order(meeting))?;
    let order = meetings::next_order(meeting, last.unwrap_or(0))?;
    let id = InstanceId::new(meeting, order);
    tx.execute(meetings::insert_instance(id, from, to))?;
    tx.tell(Feed::Changed);
    tx.audit(by, "scheduled", id.to_string(), Some(window(from, to)))?;
    Ok(id)
}

/// The first meetings with ids in this range, with audience and instances.
fn planned(conn: &Connection, ids: (u64, u64), limit: usize) -> Answer<Vec<PlannedMeeting>> {
    let page = statement::all(conn, meetings::page(ids, limit))?;
    let (Some(first), Some(last)) = (page.first(), page.last()) else {
        return Ok(Vec::new());
    };
    let audiences = statement::all(conn, meetings::audiences(first.id, last.id))?;
    let instances = statement::all(conn, meetings::instances(first.id, last.id))?;
    Ok(meetings::planned(page, audiences, instances))
}

/// The instances that a user may see, by start: running ones, those of the next 14 days, and those that
/// ended in the last 24 hours. Participants see a running instance although they are no longer invited.
fn visible(conn: &Connection, viewer: &User, now: Timestamp) -> Answer<Vec<Instance>> {
    let listed = statement::select_all(
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
    Ok(meetings::by_start(listed))
}

/// The active instances that a user may see, by start. Participants see theirs.
pub(super) fn active_meetings(conn: &Connection, viewer: &User) -> Answer<Vec<Instance>> {
    let mut active = statement::select_all(
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
    // An instance that is marked as ending is active until it closes.
    for instance in &mut active {
        instance.state = InstanceState::Active;
    }
    Ok(active)
}

macro_rules! visible {
    ($only:literal, $and:literal, $order:literal) => {
        concat!(
            "
 SELECT i.meetingID, i.orderID, i.fromdatetime, i.todatetime, i.state, i.reason, i.ended_at,
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

/// Each of the three parts is one range of an index, and its limit counts only what the user may see.
const LISTED: &str = concat!(
    "SELECT * FROM (",
    visible!(
        "i.state IN ('active', 'ending')",
        " OR EXISTS (
     SELECT 1 FROM stay s
     WHERE s.meetingID = i.meetingID AND s.orderID = i.orderID AND s.userID = :user)",
        "i.fromdatetime"
    ),
    " LIMIT :limit) UNION ALL SELECT * FROM (",
    visible!(
        "i.state = 'scheduled'
   AND i.fromdatetime <= :ahead
   AND i.todatetime > :now
   AND i.todatetime > i.fromdatetime",
        "",
        "i.fromdatetime"
    ),
    " LIMIT :limit) UNION ALL SELECT * FROM (",
    visible!(
        "i.state = 'ended'
   AND i.todatetime > :back
   AND COALESCE(i.ended_at, i.todatetime) > :back",
        "",
        "i.todatetime DESC"
    ),
    " LIMIT :limit)"
);

const ACTIVE: &str = visible!(
    "EXISTS (
     SELECT 1 FROM live_instance l
     WHERE l.meetingID = i.meetingID AND l.orderID = i.orderID AND l.state = 'active')",
    " OR EXISTS (
     SELECT 1 FROM stay s
     WHERE s.meetingID = i.meetingID AND s.orderID = i.orderID AND s.userID = :user)",
    "i.fromdatetime, i.meetingID, i.orderID"
);

/// An instance with its participants while it is open.
fn instance(row: &dyn Row) -> Result<Instance, Unusable> {
    let mut instance = meetings::listed(row)?;
    if row.text("live").is_some_and(|state| state == "active") {
        instance.participants = row.small_count("participants");
        instance.joined = row.maybe_time("joined");
    }
    Ok(instance)
}
