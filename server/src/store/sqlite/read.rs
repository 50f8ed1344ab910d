//! Reading an instance: pages of its log and of its messages, who is in, and how far the log is.

use std::collections::BTreeMap;

use async_trait::async_trait;
use plenary_shared::domain::{Code, Event, Instance, InstanceState, Person, Reason, User, What};
use plenary_shared::ids::{Generation, InstanceId, UserId};
use plenary_shared::protocol::{EventsOk, Message, MessagesOk, OpenOk};
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, Row, named_params};

use crate::error::{Answer, Fault};
use crate::store::{ConnectionId, LogStore, Page, PresenceStore};

use super::live::{
    LiveState, Stored, live, may_read_live, may_read_stored, stay_of, stored, why_not_open,
};
use super::participation::participants;
use super::span::{Direction, Span};
use super::{SqliteStore, presence, row};

#[async_trait]
impl LogStore for SqliteStore {
    async fn open(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
        limit: usize,
    ) -> Answer<OpenOk> {
        if let Some(connection) = connection {
            let held = self.hold(instance, user, connection).await;
            presence::or_later(instance, held)?;
        }
        let (user, now) = (user.clone(), self.now());
        self.link
            .read(move |conn| open(conn, instance, &user, limit, now))
            .await
    }

    async fn events(
        &self,
        instance: InstanceId,
        viewer: &User,
        page: Page,
        limit: usize,
    ) -> Answer<EventsOk> {
        let (viewer, now) = (viewer.clone(), self.now());
        self.link
            .read(move |conn| events(conn, instance, &viewer, page, limit, now))
            .await
    }

    async fn messages(
        &self,
        instance: InstanceId,
        viewer: &User,
        page: Page,
        limit: usize,
    ) -> Answer<MessagesOk> {
        let (viewer, now) = (viewer.clone(), self.now());
        self.link
            .read(move |conn| messages(conn, instance, &viewer, page, limit, now))
            .await
    }

    async fn user_messages(
        &self,
        instance: InstanceId,
        viewer: &User,
        of: UserId,
        page: Page,
        limit: usize,
    ) -> Answer<MessagesOk> {
        let (viewer, now) = (viewer.clone(), self.now());
        self.link
            .read(move |conn| user_messages(conn, instance, &viewer, of, (page, limit), now))
            .await
    }
}

/// An instance as whoever follows it reads it first.
fn open(
    conn: &Connection,
    id: InstanceId,
    user: &User,
    limit: usize,
    now: Timestamp,
) -> Answer<OpenOk> {
    let (generation, found) = readable(conn, id, user, now)?;
    let page = log(conn, id, generation, Page::Before(None), limit)?;
    let mut instance = Instance {
        title: found.meeting.title,
        description: found.meeting.description,
        is_public: found.meeting.is_public,
        fromdatetime: found.from,
        todatetime: found.to,
        id,
        state: found.state,
        participants: 0,
        joined: None,
        cancelled: found.reason == Some(Reason::Cancelled),
    };
    let mut people = Vec::new();
    if let Some(live) = live(conn, id)? {
        people = participants(conn, id)?;
        instance.state = match live.state {
            LiveState::Active => InstanceState::Active,
            LiveState::Ending => InstanceState::Ending,
            LiveState::Closed => InstanceState::Ended,
        };
        instance.participants = u32::try_from(people.len()).unwrap_or(u32::MAX);
        instance.joined = stay_of(conn, id, user.id)?.map(|(joined, _)| joined);
    }
    Ok(OpenOk {
        instance,
        generation,
        seq: found.last,
        durable: found.last,
        people,
        events: page.events,
        more: page.more,
        users: page.users,
        unread: None,
        absent: None,
    })
}

/// A page of the log.
fn events(
    conn: &Connection,
    id: InstanceId,
    viewer: &User,
    page: Page,
    limit: usize,
    now: Timestamp,
) -> Answer<EventsOk> {
    let (generation, _) = readable(conn, id, viewer, now)?;
    Ok(log(conn, id, generation, page, limit)?)
}

