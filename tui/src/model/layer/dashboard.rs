//! The dashboard of admins: every meeting as the server pushes it, sorted, filtered and marked.

pub mod figures;
pub mod meeting_detail;
pub mod moderation_dialog;
mod selected;
mod table;
mod update;
pub mod view;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use plenary_shared::domain::InstanceState;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{
    DashboardRow, DashboardTotals, DashboardUpdate, HealthCheck, ServerStatus,
};
use plenary_shared::time::Timestamp;
use plenary_shared::unicode::fold;

use crate::command::Context;
use crate::model::filter::Filter;
use crate::text;
use meeting_detail::MeetingDetail;

/// Age from which a snapshot is marked as stale, in milliseconds. Allows for two lost updates.
pub const STALE_MS: i64 = 4_000;

/// Rows that a page key moves by; fits a small screen.
const PAGE: usize = 10;

/// The dashboard.
#[derive(Clone, Debug, Default)]
pub struct Dashboard {
    pub live: Snapshot,
    /// The snapshot that is shown instead while the dashboard is paused.
    pub paused: Option<Snapshot>,
    /// The column that rows are sorted by.
    pub sort: Sort,
    /// Whether that order is reversed.
    pub reversed: bool,
    pub filter: Filter,
    /// The instances that the next action applies to, if any.
    pub marked: BTreeSet<InstanceId>,
    pub selected: Option<InstanceId>,
    /// The instance whose detail was requested last.
    pub detail_requested: Option<InstanceId>,
}

/// The state of all meetings at one time.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The figures over all meetings; `None` until the first update.
    pub head: Option<DashboardTotals>,
    pub checks: Vec<HealthCheck>,
    /// The health of the servers, the one that this client is connected to first.
    pub servers: Vec<ServerStatus>,
    pub rows: BTreeMap<InstanceId, DashboardRow>,
    pub detail: Option<MeetingDetail>,
}

/// The column that rows are sorted by, each in its most useful direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The least remaining time first.
    #[default]
    Left,
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

    fn compare(self, a: &DashboardRow, b: &DashboardRow) -> Ordering {
        let most = |a: u64, b: u64| b.cmp(&a);
        match self {
            Self::Left => rank(a).cmp(&rank(b)),
            Self::Name => fold(&a.title).cmp(&fold(&b.title)),
            Self::Here => most(a.participants.into(), b.participants.into()),
            Self::Late => most(a.late.into(), b.late.into()),
            Self::Early => most(a.left_early.into(), b.left_early.into()),
            Self::Minute => most(a.messages_per_minute, b.messages_per_minute),
            Self::Last => b.last_message.cmp(&a.last_message),
            Self::Lost => most(a.reconnecting.into(), b.reconnecting.into()),
        }
    }
}

/// Running instances by their end, then scheduled ones by their start, then ended ones, latest first.
fn rank(row: &DashboardRow) -> (u8, i64) {
    match row.state {
        InstanceState::Active | InstanceState::Ending => (0, row.todatetime.as_ms()),
        InstanceState::Scheduled => (1, row.fromdatetime.as_ms()),
        InstanceState::Ended => (2, -row.todatetime.as_ms()),
    }
}

impl Dashboard {
    /// Applies an update from the server.
    pub fn apply(&mut self, update: DashboardUpdate) {
        if update.reset {
            self.live.rows.clear();
        }
        if let Some(head) = update.totals {
            self.live.head = Some(head);
        }
        if !update.checks.is_empty() {
            self.live.checks = update.checks;
        }
        if !update.servers.is_empty() {
            self.live.servers = update.servers;
        }
        for id in update.removed {
            self.live.rows.remove(&id);
        }
        let rows = update.rows.into_iter();
        self.live.rows.extend(rows.map(|row| (row.instance, row)));
    }

    /// Pauses updates on the snapshot that is shown, or resumes them.
    pub fn toggle_pause(&mut self) {
        self.paused = match self.paused.take() {
            Some(_) => None,
            None => Some(self.live.clone()),
        };
    }

    /// The snapshot that is shown.
    pub fn snapshot(&self) -> &Snapshot {
        self.paused.as_ref().unwrap_or(&self.live)
    }

    /// The filtered rows, in their order.
    pub fn rows(&self, now: Timestamp) -> Vec<&DashboardRow> {
        let rows = self.snapshot().rows.values();
        let mut rows: Vec<&DashboardRow> = rows
            .filter(|row| self.filter.is_match(&searchable(row, now)))
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
    pub fn selected_index(&self, rows: &[&DashboardRow]) -> usize {
        let is_selected = |row: &&DashboardRow| Some(row.instance) == self.selected;
        rows.iter().position(is_selected).unwrap_or(0)
    }

    /// Selects another row. `to` maps the index of the selected row and of the last one.
    pub fn move_selection(&mut self, now: Timestamp, to: impl FnOnce(usize, usize) -> usize) {
        let rows = self.rows(now);
        let at = to(self.selected_index(&rows), rows.len().saturating_sub(1));
        self.selected = rows.get(at).map(|row| row.instance);
    }

    /// The selected row.
    pub fn row(&self, now: Timestamp) -> Option<&DashboardRow> {
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

    /// The parts of the key table that apply on the table.
    pub const fn contexts(&self) -> &'static [Context] {
        use Context::{Anywhere, Dashboard, Edit, Filter, Lists, MeetingActions};
        if self.filter.has_focus {
            &[Filter, Edit, Anywhere]
        } else {
            &[Dashboard, MeetingActions, Lists, Anywhere]
        }
    }
}

/// The text of a row that filters search.
fn searchable(row: &DashboardRow, now: Timestamp) -> String {
    let mut text = format!("{} {}", text::one_line(&row.title), row.instance);
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

#[cfg(test)]
mod tests {
    use super::*;
    use plenary_shared::ids::Seq;
    use rstest::rstest;

    fn row(id: &str, title: &str, state: InstanceState, here: u32) -> DashboardRow {
        DashboardRow {
            instance: id.parse().expect("an instance"),
            title: title.to_owned(),
            is_public: here > 3,
            fromdatetime: Timestamp::from_ms(0),
            todatetime: Timestamp::from_ms(i64::from(here) * 1_000),
            state,
            locked: here == 2,
            read_only: false,
            participants: here,
            cancelled: false,
            waiting: 0,
            reconnecting: 0,
            total_participants: here,
            invited: None,
            late: 0,
            left_early: 0,
            messages: 0,
            messages_per_minute: 0,
            activity: Vec::new(),
            last_message: None,
            seq: Seq::default(),
            durable: Seq::default(),
        }
    }

    fn dashboard() -> Dashboard {
        let mut dashboard = Dashboard::default();
        dashboard.apply(DashboardUpdate {
            reset: true,
            totals: None,
            rows: vec![
                row("1/1", "Budget review", InstanceState::Active, 2),
                row("2/1", "All hands", InstanceState::Active, 9),
                row("3/1", "Retro", InstanceState::Ended, 1),
                row("4/1", "budget, again", InstanceState::Scheduled, 0),
            ],
            checks: Vec::new(),
            servers: Vec::new(),
            removed: Vec::new(),
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
        dashboard.filter.editor.set(filter);
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
        assert_eq!(dashboard.row(now).map(|row| row.participants), Some(1));
        dashboard.paused = Some(dashboard.live.clone());
        dashboard.apply(DashboardUpdate {
            removed: vec!["3/1".parse().expect("an instance")],
            ..DashboardUpdate::default()
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
