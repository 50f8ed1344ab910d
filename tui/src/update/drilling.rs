//! Into one meeting on the dashboard: its people, what happens in it, and what one of them said.

use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::protocol::{Detail, TraceWhat, UserMessages, Verb, Watch};

use super::Step;
use crate::command::Command;
use crate::model::Asked;
use crate::model::board::{Dashboard, Drill, Looked, Pane, PeopleSort};
use crate::model::overlay::{Overlay, Page};

/// Rows that a page up or down moves: less than a small screen shows.
const PAGE: usize = 10;

/// Messages of one person that are shown at once.
const MESSAGES_SHOWN: usize = 200;

impl Step<'_> {
    /// Into the selected meeting.
    pub(super) fn drill_down(&mut self) {
        let now = self.model.now;
        let Some(board) = &mut self.model.board else {
            return;
        };
        if let Some(id) = board.row(now).map(|row| row.instance) {
            board.selected = Some(id);
            board.drill = Some(Drill::new(id));
        }
    }

    /// One step back there; false: one is not there.
    pub(super) fn back_in_drill(board: &mut Dashboard) -> bool {
        let Some(drill) = &mut board.drill else {
            return false;
        };
        if drill.filtering || !drill.filter.is_empty() {
            drill.filtering = false;
            drill.filter.set("");
        } else {
            board.drill = None;
        }
        true
    }

    /// What a key does inside one meeting; false: what it does on the whole dashboard.
    pub(super) fn drilling(&mut self, command: Command, nth: usize) -> bool {
        let is_inside = |board: &Dashboard| board.drill.is_some() && board.asking.is_none();
        if !self.model.board.as_ref().is_some_and(is_inside) {
            return false;
        }
        match command {
            Command::BoardUp => self.step_drill(|at, _| at.saturating_sub(1)),
            Command::BoardDown => self.step_drill(|at, last| (at + 1).min(last)),
            Command::BoardFirst => self.step_drill(|_, _| 0),
            Command::BoardLast => self.step_drill(|_, last| last),
            Command::BoardPageUp => self.step_drill(|at, _| at.saturating_sub(PAGE)),
            Command::BoardPageDown => self.step_drill(|at, last| (at + PAGE).min(last)),
            Command::BoardEnter => self.open_messages(),
            Command::BoardFilter => self.with_drill(|drill| drill.filtering = true),
            Command::DrillPane => self.with_drill(|drill| {
                drill.pane = match drill.pane {
                    Pane::People => Pane::Events,
                    Pane::Events => Pane::People,
                };
            }),
            Command::DrillSort => self.with_drill(|drill| {
                let sort = PeopleSort::ALL.get(nth).copied().unwrap_or_default();
                drill.reversed = drill.sort == sort && !drill.reversed;
                drill.sort = sort;
            }),
            // The filter stands.
            Command::AskingEnter => self.with_drill(|drill| drill.filtering = false),
            Command::BoardSort | Command::BoardMark | Command::AskingUp | Command::AskingDown => {}
            _ => return false,
        }
        true
    }

    fn with_drill(&mut self, change: impl FnOnce(&mut Drill)) {
        let board = self.model.board.as_mut();
        if let Some(drill) = board.and_then(|board| board.drill.as_mut()) {
            change(drill);
        }
    }

    fn step_drill(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        let now = self.model.now;
        let Some(board) = &mut self.model.board else {
            return;
        };
        let Some(mut drill) = board.drill.take() else {
            return;
        };
        if let Some(looked) = board.looked(drill.instance) {
            match drill.pane {
                Pane::People => {
                    let people = drill.people(looked, now);
                    let at = to(drill.person_at(&people), people.len().saturating_sub(1));
                    drill.person = people.get(at).map(|one| one.user);
                }
                Pane::Events => {
                    let traces = drill.traces(looked);
                    let at = to(drill.trace_at(&traces), traces.len().saturating_sub(1));
                    // At the newest one it goes on with what comes.
                    drill.trace = traces.get(at).map(|one| one.number).filter(|_| at > 0);
                }
            }
        }
        board.drill = Some(drill);
    }

    /// What the selected person said; from an event, up to that.
    fn open_messages(&mut self) {
        let now = self.model.now;
        let Some((instance, user, name, upto)) = self
            .model
            .board
            .as_ref()
            .and_then(|board| selected(board, now))
        else {
            return;
        };
        let asked = UserMessages {
            instance,
            user,
            after: None,
            before: upto.map(Seq::next),
            limit: MESSAGES_SHOWN,
        };
        if self.ask_or_tell(Verb::UserMessages(asked), Asked::UserMessages) {
            self.model.overlay = Some(Overlay::new(Page::Messages {
                instance,
                name,
                said: None,
            }));
        }
    }

    /// The server tells more of the meeting that is looked into.
    pub(super) fn detail_news(&mut self, event: Detail) {
        let board = self.model.board.as_mut();
        if let Some(looked) = board.and_then(|board| board.live.looked.as_mut()) {
            looked.take(event);
        }
    }

    /// Asks for the detail of what is selected now, once what was asked before is answered.
    pub(super) fn look_into(&mut self) {
        let wanted = self.model.detailed();
        let is_told = |board: &Dashboard| board.asked_for == wanted;
        let is_told = self.model.board.as_ref().is_none_or(is_told);
        if is_told || !self.is_ready() || self.is_asked(&Asked::Watch) {
            return;
        }
        let watch = Watch {
            stop: false,
            instance: wanted,
        };
        self.ask(Verb::Watch(watch), Asked::Watch);
        if let Some(board) = &mut self.model.board {
            board.asked_for = wanted;
            board.live.looked = wanted.map(Looked::of);
        }
    }
}

/// The selected person, and the message that is meant, if it is one.
fn selected(
    board: &Dashboard,
    now: plenary_shared::time::Timestamp,
) -> Option<(InstanceId, UserId, String, Option<Seq>)> {
    let drill = board.drill.as_ref()?;
    let looked = board.looked(drill.instance)?;
    match drill.pane {
        Pane::People => {
            let people = drill.people(looked, now);
            let one = people.get(drill.person_at(&people))?;
            Some((drill.instance, one.user, one.name.clone(), None))
        }
        Pane::Events => {
            let traces = drill.traces(looked);
            let one = traces.get(drill.trace_at(&traces))?;
            let upto = match &one.what {
                TraceWhat::Message { .. } => one.seq,
                TraceWhat::Edited { target, .. } | TraceWhat::Deleted { target } => Some(*target),
                TraceWhat::Opened
                | TraceWhat::Join
                | TraceWhat::Leave { .. }
                | TraceWhat::Moderated { .. }
                | TraceWhat::Closed { .. }
                | TraceWhat::Denied { .. }
                | TraceWhat::Lost
                | TraceWhat::Back => None,
            };
            Some((drill.instance, one.user?, one.name.clone(), upto))
        }
    }
}
