//! What may happen next, and how likely each is.

use plenary_server::store::instrument::Backend;

use crate::clients::ClientAction;
use crate::environment::RedisRestart;
use crate::gate::{At, Ready, Verdict};
use crate::run::Run;
use crate::servers::{LEASE_MS, Role};

/// How often others continue between a call and its answer, in per cent.
const STOPS_PER_CENT: usize = 50;

/// How often a server looks for lost connections while the run settles, in milliseconds.
const REAPED_MS: i64 = 6_000;

/// What happens next.
pub enum Action {
    Decide(Ready),
    Client(usize, ClientAction),
    Pull(usize),
    Role(usize, Role),
    ComparePositions(usize),
    Deliver(usize),
    DropItem(usize),
    Tick(i64, i64),
    Kill(usize),
    Start(usize),
    RestartRedis(RedisRestart),
    DumpRedis,
    RedisOutage,
    MysqlOutage,
}

impl Run<'_> {
    /// Draws the next action.
    pub(crate) fn choose(&mut self) -> Action {
        let ready = self.gate.ready();
        let (faults_off, ending) = (self.faults_off, self.ending);
        let is_still = ready.is_empty();
        let mut all: Vec<(usize, Action)> = Vec::new();
        all.extend(ready.into_iter().map(|one| {
            let weight = match (ending, faults_off, one.job.starts_with("client")) {
                (true, _, _) => 120,
                (false, true, _) => 40,
                (false, false, true) => 30,
                (false, false, false) => 12,
            };
            (weight, Action::Decide(one))
        }));
        self.add_clients(&mut all);
        self.add_servers(&mut all);
        self.add_time_and_stores(is_still, &mut all);
        self.rng.weighted(all).unwrap_or(Action::Tick(1, 500))
    }

    /// Adds the actions of clients.
    fn add_clients(&self, all: &mut Vec<(usize, Action)>) {
        let (faults_off, ending) = (self.faults_off, self.ending);
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
            if !client.alive || client.pending_request.is_some() {
                continue;
            }
            let protocol_actions = client.protocol_actions(&up).into_iter();
            let urge = if ending { 12 } else { 4 };
            all.extend(
                protocol_actions.map(|(weight, what)| (urge * weight, Action::Client(at, what))),
            );
            if !faults_off && client.link.is_some() {
                let random_actions = client.random_actions().into_iter();
                all.extend(
                    random_actions.map(|(weight, what)| (2 * weight, Action::Client(at, what))),
                );
                if self.plan.deaths {
                    all.push((1, Action::Client(at, ClientAction::Exit)));
                }
            }
        }
    }

    /// Adds the actions of servers.
    fn add_servers(&self, all: &mut Vec<(usize, Action)>) {
        let (faults_off, ending) = (self.faults_off, self.ending);
        let now = self.now_ms();
        // Whether there is nothing to be waited for but what servers and clients do.
        let is_over = ending && !self.settling;
        for (at, server) in self.servers.iter().enumerate() {
            let Some(server) = server else {
                all.push((if faults_off { 40 } else { 5 }, Action::Start(at)));
                continue;
            };
            if self.plan.kills && !faults_off {
                all.push((1, Action::Kill(at)));
            }
            if !server.pending.is_empty() {
                let weight = match (ending, faults_off) {
                    (true, _) => 120,
                    (false, true) => 30,
                    (false, false) => 10,
                };
                all.push((weight, Action::Deliver(at)));
                if self.plan.drops_items && !faults_off {
                    all.push((1, Action::DropItem(at)));
                }
            }
            if !server.ready {
                continue;
            }
            let spare_ms = if ending { 4_500 } else { 3_000 };
            let lease_is_short = server.lease_until < now + LEASE_MS - spare_ms;
            let lease = match (lease_is_short, faults_off) {
                (true, true) => 400,
                (true, false) => 6,
                (false, _) => 1,
            };
            let reap = match (ending, faults_off) {
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
            all.push((1, Action::ComparePositions(at)));
        }
    }

    /// Adds the passing of time and store faults. `is_still`: no store call waits.
    fn add_time_and_stores(&mut self, is_still: bool, all: &mut Vec<(usize, Action)>) {
        let (faults_off, ending) = (self.faults_off, self.ending);
        let is_over = ending && !self.settling;
        if ending {
            // While the run settles, time passes quickly, mostly while no store call waits.
            let weight = match (is_over, is_still) {
                (true, _) => 5,
                (false, true) => 150,
                (false, false) => 20,
            };
            all.push((weight, Action::Tick(500, 2_000)));
        } else if faults_off {
            all.push((4, Action::Tick(1, 400)));
        } else {
            all.push((8, Action::Tick(1, 500)));
            all.push((1, Action::Tick(1_000, 8_000)));
            if self.plan.restarts_redis {
                all.push((2, Action::DumpRedis));
                for how in [
                    RedisRestart::OnlyScripts,
                    RedisRestart::Tail,
                    RedisRestart::Everything,
                    RedisRestart::ScriptsInPlace,
                ] {
                    if self.rng.per_cent(30) {
                        all.push((2, Action::RestartRedis(how)));
                    }
                }
            }
            if self.plan.outages {
                all.push((1, Action::RedisOutage));
                all.push((1, Action::MysqlOutage));
            }
        }
    }

    /// Lets a waiting task continue, or fail.
    pub(crate) fn decide(&mut self, ready: &Ready) {
        let now = self.now_ms();
        let unavailable = match ready.backend {
            Some(Backend::Redis) => now < self.redis_down_until,
            Some(Backend::MySql) => now < self.mysql_down_until,
            Some(Backend::Sqlite) | None => false,
        };
        let fails = match ready.at {
            At::Before => {
                unavailable || (!self.faults_off && self.plan.errors && self.rng.per_cent(2))
            }
            At::After => !self.faults_off && self.plan.errors && self.rng.per_cent(2),
            At::Until(_) => false,
        };
        let stops = !self.faults_off && self.rng.per_cent(STOPS_PER_CENT);
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
            if self.redis_now != now {
                self.environment.set_now(now);
                self.redis_now = now;
            }
            self.redis_called = true;
            self.watch_rebuilding(&ready.what);
        }
        self.gate.decide(ready.number, verdict);
    }

    /// A script's name instead of its hash.
    fn named(&self, what: &str) -> String {
        let mut words = what.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("EVALSHA"), Some(hash), settle_clients) => {
                let name = self
                    .fixture
                    .product
                    .names
                    .get(hash)
                    .copied()
                    .unwrap_or(hash);
                format!("{name}.lua {}", settle_clients.unwrap_or_default())
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
