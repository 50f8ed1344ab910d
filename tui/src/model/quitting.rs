//! The steps of quitting.

use plenary_shared::time::Timestamp;

/// The steps of quitting.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quitting {
    /// The time until which a second Ctrl-C quits.
    pub confirm_until: Option<Timestamp>,
    /// Whether another terminal stays in the joined meetings, as far as the server has answered.
    pub stays_elsewhere: bool,
    /// When the program quits even if a leave is not answered.
    pub forced_at: Option<Timestamp>,
}