/// A page of the messages.
fn messages(
    conn: &Connection,
    id: InstanceId,
    viewer: &User,
    page: Page,
    limit: usize,
    now: Timestamp,
) -> Answer<MessagesOk> {
    readable(conn, id, viewer, now)?;
    let span = Span::new(page, limit);
    let sql = match span.direction {
        Direction::Up => MESSAGES_UP,
        Direction::Down => MESSAGES_DOWN,
    };
    let params = named_params! {
        ":meeting": id.meeting.get(),
        ":order": id.order.get(),
        ":low": span.low,
        ":high": span.high,
        ":limit": span.rows(),
    };
    let (messages, more) = span.cut(row::found(conn, "message", sql, params, message)?);
    Ok(MessagesOk { messages, more })
}

/// A page of one person's messages.
fn user_messages(
    conn: &Connection,
    id: InstanceId,
    viewer: &User,
    of: UserId,
    (page, limit): (Page, usize),
    now: Timestamp,
) -> Answer<MessagesOk> {
    readable(conn, id, viewer, now)?;
    let span = Span::new(page, limit);
    let sql = match span.direction {
        Direction::Up => USER_MESSAGES_UP,
        Direction::Down => USER_MESSAGES_DOWN,
    };
    let params = named_params! {
        ":meeting": id.meeting.get(),
        ":order": id.order.get(),
        ":user": of.get(),
        ":low": span.low,
        ":high": span.high,
        ":limit": span.rows(),
    };
    let (messages, more) = span.cut(row::found(conn, "message", sql, params, message)?);
    Ok(MessagesOk { messages, more })
}

/// The instance, if this person may read it, and the generation of its live state; 0: it has none.
pub(super) fn readable(
    conn: &Connection,
    id: InstanceId,
    viewer: &User,
    now: Timestamp,
) -> Answer<(Generation, Stored)> {
    let Some(found) = stored(conn, id)? else {
        return Err(why_not_open(conn, id, viewer, now));
    };
    if let Some(live) = live(conn, id)? {
        if may_read_live(conn, id, live.is_public, viewer)? {
            return Ok((live.generation, found));
        }
        return Err(Code::NotAllowed.into());
    }
    // Active and not live is what others wrote a moment ago: the sweep opens it.
    if found.state == InstanceState::Active || !may_read_stored(conn, id, &found, viewer)? {
        return Err(why_not_open(conn, id, viewer, now));
    }
    Ok((Generation::default(), found))
}

pub(super) fn log(
    conn: &Connection,
    id: InstanceId,
    generation: Generation,
    page: Page,
    limit: usize,
) -> Result<EventsOk, Fault> {
    let span = Span::new(page, limit);
    let sql = match span.direction {
        Direction::Up => EVENTS_UP,
        Direction::Down => EVENTS_DOWN,
    };
    let params = named_params! {
        ":meeting": id.meeting.get(),
        ":order": id.order.get(),
        ":low": span.low,
        ":high": span.high,
        ":limit": span.rows(),
    };
    let rows = row::found(conn, "event_log, message", sql, params, |row| {
        event(id, generation, row)
    })?;
    let (found, more) = span.cut(rows);
    let mut names = BTreeMap::new();
    let events = found
        .into_iter()
        .map(|(event, name)| {
            if let Some(user) = event.what.user() {
                names.insert(user, name);
            }
            event
        })
        .collect();
    Ok(EventsOk {
        events,
        more,
        users: names
            .into_iter()
            .map(|(id, name)| Person { id, name })
            .collect(),
    })
}

macro_rules! events {
    ($order:literal) => {
        concat!(
            "
 SELECT page.seq, page.eventType, page.userID, page.cmid, page.body, page.reason,
        page.timestamp, page.target, page.replyTo, page.edited_at, page.deleted_at,
        page.action, page.subject, page.was, page.note, u.name,
        CASE WHEN page.was IS NULL THEN w.name END AS whom
 FROM (
   SELECT * FROM (
     SELECT e.seq, e.eventType, e.userID, e.cmid, t.body, e.reason, e.timestamp,
            e.target, NULL AS replyTo, NULL AS edited_at, t.deleted_at,
            e.action, e.subject, e.was, e.note
     FROM event_log e
     LEFT JOIN message t
       ON t.meetingID = e.meetingID AND t.orderID = e.orderID AND t.seq = e.target
     WHERE e.meetingID = :meeting
       AND e.orderID = :order
       AND e.seq > :low
       AND e.seq < :high
     ORDER BY e.seq ",
            $order,
            "
     LIMIT :limit)
   UNION ALL
   SELECT * FROM (
     SELECT seq, 'message', userID, cmid, body, NULL, timestamp,
            NULL, replyTo, edited_at, deleted_at,
            NULL, NULL, NULL, NULL
     FROM message
     WHERE meetingID = :meeting
       AND orderID = :order
       AND seq > :low
       AND seq < :high
     ORDER BY seq ",
            $order,
            "
     LIMIT :limit)
 ) page
 LEFT JOIN user u ON u.userID = page.userID
 LEFT JOIN user w ON w.userID = page.subject
 ORDER BY page.seq ",
            $order,
            "
 LIMIT :limit"
        )
    };
}

