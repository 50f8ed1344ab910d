//! An admin steers a live instance, and what holds because of it.

use async_trait::async_trait;
use plenary_shared::domain::{Act, Code, Moderation, Reason, Standing, User, What, Whom};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::Posted;
use rusqlite::{Connection, named_params};

use crate::error::{Answer, Fault};
use crate::store::moderation::{LENGTH_MS_MAX, Order, audited};
use crate::store::{Feed, ModerationStore, refusal};

use super::life::set_state;
use super::live::{Live, emit, live, stay_of, stored, why_not_open};
use super::messages::said_before;
use super::presence::end_stay;
use super::writer::WriteTransaction;
use super::{SqliteStore, row};

/// What one person may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restraint {
    /// Speak.
    Muted,
    /// Come in, and read along.
    Banned,
}

#[async_trait]
impl ModerationStore for SqliteStore {
    async fn moderate(&self, instance: InstanceId, actor: &User, order: &Order) -> Answer<Posted> {
        let (actor, order) = (actor.clone(), order.clone());
        self.link
            .write(move |atom| moderate(atom, instance, &actor, order))
            .await
    }

    async fn standing(&self, instance: InstanceId) -> Answer<Standing> {
        self.link
            .read(move |conn| Ok(standing(conn, instance)?))
            .await
    }
}

impl Restraint {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Muted => "muted",
            Self::Banned => "banned",
        }
    }
}

/// Does what an admin wants: once for each cmid, whatever happens.
fn moderate(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    actor: &User,
    order: Order,
) -> Answer<Posted> {
    if let Some(before) = said_before(tx.conn, id, actor.id, order.cmid)? {
        return Ok(before);
    }
    let now = tx.now;
    let found = match live(tx.conn, id)? {
        Some(found) if found.is_open(now) => found,
        Some(_) | None => return Err(why_not_open(tx.conn, id, actor, now)),
    };
    let act = order.measure.act(found.to);
    let out = take_effect(tx, id, &found, &act)?;
    let done = Moderation {
        user: actor.id,
        name: actor.name.clone(),
        cmid: order.cmid,
        reason: order
            .reason
            .filter(|_| !matches!(act, Act::Announced { .. })),
        act,
    };
    write_audit(tx, id, &done)?;
    let seq = emit(tx, id, found.generation, now, What::Moderated(done))?;
    if let Some(user) = out {
        end_stay(tx.conn, id, user)?;
        let reason = Reason::Removed;
        emit(tx, id, found.generation, now, What::Leave { user, reason })?;
    }
    Ok(Posted {
        seq,
        timestamp: now,
        repeat: false,
        durable: None,
    })
}

/// Changes what holds. Who is taken out by it.
fn take_effect(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    found: &Live,
    act: &Act,
) -> Answer<Option<UserId>> {
    let conn = tx.conn;
    let is_in = |whom: &Whom| Ok::<bool, Fault>(stay_of(conn, id, whom.id)?.is_some());
    let changed = match act {
        Act::Extended { todatetime, .. } => {
            let begun = stored(conn, id)?.map(|stored| stored.from);
            if *todatetime <= found.to {
                return Err(refusal::not_later().into());
            }
            if begun.is_none_or(|begun| todatetime.ms_since(begun) > LENGTH_MS_MAX) {
                return Err(refusal::too_long().into());
            }
            extend(conn, id, *todatetime)?;
            tx.tell(Feed::Changed);
            true
        }
        Act::Ended => {
            set_state(conn, id, "ending", tx.now, Reason::Ended)?;
            mark(conn, id)?;
            tx.tell(Feed::Changed);
            true
        }
        Act::Locked => set_flag(conn, id, LOCK, !found.locked)?,
        Act::Unlocked => set_flag(conn, id, UNLOCK, found.locked)?,
        Act::ReadOnly => set_flag(conn, id, READ_ONLY, !found.read_only)?,
        Act::Writable => set_flag(conn, id, WRITABLE, found.read_only)?,
        Act::Muted(whom) => restrain(conn, id, whom.id, Restraint::Muted)?,
        Act::Unmuted(whom) => release(conn, id, whom.id, Restraint::Muted)?,
        Act::Removed(whom) => {
            if !is_in(whom)? {
                return Err(refusal::not_there().into());
            }
            return Ok(Some(whom.id));
        }
        Act::Banned(whom) => {
            if restrain(conn, id, whom.id, Restraint::Banned)? {
                return Ok(is_in(whom)?.then_some(whom.id));
            }
            false
        }
        Act::Unbanned(whom) => release(conn, id, whom.id, Restraint::Banned)?,
        Act::Announced { .. } => true,
    };
    if changed {
        Ok(None)
    } else {
        Err(Code::AlreadySo.into())
    }
}

