//! What may happen next, and how likely each is.

use plenary_server::store::instrument::Backend;

use crate::clients::Do;
use crate::gate::{At, Ready, Verdict};
use crate::ground::Forgets;
use crate::run::Run;
use crate::servers::{LEASE_MS, Role};

/// How often others continue between a call and its answer, in per cent.
const STOPS_PER_CENT: usize = 50;

/// How often a server looks for lost connections while everything comes to rest.
const REAPED_MS: i64 = 6_000;

/// What happens next.
pub enum Action {
    Tell(Ready),
    Client(usize, Do),
    Pull(usize),
    Role(usize, Role),
    Look(usize),
    Deliver(usize),
    LoseNews(usize),
    Tick(i64, i64),
    Kill(usize),
    Start(usize),
    Forget(Forgets),
    Keep,
    RedisAway,
    MySqlAway,
}

impl Run<'_> {
    /// One of all that may happen now.
    pub(crate) fn choose(&mut self) -> Action {
        let ready = self.gate.ready();
        let (calm, ending) = (self.calm, self.ending);
        let is_still = ready.is_empty();
        let mut all: Vec<(usize, Action)> = Vec::new();
        all.extend(ready.into_iter().map(|one| {
            let haste = match (ending, calm, one.job.starts_with("client")) {
                (true, _, _) => 120,
                (false, true, _) => 40,
                (false, false, true) => 30,
                (false, false, false) => 12,
            };
            (haste, Action::Tell(one))
        }));
        self.add_clients(&mut all);
        self.add_servers(&mut all);
        self.add_world(is_still, &mut all);
        self.chance.weighted(all).unwrap_or(Action::Tick(1, 500))
    }

    /// What clients may do.
    fn add_clients(&self, all: &mut Vec<(usize, Action)>) {
        let (calm, ending) = (self.calm, self.ending);
        let up: Vec<usize> = (0..self.servers.len())
            .filter(|at| self.servers[*at].as_ref().is_some_and(|up| up.ready))
            .collect();
        for (at, client) in self.clients.iter().enumerate() {
            if client
                .link
                .as_ref()
                .is_some_and(|link| link.cursor.is_some())
            {
                all.push((if ending { 10 } else { 6 }, Action::Pull(at)));
            }
            if !client.alive || client.asking.is_some() {
                continue;
            }
            let wish = client.wish(&up).into_iter();
            let urge = if ending { 12 } else { 4 };
            all.extend(wish.map(|(weight, what)| (urge * weight, Action::Client(at, what))));
            if !calm && client.link.is_some() {
                let whim = client.whim().into_iter();
                all.extend(whim.map(|(weight, what)| (2 * weight, Action::Client(at, what))));
                if self.plan.deaths {
                    all.push((1, Action::Client(at, Do::Die)));
                }
            }
        }
    }

    /// What servers may do.
    fn add_servers(&self, all: &mut Vec<(usize, Action)>) {
        let (calm, ending) = (self.calm, self.ending);
        let now = self.now_ms();
        // Whether there is nothing to be waited for but what servers and clients do.
        let is_over = ending && !self.rests;
        for (at, server) in self.servers.iter().enumerate() {
            let Some(server) = server else {
                all.push((if calm { 40 } else { 5 }, Action::Start(at)));
                continue;
            };
            if self.plan.kills && !calm {
                all.push((1, Action::Kill(at)));
            }
            if !server.pending.is_empty() {
                let haste = match (ending, calm) {
                    (true, _) => 120,
                    (false, true) => 30,
                    (false, false) => 10,
                };
                all.push((haste, Action::Deliver(at)));
                if self.plan.loses_news && !calm {
                    all.push((1, Action::LoseNews(at)));
                }
            }
            if !server.ready {
                continue;
            }
            let spare_ms = if ending { 4_500 } else { 3_000 };
            let lease_is_short = server.lease_until < now + LEASE_MS - spare_ms;
            let lease = match (lease_is_short, calm) {
                (true, true) => 400,
                (true, false) => 6,
                (false, _) => 1,
            };
            let reap = match (ending, calm) {
                (true, _) if server.reaped_at + REAPED_MS <= now => 150,
                (false, true) => 6,
                (true, _) | (false, false) => 1,
            };
            let roles = [
                (if is_over { 12 } else { 3 }, Role::Schedule),
                (if is_over { 12 } else { 3 }, Role::Archive),
                (lease, Role::Lease),
                (reap, Role::Reap),
                (1, Role::Sweep),
                (if server.lost.is_empty() { 0 } else { 6 }, Role::Detach),
            ];
            for (weight, role) in roles {
                if !server.busy.contains(&role) {
                    all.push((weight, Action::Role(at, role)));
                }
            }
            all.push((1, Action::Look(at)));
        }
    }

    /// What time and the stores may do. `is_still`: nobody asks anything.
    fn add_world(&mut self, is_still: bool, all: &mut Vec<(usize, Action)>) {
        let (calm, ending) = (self.calm, self.ending);
        let is_over = ending && !self.rests;
        if ending {
            // Nothing is to be seen in the time until everything has come to rest: it passes quickly,
            // and mostly while nobody asks anything.
            let haste = match (is_over, is_still) {
                (true, _) => 5,
                (false, true) => 150,
                (false, false) => 20,
            };
            all.push((haste, Action::Tick(500, 2_000)));
        } else if calm {
            all.push((4, Action::Tick(1, 400)));
        } else {
            all.push((8, Action::Tick(1, 500)));
            all.push((1, Action::Tick(1_000, 8_000)));
            if self.plan.forgets {
                all.push((2, Action::Keep));
                for how in [
                    Forgets::OnlyScripts,
                    Forgets::ATail,
                    Forgets::Everything,
                    Forgets::ScriptsInPlace,
                ] {
                    if self.chance.per_cent(30) {
                        all.push((2, Action::Forget(how)));
                    }
                }
            }
            if self.plan.outages {
                all.push((1, Action::RedisAway));
                all.push((1, Action::MySqlAway));
            }
        }
    }

    /// Lets a waiting task continue, or fail.
    pub(crate) fn tell(&mut self, ready: &Ready) {
        let now = self.now_ms();
        let away = match ready.backend {
            Some(Backend::Redis) => now < self.redis_away_until,
            Some(Backend::MySql) => now < self.mysql_away_until,
            Some(Backend::Sqlite) | None => false,
        };
        let fails = match ready.at {
            At::Before => away || (!self.calm && self.plan.errors && self.chance.per_cent(2)),
            At::After => !self.calm && self.plan.errors && self.chance.per_cent(2),
            At::Until(_) => false,
        };
        let stops = !self.calm && self.chance.per_cent(STOPS_PER_CENT);
        let verdict = match (&ready.at, fails) {
            (_, true) => Verdict::Fail,
            (At::Before, false) if !stops => Verdict::Through,
            (_, false) => Verdict::Go,
        };
        let what = self.named(&ready.what);
        let how = match (&ready.at, verdict) {
            (At::Before, Verdict::Through) => "asks and learns",
            (At::Before, Verdict::Go) => "asks",
            (At::Before, Verdict::Fail | Verdict::Die) => "asks in vain:",
            (At::After, Verdict::Go | Verdict::Through) => "has its answer to",
            (At::After, Verdict::Fail | Verdict::Die) => "loses the answer to",
            (At::Until(_), _) => "has waited:",
        };
        self.note(format!("p{} {} {how} {what}", ready.process, ready.job));
        if ready.backend == Some(Backend::Redis) && ready.at == At::Before && !fails {
            if self.told_now != now {
                self.ground.set_now(now);
                self.told_now = now;
            }
            self.touched = true;
            self.watch_rebuilding(&ready.what);
        }
        self.gate.tell(ready.number, verdict);
    }

    /// A script's name instead of its hash.
    fn named(&self, what: &str) -> String {
        let mut words = what.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("EVALSHA"), Some(hash), rest) => {
                let name = self.scene.product.names.get(hash).copied().unwrap_or(hash);
                format!("{name}.lua {}", rest.unwrap_or_default())
            }
            _ => what.replace('\n', " "),
        }
    }

    fn watch_rebuilding(&mut self, what: &str) {
        if what.starts_with("SET plenary:rebuilding") && self.rebuilding_since.is_none() {
            self.rebuilding_since = Some(self.now_ms());
        }
        if what.starts_with("DEL plenary:rebuilding") {
            self.rebuilding_since = None;
        }
    }
}
