//! The store of one machine: everything in one `SQLite` file, and no other process.
//!
//! One thread writes. All verbs that wait are committed together, each on a savepoint of its own if
//! it may have to be taken back alone; a verb is answered, and its events are told, once the commit
//! that holds it is on disk. So what is acknowledged is durable, and nothing has to be archived. Two
//! threads read beside it.

use std::sync::Arc;

use async_trait::async_trait;
use plenary_shared::domain::{Event, Instance, Meeting, Participant, Reason, Role, Standing, User};
use plenary_shared::ids::{Cmid, InstanceId, MeetingId, Seq, UserId};
use plenary_shared::protocol::{
    Absent, EventsOk, JoinTimes, MessagesOk, OpenOk, Posted, SearchOk, Unread, WaitOk,
};
use plenary_shared::search::{Place, Query};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::error::{Answer, Error, Fault};

use self::feed::Feeding;
use self::link::Link;
use self::lock::Lock;
use self::waiting::Waiters;
use super::moderation::Order;
use super::{
    Account, Agenda, Backlog, Check, ConnectionId, EndStep, Feed, Head, NewMeeting, NewSession,
    NewUser, NodeId, Page, PersonListed, Planned, ReadPosition, Session, SessionListed, Stepped,
    Store, TokenHash, Waiting,
};

mod attendance;
mod audit;
mod backup;
mod departure;
mod examine;
mod fault;
mod feed;
mod keeping;
mod life;
mod link;
mod live;
mod lock;
mod meeting;
mod migrate;
mod moderation;
mod opening;
mod overview;
mod people;
mod planning;
mod presence;
mod read;
mod reading;
mod row;
mod schedule;
mod search;
mod span;
mod waiting;
mod watch;
mod writer;

pub use backup::{BackupError, Copied, backup};
pub use departure::Departure;
pub use migrate::MigrateError;
pub use opening::{OpenError, Purpose};

/// Everything in one file.
pub struct SqliteStore {
    link: Link,
    feeding: Arc<Feeding>,
    waiters: Waiters,
    clock: Clock,
    /// Held until this server is gone.
    _lock: Option<Lock>,
}

impl SqliteStore {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn account(&self, email: &str) -> Answer<Option<Account>> {
        let email = email.to_owned();
        self.link
            .read(move |conn| people::account(conn, &email))
            .await
    }

    async fn add_user(&self, new: NewUser) -> Answer<User> {
        self.link
            .write(move |atom| people::add_user(atom, new))
            .await
    }

    async fn set_password(&self, user: UserId, hash: &str, by: Option<UserId>) -> Answer<()> {
        let hash = hash.to_owned();
        self.link
            .write(move |atom| keeping::set_password(atom, user, &hash, by))
            .await
    }

    async fn users(&self, after: Option<UserId>, limit: usize) -> Answer<Vec<PersonListed>> {
        self.link
            .read(move |conn| people::users(conn, after, limit))
            .await
    }

    async fn set_role(&self, user: UserId, role: Role, by: Option<UserId>) -> Answer<()> {
        self.link
            .write(move |atom| keeping::set_role(atom, user, role, by))
            .await
    }

