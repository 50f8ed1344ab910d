//! The store of production: Redis for what is live, `MySQL` for what lasts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use plenary_shared::domain::{
    Code, Event, Instance, Meeting, Participant, Reason, Reject, Role, Standing, User,
};
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, Seq, UserId};
use plenary_shared::protocol::{
    Absent, EventsOk, JoinTimes, MessagesOk, OpenOk, Posted, SearchOk, Unread, WaitOk,
};
use plenary_shared::search::{Place, Query};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use tokio::sync::{OnceCell, mpsc};

use crate::clock::Clock;
use crate::error::{Answer, Error, Fault};

use self::restore::Restorer;
use super::moderation::Order;
use super::mysql::MysqlStore;
use super::redis::{NotDone, RedisStore, Refused, Subscriber};
use super::{
    Account, Agenda, Backlog, Check, ConnectionId, EndStep, Feed, Head, NewMeeting, NewSession,
    NewUser, NodeId, Page, PersonListed, Planned, ReadPosition, Session, SessionListed, Stepped,
    Store, TokenHash, Waiting, refusal,
};

/// How long what must happen on time waits for what lasts, in milliseconds: then it goes on with what
/// the live store knows.
const BRIEF_MS: u64 = 1_000;

/// The same while what lasts has left the last such question without an answer: many ends of one
/// moment must not each wait for it. It is longer than a healthy database takes.
const BRIEF_SILENT_MS: u64 = 100;

/// How long the agenda waits, in milliseconds. Nobody waits for it but the next reading.
const AGENDA_MS: u64 = 2_000;

/// How often the archive is asked for one post. Once is enough unless ten thousand events come
/// between the question and the post.
const LOOK_UPS_MAX: usize = 3;

mod archive;
mod change;
mod health;
mod life;
mod overview;
mod planning;
mod read;
mod reading;
mod restore;
mod sign_in;
mod waiting;

/// Redis and `MySQL` together.
pub struct RedisMysqlStore {
    redis: Arc<RedisStore>,
    mysql: MysqlStore,
    subscriber: OnceCell<Subscriber>,
    restorer: Arc<Restorer>,
    /// What the last sweep found missing, and in which generation.
    missing: std::sync::Mutex<BTreeMap<InstanceId, Generation>>,
    /// Whether what lasts has left the last brief question without an answer.
    silent: AtomicBool,
    clock: Clock,
}

impl RedisMysqlStore {
    /// Over these two. The clock is for what no store's clock rules.
    pub fn new(redis: RedisStore, mysql: MysqlStore, clock: Clock) -> Arc<Self> {
        let redis = Arc::new(redis);
        let restorer = Arc::new(Restorer::new(redis.clone(), mysql.clone()));
        Arc::new(Self {
            redis,
            mysql,
            subscriber: OnceCell::new(),
            restorer,
            missing: std::sync::Mutex::default(),
            silent: AtomicBool::new(false),
            clock,
        })
    }

    /// An answer of what lasts, if it comes soon.
    async fn brief<T>(&self, asking: impl Future<Output = Answer<T>>) -> Answer<T> {
        let silent = self.silent.load(Ordering::Relaxed);
        let limit_ms = if silent { BRIEF_SILENT_MS } else { BRIEF_MS };
        self.within(limit_ms, Box::pin(asking)).await
    }

    async fn within<T>(&self, limit_ms: u64, asking: impl Future<Output = Answer<T>>) -> Answer<T> {
        let answer = self.mysql.instrument().within(limit_ms, asking).await;
        self.silent.store(answer.is_none(), Ordering::Relaxed);
        answer.unwrap_or_else(|| {
            Err(Fault::unavailable("MySQL", "it does not answer in time").into())
        })
    }

    /// A verb in Redis. If this Redis has forgotten its scripts, the live state is brought up again
    /// and the verb tried once more.
    async fn tried<T, F, Fut>(&self, verb: F) -> Result<Result<T, Refused>, Fault>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, NotDone>>,
    {
        let first = verb().await;
        let second = if matches!(first, Err(NotDone::NoScript)) {
            self.restore().await?;
            verb().await
        } else {
            first
        };
        match second {
            Ok(done) => Ok(Ok(done)),
            Err(NotDone::Refused(refused)) => Ok(Err(refused)),
            Err(NotDone::Fault(fault)) => Err(fault),
            Err(NotDone::NoScript) => {
                Err(Fault::unavailable("Redis", "it forgot its scripts again"))
            }
        }
    }

    /// Brings the live state up, to the end even if whoever asked for it is gone meanwhile.
    async fn restore(&self) -> Result<(), Fault> {
        let restorer = self.restorer.clone();
        tokio::spawn(async move { restorer.restore().await })
            .await
            .map_err(|error| Fault::broken("bringing the live state up", error))?
    }

