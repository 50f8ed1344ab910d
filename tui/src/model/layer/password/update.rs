//! The password dialog: opening it, moving between its fields, the change, and the reply.

use super::{Field, PasswordDialog};
use crate::command::Nav;
use crate::effect::AccountRequest;
use crate::model::step::Step;
use crate::theme::Tone;

impl Step<'_> {
    /// Opens the dialog.
    pub(crate) fn open_password(&mut self) {
        self.model.layers.push(PasswordDialog::default());
    }

    /// Moves between the fields, or changes the password.
    pub(crate) fn password_nav(&mut self, nav: Nav) {
        let Some(dialog) = self.model.layers.get_mut::<PasswordDialog>() else {
            return;
        };
        match nav {
            Nav::Down | Nav::NextField => dialog.step(true),
            Nav::Up | Nav::PreviousField => dialog.step(false),
            Nav::Enter => self.change_password(),
            Nav::PageUp | Nav::PageDown | Nav::First | Nav::Last => {}
        }
    }

    /// Changes the password, or goes to the first field that is empty or wrong.
    fn change_password(&mut self) {
        let Some(dialog) = self.model.layers.get_mut::<PasswordDialog>() else {
            return;
        };
        if dialog.is_sending {
            return;
        }
        let mut fields = Field::ALL.into_iter();
        if let Some(field) = fields.find(|field| dialog.editor(*field).is_empty()) {
            if dialog.field == field {
                dialog.error = Some(format!("{} is empty", field.title()));
            }
            dialog.field = field;
            return;
        }
        let text = |field| dialog.editor(field).text().to_owned();
        let (old, new) = (text(Field::Old), text(Field::New));
        if new != text(Field::Again) {
            return dialog.ask_again(Field::Again, "The new passwords differ".to_owned());
        }
        dialog.error = None;
        dialog.is_sending = true;
        self.request_account(AccountRequest::ChangePassword { old, new });
    }

    /// Handles the reply to a change.
    pub(crate) fn password_changed(&mut self, answer: Result<(), String>) {
        match answer {
            Ok(()) => {
                self.model.layers.close::<PasswordDialog>();
                let text = "Password changed. Your other sessions have ended.";
                self.model.tell(Tone::Plain, text);
            }
            Err(why) => match self.model.layers.get_mut::<PasswordDialog>() {
                Some(dialog) => {
                    dialog.is_sending = false;
                    dialog.ask_again(Field::Old, why);
                }
                None => self.model.tell(Tone::Bad, why),
            },
        }
    }
}
