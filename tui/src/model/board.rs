//! The dashboard of admins: every meeting as the server pushes it, sorted, filtered and marked.

mod asking;
mod looked;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use plenary_shared::domain::{InstanceState, Role};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::{Board, BoardCheck, BoardHead, BoardRow, BoardServer};
use plenary_shared::time::Timestamp;

pub use asking::{Action, Asking, Field, FieldError};
pub use looked::{Drill, Looked, Pane, PeopleSort, is_lost, stay_ms, stayed_ms, word};

use crate::model::Model;
use crate::model::editor::{Editor, Ring};
use crate::model::planning::Planning;
use crate::text;

/// A picture that is older is said to be old, in milliseconds: two may be lost on the way.
pub const OLD_MS: i64 = 4_000;

/// From this size on a screen has room for one meeting below the table.
const LARGE_COLUMNS: u16 = 100;
const LARGE_ROWS: u16 = 30;

/// The dashboard.
#[derive(Clone, Debug, Default)]
pub struct Dashboard {
    /// The last picture.
    pub live: Picture,
    /// The picture that is looked at instead, while it is frozen.
    pub frozen: Option<Picture>,
    /// By what rows are sorted.
    pub sort: Sort,
    /// Whether the other way round.
    pub reversed: bool,
    /// Which rows are shown.
    pub filter: Editor,
    /// What was cut from that.
    pub ring: Ring,
    /// Whether that is being written.
    pub filtering: bool,
    /// What several actions at once are about.
    pub marked: BTreeSet<InstanceId>,
    /// The selected row.
    pub selected: Option<InstanceId>,
    /// What is about to be done, until it is confirmed.
    pub asking: Option<Asking>,
    /// Whether one has gone into a meeting; a step back comes back.
    pub inside: bool,
    /// The schedule, while one plans.
    pub planning: Option<Planning>,
    /// The meeting that has the whole screen.
    pub drill: Option<Drill>,
    /// The meeting of which the server was asked last to tell in detail.
    pub asked_for: Option<InstanceId>,
}

/// Every meeting at one instant.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// The sums; `None` before the first picture has come.
    pub head: Option<BoardHead>,
    /// How the parts of the store are.
    pub checks: Vec<BoardCheck>,
    /// How the servers are; the one that tells first.
    pub servers: Vec<BoardServer>,
    /// The meetings.
    pub rows: BTreeMap<InstanceId, BoardRow>,
    /// One of them in detail.
    pub looked: Option<Looked>,
}

/// By what rows are sorted; each in the way that puts first what is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// What is over soonest first.
    #[default]
    Left,
    /// By title.
    Name,
    /// Most participants first.
    Here,
    /// Most late people first.
    Late,
    /// Most people gone early first.
    Early,
    /// Most messages a minute first.
    Minute,
    /// The last message first.
    Last,
    /// Most lost connections first.
    Lost,
}

impl Sort {
    /// Every case, in the order of their keys.
    pub const ALL: [Self; 8] = [
        Self::Left,
        Self::Name,
        Self::Here,
        Self::Late,
        Self::Early,
        Self::Minute,
        Self::Last,
        Self::Lost,
    ];

    /// What its column is called.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Left => "LEFT",
            Self::Name => "MEETING",
            Self::Here => "HERE/INV",
            Self::Late => "LATE",
            Self::Early => "EARLY",
            Self::Minute => "MSG/min",
            Self::Last => "LAST",
            Self::Lost => "RECON",
        }
    }

    fn compare(self, a: &BoardRow, b: &BoardRow) -> Ordering {
        let most = |a: u64, b: u64| b.cmp(&a);
        match self {
            Self::Left => rank(a).cmp(&rank(b)),
            Self::Name => a.title.to_lowercase().cmp(&b.title.to_lowercase()),
            Self::Here => most(a.here.into(), b.here.into()),
            Self::Late => most(a.late.into(), b.late.into()),
            Self::Early => most(a.early.into(), b.early.into()),
            Self::Minute => most(a.minute, b.minute),
            Self::Last => b.last_message.cmp(&a.last_message),
            Self::Lost => most(a.reconnecting.into(), b.reconnecting.into()),
        }
    }
}

/// What goes on, by its end; then what comes, by its beginning; then what is over, the last first.
fn rank(row: &BoardRow) -> (u8, i64) {
    match row.state {
        InstanceState::Active | InstanceState::Ending => (0, row.todatetime.as_ms()),
        InstanceState::Scheduled => (1, row.fromdatetime.as_ms()),
        InstanceState::Ended => (2, -row.todatetime.as_ms()),
    }
}