    /// Builds one instance's live state anew, in the next generation.
    /// `before`: the generation that is live, if one is.
    async fn rebuild(&self, id: InstanceId, before: Option<Generation>) -> Result<(), Fault> {
        let restorer = self.restorer.clone();
        let done = tokio::spawn(async move { restorer.rebuild(id, false, before).await });
        done.await
            .map_err(|error| Fault::broken("building an instance anew", error))?
    }

    /// Why a person is told no, in words that fit this instance.
    async fn reject(&self, id: InstanceId, viewer: &User, refused: Refused) -> Error {
        let code = match refused {
            Refused::NotAllowed => Code::NotAllowed,
            Refused::AlreadyParticipant => Code::AlreadyParticipant,
            // Whoever may not know that it is going on is not told by this either.
            Refused::NotParticipant => match self.tried(|| self.redis.sees(id, viewer)).await {
                Ok(Ok(true)) => Code::NotParticipant,
                Ok(Ok(false) | Err(_)) => Code::NotAllowed,
                Err(fault) => return fault.into(),
            },
            Refused::Full => Code::Full,
            Refused::Locked => Code::Locked,
            Refused::Banned => Code::Banned,
            Refused::ReadOnly => Code::ReadOnly,
            Refused::Muted => Code::Muted,
            Refused::AlreadySo => Code::AlreadySo,
            Refused::NotThere => return refusal::not_there().into(),
            Refused::NotLater => return refusal::not_later().into(),
            Refused::TooLong => return refusal::too_long().into(),
            Refused::ArchiveBehind => Code::ArchiveBehind,
            Refused::NoSuchMessage => Code::NoSuchMessage,
            Refused::NotYours => Code::NotYours,
            Refused::MessageDeleted => Code::MessageDeleted,
            Refused::Elsewhere => {
                let what = "a script asks for what it was told";
                return Fault::broken("changing a message", what).into();
            }
            Refused::Gone
            | Refused::Over
            | Refused::Ended
            | Refused::Unarchived
            | Refused::Behind => {
                return match self.why_not_live(id, viewer).await {
                    Ok(reject) => reject.into(),
                    Err(error) => error,
                };
            }
        };
        code.into()
    }

    /// Why an instance that is not live is not.
    async fn why_not_live(&self, id: InstanceId, viewer: &User) -> Answer<Reject> {
        let Some(stored) = self.mysql.stored(id).await? else {
            return Ok(refusal::unknown(id));
        };
        if !self.mysql.may_read(id, viewer).await? {
            return Ok(Code::NotAllowed.into());
        }
        if stored.reason == Some(Reason::Cancelled) {
            return Ok(refusal::cancelled(id));
        }
        let now = (self.clock)();
        Ok(refusal::of_time(
            id,
            stored.state,
            (stored.from, stored.to),
            stored.ended_at,
            now,
        ))
    }
}

#[async_trait]
impl Store for RedisMysqlStore {
    async fn account(&self, email: &str) -> Answer<Option<Account>> {
        self.mysql.account(email).await
    }

    async fn add_user(&self, new: NewUser) -> Answer<User> {
        self.mysql.add_user(new, (self.clock)()).await
    }

    async fn set_password(&self, user: UserId, hash: &str, by: Option<UserId>) -> Answer<()> {
        let now = (self.clock)();
        self.mysql.set_password(user, hash, by, now).await
    }

    async fn users(&self, after: Option<UserId>, limit: usize) -> Answer<Vec<PersonListed>> {
        self.mysql.users(after, limit).await
    }

    async fn set_role(&self, user: UserId, role: Role, by: Option<UserId>) -> Answer<()> {
        self.give_role(user, role, by).await
    }

