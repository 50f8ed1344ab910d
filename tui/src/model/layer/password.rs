//! The dialog that changes the password: its fields, the last error and the progress.

mod update;
pub mod view;

use crate::model::editor::{Editor, KillRing};

/// The state of the dialog. Its fields are never shown.
#[derive(Clone, Debug, Default)]
pub struct PasswordDialog {
    /// The texts, in the order of [`Field::ALL`].
    fields: [Editor; 3],
    /// The texts that were cut, by field, so that a password is never pasted elsewhere.
    rings: [KillRing; 3],
    /// The field that takes the typing.
    pub field: Field,
    /// The last error.
    pub error: Option<String>,
    /// Whether a change was sent and is not answered.
    pub is_sending: bool,
}

/// A field of the dialog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// The current password.
    #[default]
    Old,
    /// The new password.
    New,
    /// The new password once more.
    Again,
}

impl Field {
    /// Every field, from top to bottom.
    pub const ALL: [Self; 3] = [Self::Old, Self::New, Self::Again];

    /// Returns the label.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Old => "Old password",
            Self::New => "New password",
            Self::Again => "New again",
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Old => 0,
            Self::New => 1,
            Self::Again => 2,
        }
    }
}

impl PasswordDialog {
    /// Returns the text of a field.
    pub fn editor(&self, field: Field) -> &Editor {
        &self.fields[field.index()]
    }

    /// Returns the text that takes the typing, with its kill ring.
    pub fn editor_mut(&mut self) -> (&mut Editor, &mut KillRing) {
        let index = self.field.index();
        (&mut self.fields[index], &mut self.rings[index])
    }

    /// Moves to the next or previous field, around the ends.
    pub fn step(&mut self, forward: bool) {
        let count = Field::ALL.len();
        let by = if forward { 1 } else { count - 1 };
        self.field = Field::ALL[(self.field.index() + by) % count];
    }

    /// Empties a field and moves there.
    fn ask_again(&mut self, field: Field, error: String) {
        self.fields[field.index()].take();
        self.field = field;
        self.error = Some(error);
    }
}