impl Dashboard {
    /// Takes what the server tells.
    pub fn take(&mut self, event: Board) {
        if event.anew {
            self.live.rows.clear();
        }
        if let Some(head) = event.head {
            self.live.head = Some(head);
        }
        if !event.checks.is_empty() {
            self.live.checks = event.checks;
        }
        if !event.servers.is_empty() {
            self.live.servers = event.servers;
        }
        for id in event.gone {
            self.live.rows.remove(&id);
        }
        let rows = event.rows.into_iter();
        self.live.rows.extend(rows.map(|row| (row.instance, row)));
    }

    /// What is looked at.
    pub fn picture(&self) -> &Picture {
        self.frozen.as_ref().unwrap_or(&self.live)
    }

    /// The rows that are shown, in their order.
    pub fn rows(&self, now: Timestamp) -> Vec<&BoardRow> {
        let rows = self.picture().rows.values();
        let mut rows: Vec<&BoardRow> = rows.filter(|row| self.is_wanted(row, now)).collect();
        rows.sort_by(|a, b| {
            let order = self.sort.compare(a, b);
            let order = if self.reversed {
                order.reverse()
            } else {
                order
            };
            order.then(a.instance.cmp(&b.instance))
        });
        rows
    }

    /// Whether the filter lets a row through.
    fn is_wanted(&self, row: &BoardRow, now: Timestamp) -> bool {
        lets_through(self.filter.text(), &said_of(row, now))
    }

    /// The place of the selected row; of the first where it is not shown any more.
    pub fn at(&self, rows: &[&BoardRow]) -> usize {
        let selected = |row: &&BoardRow| Some(row.instance) == self.selected;
        rows.iter().position(selected).unwrap_or(0)
    }

    /// The selected row.
    pub fn row(&self, now: Timestamp) -> Option<&BoardRow> {
        let rows = self.rows(now);
        rows.get(self.at(&rows)).copied()
    }

    /// A meeting in detail, as far as it is told.
    pub fn looked(&self, id: InstanceId) -> Option<&Looked> {
        let frozen = self.frozen.as_ref().and_then(|one| one.looked.as_ref());
        let live = self.live.looked.as_ref();
        [frozen, live]
            .into_iter()
            .flatten()
            .find(|one| one.instance == id)
    }

    /// The meeting that is meant by what is done now.
    pub fn meant(&self, now: Timestamp) -> Option<InstanceId> {
        match &self.drill {
            Some(drill) => Some(drill.instance),
            None => self.row(now).map(|row| row.instance),
        }
    }

    /// The person who is selected in a meeting that has the whole screen.
    pub fn person(&self, now: Timestamp) -> Option<(UserId, String)> {
        let drill = self.drill.as_ref().filter(|one| one.pane == Pane::People)?;
        let people = drill.people(self.looked(drill.instance)?, now);
        let one = people.get(drill.person_at(&people))?;
        Some((one.user, one.name.clone()))
    }

    /// Whether what is typed is a text.
    pub fn writes(&self) -> bool {
        let in_drill = self.drill.as_ref().is_some_and(|drill| drill.filtering);
        self.filtering || in_drill || self.asking.is_some()
    }

    /// The text that keys go to, while one is written.
    pub fn editor(&mut self) -> Option<(&mut Editor, &mut Ring)> {
        if let Some(planning) = &mut self.planning {
            return planning.editor();
        }
        let drill = self.drill.as_mut().filter(|drill| drill.filtering);
        match (&mut self.asking, drill) {
            (Some(asking), _) => Some((&mut asking.editor, &mut self.ring)),
            (None, Some(drill)) => Some((&mut drill.filter, &mut self.ring)),
            (None, None) if self.filtering => Some((&mut self.filter, &mut self.ring)),
            (None, None) => None,
        }
    }
}

/// Whether all words of a filter stand in what is said of a row, in lower case, and those after `!` do
/// not.
pub(super) fn lets_through(filter: &str, said: &str) -> bool {
    filter.split_whitespace().all(|word| {
        let (inverse, word) = match word.strip_prefix('!') {
            Some(word) => (true, word),
            None => (false, word),
        };
        word.is_empty() || said.contains(&word.to_lowercase()) != inverse
    })
}

