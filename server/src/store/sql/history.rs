//! The event log and the messages of an instance.

use std::collections::BTreeMap;

use plenary_shared::domain::{Event, EventKind, StoredModeration, UserRef};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::protocol::{EventsOk, Message, MessagesOk, Posted};
use plenary_shared::time::Timestamp;

use super::page::Range;
use super::{Change, Dialect, Query, Row, Unusable, params};

/// A logged event and the name of its user.
pub type Logged = (Event, String);

/// A page of the event log, in which messages are events. Each of the two branches reads one page at
/// most, so the cost does not depend on the length of the log.
pub fn events(
    dialect: Dialect,
    id: InstanceId,
    generation: Generation,
    range: &Range,
) -> Query<Logged> {
    // In SQLite, a branch of UNION ALL has ORDER BY and LIMIT only in a subquery.
    let (open, close) = match dialect {
        Dialect::Mysql => ("(", ")"),
        Dialect::Sqlite => ("SELECT * FROM (", ")"),
    };
    let order = range.direction.order();
    let sql = format!(
        "SELECT page.seq, page.eventType, page.userID, page.cmid, page.body, page.reason,
                page.timestamp, page.target, page.replyTo, page.edited_at, page.deleted_at,
                page.action, page.subject, page.was, page.note, u.name,
                CASE WHEN page.was IS NULL THEN w.name END AS whom
         FROM (
           {open}SELECT e.seq, e.eventType, e.userID, e.cmid, t.body, e.reason, e.timestamp,
                        e.target, NULL AS replyTo, NULL AS edited_at, t.deleted_at,
                        e.action, e.subject, e.was, e.note
                 FROM event_log e
                 LEFT JOIN message t
                   ON t.meetingID = e.meetingID AND t.orderID = e.orderID AND t.seq = e.target
                 WHERE e.meetingID = :meeting
                   AND e.orderID = :order
                   AND e.seq > :low
                   AND e.seq < :high
                 ORDER BY e.seq {order}
                 LIMIT :limit{close}
           UNION ALL
           {open}SELECT seq, 'message', userID, cmid, body, NULL, timestamp,
                        NULL, replyTo, edited_at, deleted_at,
                        NULL, NULL, NULL, NULL
                 FROM message
                 WHERE meetingID = :meeting
                   AND orderID = :order
                   AND seq > :low
                   AND seq < :high
                 ORDER BY seq {order}
                 LIMIT :limit{close}
         ) page
         LEFT JOIN user u ON u.userID = page.userID
         LEFT JOIN user w ON w.userID = page.subject
         ORDER BY page.seq {order}
         LIMIT :limit"
    );
    Query::new(
        "event_log, message",
        sql,
        params! {
            "meeting": id.meeting,
            "order": id.order,
            "low": range.low,
            "high": range.high,
            "limit": range.rows(),
        },
        move |row| event(id, generation, row),
    )
}

/// The rows of [`events`] as an answer.
pub fn events_page(range: &Range, rows: Vec<Option<Logged>>) -> EventsOk {
    let (logged, more) = range.cut(rows);
    let mut names = BTreeMap::new();
    let events = logged
        .into_iter()
        .map(|(event, name)| {
            if let Some(user) = event.kind.user() {
                names.insert(user, name);
            }
            event
        })
        .collect();
    EventsOk {
        events,
        more,
        users: names
            .into_iter()
            .map(|(id, name)| UserRef { id, name })
            .collect(),
    }
}

/// A page of the messages, of one user if that is given.
pub fn messages(
    dialect: Dialect,
    id: InstanceId,
    by: Option<UserId>,
    range: &Range,
) -> Query<Message> {
    // The index is named because the planner may otherwise scan all messages for the few of one user.
    let index = match (dialect, by) {
        (Dialect::Mysql, None) => "FORCE INDEX (PRIMARY)",
        (Dialect::Mysql, Some(_)) => "FORCE INDEX (message_user)",
        (Dialect::Sqlite, None) => "NOT INDEXED",
        (Dialect::Sqlite, Some(_)) => "INDEXED BY message_user",
    };
    let order = range.direction.order();
    let mut params = params! {
        "meeting": id.meeting,
        "order": id.order,
        "low": range.low,
        "high": range.high,
        "limit": range.rows(),
    };
    let mut and_user = "";
    if let Some(user) = by {
        and_user = "AND m.userID = :user";
        params.extend(params! { "user": user });
    }
    let sql = format!(
        "SELECT m.seq, m.userID, m.cmid, m.body, m.timestamp, m.replyTo, m.edited_at, m.deleted_at,
                u.name
         FROM message m {index}
         LEFT JOIN user u ON u.userID = m.userID
         WHERE m.meetingID = :meeting
           AND m.orderID = :order
           AND m.seq > :low
           AND m.seq < :high
           {and_user}
         ORDER BY m.seq {order}
         LIMIT :limit"
    );
    Query::new("message", sql, params, message)
}

/// The rows of [`messages`] as an answer.
pub fn messages_page(range: &Range, rows: Vec<Option<Message>>) -> MessagesOk {
    let (messages, more) = range.cut(rows);
    MessagesOk { messages, more }
}

/// The author of a message, and whether it is deleted.
pub fn author(id: InstanceId, seq: Seq) -> Query<(UserId, bool)> {
    Query::new(
        "message",
        "SELECT userID, deleted_at
         FROM message
         WHERE meetingID = :meeting
           AND orderID = :order
           AND seq = :seq",
        params! { "meeting": id.meeting, "order": id.order, "seq": seq },
        |row| {
            let deleted = row.maybe_time("deleted_at").is_some();
            Ok((row.user_id("userID")?, deleted))
        },
    )
}

