//! The dashboard: watching, going through its rows, and what admins do to meetings from there.

use plenary_shared::domain::{Code, InstanceState, Participant, Reject};
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::protocol::{Board, Explain, Moderate, Target, Verb, Watch};

use super::Step;
use crate::command::Command;
use crate::model::Asked;
use crate::model::board::{Action, Asking, Dashboard, Field, Sort};
use crate::model::overlay::{Overlay, Page};
use crate::text;
use crate::theme::Tone;

/// Rows that a page up or down moves: less than a small screen shows.
const PAGE: usize = 10;

impl Step<'_> {
    /// Opens the dashboard, or comes back to it; again, closes it.
    pub(super) fn toggle_board(&mut self) {
        if self.model.boards() {
            return self.close_board();
        }
        if self.model.sign_in.is_some() {
            return;
        }
        if self.model.me.is_some() && !self.model.is_admin() {
            return self.model.tell(Tone::Bad, Code::AdminsOnly.sentence());
        }
        self.end_select();
        self.model.overlay = None;
        self.model.find = None;
        self.model.drawer = None;
        self.model.leaving = false;
        if let Some(board) = &mut self.model.board {
            board.inside = false;
        } else {
            self.model.board = Some(Dashboard::default());
            self.watch();
        }
    }

    /// Asks to be told, if the dashboard is open.
    pub(super) fn watch(&mut self) {
        if let Some(board) = &mut self.model.board {
            // One meeting in detail is asked for once this is answered.
            board.asked_for = None;
            board.live.looked = None;
            self.ask(Verb::Watch(Watch::default()), Asked::Watch);
            self.read_schedule();
        }
    }

    fn close_board(&mut self) {
        self.model.board = None;
        let stop = Watch {
            stop: true,
            instance: None,
        };
        self.ask(Verb::Watch(stop), Asked::Watch);
    }

    /// The dashboard is not for this person, or not any more.
    pub(super) fn watch_refused(&mut self, reject: &Reject) {
        if reject.code == Code::AdminsOnly {
            self.model.board = None;
        }
        let looked = self.model.board.as_mut();
        if let Some(looked) = looked.and_then(|board| board.live.looked.as_mut()) {
            looked.refused = Some(reject.detail.clone());
        }
        self.tell_no(reject);
    }

    /// The server tells what has changed. What was still on its way when one stopped is dropped.
    pub(super) fn board_news(&mut self, event: Board) {
        if let Some(board) = &mut self.model.board {
            board.take(event);
        }
    }

    /// From a meeting back to the dashboard; false when nobody came from there.
    pub(super) fn back_to_board(&mut self) -> bool {
        let inside = self.model.board.as_mut().filter(|board| board.inside);
        if let Some(board) = inside {
            board.inside = false;
            return true;
        }
        false
    }

    /// One step back on the dashboard.
    pub(super) fn back_on_board(&mut self) {
        let Some(board) = &mut self.model.board else {
            return;
        };
        if board.asking.take().is_some() {
            self.model.tell(Tone::Plain, "nothing was done");
        } else if Self::back_in_drill(board) {
            // The table, or everybody again.
        } else if board.filtering || !board.filter.is_empty() {
            board.filtering = false;
            board.filter.set("");
        } else if !board.marked.is_empty() {
            board.marked.clear();
        } else if board.frozen.take().is_none() {
            self.close_board();
        }
    }

    /// What a key does on the dashboard.
    pub(super) fn boarding(&mut self, command: Command, nth: usize) {
        if self.drilling(command, nth) {
            return;
        }
        match command {
            Command::BoardUp => self.step_board(|at, _| at.saturating_sub(1)),
            Command::BoardDown => self.step_board(|at, last| (at + 1).min(last)),
            Command::BoardFirst => self.step_board(|_, _| 0),
            Command::BoardLast => self.step_board(|_, last| last),
            Command::BoardPageUp => self.step_board(|at, _| at.saturating_sub(PAGE)),
            Command::BoardPageDown => self.step_board(|at, last| (at + PAGE).min(last)),
            Command::BoardEnter => self.drill_down(),
            Command::BoardRead => self.enter_row(),
            Command::BoardExplain => self.begin_asking(Action::Explain),
            Command::BoardFilter => self.with_board(|board| board.filtering = true),
            Command::BoardSort => self.with_board(|board| {
                let sort = Sort::ALL.get(nth).copied().unwrap_or_default();
                board.reversed = board.sort == sort && !board.reversed;
                board.sort = sort;
            }),
            Command::BoardFreeze => self.with_board(|board| {
                board.frozen = match board.frozen.take() {
                    Some(_) => None,
                    None => Some(board.live.clone()),
                };
            }),
            Command::BoardMark => self.mark_row(),
            Command::BoardExtend => self.begin_asking(Action::Extend),
            Command::BoardEnd => self.begin_asking(Action::End),
            Command::BoardLock => {
                let locked = self.selected_row(|row| row.locked);
                self.begin_asking(if locked { Action::Unlock } else { Action::Lock });
            }
            Command::BoardReadOnly => {
                let read_only = self.selected_row(|row| row.read_only);
                self.begin_asking(if read_only {
                    Action::Writable
                } else {
                    Action::ReadOnly
                });
            }
            Command::BoardAnnounce => self.begin_asking(Action::Announce),
            Command::BoardMute => self.begin_asking(Action::Mute),
            Command::BoardUnmute => self.begin_asking(Action::Unmute),
            Command::BoardRemove => self.begin_asking(Action::Remove),
            Command::BoardBan => self.begin_asking(Action::Ban),
            Command::BoardUnban => self.begin_asking(Action::Unban),
            Command::BoardServer => self.model.overlay = Some(Overlay::new(Page::Server)),
            Command::AskingEnter => self.confirm(),
            Command::AskingUp => self.pick(|at, _| at.saturating_sub(1)),
            Command::AskingDown => self.pick(|at, last| (at + 1).min(last)),
            _ => {}
        }
    }

    fn with_board(&mut self, change: impl FnOnce(&mut Dashboard)) {
        if let Some(board) = &mut self.model.board {
            change(board);
        }
    }

    fn selected_row(&self, look: impl Fn(&plenary_shared::protocol::BoardRow) -> bool) -> bool {
        let board = self.model.board.as_ref();
        board
            .and_then(|board| board.row(self.model.now))
            .is_some_and(look)
    }

    fn step_board(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        let now = self.model.now;
        self.with_board(|board| {
            let rows = board.rows(now);
            let last = rows.len().saturating_sub(1);
            let at = to(board.at(&rows), last);
            board.selected = rows.get(at).map(|row| row.instance);
        });
    }

    fn mark_row(&mut self) {
        let now = self.model.now;
        self.with_board(|board| {
            let Some(id) = board.row(now).map(|row| row.instance) else {
                return;
            };
            if !board.marked.remove(&id) {
                board.marked.insert(id);
            }
        });
        self.step_board(|at, last| (at + 1).min(last));
    }

    /// Into the selected meeting, to read along.
    fn enter_row(&mut self) {
        let now = self.model.now;
        let Some(board) = &mut self.model.board else {
            return;
        };
        let Some(id) = board.meant(now) else {
            return;
        };
        board.selected = Some(id);
        board.inside = true;
        self.show(id);
        self.open(id);
        let key = self.model.key(Command::Back);
        let text = format!("dashboard > {id}: {key} goes back, F3 shows who is here");
        self.model.tell(Tone::Plain, text);
    }

    /// Asks what there is to know before something is done to the marked meetings, or the selected.
    fn begin_asking(&mut self, action: Action) {
        let now = self.model.now;
        let Some(board) = &mut self.model.board else {
            return;
        };
        let one_is_meant = action.is_about_somebody() || board.drill.is_some();
        let mut targets: Vec<InstanceId> = if one_is_meant || board.marked.is_empty() {
            board.meant(now).into_iter().collect()
        } else {
            board.marked.iter().copied().collect()
        };
        let rows = &board.live.rows;
        let is_live = |id: &InstanceId| {
            rows.get(id).is_some_and(|row| {
                matches!(row.state, InstanceState::Active | InstanceState::Ending)
            })
        };
        targets.retain(|id| action == Action::Explain || is_live(id));
        let place = match targets.as_slice() {
            [] => {
                let why = "only a meeting that goes on can be steered";
                return self.model.tell(Tone::Bad, why);
            }
            [id] => {
                let title = rows.get(id).map(|row| text::one_line(&row.title));
                format!("{} {id}", title.unwrap_or_default())
            }
            many => format!("{} meetings", many.len()),
        };
        let first = targets[0];
        let asks_who = is_live(&first);
        board.filtering = false;
        let mut asking = Asking::new(action, targets, place);
        let person = board.person(now).filter(|_| action != Action::Explain);
        let is_known = person.is_some() && action.is_about_somebody();
        if let Some((user, name)) = person.filter(|_| is_known) {
            let target = Target {
                user: Some(user),
                email: None,
            };
            asking.begin_with(target, text::one_line(&name));
        }
        board.asking = Some(asking);
        if action.is_about_somebody() && !is_known && asks_who {
            self.ask(Verb::People(first), Asked::Candidates(first));
        }
    }

    /// Who is in: some of them are asked about.
    pub(super) fn candidates(&mut self, id: InstanceId, people: Vec<Participant>) {
        let board = self.model.board.as_mut();
        let asking = board.and_then(|board| board.asking.as_mut());
        if let Some(asking) = asking.filter(|asking| asking.targets.first() == Some(&id)) {
            asking.people = people;
        }
    }

    fn pick(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        self.with_board(|board| {
            if let Some(asking) = board.asking.as_mut().filter(|a| a.field == Field::Person) {
                let last = asking.matches().len().saturating_sub(1);
                asking.picked = to(asking.picked.min(last), last);
            }
        });
    }

    /// Goes on to the next question; after the last, does it.
    fn confirm(&mut self) {
        let Some(board) = &mut self.model.board else {
            return;
        };
        let Some(asking) = &mut board.asking else {
            // The filter stands.
            board.filtering = false;
            return;
        };
        if asking.action == Action::Explain {
            return match asking.address() {
                Ok(email) => self.explain(&email),
                Err(why) => self.model.tell(Tone::Bad, why),
            };
        }
        match asking.confirm() {
            Ok(None) => {}
            Ok(Some(reason)) => {
                if let Some(asking) = board.asking.take() {
                    self.steer(&asking, reason.as_deref());
                }
            }
            Err(why) => self.model.tell(Tone::Bad, why),
        }
    }

    /// Asks why this person may join, or may not.
    fn explain(&mut self, email: &str) {
        let asking = self
            .model
            .board
            .as_mut()
            .and_then(|board| board.asking.take());
        let Some(id) = asking.and_then(|asking| asking.targets.first().copied()) else {
            return;
        };
        let verb = Verb::Explain(Explain {
            instance: id,
            email: email.to_owned(),
        });
        if self.ask_or_tell(verb, Asked::Explain(id)) {
            // What was wrong with what was written is no more.
            self.model.notice = None;
            self.model.overlay = Some(Overlay::new(Page::Why {
                instance: id,
                email: email.to_owned(),
                verdict: None,
            }));
        }
    }

    fn steer(&mut self, asking: &Asking, reason: Option<&str>) {
        let Some(measure) = asking.measure() else {
            return;
        };
        let mut sent = false;
        for (nth, instance) in (0_u128..).zip(&asking.targets) {
            // One spare id comes with each key; its last, random bits make one for each meeting.
            let cmid = Cmid(uuid::Uuid::from_u128(self.spare.0.as_u128() ^ nth));
            let verb = Verb::Moderate(Moderate {
                instance: *instance,
                cmid,
                measure: measure.clone(),
                reason: reason.map(str::to_owned),
            });
            sent = self.ask_or_tell(verb, Asked::Moderate(*instance, asking.action));
        }
        if sent {
            self.with_board(|board| board.marked.clear());
        }
    }

    /// It was done.
    pub(super) fn steered(&mut self, id: InstanceId, action: Action) {
        let title = self.place(id);
        let text = format!("done: {} {title}", action.verb());
        self.model.tell(Tone::Good, text);
    }

    /// It was not done.
    pub(super) fn steer_refused(&mut self, id: InstanceId, action: Action, reject: &Reject) {
        let title = self.place(id);
        let text = format!("not done: {} {title}: {}", action.verb(), reject.detail);
        self.model.tell(Tone::Bad, text);
    }

    /// The connection is gone before it was known whether it was done.
    pub(super) fn steer_unknown(&mut self, id: InstanceId, action: Action) {
        let title = self.place(id);
        let text = format!(
            "not known whether it was done: {} {title}: look again when the connection is back",
            action.verb()
        );
        self.model.tell(Tone::Bad, text);
    }

    fn place(&self, id: InstanceId) -> String {
        let board = self.model.board.as_ref();
        let row = board.and_then(|board| board.live.rows.get(&id));
        match row {
            Some(row) => format!("{} {id}", text::one_line(&row.title)),
            None => self.title_of(id),
        }
    }
}
