//! Limits of lists and agendas, and the check of the times of an instance.

use plenary_shared::domain::{Code, Reject};
use plenary_shared::limits;
use plenary_shared::time::Timestamp;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How far ahead a list of meetings reaches.
pub(super) const AHEAD_MS: i64 = 14 * DAY_MS;

/// For how long a list of meetings contains ended instances.
pub(super) const BACK_MS: i64 = DAY_MS;

/// Rows of a list of meetings: more than anybody reads.
pub(super) const LISTED_MAX: usize = 200;

/// Instances of each kind in an agenda. The next reading, soon after, has the rest.
pub(super) const AGENDA_MAX: usize = 1_000;

/// Checks that an instance may have these times.
pub(super) fn check_times(from: Timestamp, to: Timestamp, now: Timestamp) -> Result<(), Reject> {
    let no = |why: &str| Err(Reject::new(Code::Invalid, why));
    if from >= to {
        return no("A meeting must end after it starts. Choose a later end.");
    }
    if to <= now {
        return no("The end is in the past. Choose a later end.");
    }
    if to.ms_since(from) > limits::INSTANCE_DAYS_MAX * DAY_MS {
        return Err(Reject::new(
            Code::Invalid,
            format!(
                "A meeting lasts at most {} days. Choose an earlier end.",
                limits::INSTANCE_DAYS_MAX
            ),
        ));
    }
    Ok(())
}
