//! Read positions, and the messages of others above them.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::protocol::Unread;
use plenary_shared::text::mentions;
use rusqlite::{Connection, named_params};

use crate::error::{Answer, Fault};
use crate::store::{ReadPosition, ReadPositionStore};

use super::writer::WriteTransaction;
use super::{SqliteStore, statement};

/// Messages of one instance that are searched for mentions; mentions above that are not counted.
const MENTIONS_READ_MAX: usize = 10_000;

#[async_trait]
impl ReadPositionStore for SqliteStore {
    async fn save_positions(&self, positions: &[ReadPosition]) -> Answer<()> {
        let positions = positions.to_vec();
        self.link
            .write(move |tx| save_positions(tx, &positions))
            .await
    }

    async fn publish_read(&self, _positions: &[ReadPosition]) -> Answer<()> {
        // The embedded store has one server.
        Ok(())
    }

    async fn unread(&self, viewer: &User, known: &[(InstanceId, Seq)]) -> Answer<Vec<Unread>> {
        let (viewer, known) = (viewer.clone(), known.to_vec());
        self.link
            .read(move |conn| unread(conn, &viewer, &known))
            .await
    }
}

/// Stores read positions. A stored position never decreases.
fn save_positions(tx: &mut WriteTransaction<'_>, positions: &[ReadPosition]) -> Answer<()> {
    for one in positions {
        statement::change(
            tx.conn,
            "INSERT INTO read_position (userID, meetingID, orderID, seq)
             VALUES (:user, :meeting, :order, :seq)
             ON CONFLICT DO UPDATE SET seq = MAX(seq, excluded.seq)",
            named_params! {
                ":user": one.user.get(),
                ":meeting": one.instance.meeting.get(),
                ":order": one.instance.order.get(),
                ":seq": one.seq.get(),
            },
        )?;
    }
    Ok(())
}

/// The unread messages of these instances, whose read positions are at least the known ones.
fn unread(conn: &Connection, viewer: &User, known: &[(InstanceId, Seq)]) -> Answer<Vec<Unread>> {
    let mut found = Vec::with_capacity(known.len());
    for (instance, noted) in known {
        let read = position(conn, viewer.id, *instance)?.max(*noted);
        let unread = count(conn, viewer.id, *instance, read)?;
        let mentions = if unread == 0 {
            0
        } else {
            let addressed = addressed(conn, viewer.id, *instance, read)?;
            let meant = addressed.iter().filter(|body| mentions(body, &viewer.name));
            meant.count() as u64
        };
        found.push(Unread {
            instance: *instance,
            read,
            unread,
            mentions,
        });
    }
    Ok(found)
}

fn position(conn: &Connection, user: UserId, id: InstanceId) -> Result<Seq, Fault> {
    let found = statement::select_one(
        conn,
        "read_position",
        "SELECT seq
         FROM read_position
         WHERE userID = :user
           AND meetingID = :meeting
           AND orderID = :order",
        named_params! {
            ":user": user.get(),
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
        },
        |row| row.seq("seq"),
    )?;
    Ok(found.unwrap_or_default())
}

fn count(conn: &Connection, user: UserId, id: InstanceId, after: Seq) -> Result<u64, Fault> {
    let found = statement::select_one(
        conn,
        "message",
        "SELECT COUNT(*) AS count
         FROM message NOT INDEXED
         WHERE meetingID = :meeting
           AND orderID = :order
           AND seq > :after
           AND userID <> :user
           AND deleted_at IS NULL",
        named_params! {
            ":user": user.get(),
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":after": after.get(),
        },
        |row| Ok(row.count("count")),
    )?;
    Ok(found.unwrap_or_default())
}

/// The bodies of messages of others that have an `@`.
fn addressed(
    conn: &Connection,
    user: UserId,
    id: InstanceId,
    after: Seq,
) -> Result<Vec<String>, Fault> {
    Ok(statement::select_all(
        conn,
        "message",
        "SELECT body
         FROM message NOT INDEXED
         WHERE meetingID = :meeting
           AND orderID = :order
           AND seq > :after
           AND userID <> :user
           AND deleted_at IS NULL
           AND body LIKE '%@%'
         ORDER BY seq
         LIMIT :limit",
        named_params! {
            ":user": user.get(),
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":after": after.get(),
            ":limit": MENTIONS_READ_MAX,
        },
        |row| row.word("body"),
    )?)
}
