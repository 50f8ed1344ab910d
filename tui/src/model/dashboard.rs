//! The dashboard of admins: every meeting as the server pushes it, sorted, filtered and marked.

mod detail;
mod dialog;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use plenary_shared::domain::{InstanceState, Role};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::{Board, BoardCheck, BoardHead, BoardRow, BoardServer};
use plenary_shared::time::Timestamp;

pub use detail::{
    DetailView, MeetingDetail, Pane, ParticipantSort, is_reconnecting, keyword, stay_ms,
    total_stay_ms,
};
pub use dialog::{Dialog, DialogField, DialogKind};

use crate::command::Context;
use crate::model::Model;
use crate::model::editor::{Editor, KillRing};
use crate::model::schedule::Schedule;
use crate::text;

/// Age from which a snapshot is marked as stale, in milliseconds. Allows for two lost updates.
pub const STALE_MS: i64 = 4_000;

/// From this size on, the selected meeting is shown below the table.
const LARGE_COLUMNS: u16 = 100;
const LARGE_ROWS: u16 = 30;

/// The dashboard.
#[derive(Clone, Debug, Default)]
pub struct Dashboard {
    /// The latest snapshot.
    pub live: Snapshot,
    /// The snapshot that is shown instead while the dashboard is paused.
    pub paused: Option<Snapshot>,
    /// The column that rows are sorted by.
    pub sort: Sort,
    /// Whether that order is reversed.
    pub reversed: bool,
    /// The words that select rows.
    pub filter: Editor,
    /// Text cut from the inputs of the dashboard.
    pub ring: KillRing,
    /// Whether the filter has the focus.
    pub filtering: bool,
    /// The instances that the next action applies to, if any.
    pub marked: BTreeSet<InstanceId>,
    /// The selected row.
    pub selected: Option<InstanceId>,
    /// The open dialog.
    pub dialog: Option<Dialog>,
    /// The schedule, while it is open.
    pub schedule: Option<Schedule>,
    /// The meeting that is shown on the whole screen.
    pub detail: Option<DetailView>,
    /// The instance whose detail was requested last.
    pub detail_requested: Option<InstanceId>,
}

/// The state of all meetings at one time.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The figures over all meetings; `None` until the first update.
    pub head: Option<BoardHead>,
    /// The health of the stores.
    pub checks: Vec<BoardCheck>,
    /// The health of the servers, the one that this client is connected to first.
    pub servers: Vec<BoardServer>,
    /// The meetings.
    pub rows: BTreeMap<InstanceId, BoardRow>,
    /// The detail of one of them.
    pub detail: Option<MeetingDetail>,
}

/// The column that rows are sorted by, each in its most useful direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The least remaining time first.
    #[default]
    Left,
    /// By title.
    Name,
    /// The most participants first.
    Here,
    /// The most late participants first.
    Late,
    /// The most participants who left early first.
    Early,
    /// The most messages in a minute first.
    Minute,
    /// The latest message first.
    Last,
    /// The most lost connections first.
    Lost,
}

impl Sort {
    /// All columns, in the order of their keys.
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

    /// The heading of the column.
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

/// Running instances by their end, then scheduled ones by their start, then ended ones, latest first.
fn rank(row: &BoardRow) -> (u8, i64) {
    match row.state {
        InstanceState::Active | InstanceState::Ending => (0, row.todatetime.as_ms()),
        InstanceState::Scheduled => (1, row.fromdatetime.as_ms()),
        InstanceState::Ended => (2, -row.todatetime.as_ms()),
    }
}

impl Dashboard {
    /// Applies an update from the server.
    pub fn apply(&mut self, update: Board) {
        if update.anew {
            self.live.rows.clear();
        }
        if let Some(head) = update.head {
            self.live.head = Some(head);
        }
        if !update.checks.is_empty() {
            self.live.checks = update.checks;
        }
        if !update.servers.is_empty() {
            self.live.servers = update.servers;
        }
        for id in update.gone {
            self.live.rows.remove(&id);
        }
        let rows = update.rows.into_iter();
        self.live.rows.extend(rows.map(|row| (row.instance, row)));
    }

    /// The snapshot that is shown.
    pub fn snapshot(&self) -> &Snapshot {
        self.paused.as_ref().unwrap_or(&self.live)
    }

    /// The filtered rows, in their order.
    pub fn rows(&self, now: Timestamp) -> Vec<&BoardRow> {
        let rows = self.snapshot().rows.values();
        let mut rows: Vec<&BoardRow> = rows
            .filter(|row| filter_matches(self.filter.text(), &searchable(row, now)))
            .collect();
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

    /// The index of the selected row; 0 if it is filtered out.
    pub fn selected_index(&self, rows: &[&BoardRow]) -> usize {
        let is_selected = |row: &&BoardRow| Some(row.instance) == self.selected;
        rows.iter().position(is_selected).unwrap_or(0)
    }

    /// The selected row.
    pub fn row(&self, now: Timestamp) -> Option<&BoardRow> {
        let rows = self.rows(now);
        rows.get(self.selected_index(&rows)).copied()
    }

    /// The detail of an instance, if it was received.
    pub fn detail_of(&self, id: InstanceId) -> Option<&MeetingDetail> {
        let paused = self.paused.as_ref().and_then(|one| one.detail.as_ref());
        let live = self.live.detail.as_ref();
        [paused, live]
            .into_iter()
            .flatten()
            .find(|one| one.instance == id)
    }

    /// The instance that actions apply to: the one on the whole screen, or the selected row.
    pub fn current(&self, now: Timestamp) -> Option<InstanceId> {
        match &self.detail {
            Some(detail) => Some(detail.instance),
            None => self.row(now).map(|row| row.instance),
        }
    }

    /// The participant who is selected in a meeting's detail.
    pub fn selected_participant(&self, now: Timestamp) -> Option<(UserId, String)> {
        let view = self.detail.as_ref();
        let view = view.filter(|one| one.pane == Pane::Participants)?;
        let participants = view.participants(self.detail_of(view.instance)?, now);
        let one = participants.get(view.participant_index(&participants))?;
        Some((one.user, one.name.clone()))
    }

    /// The parts of the key table that apply while the dashboard is the top layer.
    pub fn contexts(&self) -> &'static [Context] {
        use Context::{
            Anywhere, Choices, Detail, Edit, Forms, Lists, ModerationForm, Schedule, ScheduleForm,
        };
        match &self.schedule {
            Some(schedule) if schedule.is_editing() => &[ScheduleForm, Forms, Edit, Anywhere],
            Some(_) => &[Schedule, Lists, Anywhere],
            None if self.is_editing() => &[ModerationForm, Choices, Edit, Anywhere],
            None if self.detail.is_some() => &[Detail, Context::Dashboard, Lists, Anywhere],
            None => &[Context::Dashboard, Lists, Anywhere],
        }
    }