    async fn set_disabled(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        by: Option<UserId>,
    ) -> Answer<()> {
        self.link
            .write(move |atom| keeping::set_disabled(atom, user, since, by))
            .await
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<SessionListed>> {
        self.link
            .read(move |conn| keeping::sessions(conn, user, now))
            .await
    }

    async fn close_sessions(&self, user: UserId, by: Option<UserId>) -> Answer<usize> {
        self.link
            .write(move |atom| keeping::close_sessions(atom, user, by))
            .await
    }

    async fn open_session(&self, new: NewSession) -> Answer<()> {
        self.link
            .write(move |atom| people::open_session(atom, &new))
            .await
    }

    async fn session(&self, token: TokenHash, now: Timestamp) -> Answer<Option<Session>> {
        self.link
            .read(move |conn| people::session(conn, token, now))
            .await
    }

    async fn close_session(&self, token: TokenHash) -> Answer<bool> {
        self.link
            .write(move |atom| people::close_session(atom, token))
            .await
    }

    async fn add_meeting(&self, new: NewMeeting) -> Answer<Meeting> {
        self.link
            .write(move |atom| schedule::add_meeting(atom, new))
            .await
    }

    async fn schedule(
        &self,
        meeting: MeetingId,
        from: Timestamp,
        to: Timestamp,
        by: Option<UserId>,
    ) -> Answer<InstanceId> {
        self.link
            .write(move |atom| schedule::schedule(atom, meeting, from, to, by))
            .await
    }

    async fn meetings(&self, after: Option<MeetingId>, limit: usize) -> Answer<Vec<Planned>> {
        self.link
            .read(move |conn| schedule::meetings(conn, after, limit))
            .await
    }

    async fn visible(&self, viewer: &User, now: Timestamp) -> Answer<Vec<Instance>> {
        let viewer = viewer.clone();
        self.link
            .read(move |conn| schedule::visible(conn, &viewer, now))
            .await
    }

    async fn active_meetings(&self, viewer: &User) -> Answer<Vec<Instance>> {
        let viewer = viewer.clone();
        self.link
            .read(move |conn| schedule::active_meetings(conn, &viewer))
            .await
    }

    async fn join(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
    ) -> Answer<Posted> {
        let (user, connection) = (user.clone(), connection.map(ToString::to_string));
        self.link
            .write(move |atom| meeting::join(atom, instance, &user, connection.as_deref()))
            .await
    }

    async fn leave(&self, instance: InstanceId, user: &User) -> Answer<Posted> {
        let user = user.clone();
        self.link
            .write(move |atom| meeting::leave(atom, instance, &user))
            .await
    }

    async fn post(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
    ) -> Answer<Posted> {
        let (user, body) = (user.clone(), body.clone());
        self.link
            .write_at_once(move |atom| meeting::post(atom, instance, &user, cmid, body, None))
            .await
    }

    async fn reply(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
        to: Seq,
    ) -> Answer<Posted> {
        let (user, body) = (user.clone(), body.clone());
        self.link
            .write_at_once(move |atom| meeting::post(atom, instance, &user, cmid, body, Some(to)))
            .await
    }

    async fn edit(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
        body: &MessageBody,
    ) -> Answer<Posted> {
        let (user, body) = (user.clone(), Some(body.clone()));
        self.link
            .write(move |atom| meeting::change(atom, instance, &user, cmid, target, body))
            .await
    }

    async fn delete(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
    ) -> Answer<Posted> {
        let user = user.clone();
        self.link
            .write(move |atom| meeting::change(atom, instance, &user, cmid, target, None))
            .await
    }

    async fn standing(&self, instance: InstanceId) -> Answer<Standing> {
        self.link
            .read(move |conn| Ok(moderation::standing(conn, instance)?))
            .await
    }

    async fn moderate(&self, instance: InstanceId, actor: &User, order: &Order) -> Answer<Posted> {
        let (actor, order) = (actor.clone(), order.clone());
        self.link
            .write(move |atom| moderation::moderate(atom, instance, &actor, order))
            .await
    }

    async fn open(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
        limit: usize,
    ) -> Answer<OpenOk> {
        if let Some(connection) = connection {
            let held = self.hold(instance, user, connection).await;
            presence::or_later(instance, held)?;
        }
        let (user, now) = (user.clone(), self.now());
        self.link
            .read(move |conn| read::open(conn, instance, &user, limit, now))
            .await
    }

    async fn events(
        &self,
        instance: InstanceId,
        viewer: &User,
        page: Page,
        limit: usize,
    ) -> Answer<EventsOk> {
        let (viewer, now) = (viewer.clone(), self.now());
        self.link
            .read(move |conn| read::events(conn, instance, &viewer, page, limit, now))
            .await
    }

    async fn messages(
        &self,
        instance: InstanceId,
        viewer: &User,
        page: Page,
        limit: usize,
    ) -> Answer<MessagesOk> {
        let (viewer, now) = (viewer.clone(), self.now());
        self.link
            .read(move |conn| read::messages(conn, instance, &viewer, page, limit, now))
            .await
    }

    async fn user_messages(
        &self,
        instance: InstanceId,
        viewer: &User,
        of: UserId,
        page: Page,
        limit: usize,
    ) -> Answer<MessagesOk> {
        let (viewer, now) = (viewer.clone(), self.now());
        self.link
            .read(move |conn| read::user_messages(conn, instance, &viewer, of, (page, limit), now))
            .await
    }

    async fn people(&self, instance: InstanceId, viewer: &User) -> Answer<Vec<Participant>> {
        let (viewer, now) = (viewer.clone(), self.now());
        self.link
            .read(move |conn| read::people(conn, instance, &viewer, now))
            .await
    }

    async fn absent(&self, instance: InstanceId, limit: usize) -> Answer<Option<Absent>> {
        self.link
            .read(move |conn| attendance::absent(conn, instance, limit))
            .await
    }

    async fn join_times(&self, viewer: &User) -> Answer<Vec<JoinTimes>> {
        let viewer = viewer.clone();
        self.link
            .read(move |conn| read::join_times(conn, schedule::active_meetings(conn, &viewer)?))
            .await
    }

    async fn typing(&self, instance: InstanceId, user: &User) -> Answer<()> {
        let (who, now) = (user.clone(), self.now());
        self.link
            .read(move |conn| meeting::may_speak(conn, instance, &who, now))
            .await?;
        let user = user.id;
        self.feeding.publish(vec![Feed::Typing { instance, user }]);
        Ok(())
    }

    async fn search(
        &self,
        viewer: &User,
        query: &Query,
        before: Option<Place>,
        limit: usize,
    ) -> Answer<SearchOk> {
        let (viewer, query) = (viewer.clone(), query.clone());
        self.link
            .read(move |conn| search::search(conn, &viewer, &query, before, limit))
            .await
    }

    async fn keep_positions(&self, positions: &[ReadPosition]) -> Answer<()> {
        let positions = positions.to_vec();
        self.link
            .write(move |atom| reading::keep_positions(atom, &positions))
            .await
    }

    async fn tell_read(&self, _positions: &[ReadPosition]) -> Answer<()> {
        // There is no other server.
        Ok(())
    }

    async fn unread(&self, viewer: &User, known: &[(InstanceId, Seq)]) -> Answer<Vec<Unread>> {
        let (viewer, known) = (viewer.clone(), known.to_vec());
        self.link
            .read(move |conn| reading::unread(conn, &viewer, &known))
            .await
    }

    async fn hold(
        &self,
        instance: InstanceId,
        user: &User,
        connection: &ConnectionId,
    ) -> Answer<()> {
        let (user, connection) = (user.clone(), connection.to_string());
        self.link
            .write(move |atom| presence::hold(atom, instance, &user, &connection))
            .await
    }

    async fn detach(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        silent_ms: i64,
    ) -> Answer<()> {
        let connection = connection.to_string();
        self.link
            .write(move |atom| presence::detach(atom, instance, &connection, silent_ms))
            .await
    }

    async fn idle(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        idle_ms: Option<i64>,
    ) -> Answer<()> {
        let connection = connection.to_string();
        self.link
            .write(move |atom| presence::idle(atom, instance, &connection, idle_ms))
            .await
    }

    async fn wait(&self, instance: InstanceId, user: &User, what: Waiting) -> Answer<WaitOk> {
        self.wait_for(instance, user, what).await
    }

    async fn reap(&self, instance: InstanceId, grace_ms: i64) -> Answer<usize> {
        self.reap_instance(instance, grace_ms).await
    }

    async fn renew_lease(&self, node: &NodeId, lease_ms: i64) -> Answer<Vec<NodeId>> {
        let node = node.clone();
        self.link
            .write(move |atom| presence::renew_lease(atom, &node, lease_ms))
            .await
    }

    async fn reap_all(&self, grace_ms: i64) -> Answer<usize> {
        self.reap_every_instance(grace_ms).await
    }

    async fn agenda(&self, now: Timestamp, horizon_ms: i64) -> Answer<Agenda> {
        self.link
            .read(move |conn| schedule::agenda(conn, now, horizon_ms))
            .await
    }

    async fn live_ends(&self, until: Timestamp) -> Answer<Vec<(InstanceId, Timestamp)>> {
        self.link
            .read(move |conn| schedule::live_ends(conn, until))
            .await
    }

    async fn start(&self, instance: InstanceId, now: Timestamp) -> Answer<Option<Timestamp>> {
        let to = self
            .link
            .write(move |atom| life::start(atom, instance, now))
            .await?;
        if to.is_some() {
            tracing::info!(%instance, "started");
        }
        Ok(to)
    }

    async fn end_step(
        &self,
        instance: InstanceId,
        reason: Reason,
        step: EndStep,
        now: Timestamp,
    ) -> Answer<Stepped> {
        match step {
            EndStep::Marked => {
                self.link
                    .write(move |atom| life::mark(atom, instance, reason, now))
                    .await
            }
            EndStep::Closed => self.close(instance, reason).await,
            // What is in the log is in the record.
            EndStep::Archived => Ok(Stepped::Done),
            EndStep::Recorded => {
                self.link
                    .write(move |atom| life::record(atom, instance))
                    .await
            }
            EndStep::Destroyed => {
                let stepped = self
                    .link
                    .write(move |atom| life::destroy(atom, instance))
                    .await?;
                if stepped == Stepped::Done {
                    tracing::info!(%instance, "ended");
                }
                Ok(stepped)
            }
        }
    }

    async fn backlog(&self) -> Answer<Backlog> {
        Ok(Backlog::default())
    }

    async fn archive_lag(&self) -> Answer<Vec<InstanceId>> {
        Ok(Vec::new())
    }

    async fn archive(&self, _instances: &[InstanceId]) -> Answer<Vec<InstanceId>> {
        Ok(Vec::new())
    }

    async fn sweep(&self) -> Answer<()> {
        self.link.write(life::sweep).await
    }

    async fn feed(&self) -> Result<mpsc::Receiver<Feed>, Fault> {
        let fed = self.feeding.begin()?;
        tokio::spawn(watch::watch(self.link.downgrade(), self.feeding.clone()));
        Ok(fed)
    }

    async fn follow(&self, instance: InstanceId) -> Answer<()> {
        self.feeding.follow(instance);
        Ok(())
    }

    async fn unfollow(&self, instance: InstanceId) -> Answer<()> {
        self.feeding.unfollow(instance);
        Ok(())
    }

    async fn heads(&self, instances: &[InstanceId]) -> Answer<Vec<Option<Head>>> {
        let instances = instances.to_vec();
        self.link
            .read(move |conn| read::heads(conn, &instances))
            .await
    }

    async fn backfill(&self, instance: InstanceId, after: Seq, limit: usize) -> Answer<Vec<Event>> {
        self.link
            .read(move |conn| read::backfill(conn, instance, after, limit))
            .await
    }

    async fn ready(&self) -> Result<(), Fault> {
        match self.link.write(|_| Ok(())).await {
            // A lease is written every two seconds, so this is no old news.
            Ok(()) if self.link.is_failing() => Err(Fault::unavailable(
                fault::STORE,
                "the data file takes nothing",
            )),
            Ok(()) => Ok(()),
            Err(Error::Fault(fault)) => Err(fault),
            Err(Error::Reject(reject)) => Err(Fault::broken("writing", reject)),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let began = Instant::now();
        let ready = self.ready().await;
        vec![Check {
            name: "file",
            ok: ready.is_ok(),
            detail: ready.err().map(|fault| match fault {
                Fault::Unavailable { .. } => {
                    "The data file takes nothing: is the disk full?".to_owned()
                }
                Fault::Broken { what, .. } => format!("The data file: {what} failed."),
            }),
            latency_ms: u64::try_from(began.elapsed().as_millis()).ok(),
        }]
    }
}
