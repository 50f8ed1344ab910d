//! The stack of layers: what is open on the screen, and who gets the keys.
//!
//! The chat is the base of the stack. Everything that opens above it is a [`Layer`]: the finder, a
//! page, the dashboard, a question. Precedence exists only here, as the order of the stack:
//!
//! - The top layer gets the keys. [`Layer::contexts`] lists the parts of the key table that apply.
//!   A key that none of them knows is swallowed with a hint and never reaches a layer below.
//! - Typed characters go into [`Layer::editor`], the text field of the top layer. A layer without
//!   one swallows them.
//! - Esc closes something inside the top layer, or else the layer.
//! - Some layers fill the screen (the chat, the dashboard, the sign-in form). Drawing starts at the
//!   highest of those and goes up.
//!
//! The chat can appear again above another layer: an admin who reads along in a meeting from the
//! dashboard sees `[Chat, Dashboard, Chat]`, and Esc returns to the dashboard as it was left.
//!
//! # Adding a layer
//!
//! 1. Write its state in `layer/NAME.rs`, and add it to the list below. The list derives [`State`],
//!    through which [`Layers`] finds a layer by its type: `layers.get::<Finder>()`.
//! 2. Give it its contexts and, where it takes text, its editor, in [`Layer::contexts`] and
//!    [`Layer::editor`].
//! 3. Add a `Context` and the rows of its keys to `command/table`. Moving uses the rows of
//!    `Context::Lists`, or below a text field those of `Context::Choices` or `Context::Forms`; only
//!    commands of its own need rows, in an enum of its own: `Command::Finder(FinderCommand)`.
//! 4. In `layer/NAME/update.rs`, write `impl Step` with `NAME_nav(Nav)`, `NAME_command(…)` and
//!    `back_in_NAME()`, and add a line for each to the dispatch in `update/keys.rs`.
//! 5. In `layer/NAME/view.rs`, write `draw(model, state, frame, area)`, and call it from `view.rs`.
//!    What several admin screens draw is in `layer/dashboard/figures.rs`; the rows below them are drawn
//!    by `view/foot.rs`.

pub mod dashboard;
pub mod finder;
pub mod meeting_list;
pub mod page;
pub mod password;
pub mod quit;
pub mod schedule;
pub mod search;
pub mod selection;
pub mod sessions;
pub mod sign_in;

use crate::command::Context;
use crate::model::editor::{Editor, KillRing};
use dashboard::Dashboard;
use dashboard::meeting_detail::DetailView;
use dashboard::moderation_dialog::Dialog;
use finder::Finder;
use meeting_list::MeetingList;
use page::Page;
use password::PasswordDialog;
use quit::Quit;
use schedule::Schedule;
use schedule::form::Form;
use search::Search;
use selection::Selection;
use sessions::Sessions;
use sign_in::SignIn;

/// The state of one kind of layer.
pub trait State: Sized {
    /// Returns the state if the layer is of this kind.
    fn of(layer: &Layer) -> Option<&Self>;
    /// Returns the state for a change if the layer is of this kind.
    fn of_mut(layer: &mut Layer) -> Option<&mut Self>;
    /// Makes a layer of it.
    fn into_layer(self) -> Layer;
}