    /// Whether a text input has the focus.
    pub fn is_editing(&self) -> bool {
        let in_detail = self.detail.as_ref().is_some_and(|one| one.filtering);
        self.filtering || in_detail || self.dialog.is_some()
    }

    /// The text input that has the focus.
    pub fn editor(&mut self) -> Option<(&mut Editor, &mut KillRing)> {
        if let Some(schedule) = &mut self.schedule {
            return schedule.editor();
        }
        let detail = self.detail.as_mut().filter(|one| one.filtering);
        match (&mut self.dialog, detail) {
            (Some(dialog), _) => Some((&mut dialog.editor, &mut self.ring)),
            (None, Some(detail)) => Some((&mut detail.filter, &mut self.ring)),
            (None, None) if self.filtering => Some((&mut self.filter, &mut self.ring)),
            (None, None) => None,
        }
    }
}

/// Whether a text in lower case contains all words of a filter, and none of those after `!`.
pub(super) fn filter_matches(filter: &str, searched: &str) -> bool {
    filter.split_whitespace().all(|word| {
        let (inverse, word) = match word.strip_prefix('!') {
            Some(word) => (true, word),
            None => (false, word),
        };
        word.is_empty() || searched.contains(&word.to_lowercase()) != inverse
    })
}

/// The text of a row that filters search, in lower case.
fn searchable(row: &BoardRow, now: Timestamp) -> String {
    let mut text = format!("{} {}", text::one_line(&row.title), row.instance).to_lowercase();
    text.push_str(match row.state {
        InstanceState::Scheduled => " soon",
        InstanceState::Active | InstanceState::Ending if row.todatetime <= now => " live overrun",
        InstanceState::Active | InstanceState::Ending => " live",
        InstanceState::Ended => " ended",
    });
    text.push_str(if row.is_public { " public" } else { " private" });
    if row.locked {
        text.push_str(" locked");
    }
    if row.read_only {
        text.push_str(" read-only");
    }
    text
}

impl Model {
    /// Whether the dashboard is on the screen.
    pub fn shows_dashboard(&self) -> bool {
        self.layers.shows::<Dashboard>()
    }

    /// The instance whose detail the dashboard needs: the one on the whole screen, or the selected
    /// row on a large screen. It stays the same while a chat is on top.
    pub fn detail_needed(&self) -> Option<InstanceId> {
        let dashboard = self.layers.get::<Dashboard>()?;
        if !self.shows_dashboard() {
            return dashboard.detail_requested;
        }
        if let Some(detail) = &dashboard.detail {
            return Some(detail.instance);
        }
        let (columns, rows) = self.size;
        let is_large = columns >= LARGE_COLUMNS && rows >= LARGE_ROWS;
        is_large.then(|| dashboard.current(self.now))?
    }

    /// Whether the user is an admin.
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

    fn dashboard() -> Dashboard {
        let mut dashboard = Dashboard::default();
        dashboard.apply(Board {
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
        dashboard
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
    fn filter_selects_rows(#[case] filter: &str, #[case] expected: &str) {
        let mut dashboard = dashboard();
        dashboard.filter.set(filter);
        assert_eq!(shown(&dashboard), expected);
    }

    #[test]
    fn selection_survives_sort_and_pause() {
        let mut dashboard = dashboard();
        dashboard.selected = "3/1".parse().ok();
        dashboard.sort = Sort::Here;
        assert_eq!(shown(&dashboard), "2/1 1/1 3/1 4/1");
        dashboard.reversed = true;
        assert_eq!(shown(&dashboard), "4/1 3/1 1/1 2/1");
        let now = Timestamp::from_ms(0);
        assert_eq!(dashboard.row(now).map(|row| row.here), Some(1));
        dashboard.paused = Some(dashboard.live.clone());
        dashboard.apply(Board {
            gone: vec!["3/1".parse().expect("an instance")],
            ..Board::default()
        });
        assert_eq!(dashboard.rows(now).len(), 4);
        dashboard.paused = None;
        assert_eq!(dashboard.rows(now).len(), 3);
    }

    fn shown(dashboard: &Dashboard) -> String {
        let rows = dashboard.rows(Timestamp::from_ms(0));
        let ids: Vec<String> = rows.iter().map(|row| row.instance.to_string()).collect();
        ids.join(" ")
    }
}