/// The earlier answer to a post or change with this cmid.
pub fn duplicate(id: InstanceId, user: UserId, cmid: Cmid) -> Query<Posted> {
    Query::new(
        "message, event_log",
        "SELECT seq, timestamp
         FROM message
         WHERE meetingID = :meeting
           AND orderID = :order
           AND userID = :user
           AND cmid = :cmid
         UNION ALL
         SELECT seq, timestamp
         FROM event_log
         WHERE meetingID = :meeting
           AND orderID = :order
           AND userID = :user
           AND cmid = :cmid
         LIMIT 1",
        params! { "meeting": id.meeting, "order": id.order, "user": user, "cmid": cmid },
        |row| {
            Ok(Posted {
                seq: row.seq("seq")?,
                timestamp: row.time("timestamp")?,
                repeat: true,
                durable: None,
            })
        },
    )
}

/// The columns of `event_log` that say what happened. Messages are in their own table.
#[derive(Debug, Default)]
pub struct Columns {
    pub reason: Option<&'static str>,
    /// The edited or deleted message.
    pub target: Option<Seq>,
    pub cmid: Option<Cmid>,
    pub kept: StoredModeration,
}

impl Columns {
    /// The columns of an event.
    pub fn of(what: &EventKind) -> Self {
        match what {
            EventKind::Opened | EventKind::Join { .. } | EventKind::Message { .. } => {
                Self::default()
            }
            EventKind::Leave { reason, .. } | EventKind::Closed { reason } => Self {
                reason: Some(reason.as_str()),
                ..Self::default()
            },
            EventKind::Edited { target, cmid, .. } | EventKind::Deleted { target, cmid, .. } => {
                Self {
                    target: Some(*target),
                    cmid: Some(*cmid),
                    ..Self::default()
                }
            }
            EventKind::Moderated(done) => Self {
                cmid: Some(done.cmid),
                kept: done.stored(),
                ..Self::default()
            },
        }
    }

    /// The column `action`, NULL unless the event is a moderation action.
    pub fn action(&self) -> Option<&str> {
        Some(self.kept.action.as_str()).filter(|action| !action.is_empty())
    }
}

/// Applies an edit or a deletion to its message, if the event is one. In the order of their seqs the
/// last edit stays.
pub fn change_message(id: InstanceId, what: &EventKind, at: Timestamp) -> Option<Change> {
    match what {
        EventKind::Edited {
            user, target, body, ..
        } => Some(Change::new(
            "UPDATE message
             SET body = :body, edited_at = :at
             WHERE meetingID = :meeting
               AND orderID = :order
               AND seq = :target
               AND userID = :user
               AND deleted_at IS NULL",
            params! {
                "meeting": id.meeting,
                "order": id.order,
                "target": *target,
                "user": *user,
                "body": body.as_str(),
                "at": at,
            },
        )),
        EventKind::Deleted { user, target, .. } => Some(Change::new(
            "UPDATE message
             SET body = '', deleted_at = :at
             WHERE meetingID = :meeting
               AND orderID = :order
               AND seq = :target
               AND userID = :user",
            params! {
                "meeting": id.meeting,
                "order": id.order,
                "target": *target,
                "user": *user,
                "at": at,
            },
        )),
        EventKind::Opened
        | EventKind::Join { .. }
        | EventKind::Leave { .. }
        | EventKind::Message { .. }
        | EventKind::Moderated(_)
        | EventKind::Closed { .. } => None,
    }
}

/// A message with its author's name.
pub fn message(row: &dyn Row) -> Result<Message, Unusable> {
    let user = row.user_id("userID")?;
    Ok(Message {
        user,
        body: row.body()?,
        timestamp: row.time("timestamp")?,
        seq: row.seq("seq")?,
        cmid: row.cmid(),
        name: row.user_name(user),
        reply_to: row.seq("replyTo").ok(),
        edited: row.maybe_time("edited_at"),
        deleted: row.maybe_time("deleted_at"),
    })
}

fn event(instance: InstanceId, generation: Generation, row: &dyn Row) -> Result<Logged, Unusable> {
    const KIND: &str = "eventType";
    let user = || row.user_id("userID");
    let name = user().map_or_else(|_| String::new(), |user| row.user_name(user));
    let what = match row.word(KIND)?.as_str() {
        "opened" => EventKind::Opened,
        "join" => EventKind::Join {
            user: user()?,
            name: name.clone(),
        },
        "leave" => EventKind::Leave {
            user: user()?,
            reason: row.reason()?,
        },
        "message" => EventKind::Message {
            user: user()?,
            cmid: row.cmid(),
            body: row.body()?,
            reply_to: row.seq("replyTo").ok(),
            edited: row.maybe_time("edited_at"),
            deleted: row.maybe_time("deleted_at"),
        },
        "edited" => EventKind::Edited {
            user: user()?,
            cmid: row.cmid(),
            target: row.seq("target")?,
            body: row.body()?,
        },
        "deleted" => EventKind::Deleted {
            user: user()?,
            cmid: row.cmid(),
            target: row.seq("target")?,
        },
        "moderated" => EventKind::Moderated(row.moderation()?),
        "closed" => EventKind::Closed {
            reason: row.reason()?,
        },
        _ => return Err(Unusable(KIND)),
    };
    let event = Event {
        instance,
        generation,
        seq: row.seq("seq")?,
        kind: what,
        timestamp: row.time("timestamp")?,
    };
    Ok((event, name))
}
