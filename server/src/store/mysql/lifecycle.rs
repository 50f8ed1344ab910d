//! The life of an instance: scheduled, active, ending, ended. Every step is one conditional statement,
//! so servers may race, and may crash at any point.

use plenary_shared::domain::{InstanceState, Reason, Restrictions};
use plenary_shared::ids::{Generation, InstanceId, Seq};
use plenary_shared::time::Timestamp;

use super::error::is_deadlock;
use super::pool::{Changed, MysqlStore, TRIES_MAX, Transaction};
use super::{Opening, Stored, Unfinished, rebuild};
use crate::error::{Answer, Error, Fault};
use crate::store::sql::{Change, Query, audience, lifecycle, params};

impl MysqlStore {
    /// Starts an instance that is due. `None`: it is not due, or was started before.
    pub async fn begin(&self, id: InstanceId, now: Timestamp) -> Answer<Option<Opening>> {
        self.open(|| lifecycle::start(id, now), id).await
    }

    /// Raises the generation of an active or ending instance, whose live state is to be rebuilt.
    /// `None`: it is neither.
    pub async fn raise(&self, id: InstanceId) -> Answer<Option<Opening>> {
        let raise = || {
            Change::new(
                "UPDATE meeting_instance
                 SET gen = gen + 1
                 WHERE meetingID = :meeting
                   AND orderID = :order
                   AND state IN ('active', 'ending')",
                params! { "meeting": id.meeting, "order": id.order },
            )
        };
        self.open(raise, id).await
    }

    /// Every active or ending instance.
    pub async fn unfinished(&self) -> Answer<Vec<Unfinished>> {
        let query = Query::new(
            "meeting_instance",
            "SELECT meetingID, orderID, todatetime, state, gen, archived_seq, reason
             FROM meeting_instance
             WHERE state IN ('active', 'ending')
             ORDER BY todatetime",
            params! {},
            |row| {
                Ok(Unfinished {
                    instance: row.instance_id()?,
                    to: row.time("todatetime")?,
                    state: row.state()?,
                    generation: row.generation("gen")?,
                    archived: row.seq("archived_seq")?,
                    reason: row.maybe_reason(),
                })
            },
        );
        Ok(self.all(query).await?)
    }

    /// Marks an active instance as ending: for a reason of the clock only once its time is over. Returns
    /// whether it is ending or has ended, by this call or before.
    pub async fn begin_end(&self, id: InstanceId, reason: Reason, now: Timestamp) -> Answer<bool> {
        // Checked once, so that the closure cannot fail.
        lifecycle::begin_end(id, reason, now)?;
        let marked = self
            .execute_retrying(|| lifecycle::begin_end(id, reason, now))
            .await?;
        if marked.rows > 0 {
            return Ok(true);
        }
        let state = self.state_of(id).await?;
        Ok(matches!(
            state,
            Some(InstanceState::Ending | InstanceState::Ended)
        ))
    }

    /// Marks an ending instance as ended once its log is archived up to `last`. Returns whether it has
    /// ended, by this call or before.
    pub async fn finish(
        &self,
        id: InstanceId,
        generation: Generation,
        last: Seq,
        at: Timestamp,
    ) -> Answer<bool> {
        let finish = || {
            Ok(Change::new(
                "UPDATE meeting_instance
                 SET state = 'ended', ended_at = :at
                 WHERE meetingID = :meeting
                   AND orderID = :order
                   AND state = 'ending'
                   AND gen = :gen
                   AND archived_seq = :last",
                params! {
                    "meeting": id.meeting,
                    "order": id.order,
                    "gen": generation,
                    "last": last,
                    "at": at,
                },
            ))
        };
        let finished = self.execute_retrying(finish).await?;
        Ok(finished.rows > 0 || self.state_of(id).await? == Some(InstanceState::Ended))
    }

    /// An instance and its meeting.
    pub async fn stored(&self, id: InstanceId) -> Answer<Option<Stored>> {
        Ok(self.one(lifecycle::stored(id)).await?)
    }

    async fn state_of(&self, id: InstanceId) -> Answer<Option<InstanceState>> {
        Ok(self.stored(id).await?.map(|stored| stored.state))
    }

    /// Changes rows that an archiver may change at the same time.
    async fn execute_retrying(
        &self,
        change: impl Fn() -> Result<Change, Fault>,
    ) -> Result<Changed, Fault> {
        let mut tries = 1;
        loop {
            match self.execute(change()?).await {
                Err(fault) if is_deadlock(&fault) && tries < TRIES_MAX => tries += 1,
                outcome => return outcome,
            }
        }
    }

    /// Changes the row of an instance, and reads in the same transaction what its live state is built
    /// from. Archivers wait for the row until the transaction ends.
    async fn open(&self, change: impl Fn() -> Change, id: InstanceId) -> Answer<Option<Opening>> {
        let mut tries = 1;
        loop {
            let mut work = self.transaction().await?;
            match opened(&mut work, change(), id).await {
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
    work: &mut Transaction,
    change: Change,
    id: InstanceId,
) -> Result<Option<Opening>, Fault> {
    if work.execute(change).await?.rows == 0 {
        return Ok(None);
    }
    let Some(stored) = work.one(lifecycle::stored(id)).await? else {
        return Ok(None);
    };
    let audience = if stored.meeting.is_public {
        Vec::new()
    } else {
        audience::unique(work.all(audience::emails(id.meeting)).await?)
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
        latest: None,
        audience,
        stays: Vec::new(),
        sent: Vec::new(),
        floors: Vec::new(),
        people: Vec::new(),
        restrictions: Restrictions::default(),
    };
    // Before the first start nothing is archived.
    if stored.archived > Seq::default() {
        rebuild::read_archive(work, &mut opening).await?;
    }
    Ok(Some(opening))
}
