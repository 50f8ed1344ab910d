//! The selection: moving between messages, finding text, copying, opening links.

use plenary_shared::domain::{Event, EventKind};
use plenary_shared::ids::Seq;

use crate::command::{ChatCommand, Command, Nav, SelectionCommand};
use crate::effect::Effect;
use crate::link;
use crate::model::layer::meeting_list::MeetingList;
use crate::model::layer::selection::{Query, Selection, body};
use crate::model::scroll::{self, Place, Scroll};
use crate::model::step::Step;
use crate::text;
use crate::theme::Tone;
use plenary_shared::text::mentions;
use plenary_shared::unicode::fold;

impl Step<'_> {
    /// Selects the lowest visible message, or closes the selection.
    pub(crate) fn toggle_selection(&mut self) {
        if self.model.layers.get::<Selection>().is_some() {
            return self.close_selection();
        }
        let places = self.model.chat_places();
        let lowest = places.into_iter().rev().find_map(|place| match place {
            Some(Place::Event(seq)) if self.is_message(seq) => Some(seq),
            Some(Place::Event(_) | Place::Tail) | None => None,
        });
        match lowest.or_else(|| self.message(Seq::default(), false, |_| true)) {
            Some(seq) => self.select(seq),
            None => self.model.tell(Tone::Plain, "No message to select"),
        }
    }

    /// Selects a message and scrolls to it.
    pub(crate) fn select(&mut self, at: Seq) {
        let height = self.model.chat_rows();
        let before = self.model.layers.remove::<Selection>();
        let downward = before.as_ref().is_some_and(|before| before.at < at);
        let Some(room) = self.model.room() else {
            return;
        };
        let looked = self.model.room_view(room);
        let place = Place::Event(at);
        // New messages do not scroll it away.
        let pinned = scroll::pinned(&looked, height);
        let shown = scroll::window(&looked, height);
        let rows = shown
            .iter()
            .filter(|row| row.place == place && row.row >= 0);
        let block = looked.block(place);
        let needed = block.rows.len().saturating_sub(block.above).min(height);
        let scrolled = match rows.count() >= needed {
            true => pinned,
            false if downward => scroll::reaching(&looked, height, place),
            false => Scroll::From { place, row: 0 },
        };
        let sought = before.map(|before| before.sought).unwrap_or_default();
        if let Some(room) = self.model.room_mut() {
            room.scroll = scrolled;
        }
        self.model.layers.remove::<MeetingList>();
        self.model.people_open = false;
        self.model.layers.insert_over_chat(Selection {
            at,
            sought,
            ..Selection::default()
        });
        if let Some(id) = self.model.shown {
            self.page_ahead(id);
        }
    }

    /// Closes the selection. A log that was at its end follows new messages again.
    pub(crate) fn close_selection(&mut self) {
        let height = self.model.chat_rows();
        if self.model.layers.remove::<Selection>().is_some() {
            self.scroll_by(0);
            if self.model.chat_rows() < height {
                // The mark that the chat is scrolled up takes a row: keep the lowest message.
                self.scroll_by(1);
            }
        }
    }

    /// Carries out a command for the selected message.
    pub(crate) fn selection_command(&mut self, command: SelectionCommand) {
        match command {
            SelectionCommand::Reply => self.reply_selected(),
            SelectionCommand::Edit => self.edit_selected(),
            SelectionCommand::Delete => self.ask_to_delete(),
            SelectionCommand::ConfirmDelete => self.delete_selected(),
            SelectionCommand::Find => {
                if let Some(select) = self.model.layers.get_mut::<Selection>() {
                    select.query = Some(Query::default());
                }
            }
            SelectionCommand::FindOlder => self.search(true),
            SelectionCommand::FindNewer => self.search(false),
            SelectionCommand::CopyText => self.copy(false),
            SelectionCommand::CopyLine => self.copy(true),
            SelectionCommand::OpenLink => self.open_link(),
            SelectionCommand::MarkUnread => self.unread_from(),
        }
    }

    /// Moves from message to message; Enter finds what is written, or loads what is missing.
    pub(crate) fn selection_nav(&mut self, nav: Nav) {
        match nav {
            Nav::Up => self.step_selection(true),
            Nav::Down => self.step_selection(false),
            Nav::PageUp => self.scroll_page(-1),
            Nav::PageDown => self.scroll_page(1),
            Nav::First => match self.message(Seq::default(), false, |_| true) {
                Some(seq) => self.select(seq),
                None => self.close_selection(),
            },
            Nav::Last => {
                if let Some(seq) = self.last_message() {
                    self.select(seq);
                }
            }
            Nav::Enter if self.model.query().is_some() => self.begin_search(),
            Nav::Enter => self.read_back(),
            Nav::NextField | Nav::PreviousField => {}
        }
    }

    /// Closes the text to find, the question before a delete, or the selection.
    pub(crate) fn back_in_selection(&mut self) {
        if let Some(select) = self.model.layers.get_mut::<Selection>()
            && (select.query.take().is_some() || std::mem::take(&mut select.deleting))
        {
            return;
        }
        if !self.back_to_search() {
            self.close_selection();
        }
    }

    /// Selects the previous or next mention of the user.
    pub(crate) fn step_mention(&mut self, older: bool) {
        let Some(me) = self.model.session.me.clone() else {
            return;
        };
        let from = self.model.layers.get::<Selection>().map(|select| select.at);
        let from = from.or_else(|| {
            let places = self.model.chat_places();
            let mut places = places.into_iter().flatten();
            let edge = if older {
                places.next_back()
            } else {
                places.next()
            };
            match edge {
                Some(Place::Event(seq)) if older => Some(seq.next()),
                Some(Place::Event(seq)) => Some(seq),
                Some(Place::Tail) | None => None,
            }
        });
        let last = || {
            self.model
                .room()
                .map_or(Seq::default(), |room| room.last().next())
        };
        let meant = |event: &Event| {
            event.kind.user() != Some(me.id)
                && body(event).is_some_and(|body| mentions(body, &me.name))
        };
        if let Some(seq) = self.message(from.unwrap_or_else(last), older, meant) {
            self.select(seq);
        } else {
            let direction = if older { "earlier" } else { "later" };
            let text = format!("No {direction} mentions");
            self.model.tell(Tone::Plain, text);
        }
    }

    /// Turns copy mode on or off: only the chat, for the selection of the terminal.
    pub(crate) fn toggle_copy_mode(&mut self) {
        self.model.terminal.plain = !self.model.terminal.plain;
        self.close_selection();
        let mouse = self.model.terminal.mouse && !self.model.terminal.plain;
        self.out.push(Effect::Mouse(mouse));
        if self.model.terminal.plain {
            let key = self.model.key(Command::Chat(ChatCommand::CopyMode));
            let text = format!("Plain view for copying. {key} or Esc: back");
            self.model.tell(Tone::Plain, text);
        } else {
            self.model.notice = None;
        }
    }

    /// Turns mouse capture on or off.
    pub(crate) fn toggle_mouse(&mut self) {
        self.model.terminal.mouse = !self.model.terminal.mouse;
        let mouse = self.model.terminal.mouse && !self.model.terminal.plain;
        self.out.push(Effect::Mouse(mouse));
        let text = if self.model.terminal.mouse {
            "Mouse capture on"
        } else {
            "Mouse capture off"
        };
        self.model.tell(Tone::Plain, text);
    }

    /// Returns the nearest message before or after a seq that satisfies a predicate.
    fn message(&self, from: Seq, older: bool, wanted: impl Fn(&Event) -> bool) -> Option<Seq> {
        let log = self.model.room()?.log.as_ref()?;
        let is = |event: &&Event| body(event).is_some() && wanted(event);
        let found = if older {
            log.events_before(from).rev().find(is)
        } else {
            log.events_after(from).find(is)
        };
        found.map(|event| event.seq)
    }

    /// Returns whether an event is a message.
    pub(crate) fn is_message(&self, seq: Seq) -> bool {
        let log = self.model.room().and_then(|room| room.log.as_ref());
        log.and_then(|log| log.event(seq)).and_then(body).is_some()
    }

    fn last_message(&self) -> Option<Seq> {
        let last = self.model.room()?.last().next();
        self.message(last, true, |_| true)
    }

    fn step_selection(&mut self, older: bool) {
        let Some(at) = self.model.layers.get::<Selection>().map(|select| select.at) else {
            return;
        };
        match self.message(at, older, |_| true) {
            Some(seq) => match self.gap_between(at, seq) {
                Some(event) => {
                    self.show_gap(event, older);
                    self.fill_before(event);
                }
                None => self.select(seq),
            },
            None if older => self.fill_older(),
            None => {}
        }
    }

    /// Scrolls to the line about the events missing before an event.
    fn show_gap(&mut self, event: Seq, above: bool) {
        let height = self.model.chat_rows();
        let place = Place::Event(event);
        let Some(room) = self.model.room() else {
            return;
        };
        let looked = self.model.room_view(room);
        let shown = scroll::window(&looked, height);
        if shown.iter().any(|row| row.place == place && row.row < 0) {
            return;
        }
        let scrolled = if above {
            scroll::from(&looked, height, place)
        } else {
            scroll::reaching(&looked, height, place)
        };
        if let Some(room) = self.model.room_mut() {
            room.scroll = scrolled;
        }
    }

    /// Loads the messages missing beside the selected one, or closes the selection.
    fn read_back(&mut self) {
        let Some(at) = self.model.layers.get::<Selection>().map(|select| select.at) else {
            return;
        };
        let first = self.message(Seq::default(), false, |_| true);
        let beside = [true, false].map(|older| self.message(at, older, |_| true));
        let gaps = beside.map(|other| self.gap_between(at, other?));
        match gaps.into_iter().flatten().next() {
            Some(event) => self.fill_before(event),
            None if first == Some(at) => self.fill_older(),
            None => self.close_selection(),
        }
    }

    fn begin_search(&mut self) {
        let Some(select) = self.model.layers.get_mut::<Selection>() else {
            return;
        };
        if let Some(query) = select.query.take()
            && !query.editor.is_empty()
        {
            select.sought = fold(query.editor.text());
        }
        self.search(true);
    }

    fn search(&mut self, older: bool) {
        let Some(select) = self.model.layers.get::<Selection>() else {
            return;
        };
        let (at, sought) = (select.at, select.sought.clone());
        if sought.is_empty() {
            return self.model.tell(Tone::Plain, "No search term yet");
        }
        let has = |event: &Event| body(event).is_some_and(|b| fold(b).contains(&sought));
        if let Some(seq) = self.message(at, older, has) {
            self.select(seq);
        } else {
            let text = if older {
                "Not found above; load older with PgUp"
            } else {
                "Not found below"
            };
            self.model.tell(Tone::Plain, text);
        }
    }

    fn copy(&mut self, whole: bool) {
        let Some(event) = self.model.selected() else {
            return;
        };
        let EventKind::Message { user, body, .. } = &event.kind else {
            return;
        };
        let log = self.model.room().and_then(|room| room.log.as_ref());
        let name = log.map_or_else(String::new, |log| log.name(*user));
        let text = if whole {
            let at = self.model.zone.hm(event.timestamp);
            format!("{at} {name}: {}", body.as_str())
        } else {
            body.as_str().to_owned()
        };
        self.out.push(Effect::Copy(text));
        self.model.tell(Tone::Plain, "Copied");
    }

    fn open_link(&mut self) {
        let said = self.model.selected().and_then(body).unwrap_or_default();
        let found = link::found(said).into_iter();
        let found: Vec<String> = found.map(|at| said[at].to_owned()).collect();
        let Some(select) = self.model.layers.get_mut::<Selection>() else {
            return;
        };
        if found.is_empty() {
            return self.model.tell(Tone::Plain, "No link in this message");
        }
        let nth = select.opened % found.len();
        select.opened += 1;
        let shown = text::one_line(&found[nth]);
        let of = match found.len() {
            1 => String::new(),
            count => format!(" ({} of {count})", nth + 1),
        };
        self.model.tell(Tone::Plain, format!("Opening {shown}{of}"));
        self.out.push(Effect::Open(found[nth].clone()));
    }

    fn unread_from(&mut self) {
        let (me, name) = match &self.model.session.me {
            Some(me) => (Some(me.id), me.name.clone()),
            None => (None, String::new()),
        };
        let Some(at) = self.model.layers.get::<Selection>().map(|select| select.at) else {
            return;
        };
        if let Some(room) = self.model.room_mut() {
            room.unread_from(at, me, |body| mentions(body, &name));
        }
        self.close_selection();
        let text = "Marked as unread until you return to this meeting";
        self.model.tell(Tone::Plain, text);
    }
}
