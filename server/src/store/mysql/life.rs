//! An instance's life as what lasts knows it: scheduled, active, ending, ended. Every step is one
//! conditional statement, so servers may race and may die anywhere.

use mysql_async::{Params, Row, params};
use plenary_shared::domain::{InstanceState, Reason, Restrictions, User};
use plenary_shared::ids::{Generation, InstanceId, Seq};
use plenary_shared::limits;
use plenary_shared::time::Timestamp;

use super::link::{Changed, MysqlStore, TRIES_MAX, Work, is_deadlock};
use super::{Floor, Opening, Sent, Stay, Stored, Unfinished, row};
use crate::error::{Answer, Error, Fault};

/// Archived messages whose cmids a new live state knows: more than clients have unconfirmed.
const SENT_MAX: usize = 10_000;

impl MysqlStore {
    /// Lets an instance begin that is due. `None`: it is not, or somebody else did.
    pub async fn begin(&self, id: InstanceId, now: Timestamp) -> Answer<Option<Opening>> {
        self.open(
            "UPDATE meeting_instance
             SET state = 'active', gen = gen + 1
             WHERE meetingID = :meeting
               AND orderID = :order
               AND state = 'scheduled'
               AND fromdatetime <= :now",
            row::with(id, params! { "now" => row::at(now) }),
            id,
        )
        .await
    }

    /// Raises the generation of an active or ending instance, whose live state is to be made
    /// anew. `None`: it is neither.
    pub async fn raise(&self, id: InstanceId) -> Answer<Option<Opening>> {
        self.open(
            "UPDATE meeting_instance
             SET gen = gen + 1
             WHERE meetingID = :meeting
               AND orderID = :order
               AND state IN ('active', 'ending')",
            row::of(id),
            id,
        )
        .await
    }

    /// Every active or ending instance.
    pub async fn unfinished(&self) -> Answer<Vec<Unfinished>> {
        let rows = self
            .rows(
                "SELECT meetingID, orderID, todatetime, state, gen, archived_seq, reason
                 FROM meeting_instance
                 WHERE state IN ('active', 'ending')
                 ORDER BY todatetime",
                Params::Empty,
            )
            .await?;
        Ok(row::usable(&rows, "meeting_instance", unfinished))
    }

    /// Marks an active instance as ending; by the clock only when its time is over. Whether it is
    /// ending now or has ended, by this call or before.
    pub async fn begin_end(&self, id: InstanceId, reason: Reason, now: Timestamp) -> Answer<bool> {
        let early = match reason {
            Reason::Scheduled | Reason::Missed => false,
            Reason::Ended => true,
            Reason::Left | Reason::ConnectionLost | Reason::Removed | Reason::Cancelled => {
                return Err(Fault::broken("ending an instance", "no reason for an end").into());
            }
        };
        let changed = self
            .change_again(
                "UPDATE meeting_instance
                 SET state = 'ending', reason = :reason
                 WHERE meetingID = :meeting
                   AND orderID = :order
                   AND state = 'active'
                   AND (:early OR todatetime <= :now)",
                row::with(
                    id,
                    params! {
                        "reason" => reason.as_str(),
                        "early" => early,
                        "now" => row::at(now),
                    },
                ),
            )
            .await?;
        if changed.rows > 0 {
            return Ok(true);
        }
        let state = self.state_of(id).await?;
        Ok(matches!(
            state,
            Some(InstanceState::Ending | InstanceState::Ended)
        ))
    }

    /// Marks an ending instance as ended whose log the archive has up to its `last`. Whether it
    /// has ended, by this call or before.
    pub async fn finish(
        &self,
        id: InstanceId,
        generation: Generation,
        last: Seq,
        at: Timestamp,
    ) -> Answer<bool> {
        let changed = self
            .change_again(
                "UPDATE meeting_instance
                 SET state = 'ended', ended_at = :at
                 WHERE meetingID = :meeting
                   AND orderID = :order
                   AND state = 'ending'
                   AND gen = :gen
                   AND archived_seq = :last",
                row::with(
                    id,
                    params! {
                        "gen" => generation.get(),
                        "last" => last.get(),
                        "at" => row::at(at),
                    },
                ),
            )
            .await?;
        Ok(changed.rows > 0 || self.state_of(id).await? == Some(InstanceState::Ended))
    }

    /// An instance and its meeting, if there is such a one.
    pub async fn stored(&self, id: InstanceId) -> Answer<Option<Stored>> {
        let row = self.row(STORED, row::of(id)).await?;
        Ok(row::usable_one(row.as_ref(), "meeting_instance", stored))
    }

