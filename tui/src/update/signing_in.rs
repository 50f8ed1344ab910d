//! The sign-in form.

use plenary_shared::protocol::LoginOk;

use super::Step;
use crate::command::Command;
use crate::effect::Effect;
use crate::model::Link;
use crate::model::sign_in::Field;
use crate::session::Token;

impl Step<'_> {
    /// A key of the form.
    pub(super) fn form(&mut self, command: Command) {
        let now = self.model.now;
        let Some(form) = &mut self.model.sign_in else {
            return;
        };
        match command {
            Command::FieldNext => form.step(true),
            Command::FieldPrevious => form.step(false),
            Command::SignIn => {
                if form.since.is_some() {
                    return;
                }
                let empty = Field::ALL
                    .into_iter()
                    .find(|field| form.editor(*field).is_empty());
                if let Some(field) = empty {
                    if form.field == field {
                        let what = field.title().to_lowercase();
                        form.error = Some((now, format!("the {what} is empty")));
                    } else {
                        form.field = field;
                    }
                    return;
                }
                form.error = None;
                form.since = Some(now);
                let text = |field| form.editor(field).text().trim().to_owned();
                self.out.push(Effect::SignIn {
                    server: text(Field::Server),
                    email: text(Field::Email),
                    // Blanks may be a part of it.
                    password: form.password.text().to_owned(),
                });
            }
            Command::Back if form.since.take().is_some() => {
                self.out.push(Effect::CancelSignIn);
            }
            Command::ClearOrQuit | Command::Quit => self.quit_now(),
            _ => {}
        }
    }

    /// The server has answered.
    pub(super) fn signed_in(&mut self, answer: Result<LoginOk, String>) {
        let now = self.model.now;
        // An answer to a sign-in that was cancelled means nothing.
        let Some(form) = self
            .model
            .sign_in
            .as_mut()
            .filter(|form| form.since.is_some())
        else {
            return;
        };
        form.since = None;
        match answer {
            Ok(ok) => {
                let server = form.server.text().trim().to_owned();
                let other = self.model.server != server
                    || self.model.me.as_ref().is_some_and(|me| me.id != ok.user);
                if other {
                    self.model.rooms.clear();
                    // On disk they stay.
                    self.model.outbox = crate::model::outbox::Outbox::default();
                    self.model.outbox_of = None;
                    self.model.meetings = crate::model::meetings::Meetings::default();
                    self.model.shown = None;
                    self.model.me = None;
                }
                self.model.server.clone_from(&server);
                self.model.token = Some(Token::new(ok.token));
                self.model.sign_in = None;
                self.model.link = Link::Connecting { attempt: 0 };
                self.out.push(Effect::Connect { server });
            }
            Err(why) => {
                form.error = Some((now, why));
                form.password.take();
                form.field = Field::Password;
            }
        }
    }
}
