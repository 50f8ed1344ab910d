//! The list of meetings while it has the keys.

mod update;

/// The list of meetings; its selected row is the shown meeting.
#[derive(Clone, Copy, Debug)]
pub struct MeetingList;
