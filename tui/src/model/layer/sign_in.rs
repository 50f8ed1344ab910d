//! The sign-in form: its fields, the last error and the progress.

mod update;
pub mod view;

use plenary_shared::time::Timestamp;

use crate::model::editor::{Editor, KillRing};
use crate::server_url::ServerUrl;

/// The state of the form.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub server: Editor,
    pub email: Editor,
    pub password: Editor,
    /// The texts that were cut, by field, so that a password is never pasted elsewhere.
    rings: [KillRing; 3],
    /// The field that takes the typing.
    pub field: Field,
    /// The last error with its time.
    pub error: Option<(Timestamp, String)>,
    /// The start of a sign-in that is in progress.
    pub since: Option<Timestamp>,
}

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Server,
    Email,
    Password,
}

impl Field {
    /// Every field, from top to bottom.
    pub const ALL: [Self; 3] = [Self::Server, Self::Email, Self::Password];

    /// Returns the label.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Server => "Server",
            Self::Email => "Email",
            Self::Password => "Password",
        }
    }
}

impl SignIn {
    /// Creates a form with known values, with the cursor in the first empty field.
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

    /// Returns the server's address, as the session stores it.
    pub fn server_address(&self) -> String {
        let typed = self.server.text().trim();
        let parsed = typed.parse::<ServerUrl>();
        parsed.map_or_else(|_| typed.to_owned(), |url| url.to_string())
    }

    /// Returns the text of a field.
    pub fn editor(&self, field: Field) -> &Editor {
        match field {
            Field::Server => &self.server,
            Field::Email => &self.email,
            Field::Password => &self.password,
        }
    }

    /// Returns the text that takes the typing, with its kill ring.
    pub fn editor_mut(&mut self) -> (&mut Editor, &mut KillRing) {
        let [server, email, password] = &mut self.rings;
        match self.field {
            Field::Server => (&mut self.server, server),
            Field::Email => (&mut self.email, email),
            Field::Password => (&mut self.password, password),
        }
    }

    /// Moves to the next or previous field, around the ends.
    pub fn step(&mut self, forward: bool) {
        self.field = match (self.field, forward) {
            (Field::Server, true) | (Field::Password, false) => Field::Email,
            (Field::Email, true) | (Field::Server, false) => Field::Password,
            (Field::Password, true) | (Field::Email, false) => Field::Server,
        };
    }
}
