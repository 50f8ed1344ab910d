//! Writing the record: the cursor and the rows of many instances in one transaction.

use mysql_async::{Params, Value, params};
use plenary_shared::domain::{Event, StoredModeration, What};
use plenary_shared::ids::{Cmid, Seq};

use super::link::{DUPLICATE, MysqlStore, TRIES_MAX, Work, is_deadlock, server_code};
use super::{Archived, Batch, moderation, row};
use crate::error::{Answer, Fault};

/// Rows of one INSERT: as fast as it gets on both servers, and few statements to prepare.
const SIZES: &[usize] = &[100, 25, 5, 1];

impl MysqlStore {
    /// Brings these batches into the archive and raises its cursors: in one transaction, or, when
    /// the database refuses a row, each in its own. An outcome for each, in their order. Doing it
    /// again changes nothing: the cursor has moved.
    pub async fn archive(&self, batches: &[Batch]) -> Answer<Vec<Archived>> {
        let holes = batches
            .iter()
            .map(|batch| check(batch).err())
            .collect::<Vec<_>>();
        let sound: Vec<&Batch> = batches
            .iter()
            .zip(&holes)
            .filter_map(|(batch, hole)| hole.is_none().then_some(batch))
            .collect();
        let mut stored = self.store(&sound).await?.into_iter();
        let outcomes = batches.iter().zip(holes).map(|(batch, hole)| {
            let instance = batch.instance;
            match hole {
                Some(fault) => Archived::Broken { instance, fault },
                None => stored.next().unwrap_or(Archived::Stale { instance }),
            }
        });
        Ok(outcomes.collect())
    }

