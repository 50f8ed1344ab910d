//! The sign-in form: moving between fields, signing in, and the reply.

use plenary_shared::protocol::LoginOk;

use crate::command::Nav;
use crate::effect::Effect;
use crate::model::Link;
use crate::model::editor::Editor;
use crate::model::layer::sign_in::{Field, SignIn};
use crate::model::step::Step;
use crate::session::Token;

impl Step<'_> {
    /// Moves between the fields, or signs in.
    pub(crate) fn sign_in_nav(&mut self, nav: Nav) {
        let Some(form) = self.model.layers.get_mut::<SignIn>() else {
            return;
        };
        match nav {
            Nav::Down | Nav::NextField => form.step(true),
            Nav::Up | Nav::PreviousField => form.step(false),
            Nav::Enter => self.sign_in(),
            Nav::PageUp | Nav::PageDown | Nav::First | Nav::Last => {}
        }
    }

    /// Signs in, or goes to the first empty field.
    fn sign_in(&mut self) {
        let now = self.model.now;
        let Some(form) = self.model.layers.get_mut::<SignIn>() else {
            return;
        };
        if form.since.is_some() {
            return;
        }
        let empty = Field::ALL
            .into_iter()
            .find(|field| form.editor(*field).is_empty());
        if let Some(field) = empty {
            if form.field == field {
                form.error = Some((now, format!("{} is empty", field.title())));
            } else {
                form.field = field;
            }
            return;
        }
        form.error = None;
        form.since = Some(now);
        let text = |field| form.editor(field).text().trim().to_owned();
        self.out.push(Effect::SignIn {
            server: form.server_address(),
            email: text(Field::Email),
            // A password may begin or end with blanks.
            password: form.password.text().to_owned(),
        });
    }

    /// Cancels a sign-in that is not answered yet.
    pub(crate) fn cancel_sign_in(&mut self) {
        let form = self.model.layers.get_mut::<SignIn>();
        if form.is_some_and(|form| form.since.take().is_some()) {
            self.out.push(Effect::CancelSignIn);
        }
    }

    /// Handles the reply to a sign-in.
    pub(crate) fn signed_in(&mut self, answer: Result<LoginOk, String>) {
        let now = self.model.now;
        // The reply to a cancelled sign-in is dropped.
        let form = self.model.layers.get_mut::<SignIn>();
        let Some(form) = form.filter(|form| form.since.is_some()) else {
            return;
        };
        form.since = None;
        match answer {
            Ok(ok) => {
                let server = form.server_address();
                let other = self.model.session.server != server
                    || self
                        .model
                        .session
                        .me
                        .as_ref()
                        .is_some_and(|me| me.id != ok.user);
                if other {
                    self.model.rooms.clear();
                    // The journal keeps the entries.
                    self.model.outbox = crate::model::outbox::Outbox::default();
                    self.model.session.outbox_owner = None;
                    self.model.meetings = crate::model::meetings::Meetings::default();
                    self.model.shown = None;
                    self.model.session.me = None;
                }
                self.model.session.server.clone_from(&server);
                self.model.session.token = Some(Token::new(ok.token));
                self.model.layers.close::<SignIn>();
                self.model.connection.link = Link::Connecting { attempt: 0 };
                self.out.push(Effect::Connect { server });
            }
            Err(why) => {
                form.error = Some((now, why));
                // It is kept to be corrected; typing replaces it.
                form.password = Editor::with_default(form.password.text());
                form.field = Field::Password;
            }
        }
    }
}
