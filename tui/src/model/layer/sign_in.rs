//! The sign-in form: three fields, what went wrong, what is going on.

mod update;
pub mod view;

use plenary_shared::time::Timestamp;

use crate::model::editor::{Editor, KillRing};

/// The form.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The server's address.
    pub server: Editor,
    /// The account's address.
    pub email: Editor,
    /// Its password.
    pub password: Editor,
    /// What was cut from each field: a password comes back nowhere else.
    rings: [KillRing; 3],
    /// Where keys go.
    pub field: Field,
    /// Why it did not work, and when.
    pub error: Option<(Timestamp, String)>,
    /// Since when it is tried.
    pub since: Option<Timestamp>,
}

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The server's address.
    Server,
    /// The account's address.
    Email,
    /// Its password.
    Password,
}

impl Field {
    /// Every field, from top to bottom.
    pub const ALL: [Self; 3] = [Self::Server, Self::Email, Self::Password];

    /// What the form calls it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Server => "Server",
            Self::Email => "Email",
            Self::Password => "Password",
        }
    }
}

impl SignIn {
    /// With what is known already; the cursor stands in the first field that is empty.
    pub fn new(server: &str, email: &str) -> Self {
        let field = if server.is_empty() {
            Field::Server
        } else if email.is_empty() {
            Field::Email
        } else {
            Field::Password
        };
        Self {
            server: Editor::new(server),
            email: Editor::new(email),
            password: Editor::default(),
            rings: Default::default(),
            field,
            error: None,
            since: None,
        }
    }

    /// A field's text.
    pub fn editor(&self, field: Field) -> &Editor {
        match field {
            Field::Server => &self.server,
            Field::Email => &self.email,
            Field::Password => &self.password,
        }
    }

    /// The text that keys go to, and what was cut from it.
    pub fn editor_mut(&mut self) -> (&mut Editor, &mut KillRing) {
        let [server, email, password] = &mut self.rings;
        match self.field {
            Field::Server => (&mut self.server, server),
            Field::Email => (&mut self.email, email),
            Field::Password => (&mut self.password, password),
        }
    }

    /// The field so many further, around the ends.
    pub fn step(&mut self, forward: bool) {
        self.field = match (self.field, forward) {
            (Field::Server, true) | (Field::Password, false) => Field::Email,
            (Field::Email, true) | (Field::Server, false) => Field::Password,
            (Field::Password, true) | (Field::Email, false) => Field::Server,
        };
    }
}
