//! Writing the archive: the cursors and rows of many instances in one transaction.

use mysql_async::{Params, Value};
use plenary_shared::domain::{Event, EventKind};
use plenary_shared::ids::{Seq, UserId};

use super::error::{DUPLICATE, is_deadlock, server_code};
use super::pool::{MysqlStore, TRIES_MAX, Transaction};
use super::{Archived, Batch, moderation};
use crate::error::{Answer, Fault};
use crate::store::sql::history::{Columns, change_message};
use crate::store::sql::{self, Change, params};

/// The numbers of rows in one INSERT: more rows are not faster, and there are only these few statements
/// to prepare.
const SIZES: &[usize] = &[100, 25, 5, 1];

impl MysqlStore {
    /// Archives these batches and raises their cursors: in one transaction or, when the database refuses
    /// a row, each in its own. Returns an outcome for each batch in their order. A repeated call changes
    /// nothing, because the cursors have moved.
    pub async fn archive(&self, batches: &[Batch]) -> Answer<Vec<Archived>> {
        let faults = batches
            .iter()
            .map(|batch| check(batch).err())
            .collect::<Vec<_>>();
        let valid: Vec<&Batch> = batches
            .iter()
            .zip(&faults)
            .filter_map(|(batch, fault)| fault.is_none().then_some(batch))
            .collect();
        let mut stored = self.store(&valid).await?.into_iter();
        let outcomes = batches.iter().zip(faults).map(|(batch, fault)| {
            let instance = batch.instance;
            match fault {
                Some(fault) => Archived::Broken { instance, fault },
                None => stored.next().unwrap_or(Archived::Stale { instance }),
            }
        });
        Ok(outcomes.collect())
    }

    /// Stores them together or, if the database refuses a row, one by one.
    async fn store(&self, batches: &[&Batch]) -> Result<Vec<Archived>, Fault> {
        match self.store_together(batches, Rows::Many).await {
            Err(Fault::Broken { .. }) => {}
            outcome => return outcome,
        }
        let mut outcomes = Vec::with_capacity(batches.len());
        for &batch in batches {
            match self.store_together(&[batch], Rows::Single).await {
                Ok(outcome) => outcomes.extend(outcome),
                Err(fault @ Fault::Broken { .. }) => outcomes.push(Archived::Broken {
                    instance: batch.instance,
                    fault,
                }),
                Err(fault @ Fault::Unavailable { .. }) => return Err(fault),
            }
        }
        Ok(outcomes)
    }

