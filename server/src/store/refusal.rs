//! Why an instance that is not live is not, in words that fit it: the same from every store.

use plenary_shared::domain::{Code, InstanceState, Reject};
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::limits::INSTANCE_DAYS_MAX;
use plenary_shared::time::Timestamp;

/// There is no such instance.
pub(super) fn unknown(id: InstanceId) -> Reject {
    let detail = format!("There is no meeting {id}: look at the list of meetings.");
    Reject::new(Code::NotFound, detail)
}

/// There is no such meeting.
pub(super) fn no_meeting(id: MeetingId) -> Reject {
    let detail = format!("There is no meeting {id}: look at the list of meetings.");
    Reject::new(Code::NotFound, detail)
}

/// It was called off before it began.
pub(super) fn cancelled(id: InstanceId) -> Reject {
    let detail = format!("Meeting {id} was cancelled: ask who runs it when it takes place.");
    Reject::new(Code::Ended, detail)
}

/// Nobody waits for it: it has begun.
pub(super) fn begun(id: InstanceId) -> Reject {
    let detail = format!("Meeting {id} has begun: join it.");
    Reject::new(Code::NotScheduled, detail)
}

/// It cannot be moved or cancelled any more.
pub(super) fn not_scheduled(id: InstanceId, state: InstanceState) -> Reject {
    let detail = match state {
        // It was moved or scheduled anew in between.
        InstanceState::Scheduled => format!("Meeting {id} was just changed: try again."),
        InstanceState::Active => {
            format!("Meeting {id} has begun: its end can be moved by extend, or end it now.")
        }
        InstanceState::Ending | InstanceState::Ended => {
            format!("Meeting {id} is over: schedule another instance of it.")
        }
    };
    Reject::new(Code::NotScheduled, detail)
}

/// Whom an admin wants out is not in.
pub(super) fn not_there() -> Reject {
    let detail = "This person is not in the meeting: to keep them out, remove them with a ban.";
    Reject::new(Code::NotParticipant, detail)
}

/// The new end is no later than the one before.
pub(super) fn not_later() -> Reject {
    let detail = "The new end must be later than the end is now: to end it sooner, end it.";
    Reject::new(Code::Invalid, detail)
}

/// It would last too long.
pub(super) fn too_long() -> Reject {
    let detail = format!("A meeting lasts at most {INSTANCE_DAYS_MAX} days: extend it by less.");
    Reject::new(Code::Invalid, detail)
}

/// It has not begun, is just beginning, or is over. `window`: when it begins and is over.
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
            let detail = format!("Meeting {id} begins at {from}: join it then.");
            Reject::new(Code::NotStarted, detail)
        }
        InstanceState::Scheduled | InstanceState::Active if to > now => {
            let detail = format!("Meeting {id} is just beginning: try again in a second.");
            let mut reject = Reject::new(Code::NotStarted, detail);
            reject.retry_after_s = Some(1);
            reject
        }
        InstanceState::Scheduled
        | InstanceState::Active
        | InstanceState::Ending
        | InstanceState::Ended => {
            let at = ended_at.unwrap_or(to);
            let detail = format!("Meeting {id} ended at {at}: it can only be read now.");
            Reject::new(Code::Ended, detail)
        }
    }
}
