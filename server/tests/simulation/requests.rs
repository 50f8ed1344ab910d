//! What clients request and how they handle the answers: the rules of the protocol.

use plenary_server::error::{Answer, Error};
use plenary_server::hub::{Cursor, Pull};
use plenary_server::store::{
    ConnectionId, FeedStore, MessageStore, ParticipationStore, PresenceStore, TokenHash,
};
use plenary_shared::domain::{Code, EventKind, InstanceState};
use plenary_shared::ids::{Cmid, Seq};
use plenary_shared::protocol::{OpenOk, Posted, Push, ServerLine};
use plenary_shared::replica::{Applied, Replica};
use plenary_shared::text::MessageBody;

use crate::clients::{self, ClientAction, Link, OPENED_EVENTS, Outgoing};
use crate::run::{Job, Outcome, Requester, Run};

/// Bytes of events pulled at once.
const PULLED_BYTES_MAX: usize = 16 * 1024;

/// Events read at once for a client that is behind.
const BEHIND_EVENTS_MAX: usize = 200;

/// Events that a resume sends without an open.
const RESUME_EVENTS_MAX: u64 = 1_000;

impl Run<'_> {
    /// Runs an action of a client.
    pub(crate) fn run_client_action(&mut self, at: usize, what: &ClientAction) {
        match what {
            ClientAction::Connect(server) => self.connect(at, *server),
            ClientAction::Disconnect => self.disconnect(at),
            ClientAction::Exit => {
                self.note(format!("client {at} is gone permanently"));
                self.clients[at].alive = false;
                self.disconnect(at);
            }
            ClientAction::Compose => self.compose(at),
            ClientAction::Open
            | ClientAction::Resume
            | ClientAction::Join
            | ClientAction::Leave
            | ClientAction::Post
            | ClientAction::Bind => {
                self.send_request(at, what);
            }
        }
    }

    fn connect(&mut self, at: usize, to: usize) {
        let number = self.next_number;
        self.next_number += 1;
        let server = self.servers[to].as_mut().expect("its doors are open");
        let connection = ConnectionId {
            node: server.node.clone(),
            number: server.next_connection,
        };
        server.next_connection += 1;
        let user = self.clients[at].user.id;
        let listener = server
            .hub
            .register(connection.number, user, TokenHash([0; 32]))
            .expect("few connections");
        let process = server.process.number;
        self.note(format!("client {at} connects to s{to} as {connection}"));
        self.clients[at].link = Some(Link {
            number,
            server: to,
            process,
            connection,
            listener,
            cursor: None,
            following: false,
            bound_since: None,
            requested_at: self.now_ms(),
        });
    }

    /// Closes the connection. Its server reports it later.
    fn disconnect(&mut self, at: usize) {
        let client = &mut self.clients[at];
        let Some(link) = client.link.take() else {
            return;
        };
        let had_request = client.pending_request.take().is_some();
        client.unsettle();
        let here = client.here;
        self.note(format!("client {at} loses {}", link.connection));
        if let Some(server) = self.server_of(link.process)
            && let Some(server) = &mut self.servers[server]
        {
            server.hub.unregister(&link.listener);
            // A request that is being answered ends first.
            if !had_request {
                server.lost.push_back((here, link.connection));
            }
        }
    }

    fn compose(&mut self, at: usize) {
        let number = self.next_number;
        self.next_number += 1;
        let cmid = Cmid(uuid::Uuid::from_u128(number.into()));
        let body = format!("client {at} says {number}");
        self.note(format!("{body}, as {cmid}"));
        self.clients[at].outbox.push(Outgoing {
            cmid,
            body,
            acks: Vec::new(),
            settled: false,
            durable: None,
            refused: None,
        });
    }

    fn send_request(&mut self, at: usize, what: &ClientAction) {
        let client = &self.clients[at];
        let Some(link) = &client.link else { return };
        let server = self.servers[link.server]
            .as_ref()
            .expect("it is connected to");
        let (hub, store) = (server.hub.clone(), server.store.clone());
        let (here, user) = (client.here, client.user.clone());
        let (connection, listener) = (link.connection.clone(), link.listener.clone());
        let to = link.server;
        let by = Requester {
            client: at,
            link: link.number,
            connection: connection.clone(),
        };
        let post = client.to_send().map(|one| {
            let body = MessageBody::parse(&one.body).expect("a body");
            (one.cmid, body)
        });
        let name = format!("client {at} {what:?}");
        let what = what.clone();
        let now = self.now_ms();
        if let Some(link) = &mut self.clients[at].link {
            link.requested_at = now;
        }
        if matches!(what, ClientAction::Open | ClientAction::Resume) {
            // A new cursor replaces the old one.
            let link = self.clients[at].link.as_mut().expect("it is connected");
            link.cursor = None;
        }
        let job = self.spawn(to, name, Some(by), async move {
            let instance_and_user = (here, user.clone());
            let way = (connection.clone(), listener);
            match what {
                ClientAction::Open => Outcome::Opened(
                    clients::open(hub, store, instance_and_user, way, OPENED_EVENTS).await,
                ),
                ClientAction::Resume => {
                    Outcome::Resumed(clients::open(hub, store, instance_and_user, way, 1).await)
                }
                ClientAction::Join => {
                    Outcome::Joined(store.join(here, &user, Some(&connection)).await)
                }
                ClientAction::Leave => Outcome::Left(store.leave(here, &user).await),
                ClientAction::Post => {
                    let (cmid, body) = post.expect("something is to be sent");
                    Outcome::Posted(cmid, store.post(here, &user, cmid, &body).await)
                }
                ClientAction::Bind
                | ClientAction::Connect(_)
                | ClientAction::Compose
                | ClientAction::Disconnect
                | ClientAction::Exit => Outcome::Bound(store.bind(here, &user, &connection).await),
            }
        });
        self.clients[at].pending_request = Some(job);
    }

    /// Handles the answer to a client's request.
    pub(crate) fn receive_answer(&mut self, server: usize, job: &Job, outcome: Outcome) {
        let Some(by) = &job.requester else { return };
        let at = by.client;
        let is_current = self.clients[at]
            .link
            .as_ref()
            .is_some_and(|link| link.number == by.link);
        if !is_current {
            // The client is gone: its connection is lost now.
            let lost = (self.clients[at].here, by.connection.clone());
            if let Some(server) = &mut self.servers[server] {
                server.lost.push_back(lost);
            }
            return;
        }
        self.clients[at].pending_request = None;
        match outcome {
            Outcome::Opened(answer) => self.opened(at, answer),
            Outcome::Resumed(answer) => self.resumed(at, answer),
            Outcome::Joined(answer) => self.joined(at, &answer),
            Outcome::Left(answer) => self.remaining_keys(at, &answer),
            Outcome::Posted(cmid, answer) => self.posted(at, cmid, &answer),
            Outcome::Bound(answer) => {
                if answer.is_ok() {
                    self.mark_bound(at);
                }
            }
            Outcome::Backfilled(answer) => self.backfilled(at, answer),
            Outcome::RoleDone(..) | Outcome::Detached(..) => {}
        }
    }

    /// SQLite binds before it reads, and a stay may start in between: it is bound when the server
    /// confirms it again.
    fn mark_bound_after_open(&mut self, at: usize) {
        if self.environment.is_shared() {
            self.mark_bound(at);
        }
    }

    fn mark_bound(&mut self, at: usize) {
        let client = &mut self.clients[at];
        if let Some(link) = &mut client.link
            && client.is_in
        {
            // It may have been done as soon as it was requested.
            link.bound_since = Some(link.requested_at);
        }
    }

    fn opened(&mut self, at: usize, answer: Answer<(OpenOk, Option<Cursor>)>) {
        let (opened, cursor) = match answer {
            Ok(found) => found,
            Err(error) => {
                self.note(format!("client {at} cannot open: {error}"));
                return;
            }
        };
        self.note(format!(
            "client {at} has opened it: gen {} seq {} durable {} in: {}",
            opened.generation,
            opened.seq,
            opened.durable,
            opened.instance.joined.is_some()
        ));
        for event in &opened.events {
            self.check_event(event, &format!("client {at}, who opened"));
        }
        let client = &mut self.clients[at];
        if opened.instance.state == InstanceState::Scheduled {
            return;
        }
        let is_new_generation = client
            .replica
            .as_ref()
            .is_none_or(|replica| replica.position().generation != opened.generation);
        if is_new_generation {
            client.unsettle();
        }
        client.is_in = opened.instance.joined.is_some();
        client.knows_end = opened.instance.state == InstanceState::Ended;
        if let Some(link) = &mut client.link {
            link.following = true;
            link.bound_since = None;
            link.cursor = cursor.map(|mut cursor| {
                cursor.place(opened.generation, opened.seq, opened.durable);
                cursor
            });
        }
        match &mut client.replica {
            Some(replica) => replica.reopen(opened),
            None => client.replica = Some(Replica::new(opened)),
        }
        client.note_durable();
        self.mark_bound_after_open(at);
    }

    fn resumed(&mut self, at: usize, answer: Answer<(OpenOk, Option<Cursor>)>) {
        let Ok((opened, Some(mut cursor))) = answer else {
            return;
        };
        let client = &mut self.clients[at];
        let Some(position) = client.position() else {
            return;
        };
        let missed = opened.seq.get().checked_sub(position.seq.get());
        let can_resume = opened.generation == position.generation
            && missed.is_some_and(|missed| missed <= RESUME_EVENTS_MAX);
        self.note(format!(
            "client {at} resumes at gen {} seq {}: {can_resume}",
            position.generation, position.seq
        ));
        if !can_resume {
            return;
        }
        cursor.place(position.generation, position.seq, Seq::default());
        let client = &mut self.clients[at];
        client.is_in = opened.instance.joined.is_some();
        if let Some(link) = &mut client.link {
            link.following = true;
            link.cursor = Some(cursor);
        }
        self.mark_bound_after_open(at);
    }

    fn joined(&mut self, at: usize, answer: &Answer<Posted>) {
        self.note(format!("client {at} joins: {}", brief(answer)));
        let client = &mut self.clients[at];
        match answer {
            Ok(_) => {
                client.is_in = true;
                let now = self.now_ms();
                if let Some(link) = &mut self.clients[at].link {
                    link.bound_since = Some(now);
                }
            }
            Err(Error::Reject(reject)) => match reject.code {
                Code::AlreadyParticipant => client.is_in = true,
                Code::Ended => client.knows_end = true,
                _ => {}
            },
            Err(Error::Fault(_)) => {}
        }
    }

    fn remaining_keys(&mut self, at: usize, answer: &Answer<Posted>) {
        self.note(format!("client {at} leaves: {}", brief(answer)));
        let client = &mut self.clients[at];
        if answer.is_ok() {
            client.is_in = false;
            client.wants_in = false;
        }
    }

    fn posted(&mut self, at: usize, cmid: Cmid, answer: &Answer<Posted>) {
        self.note(format!("client {at} posts {cmid}: {}", brief(answer)));
        let client = &mut self.clients[at];
        let mut one = client.outbox.iter_mut().find(|one| one.cmid == cmid);
        let one = one.as_mut().expect("it was sent");
        match answer {
            Ok(posted) => {
                one.acks.push(posted.seq);
                one.settled = true;
            }
            Err(Error::Reject(reject)) => match reject.code {
                Code::NotParticipant => client.is_in = false,
                Code::Ended => {
                    one.refused = Some(reject.code);
                    client.knows_end = true;
                }
                _ => {}
            },
            Err(Error::Fault(_)) => {}
        }
    }

    // --- pushes ---

    /// Pulls pushes for a client. Returns whether there were any.
    pub(crate) fn pull(&mut self, at: usize) -> bool {
        let client = &mut self.clients[at];
        let Some(link) = &mut client.link else {
            return false;
        };
        let Some(cursor) = &mut link.cursor else {
            return false;
        };
        let mut out = String::new();
        let after = cursor.seq();
        let pulled = cursor.pull(&mut out, PULLED_BYTES_MAX);
        match &pulled {
            Pull::Fenced => {
                link.cursor = None;
                link.following = false;
            }
            Pull::Behind if client.pending_request.is_none() => {
                let (server, here) = (link.server, client.here);
                let by = Requester {
                    client: at,
                    link: link.number,
                    connection: link.connection.clone(),
                };
                let store = self.servers[server]
                    .as_ref()
                    .expect("it is up")
                    .store
                    .clone();
                let job = self.spawn(
                    server,
                    format!("client {at} is behind"),
                    Some(by),
                    async move {
                        Outcome::Backfilled(store.backfill(here, after, BEHIND_EVENTS_MAX).await)
                    },
                );
                self.clients[at].pending_request = Some(job);
            }
            Pull::CaughtUp | Pull::More | Pull::Behind => {}
        }
        self.receive_lines(at, &out);
        !out.is_empty() || !matches!(pulled, Pull::CaughtUp)
    }

    fn backfilled(&mut self, at: usize, answer: Answer<Vec<plenary_shared::domain::Event>>) {
        let Ok(events) = answer else { return };
        let link = self.clients[at].link.as_mut();
        let mut out = String::new();
        if let Some(cursor) = link.and_then(|link| link.cursor.as_mut()) {
            cursor.push(&mut out, &events, usize::MAX);
        }
        self.receive_lines(at, &out);
    }

    fn receive_lines(&mut self, at: usize, lines: &str) {
        for line in lines.lines() {
            match ServerLine::parse(line) {
                Ok(ServerLine::Push(push)) => self.receive_push(at, push),
                other => self.violate(format!("client {at} was sent {other:?}: {line}")),
            }
        }
    }

    fn receive_push(&mut self, at: usize, push: Push) {
        match push {
            Push::Event(event) => {
                self.check_event(&event, &format!("client {at}"));
                let client = &mut self.clients[at];
                let Some(replica) = &mut client.replica else {
                    return;
                };
                if let EventKind::Leave { user, .. } = &event.kind
                    && *user == client.user.id
                {
                    client.is_in = false;
                }
                if let EventKind::Join { user, .. } = &event.kind
                    && *user == client.user.id
                {
                    client.is_in = true;
                }
                let (seq, generation) = (event.seq, event.generation);
                let applied = replica.apply(*event);
                client.knows_end |= replica.is_closed();
                client.note_durable();
                self.note(format!(
                    "client {at} receives seq {seq} gen {generation}: {applied:?}"
                ));
                match applied {
                    Applied::Applied | Applied::Known => {}
                    Applied::Gap { after } => {
                        self.violate(format!("client {at} was sent {seq} after {after}"));
                    }
                    Applied::OtherGeneration => {
                        self.violate(format!(
                            "client {at} was sent gen {generation} without a fence"
                        ));
                    }
                }
            }
            Push::Durable(durable) => {
                self.note(format!("client {at} receives durable {}", durable.durable));
                let client = &mut self.clients[at];
                if let Some(replica) = &mut client.replica
                    && replica.position().generation == durable.generation
                {
                    replica.set_durable(durable);
                    client.note_durable();
                }
            }
            Push::Fence(fence) => {
                self.note(format!(
                    "client {at} receives a fence: gen {} base {}",
                    fence.generation, fence.base
                ));
                let client = &mut self.clients[at];
                client.unsettle();
                if let Some(replica) = &mut client.replica {
                    replica.fence(fence);
                }
            }
            Push::Changed(_)
            | Push::Read(_)
            | Push::Typing(_)
            | Push::Waiting(_)
            | Push::Presence(_)
            | Push::Dashboard(_)
            | Push::Detail(_) => {}
        }
    }
}

fn brief(answer: &Answer<Posted>) -> String {
    match answer {
        Ok(posted) if posted.repeat => format!("was seq {}", posted.seq),
        Ok(posted) => format!("seq {}", posted.seq),
        Err(error) => error.to_string(),
    }
}
