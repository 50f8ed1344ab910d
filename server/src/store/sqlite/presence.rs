//! Connections that hold stays, and the leases of servers.
//!
//! A stay is held by the connections bound to it. A lost connection holds it until the grace period ends.
//! A stay without a connection is `lasting`: no lost connection ends it.

use async_trait::async_trait;
use plenary_shared::domain::{Code, EventKind, Reason, User};
use plenary_shared::ids::{Generation, InstanceId, Seq, UserId};
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, named_params};

use crate::error::{Answer, Error, Fault};
use crate::store::sql::{Row, Unusable};
use crate::store::{ConnectionId, NodeId, PresenceStore};

use super::attendance::telling;
use super::lease::renew_lease;
use super::live::{emit, live, may_read_live, stay_of};
use super::writer::WriteTransaction;
use super::{SqliteStore, statement};

/// Lost connections that one verb handles, so that other verbs run in between.
const REAPED_MAX: usize = 200;

#[async_trait]
impl PresenceStore for SqliteStore {
    async fn bind(
        &self,
        instance: InstanceId,
        user: &User,
        connection: &ConnectionId,
    ) -> Answer<()> {
        let (user, connection) = (user.clone(), connection.to_string());
        self.link
            .write(move |tx| hold(tx, instance, &user, &connection))
            .await
    }

    async fn detach(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        silent_ms: i64,
    ) -> Answer<()> {
        let connection = connection.to_string();
        self.link
            .write(move |tx| detach(tx, instance, &connection, silent_ms))
            .await
    }

    async fn release(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        reason: Reason,
    ) -> Answer<()> {
        let connection = connection.to_string();
        self.link
            .write(move |tx| unbind(tx, instance, &connection, reason))
            .await
    }

    async fn idle(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        idle_ms: Option<i64>,
    ) -> Answer<()> {
        let connection = connection.to_string();
        self.link
            .write(move |tx| idle(tx, instance, &connection, idle_ms))
            .await
    }

    async fn reap(&self, id: InstanceId, grace_ms: i64) -> Answer<usize> {
        let step = move |tx: &mut WriteTransaction<'_>| reap(tx, id, grace_ms);
        let mut reaped = 0;
        loop {
            let due = self.link.write(step).await?;
            reaped += due;
            if due < REAPED_MAX {
                return Ok(reaped);
            }
        }
    }

    async fn renew_lease(&self, node: &NodeId, lease_ms: i64) -> Answer<Vec<NodeId>> {
        let node = node.clone();
        self.link
            .write(move |tx| renew_lease(tx, &node, lease_ms))
            .await
    }

    async fn reap_all(&self, grace_ms: i64) -> Answer<usize> {
        let due = self.link.write(move |tx| reap_nodes(tx, grace_ms)).await?;
        let mut reaped = 0;
        for instance in due {
            reaped += self.reap(instance, grace_ms).await?;
        }
        Ok(reaped)
    }
}

/// Binds a connection to the user's stay, if they participate.
pub(super) fn bind(
    conn: &Connection,
    id: InstanceId,
    user: UserId,
    connection: &str,
) -> Result<(), Fault> {
    let Some((_, stay)) = stay_of(conn, id, user)? else {
        return Ok(());
    };
    statement::change(
        conn,
        "INSERT INTO holder (connection, meetingID, orderID, userID, seq, lost)
         VALUES (:connection, :meeting, :order, :user, :seq, NULL)
         ON CONFLICT (connection, meetingID, orderID)
         DO UPDATE SET userID = excluded.userID, seq = excluded.seq, lost = NULL, idle = NULL
         WHERE holder.lost IS NOT NULL
            OR holder.userID <> excluded.userID
            OR holder.seq <> excluded.seq",
        named_params! {
            ":connection": connection,
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":user": user.get(),
            ":seq": stay.get(),
        },
    )?;
    Ok(())
}

/// Removes the stay. The caller writes the log.
pub(super) fn end_stay(conn: &Connection, id: InstanceId, user: UserId) -> Result<(), Fault> {
    for sql in [
        "DELETE FROM stay
         WHERE meetingID = :meeting
           AND orderID = :order
           AND userID = :user",
        "DELETE FROM holder
         WHERE meetingID = :meeting
           AND orderID = :order
           AND userID = :user",
    ] {
        statement::change(
            conn,
            sql,
            named_params! {
                ":meeting": id.meeting.get(),
                ":order": id.order.get(),
                ":user": user.get(),
            },
        )?;
    }
    Ok(())
}

