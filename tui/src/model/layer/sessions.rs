//! The user's own sessions: the list, and the selected one.

mod update;
pub mod view;

use plenary_shared::protocol::SessionListed;

/// The state of the list.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    /// The sessions, newest first. `None` until the server has replied.
    pub list: Option<Vec<SessionListed>>,
    /// The selected row.
    pub selected: usize,
}

impl Sessions {
    /// Returns the selected session.
    pub fn selected(&self) -> Option<&SessionListed> {
        let list = self.list.as_ref()?;
        list.get(self.selected.min(list.len().saturating_sub(1)))
    }
}
