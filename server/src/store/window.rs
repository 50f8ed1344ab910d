//! How far lists and agendas look, and which times a meeting may have.

use plenary_shared::domain::{Code, Reject};
use plenary_shared::limits;
use plenary_shared::time::Timestamp;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How far ahead a list of meetings looks.
pub(super) const AHEAD_MS: i64 = 14 * DAY_MS;

/// For how long a list of meetings shows what is over.
pub(super) const BACK_MS: i64 = DAY_MS;

/// Rows of a list of meetings: more than anybody reads.
pub(super) const LISTED_MAX: usize = 200;

/// Instances of one kind in an agenda. What is left over is read the next time, soon after.
pub(super) const AGENDA_MAX: usize = 1_000;

/// Whether a meeting may take place from then to then.
pub(super) fn check_times(from: Timestamp, to: Timestamp, now: Timestamp) -> Result<(), Reject> {
    let no = |why: &str| Err(Reject::new(Code::Invalid, why));
    if from >= to {
        return no("A meeting must end after it begins: choose a later end.");
    }
    if to <= now {
        return no("This time is over already: choose a later end.");
    }
    if to.ms_since(from) > limits::INSTANCE_DAYS_MAX * DAY_MS {
        return Err(Reject::new(
            Code::Invalid,
            format!(
                "A meeting takes at most {} days: choose an earlier end.",
                limits::INSTANCE_DAYS_MAX
            ),
        ));
    }
    Ok(())
}