/// Checks that a user may still follow; binds their connection if they participate.
fn hold(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    user: &User,
    connection: &str,
) -> Answer<()> {
    let Some(found) = live(tx.conn, id)? else {
        return Ok(());
    };
    if !may_read_live(tx.conn, id, found.is_public, user)? {
        return Err(Code::NotAllowed.into());
    }
    Ok(telling(tx, id, user.id, |tx| {
        bind(tx.conn, id, user.id, connection)
    })?)
}

/// Ignores that SQLite cannot be written: it can still be read, and the socket binds again later.
pub(super) fn or_later(id: InstanceId, held: Answer<()>) -> Answer<()> {
    match held {
        Err(Error::Fault(fault @ Fault::Unavailable { .. })) => {
            tracing::debug!(instance = %id, %fault, "a connection holds its stay later");
            Ok(())
        }
        done => done,
    }
}

/// Marks a connection as lost since `silent_ms` ago: it holds its stay until the grace period ends.
fn detach(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    connection: &str,
    silent_ms: i64,
) -> Answer<()> {
    let Some(user) = holding(tx.conn, id, connection)? else {
        return Ok(());
    };
    let since = Timestamp::from_ms(tx.now.as_ms().saturating_sub(silent_ms));
    Ok(telling(tx, id, user, |tx| {
        lose(tx.conn, id, connection, since)
    })?)
}

fn lose(
    conn: &Connection,
    id: InstanceId,
    connection: &str,
    since: Timestamp,
) -> Result<(), Fault> {
    statement::change(
        conn,
        "UPDATE holder
         SET lost = :lost, idle = NULL
         WHERE connection = :connection
           AND meetingID = :meeting
           AND orderID = :order
           AND lost IS NULL",
        named_params! {
            ":lost": since.as_ms(),
            ":connection": connection,
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
        },
    )?;
    Ok(())
}

/// Sets how long the user of a connection has been idle; `None`: they are active.
fn idle(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    connection: &str,
    idle_ms: Option<i64>,
) -> Answer<()> {
    let Some(user) = holding(tx.conn, id, connection)? else {
        return Ok(());
    };
    telling(tx, id, user, |tx| {
        statement::change(
            tx.conn,
            "UPDATE holder
             SET idle = :since
             WHERE connection = :connection
               AND meetingID = :meeting
               AND orderID = :order
               AND lost IS NULL
               AND (idle IS NULL) <> (:since IS NULL)",
            named_params! {
                ":since": idle_ms.map(|ms| tx.now.as_ms().saturating_sub(ms)),
                ":connection": connection,
                ":meeting": id.meeting.get(),
                ":order": id.order.get(),
            },
        )?;
        Ok(())
    })
}

/// The user whose stay a connection holds, unless it is lost.
fn holding(conn: &Connection, id: InstanceId, connection: &str) -> Result<Option<UserId>, Fault> {
    Ok(statement::select_one(
        conn,
        "holder",
        "SELECT userID
         FROM holder
         WHERE connection = :connection
           AND meetingID = :meeting
           AND orderID = :order
           AND lost IS NULL",
        named_params! {
            ":connection": connection,
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
        },
        |row| row.user_id("userID"),
    )?)
}

/// A lost connection and the stay that it held.
struct Lost {
    connection: String,
    user: UserId,
    stay: Seq,
    at: Timestamp,
}

/// Ends the stays whose connections were lost for longer than the grace period, of at most [`REAPED_MAX`]
/// connections. Returns how many were due.
fn reap(tx: &mut WriteTransaction<'_>, id: InstanceId, grace_ms: i64) -> Answer<usize> {
    let found = match live(tx.conn, id)? {
        // Participants who remain at the end leave with everybody then.
        Some(found) if found.is_open(tx.now) => found,
        Some(_) | None => return Ok(0),
    };
    let due = statement::select_all(
        tx.conn,
        "holder",
        "SELECT connection, userID, seq, lost
         FROM holder
         WHERE meetingID = :meeting
           AND orderID = :order
           AND lost IS NOT NULL
           AND lost <= :before
         ORDER BY lost
         LIMIT :limit",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":before": tx.now.as_ms().saturating_sub(grace_ms),
            ":limit": REAPED_MAX,
        },
        lost,
    )?;
    for one in &due {
        end_lost(tx, id, found.generation, one, Reason::ConnectionLost)?;
    }
    Ok(due.len())
}

