//! What admins did to running instances, brought from the log into the schedule and the audit: in the
//! transaction that archives it, so that a crash loses neither or both.

use std::collections::BTreeSet;

use mysql_async::params;
use plenary_shared::domain::{EndChange, Event, Moderation, ModerationAction, What};
use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;

use super::link::Work;
use super::row;
use crate::error::Fault;
use crate::store::moderation::audited;

/// Brings the moderation among these events into the schedule and the audit, in their order.
pub(super) async fn apply(work: &mut Work, events: &[&Event]) -> Result<(), Fault> {
    // Once the log is closed an end by the clock stands.
    let closed: BTreeSet<InstanceId> = events
        .iter()
        .filter(|event| matches!(event.what, What::Closed { .. }))
        .map(|event| event.instance)
        .collect();
    for event in events {
        let What::Moderated(done) = &event.what else {
            continue;
        };
        match &done.action {
            ModerationAction::Extend(EndChange { todatetime, .. }) => {
                extend(work, event.instance, *todatetime).await?;
                if !closed.contains(&event.instance) {
                    go_on(work, event.instance).await?;
                }
            }
            ModerationAction::End => end(work, event.instance).await?,
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
        audit(work, event.instance, done, event.timestamp).await?;
    }
    Ok(())
}

async fn extend(work: &mut Work, id: InstanceId, to: Timestamp) -> Result<(), Fault> {
    work.change(
        "UPDATE meeting_instance
         SET todatetime = :to
         WHERE meetingID = :meeting
           AND orderID = :order",
        row::with(id, params! { "to" => row::at(to) }),
    )
    .await?;
    Ok(())
}

/// The log says that its end was moved before it came: who marked it as ending by the clock did not
/// know that yet.
async fn go_on(work: &mut Work, id: InstanceId) -> Result<(), Fault> {
    work.change(
        "UPDATE meeting_instance
         SET state = 'active', reason = NULL
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state = 'ending'
           AND reason IN ('scheduled', 'missed')",
        row::of(id),
    )
    .await?;
    Ok(())
}

/// The log says that an admin ended it, which settles the reason: whoever marked it by the clock was
/// later.
async fn end(work: &mut Work, id: InstanceId) -> Result<(), Fault> {
    work.change(
        "UPDATE meeting_instance
         SET state = 'ending', reason = 'ended'
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state IN ('active', 'ending')",
        row::of(id),
    )
    .await?;
    Ok(())
}

async fn audit(
    work: &mut Work,
    id: InstanceId,
    done: &Moderation,
    at: Timestamp,
) -> Result<(), Fault> {
    let (target, detail) = audited(id, done);
    work.change(
        "INSERT INTO audit (at, actor, action, target, detail)
         VALUES (:at, :actor, :action, :target, :detail)",
        params! {
            "at" => row::at(at),
            "actor" => done.user.get(),
            "action" => done.action.kind().as_str(),
            "target" => target,
            "detail" => detail,
        },
    )
    .await?;
    Ok(())
}