macro_rules! layers {
    ($($(#[$doc:meta])* $name:ident($state:ty),)*) => {
        /// One layer of the screen with its state.
        #[derive(Clone, Debug)]
        pub enum Layer {
            $($(#[$doc])* $name(Box<$state>),)*
        }

        $(impl State for $state {
            fn of(layer: &Layer) -> Option<&Self> {
                if let Layer::$name(state) = layer { Some(state) } else { None }
            }

            fn of_mut(layer: &mut Layer) -> Option<&mut Self> {
                if let Layer::$name(state) = layer { Some(state) } else { None }
            }

            fn into_layer(self) -> Layer {
                Layer::$name(Box::new(self))
            }
        })*
    };
}

layers! {
    /// The chat of the shown meeting, with its input.
    Chat(Chat),
    /// The list of meetings has the keys.
    MeetingList(MeetingList),
    Selection(Selection),
    Page(Page),
    /// The finder of meetings, participants and commands.
    Finder(Finder),
    Search(Search),
    Dashboard(Dashboard),
    MeetingDetail(DetailView),
    /// The dialog before a moderation action.
    ModerationDialog(Dialog),
    Schedule(Schedule),
    /// The form of a schedule change.
    ScheduleForm(Form),
    Password(PasswordDialog),
    /// The list of the user's sessions.
    Sessions(Sessions),
    SignIn(SignIn),
    Quit(Quit),
}

/// The chat; its state is in the rooms and composers of the model.
#[derive(Clone, Copy, Debug)]
pub struct Chat;

impl Layer {
    /// The parts of the key table that apply while this is the top layer, the nearest first.
    pub fn contexts(&self) -> &'static [Context] {
        use Context::{
            Anywhere, Chat, Choices, Compose, DeleteQuestion, Edit, FindInMeeting, Finder, Forms,
            Lists, MeetingList, Meetings, ModerationDialog, PasswordDialog, Quit, ScheduleForm,
            Search, Selection, Sessions, SignIn,
        };
        match self {
            Self::Chat(_) => &[Compose, Edit, Chat, Meetings, Anywhere],
            Self::MeetingList(_) => &[MeetingList, Lists, Chat, Meetings, Anywhere],
            Self::Selection(selection) if selection.query.is_some() => {
                &[FindInMeeting, Edit, Anywhere]
            }
            Self::Selection(selection) if selection.deleting => &[DeleteQuestion, Anywhere],
            Self::Selection(_) => &[Selection, Lists, Chat, Meetings, Anywhere],
            Self::Page(page) => page.contexts(),
            Self::Finder(_) => &[Finder, Choices, Edit, Anywhere],
            Self::Search(_) => &[Search, Choices, Edit, Anywhere],
            Self::Dashboard(dashboard) => dashboard.contexts(),
            Self::MeetingDetail(view) => view.contexts(),
            Self::ModerationDialog(_) => &[ModerationDialog, Choices, Edit, Anywhere],
            Self::Schedule(schedule) => schedule.contexts(),
            Self::ScheduleForm(_) => &[ScheduleForm, Forms, Edit, Anywhere],
            Self::Password(_) => &[PasswordDialog, Forms, Edit, Anywhere],
            Self::Sessions(_) => &[Sessions, Lists, Anywhere],
            Self::SignIn(_) => &[SignIn, Forms, Edit, Anywhere],
            Self::Quit(_) => &[Quit, Anywhere],
        }
    }

    /// The text field that takes the typing, with its kill ring. The chat's is the composer of the
    /// shown meeting, which belongs to the model.
    pub fn editor(&mut self) -> Option<(&mut Editor, &mut KillRing)> {
        match self {
            Self::Selection(selection) => {
                let query = selection.query.as_mut()?;
                Some((&mut query.editor, &mut query.ring))
            }
            Self::Finder(finder) => Some((&mut finder.query, &mut finder.ring)),
            Self::Search(search) => Some((&mut search.query, &mut search.ring)),
            Self::Dashboard(dashboard) => dashboard.filter.input(),
            Self::MeetingDetail(view) => view.filter.input(),
            Self::ModerationDialog(dialog) => Some(dialog.input()),
            Self::Schedule(schedule) => schedule.filter.input(),
            Self::ScheduleForm(form) => form.input(),
            Self::Password(dialog) => Some(dialog.editor_mut()),
            Self::SignIn(form) => Some(form.editor_mut()),
            Self::Page(page) => page.input(),
            Self::Chat(_) | Self::MeetingList(_) | Self::Sessions(_) | Self::Quit(_) => None,
        }
    }

    /// Whether it fills the screen, so that nothing below it is drawn.
    const fn is_screen(&self) -> bool {
        matches!(
            self,
            Self::Chat(_)
                | Self::Dashboard(_)
                | Self::MeetingDetail(_)
                | Self::Schedule(_)
                | Self::SignIn(_)
        )
    }

    /// Whether it hides the messages of the chat below it.
    const fn hides_chat(&self) -> bool {
        matches!(self, Self::Page(_) | Self::Search(_)) || self.is_screen()
    }
}

/// The open layers, from the base up; the base is the chat and stays.
#[derive(Clone, Debug)]
pub struct Layers {
    stack: Vec<Layer>,
}

impl Default for Layers {
    fn default() -> Self {
        Self {
            stack: vec![Chat.into_layer()],
        }
    }
}

impl Layers {
    /// The layer that gets the keys.
    pub fn top(&self) -> &Layer {
        &self.stack[self.stack.len() - 1]
    }

    /// The layer that gets the keys, for a change.
    pub fn top_mut(&mut self) -> &mut Layer {
        let last = self.stack.len() - 1;
        &mut self.stack[last]
    }

    /// Whether the top layer is of this kind.
    pub fn is_top<T: State>(&self) -> bool {
        T::of(self.top()).is_some()
    }

    /// The highest layer of this kind, visible or not.
    pub fn get<T: State>(&self) -> Option<&T> {
        self.stack.iter().rev().find_map(T::of)
    }

    /// The highest layer of this kind, visible or not, for a change.
    pub fn get_mut<T: State>(&mut self) -> Option<&mut T> {
        self.stack.iter_mut().rev().find_map(T::of_mut)
    }

    /// The layers that are drawn, from the highest one that fills the screen up.
    pub fn visible(&self) -> &[Layer] {
        let screen = self.stack.iter().rposition(Layer::is_screen);
        &self.stack[screen.unwrap_or_default()..]
    }

    /// The layer of this kind if it is visible.
    pub fn shown<T: State>(&self) -> Option<&T> {
        self.visible().iter().rev().find_map(T::of)
    }

    /// Whether a layer of this kind is visible.
    pub fn shows<T: State>(&self) -> bool {
        self.shown::<T>().is_some()
    }

    /// Whether the messages of the shown meeting are visible.
    pub fn shows_chat(&self) -> bool {
        let mut visible = self.visible().iter();
        matches!(visible.next(), Some(Layer::Chat(_))) && !visible.any(Layer::hides_chat)
    }

    /// Opens a layer on top.
    pub fn push(&mut self, state: impl State) {
        self.stack.push(state.into_layer());
    }

    /// Closes the top layer; the base stays.
    pub fn pop(&mut self) {
        if self.stack.len() > 1 {
            self.stack.pop();
        }
    }

    /// Closes the highest layer of this kind and everything above it.
    pub fn close<T: State>(&mut self) {
        if let Some(at) = self.position::<T>() {
            self.stack.truncate(at.max(1));
        }
    }

    /// Closes everything above the highest layer of this kind; false when there is none.
    pub fn return_to<T: State>(&mut self) -> bool {
        let at = self.position::<T>();
        if let Some(at) = at {
            self.stack.truncate(at + 1);
        }
        at.is_some()
    }

    /// Takes the highest layer of this kind out, and leaves what is above it.
    pub fn remove<T: State + Clone>(&mut self) -> Option<T> {
        let at = self.position::<T>().filter(|at| *at > 0)?;
        let layer = self.stack.remove(at);
        T::of(&layer).cloned()
    }

    /// Closes everything but the base.
    pub fn clear(&mut self) {
        self.stack.truncate(1);
    }

    /// Puts a layer right above the highest chat: below a question that is open.
    pub fn insert_over_chat(&mut self, state: impl State) {
        let at = self.position::<Chat>().unwrap_or_default() + 1;
        self.stack.insert(at, state.into_layer());
    }

    /// Whether the highest chat was opened from another layer, to which Esc returns.
    pub fn chat_is_visit(&self) -> bool {
        self.position::<Chat>().is_some_and(|at| at > 0)
    }

    /// Whether the highest chat was opened from the search, to show one of its results.
    pub fn chat_is_result(&self) -> bool {
        let below = self.position::<Chat>().and_then(|at| at.checked_sub(1));
        below.is_some_and(|at| matches!(self.stack[at], Layer::Search(_)))
    }

    /// Closes the search from which the highest chat was opened, and keeps the chat.
    pub fn forget_search(&mut self) {
        if self.chat_is_result()
            && let Some(at) = self.position::<Chat>()
        {
            self.stack.drain(at - 1..=at);
        }
    }

    /// The highest page that shows an answer of the server, or waits for one.
    pub fn answer_page_mut(&mut self) -> Option<&mut Page> {
        let mut pages = self.stack.iter_mut().rev().filter_map(Page::of_mut);
        pages.find(|page| !page.is_help())
    }

    /// Closes the highest page that waits for an answer.
    pub fn close_waiting_page(&mut self) {
        let waits = |layer: &Layer| Page::of(layer).is_some_and(Page::is_waiting);
        if let Some(at) = self.stack.iter().rposition(waits) {
            self.stack.remove(at);
        }
    }

    fn position<T: State>(&self) -> Option<usize> {
        self.stack.iter().rposition(|layer| T::of(layer).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(layers: &Layers) -> String {
        let names = layers.stack.iter().map(|layer| match layer {
            Layer::Chat(_) => "chat",
            Layer::MeetingList(_) => "list",
            Layer::Selection(_) => "selection",
            Layer::Page(_) => "page",
            Layer::Finder(_) => "finder",
            Layer::Search(_) => "search",
            Layer::Dashboard(_) => "dashboard",
            Layer::MeetingDetail(_) => "detail",
            Layer::ModerationDialog(_) => "dialog",
            Layer::Schedule(_) => "schedule",
            Layer::ScheduleForm(_) => "form",
            Layer::Password(_) => "password",
            Layer::Sessions(_) => "sessions",
            Layer::SignIn(_) => "sign-in",
            Layer::Quit(_) => "quit",
        });
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_base_stays() {
        let mut layers = Layers::default();
        layers.pop();
        layers.close::<Chat>();
        assert!(layers.remove::<Chat>().is_none());
        assert_eq!(names(&layers), "chat");
        layers.push(Quit);
        layers.clear();
        assert_eq!(names(&layers), "chat");
    }

    #[test]
    fn a_visit_hides_the_dashboard_and_returns_to_it() {
        let mut layers = Layers::default();
        layers.push(Dashboard::default());
        assert!(layers.shows::<Dashboard>() && !layers.shows_chat());
        layers.push(Chat);
        assert!(!layers.shows::<Dashboard>() && layers.shows_chat() && layers.chat_is_visit());
        layers.push(Quit);
        layers.insert_over_chat(Selection::default());
        assert_eq!(names(&layers), "chat dashboard chat selection quit");
        assert!(layers.return_to::<Dashboard>());
        assert_eq!(names(&layers), "chat dashboard");
        layers.close::<Dashboard>();
        assert_eq!(names(&layers), "chat");
    }

    #[test]
    fn a_search_is_forgotten_under_the_chat_that_shows_its_result() {
        let mut layers = Layers::default();
        layers.push(Search::new("", None));
        layers.push(Chat);
        assert!(layers.chat_is_result());
        layers.push(Selection::default());
        layers.forget_search();
        assert_eq!(names(&layers), "chat selection");
    }
}
