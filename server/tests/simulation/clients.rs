//! Simulated clients: users at terminals with an outbox, who follow an instance by the rules of the
//! protocol and remember what they received.

use std::collections::BTreeMap;
use std::sync::Arc;

use plenary_server::error::Answer;
use plenary_server::hub::{Cursor, Hub, Subscriber};
use plenary_server::store::{ConnectionId, LogStore};
use plenary_shared::domain::{Code, EventKind, InstanceState, Role, User};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::protocol::{OpenOk, Position};
use plenary_shared::replica::Replica;
use plenary_shared::time::Timestamp;

use crate::simulated_store::SimulatedStore;

/// Events that an open returns: more than a run has.
pub const OPENED_EVENTS: usize = 1_000;

/// Messages of one client in one run.
pub const MESSAGES_MAX: usize = 8;

/// The content of an event, wherever it was read.
pub type Fact = (EventKind, Timestamp);

/// A client's connection.
pub struct Link {
    /// Its number among all connections.
    pub number: u64,
    /// The server it is connected to.
    pub server: usize,
    /// The process of that server.
    pub process: usize,
    /// Its id in the store.
    pub connection: ConnectionId,
    /// Wakes the connection.
    pub listener: Arc<Subscriber>,
    /// The last position that was sent.
    pub cursor: Option<Cursor>,
    /// Whether the client believes that it follows.
    pub following: bool,
    /// Since when it is certainly bound to its user's stay.
    pub bound_since: Option<i64>,
    /// When the unanswered request was sent.
    pub requested_at: i64,
}

/// A message in a client's outbox.
pub struct Outgoing {
    /// Its cmid.
    pub cmid: Cmid,
    /// Its text.
    pub body: String,
    /// The seqs with which it was acknowledged.
    pub acks: Vec<Seq>,
    /// Whether it was acknowledged on this connection and in this generation.
    pub settled: bool,
    /// The seq with which it was announced as durable.
    pub durable: Option<Seq>,
    /// The code with which it was rejected permanently.
    pub refused: Option<Code>,
}

/// What a client may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAction {
    /// Connects to a server.
    Connect(usize),
    /// Opens the instance and follows it.
    Open,
    /// Resumes where it was.
    Resume,
    /// Joins.
    Join,
    /// Leaves.
    Leave,
    /// Sends the first message of the outbox.
    Post,
    /// Writes a message.
    Compose,
    /// Confirms its stay, as its server does every few seconds.
    Bind,
    /// Loses its connection.
    Disconnect,
    /// Disappears with its outbox.
    Exit,
}

/// A client.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts that a client believes"
)]
pub struct Client {
    /// Its user.
    pub user: User,
    /// Its instance.
    pub here: InstanceId,
    /// Whether it is running.
    pub alive: bool,
    /// Whether its user wants to be a participant.
    pub wants_in: bool,
    /// Whether it believes that its user is a participant.
    pub is_in: bool,
    /// Whether it knows that the instance has ended.
    pub knows_end: bool,
    /// The unanswered request.
    pub pending_request: Option<u64>,
    /// Its connection.
    pub link: Option<Link>,
    /// Its copy of the log.
    pub replica: Option<Replica>,
    /// Every message that it wanted to post.
    pub outbox: Vec<Outgoing>,
    /// What was announced to it as durable.
    pub durable: BTreeMap<Seq, Fact>,
}

impl Client {
    /// Creates a client of this user.
    pub fn new(user: UserId, here: InstanceId) -> Self {
        Self {
            user: person(user, Role::Member),
            here,
            alive: true,
            wants_in: true,
            is_in: false,
            knows_end: false,
            pending_request: None,
            link: None,
            replica: None,
            outbox: Vec::new(),
            durable: BTreeMap::new(),
        }
    }

    /// Its position in the log.
    pub fn position(&self) -> Option<Position> {
        self.replica.as_ref().map(Replica::position)
    }

    /// The first message to send, or to send again.
    pub fn to_send(&self) -> Option<&Outgoing> {
        self.outbox
            .iter()
            .find(|one| one.durable.is_none() && !one.settled && one.refused.is_none())
    }

    /// Whether every message is durable or rejected.
    pub fn is_done(&self) -> bool {
        let is_done = |one: &Outgoing| one.durable.is_some() || one.refused.is_some();
        self.outbox.iter().all(is_done)
    }

    /// Marks messages that are not durable for sending again.
    pub fn unsettle(&mut self) {
        for one in &mut self.outbox {
            one.settled = false;
        }
    }

    /// Takes over what its copy of the log knows to be durable.
    pub fn note_durable(&mut self) {
        let Some(replica) = &self.replica else { return };
        let upto = replica.durable();
        let last = self.durable.keys().next_back().copied();
        let from = last.unwrap_or_default();
        for event in replica.events().filter(|event| event.seq <= upto) {
            if event.seq > from {
                let fact = (event.kind.clone(), event.timestamp);
                self.durable.insert(event.seq, fact);
            }
            if let EventKind::Message { user, cmid, .. } = &event.kind
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

    /// The client's next actions by the rules of the protocol, with weights.
    pub fn protocol_actions(&self, servers: &[usize]) -> Vec<(usize, ClientAction)> {
        let Some(link) = &self.link else {
            return servers
                .iter()
                .map(|one| (4, ClientAction::Connect(*one)))
                .collect();
        };
        let sends = self.to_send().is_some();
        if !link.following {
            let again = if self.replica.is_some() { 3 } else { 0 };
            // An unanswered message may be sent again before its result is known.
            let retry = if sends { 4 } else { 0 };
            return vec![
                (6, ClientAction::Open),
                (again, ClientAction::Resume),
                (retry, ClientAction::Post),
            ];
        }
        let mut protocol_actions = Vec::new();
        if !self.is_in && !self.knows_end && (self.wants_in || sends) {
            protocol_actions.push((8, ClientAction::Join));
        }
        if sends && (self.is_in || self.knows_end) {
            protocol_actions.push((8, ClientAction::Post));
        }
        if self.is_in && !self.knows_end && link.bound_since.is_none() {
            protocol_actions.push((2, ClientAction::Bind));
        }
        let is_closed = self.replica.as_ref().is_some_and(Replica::is_closed);
        if (is_closed || self.knows_end) && (!self.is_done() || !is_closed) && !sends {
            protocol_actions.push((1, ClientAction::Open));
        }
        protocol_actions
    }

    /// Random actions of the user, with weights.
    pub fn random_actions(&self) -> Vec<(usize, ClientAction)> {
        let mut random_actions = vec![(1, ClientAction::Disconnect)];
        if self.outbox.len() < MESSAGES_MAX {
            random_actions.push((10, ClientAction::Compose));
        }
        if self.is_in && self.to_send().is_none() {
            random_actions.push((1, ClientAction::Leave));
        }
        if self.is_in {
            random_actions.push((2, ClientAction::Bind));
        }
        random_actions
    }
}

/// A user of the fixture.
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

/// Subscribes and then reads, as a socket does.
pub async fn open(
    hub: Arc<Hub>,
    store: Arc<SimulatedStore>,
    (here, user): (InstanceId, User),
    (connection, listener): (ConnectionId, Arc<Subscriber>),
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
