//! The user's own sessions: opening the list, moving in it, and ending sessions.

use plenary_shared::protocol::SessionListed;

use super::Sessions;
use crate::command::{Nav, SessionsCommand};
use crate::effect::{AccountRequest, Effect};
use crate::model::step::Step;
use crate::theme::Tone;

/// Rows that a page key moves.
const PAGE_ROWS: usize = 10;

impl Step<'_> {
    /// Sends a request about the user's own account.
    pub(crate) fn request_account(&mut self, request: AccountRequest) {
        let (Some(user), Some(token)) = (self.model.my_id(), self.model.session.token.clone())
        else {
            return self.model.tell(Tone::Bad, "Not signed in");
        };
        self.out.push(Effect::Account {
            token,
            user,
            request,
        });
    }

    /// Opens the list and requests it.
    pub(crate) fn open_sessions(&mut self) {
        self.model.layers.push(Sessions::default());
        self.request_account(AccountRequest::ListSessions);
    }

    /// Moves in the list.
    pub(crate) fn sessions_nav(&mut self, nav: Nav) {
        let Some(sessions) = self.model.layers.get_mut::<Sessions>() else {
            return;
        };
        let last = sessions.list.as_ref().map_or(0, Vec::len).saturating_sub(1);
        let at = sessions.selected.min(last);
        sessions.selected = nav.moved(at, last, PAGE_ROWS).unwrap_or(at);
    }

    /// Ends the selected session, or all others than this one.
    pub(crate) fn sessions_command(&mut self, command: SessionsCommand) {
        let selected = self.model.layers.get::<Sessions>();
        let selected = selected.and_then(Sessions::selected);
        match (command, selected) {
            (SessionsCommand::EndOthers, _) => {
                self.request_account(AccountRequest::EndOtherSessions);
            }
            (SessionsCommand::End, None) => {}
            (SessionsCommand::End, Some(one)) if one.current => {
                let text = "This is the session that you are using. Select another one.";
                self.model.tell(Tone::Bad, text);
            }
            (SessionsCommand::End, Some(one)) => {
                let id = one.id;
                self.request_account(AccountRequest::EndSession(id));
            }
        }
    }

    /// Handles the reply to a request, which has the new list.
    pub(crate) fn sessions_listed(&mut self, answer: Result<Vec<SessionListed>, String>) {
        match (answer, self.model.layers.get_mut::<Sessions>()) {
            (Ok(list), Some(sessions)) => sessions.list = Some(list),
            (Ok(_), None) => {}
            (Err(why), _) => self.model.tell(Tone::Bad, why),
        }
    }
}
