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

use crate::clients::{self, Do, Link, OPENED_EVENTS, Outgoing};
use crate::run::{AskedBy, Job, Outcome, Run};

/// Bytes of events pulled at once.
const PULLED_BYTES_MAX: usize = 16 * 1024;

/// Events read at once for a client that is behind.
const BEHIND_EVENTS_MAX: usize = 200;

/// Events that a resume sends without an open.
const RESUME_EVENTS_MAX: u64 = 1_000;

impl Run<'_> {
    /// A client acts.
    pub(crate) fn client_does(&mut self, at: usize, what: &Do) {
        match what {
            Do::Connect(server) => self.connect(at, *server),
            Do::Disconnect => self.cut(at),
            Do::Die => {
                self.note(format!("client {at} is gone permanently"));
                self.clients[at].alive = false;
                self.cut(at);
            }
            Do::Write => self.write(at),
            Do::Open | Do::Resume | Do::Join | Do::Leave | Do::Post | Do::Hold => {
                self.ask(at, what);
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
            .register(connection.number, user, TokenHash([0; 32]));
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
            holds_since: None,
            asked_at: self.now_ms(),
        });
    }

    /// The connection is gone; its server will notice at some time.
    fn cut(&mut self, at: usize) {
        let client = &mut self.clients[at];
        let Some(link) = client.link.take() else {
            return;
        };
        let was_asking = client.asking.take().is_some();
        client.unsettle();
        let here = client.here;
        self.note(format!("client {at} loses {}", link.connection));
        if let Some(server) = self.server_of(link.process)
            && let Some(server) = &mut self.servers[server]
        {
            server.hub.unregister(&link.listener);
            // A request that is being answered ends first.
            if !was_asking {
                server.lost.push_back((here, link.connection));
            }
        }
    }

    fn write(&mut self, at: usize) {
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

    fn ask(&mut self, at: usize, what: &Do) {
        let client = &self.clients[at];
        let Some(link) = &client.link else { return };
        let server = self.servers[link.server]
            .as_ref()
            .expect("it is connected to");
        let (hub, store) = (server.hub.clone(), server.store.clone());
        let (here, user) = (client.here, client.user.clone());
        let (connection, listener) = (link.connection.clone(), link.listener.clone());
        let to = link.server;
        let by = AskedBy {
            client: at,
            link: link.number,
            connection: connection.clone(),
        };
        let saying = client.to_send().map(|one| {
            let body = MessageBody::parse(&one.body).expect("a body");
            (one.cmid, body)
        });
        let name = format!("client {at} {what:?}");
        let what = what.clone();
        let now = self.now_ms();
        if let Some(link) = &mut self.clients[at].link {
            link.asked_at = now;
        }
        if matches!(what, Do::Open | Do::Resume) {
            // A new cursor replaces the old one.
            let link = self.clients[at].link.as_mut().expect("it is connected");
            link.cursor = None;
        }
        let job = self.spawn(to, name, Some(by), async move {
            let here_user = (here, user.clone());
            let way = (connection.clone(), listener);
            match what {
                Do::Open => {
                    Outcome::Opened(clients::open(hub, store, here_user, way, OPENED_EVENTS).await)
                }
                Do::Resume => Outcome::Resumed(clients::open(hub, store, here_user, way, 1).await),
                Do::Join => Outcome::Joined(store.join(here, &user, Some(&connection)).await),
                Do::Leave => Outcome::Left(store.leave(here, &user).await),
                Do::Post => {
                    let (cmid, body) = saying.expect("something is to be sent");
                    Outcome::Said(cmid, store.post(here, &user, cmid, &body).await)
                }
                Do::Hold | Do::Connect(_) | Do::Write | Do::Disconnect | Do::Die => {
                    Outcome::Held(store.bind(here, &user, &connection).await)
                }
            }
        });
        self.clients[at].asking = Some(job);
    }

    /// A request of a client is done.
    pub(crate) fn answered(&mut self, server: usize, job: &Job, outcome: Outcome) {
        let Some(by) = &job.asked_by else { return };
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
        self.clients[at].asking = None;
        match outcome {
            Outcome::Opened(answer) => self.opened(at, answer),
            Outcome::Resumed(answer) => self.resumed(at, answer),
            Outcome::Joined(answer) => self.joined(at, &answer),
            Outcome::Left(answer) => self.left(at, &answer),
            Outcome::Said(cmid, answer) => self.said(at, cmid, &answer),
            Outcome::Held(answer) => {
                if answer.is_ok() {
                    self.holds(at);
                }
            }
            Outcome::Filled(answer) => self.filled(at, answer),
            Outcome::Served(..) | Outcome::Detached(..) => {}
        }
    }

    /// SQLite binds first and reads then, and a stay may start in between: it is held when the
    /// server confirms it again.
    fn opening_holds(&mut self, at: usize) {
        if self.ground.is_shared() {
            self.holds(at);
        }
    }

    fn holds(&mut self, at: usize) {
        let client = &mut self.clients[at];
        if let Some(link) = &mut client.link
            && client.is_in
        {
            // It may have been done as soon as it was requested.
            link.holds_since = Some(link.asked_at);
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
            self.observe(event, &format!("client {at}, who opened"));
        }
        let client = &mut self.clients[at];
        if opened.instance.state == InstanceState::Scheduled {
            return;
        }
        let anew = client
            .replica
            .as_ref()
            .is_none_or(|replica| replica.position().generation != opened.generation);
        if anew {
            client.unsettle();
        }
        client.is_in = opened.instance.joined.is_some();
        client.over = opened.instance.state == InstanceState::Ended;
        if let Some(link) = &mut client.link {
            link.following = true;
            link.holds_since = None;
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
        self.opening_holds(at);
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
        let goes_on = opened.generation == position.generation
            && missed.is_some_and(|missed| missed <= RESUME_EVENTS_MAX);
        self.note(format!(
            "client {at} resumes at gen {} seq {}: {goes_on}",
            position.generation, position.seq
        ));
        if !goes_on {
            return;
        }
        cursor.place(position.generation, position.seq, Seq::default());
        let client = &mut self.clients[at];
        client.is_in = opened.instance.joined.is_some();
        if let Some(link) = &mut client.link {
            link.following = true;
            link.cursor = Some(cursor);
        }
        self.opening_holds(at);
    }

    fn joined(&mut self, at: usize, answer: &Answer<Posted>) {
        self.note(format!("client {at} joins: {}", brief(answer)));
        let client = &mut self.clients[at];
        match answer {
            Ok(_) => {
                client.is_in = true;
                let now = self.now_ms();
                if let Some(link) = &mut self.clients[at].link {
                    link.holds_since = Some(now);
                }
            }
            Err(Error::Reject(reject)) => match reject.code {
                Code::AlreadyParticipant => client.is_in = true,
                Code::Ended => client.over = true,
                _ => {}
            },
            Err(Error::Fault(_)) => {}
        }
    }

    fn left(&mut self, at: usize, answer: &Answer<Posted>) {
        self.note(format!("client {at} leaves: {}", brief(answer)));
        let client = &mut self.clients[at];
        if answer.is_ok() {
            client.is_in = false;
            client.wants_in = false;
        }
    }

    fn said(&mut self, at: usize, cmid: Cmid, answer: &Answer<Posted>) {
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
                    client.over = true;
                }
                _ => {}
            },
            Err(Error::Fault(_)) => {}
        }
    }

    // --- pushes ---

    /// A client takes what its server has for it. Returns whether there was something.
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
            Pull::Behind if client.asking.is_none() => {
                let (server, here) = (link.server, client.here);
                let by = AskedBy {
                    client: at,
                    link: link.number,
                    connection: link.connection.clone(),
                };
                let store = self.servers[server]
                    .as_ref()
                    .expect("it is up")
                    .store
                    .clone();
                let job =
                    self.spawn(
                        server,
                        format!("client {at} is behind"),
                        Some(by),
                        async move {
                            Outcome::Filled(store.backfill(here, after, BEHIND_EVENTS_MAX).await)
                        },
                    );
                self.clients[at].asking = Some(job);
            }
            Pull::CaughtUp | Pull::More | Pull::Behind => {}
        }
        self.read(at, &out);
        !out.is_empty() || !matches!(pulled, Pull::CaughtUp)
    }

    fn filled(&mut self, at: usize, answer: Answer<Vec<plenary_shared::domain::Event>>) {
        let Ok(events) = answer else { return };
        let link = self.clients[at].link.as_mut();
        let mut out = String::new();
        if let Some(cursor) = link.and_then(|link| link.cursor.as_mut()) {
            cursor.push(&mut out, &events);
        }
        self.read(at, &out);
    }

    fn read(&mut self, at: usize, lines: &str) {
        for line in lines.lines() {
            match ServerLine::parse(line) {
                Ok(ServerLine::Push(push)) => self.told(at, push),
                other => self.violate(format!("client {at} was sent {other:?}: {line}")),
            }
        }
    }

    fn told(&mut self, at: usize, push: Push) {
        match push {
            Push::Event(event) => {
                self.observe(&event, &format!("client {at}"));
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
                client.over |= replica.is_closed();
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
