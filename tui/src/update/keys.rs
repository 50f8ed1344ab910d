//! Keys: where they go, and what they do there.

use plenary_shared::protocol::Verb;

use super::Step;
use crate::command::{Command, Context};
use crate::effect::Effect;
use crate::key::Key;
use crate::keymap::Bound;
use crate::model::editor::Editor;
use crate::model::overlay::{Overlay, Page};
use crate::model::{Asked, Focus};

/// How long a second Ctrl-C quits.
const QUIT_MS: i64 = 2_000;
/// How long a leave may take when quitting.
const LEAVE_MS: i64 = 2_000;

impl Step<'_> {
    /// A key was pressed.
    pub(super) fn key(&mut self, key: Key) {
        if let Some(bound) = self.model.keymap.find(self.model.contexts(), key) {
            self.end_choice(bound.command);
            let everywhere = matches!(
                bound.command,
                Command::Help | Command::Redraw | Command::Suspend
            );
            let form = self.model.sign_in.is_some() && self.model.overlay.is_none();
            if form && !everywhere {
                self.form(bound.command);
            } else {
                self.command(bound);
            }
            self.edit(bound.command);
        } else if self.has_no_input() {
            // Its letters are keys, and there is nothing to write in.
        } else if let Some(c) = key.typed() {
            // Whoever types goes on writing, whatever lies over the chat.
            self.model.leaving = false;
            if self.model.query().is_none() {
                self.end_select();
            }
            if self.model.focus == Focus::List {
                self.model.focus = Focus::Input;
                self.model.drawer = None;
            }
            self.write(c);
        }
    }

    /// Does what a key says, or a word.
    #[expect(clippy::too_many_lines, reason = "a line for each command")]
    pub(super) fn command(&mut self, bound: Bound) {
        if bound.command != Command::ClearOrQuit {
            self.model.quit_until = None;
        }
        match bound.command {
            Command::Send => self.send(),
            Command::Complete => self.complete(true),
            Command::CompleteBack => self.complete(false),
            Command::OpenEditor => self.open_editor(),
            Command::Find => self.toggle_find(),
            Command::NextMeeting | Command::ListDown => self.step_meeting(true),
            Command::PreviousMeeting | Command::ListUp => self.step_meeting(false),
            Command::NthMeeting => self.nth_meeting(bound.nth),
            Command::NextUnread => self.next_unread(),
            Command::LastMeeting => self.last_meeting(),
            Command::MeetingsList => self.toggle_meetings(),
            Command::PeopleList => self.toggle_people(),
            Command::ListEnter => self.enter_shown(),
            Command::PageUp => self.scroll_page(-1),
            Command::PageDown => self.scroll_page(1),
            Command::RowUp => self.scroll_by(-1),
            Command::RowDown => self.scroll_by(1),
            Command::Oldest => self.scroll_oldest(),
            Command::Newest => self.come_to_newest(),
            Command::FirstUnread => self.scroll_first_unread(),
            Command::PreviousMention => self.step_mention(true),
            Command::NextMention => self.step_mention(false),
            Command::PlainView => self.toggle_plain(),
            Command::Mouse => self.toggle_mouse(),
            Command::Select => self.toggle_select(),
            Command::SelectDown
            | Command::SelectUp
            | Command::SelectFirst
            | Command::SelectLast
            | Command::SelectEnter
            | Command::Search
            | Command::SearchOlder
            | Command::SearchNewer
            | Command::SearchEnter
            | Command::CopyText
            | Command::CopyLine
            | Command::OpenLink
            | Command::UnreadFrom
            | Command::Reply
            | Command::Change
            | Command::Delete => self.selecting(bound.command),
            Command::OverlayUp => self.scroll_overlay(-1),
            Command::OverlayDown => self.scroll_overlay(1),
            Command::OverlayPageUp => self.scroll_overlay(-self.overlay_page()),
            Command::OverlayPageDown => self.scroll_overlay(self.overlay_page()),
            Command::FindUp => self.step_find(false),
            Command::FindDown => self.step_find(true),
            Command::FindEnter => self.end_find(),
            Command::Seek => self.begin_seek(""),
            Command::SeekUp
            | Command::SeekDown
            | Command::SeekPageUp
            | Command::SeekPageDown
            | Command::SeekEnter
            | Command::SeekScope => self.seeking(bound.command),
            Command::Dashboard => self.toggle_dashboard(),
            Command::BoardUp
            | Command::BoardDown
            | Command::BoardFirst
            | Command::BoardLast
            | Command::BoardPageUp
            | Command::BoardPageDown
            | Command::BoardEnter
            | Command::BoardFilter
            | Command::BoardSort
            | Command::BoardFreeze
            | Command::BoardMark
            | Command::BoardExtend
            | Command::BoardEnd
            | Command::BoardLock
            | Command::BoardReadOnly
            | Command::BoardAnnounce
            | Command::BoardMute
            | Command::BoardUnmute
            | Command::BoardRemove
            | Command::BoardBan
            | Command::BoardUnban
            | Command::BoardServer
            | Command::BoardRead
            | Command::BoardExplain
            | Command::DrillPane
            | Command::DrillSort
            | Command::AskingEnter
            | Command::AskingUp
            | Command::AskingDown => self.dashboard_command(bound.command, bound.nth),
            Command::Planning => self.toggle_schedule(),
            Command::PlanUp
            | Command::PlanDown
            | Command::PlanFirst
            | Command::PlanLast
            | Command::PlanPageUp
            | Command::PlanPageDown
            | Command::PlanEnter
            | Command::PlanFilter
            | Command::PlanPast
            | Command::PlanAdd
            | Command::PlanEdit
            | Command::PlanSchedule
            | Command::PlanMove
            | Command::PlanCancel
            | Command::PlanInvite
            | Command::PlanUninvite
            | Command::PlanImport
            | Command::PlanRead
            | Command::PlanConfirm
            | Command::PlanNext
            | Command::PlanPrevious => self.schedule_command(bound.command),
            Command::QuitLeaving => self.quit_leaving(),
            Command::QuitStaying => self.quit_now(),
            Command::Help => self.help(),
            Command::Back => self.back(),
            Command::Redraw => self.out.push(Effect::Redraw),
            Command::Suspend => self.suspend(),
            Command::ClearOrQuit => self.clear_or_quit(),
            Command::Quit => self.quit(),
            // Those of the form and of the text are done by `form` and `edit`.
            Command::NewLine
            | Command::Up
            | Command::Down
            | Command::Left
            | Command::Right
            | Command::WordLeft
            | Command::WordRight
            | Command::LineStart
            | Command::LineEnd
            | Command::TextStart
            | Command::TextEnd
            | Command::DeleteLeft
            | Command::DeleteRight
            | Command::DeleteToBlank
            | Command::DeleteWord
            | Command::DeleteWordRight
            | Command::DeleteToStart
            | Command::DeleteToEnd
            | Command::Yank
            | Command::YankOlder
            | Command::Transpose
            | Command::Undo
            | Command::Redo
            | Command::FieldNext
            | Command::FieldPrevious
            | Command::SignIn => {}
        }
    }

    fn last_meeting(&mut self) {
        if let Some(id) = self.model.shown_before {
            self.show(id);
        }
    }

    fn enter_shown(&mut self) {
        if let Some(id) = self.model.shown {
            self.enter_meeting(id);
        }
    }

    /// To the end, and all of it is read.
    fn come_to_newest(&mut self) {
        if let Some(room) = self.model.room_mut() {
            room.marked_unread = false;
        }
        self.end_select();
        self.scroll_newest();
    }

    fn suspend(&mut self) {
        self.save_drafts();
        self.out.push(Effect::Suspend);
    }

    /// The help, or back from it.
    pub(super) fn help(&mut self) {
        let context = self.model.contexts()[0];
        let open = matches!(
            &self.model.overlay,
            Some(Overlay {
                page: Page::Help { .. },
                ..
            })
        );
        let context = if context == Context::Overlay {
            Context::Input
        } else {
            context
        };
        self.model.overlay = (!open).then(|| Overlay::new(Page::Help { context }));
    }

    /// One step back. Nothing that was written is lost.
    fn back(&mut self) {
        if self.close_choice() {
            // The text is as it was written.
        } else if self.model.leaving {
            self.model.leaving = false;
        } else if self.model.find.is_some() {
            self.model.find = None;
        } else if self.model.overlay.is_some() {
            self.model.overlay = None;
        } else if self.model.seeks() {
            self.end_seek();
        } else if self.model.shows_schedule() {
            self.back_in_schedule();
        } else if self.model.shows_dashboard() {
            self.back_on_dashboard();
        } else if self.model.query().is_some() {
            if let Some(select) = &mut self.model.select {
                select.query = None;
            }
        } else if let Some(select) = self.model.select.as_mut().filter(|s| s.deleting) {
            select.deleting = false;
        } else if self.back_to_seek() {
            // The list of what was found, as it was left.
        } else if self.model.select.is_some() {
            self.end_select();
        } else if self.model.plain {
            self.toggle_plain();
        } else if self.model.drawer.is_some() || self.model.focus == Focus::List {
            self.model.drawer = None;
            self.model.focus = Focus::Input;
        } else if self.model.composer().is_some_and(|c| !c.target().is_new()) {
            self.cancel_target();
        } else if self.back_to_dashboard() {
            // The table, as it was left; what was said of the meeting goes with it.
            self.model.notice = None;
        } else if self.model.notice.is_some() {
            self.model.notice = None;
        } else {
            self.scroll_newest();
        }
    }

    fn clear_or_quit(&mut self) {
        if self.has_no_input() {
            // Nothing is written here.
        } else if !self.editor().0.is_empty() {
            // What was cleared can be put back like anything that was cut.
            return self.change(Editor::cut_all);
        }
        if self.model.quit_until.is_some() {
            return self.quit_now();
        }
        self.model.quit_until = Some(self.model.now.plus_ms(QUIT_MS));
    }

    /// Quits; in a running meeting asks first.
    pub(super) fn quit(&mut self) {
        if self.model.joined_rooms().next().is_some() {
            self.model.leaving = true;
        } else {
            self.quit_now();
        }
    }

    fn quit_leaving(&mut self) {
        let ids: Vec<_> = self.model.joined_rooms().map(|room| room.id).collect();
        let mut asked = false;
        for id in ids {
            asked |= self.ask(Verb::Leave(id), Asked::Leave(id));
        }
        self.model.leaving = false;
        if asked {
            self.model.quit_at = Some(self.model.now.plus_ms(LEAVE_MS));
        } else {
            self.quit_now();
        }
    }

    fn overlay_page(&self) -> isize {
        let (_, rows) = self.model.overlay_size();
        isize::try_from(rows.saturating_sub(1).max(1)).unwrap_or(1)
    }
}
