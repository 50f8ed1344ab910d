//! Reading the record: pages of the log and of messages, and who may read them.

use std::collections::BTreeMap;

use mysql_async::{Row, params};
use plenary_shared::domain::{Event, Person, Role, User, What};
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, Seq, UserId};
use plenary_shared::limits;
use plenary_shared::protocol::{EventsOk, Message, MessagesOk, Posted};

use super::link::MysqlStore;
use super::row;
use crate::error::Answer;
use crate::store::Page;

impl MysqlStore {
    /// Whether this person may read an instance: it is public, or they are in its audience, or
    /// they are an admin. Nobody may read what is unknown.
    pub async fn may_read(&self, id: InstanceId, viewer: &User) -> Answer<bool> {
        let row = self
            .row(
                "SELECT 1
                 FROM meeting_instance i
                 JOIN meeting m ON m.meetingID = i.meetingID
                 WHERE i.meetingID = :meeting
                   AND i.orderID = :order
                   AND (:admin OR m.isPublic OR EXISTS (
                     SELECT 1 FROM audience a
                     WHERE a.meetingID = i.meetingID AND a.emailKey IN (:email, :key)))",
                row::with(
                    id,
                    params! {
                        "admin" => viewer.role == Role::Admin,
                        "email" => viewer.email.trim(),
                        "key" => viewer.email_key().trim(),
                    },
                ),
            )
            .await?;
        Ok(row.is_some())
    }

    /// Who may join a private meeting: addresses in lower case.
    pub async fn audience(&self, meeting: MeetingId) -> Answer<Vec<String>> {
        let rows = self
            .rows(AUDIENCE, params! { "meeting" => meeting.get() })
            .await?;
        Ok(audience(&rows))
    }

    /// A page of the log, of generation 0; only what is below `below`, if that is given.
    pub async fn events(
        &self,
        id: InstanceId,
        page: Page,
        limit: usize,
        below: Option<Seq>,
    ) -> Answer<EventsOk> {
        let range = Range::new(page, limit, below);
        let sql = match range.direction {
            Direction::Up => EVENTS_UP,
            Direction::Down => EVENTS_DOWN,
        };
        let rows = self.rows(sql, row::with(id, range.params())).await?;
        let (rows, more) = range.cut(rows);
        let mut names = BTreeMap::new();
        let events = row::usable(&rows, "event_log, message", |row| event(id, row));
        let events = events
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

    /// A page of the messages; only what is below `below`, if that is given.
    pub async fn messages(
        &self,
        id: InstanceId,
        page: Page,
        limit: usize,
        below: Option<Seq>,
    ) -> Answer<MessagesOk> {
        let range = Range::new(page, limit, below);
        let sql = match range.direction {
            Direction::Up => MESSAGES_UP,
            Direction::Down => MESSAGES_DOWN,
        };
        let rows = self.rows(sql, row::with(id, range.params())).await?;
        Ok(messages(&range, rows))
    }

    /// A page of one person's messages; only what is below `below`, if that is given.
    pub async fn user_messages(
        &self,
        id: InstanceId,
        of: UserId,
        page: Page,
        limit: usize,
        below: Option<Seq>,
    ) -> Answer<MessagesOk> {
        let range = Range::new(page, limit, below);
        let sql = match range.direction {
            Direction::Up => USER_MESSAGES_UP,
            Direction::Down => USER_MESSAGES_DOWN,
        };
        let mut params = row::with(id, range.params());
        if let mysql_async::Params::Named(named) = &mut params {
            named.insert(b"user".to_vec(), of.get().into());
        }
        let rows = self.rows(sql, params).await?;
        Ok(messages(&range, rows))
    }

    /// What was answered to the message with this cmid, if the archive has it.
    pub async fn repeat_of(
        &self,
        id: InstanceId,
        user: UserId,
        cmid: Cmid,
    ) -> Answer<Option<Posted>> {
        let row = self
            .row(
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
                row::with(
                    id,
                    params! { "user" => user.get(), "cmid" => cmid.to_string() },
                ),
            )
            .await?;
        Ok(row::usable_one(row.as_ref(), "message", |row| {
            Ok(Posted {
                seq: row::seq(row, "seq")?,
                timestamp: row::time(row, "timestamp")?,
                repeat: true,
                durable: None,
            })
        }))
    }
}

impl MysqlStore {
    /// Whose message has this number, and whether they deleted it.
    pub async fn author(&self, id: InstanceId, seq: Seq) -> Answer<Option<(UserId, bool)>> {
        let row = self
            .row(
                "SELECT userID, deleted_at
                 FROM message
                 WHERE meetingID = :meeting
                   AND orderID = :order
                   AND seq = :seq",
                row::with(id, params! { "seq" => seq.get() }),
            )
            .await?;
        Ok(row::usable_one(row.as_ref(), "message", |row| {
            let deleted = row::maybe_time(row, "deleted_at");
            Ok((row::user_id(row, "userID")?, deleted.is_some()))
        }))
    }
}

pub(super) const AUDIENCE: &str = "
 SELECT email
 FROM audience
 WHERE meetingID = :meeting
 ORDER BY emailKey";

/// The addresses of these rows in lower case, each once.
pub(super) fn audience(rows: &[Row]) -> Vec<String> {
    let mut emails = row::usable(rows, "audience", row::email);
    emails.sort_unstable();
    emails.dedup();
    emails
}

#[derive(Clone, Copy)]
enum Direction {
    Up,
    Down,
}

/// The seqs of a page: above `low`, below `high`, from one of both sides.
struct Range {
    direction: Direction,
    low: u64,
    high: u64,
    limit: usize,
}

impl Range {
    fn new(page: Page, limit: usize, below: Option<Seq>) -> Self {
        let top = below.map_or(limits::ID_MAX + 1, Seq::get);
        let (direction, low, high) = match page {
            Page::After(after) => (Direction::Up, after.get(), top),
            Page::Before(None) => (Direction::Down, 0, top),
            Page::Before(Some(before)) => (Direction::Down, 0, top.min(before.get())),
        };
        Self {
            direction,
            low,
            high,
            limit: limit.clamp(1, limits::PAGE_MAX),
        }
    }

