//! Meetings and their instances: adding, changing, listing, the agenda.

use plenary_shared::domain::{Code, Instance, InstanceState, Meeting, Reason, Reject};
use plenary_shared::ids::{InstanceId, MeetingId, OrderId};
use plenary_shared::limits::{ID_MAX, PAGE_MAX};
use plenary_shared::time::Timestamp;

use super::{Change, Query, Row, Unusable, params};
use crate::store::planning::EditMeeting;
use crate::store::window::{AGENDA_MAX, LISTED_MAX};
use crate::store::{NewMeeting, PlannedInstance, PlannedMeeting};

/// Adds a meeting.
pub fn insert(new: &NewMeeting) -> Change {
    Change::new(
        "INSERT INTO meeting (title, description, isPublic)
         VALUES (:title, :description, :is_public)",
        params! {
            "title": new.title.as_str(),
            "description": new.description.as_str(),
            "is_public": new.is_public,
        },
    )
}

/// The meeting that [`insert`] has added.
pub fn inserted(id: MeetingId, new: NewMeeting) -> Meeting {
    Meeting {
        id,
        title: new.title,
        description: new.description,
        is_public: new.is_public,
    }
}

pub fn edit(meeting: MeetingId, edit: &EditMeeting) -> Change {
    Change::new(
        "UPDATE meeting
         SET title = COALESCE(:title, title),
             description = COALESCE(:description, description),
             isPublic = COALESCE(:is_public, isPublic),
             revision = revision + 1
         WHERE meetingID = :meeting",
        params! {
            "title": edit.title.as_deref(),
            "description": edit.description.as_deref(),
            "is_public": edit.is_public,
            "meeting": meeting,
        },
    )
}

/// Raises a meeting's revision. Until the transaction ends, others that raise it wait.
pub fn raise_revision(meeting: MeetingId) -> Change {
    Change::new(
        "UPDATE meeting
         SET revision = revision + 1
         WHERE meetingID = :meeting",
        params! { "meeting": meeting },
    )
}

/// The largest order of a meeting's instances; 0: it has none.
pub fn last_order(meeting: MeetingId) -> Query<u64> {
    Query::new(
        "meeting_instance",
        "SELECT MAX(orderID) AS last
         FROM meeting_instance
         WHERE meetingID = :meeting",
        params! { "meeting": meeting },
        |row| Ok(row.count("last")),
    )
}

/// The order after the last one.
pub fn next_order(meeting: MeetingId, last: u64) -> Result<OrderId, Reject> {
    OrderId::new(last.saturating_add(1)).map_err(|_| {
        let detail = format!("Meeting {meeting} has the largest instance number: add a meeting.");
        Reject::new(Code::Invalid, detail)
    })
}

/// Adds an instance.
pub fn insert_instance(id: InstanceId, from: Timestamp, to: Timestamp) -> Change {
    Change::new(
        "INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime)
         VALUES (:meeting, :order, :from, :to)",
        params! { "meeting": id.meeting, "order": id.order, "from": from, "to": to },
    )
}

/// Moves an instance that is still scheduled.
pub fn move_instance(id: InstanceId, from: Timestamp, to: Timestamp) -> Change {
    Change::new(
        "UPDATE meeting_instance
         SET fromdatetime = :from, todatetime = :to
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state = 'scheduled'",
        params! { "meeting": id.meeting, "order": id.order, "from": from, "to": to },
    )
}

/// Cancels an instance that is still scheduled.
pub fn cancel(id: InstanceId, now: Timestamp) -> Change {
    Change::new(
        "UPDATE meeting_instance
         SET state = 'ended', reason = 'cancelled', ended_at = :now
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state = 'scheduled'",
        params! { "meeting": id.meeting, "order": id.order, "now": now },
    )
}

/// The ids of a page of meetings above `after`.
pub fn above(after: Option<MeetingId>) -> (u64, u64) {
    (after.map_or(0, |id| id.get() + 1), ID_MAX)
}

/// The first meetings with ids from `first` to `last`, in the order of their ids.
pub fn page((first, last): (u64, u64), limit: usize) -> Query<Meeting> {
    Query::new(
        "meeting",
        "SELECT meetingID, title, description, isPublic
         FROM meeting
         WHERE meetingID BETWEEN :first AND :last
         ORDER BY meetingID
         LIMIT :limit",
        params! {
            "first": first,
            "last": last,
            "limit": limit.min(PAGE_MAX),
        },
        |row| row.meeting(),
    )
}

