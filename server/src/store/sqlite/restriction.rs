//! The restrictions of a live instance: its flags, and muted and banned users.

use plenary_shared::domain::Code;
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, named_params};

use crate::error::{Answer, Fault};
use crate::store::sql::lifecycle;

use super::statement;
use super::writer::WriteTransaction;

/// A restriction of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restriction {
    /// May not post.
    Muted,
    /// May not join or read.
    Banned,
}

impl Restriction {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Muted => "muted",
            Self::Banned => "banned",
        }
    }
}

/// Whether a restriction of a user is in force.
pub(super) fn is_restrained(
    conn: &Connection,
    id: InstanceId,
    user: UserId,
    restraint: Restriction,
) -> Result<bool, Fault> {
    Ok(statement::exists(
        conn,
        "SELECT 1
         FROM restraint
         WHERE meetingID = :meeting
           AND orderID = :order
           AND userID = :user
           AND kind = :kind",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":user": user.get(),
            ":kind": restraint.as_str(),
        },
    )?)
}

/// Checks that no restriction keeps a participant from posting.
pub(super) fn unsilenced(
    conn: &Connection,
    id: InstanceId,
    read_only: bool,
    user: UserId,
) -> Answer<()> {
    if read_only {
        return Err(Code::ReadOnly.into());
    }
    if is_restrained(conn, id, user, Restriction::Muted)? {
        return Err(Code::Muted.into());
    }
    Ok(())
}

/// Restores the restrictions from the log of an instance that becomes live again. Returns when an
/// admin ended it.
pub(super) fn restore(tx: &mut WriteTransaction<'_>, id: InstanceId) -> Answer<Option<Timestamp>> {
    let actions = statement::select_all(
        tx.conn,
        "event_log",
        "SELECT action, subject, was, note, timestamp
         FROM event_log
         WHERE meetingID = :meeting
           AND orderID = :order
           AND eventType = 'moderated'
         ORDER BY seq",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        lifecycle::action,
    )?;
    let restrictions = lifecycle::in_force(&actions);
    set_flag(tx.conn, id, LOCK, restrictions.locked)?;
    set_flag(tx.conn, id, READ_ONLY, restrictions.read_only)?;
    for user in restrictions.muted {
        restrain(tx.conn, id, user, Restriction::Muted)?;
    }
    for user in restrictions.banned {
        restrain(tx.conn, id, user, Restriction::Banned)?;
    }
    Ok(restrictions.ended)
}

pub(super) const LOCK: &str = "
 UPDATE live_instance
 SET locked = 1
 WHERE meetingID = :meeting
   AND orderID = :order";

pub(super) const UNLOCK: &str = "
 UPDATE live_instance
 SET locked = 0
 WHERE meetingID = :meeting
   AND orderID = :order";

pub(super) const READ_ONLY: &str = "
 UPDATE live_instance
 SET read_only = 1
 WHERE meetingID = :meeting
   AND orderID = :order";

pub(super) const WRITABLE: &str = "
 UPDATE live_instance
 SET read_only = 0
 WHERE meetingID = :meeting
   AND orderID = :order";

/// Sets or clears a flag if needed. Returns whether it was.
pub(super) fn set_flag(
    conn: &Connection,
    id: InstanceId,
    sql: &str,
    needed: bool,
) -> Result<bool, Fault> {
    if needed {
        statement::change(
            conn,
            sql,
            named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        )?;
    }
    Ok(needed)
}

/// Returns whether it was not in force before.
pub(super) fn restrain(
    conn: &Connection,
    id: InstanceId,
    user: UserId,
    restraint: Restriction,
) -> Result<bool, Fault> {
    let changed = statement::change(
        conn,
        "INSERT INTO restraint (meetingID, orderID, userID, kind)
         VALUES (:meeting, :order, :user, :kind)
         ON CONFLICT DO NOTHING",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":user": user.get(),
            ":kind": restraint.as_str(),
        },
    )?;
    Ok(changed > 0)
}

/// Returns whether it was in force before.
pub(super) fn release(
    conn: &Connection,
    id: InstanceId,
    user: UserId,
    restraint: Restriction,
) -> Result<bool, Fault> {
    let changed = statement::change(
        conn,
        "DELETE FROM restraint
         WHERE meetingID = :meeting
           AND orderID = :order
           AND userID = :user
           AND kind = :kind",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":user": user.get(),
            ":kind": restraint.as_str(),
        },
    )?;
    Ok(changed > 0)
}
