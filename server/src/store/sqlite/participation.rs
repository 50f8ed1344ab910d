//! Joining and leaving, and who participates.

use async_trait::async_trait;
use plenary_shared::domain::{Code, EventKind, Instance, Participant, Presence, Reason, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits;
use plenary_shared::protocol::{Absent, JoinEventType, JoinLog, JoinTimes, Posted};
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, named_params};

use crate::error::{Answer, Fault};
use crate::rate_limits::WriteKind;
use crate::store::sql::audience;
use crate::store::{ConnectionId, ParticipationStore};

use super::live::{emit, event_time, is_invited, live, may_read_live, stay_of, why_not_open};
use super::messages::not_in;
use super::presence::{bind, end_stay};
use super::restriction::{Restriction, is_restrained};
use super::writer::WriteTransaction;
use super::{SqliteStore, attendance, meetings, statement};

#[async_trait]
impl ParticipationStore for SqliteStore {
    async fn join(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
    ) -> Answer<Posted> {
        let (user, connection) = (user.clone(), connection.map(ToString::to_string));
        self.link
            .write(move |tx| join(tx, instance, &user, connection.as_deref()))
            .await
    }

    async fn leave(&self, instance: InstanceId, user: &User) -> Answer<Posted> {
        let user = user.clone();
        self.link.write(move |tx| leave(tx, instance, &user)).await
    }

    async fn people(&self, instance: InstanceId, viewer: &User) -> Answer<Vec<Participant>> {
        let (viewer, now) = (viewer.clone(), self.now());
        self.link
            .read(move |conn| people(conn, instance, &viewer, now))
            .await
    }

    async fn absent(&self, instance: InstanceId, limit: usize) -> Answer<Option<Absent>> {
        self.link
            .read(move |conn| absent(conn, instance, limit))
            .await
    }

    async fn join_times(&self, viewer: &User) -> Answer<Vec<JoinTimes>> {
        let viewer = viewer.clone();
        self.link
            .read(move |conn| join_times(conn, meetings::active_meetings(conn, &viewer)?))
            .await
    }
}

/// Joins an instance.
fn join(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    user: &User,
    connection: Option<&str>,
) -> Answer<Posted> {
    let found = match live(tx.conn, id)? {
        Some(found) if found.is_open(tx.now) => found,
        Some(_) | None => return Err(why_not_open(tx.conn, id, user, tx.now)),
    };
    if stay_of(tx.conn, id, user.id)?.is_some() {
        return Err(Code::AlreadyParticipant.into());
    }
    if !found.is_public && !is_invited(tx.conn, id, user)? {
        return Err(Code::NotAllowed.into());
    }
    if is_restrained(tx.conn, id, user.id, Restriction::Banned)? {
        return Err(Code::Banned.into());
    }
    if found.locked {
        return Err(Code::Locked.into());
    }
    if count_participants(tx.conn, id)? >= limits::PARTICIPANTS_MAX {
        return Err(Code::Full.into());
    }
    tx.check_rate(id, user.id, WriteKind::Join)?;
    let what = EventKind::Join {
        user: user.id,
        name: user.name.clone(),
    };
    let at = event_time(tx.conn, id, tx.now)?;
    let seq = emit(tx, id, found.generation, at, what)?;
    tx.count_write(id, user.id, WriteKind::Join);
    statement::change(
        tx.conn,
        "INSERT INTO stay (meetingID, orderID, userID, seq, joined, lasting)
         VALUES (:meeting, :order, :user, :seq, :joined, :lasting)",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":user": user.id.get(),
            ":seq": seq.get(),
            ":joined": at.as_ms(),
            // Joined without a connection: no lost connection can end this stay.
            ":lasting": connection.is_none(),
        },
    )?;
    if let Some(connection) = connection {
        bind(tx.conn, id, user.id, connection)?;
    }
    Ok(Posted {
        seq,
        timestamp: at,
        repeat: false,
        durable: None,
    })
}

fn leave(tx: &mut WriteTransaction<'_>, id: InstanceId, user: &User) -> Answer<Posted> {
    let found = match live(tx.conn, id)? {
        Some(found) if found.is_open(tx.now) => found,
        Some(_) | None => return Err(why_not_open(tx.conn, id, user, tx.now)),
    };
    if stay_of(tx.conn, id, user.id)?.is_none() {
        return Err(not_in(tx.conn, id, &found, user));
    }
    end_stay(tx.conn, id, user.id)?;
    let what = EventKind::Leave {
        user: user.id,
        reason: Reason::Left,
    };
    let at = event_time(tx.conn, id, tx.now)?;
    let seq = emit(tx, id, found.generation, at, what)?;
    Ok(Posted {
        seq,
        timestamp: at,
        repeat: false,
        durable: None,
    })
}

fn count_participants(conn: &Connection, id: InstanceId) -> Result<usize, Fault> {
    let count = statement::select_one(
        conn,
        "stay",
        "SELECT COUNT(*) AS count
         FROM stay
         WHERE meetingID = :meeting
           AND orderID = :order",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        |row| Ok(row.count("count")),
    )?;
    Ok(count
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0))
}

/// The participants of an active instance, in the order of joining.
fn people(
    conn: &Connection,
    id: InstanceId,
    viewer: &User,
    now: Timestamp,
) -> Answer<Vec<Participant>> {
    let Some(found) = live(conn, id)? else {
        return Err(why_not_open(conn, id, viewer, now));
    };
    if !may_read_live(conn, id, found.is_public, viewer)? {
        return Err(Code::NotAllowed.into());
    }
    Ok(participants(conn, id)?)
}

/// When the participants of these instances joined.
fn join_times(conn: &Connection, visible: Vec<Instance>) -> Answer<Vec<JoinTimes>> {
    let mut found = Vec::with_capacity(visible.len());
    for instance in visible {
        let join_logs = participants(conn, instance.id)?
            .into_iter()
            .map(|one| JoinLog {
                user: one.id,
                event_type: JoinEventType::Join,
                timestamp: one.joined,
                name: one.name,
            })
            .collect();
        found.push(JoinTimes {
            meeting: instance.title,
            join_logs,
            instance: instance.id,
        });
    }
    Ok(found)
}

pub(super) fn participants(conn: &Connection, id: InstanceId) -> Result<Vec<Participant>, Fault> {
    let mut people = statement::select_all(
        conn,
        "stay",
        "SELECT s.userID, s.joined, u.name, u.age, u.gender, u.email, u.role
         FROM stay s
         LEFT JOIN user u ON u.userID = s.userID
         WHERE s.meetingID = :meeting
           AND s.orderID = :order
         ORDER BY s.seq",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        |row| {
            let user = row.user()?;
            Ok(Participant {
                name: user.name,
                age: user.age,
                gender: user.gender,
                email: Some(user.email),
                id: user.id,
                joined: row.time("joined")?,
                presence: Presence::Present,
                since: None,
            })
        },
    )?;
    attendance::mark(conn, id, &mut people)?;
    Ok(people)
}

/// Invited users who have not joined, by name: at most `limit`. `None`: the instance is public or unknown.
fn absent(conn: &Connection, id: InstanceId, limit: usize) -> Answer<Option<Absent>> {
    if statement::one(conn, audience::private(id))?.is_none() {
        return Ok(None);
    }
    let rows = statement::all(conn, audience::absent(id, limit))?;
    Ok(Some(audience::absent_of(rows)))
}
