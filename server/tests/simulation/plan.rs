//! The shape of a run: how many take part, how long it lasts, what fails.

use crate::chance::Chance;

/// What may fail in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Servers, clients, their connections, and the stores.
    All,
    /// Servers and clients only; the stores stay healthy.
    ServersAlone,
}

/// The shape of a run.
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
    /// Whether nothing fails until everybody has joined.
    pub begins_well: bool,
    /// Whether servers die.
    pub kills: bool,
    /// Whether clients die.
    pub deaths: bool,
    /// Whether published items get lost between Redis and a server.
    pub loses_news: bool,
    /// Whether store calls fail occasionally.
    pub errors: bool,
    /// Whether Redis loses data.
    pub forgets: bool,
    /// Whether Redis or MySQL are unavailable for some time.
    pub outages: bool,
}

impl Plan {
    /// Draws a plan. `shared`: several servers can share the stores.
    pub fn draw(chance: &mut Chance, shared: bool, faults: Faults) -> Self {
        let ends_meanwhile = chance.per_cent(50);
        let may_break = faults == Faults::All;
        let stores_break = chance.per_cent(60) && may_break;
        let people = 2 + chance.below(2);
        Self {
            servers: if shared { 2 + chance.below(2) } else { 1 },
            clients: (people + 1 + chance.below(2)) as u64,
            people: people as u64,
            instances: 1 + chance.below(2) as u64,
            lasts_ms: if ends_meanwhile {
                chance.ms(6_000, 40_000)
            } else {
                3_600_000
            },
            steps: 80 + chance.below(200),
            begins_well: chance.per_cent(75),
            kills: chance.per_cent(60),
            deaths: chance.per_cent(30),
            loses_news: shared && may_break && chance.per_cent(50),
            errors: stores_break && chance.per_cent(50),
            forgets: shared && stores_break && chance.per_cent(70),
            outages: shared && stores_break && chance.per_cent(50),
        }
    }
}