/// The audiences of the meetings from `first` to `last`.
pub fn audiences(first: MeetingId, last: MeetingId) -> Query<(MeetingId, String)> {
    Query::new(
        "audience",
        "SELECT meetingID, email
         FROM audience
         WHERE meetingID BETWEEN :first AND :last
         ORDER BY meetingID, emailKey",
        params! { "first": first, "last": last },
        |row| Ok((row.meeting_id("meetingID")?, row.email()?)),
    )
}

/// The instances of the meetings from `first` to `last`.
pub fn instances(first: MeetingId, last: MeetingId) -> Query<PlannedInstance> {
    Query::new(
        "meeting_instance",
        "SELECT meetingID, orderID, fromdatetime, todatetime, state, reason, ended_at
         FROM meeting_instance
         WHERE meetingID BETWEEN :first AND :last
         ORDER BY meetingID, orderID",
        params! { "first": first, "last": last },
        |row| {
            Ok(PlannedInstance {
                id: row.instance_id()?,
                fromdatetime: row.time("fromdatetime")?,
                todatetime: row.time("todatetime")?,
                state: row.state()?,
                reason: row.maybe_reason().map(|reason| reason.to_string()),
                ended_at: row.maybe_time("ended_at"),
            })
        },
    )
}

/// Gives each of a [`page`]'s meetings its audience and instances.
pub fn planned(
    meetings: Vec<Meeting>,
    audiences: Vec<(MeetingId, String)>,
    instances: Vec<PlannedInstance>,
) -> Vec<PlannedMeeting> {
    let mut planned: Vec<PlannedMeeting> = meetings
        .into_iter()
        .map(|meeting| PlannedMeeting {
            meeting,
            audience: Vec::new(),
            instances: Vec::new(),
        })
        .collect();
    let position = |planned: &[PlannedMeeting], id| {
        planned.binary_search_by_key(&id, |one: &PlannedMeeting| one.meeting.id)
    };
    for (meeting, email) in audiences {
        if let Ok(at) = position(&planned, meeting) {
            planned[at].audience.push(email);
        }
    }
    for instance in instances {
        if let Ok(at) = position(&planned, instance.id.meeting) {
            planned[at].instances.push(instance);
        }
    }
    planned
}

/// Scheduled instances that start until then, the earliest first.
pub fn starts(until: Timestamp) -> Query<(InstanceId, Timestamp)> {
    Query::new(
        "meeting_instance",
        "SELECT meetingID, orderID, fromdatetime AS at
         FROM meeting_instance
         WHERE state = 'scheduled'
           AND fromdatetime <= :until
         ORDER BY fromdatetime
         LIMIT :limit",
        params! { "until": until, "limit": AGENDA_MAX },
        timed,
    )
}

/// Active instances that end until then, the earliest first.
pub fn ends(until: Timestamp) -> Query<(InstanceId, Timestamp)> {
    Query::new(
        "meeting_instance",
        "SELECT meetingID, orderID, todatetime AS at
         FROM meeting_instance
         WHERE state = 'active'
           AND todatetime <= :until
         ORDER BY todatetime
         LIMIT :limit",
        params! { "until": until, "limit": AGENDA_MAX },
        timed,
    )
}

/// Ending instances, the earliest end first.
pub fn ending() -> Query<InstanceId> {
    Query::new(
        "meeting_instance",
        "SELECT meetingID, orderID
         FROM meeting_instance
         WHERE state = 'ending'
         ORDER BY todatetime
         LIMIT :limit",
        params! { "limit": AGENDA_MAX },
        |row| row.instance_id(),
    )
}

/// An instance and the time `at`.
pub fn timed(row: &dyn Row) -> Result<(InstanceId, Timestamp), Unusable> {
    Ok((row.instance_id()?, row.time("at")?))
}

/// A listed instance, without what only the live state knows.
pub fn listed(row: &dyn Row) -> Result<Instance, Unusable> {
    let meeting = row.meeting()?;
    let state = row.state()?;
    Ok(Instance {
        title: meeting.title,
        description: meeting.description,
        is_public: meeting.is_public,
        fromdatetime: row.time("fromdatetime")?,
        todatetime: row.time("todatetime")?,
        id: row.instance_id()?,
        state,
        participants: 0,
        joined: None,
        cancelled: state == InstanceState::Ended && row.maybe_reason() == Some(Reason::Cancelled),
        ended_at: row.maybe_time("ended_at"),
    })
}

/// A list of at most [`LISTED_MAX`] instances in the order of their start. The rows of active
/// instances come first, so that ended ones cannot displace them.
pub fn by_start(mut listed: Vec<Instance>) -> Vec<Instance> {
    listed.truncate(LISTED_MAX);
    listed.sort_by_key(|instance| (instance.fromdatetime, instance.id));
    listed
}