    /// Stores them together; if the database refuses a row, each by itself.
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
        // In one order everywhere, so that two archivers never wait for each other in a circle.
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

/// How rows go in.
#[derive(Clone, Copy, PartialEq)]
enum Rows {
    /// Up to 100 in a statement.
    Many,
    /// Each by itself: slow, but a row that is refused does not take others with it.
    Single,
}

fn done(batch: &Batch) -> Archived {
    Archived::Done {
        instance: batch.instance,
        last: batch.last(),
    }
}

/// Whether the events are this instance's, and follow the archive and each other without a hole.
fn check(batch: &Batch) -> Result<(), Fault> {
    let mut last = batch.after;
    for event in &batch.events {
        if event.instance != batch.instance {
            return Err(Fault::broken(
                "archiving",
                format!("{} in the log of {}", event.instance, batch.instance),
            ));
        }
        if event.seq != last.next() {
            return Err(Fault::broken(
                "archiving",
                format!(
                    "a hole in the log of {}: {} follows {last}",
                    batch.instance, event.seq
                ),
            ));
        }
        last = event.seq;
    }
    Ok(())
}

/// Raises the cursor if it is where the batch goes on; whether it was.
async fn advance(work: &mut Work, batch: &Batch) -> Result<bool, Fault> {
    let changed = work
        .change(
            "UPDATE meeting_instance
             SET archived_seq = :last
             WHERE meetingID = :meeting
               AND orderID = :order
               AND gen = :gen
               AND archived_seq = :after
               AND state IN ('active', 'ending')",
            row::with(
                batch.instance,
                params! {
                    "gen" => batch.generation.get(),
                    "after" => batch.after.get(),
                    "last" => batch.last().get(),
                },
            ),
        )
        .await?;
    Ok(changed.rows > 0)
}

async fn insert(work: &mut Work, events: &[&Event], rows: Rows) -> Result<(), Fault> {
    let mut messages = Vec::new();
    let mut others = Vec::new();
    for event in events {
        match &event.what {
            What::Message {
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
                row::at(event.timestamp),
                Value::from(reply_to.map(Seq::get)),
            ]),
            What::Opened
            | What::Join { .. }
            | What::Leave { .. }
            | What::Edited { .. }
            | What::Deleted { .. }
            | What::Moderated(_)
            | What::Closed { .. } => {
                let change = change(&event.what);
                let kept = match &event.what {
                    What::Moderated(done) => done.stored(),
                    _ => StoredModeration::default(),
                };
                others.push([
                    Value::from(event.instance.meeting.get()),
                    Value::from(event.instance.order.get()),
                    Value::from(event.seq.get()),
                    Value::from(event.what.user().map(plenary_shared::ids::UserId::get)),
                    Value::from(event.what.as_str()),
                    row::at(event.timestamp),
                    Value::from(reason(&event.what)),
                    Value::from(change.and_then(|(target, _)| target).map(Seq::get)),
                    Value::from(change.map(|(_, cmid)| cmid.to_string())),
                    Value::from((!kept.action.is_empty()).then_some(kept.action)),
                    Value::from(kept.subject),
                    Value::from(kept.was),
                    Value::from(kept.note),
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
    // Their messages are there by now, from this batch or before.
    for event in events {
        apply(work, event).await?;
    }
    moderation::apply(work, events).await
}

/// Makes of a message what a change of it says. In the order of their seqs the last one holds.
async fn apply(work: &mut Work, event: &Event) -> Result<(), Fault> {
    let (sql, user, target, body) = match &event.what {
        What::Edited {
            user, target, body, ..
        } => (EDIT, user, target, body.as_str()),
        What::Deleted { user, target, .. } => (DELETE, user, target, ""),
        What::Opened
        | What::Join { .. }
        | What::Leave { .. }
        | What::Message { .. }
        | What::Moderated(_)
        | What::Closed { .. } => return Ok(()),
    };
    let params = params! {
        "target" => target.get(),
        "user" => user.get(),
        "body" => body,
        "at" => row::at(event.timestamp),
    };
    work.change(sql, row::with(event.instance, params)).await?;
    Ok(())
}

const EDIT: &str = "
 UPDATE message
 SET body = :body, edited_at = :at
 WHERE meetingID = :meeting
   AND orderID = :order
   AND seq = :target
   AND userID = :user
   AND deleted_at IS NULL";

const DELETE: &str = "
 UPDATE message
 SET body = :body, deleted_at = :at
 WHERE meetingID = :meeting
   AND orderID = :order
   AND seq = :target
   AND userID = :user";

/// The message that an event changes, and the event's own id.
fn change(what: &What) -> Option<(Option<Seq>, Cmid)> {
    match what {
        What::Edited { target, cmid, .. } | What::Deleted { target, cmid, .. } => {
            Some((Some(*target), *cmid))
        }
        What::Moderated(done) => Some((None, done.cmid)),
        What::Opened
        | What::Join { .. }
        | What::Leave { .. }
        | What::Message { .. }
        | What::Closed { .. } => None,
    }
}

fn reason(what: &What) -> Option<&'static str> {
    match what {
        What::Opened
        | What::Join { .. }
        | What::Message { .. }
        | What::Edited { .. }
        | What::Deleted { .. }
        | What::Moderated(_) => None,
        What::Leave { reason, .. } | What::Closed { reason } => Some(reason.as_str()),
    }
}

const INTO_MESSAGE: &str = "
 INSERT INTO message (meetingID, orderID, seq, userID, cmid, body, timestamp, replyTo)
 VALUES ";

const INTO_EVENT_LOG: &str = "
 INSERT INTO event_log (meetingID, orderID, seq, userID, eventType, timestamp, reason,
                        target, cmid, action, subject, was, note)
 VALUES ";

/// The place of the cmid in a row of [`INTO_MESSAGE`].
const CMID: usize = 4;

async fn insert_many<const COLUMNS: usize>(
    work: &mut Work,
    into: &str,
    mut rows: &[[Value; COLUMNS]],
) -> Result<(), Fault> {
    let row = format!("({})", ["?"; COLUMNS].join(", "));
    while let Some(&size) = SIZES.iter().find(|size| **size <= rows.len()) {
        let (now, later) = rows.split_at(size);
        let sql = format!("{into}{}", vec![row.as_str(); size].join(", "));
        let values = now.iter().flatten().cloned().collect();
        work.change(&sql, Params::Positional(values)).await?;
        rows = later;
    }
    Ok(())
}

/// A message whose cmid its sender has used before is stored without it: a client may send one
/// again that is older than what a live store was told to remember, and nothing that people have
/// read is left out of the record.
async fn insert_message(work: &mut Work, mut message: [Value; 8]) -> Result<(), Fault> {
    match insert_many(work, INTO_MESSAGE, std::slice::from_ref(&message)).await {
        Err(fault) if server_code(&fault) == Some(DUPLICATE) => {
            message[CMID] = Value::NULL;
            insert_many(work, INTO_MESSAGE, &[message]).await
        }
        outcome => outcome,
    }
}
