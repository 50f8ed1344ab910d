//! Unread counts, and whether a meeting is being viewed.

use std::collections::BTreeSet;

use plenary_shared::domain::InstanceState;
use plenary_shared::ids::{InstanceId, Seq};

use crate::clock;
use crate::layout::Form;
use crate::model::Model;
use crate::model::layer::sign_in::SignIn;
use crate::text;

impl Model {
    /// Returns the next meeting with unread messages, those with mentions first.
    pub fn next_unread(&self) -> Option<InstanceId> {
        let unread = self
            .known_meetings()
            .into_iter()
            .map(|id| (self.unread_of(id), id));
        unread
            .filter(|((unread, _), _)| *unread > 0)
            .max_by_key(|((unread, mentions), _)| (*mentions > 0, *unread))
            .map(|(_, id)| id)
    }

    /// Returns the unread messages of others and how many of them mention the user. In a meeting
    /// that the user never opened, messages count only if one mentions the user.
    pub fn unread_of(&self, id: InstanceId) -> (usize, usize) {
        if let Some(room) = self.rooms.get(&id).filter(|room| room.is_loaded()) {
            return (room.unread, room.mentions);
        }
        let is_in = self.meetings.get(id).is_some_and(|i| i.joined.is_some());
        let left = self.meetings.unread(id);
        let left = left.filter(|left| is_in || left.read > Seq::default() || left.mentions > 0);
        let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        left.map_or((0, 0), |left| (count(left.unread), count(left.mentions)))
    }

    /// Returns whether the user sees the end of this room's log.
    pub fn is_viewing_end(&self, id: InstanceId) -> bool {
        let room = self.rooms.get(&id);
        self.is_viewing(id) && room.is_some_and(|room| room.scroll.is_newest())
    }

    /// Returns whether the user sees this room's log.
    pub fn is_viewing(&self, id: InstanceId) -> bool {
        let covered = self.drawer().is_some() && self.panes().form != Form::Three;
        self.shown == Some(id)
            && self.terminal.focused
            && self.layers.shows_chat()
            && !self.rooms.get(&id).is_some_and(|room| room.marked_unread)
            && (!covered || self.panes().chat.width > 60)
    }

    /// Returns the terminal title, such as `●23m Seminar !2`.
    pub fn window_title(&self) -> String {
        let glyphs = self.theme.glyphs;
        let instance = self.shown.and_then(|id| self.instance(id));
        let Some(instance) = instance.filter(|_| self.layers.get::<SignIn>().is_none()) else {
            return "plenary".to_owned();
        };
        let (now, name) = (self.now, text::one_line(&instance.title));
        let meeting = match instance.state {
            InstanceState::Active => {
                let left = clock::left(now, instance.todatetime);
                format!("{}{left} {name}", glyphs.live)
            }
            InstanceState::Scheduled => {
                let left = clock::left(now, instance.fromdatetime);
                format!("{name} in {left}")
            }
            InstanceState::Ending | InstanceState::Ended => format!("{} {name}", glyphs.done),
        };
        let (mut unread, mut mentions) = (0_usize, 0_usize);
        for (more, meant) in self
            .known_meetings()
            .into_iter()
            .map(|id| self.unread_of(id))
        {
            unread = unread.saturating_add(more);
            mentions = mentions.saturating_add(meant);
        }
        match (mentions, unread) {
            (0, 0) => meeting,
            (0, unread) => format!("{meeting} +{unread}"),
            (mentions, _) => format!("{meeting} !{mentions}"),
        }
    }

    /// Returns every meeting that is listed or open.
    fn known_meetings(&self) -> BTreeSet<InstanceId> {
        let listed = self.meetings.iter().map(|instance| instance.id);
        listed.chain(self.rooms.keys().copied()).collect()
    }
}