// The index is named where there is a choice, or a page of somebody who said little costs a look at
// all that was said.
macro_rules! messages {
    ($index:literal, $and:literal, $order:literal) => {
        concat!(
            "
 SELECT m.seq, m.userID, m.cmid, m.body, m.timestamp, m.replyTo, m.edited_at, m.deleted_at,
        u.name
 FROM message m ",
            $index,
            "
 LEFT JOIN user u ON u.userID = m.userID
 WHERE m.meetingID = :meeting
   AND m.orderID = :order
   AND m.seq > :low
   AND m.seq < :high
   ",
            $and,
            "
 ORDER BY m.seq ",
            $order,
            "
 LIMIT :limit"
        )
    };
}

const EVENTS_UP: &str = events!("ASC");

const EVENTS_DOWN: &str = events!("DESC");

const MESSAGES_UP: &str = messages!("NOT INDEXED", "", "ASC");

const MESSAGES_DOWN: &str = messages!("NOT INDEXED", "", "DESC");

const USER_MESSAGES_UP: &str = messages!("INDEXED BY message_user", "AND m.userID = :user", "ASC");

const USER_MESSAGES_DOWN: &str =
    messages!("INDEXED BY message_user", "AND m.userID = :user", "DESC");

pub(super) fn message(row: &Row<'_>) -> Result<Message, row::Unusable> {
    let user = row::user_id(row, "userID")?;
    Ok(Message {
        user,
        body: row::body(row)?,
        timestamp: row::time(row, "timestamp")?,
        seq: row::seq(row, "seq")?,
        cmid: row::cmid(row).unwrap_or(row::NO_CMID),
        name: row::user_name(row, user),
        reply_to: row::seq(row, "replyTo").ok(),
        edited: row::maybe_time(row, "edited_at"),
        deleted: row::maybe_time(row, "deleted_at"),
    })
}

/// An event, and the name of whom it speaks of.
fn event(
    instance: InstanceId,
    generation: Generation,
    row: &Row<'_>,
) -> Result<(Event, String), row::Unusable> {
    const KIND: &str = "eventType";
    let user = || row::user_id(row, "userID");
    let name = user().map_or_else(|_| String::new(), |user| row::user_name(row, user));
    let kind = row::text(row, KIND).ok_or(row::Unusable(KIND))?;
    let what = match kind.as_str() {
        "opened" => What::Opened,
        "join" => What::Join {
            user: user()?,
            name: name.clone(),
        },
        "leave" => What::Leave {
            user: user()?,
            reason: row::reason(row).ok_or(row::Unusable("reason"))?,
        },
        "message" => What::Message {
            user: user()?,
            cmid: row::cmid(row).unwrap_or(row::NO_CMID),
            body: row::body(row)?,
            reply_to: row::seq(row, "replyTo").ok(),
            edited: row::maybe_time(row, "edited_at"),
            deleted: row::maybe_time(row, "deleted_at"),
        },
        "edited" => What::Edited {
            user: user()?,
            cmid: row::cmid(row).unwrap_or(row::NO_CMID),
            target: row::seq(row, "target")?,
            body: row::body(row)?,
        },
        "deleted" => What::Deleted {
            user: user()?,
            cmid: row::cmid(row).unwrap_or(row::NO_CMID),
            target: row::seq(row, "target")?,
        },
        "moderated" => What::Moderated(row::moderation(row)?),
        "closed" => What::Closed {
            reason: row::reason(row).ok_or(row::Unusable("reason"))?,
        },
        _ => return Err(row::Unusable(KIND)),
    };
    let event = Event {
        instance,
        generation,
        seq: row::seq(row, "seq")?,
        what,
        timestamp: row::time(row, "timestamp")?,
    };
    Ok((event, name))
}
