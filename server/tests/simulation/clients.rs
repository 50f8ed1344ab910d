//! Clients: people at terminals with an outbox, who follow an instance by the rules of the wire and
//! remember what they were told.

use std::collections::BTreeMap;
use std::sync::Arc;

use plenary_server::error::Answer;
use plenary_server::hub::{Cursor, Hub, Listener};
use plenary_server::store::{ConnectionId, LogStore};
use plenary_shared::domain::{Code, InstanceState, Role, User, What};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::protocol::{OpenOk, Position};
use plenary_shared::replica::Replica;
use plenary_shared::time::Timestamp;

use crate::served::Served;

/// Events that an open answers: all that a run has.
pub const OPENED_EVENTS: usize = 1_000;

/// Messages of one client in one run.
pub const MESSAGES_MAX: usize = 8;

/// What an event says, wherever it was read.
pub type Fact = (What, Timestamp);

/// A connection of a client.
pub struct Link {
    /// Its number among all.
    pub number: u64,
    /// Which server's.
    pub server: usize,
    /// Which process'.
    pub process: usize,
    /// As the store knows it.
    pub connection: ConnectionId,
    /// What wakes it.
    pub listener: Arc<Listener>,
    /// How far it was told.
    pub cursor: Option<Cursor>,
    /// Whether the client takes itself to follow.
    pub following: bool,
    /// Since when it surely holds its person's stay.
    pub holds_since: Option<i64>,
    /// When it asked last for what is not answered.
    pub asked_at: i64,
}

/// A message that a client wants to be said.
pub struct Outgoing {
    /// The client's id of it.
    pub cmid: Cmid,
    /// What it says.
    pub body: String,
    /// The seqs by which it was acknowledged.
    pub acks: Vec<Seq>,
    /// Whether it was acknowledged on this connection and in this generation.
    pub settled: bool,
    /// The seq by which it was told to be durable.
    pub durable: Option<Seq>,
    /// Why it was refused for good.
    pub refused: Option<Code>,
}

/// What a client may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Do {
    /// Connects to a server.
    Connect(usize),
    /// Reads the instance and follows it.
    Open,
    /// Goes on where it was.
    Resume,
    /// Becomes a participant.
    Join,
    /// Is one no longer.
    Leave,
    /// Sends what is first in the outbox.
    Post,
    /// Thinks of something to say.
    Write,
    /// What its server does every few seconds: holds its stay.
    Hold,
    /// Loses its connection.
    Disconnect,
    /// Is gone for good, with its outbox.
    Die,
}

/// A client.
#[expect(
    clippy::struct_excessive_bools,
    reason = "what a client believes, each by itself"
)]
pub struct Client {
    /// Whose.
    pub user: User,
    /// Which instance it is about.
    pub here: InstanceId,
    /// Whether it is there.
    pub alive: bool,
    /// Whether its person wants to be in.
    pub wants_in: bool,
    /// Whether it takes its person to be in.
    pub is_in: bool,
    /// Whether it was told that the instance is over.
    pub over: bool,
    /// The request that is not answered.
    pub asking: Option<u64>,
    /// Its connection.
    pub link: Option<Link>,
    /// The instance as it knows it.
    pub replica: Option<Replica>,
    /// All that it ever wanted to be said.
    pub outbox: Vec<Outgoing>,
    /// What it was told to be durable.
    pub durable: BTreeMap<Seq, Fact>,
}

impl Client {
    /// A client of this person.
    pub fn new(user: UserId, here: InstanceId) -> Self {
        Self {
            user: person(user, Role::Member),
            here,
            alive: true,
            wants_in: true,
            is_in: false,
            over: false,
            asking: None,
            link: None,
            replica: None,
            outbox: Vec::new(),
            durable: BTreeMap::new(),
        }
    }

    /// How far it is.
    pub fn position(&self) -> Option<Position> {
        self.replica.as_ref().map(Replica::position)
    }

