//! The dashboard as one admin has it, assembled from the pushes as a client does.

use std::collections::BTreeMap;

use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::{
    Attendee, DashboardRow, DashboardTotals, DashboardUpdate, DetailUpdate, MeetingTotals, Push,
    ServerStatus, TimelineEntry, Verb, Watch,
};
use plenary_testkit::{DEADLINE, Ws, instance};
use tokio::time::timeout;

pub struct Watched {
    pub ws: Ws,
    pub head: Option<DashboardTotals>,
    pub servers: Vec<ServerStatus>,
    pub rows: BTreeMap<InstanceId, DashboardRow>,
    pub sums: Option<MeetingTotals>,
    pub people: BTreeMap<UserId, Attendee>,
    pub traces: Vec<TimelineEntry>,
    /// How often the complete detail was pushed.
    pub begun: usize,
}

impl Watched {
    pub async fn begin(mut ws: Ws) -> Self {
        ws.ask(Verb::Watch(Watch::default()))
            .await
            .expect("an admin may");
        Self {
            ws,
            head: None,
            servers: Vec::new(),
            rows: BTreeMap::new(),
            sums: None,
            people: BTreeMap::new(),
            traces: Vec::new(),
            begun: 0,
        }
    }

    /// Watches one instance in detail from now on.
    pub async fn look_into(&mut self, id: InstanceId) {
        let watch = Watch {
            stop: false,
            instance: Some(id),
        };
        let asked = self.ws.ask(Verb::Watch(watch)).await;
        asked.expect("an admin may");
    }

    fn take(&mut self, push: Push) {
        match push {
            Push::Dashboard(news) => self.take_board(*news),
            Push::Detail(news) => self.take_detail(*news),
            Push::Event(_)
            | Push::Durable(_)
            | Push::Fence(_)
            | Push::Read(_)
            | Push::Typing(_)
            | Push::Waiting(_)
            | Push::Presence(_)
            | Push::Changed(_) => {}
        }
    }

    fn take_board(&mut self, news: DashboardUpdate) {
        if news.reset {
            self.rows.clear();
        }
        if !news.servers.is_empty() {
            self.servers = news.servers;
        }
        self.head = news.totals.or(self.head.take());
        self.rows
            .extend(news.rows.into_iter().map(|row| (row.instance, row)));
        for id in news.removed {
            self.rows.remove(&id);
        }
    }

    fn take_detail(&mut self, news: DetailUpdate) {
        if news.reset {
            self.people.clear();
            self.traces.clear();
            self.begun += 1;
        }
        self.sums = news.totals.or(self.sums.take());
        let people = news.attendees.into_iter();
        self.people.extend(people.map(|one| (one.user, one)));
        self.traces.extend(news.timeline);
    }

    /// Reads pushes until `look` accepts the state.
    pub async fn until(&mut self, what: &str, look: impl Fn(&Self) -> bool) {
        let told = async {
            while !look(self) {
                let push = self.ws.next().await;
                self.take(push);
            }
        };
        // Something is pushed every second, whatever it waits for.
        let told = timeout(DEADLINE, told).await;
        told.unwrap_or_else(|_| {
            panic!(
                "waited in vain for {what}: {:?} {:?} {:?} {:?} {:?}",
                self.head, self.rows, self.sums, self.people, self.traces
            )
        });
    }

    pub fn row(&self, order: u64) -> Option<&DashboardRow> {
        self.rows.get(&instance(1, order))
    }

    pub fn named(&self, name: &str) -> Option<&Attendee> {
        self.people.values().find(|one| one.name == name)
    }
}
