//! The cached screens in the model: shown until the server answers, and collected for the next
//! start.

use plenary_shared::domain::InstanceState;
use plenary_shared::ids::InstanceId;
use plenary_shared::replica::Replica;

use crate::cache::{Cache, EVENTS_MAX, Person, ROOMS_MAX, aged};
use crate::model::room::Room;
use crate::model::{Me, Model};

impl Model {
    /// Shows the cached screens, marked as cached.
    pub(super) fn show_cache(&mut self, cache: Cache) {
        let (now, at) = (self.now, cache.at);
        let Person {
            id,
            name,
            email,
            role,
        } = cache.person;
        self.session.me = Some(Me {
            id,
            name,
            email,
            role,
        });
        let listed = cache.meetings.into_iter();
        self.meetings
            .set_cached(listed.map(|one| aged(one, now)).collect(), at);
        for mut opened in cache.rooms.into_iter().take(ROOMS_MAX) {
            opened.instance = aged(opened.instance, now);
            let mut room = Room::new(opened.instance.id, now);
            room.log = Some(Replica::new(opened));
            room.cached_at = Some(at);
            room.seen = room.last();
            room.derive_left();
            self.rooms.insert(room.id, room);
        }
        // If the cached meeting has ended, show one that is live.
        let shown = cache.shown.filter(|id| self.may_be_live(*id));
        self.shown = shown.or_else(|| {
            let entries = self.meetings.entries(now, self.zone);
            let ids = || entries.iter().map(|entry| entry.instance.id);
            let opened = ids().find(|id| self.may_be_live(*id) && self.rooms.contains_key(id));
            let running = opened.or_else(|| ids().find(|id| self.may_be_live(*id)));
            running.or(cache.shown)
        });
    }

    /// Returns what to cache: the meeting list and the most recently viewed logs.
    pub fn cache(&self) -> Option<Cache> {
        let me = self.session.me.clone()?;
        let person = Person {
            id: me.id,
            name: me.name,
            email: me.email,
            role: me.role,
        };
        let mut cache = Cache::new(self.session.server.clone(), person, self.now);
        cache.meetings = self.meetings.iter().cloned().collect();
        cache.shown = self.shown;
        let mut rooms: Vec<&Room> = self.rooms.values().collect();
        rooms.sort_by_key(|room| (self.shown != Some(room.id), -room.viewed_at.as_ms()));
        let logs = rooms.into_iter().filter_map(|room| room.log.as_ref());
        cache.rooms = logs
            .take(ROOMS_MAX)
            .map(|log| log.last_page(EVENTS_MAX))
            .collect();
        Some(cache)
    }

    /// Returns whether a meeting has not ended, according to the cache.
    fn may_be_live(&self, id: InstanceId) -> bool {
        let log = self.rooms.get(&id).and_then(|room| room.log.as_ref());
        let state = self.instance(id).map(|instance| instance.state);
        !log.is_some_and(Replica::is_closed)
            && matches!(
                state,
                Some(InstanceState::Active | InstanceState::Scheduled)
            )
    }
}
