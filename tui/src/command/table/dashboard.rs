//! Keys of the dashboard and of the dialogs of its actions.

use super::row;
use crate::command::Context::{Anywhere, Dashboard, ModerationForm};
use crate::command::{AppCommand, Command, DashboardCommand, Nav, Row};

pub(super) const KEYS: &[Row] = &[
    row(Command::App(AppCommand::Dashboard), Anywhere, "dashboard", &["f5"], "Open or close the admin dashboard"),
    row(Command::Nav(Nav::Enter), Dashboard, "dashboard-open", &["enter"], "Open the meeting").hint("open"),
    row(Command::Dashboard(DashboardCommand::Read), Dashboard, "dashboard-read", &["o"], "Open the chat of the meeting (Esc returns)"),
    row(Command::Dashboard(DashboardCommand::Explain), Dashboard, "dashboard-explain", &["w"], "Check why a user can or cannot join").hint("access"),
    row(Command::Dashboard(DashboardCommand::Filter), Dashboard, "dashboard-filter", &["/"], "Filter by words (!word excludes)").hint("filter"),
    row(Command::Dashboard(DashboardCommand::Sort), Dashboard, "dashboard-sort", &["L", "N", "H", "T", "E", "M", "A", "R"], "Sort by time left, name, participants, late, early, messages, last message, reconnecting. Again: reverse").hint("sort"),
    row(Command::Dashboard(DashboardCommand::Pause), Dashboard, "dashboard-pause", &["f"], "Pause or resume updates").hint("pause"),
    row(Command::Dashboard(DashboardCommand::Mark), Dashboard, "dashboard-mark", &["space"], "Mark for the next action, or unmark").hint("mark"),
    row(Command::Dashboard(DashboardCommand::Extend), Dashboard, "dashboard-extend", &["+"], "Extend the meeting").hint("extend"),
    row(Command::Dashboard(DashboardCommand::End), Dashboard, "dashboard-end", &["X"], "End the meeting now").hint("end"),
    row(Command::Dashboard(DashboardCommand::Lock), Dashboard, "dashboard-lock", &["l"], "Lock the meeting (no one can join), or unlock it").hint("lock"),
    row(Command::Dashboard(DashboardCommand::ReadOnly), Dashboard, "dashboard-read-only", &["r"], "Turn read-only on or off").hint("read-only"),
    row(Command::Dashboard(DashboardCommand::Announce), Dashboard, "dashboard-announce", &["n"], "Make an announcement to all participants").hint("announce"),
    row(Command::Dashboard(DashboardCommand::Mute), Dashboard, "dashboard-mute", &["m"], "Mute a participant"),
    row(Command::Dashboard(DashboardCommand::Unmute), Dashboard, "dashboard-unmute", &["u"], "Unmute a participant"),
    row(Command::Dashboard(DashboardCommand::Remove), Dashboard, "dashboard-remove", &["d"], "Remove a participant (they can rejoin)").hint("remove"),
    row(Command::Dashboard(DashboardCommand::Ban), Dashboard, "dashboard-ban", &["D"], "Ban a participant (they cannot rejoin)"),
    row(Command::Dashboard(DashboardCommand::Unban), Dashboard, "dashboard-unban", &["U"], "Unban a user"),
    row(Command::Dashboard(DashboardCommand::Servers), Dashboard, "dashboard-servers", &["s"], "Show the health of servers and stores").hint("servers"),
    row(Command::Dashboard(DashboardCommand::Schedule), Dashboard, "schedule", &["p"], "Open the schedule").hint("schedule"),
    row(Command::Nav(Nav::Enter), ModerationForm, "moderation-confirm", &["enter"], "Next field, or OK").hint("confirm"),
];
