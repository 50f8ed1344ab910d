//! Reading rows that anybody may have written: a row that cannot be used is skipped, not fatal.

use plenary_shared::domain::{
    InstanceState, Meeting, Moderation, Reason, Role, StoredModeration, User,
};
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, OrderId, Seq, UserId};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{Connection, Params, Row};

use crate::store::sanitize;

/// Stands for the cmid of what was stored without one.
pub(super) const NO_CMID: Cmid = Cmid(uuid::Uuid::nil());

/// What a row lacks to be used: the name of its column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unusable(pub &'static str);

/// The rows that a statement finds; `None` for each that cannot be used, with one warning for all.
pub(super) fn found<T>(
    conn: &Connection,
    table: &'static str,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Unusable>,
) -> rusqlite::Result<Vec<Option<T>>> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut all = Vec::new();
    let (mut skipped, mut because) = (0_usize, "");
    while let Some(row) = rows.next()? {
        all.push(match read(row) {
            Ok(one) => Some(one),
            Err(Unusable(column)) => {
                skipped += 1;
                because = column;
                None
            }
        });
    }
    if skipped > 0 {
        tracing::warn!(
            table,
            rows = skipped,
            column = because,
            "rows that cannot be used are skipped"
        );
    }
    Ok(all)
}

/// The usable rows that a statement finds.
pub(super) fn all<T>(
    conn: &Connection,
    table: &'static str,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Unusable>,
) -> rusqlite::Result<Vec<T>> {
    Ok(found(conn, table, sql, params, read)?
        .into_iter()
        .flatten()
        .collect())
}

/// The first row that a statement finds, if there is one and it can be used.
pub(super) fn one<T>(
    conn: &Connection,
    table: &'static str,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Unusable>,
) -> rusqlite::Result<Option<T>> {
    Ok(all(conn, table, sql, params, read)?.into_iter().next())
}

/// Whether a statement finds a row.
pub(super) fn exists(conn: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<bool> {
    conn.prepare_cached(sql)?.exists(params)
}

/// Runs a statement that changes rows; how many.
pub(super) fn change(conn: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
    conn.prepare_cached(sql)?.execute(params)
}

/// A column's value; `None` when it is NULL, missing, or of another type.
pub(super) fn get<T: FromSql>(row: &Row<'_>, column: &'static str) -> Option<T> {
    row.get::<_, Option<T>>(column).ok().flatten()
}

/// A text column: lossless UTF-8, or with replacement characters.
pub(super) fn text(row: &Row<'_>, column: &'static str) -> Option<String> {
    match row.get_ref(column) {
        Ok(ValueRef::Text(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Ok(_) | Err(_) => None,
    }
}

macro_rules! ids {
    ($($name:ident, $type:ident;)+) => {
        $(pub(super) fn $name(row: &Row<'_>, column: &'static str) -> Result<$type, Unusable> {
            get::<i64>(row, column)
                .and_then(|id| u64::try_from(id).ok())
                .and_then(|id| $type::new(id).ok())
                .ok_or(Unusable(column))
        })+
    };
}

ids! {
    meeting_id, MeetingId;
    order_id, OrderId;
    user_id, UserId;
    seq, Seq;
    generation, Generation;
}

pub(super) fn instance_id(row: &Row<'_>) -> Result<InstanceId, Unusable> {
    Ok(InstanceId::new(
        meeting_id(row, "meetingID")?,
        order_id(row, "orderID")?,
    ))
}

pub(super) fn time(row: &Row<'_>, column: &'static str) -> Result<Timestamp, Unusable> {
    maybe_time(row, column).ok_or(Unusable(column))
}

pub(super) fn maybe_time(row: &Row<'_>, column: &'static str) -> Option<Timestamp> {
    get::<i64>(row, column).map(Timestamp::from_ms)
}

pub(super) fn state(row: &Row<'_>) -> Result<InstanceState, Unusable> {
    text(row, "state")
        .and_then(|word| word.parse().ok())
        .ok_or(Unusable("state"))
}

pub(super) fn reason(row: &Row<'_>) -> Option<Reason> {
    text(row, "reason").and_then(|word| word.parse().ok())
}

pub(super) fn cmid(row: &Row<'_>) -> Option<Cmid> {
    text(row, "cmid").and_then(|text| text.parse().ok())
}

/// What is kept of what an admin did, from the columns `action`, `subject`, `was` and `note`.
pub(super) fn kept(row: &Row<'_>) -> StoredModeration {
    let number = |column| get::<i64>(row, column).and_then(|n| u64::try_from(n).ok());
    StoredModeration {
        action: text(row, "action").unwrap_or_default(),
        subject: number("subject"),
        was: number("was"),
        note: text(row, "note").map(|note| sanitize::many_lines(&note)),
    }
}

/// What an admin did, also from `userID`, `name`, `cmid`, and `whom`: what the person is called whom
/// it concerns.
pub(super) fn moderation(row: &Row<'_>) -> Result<Moderation, Unusable> {
    let user = user_id(row, "userID")?;
    let whom = |id| sanitize::user_name(&text(row, "whom").unwrap_or_default(), id);
    let (action, reason) = kept(row).read(whom).ok_or(Unusable("action"))?;
    Ok(Moderation {
        user,
        name: user_name(row, user),
        cmid: cmid(row).unwrap_or(NO_CMID),
        action,
        reason,
    })
}

/// An address of an audience, in lower case.
pub(super) fn email(row: &Row<'_>) -> Result<String, Unusable> {
    const COLUMN: &str = "email";
    text(row, COLUMN)
        .map(|email| sanitize::one_line(&email.to_lowercase()))
        .filter(|email| !email.is_empty())
        .ok_or(Unusable(COLUMN))
}

/// A person, from the columns of `user`.
pub(super) fn user(row: &Row<'_>) -> Result<User, Unusable> {
    let id = user_id(row, "userID")?;
    Ok(User {
        id,
        name: user_name(row, id),
        age: get::<i64>(row, "age").and_then(sanitize::age),
        gender: text(row, "gender").and_then(|word| sanitize::gender(&word)),
        email: sanitize::one_line(&text(row, "email").unwrap_or_default()),
        role: text(row, "role")
            .and_then(|word| word.parse().ok())
            .unwrap_or(Role::Member),
    })
}

/// What a person is called, from the column `name`.
pub(super) fn user_name(row: &Row<'_>, id: UserId) -> String {
    sanitize::user_name(&text(row, "name").unwrap_or_default(), id)
}

/// A meeting, from the columns of `meeting`.
pub(super) fn meeting(row: &Row<'_>) -> Result<Meeting, Unusable> {
    let id = meeting_id(row, "meetingID")?;
    Ok(Meeting {
        id,
        title: sanitize::title(&text(row, "title").unwrap_or_default(), id),
        description: sanitize::many_lines(&text(row, "description").unwrap_or_default()),
        is_public: flag(row, "isPublic"),
    })
}

pub(super) fn flag(row: &Row<'_>, column: &'static str) -> bool {
    get::<i64>(row, column).is_some_and(|flag| flag != 0)
}

/// The body of a message, whoever wrote the row: what may not be in a body is replaced, and what
/// was deleted is gone. From the columns `body` and `deleted_at`.
pub(super) fn body(row: &Row<'_>) -> Result<MessageBody, Unusable> {
    const COLUMN: &str = "body";
    if maybe_time(row, "deleted_at").is_some() {
        return Ok(MessageBody::gone());
    }
    text(row, COLUMN)
        .and_then(|written| sanitize::body(&written))
        .ok_or(Unusable(COLUMN))
}