    /// The first message that is to be sent, or sent again.
    pub fn to_send(&self) -> Option<&Outgoing> {
        self.outbox
            .iter()
            .find(|one| one.durable.is_none() && !one.settled && one.refused.is_none())
    }

    /// Whether all that it wanted to be said is durable or refused.
    pub fn is_done(&self) -> bool {
        let is_done = |one: &Outgoing| one.durable.is_some() || one.refused.is_some();
        self.outbox.iter().all(is_done)
    }

    /// What is not durable is to be sent again.
    pub fn unsettle(&mut self) {
        for one in &mut self.outbox {
            one.settled = false;
        }
    }

    /// What its replica says is durable, is.
    pub fn note_durable(&mut self) {
        let Some(replica) = &self.replica else { return };
        let upto = replica.durable();
        let told = self.durable.keys().next_back().copied();
        let from = told.unwrap_or_default();
        for event in replica.events().filter(|event| event.seq <= upto) {
            if event.seq > from {
                let fact = (event.what.clone(), event.timestamp);
                self.durable.insert(event.seq, fact);
            }
            if let What::Message { user, cmid, .. } = &event.what
                && *user == self.user.id
            {
                for one in &mut self.outbox {
                    if one.cmid == *cmid && one.durable.is_none() {
                        one.durable = Some(event.seq);
                    }
                }
            }
        }
    }

    /// What a calm client does next, if there is something.
    pub fn wish(&self, servers: &[usize]) -> Vec<(usize, Do)> {
        let Some(link) = &self.link else {
            return servers.iter().map(|one| (4, Do::Connect(*one))).collect();
        };
        let sends = self.to_send().is_some();
        if !link.following {
            let again = if self.replica.is_some() { 3 } else { 0 };
            // What was not answered may be sent again before it is known what became of it.
            let retry = if sends { 4 } else { 0 };
            return vec![(6, Do::Open), (again, Do::Resume), (retry, Do::Post)];
        }
        let mut wish = Vec::new();
        if !self.is_in && !self.over && (self.wants_in || sends) {
            wish.push((8, Do::Join));
        }
        if sends && (self.is_in || self.over) {
            wish.push((8, Do::Post));
        }
        if self.is_in && !self.over && link.holds_since.is_none() {
            wish.push((2, Do::Hold));
        }
        let is_closed = self.replica.as_ref().is_some_and(Replica::is_closed);
        if (is_closed || self.over) && (!self.is_done() || !is_closed) && !sends {
            wish.push((1, Do::Open));
        }
        wish
    }

    /// What a person does beside that.
    pub fn whim(&self) -> Vec<(usize, Do)> {
        let mut whim = vec![(1, Do::Disconnect)];
        if self.outbox.len() < MESSAGES_MAX {
            whim.push((10, Do::Write));
        }
        if self.is_in && self.to_send().is_none() {
            whim.push((1, Do::Leave));
        }
        if self.is_in {
            whim.push((2, Do::Hold));
        }
        whim
    }
}

/// A person of the scene.
pub fn person(user: UserId, role: Role) -> User {
    let name = match role {
        Role::Admin => "root".to_owned(),
        Role::Member => format!("p{user}"),
    };
    User {
        id: user,
        email: format!("{name}@example.org"),
        name,
        age: None,
        gender: None,
        role,
    }
}

/// Subscribes, then reads, as a socket does.
pub async fn open(
    hub: Arc<Hub>,
    store: Arc<Served>,
    (here, user): (InstanceId, User),
    (connection, listener): (ConnectionId, Arc<Listener>),
    limit: usize,
) -> Answer<(OpenOk, Option<Cursor>)> {
    let mut cursor = hub.follow(here, &listener).await?;
    let opened = store.open(here, &user, Some(&connection), limit).await?;
    let is_live =
        opened.generation != Generation::default() && opened.instance.state != InstanceState::Ended;
    if !is_live {
        cursor = None;
    } else if cursor.is_none() {
        cursor = hub.follow(here, &listener).await?;
        if cursor.is_none() {
            return Err(Code::Unavailable.into());
        }
    }
    Ok((opened, cursor))
}