/// Whether an admin forbids this to somebody.
pub(super) fn is_restrained(
    conn: &Connection,
    id: InstanceId,
    user: UserId,
    restraint: Restraint,
) -> Result<bool, Fault> {
    Ok(row::exists(
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

/// Whether no admin forbids somebody who is in to speak.
pub(super) fn unsilenced(
    conn: &Connection,
    id: InstanceId,
    found: &Live,
    user: UserId,
) -> Answer<()> {
    if found.read_only {
        return Err(Code::ReadOnly.into());
    }
    if is_restrained(conn, id, user, Restraint::Muted)? {
        return Err(Code::Muted.into());
    }
    Ok(())
}

/// What holds in a live instance because admins said so.
pub(super) fn standing(conn: &Connection, id: InstanceId) -> Result<Standing, Fault> {
    let mut standing = Standing::default();
    if let Some(found) = live(conn, id)? {
        standing.locked = found.locked;
        standing.read_only = found.read_only;
    }
    let restrained = row::all(
        conn,
        "restraint",
        "SELECT userID, kind
         FROM restraint
         WHERE meetingID = :meeting
           AND orderID = :order",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        |row| Ok((row::user_id(row, "userID")?, row::text(row, "kind"))),
    )?;
    for (user, kind) in restrained {
        if kind.as_deref() == Some(Restraint::Banned.as_str()) {
            standing.banned.insert(user);
        } else {
            standing.muted.insert(user);
        }
    }
    Ok(standing)
}

/// Makes hold again what the log says of an instance that becomes live again.
pub(super) fn restore(tx: &mut WriteTransaction<'_>, id: InstanceId) -> Answer<()> {
    let acts = row::all(
        tx.conn,
        "event_log",
        "SELECT action, subject, was, note, timestamp
         FROM event_log
         WHERE meetingID = :meeting
           AND orderID = :order
           AND eventType = 'moderated'
         ORDER BY seq",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        |row| {
            let (act, _) = row::kept(row)
                .read(|_| String::new())
                .ok_or(row::Unusable("action"))?;
            Ok((act, row::time(row, "timestamp")?))
        },
    )?;
    let mut standing = Standing::default();
    for (act, at) in acts {
        standing.note(&act, at);
    }
    if let Some(at) = standing.ended {
        set_state(tx.conn, id, "ending", at, Reason::Ended)?;
    }
    set_flag(tx.conn, id, LOCK, standing.locked)?;
    set_flag(tx.conn, id, READ_ONLY, standing.read_only)?;
    for user in standing.muted {
        restrain(tx.conn, id, user, Restraint::Muted)?;
    }
    for user in standing.banned {
        restrain(tx.conn, id, user, Restraint::Banned)?;
    }
    Ok(())
}

const LOCK: &str = "
 UPDATE live_instance
 SET locked = 1
 WHERE meetingID = :meeting
   AND orderID = :order";

const UNLOCK: &str = "
 UPDATE live_instance
 SET locked = 0
 WHERE meetingID = :meeting
   AND orderID = :order";

const READ_ONLY: &str = "
 UPDATE live_instance
 SET read_only = 1
 WHERE meetingID = :meeting
   AND orderID = :order";

const WRITABLE: &str = "
 UPDATE live_instance
 SET read_only = 0
 WHERE meetingID = :meeting
   AND orderID = :order";

/// Sets or clears a flag where that is needed; whether it was.
fn set_flag(conn: &Connection, id: InstanceId, sql: &str, needed: bool) -> Result<bool, Fault> {
    if needed {
        row::change(
            conn,
            sql,
            named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        )?;
    }
    Ok(needed)
}

/// Whether it did not hold before.
fn restrain(
    conn: &Connection,
    id: InstanceId,
    user: UserId,
    restraint: Restraint,
) -> Result<bool, Fault> {
    let changed = row::change(
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

/// Whether it held before.
fn release(
    conn: &Connection,
    id: InstanceId,
    user: UserId,
    restraint: Restraint,
) -> Result<bool, Fault> {
    let changed = row::change(
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

fn extend(
    conn: &Connection,
    id: InstanceId,
    to: plenary_shared::time::Timestamp,
) -> Result<(), Fault> {
    // Whoever marked it by a clock that is ahead did not know this.
    row::change(
        conn,
        "UPDATE meeting_instance
         SET todatetime = :to, state = 'active', reason = NULL
         WHERE meetingID = :meeting
           AND orderID = :order",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":to": to.as_ms(),
        },
    )?;
    Ok(())
}

fn mark(conn: &Connection, id: InstanceId) -> Result<(), Fault> {
    row::change(
        conn,
        "UPDATE meeting_instance
         SET state = 'ending', reason = 'ended'
         WHERE meetingID = :meeting
           AND orderID = :order",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
    )?;
    Ok(())
}

fn write_audit(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    done: &Moderation,
) -> Result<(), Fault> {
    let (target, detail) = audited(id, done);
    row::change(
        tx.conn,
        "INSERT INTO audit (at, actor, action, target, detail)
         VALUES (:at, :actor, :action, :target, :detail)",
        named_params! {
            ":at": tx.now.as_ms(),
            ":actor": done.user.get(),
            ":action": done.act.as_str(),
            ":target": target,
            ":detail": detail,
        },
    )?;
    Ok(())
}
