//! Moderation actions of the log, applied to the schedule and the audit log in the transaction that
//! archives them.

use std::collections::BTreeSet;

use plenary_shared::domain::{EndChange, Event, EventKind, ModerationAction};
use plenary_shared::ids::InstanceId;

use super::pool::Transaction;
use crate::error::Fault;
use crate::store::moderation::audited;
use crate::store::sql::{Change, audit, params};

/// Applies the moderation actions among these events, in their order.
pub(super) async fn apply(work: &mut Transaction, events: &[&Event]) -> Result<(), Fault> {
    // Once the log is closed, an end by the clock stands.
    let closed: BTreeSet<InstanceId> = events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Closed { .. }))
        .map(|event| event.instance)
        .collect();
    for event in events {
        let EventKind::Moderated(done) = &event.kind else {
            continue;
        };
        let id = event.instance;
        match &done.action {
            ModerationAction::Extend(EndChange { todatetime, .. }) => {
                let extend = Change::new(
                    "UPDATE meeting_instance
                     SET todatetime = :to
                     WHERE meetingID = :meeting
                       AND orderID = :order",
                    params! { "meeting": id.meeting, "order": id.order, "to": *todatetime },
                );
                work.execute(extend).await?;
                if !closed.contains(&id) {
                    work.execute(undo_scheduled_end(id)).await?;
                }
            }
            ModerationAction::End => {
                work.execute(end(id)).await?;
            }
            ModerationAction::Lock
            | ModerationAction::Unlock
            | ModerationAction::ReadOnly
            | ModerationAction::Writable
            | ModerationAction::Mute(_)
            | ModerationAction::Unmute(_)
            | ModerationAction::Remove(_)
            | ModerationAction::Ban(_)
            | ModerationAction::Unban(_)
            | ModerationAction::Announce { .. } => {}
        }
        let (target, detail) = audited(id, done);
        let (at, by) = (event.timestamp, Some(done.user));
        let entry = audit::entry(at, by, done.action.kind().as_str(), target, detail);
        work.execute(entry).await?;
    }
    Ok(())
}

/// The log says that the end was extended before it came. A scheduler that marked the instance as ending
/// by the clock did not know that yet.
fn undo_scheduled_end(id: InstanceId) -> Change {
    Change::new(
        "UPDATE meeting_instance
         SET state = 'active', reason = NULL
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state = 'ending'
           AND reason IN ('scheduled', 'missed')",
        params! { "meeting": id.meeting, "order": id.order },
    )
}

/// The log says that an admin ended the instance, which takes precedence over an end by the clock.
fn end(id: InstanceId) -> Change {
    Change::new(
        "UPDATE meeting_instance
         SET state = 'ending', reason = 'ended'
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state IN ('active', 'ending')",
        params! { "meeting": id.meeting, "order": id.order },
    )
}