    /// Lets a statement change rows that an archiver may change at the same time.
    async fn change_again(&self, sql: &str, params: Params) -> Result<Changed, Fault> {
        let mut tries = 1;
        loop {
            match self.change(sql, params.clone()).await {
                Err(fault) if is_deadlock(&fault) && tries < TRIES_MAX => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn state_of(&self, id: InstanceId) -> Answer<Option<InstanceState>> {
        let row = self
            .row(
                "SELECT state
                 FROM meeting_instance
                 WHERE meetingID = :meeting
                   AND orderID = :order",
                row::of(id),
            )
            .await?;
        Ok(row.and_then(|row| row::state(&row).ok()))
    }

    /// Runs an update of one instance, and reads in the same transaction all that its live state
    /// is to be made of. No archiver gets in between: it waits for the instance's row.
    async fn open(
        &self,
        update: &'static str,
        params: Params,
        id: InstanceId,
    ) -> Answer<Option<Opening>> {
        let mut tries = 1;
        loop {
            let mut work = self.transaction().await?;
            match opened(&mut work, update, params.clone(), id).await {
                Ok(Some(opening)) => {
                    work.commit().await?;
                    return Ok(Some(opening));
                }
                Ok(None) => return Ok(None),
                Err(fault) if is_deadlock(&fault) && tries < TRIES_MAX => tries += 1,
                Err(fault) => return Err(Error::Fault(fault)),
            }
        }
    }
}

async fn opened(
    work: &mut Work,
    update: &str,
    params: Params,
    id: InstanceId,
) -> Result<Option<Opening>, Fault> {
    if work.change(update, params).await?.rows == 0 {
        return Ok(None);
    }
    let row = work.row(STORED, row::of(id)).await?;
    let Some(stored) = row::usable_one(row.as_ref(), "meeting_instance", stored) else {
        return Ok(None);
    };
    let audience = if stored.meeting.is_public {
        Vec::new()
    } else {
        let rows = work
            .rows(
                super::read::AUDIENCE,
                params! { "meeting" => id.meeting.get() },
            )
            .await?;
        super::read::audience(&rows)
    };
    let mut opening = Opening {
        instance: id,
        meeting: stored.meeting,
        revision: stored.revision,
        from: stored.from,
        to: stored.to,
        state: stored.state,
        reason: stored.reason,
        closed_at: None,
        generation: stored.generation,
        floor: stored.archived,
        audience,
        stays: Vec::new(),
        sent: Vec::new(),
        floors: Vec::new(),
        people: Vec::new(),
        restrictions: Restrictions::default(),
    };
    // At a first start there is nothing to be read.
    if stored.archived > Seq::default() {
        opening.stays = stays(work, id).await?;
        opening.sent = sent(work, id).await?;
        if opening.sent.len() >= SENT_MAX
            && let Some(oldest) = opening.sent.first()
        {
            opening.floors = floors(work, id, oldest.seq).await?;
        }
        opening.people = people(work, id).await?;
        // Also where it is active still: a log may close while what lasts is away.
        opening.closed_at = closed_at(work, id).await?;
        opening.restrictions = restrictions(work, id).await?;
    }
    Ok(Some(opening))
}

const STORED: &str = "
 SELECT i.meetingID, i.orderID, i.fromdatetime, i.todatetime, i.state, i.gen, i.archived_seq,
        i.reason, i.ended_at, m.title, m.description, m.isPublic, m.revision
 FROM meeting_instance i
 JOIN meeting m ON m.meetingID = i.meetingID
 WHERE i.meetingID = :meeting
   AND i.orderID = :order";

/// When the log closed, if the archive has that.
async fn closed_at(work: &mut Work, id: InstanceId) -> Result<Option<Timestamp>, Fault> {
    let row = work
        .row(
            "SELECT timestamp
             FROM event_log
             WHERE meetingID = :meeting
               AND orderID = :order
               AND eventType = 'closed'
             LIMIT 1",
            row::of(id),
        )
        .await?;
    Ok(row.and_then(|row| row::maybe_time(&row, "timestamp")))
}

/// What holds because admins said so.
async fn restrictions(work: &mut Work, id: InstanceId) -> Result<Restrictions, Fault> {
    let rows = work
        .rows(
            "SELECT action, subject, was, note, timestamp
             FROM event_log FORCE INDEX (event_seq)
             WHERE meetingID = :meeting
               AND orderID = :order
               AND eventType = 'moderated'
               AND action NOT IN ('announce', 'extend', 'remove')
             ORDER BY seq",
            row::of(id),
        )
        .await?;
    let mut restrictions = Restrictions::default();
    let actions = row::usable(&rows, "event_log", |row| {
        let (action, _) = row::kept(row)
            .read(|_| String::new())
            .ok_or(row::Unusable("action"))?;
        Ok((action, row::time(row, "timestamp")?))
    });
    for (action, at) in actions {
        restrictions.apply(&action, at);
    }
    Ok(restrictions)
}

/// Everybody's last coming or going, where it is a coming.
async fn stays(work: &mut Work, id: InstanceId) -> Result<Vec<Stay>, Fault> {
    let rows = work
        .rows(
            "SELECT e.seq, e.timestamp, e.userID, u.name, u.age, u.gender, u.email, u.role
             FROM (
               SELECT MAX(seq) AS seq
               FROM event_log FORCE INDEX (event_seq)
               WHERE meetingID = :meeting
                 AND orderID = :order
                 AND eventType IN ('join', 'leave')
               GROUP BY userID
             ) latest
             JOIN event_log e
               ON e.meetingID = :meeting
              AND e.orderID = :order
              AND e.seq = latest.seq
             LEFT JOIN `user` u ON u.userID = e.userID
             WHERE e.eventType = 'join'
             ORDER BY e.seq
             LIMIT :limit",
            row::with(id, params! { "limit" => limits::PARTICIPANTS_MAX }),
        )
        .await?;
    Ok(row::usable(&rows, "event_log", |row| {
        Ok(Stay {
            user: row::user(row)?,
            joined: row::time(row, "timestamp")?,
            seq: row::seq(row, "seq")?,
        })
    }))
}

async fn sent(work: &mut Work, id: InstanceId) -> Result<Vec<Sent>, Fault> {
    let rows = work
        .rows(
            // The last ones are the end of the table; the index of the cmids would be read whole.
            "(SELECT userID, cmid, seq, timestamp
              FROM message FORCE INDEX (PRIMARY)
              WHERE meetingID = :meeting
                AND orderID = :order
                AND cmid IS NOT NULL
              ORDER BY seq DESC
              LIMIT :limit)
             UNION ALL
             (SELECT userID, cmid, seq, timestamp
              FROM event_log FORCE INDEX (event_seq)
              WHERE meetingID = :meeting
                AND orderID = :order
                AND cmid IS NOT NULL
              ORDER BY seq DESC
              LIMIT :limit)
             ORDER BY seq DESC
             LIMIT :limit",
            row::with(id, params! { "limit" => SENT_MAX }),
        )
        .await?;
    let mut sent = row::usable(&rows, "message", |row| {
        Ok(Sent {
            user: row::user_id(row, "userID")?,
            cmid: row::cmid(row).ok_or(row::Unusable("cmid"))?,
            seq: row::seq(row, "seq")?,
            timestamp: row::time(row, "timestamp")?,
        })
    });
    sent.reverse();
    Ok(sent)
}

/// How far everybody's messages below this seq go. The text of a UUID of version 7 begins with its
/// time, so that the greatest is the latest.
async fn floors(work: &mut Work, id: InstanceId, below: Seq) -> Result<Vec<Floor>, Fault> {
    let rows = work
        .rows(
            "SELECT userID, MAX(seq) AS seq,
                    MAX(CASE WHEN SUBSTRING(cmid, 15, 1) = '7' THEN cmid END) AS cmid
             FROM (
               SELECT userID, seq, cmid
               FROM message
               WHERE meetingID = :meeting
                 AND orderID = :order
                 AND seq < :below
               UNION ALL
               SELECT userID, seq, cmid
               FROM event_log
               WHERE meetingID = :meeting
                 AND orderID = :order
                 AND seq < :below
                 AND cmid IS NOT NULL
             ) said
             GROUP BY userID",
            row::with(id, params! { "below" => below.get() }),
        )
        .await?;
    Ok(row::usable(&rows, "message", |row| {
        Ok(Floor {
            user: row::user_id(row, "userID")?,
            seq: row::seq(row, "seq")?,
            latest: row::cmid(row),
        })
    }))
}

async fn people(work: &mut Work, id: InstanceId) -> Result<Vec<User>, Fault> {
    let rows = work
        .rows(
            "SELECT e.userID, u.name, u.age, u.gender, u.email, u.role
             FROM (
               SELECT DISTINCT userID
               FROM event_log FORCE INDEX (event_seq)
               WHERE meetingID = :meeting
                 AND orderID = :order
                 AND eventType = 'join'
             ) e
             LEFT JOIN `user` u ON u.userID = e.userID",
            row::of(id),
        )
        .await?;
    Ok(row::usable(&rows, "event_log", row::user))
}

fn stored(row: &Row) -> Result<Stored, row::Unusable> {
    Ok(Stored {
        instance: row::instance_id(row)?,
        meeting: row::meeting(row)?,
        revision: row::get(row, "revision").unwrap_or(0),
        from: row::time(row, "fromdatetime")?,
        to: row::time(row, "todatetime")?,
        state: row::state(row)?,
        generation: row::generation(row, "gen")?,
        archived: row::seq(row, "archived_seq")?,
        reason: row::reason(row),
        ended_at: row::maybe_time(row, "ended_at"),
    })
}

fn unfinished(row: &Row) -> Result<Unfinished, row::Unusable> {
    Ok(Unfinished {
        instance: row::instance_id(row)?,
        to: row::time(row, "todatetime")?,
        state: row::state(row)?,
        generation: row::generation(row, "gen")?,
        archived: row::seq(row, "archived_seq")?,
        reason: row::reason(row),
    })
}