/// What a filter looks in.
fn said_of(row: &BoardRow, now: Timestamp) -> String {
    let mut said = format!("{} {}", text::one_line(&row.title), row.instance).to_lowercase();
    let state = match row.state {
        InstanceState::Scheduled => " soon",
        InstanceState::Active | InstanceState::Ending if row.todatetime <= now => " live overrun",
        InstanceState::Active | InstanceState::Ending => " live",
        InstanceState::Ended => " ended",
    };
    said.push_str(state);
    said.push_str(if row.is_public { " public" } else { " private" });
    if row.locked {
        said.push_str(" locked");
    }
    if row.read_only {
        said.push_str(" read-only");
    }
    said
}

impl Model {
    /// Whether the dashboard is what the screen shows.
    pub fn boards(&self) -> bool {
        self.board.as_ref().is_some_and(|board| !board.inside)
    }

    /// The meeting that the dashboard shows in detail: the one that has the whole screen, or on a
    /// large screen the selected one, below the table. Whoever reads along comes back to the same.
    pub fn detailed(&self) -> Option<InstanceId> {
        let board = self.board.as_ref()?;
        if board.inside {
            return board.asked_for;
        }
        if let Some(drill) = &board.drill {
            return Some(drill.instance);
        }
        let (columns, rows) = self.size;
        let is_large = columns >= LARGE_COLUMNS && rows >= LARGE_ROWS;
        is_large.then(|| board.meant(self.now))?
    }

    /// Whether one may see it.
    pub fn is_admin(&self) -> bool {
        self.me.as_ref().is_some_and(|me| me.role == Role::Admin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plenary_shared::ids::Seq;
    use rstest::rstest;

    fn row(id: &str, title: &str, state: InstanceState, here: u32) -> BoardRow {
        BoardRow {
            instance: id.parse().expect("an instance"),
            title: title.to_owned(),
            is_public: here > 3,
            fromdatetime: Timestamp::from_ms(0),
            todatetime: Timestamp::from_ms(i64::from(here) * 1_000),
            state,
            locked: here == 2,
            read_only: false,
            here,
            cancelled: false,
            waiting: 0,
            reconnecting: 0,
            ever: here,
            invited: None,
            late: 0,
            early: 0,
            messages: 0,
            minute: 0,
            spark: Vec::new(),
            last_message: None,
            seq: Seq::default(),
            durable: Seq::default(),
        }
    }

    fn board() -> Dashboard {
        let mut board = Dashboard::default();
        board.take(Board {
            anew: true,
            head: None,
            rows: vec![
                row("1/1", "Budget review", InstanceState::Active, 2),
                row("2/1", "All hands", InstanceState::Active, 9),
                row("3/1", "Retro", InstanceState::Ended, 1),
                row("4/1", "budget, again", InstanceState::Scheduled, 0),
            ],
            checks: Vec::new(),
            servers: Vec::new(),
            gone: Vec::new(),
        });
        board
    }

    #[rstest]
    #[case("", "1/1 2/1 4/1 3/1")]
    #[case("budget", "1/1 4/1")]
    #[case("BUDGET !soon", "1/1")]
    #[case("!budget", "2/1 3/1")]
    #[case("locked", "1/1")]
    #[case("public", "2/1")]
    #[case("!ended !soon", "1/1 2/1")]
    #[case("3/1", "3/1")]
    #[case("!", "1/1 2/1 4/1 3/1")]
    #[case("nothing", "")]
    fn a_filter_lets_through(#[case] filter: &str, #[case] expected: &str) {
        let mut board = board();
        board.filter.set(filter);
        assert_eq!(shown(&board), expected);
    }

    #[test]
    fn rows_are_sorted_and_the_selected_one_stays() {
        let mut board = board();
        board.selected = "3/1".parse().ok();
        board.sort = Sort::Here;
        assert_eq!(shown(&board), "2/1 1/1 3/1 4/1");
        board.reversed = true;
        assert_eq!(shown(&board), "4/1 3/1 1/1 2/1");
        let now = Timestamp::from_ms(0);
        assert_eq!(board.row(now).map(|row| row.here), Some(1));
        board.frozen = Some(board.live.clone());
        board.take(Board {
            gone: vec!["3/1".parse().expect("an instance")],
            ..Board::default()
        });
        assert_eq!(board.rows(now).len(), 4);
        board.frozen = None;
        assert_eq!(board.rows(now).len(), 3);
    }

    fn shown(board: &Dashboard) -> String {
        let rows = board.rows(Timestamp::from_ms(0));
        let ids: Vec<String> = rows.iter().map(|row| row.instance.to_string()).collect();
        ids.join(" ")
    }
}
