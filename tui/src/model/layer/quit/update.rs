//! Quitting: the question, and its answers.

use plenary_shared::protocol::{TerminalsOk, Verb};

use super::Quit;
use crate::effect::Effect;
use crate::model::Asked;
use crate::model::editor::Editor;
use crate::model::layer::sign_in::SignIn;
use crate::model::room::Room;
use crate::model::step::Step;

/// How long a second Ctrl-C quits.
const QUIT_MS: i64 = 2_000;
/// How long a leave may take when quitting.
const LEAVE_MS: i64 = 2_000;

impl Step<'_> {
    /// Clears the input; if it is empty, quits at the second time.
    pub(crate) fn clear_or_quit(&mut self) {
        if self.model.layers.is_top::<SignIn>() {
            return self.quit_now();
        }
        if self.editor().is_some_and(|(editor, _)| !editor.is_empty()) {
            // What was cleared can be inserted again like anything that was cut.
            return self.change(Editor::cut_all);
        }
        if self.model.quitting.confirm_until.is_some() {
            return self.quit_now();
        }
        self.model.quitting.confirm_until = Some(self.model.now.plus_ms(QUIT_MS));
        self.ask_terminals();
    }

    /// Quits; in a running meeting asks first.
    pub(crate) fn quit(&mut self) {
        let asks = self.model.joined_rooms().next().is_some();
        if asks && !self.model.layers.is_top::<SignIn>() {
            self.model.layers.push(Quit);
            self.ask_terminals();
        } else {
            self.quit_now();
        }
    }

    /// Asks whether another terminal stays in the meetings. The question does not wait for the answer.
    fn ask_terminals(&mut self) {
        self.model.quitting.stays_elsewhere = false;
        if self.model.joined_rooms().next().is_some() {
            self.ask(Verb::Terminals {}, Asked::Terminals);
        }
    }

    /// Takes the answer.
    pub(crate) fn terminals(&mut self, ok: &TerminalsOk) {
        let is_elsewhere = |room: &Room| ok.elsewhere.contains(&room.id);
        let stays = self.model.joined_rooms().all(is_elsewhere);
        self.model.quitting.stays_elsewhere = stays;
    }

    /// Quits, and keeps the seats in running meetings for the reconnect grace.
    pub(crate) fn quit_keeping_seats(&mut self) {
        self.out.push(Effect::KeepSeats);
        self.quit_now();
    }

    /// Leaves the running meetings, and quits once the server has answered.
    pub(crate) fn quit_leaving(&mut self) {
        let ids: Vec<_> = self.model.joined_rooms().map(|room| room.id).collect();
        let mut asked = false;
        for id in ids {
            asked |= self.ask(Verb::Leave(id), Asked::Leave(id));
        }
        self.model.layers.close::<Quit>();
        if asked {
            self.model.quitting.forced_at = Some(self.model.now.plus_ms(LEAVE_MS));
        } else {
            self.quit_now();
        }
    }
}
