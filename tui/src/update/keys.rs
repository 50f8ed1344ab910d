//! Keys: the top layer gets them, and each command goes to the code that carries it out.

use super::Step;
use crate::command::{
    AppCommand, ChatCommand, Command, Context, MeetingsCommand, Nav, QuitCommand, SearchCommand,
};
use crate::effect::Effect;
use crate::key::Key;
use crate::keymap::Bound;
use crate::model::Cause;
use crate::model::composer::Composer;
use crate::model::layer::page::{Page, PageContent};
use crate::model::layer::{Chat, Layer, State as _};
use crate::theme::Tone;

impl Step<'_> {
    /// A key was pressed: the top layer takes it or swallows it.
    pub(super) fn key(&mut self, key: Key) {
        self.model.end_notice_of(Cause::Key);
        if key.typed() == Some('?') && self.question_mark() {
            return;
        }
        if let Some(bound) = self.model.keymap.find(self.model.contexts(), key) {
            self.end_choice(bound.command);
            self.command(bound);
        } else if let Some(c) = key.typed()
            && self.editor().is_some()
        {
            self.write(c);
        } else {
            self.swallow();
        }
    }

    /// A question mark on an empty input opens the help; on the empty filter of that help it is
    /// written into the input after all. False where it is a character or a key like any other.
    fn question_mark(&mut self) -> bool {
        let composer = self.model.composer();
        let is_unused = |c: &Composer| c.editor.is_empty() && c.target().is_new();
        if !composer.is_none_or(is_unused) {
            return false;
        }
        match self.model.layers.top() {
            Layer::Chat(_) => self.help(),
            Layer::Page(page) if page.is_help_for(Context::Compose) => {
                self.model.layers.pop();
                self.write('?');
            }
            _ => return false,
        }
        true
    }

    /// Says that the top layer has no use for a key. The chat ignores it in silence.
    pub(super) fn swallow(&mut self) {
        if !self.model.layers.is_top::<Chat>() {
            let help = self.model.key(Command::App(AppCommand::Help));
            let text = format!("No such key here; {help} for help");
            self.model.tell_until(Cause::Key, Tone::Plain, text);
        }
    }

    /// Carries out a command, from a key, the finder or the input. A notice about an earlier command
    /// ends, unless this one only moves or changes a text.
    pub(crate) fn command(&mut self, bound: Bound) {
        if !is_move_or_edit(bound.command) {
            self.model.end_notice_of(Cause::Command);
        }
        if bound.command != Command::App(AppCommand::ClearOrQuit) {
            self.model.quitting.confirm_until = None;
        }
        match bound.command {
            Command::Nav(nav) => self.nav(nav),
            Command::Edit(command) => self.edit(command),
            Command::Chat(command) => self.chat_command(command),
            Command::Meetings(command) => self.meetings_command(command, bound.nth),
            Command::Selection(command) => self.selection_command(command),
            Command::Search(SearchCommand::Scope) => self.toggle_scope(),
            Command::Dashboard(command) => self.dashboard_command(command, bound.nth),
            Command::MeetingAction(action) => self.meeting_action(action),
            Command::Detail(command) => self.detail_command(command, bound.nth),
            Command::Schedule(command) => self.schedule_command(command),
            Command::Sessions(command) => self.sessions_command(command),
            Command::Quit(QuitCommand::Leave) => self.quit_leaving(),
            Command::Quit(QuitCommand::Stay) => self.quit_keeping_seats(),
            Command::App(command) => self.app_command(command),
        }
    }

    fn nav(&mut self, nav: Nav) {
        match self.model.layers.top() {
            Layer::Chat(_) => self.chat_nav(nav),
            Layer::MeetingList(_) => self.meeting_list_nav(nav),
            Layer::Selection(_) => self.selection_nav(nav),
            Layer::Page(_) => self.page_nav(nav),
            Layer::Finder(_) => self.finder_nav(nav),
            Layer::Search(_) => self.search_nav(nav),
            Layer::Dashboard(_) => self.dashboard_nav(nav),
            Layer::MeetingDetail(_) => self.detail_nav(nav),
            Layer::ModerationDialog(_) => self.dialog_nav(nav),
            Layer::Schedule(_) => self.schedule_nav(nav),
            Layer::ScheduleForm(_) => self.form_nav(nav),
            Layer::Password(_) => self.password_nav(nav),
            Layer::Sessions(_) => self.sessions_nav(nav),
            Layer::SignIn(_) => self.sign_in_nav(nav),
            Layer::Quit(_) => {}
        }
    }

    /// Closes something in the top layer, or the layer. Nothing written is lost.
    fn back(&mut self) {
        match self.model.layers.top() {
            Layer::Chat(_) => self.back_in_chat(),
            Layer::Selection(_) => self.back_in_selection(),
            Layer::Search(_) => self.close_search(),
            Layer::Dashboard(_) => self.back_on_dashboard(),
            Layer::MeetingDetail(_) => self.back_in_detail(),
            Layer::ModerationDialog(_) => self.cancel_dialog(),
            Layer::Schedule(_) => self.back_in_schedule(),
            Layer::ScheduleForm(_) => self.cancel_form(),
            Layer::SignIn(_) => self.cancel_sign_in(),
            Layer::MeetingList(_)
            | Layer::Page(_)
            | Layer::Finder(_)
            | Layer::Password(_)
            | Layer::Sessions(_)
            | Layer::Quit(_) => {
                self.model.layers.pop();
            }
        }
    }

    fn app_command(&mut self, command: AppCommand) {
        match command {
            AppCommand::Dashboard => self.toggle_dashboard(),
            AppCommand::Help => self.help(),
            AppCommand::Back => self.back(),
            AppCommand::Redraw => self.out.push(Effect::Redraw),
            AppCommand::Suspend => {
                self.save_drafts();
                self.out.push(Effect::Suspend);
            }
            AppCommand::ClearOrQuit => self.clear_or_quit(),
            AppCommand::Quit => self.quit(),
        }
    }

    fn chat_command(&mut self, command: ChatCommand) {
        match command {
            ChatCommand::Send => self.send(),
            ChatCommand::Complete => self.complete(true),
            ChatCommand::CompleteBack => self.complete(false),
            ChatCommand::OpenEditor => self.open_editor(),
            ChatCommand::RowUp => self.scroll_by(-1),
            ChatCommand::RowDown => self.scroll_by(1),
            ChatCommand::Oldest => self.scroll_oldest(),
            ChatCommand::Newest => self.come_to_newest(),
            ChatCommand::FirstUnread => self.scroll_first_unread(),
            ChatCommand::PreviousMention => self.step_mention(true),
            ChatCommand::NextMention => self.step_mention(false),
            ChatCommand::Select => self.toggle_selection(),
            ChatCommand::Search => self.open_search(""),
            ChatCommand::History => self.open_history(),
            ChatCommand::CopyMode => self.toggle_copy_mode(),
            ChatCommand::Mouse => self.toggle_mouse(),
        }
    }

    fn meetings_command(&mut self, command: MeetingsCommand, nth: usize) {
        match command {
            MeetingsCommand::Find => self.open_finder(),
            MeetingsCommand::Next => self.step_meeting(true),
            MeetingsCommand::Previous => self.step_meeting(false),
            MeetingsCommand::Nth => self.nth_meeting(nth),
            MeetingsCommand::NextUnread => self.next_unread(),
            MeetingsCommand::Last => {
                if let Some(id) = self.model.shown_before {
                    self.show(id);
                }
            }
            MeetingsCommand::List => self.toggle_meetings(),
            MeetingsCommand::HideList => self.hide_meetings(),
            MeetingsCommand::Participants => self.toggle_people(),
        }
    }

    /// Keys of the chat that are not written into the input.
    fn chat_nav(&mut self, nav: Nav) {
        match nav {
            Nav::PageUp => self.scroll_page(-1),
            Nav::PageDown => self.scroll_page(1),
            Nav::Up
            | Nav::Down
            | Nav::First
            | Nav::Last
            | Nav::Enter
            | Nav::NextField
            | Nav::PreviousField => {}
        }
    }

    fn back_in_chat(&mut self) {
        if self.close_choice() {
            // The text is as it was written.
        } else if self.model.terminal.plain {
            self.toggle_copy_mode();
        } else if self.model.people_open {
            self.model.people_open = false;
        } else if self.model.composer().is_some_and(|c| !c.target().is_new()) {
            self.cancel_target();
        } else if self.model.layers.chat_is_visit() {
            self.model.layers.pop();
            self.model.jump = None;
            self.model.notice = None;
        } else if self.model.notice.is_some() {
            self.model.notice = None;
        } else {
            self.scroll_newest();
        }
    }

    /// To the newest message; everything counts as read.
    fn come_to_newest(&mut self) {
        if let Some(room) = self.model.room_mut() {
            room.marked_unread = false;
        }
        self.close_selection();
        self.scroll_newest();
    }

    /// Opens the help for the top layer, or closes it.
    fn help(&mut self) {
        let page = Page::of(self.model.layers.top());
        if page.is_some_and(Page::is_help) {
            return self.model.layers.pop();
        }
        let here = self.model.contexts();
        self.open_page(PageContent::Help { here });
    }
}

/// Whether a command moves or changes a text, and does nothing else.
const fn is_move_or_edit(command: Command) -> bool {
    match command {
        Command::Nav(nav) => !matches!(nav, Nav::Enter),
        Command::Edit(_) | Command::App(AppCommand::Redraw | AppCommand::Back) => true,
        Command::Chat(command) => matches!(
            command,
            ChatCommand::Complete
                | ChatCommand::CompleteBack
                | ChatCommand::RowUp
                | ChatCommand::RowDown
        ),
        Command::Meetings(_)
        | Command::Selection(_)
        | Command::Search(_)
        | Command::Dashboard(_)
        | Command::MeetingAction(_)
        | Command::Detail(_)
        | Command::Schedule(_)
        | Command::Sessions(_)
        | Command::Quit(_)
        | Command::App(
            AppCommand::Dashboard
            | AppCommand::Help
            | AppCommand::Suspend
            | AppCommand::ClearOrQuit
            | AppCommand::Quit,
        ) => false,
    }
}
