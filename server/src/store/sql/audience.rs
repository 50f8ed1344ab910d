//! Audiences of private meetings, and what they share with others at the same time.

use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::limits::{OVERLAP_EMAILS_MAX, OVERLAPS_MAX};
use plenary_shared::protocol::{Absent, InvitedUser};

use super::{Query, params};
use crate::store::planning::Pair;

/// A meeting's audience: addresses in lower case. See [`unique`].
pub fn emails(meeting: MeetingId) -> Query<String> {
    Query::new(
        "audience",
        "SELECT email
         FROM audience
         WHERE meetingID = :meeting
         ORDER BY emailKey",
        params! { "meeting": meeting },
        |row| row.email(),
    )
}

/// The addresses of [`emails`], sorted and without duplicates.
pub fn unique(mut emails: Vec<String>) -> Vec<String> {
    emails.sort_unstable();
    emails.dedup();
    emails
}

/// Finds an instance if its meeting is private.
pub fn private(id: InstanceId) -> Query<()> {
    Query::new(
        "meeting_instance",
        "SELECT 1
         FROM meeting_instance i
         JOIN meeting m ON m.meetingID = i.meetingID
         WHERE i.meetingID = :meeting
           AND i.orderID = :order
           AND NOT m.isPublic",
        params! { "meeting": id.meeting, "order": id.order },
        |_| Ok(()),
    )
}

/// Invited users who have not joined an instance according to the archive, by name: at most `limit`,
/// each with how many there are in all.
pub fn absent(id: InstanceId, limit: usize) -> Query<(usize, InvitedUser)> {
    Query::new(
        "audience",
        "SELECT a.email, u.userID, u.name, COUNT(*) OVER () AS absent
         FROM audience a
         LEFT JOIN user u ON u.emailKey = a.emailKey
         WHERE a.meetingID = :meeting
           AND (u.userID IS NULL OR u.userID NOT IN (
             SELECT e.userID
             FROM event_log e
             WHERE e.meetingID = :meeting
               AND e.orderID = :order
               AND e.eventType = 'join'
               AND e.userID IS NOT NULL))
         ORDER BY COALESCE(u.name, a.email), a.email
         LIMIT :limit",
        params! { "meeting": id.meeting, "order": id.order, "limit": limit },
        |row| {
            let id = row.user_id("userID").ok();
            let name = match id {
                Some(id) => row.user_name(id),
                None => row.email()?,
            };
            let count = usize::try_from(row.count("absent")).unwrap_or(usize::MAX);
            Ok((count, InvitedUser { id, name }))
        },
    )
}

/// The rows of [`absent`] as an answer.
pub fn absent_of(rows: Vec<(usize, InvitedUser)>) -> Absent {
    Absent {
        count: rows.first().map_or(0, |(count, _)| *count),
        users: rows.into_iter().map(|(_, invited)| invited).collect(),
    }
}

/// Instances at the same time as a meeting's active and scheduled ones: of the same meeting, or private
/// ones that share an address.
pub fn overlaps(meeting: MeetingId) -> Query<Pair> {
    Query::new(
        "meeting_instance",
        // Each state is one range of an index.
        "SELECT i.orderID AS mine, o.meetingID, o.orderID, o.fromdatetime, o.todatetime, m.title
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
         LIMIT :limit",
        params! { "meeting": meeting, "limit": OVERLAPS_MAX },
        move |row| {
            let other = row.instance_id()?;
            Ok(Pair {
                instance: InstanceId::new(meeting, row.order_id("mine")?),
                other,
                title: row.title(other.meeting),
                from: row.time("fromdatetime")?,
                to: row.time("todatetime")?,
            })
        },
    )
}

/// How many addresses are invited to both of two private meetings.
pub fn shared_count(one: MeetingId, other: MeetingId) -> Query<usize> {
    Query::new(
        "audience",
        "SELECT COUNT(DISTINCT a.emailKey) AS shared
         FROM audience a
         JOIN audience b ON b.emailKey = a.emailKey AND b.meetingID = :other
         JOIN meeting m ON m.meetingID = a.meetingID
         WHERE a.meetingID = :one
           AND NOT COALESCE(m.isPublic, 0)",
        params! { "one": one, "other": other },
        |row| Ok(usize::try_from(row.count("shared")).unwrap_or(usize::MAX)),
    )
}

/// The first addresses that are invited to both of two private meetings.
pub fn shared(one: MeetingId, other: MeetingId) -> Query<String> {
    Query::new(
        "audience",
        "SELECT DISTINCT a.emailKey AS email
         FROM audience a
         JOIN audience b ON b.emailKey = a.emailKey AND b.meetingID = :other
         JOIN meeting m ON m.meetingID = a.meetingID
         WHERE a.meetingID = :one
           AND NOT COALESCE(m.isPublic, 0)
         ORDER BY a.emailKey
         LIMIT :limit",
        params! { "one": one, "other": other, "limit": OVERLAP_EMAILS_MAX },
        |row| row.email(),
    )
}
