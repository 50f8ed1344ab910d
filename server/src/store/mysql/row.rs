//! Reading rows that anybody may have written: a row that cannot be used is skipped, not fatal.

use chrono::NaiveDateTime;
use mysql_async::prelude::FromValue;
use mysql_async::{Params, Row, Value, params};
use plenary_shared::domain::{
    InstanceState, Meeting, Moderation, Reason, Role, StoredModeration, User,
};
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, OrderId, Seq, UserId};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;

use crate::store::sanitize;

/// Stands for the cmid of what was stored without one.
pub(super) const NO_CMID: Cmid = Cmid(uuid::Uuid::nil());

/// What a row lacks to be used: the name of its column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unusable(pub &'static str);

/// Reads each row; those that cannot be used are left out, with one warning for all of them.
pub(super) fn usable<T>(
    rows: &[Row],
    table: &'static str,
    read: impl Fn(&Row) -> Result<T, Unusable>,
) -> Vec<T> {
    let mut skipped = 0_usize;
    let mut because = "";
    let read = rows
        .iter()
        .filter_map(|row| {
            read(row)
                .inspect_err(|unusable| {
                    skipped += 1;
                    because = unusable.0;
                })
                .ok()
        })
        .collect();
    if skipped > 0 {
        tracing::warn!(
            table,
            rows = skipped,
            column = because,
            "rows that cannot be used are skipped"
        );
    }
    read
}

/// Reads the one row that was looked for; `None`, with a warning, if it cannot be used.
pub(super) fn usable_one<T>(
    row: Option<&Row>,
    table: &'static str,
    read: impl Fn(&Row) -> Result<T, Unusable>,
) -> Option<T> {
    usable(row.map_or(&[], std::slice::from_ref), table, read).pop()
}

/// A column's value; `None` when it is NULL, missing, or of another type.
pub(super) fn get<T: FromValue>(row: &Row, column: &'static str) -> Option<T> {
    match row.get_opt::<Option<T>, _>(column) {
        Some(Ok(value)) => value,
        Some(Err(_)) | None => None,
    }
}

/// A text column: lossless UTF-8, or with replacement characters.
pub(super) fn text(row: &Row, column: &'static str) -> Option<String> {
    match row.get_opt::<Value, _>(column) {
        Some(Ok(Value::Bytes(bytes))) => Some(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
        Some(_) | None => None,
    }
}

macro_rules! ids {
    ($($name:ident, $type:ident;)+) => {
        $(pub(super) fn $name(row: &Row, column: &'static str) -> Result<$type, Unusable> {
            get::<u64>(row, column)
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

pub(super) fn instance_id(row: &Row) -> Result<InstanceId, Unusable> {
    Ok(InstanceId::new(
        meeting_id(row, "meetingID")?,
        order_id(row, "orderID")?,
    ))
}

pub(super) fn time(row: &Row, column: &'static str) -> Result<Timestamp, Unusable> {
    maybe_time(row, column).ok_or(Unusable(column))
}

pub(super) fn maybe_time(row: &Row, column: &'static str) -> Option<Timestamp> {
    get::<NaiveDateTime>(row, column).map(|at| Timestamp::from(at.and_utc()))
}

/// A point in time as a parameter.
pub(super) fn at(time: Timestamp) -> Value {
    time.to_utc().naive_utc().into()
}

/// An instance as the parameters `meeting` and `order`.
pub(super) fn of(id: InstanceId) -> Params {
    params! { "meeting" => id.meeting.get(), "order" => id.order.get() }
}

/// An instance as the parameters `meeting` and `order`, beside others.
pub(super) fn with(id: InstanceId, others: Params) -> Params {
    match (of(id), others) {
        (Params::Named(mut all), Params::Named(others)) => {
            all.extend(others);
            Params::Named(all)
        }
        (all, _) => all,
    }
}

pub(super) fn state(row: &Row) -> Result<InstanceState, Unusable> {
    text(row, "state")
        .and_then(|word| word.parse().ok())
        .ok_or(Unusable("state"))
}

pub(super) fn reason(row: &Row) -> Option<Reason> {
    text(row, "reason").and_then(|word| word.parse().ok())
}

pub(super) fn cmid(row: &Row) -> Option<Cmid> {
    text(row, "cmid").and_then(|text| text.parse().ok())
}

/// What is kept of what an admin did, from the columns `action`, `subject`, `was` and `note`.
pub(super) fn kept(row: &Row) -> StoredModeration {
    StoredModeration {
        action: text(row, "action").unwrap_or_default(),
        subject: get::<u64>(row, "subject"),
        was: get::<u64>(row, "was"),
        note: text(row, "note").map(|note| sanitize::many_lines(&note)),
    }
}

/// What an admin did, also from `userID`, `name`, `cmid`, and `whom`: what the person is called whom
/// it concerns.
pub(super) fn moderation(row: &Row) -> Result<Moderation, Unusable> {
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
pub(super) fn email(row: &Row) -> Result<String, Unusable> {
    const COLUMN: &str = "email";
    text(row, COLUMN)
        .map(|email| sanitize::one_line(&email.to_lowercase()))
        .filter(|email| !email.is_empty())
        .ok_or(Unusable(COLUMN))
}

/// A person, from the columns of `user`.
pub(super) fn user(row: &Row) -> Result<User, Unusable> {
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
pub(super) fn user_name(row: &Row, id: UserId) -> String {
    sanitize::user_name(&text(row, "name").unwrap_or_default(), id)
}

/// A meeting, from the columns of `meeting`.
pub(super) fn meeting(row: &Row) -> Result<Meeting, Unusable> {
    let id = meeting_id(row, "meetingID")?;
    Ok(Meeting {
        id,
        title: sanitize::title(&text(row, "title").unwrap_or_default(), id),
        description: sanitize::many_lines(&text(row, "description").unwrap_or_default()),
        is_public: get::<i64>(row, "isPublic").is_some_and(|flag| flag != 0),
    })
}

/// The body of a message, whoever wrote the row: what may not be in a body is replaced, and what
/// was deleted is gone. From the columns `body` and `deleted_at`.
pub(super) fn body(row: &Row) -> Result<MessageBody, Unusable> {
    const COLUMN: &str = "body";
    if maybe_time(row, "deleted_at").is_some() {
        return Ok(MessageBody::gone());
    }
    text(row, COLUMN)
        .and_then(|written| sanitize::body(&written))
        .ok_or(Unusable(COLUMN))
}