    /// One row more than the page has, to know whether there are more.
    fn params(&self) -> mysql_async::Params {
        params! {
            "low" => self.low,
            "high" => self.high,
            "limit" => self.limit + 1,
        }
    }

    /// The page's rows, ascending, and whether there are more in its direction.
    fn cut(&self, mut rows: Vec<Row>) -> (Vec<Row>, bool) {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        match self.direction {
            Direction::Up => {}
            Direction::Down => rows.reverse(),
        }
        (rows, more)
    }
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
   (SELECT e.seq, e.eventType, e.userID, e.cmid, t.body, e.reason, e.timestamp,
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
   (SELECT seq, 'message', userID, cmid, body, NULL, timestamp,
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
 LEFT JOIN `user` u ON u.userID = page.userID
 LEFT JOIN `user` w ON w.userID = page.subject
 ORDER BY page.seq ",
            $order,
            "
 LIMIT :limit"
        )
    };
}

// The index is named, or a page of somebody who said little costs a look at all that was said.
macro_rules! messages {
    ($index:literal, $and:literal, $order:literal) => {
        concat!(
            "
 SELECT m.seq, m.userID, m.cmid, m.body, m.timestamp, m.replyTo, m.edited_at, m.deleted_at,
        u.name
 FROM message m FORCE INDEX (",
            $index,
            ")
 LEFT JOIN `user` u ON u.userID = m.userID
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
const MESSAGES_UP: &str = messages!("PRIMARY", "", "ASC");
const MESSAGES_DOWN: &str = messages!("PRIMARY", "", "DESC");
const USER_MESSAGES_UP: &str = messages!("message_user", "AND m.userID = :user", "ASC");
const USER_MESSAGES_DOWN: &str = messages!("message_user", "AND m.userID = :user", "DESC");

fn messages(range: &Range, rows: Vec<Row>) -> MessagesOk {
    let (rows, more) = range.cut(rows);
    MessagesOk {
        messages: row::usable(&rows, "message", message),
        more,
    }
}

pub(super) fn message(row: &Row) -> Result<Message, row::Unusable> {
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
fn event(instance: InstanceId, row: &Row) -> Result<(Event, String), row::Unusable> {
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
        generation: Generation::default(),
        seq: row::seq(row, "seq")?,
        what,
        timestamp: row::time(row, "timestamp")?,
    };
    Ok((event, name))
}