    async fn store_together(&self, batches: &[&Batch], rows: Rows) -> Result<Vec<Archived>, Fault> {
        let mut tries = 1;
        loop {
            match self.store_once(batches, rows).await {
                Err(fault) if is_deadlock(&fault) && tries < TRIES_MAX => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn store_once(&self, batches: &[&Batch], rows: Rows) -> Result<Vec<Archived>, Fault> {
        if batches.iter().all(|batch| batch.events.is_empty()) {
            return Ok(batches.iter().map(|batch| done(batch)).collect());
        }
        let mut work = self.transaction().await?;
        // All archivers lock rows in the same order, so that they do not deadlock.
        let mut order: Vec<usize> = (0..batches.len()).collect();
        order.sort_by_key(|&at| batches[at].instance);
        let mut current = vec![false; batches.len()];
        for at in order {
            current[at] = advance(&mut work, batches[at]).await?;
        }
        let events: Vec<&Event> = batches
            .iter()
            .zip(&current)
            .filter(|(_, current)| **current)
            .flat_map(|(batch, _)| &batch.events)
            .collect();
        insert(&mut work, &events, rows).await?;
        work.commit().await?;
        let outcomes = batches.iter().zip(current).map(|(batch, current)| {
            if current {
                done(batch)
            } else {
                Archived::Stale {
                    instance: batch.instance,
                }
            }
        });
        Ok(outcomes.collect())
    }
}

/// How rows are inserted.
#[derive(Clone, Copy, PartialEq)]
enum Rows {
    /// Up to 100 in a statement.
    Many,
    /// One in a statement: slow, but a refused row does not affect others.
    Single,
}

fn done(batch: &Batch) -> Archived {
    Archived::Done {
        instance: batch.instance,
        last: batch.last(),
    }
}

/// Checks that the events belong to the instance and follow the archive and each other without gaps.
fn check(batch: &Batch) -> Result<(), Fault> {
    let mut last = batch.after;
    for event in &batch.events {
        if event.instance != batch.instance {
            return Err(Fault::broken(
                "archiving",
                format!(
                    "event of {} in the log of {}",
                    event.instance, batch.instance
                ),
            ));
        }
        if event.seq != last.next() {
            return Err(Fault::broken(
                "archiving",
                format!(
                    "gap in the log of {}: {} follows {last}",
                    batch.instance, event.seq
                ),
            ));
        }
        last = event.seq;
    }
    Ok(())
}

/// Raises the cursor if it is where the batch begins. Returns whether it was.
async fn advance(work: &mut Transaction, batch: &Batch) -> Result<bool, Fault> {
    let advance = Change::new(
        "UPDATE meeting_instance
         SET archived_seq = :last
         WHERE meetingID = :meeting
           AND orderID = :order
           AND gen = :gen
           AND archived_seq = :after
           AND state IN ('active', 'ending')",
        params! {
            "meeting": batch.instance.meeting,
            "order": batch.instance.order,
            "gen": batch.generation,
            "after": batch.after,
            "last": batch.last(),
        },
    );
    Ok(work.execute(advance).await?.rows > 0)
}

async fn insert(work: &mut Transaction, events: &[&Event], rows: Rows) -> Result<(), Fault> {
    let mut messages = Vec::new();
    let mut others = Vec::new();
    for event in events {
        match &event.kind {
            EventKind::Message {
                user,
                cmid,
                body,
                reply_to,
                ..
            } => messages.push([
                Value::from(event.instance.meeting.get()),
                Value::from(event.instance.order.get()),
                Value::from(event.seq.get()),
                Value::from(user.get()),
                Value::from(cmid.to_string()),
                Value::from(body.as_str()),
                sql::Value::from(event.timestamp).into(),
                Value::from(reply_to.map(Seq::get)),
            ]),
            EventKind::Opened
            | EventKind::Join { .. }
            | EventKind::Leave { .. }
            | EventKind::Edited { .. }
            | EventKind::Deleted { .. }
            | EventKind::Moderated(_)
            | EventKind::Closed { .. } => {
                let columns = Columns::of(&event.kind);
                others.push([
                    Value::from(event.instance.meeting.get()),
                    Value::from(event.instance.order.get()),
                    Value::from(event.seq.get()),
                    Value::from(event.kind.user().map(UserId::get)),
                    Value::from(event.kind.as_str()),
                    sql::Value::from(event.timestamp).into(),
                    Value::from(columns.reason),
                    Value::from(columns.target.map(Seq::get)),
                    Value::from(columns.cmid.map(|cmid| cmid.to_string())),
                    Value::from(columns.action()),
                    Value::from(columns.kept.subject),
                    Value::from(columns.kept.was),
                    Value::from(columns.kept.note.as_deref()),
                ]);
            }
        }
    }
    match rows {
        Rows::Many => {
            insert_many(work, INTO_MESSAGE, &messages).await?;
            insert_many(work, INTO_EVENT_LOG, &others).await?;
        }
        Rows::Single => {
            for message in messages {
                insert_message(work, message).await?;
            }
            for other in others {
                insert_many(work, INTO_EVENT_LOG, &[other]).await?;
            }
        }
    }
    // The changed messages are stored by now, from this batch or an earlier one.
    for event in events {
        if let Some(change) = change_message(event.instance, &event.kind, event.timestamp) {
            work.execute(change).await?;
        }
    }
    moderation::apply(work, events).await
}

const INTO_MESSAGE: &str = "
 INSERT INTO message (meetingID, orderID, seq, userID, cmid, body, timestamp, replyTo)
 VALUES ";

const INTO_EVENT_LOG: &str = "
 INSERT INTO event_log (meetingID, orderID, seq, userID, eventType, timestamp, reason,
                        target, cmid, action, subject, was, note)
 VALUES ";

/// The index of the cmid in a row of [`INTO_MESSAGE`].
const CMID: usize = 4;

async fn insert_many<const COLUMNS: usize>(
    work: &mut Transaction,
    into: &str,
    mut rows: &[[Value; COLUMNS]],
) -> Result<(), Fault> {
    let row = format!("({})", ["?"; COLUMNS].join(", "));
    while let Some(&size) = SIZES.iter().find(|size| **size <= rows.len()) {
        let (some, later) = rows.split_at(size);
        let sql = format!("{into}{}", vec![row.as_str(); size].join(", "));
        let values = some.iter().flatten().cloned().collect();
        work.change(&sql, Params::Positional(values)).await?;
        rows = later;
    }
    Ok(())
}

/// Inserts a message; without its cmid if the sender has used that before. A client may repeat a message
/// that is older than what the live store remembers, and the archive has every message that was shown.
async fn insert_message(work: &mut Transaction, mut message: [Value; 8]) -> Result<(), Fault> {
    match insert_many(work, INTO_MESSAGE, std::slice::from_ref(&message)).await {
        Err(fault) if server_code(&fault) == Some(DUPLICATE) => {
            message[CMID] = Value::NULL;
            insert_many(work, INTO_MESSAGE, &[message]).await
        }
        outcome => outcome,
    }
}
