//! Why an instance that is not live is not, in words that fit it: the same from every store.

use plenary_shared::domain::{Code, InstanceState, Reject};
use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;

/// There is no such instance.
pub(super) fn unknown(id: InstanceId) -> Reject {
    let detail = format!("There is no meeting {id}: look at the list of meetings.");
    Reject::new(Code::NotFound, detail)
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
