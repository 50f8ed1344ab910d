//! The parameters of a run: servers, clients, duration and faults.

use crate::rng::Rng;

/// What may fail in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Servers, clients, their connections, and the stores.
    All,
    /// Servers and clients only; the stores stay healthy.
    ServersOnly,
}

/// The parameters of a run.
#[expect(clippy::struct_excessive_bools, reason = "independent faults")]
#[derive(Clone, Debug)]
pub struct Plan {
    /// Concurrent servers.
    pub servers: usize,
    /// Clients.
    pub clients: u64,
    /// Their users: fewer than clients, so that some have two terminals.
    pub people: u64,
    /// Instances.
    pub instances: u64,
    /// How long they last.
    pub lasts_ms: i64,
    /// Steps before everything is healed.
    pub steps: usize,
    /// Whether faults start only after every client has joined.
    pub starts_without_faults: bool,
    /// Whether servers die.
    pub kills: bool,
    /// Whether clients die.
    pub deaths: bool,
    /// Whether published items get lost between Redis and a server.
    pub drops_items: bool,
    /// Whether store calls fail occasionally.
    pub errors: bool,
    /// Whether Redis loses data.
    pub restarts_redis: bool,
    /// Whether Redis or MySQL are unavailable for some time.
    pub outages: bool,
}

impl Plan {
    /// Draws a plan. `shared`: several servers can share the stores.
    pub fn draw(rng: &mut Rng, shared: bool, faults: Faults) -> Self {
        let ends_meanwhile = rng.per_cent(50);
        let may_break = faults == Faults::All;
        let stores_break = rng.per_cent(60) && may_break;
        let people = 2 + rng.below(2);
        Self {
            servers: if shared { 2 + rng.below(2) } else { 1 },
            clients: (people + 1 + rng.below(2)) as u64,
            people: people as u64,
            instances: 1 + rng.below(2) as u64,
            lasts_ms: if ends_meanwhile {
                rng.ms(6_000, 40_000)
            } else {
                3_600_000
            },
            steps: 80 + rng.below(200),
            starts_without_faults: rng.per_cent(75),
            kills: rng.per_cent(60),
            deaths: rng.per_cent(30),
            drops_items: shared && may_break && rng.per_cent(50),
            errors: stores_break && rng.per_cent(50),
            restarts_redis: shared && stores_break && rng.per_cent(70),
            outages: shared && stores_break && rng.per_cent(50),
        }
    }
}
