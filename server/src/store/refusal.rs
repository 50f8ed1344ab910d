//! Rejections of verbs with a detail that fits the instance. All stores use the same.

use plenary_shared::domain::{Code, InstanceState, Reject};
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::limits::INSTANCE_DAYS_MAX;
use plenary_shared::time::Timestamp;

/// The instance does not exist.
pub(super) fn unknown(id: InstanceId) -> Reject {
    let detail = format!("Meeting {id} does not exist. See the list of meetings.");
    Reject::new(Code::NotFound, detail)
}

/// The meeting does not exist.
pub(super) fn no_meeting(id: MeetingId) -> Reject {
    let detail = format!("Meeting {id} does not exist. See the list of meetings.");
    Reject::new(Code::NotFound, detail)
}

/// The instance was cancelled before its start.
pub(super) fn cancelled(id: InstanceId) -> Reject {
    let detail = format!("Meeting {id} was cancelled. Ask the organizer for a new date.");
    Reject::new(Code::Ended, detail)
}

/// The instance has started, so waiting for it is not possible.
pub(super) fn started(id: InstanceId) -> Reject {
    let detail = format!("Meeting {id} has started. Join it.");
    Reject::new(Code::NotScheduled, detail)
}

/// The instance has started or ended, so it cannot be moved or cancelled.
pub(super) fn not_scheduled(id: InstanceId, state: InstanceState) -> Reject {
    let detail = match state {
        // Another admin changed it in between.
        InstanceState::Scheduled => format!("Meeting {id} was just changed. Try again."),
        InstanceState::Active => {
            format!("Meeting {id} has started. To change its end, extend it or end it now.")
        }
        InstanceState::Ending | InstanceState::Ended => {
            format!("Meeting {id} has ended. Schedule another instance of it.")
        }
    };
    Reject::new(Code::NotScheduled, detail)
}

/// The user to remove is not a participant.
pub(super) fn target_not_participant() -> Reject {
    let detail = "This user is not in the meeting. To keep them out, ban them.";
    Reject::new(Code::NotParticipant, detail)
}

/// The new end is not later than the current one.
pub(super) fn not_later() -> Reject {
    let detail =
        "The new end must be later than the current end. To end the meeting sooner, end it now.";
    Reject::new(Code::Invalid, detail)
}

/// The instance would last too long.
pub(super) fn too_long() -> Reject {
    let detail = format!("A meeting lasts at most {INSTANCE_DAYS_MAX} days. Extend it by less.");
    Reject::new(Code::Invalid, detail)
}

/// The instance has not started, is just starting, or has ended. `window`: its start and end.
pub(super) fn of_time(
    id: InstanceId,
    state: InstanceState,
    window: (Timestamp, Timestamp),
    ended_at: Option<Timestamp>,
    now: Timestamp,
) -> Reject {
    let (from, to) = window;
    match state {
        InstanceState::Scheduled if from > now => {
            let detail = format!("Meeting {id} starts at {from}. Join it then.");
            Reject::new(Code::NotStarted, detail)
        }
        InstanceState::Scheduled | InstanceState::Active if to > now => {
            let detail = format!("Meeting {id} is just starting. Try again in a second.");
            let mut reject = Reject::new(Code::NotStarted, detail);
            reject.retry_after_s = Some(1);
            reject
        }
        InstanceState::Scheduled
        | InstanceState::Active
        | InstanceState::Ending
        | InstanceState::Ended => {
            let at = ended_at.unwrap_or(to);
            let detail = format!("Meeting {id} ended at {at}. You can still read it.");
            Reject::new(Code::Ended, detail)
        }
    }
}