/// Unbinds a connection: it is lost from now on, if it was not before. Ends its stay with this reason if
/// no other connection holds it.
fn unbind(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    connection: &str,
    reason: Reason,
) -> Answer<()> {
    detach(tx, id, connection, 0)?;
    let found = match live(tx.conn, id)? {
        Some(found) if found.is_open(tx.now) => found,
        Some(_) | None => return Ok(()),
    };
    let held = statement::select_one(
        tx.conn,
        "holder",
        "SELECT connection, userID, seq, lost
         FROM holder
         WHERE connection = :connection
           AND meetingID = :meeting
           AND orderID = :order
           AND lost IS NOT NULL",
        named_params! {
            ":connection": connection,
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
        },
        lost,
    )?;
    match held {
        Some(one) => end_lost(tx, id, found.generation, &one, reason),
        None => Ok(()),
    }
}

/// Removes a lost connection, and ends its stay with this reason if no other connection holds it.
fn end_lost(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    generation: Generation,
    one: &Lost,
    reason: Reason,
) -> Answer<()> {
    let Some(joined) = release(tx.conn, id, one)? else {
        return Ok(());
    };
    end_stay(tx.conn, id, one.user)?;
    let user = one.user;
    // The time of the loss, but not before the start of the stay.
    let what = EventKind::Leave { user, reason };
    emit(tx, id, generation, one.at.max(joined), what)?;
    Ok(())
}

/// Removes a connection. Returns when the stay began if no other connection holds it.
fn release(conn: &Connection, id: InstanceId, lost: &Lost) -> Result<Option<Timestamp>, Fault> {
    statement::change(
        conn,
        "DELETE FROM holder
         WHERE connection = :connection
           AND meetingID = :meeting
           AND orderID = :order",
        named_params! {
            ":connection": lost.connection,
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
        },
    )?;
    Ok(statement::select_one(
        conn,
        "stay",
        "SELECT s.joined
         FROM stay s
         WHERE s.meetingID = :meeting
           AND s.orderID = :order
           AND s.userID = :user
           AND s.seq = :seq
           AND NOT s.lasting
           AND NOT EXISTS (
             SELECT 1 FROM holder h
             WHERE h.meetingID = s.meetingID
               AND h.orderID = s.orderID
               AND h.userID = s.userID
               AND h.seq = s.seq)",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":user": lost.user.get(),
            ":seq": lost.stay.get(),
        },
        |row| row.time("joined"),
    )?)
}

/// Marks the connections of servers with an expired lease as lost since the last renewal. Returns the
/// instances that have connections to reap.
fn reap_nodes(tx: &mut WriteTransaction<'_>, grace_ms: i64) -> Answer<Vec<InstanceId>> {
    let now_ms = tx.now.as_ms();
    let dead = statement::select_all(
        tx.conn,
        "node",
        // Earlier versions stored only the end of the lease.
        "SELECT node, coalesce(renewed, lease) AS lost
         FROM node
         WHERE lease <= :now",
        named_params! { ":now": now_ms },
        |row| {
            let node = row.text("node").ok_or(Unusable("node"))?;
            Ok((node, row.time("lost")?))
        },
    )?;
    for (node, lost) in dead {
        for (connection, id, user) in held_by(tx.conn, &node)? {
            telling(tx, id, user, |tx| lose(tx.conn, id, &connection, lost))?;
        }
        statement::change(
            tx.conn,
            "DELETE FROM node
             WHERE node = :node",
            named_params! { ":node": node },
        )?;
    }
    Ok(statement::select_all(
        tx.conn,
        "holder",
        "SELECT DISTINCT meetingID, orderID
         FROM holder
         WHERE lost IS NOT NULL
           AND lost <= :before",
        named_params! { ":before": now_ms.saturating_sub(grace_ms) },
        |row| row.instance_id(),
    )?)
}

/// The connections of a server that are not lost, and the stay that each holds.
fn held_by(conn: &Connection, node: &str) -> Result<Vec<(String, InstanceId, UserId)>, Fault> {
    Ok(statement::select_all(
        conn,
        "holder",
        // Connections are 'node.number', and '/' is the character after '.'.
        "SELECT connection, meetingID, orderID, userID
         FROM holder
         WHERE connection >= :node || '.'
           AND connection < :node || '/'
           AND lost IS NULL",
        named_params! { ":node": node },
        |row| {
            let connection = row.text("connection").ok_or(Unusable("connection"))?;
            let id = row.instance_id()?;
            Ok((connection, id, row.user_id("userID")?))
        },
    )?)
}

fn lost(row: &dyn Row) -> Result<Lost, Unusable> {
    Ok(Lost {
        connection: row.text("connection").ok_or(Unusable("connection"))?,
        user: row.user_id("userID")?,
        stay: row.seq("seq")?,
        at: row.time("lost")?,
    })
}