    async fn set_disabled(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        by: Option<UserId>,
    ) -> Answer<()> {
        self.shut_out(user, since, by).await
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<SessionListed>> {
        self.mysql.sessions(user, now).await
    }

    async fn close_sessions(&self, user: UserId, by: Option<UserId>) -> Answer<usize> {
        self.revoke(user, by).await
    }

    async fn open_session(&self, new: NewSession) -> Answer<()> {
        self.mysql.open_session(new).await
    }

    async fn session(&self, token: TokenHash, now: Timestamp) -> Answer<Option<Session>> {
        self.session_of(token, now).await
    }

    async fn close_session(&self, token: TokenHash) -> Answer<bool> {
        self.sign_out(token).await
    }

    async fn add_meeting(&self, new: NewMeeting) -> Answer<Meeting> {
        let meeting = self.mysql.add_meeting(new, (self.clock)()).await?;
        self.notice_changed().await;
        Ok(meeting)
    }

    async fn schedule(
        &self,
        meeting: MeetingId,
        from: Timestamp,
        to: Timestamp,
        by: Option<UserId>,
    ) -> Answer<InstanceId> {
        let now = (self.clock)();
        let id = self.mysql.schedule(meeting, (from, to), by, now).await?;
        self.notice_changed().await;
        Ok(id)
    }

    async fn meetings(&self, after: Option<MeetingId>, limit: usize) -> Answer<Vec<Planned>> {
        self.mysql.meetings(after, limit).await
    }

    async fn visible(&self, viewer: &User, now: Timestamp) -> Answer<Vec<Instance>> {
        self.visible_to(viewer, now).await
    }

    async fn active_meetings(&self, viewer: &User) -> Answer<Vec<Instance>> {
        let found = self.tried(|| self.redis.active_meetings(viewer)).await?;
        Ok(found.unwrap_or_default())
    }

    async fn join(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
    ) -> Answer<Posted> {
        match self
            .tried(|| self.redis.join(instance, user, connection))
            .await?
        {
            Ok(posted) => Ok(posted),
            Err(refused) => Err(self.reject(instance, user, refused).await),
        }
    }

    async fn leave(&self, instance: InstanceId, user: &User) -> Answer<Posted> {
        match self.tried(|| self.redis.leave(instance, user)).await? {
            Ok(posted) => Ok(posted),
            Err(refused) => Err(self.reject(instance, user, refused).await),
        }
    }

    async fn post(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
    ) -> Answer<Posted> {
        self.say(instance, user, cmid, body, None).await
    }

    async fn reply(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
        to: Seq,
    ) -> Answer<Posted> {
        self.say(instance, user, cmid, body, Some(to)).await
    }

    async fn edit(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
        body: &MessageBody,
    ) -> Answer<Posted> {
        self.change(instance, user, cmid, target, Some(body)).await
    }

    async fn delete(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
    ) -> Answer<Posted> {
        self.change(instance, user, cmid, target, None).await
    }

    async fn standing(&self, instance: InstanceId) -> Answer<Standing> {
        Ok(self.redis.standing(instance).await?)
    }

    async fn moderate(&self, instance: InstanceId, actor: &User, order: &Order) -> Answer<Posted> {
        self.steer(instance, actor, order).await
    }

    async fn open(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
        limit: usize,
    ) -> Answer<OpenOk> {
        self.open_for(instance, user, connection, limit).await
    }

    async fn events(
        &self,
        instance: InstanceId,
        viewer: &User,
        page: Page,
        limit: usize,
    ) -> Answer<EventsOk> {
        self.events_for(instance, viewer, page, limit).await
    }

    async fn messages(
        &self,
        instance: InstanceId,
        viewer: &User,
        page: Page,
        limit: usize,
    ) -> Answer<MessagesOk> {
        self.messages_for(instance, viewer, page, limit).await
    }

    async fn user_messages(
        &self,
        instance: InstanceId,
        viewer: &User,
        of: UserId,
        page: Page,
        limit: usize,
    ) -> Answer<MessagesOk> {
        self.user_messages_for(instance, viewer, of, page, limit)
            .await
    }

    async fn people(&self, instance: InstanceId, viewer: &User) -> Answer<Vec<Participant>> {
        match self.tried(|| self.redis.people(instance, viewer)).await? {
            Ok((_, people)) => Ok(people),
            Err(refused) => Err(self.reject(instance, viewer, refused).await),
        }
    }

    async fn absent(&self, instance: InstanceId, limit: usize) -> Answer<Option<Absent>> {
        self.mysql.absent(instance, limit).await
    }

    async fn join_times(&self, viewer: &User) -> Answer<Vec<JoinTimes>> {
        let found = self.tried(|| self.redis.join_times(viewer)).await?;
        Ok(found.unwrap_or_default())
    }

    async fn typing(&self, instance: InstanceId, user: &User) -> Answer<()> {
        match self.tried(|| self.redis.typing(instance, user)).await? {
            Ok(()) => Ok(()),
            Err(refused) => Err(self.reject(instance, user, refused).await),
        }
    }

    async fn search(
        &self,
        viewer: &User,
        query: &Query,
        before: Option<Place>,
        limit: usize,
    ) -> Answer<SearchOk> {
        self.search_for(viewer, query, before, limit).await
    }

    async fn keep_positions(&self, positions: &[ReadPosition]) -> Answer<()> {
        self.mysql.keep_positions(positions).await
    }

    async fn tell_read(&self, positions: &[ReadPosition]) -> Answer<()> {
        Ok(self.redis.notice_read(positions).await?)
    }

    async fn unread(&self, viewer: &User, known: &[(InstanceId, Seq)]) -> Answer<Vec<Unread>> {
        self.unread_by(viewer, known).await
    }

    async fn hold(
        &self,
        instance: InstanceId,
        user: &User,
        connection: &ConnectionId,
    ) -> Answer<()> {
        match self
            .tried(|| self.redis.hold(instance, user, connection))
            .await?
        {
            Ok(()) => Ok(()),
            Err(refused) => Err(self.reject(instance, user, refused).await),
        }
    }

    async fn detach(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        silent_ms: i64,
    ) -> Answer<()> {
        // An instance that is not live has no stays to end.
        let _ = self
            .tried(|| self.redis.detach(instance, connection, silent_ms))
            .await?;
        Ok(())
    }

    async fn idle(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        idle_ms: Option<i64>,
    ) -> Answer<()> {
        // Who is in what is not live is nobody.
        let _ = self
            .tried(|| self.redis.idle(instance, connection, idle_ms))
            .await?;
        Ok(())
    }

    async fn wait(&self, instance: InstanceId, user: &User, what: Waiting) -> Answer<WaitOk> {
        self.wait_for(instance, user, what).await
    }

    async fn reap(&self, instance: InstanceId, grace_ms: i64) -> Answer<usize> {
        let reaped = self.tried(|| self.redis.reap(instance, grace_ms)).await?;
        Ok(reaped.unwrap_or(0))
    }

    async fn renew_lease(&self, node: &NodeId, lease_ms: i64) -> Answer<Vec<NodeId>> {
        let found = self
            .tried(|| self.redis.renew_lease(node, lease_ms))
            .await?;
        Ok(found.map(|(_, nodes)| nodes).unwrap_or_default())
    }

    async fn reap_all(&self, grace_ms: i64) -> Answer<usize> {
        self.reap_every_instance(grace_ms).await
    }

    async fn agenda(&self, now: Timestamp, horizon_ms: i64) -> Answer<Agenda> {
        self.within(AGENDA_MS, self.mysql.agenda(now, horizon_ms))
            .await
    }

    async fn live_ends(&self, until: Timestamp) -> Answer<Vec<(InstanceId, Timestamp)>> {
        Ok(self.redis.ends(until).await?)
    }

    async fn start(&self, instance: InstanceId, now: Timestamp) -> Answer<Option<Timestamp>> {
        self.start_instance(instance, now).await
    }

    async fn end_step(
        &self,
        instance: InstanceId,
        reason: Reason,
        step: EndStep,
        now: Timestamp,
    ) -> Answer<Stepped> {
        self.step_to_end(instance, reason, step, now).await
    }

    async fn backlog(&self) -> Answer<Backlog> {
        let lag = self.redis.lag().await?;
        Ok(Backlog {
            events: lag.events,
            oldest_ms: lag.oldest_ms,
        })
    }

    async fn archive_lag(&self) -> Answer<Vec<InstanceId>> {
        Ok(self.lagging().await?)
    }

    async fn archive(&self, instances: &[InstanceId]) -> Answer<Vec<InstanceId>> {
        Ok(self.archive_some(instances).await?.more)
    }

    async fn sweep(&self) -> Answer<()> {
        self.sweep_all().await
    }

    async fn feed(&self) -> Result<mpsc::Receiver<Feed>, Fault> {
        let (subscriber, feed) = self.redis.subscribe();
        self.subscriber
            .set(subscriber)
            .map_err(|error| Fault::broken("a second feed of one store", error.to_string()))?;
        Ok(feed)
    }

    async fn follow(&self, instance: InstanceId) -> Answer<()> {
        Ok(self.subscriber()?.follow(instance).await?)
    }

    async fn unfollow(&self, instance: InstanceId) -> Answer<()> {
        Ok(self.subscriber()?.unfollow(instance).await?)
    }

    async fn heads(&self, instances: &[InstanceId]) -> Answer<Vec<Option<Head>>> {
        Ok(self.redis.heads(instances).await?)
    }

    async fn backfill(&self, instance: InstanceId, after: Seq, limit: usize) -> Answer<Vec<Event>> {
        self.backfill_from(instance, after, limit).await
    }

    async fn ready(&self) -> Result<(), Fault> {
        self.redis.ping().await?;
        self.mysql.ping().await
    }

    async fn checks(&self) -> Vec<Check> {
        self.checked().await
    }
}

impl RedisMysqlStore {
    fn subscriber(&self) -> Result<&Subscriber, Fault> {
        self.subscriber
            .get()
            .ok_or_else(|| Fault::broken("following", "the store has no feed yet"))
    }

    /// Tells every server that a list has changed. They look by themselves every few seconds, so a
    /// Redis that is away loses nothing.
    async fn notice_changed(&self) {
        if let Err(fault) = self.redis.notice_changed().await {
            tracing::warn!(%fault, "the other servers hear of the change later");
        }
    }
}
