//! Moderation of live instances, and the restrictions in force.

use async_trait::async_trait;
use plenary_shared::domain::{
    Code, EndChange, EventKind, ModerationAction, ModerationKind, Reason, Restrictions, Subject,
    User,
};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::Posted;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, named_params};

use crate::error::{Answer, Fault};
use crate::rate_limits::WriteKind;
use crate::store::moderation::{LENGTH_MS_MAX, ModerationRequest, audited};
use crate::store::{Feed, ModerationStore, refusal};

use super::lifecycle::set_state;
use super::live::{Live, emit, event_time, live, stay_of, stored, why_not_open};
use super::messages::duplicate;
use super::presence::end_stay;
use super::restriction::{
    LOCK, READ_ONLY, Restriction, UNLOCK, WRITABLE, release, restrain, set_flag,
};
use super::writer::WriteTransaction;
use super::{SqliteStore, statement};

#[async_trait]
impl ModerationStore for SqliteStore {
    async fn moderate(
        &self,
        instance: InstanceId,
        actor: &User,
        request: &ModerationRequest,
    ) -> Answer<Posted> {
        let (actor, request) = (actor.clone(), request.clone());
        self.link
            .write(move |tx| moderate(tx, instance, &actor, request))
            .await
    }

    async fn restrictions(&self, instance: InstanceId) -> Answer<Restrictions> {
        self.link
            .read(move |conn| Ok(restrictions(conn, instance)?))
            .await
    }
}

/// Applies a moderation request, once for each cmid.
fn moderate(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    actor: &User,
    request: ModerationRequest,
) -> Answer<Posted> {
    if let Some(before) = duplicate(tx.conn, id, actor.id, request.cmid)? {
        return Ok(before);
    }
    let now = tx.now;
    let found = match live(tx.conn, id)? {
        Some(found) if found.is_open(now) => found,
        Some(_) | None => return Err(why_not_open(tx.conn, id, actor, now)),
    };
    if request.action.kind() == ModerationKind::Announce {
        tx.check_disk()?;
        tx.check_rate(id, actor.id, WriteKind::Post)?;
        tx.count_write(id, actor.id, WriteKind::Post);
    }
    let at = event_time(tx.conn, id, now)?;
    let done = request.into_event(actor, found.to);
    let out = take_effect(tx, id, &found, &done.action, at)?;
    let (target, detail) = audited(id, &done);
    tx.audit(Some(actor.id), done.action.kind().as_str(), target, detail)?;
    let seq = emit(tx, id, found.generation, at, EventKind::Moderated(done))?;
    if let Some(user) = out {
        end_stay(tx.conn, id, user)?;
        let reason = Reason::Removed;
        emit(
            tx,
            id,
            found.generation,
            at,
            EventKind::Leave { user, reason },
        )?;
    }
    Ok(Posted {
        seq,
        timestamp: at,
        repeat: false,
        durable: None,
    })
}

/// Applies an action. Returns the participant that it removes.
fn take_effect(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    found: &Live,
    action: &ModerationAction,
    at: Timestamp,
) -> Answer<Option<UserId>> {
    let conn = tx.conn;
    let is_in = |user: &Subject| Ok::<bool, Fault>(stay_of(conn, id, user.id)?.is_some());
    let changed = match action {
        ModerationAction::Extend(EndChange { todatetime, .. }) => {
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
        ModerationAction::End => {
            set_state(conn, id, "ending", at, Reason::Ended)?;
            mark(conn, id)?;
            tx.tell(Feed::Changed);
            true
        }
        ModerationAction::Lock => set_flag(conn, id, LOCK, !found.locked)?,
        ModerationAction::Unlock => set_flag(conn, id, UNLOCK, found.locked)?,
        ModerationAction::ReadOnly => set_flag(conn, id, READ_ONLY, !found.read_only)?,
        ModerationAction::Writable => set_flag(conn, id, WRITABLE, found.read_only)?,
        ModerationAction::Mute(whom) => restrain(conn, id, whom.id, Restriction::Muted)?,
        ModerationAction::Unmute(whom) => release(conn, id, whom.id, Restriction::Muted)?,
        ModerationAction::Remove(whom) => {
            if !is_in(whom)? {
                return Err(refusal::target_not_participant().into());
            }
            return Ok(Some(whom.id));
        }
        ModerationAction::Ban(whom) => {
            if restrain(conn, id, whom.id, Restriction::Banned)? {
                return Ok(is_in(whom)?.then_some(whom.id));
            }
            false
        }
        ModerationAction::Unban(whom) => release(conn, id, whom.id, Restriction::Banned)?,
        ModerationAction::Announce { .. } => true,
    };
    if changed {
        Ok(None)
    } else {
        Err(Code::AlreadySo.into())
    }
}

/// The restrictions in force in a live instance.
pub(super) fn restrictions(conn: &Connection, id: InstanceId) -> Result<Restrictions, Fault> {
    let mut restrictions = Restrictions::default();
    if let Some(found) = live(conn, id)? {
        restrictions.locked = found.locked;
        restrictions.read_only = found.read_only;
    }
    let restrained = statement::select_all(
        conn,
        "restraint",
        "SELECT userID, kind
         FROM restraint
         WHERE meetingID = :meeting
           AND orderID = :order",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        |row| Ok((row.user_id("userID")?, row.text("kind"))),
    )?;
    for (user, kind) in restrained {
        if kind.as_deref() == Some(Restriction::Banned.as_str()) {
            restrictions.banned.insert(user);
        } else {
            restrictions.muted.insert(user);
        }
    }
    Ok(restrictions)
}

fn extend(conn: &Connection, id: InstanceId, to: Timestamp) -> Result<(), Fault> {
    // A server with a clock that is ahead marked it without knowing this.
    statement::change(
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
    statement::change(
        conn,
        "UPDATE meeting_instance
         SET state = 'ending', reason = 'ended'
         WHERE meetingID = :meeting
           AND orderID = :order",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
    )?;
    Ok(())
}
