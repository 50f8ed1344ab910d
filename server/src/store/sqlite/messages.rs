//! Posting, editing and deleting messages.

use async_trait::async_trait;
use plenary_shared::domain::{Code, EventKind, User};
use plenary_shared::ids::{Cmid, InstanceId, Seq, UserId};
use plenary_shared::protocol::Posted;
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use rusqlite::Connection;

use crate::error::{Answer, Error, Fault};
use crate::rate_limits::WriteKind;
use crate::store::sql::history;
use crate::store::{Feed, MessageStore};

use super::live::{
    Live, append, emit, event_time, live, may_see_live, seat, stay_of, why_not_open,
};
use super::restriction::unsilenced;
use super::writer::WriteTransaction;
use super::{SqliteStore, statement};

#[async_trait]
impl MessageStore for SqliteStore {
    async fn post_message(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
        reply_to: Option<Seq>,
    ) -> Answer<Posted> {
        let (user, body) = (user.clone(), body.clone());
        self.link
            .write_at_once(move |tx| post(tx, instance, &user, cmid, body, reply_to))
            .await
    }

    async fn change_message(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
        body: Option<&MessageBody>,
    ) -> Answer<Posted> {
        let (user, body) = (user.clone(), body.cloned());
        self.link
            .write(move |tx| change(tx, instance, &user, cmid, target, body))
            .await
    }

    async fn typing(&self, instance: InstanceId, user: &User) -> Answer<()> {
        let (who, now) = (user.clone(), self.now());
        self.link
            .read(move |conn| may_speak(conn, instance, &who, now))
            .await?;
        let user = user.id;
        self.feeding.publish(vec![Feed::Typing { instance, user }]);
        Ok(())
    }
}

/// Posts a message, once for each cmid. Needs no savepoint, because it checks everything before it writes.
fn post(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    user: &User,
    cmid: Cmid,
    body: MessageBody,
    reply_to: Option<Seq>,
) -> Answer<Posted> {
    let now = tx.now;
    let Some(seat) = seat(tx.conn, id, user.id, now)? else {
        // Checked before any rejection: a retry gets its seq, even after the end.
        return match duplicate(tx.conn, id, user.id, cmid)? {
            Some(before) => Ok(before),
            None => Err(why_not_post(tx, id, user)),
        };
    };
    if let Some(to) = reply_to
        && statement::one(tx.conn, history::author(id, to))?.is_none()
    {
        return Err(Code::NoSuchMessage.into());
    }
    if let Err(refused) = tx
        .check_disk()
        .and_then(|()| tx.check_rate(id, user.id, WriteKind::Post))
    {
        return duplicate(tx.conn, id, user.id, cmid)?.ok_or(refused);
    }
    let what = EventKind::Message {
        user: user.id,
        cmid,
        body,
        reply_to,
        edited: None,
        deleted: None,
    };
    let at = event_time(tx.conn, id, now)?;
    match append(tx, id, seat.generation, seat.last, at, what)? {
        Some(seq) => {
            tx.count_write(id, user.id, WriteKind::Post);
            Ok(Posted {
                seq,
                timestamp: at,
                repeat: false,
                durable: None,
            })
        }
        None => duplicate(tx.conn, id, user.id, cmid)?
            .ok_or_else(|| Fault::broken("posting", "the earlier message is missing").into()),
    }
}

fn why_not_post(tx: &WriteTransaction<'_>, id: InstanceId, user: &User) -> Error {
    match live(tx.conn, id) {
        Ok(Some(found)) if found.is_open(tx.now) => match stay_of(tx.conn, id, user.id) {
            Ok(None) => not_in(tx.conn, id, &found, user),
            Ok(Some(_)) => match unsilenced(tx.conn, id, found.read_only, user.id) {
                Err(refused) => refused,
                Ok(()) => Fault::broken("posting", "nothing forbids it").into(),
            },
            Err(fault) => fault.into(),
        },
        Ok(Some(_) | None) => why_not_open(tx.conn, id, user, tx.now),
        Err(fault) => fault.into(),
    }
}

/// Edits a message to this body, or deletes it (`None`), once for each cmid.
fn change(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    user: &User,
    cmid: Cmid,
    target: Seq,
    body: Option<MessageBody>,
) -> Answer<Posted> {
    if let Some(before) = duplicate(tx.conn, id, user.id, cmid)? {
        return Ok(before);
    }
    let found = match live(tx.conn, id)? {
        Some(found) if found.is_open(tx.now) => found,
        Some(_) | None => return Err(why_not_open(tx.conn, id, user, tx.now)),
    };
    if stay_of(tx.conn, id, user.id)?.is_none() {
        return Err(not_in(tx.conn, id, &found, user));
    }
    unsilenced(tx.conn, id, found.read_only, user.id)?;
    match statement::one(tx.conn, history::author(id, target))? {
        None => return Err(Code::NoSuchMessage.into()),
        Some((author, _)) if author != user.id => return Err(Code::NotYours.into()),
        Some((_, true)) => return Err(Code::MessageDeleted.into()),
        Some((_, false)) => {}
    }
    let user = user.id;
    if body.is_some() {
        tx.check_disk()?;
    }
    tx.check_rate(id, user, WriteKind::Post)?;
    let what = match body {
        Some(body) => EventKind::Edited {
            user,
            cmid,
            target,
            body,
        },
        None => EventKind::Deleted { user, cmid, target },
    };
    let at = event_time(tx.conn, id, tx.now)?;
    let seq = emit(tx, id, found.generation, at, what)?;
    tx.count_write(id, user, WriteKind::Post);
    Ok(Posted {
        seq,
        timestamp: at,
        repeat: false,
        durable: None,
    })
}

/// Checks that a user may post now.
fn may_speak(conn: &Connection, id: InstanceId, user: &User, now: Timestamp) -> Answer<()> {
    match live(conn, id)? {
        Some(found) if !found.is_open(now) => Err(why_not_open(conn, id, user, now)),
        Some(found) if stay_of(conn, id, user.id)?.is_none() => Err(not_in(conn, id, &found, user)),
        Some(found) => unsilenced(conn, id, found.read_only, user.id),
        None => Err(why_not_open(conn, id, user, now)),
    }
}

/// The rejection of a user who does not participate. It does not reveal a live instance to users who may not
/// see it.
pub(super) fn not_in(conn: &Connection, id: InstanceId, found: &Live, user: &User) -> Error {
    match may_see_live(conn, id, found.is_public, user) {
        Ok(true) => Code::NotParticipant.into(),
        Ok(false) => Code::NotAllowed.into(),
        Err(fault) => fault.into(),
    }
}

/// The earlier answer to a post or change with this cmid.
pub(super) fn duplicate(
    conn: &Connection,
    id: InstanceId,
    user: UserId,
    cmid: Cmid,
) -> Result<Option<Posted>, Fault> {
    Ok(statement::one(conn, history::duplicate(id, user, cmid))?)
}
