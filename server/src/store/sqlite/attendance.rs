//! The presence of participants, which follows from the connections that hold their stays.

use std::collections::BTreeMap;

use plenary_shared::domain::{Participant, Presence};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::PresenceChange;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, named_params};

use crate::error::Fault;
use crate::store::Feed;
use crate::store::sql::{Row, Unusable};

use super::statement;
use super::writer::WriteTransaction;

/// A presence, and since when; no time for participants who are here.
type There = (Presence, Option<Timestamp>);

/// The connections that hold stays.
macro_rules! holders {
    ($which:literal) => {
        concat!(
            "SELECT s.userID,
                    COUNT(*) AS held,
                    COUNT(h.lost) AS lost,
                    SUM(h.lost IS NULL AND h.idle IS NOT NULL) AS idle,
                    MAX(h.lost) AS lost_since,
                    MAX(h.idle) AS idle_since
             FROM stay s
             JOIN holder h ON h.meetingID = s.meetingID
                          AND h.orderID = s.orderID
                          AND h.userID = s.userID
                          AND h.seq = s.seq
             WHERE s.meetingID = :meeting
               AND s.orderID = :order
               AND NOT s.lasting",
            $which,
            " GROUP BY s.userID"
        )
    };
}

const OF_ALL: &str = holders!("");

const OF_ONE: &str = holders!(" AND s.userID = :user");

/// Changes a stay, and publishes the presence of its user if that has changed.
pub(super) fn telling<T, E: From<Fault>>(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    user: UserId,
    act: impl FnOnce(&mut WriteTransaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let before = of(tx.conn, id, user)?;
    let done = act(tx)?;
    let after = of(tx.conn, id, user)?;
    if before.0 != after.0 {
        tx.tell(Feed::Presence(PresenceChange {
            instance: id,
            user,
            state: after.0,
            since: after.1.unwrap_or(tx.now),
        }));
    }
    Ok(done)
}

/// Sets the presence of these participants.
pub(super) fn mark(
    conn: &Connection,
    id: InstanceId,
    people: &mut [Participant],
) -> Result<(), Fault> {
    let away: BTreeMap<UserId, There> = held(conn, id, None)?.into_iter().collect();
    for one in people {
        if let Some((presence, since)) = away.get(&one.id) {
            (one.presence, one.since) = (*presence, *since);
        }
    }
    Ok(())
}

fn of(conn: &Connection, id: InstanceId, user: UserId) -> Result<There, Fault> {
    let found = held(conn, id, Some(user))?;
    let there = found.into_iter().next().map(|(_, there)| there);
    Ok(there.unwrap_or((Presence::Present, None)))
}

fn held(
    conn: &Connection,
    id: InstanceId,
    user: Option<UserId>,
) -> Result<Vec<(UserId, There)>, Fault> {
    let (meeting, order) = (id.meeting.get(), id.order.get());
    let found = if let Some(user) = user.map(UserId::get) {
        let params = named_params! { ":meeting": meeting, ":order": order, ":user": user };
        statement::select_all(conn, "holder", OF_ONE, params, there)?
    } else {
        let params = named_params! { ":meeting": meeting, ":order": order };
        statement::select_all(conn, "holder", OF_ALL, params, there)?
    };
    Ok(found)
}

fn there(row: &dyn Row) -> Result<(UserId, There), Unusable> {
    let count = |name| row.number(name).ok_or(Unusable("holder"));
    let (all, lost, idle) = (count("held")?, count("lost")?, count("idle")?);
    let there = if lost >= all {
        (Presence::Reconnecting, row.maybe_time("lost_since"))
    } else if lost + idle >= all {
        (Presence::Idle, row.maybe_time("idle_since"))
    } else {
        (Presence::Present, None)
    };
    Ok((row.user_id("userID")?, there))
}
