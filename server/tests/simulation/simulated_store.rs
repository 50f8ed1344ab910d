//! The store of a simulated server: the product's own, except that the simulator feeds the hub and
//! that mistakes can be planted in the order of steps.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use plenary_server::error::{Answer, Fault};
use plenary_server::rate_limits::WriteLimits;
use plenary_server::store::dashboard::{Attended, Counted, Denial, Holder, Listed, Now};
use plenary_server::store::moderation::ModerationRequest;
use plenary_server::store::mysql::{Archived, Batch, MysqlStore};
use plenary_server::store::planning::{EditMeeting, Invitations, Invited};
use plenary_server::store::redis::RedisStore;
use plenary_server::store::{
    Account, Agenda, ArchiveStore, Backlog, Check, ConnectionId, DashboardStore, DiskSpace,
    EndStep, Feed, FeedStore, Head, HealthStore, LifecycleStore, LimitStore, LogStore,
    MeetingStore, MessageStore, ModerationStore, NewMeeting, NewPassword, NewSession, NewUser,
    NodeId, Page, ParticipationStore, PersonListed, PlannedMeeting, PlanningStore, PresenceStore,
    ReadPosition, ReadPositionStore, SearchStore, Session, SessionStore, Stepped, Store,
    StoredSession, TokenHash, UserStore, Waiting, WaitingStore,
};
use plenary_shared::domain::{
    Event, Instance, Meeting, Participant, Reason, Restrictions, Role, User,
};
use plenary_shared::ids::{Cmid, InstanceId, MeetingId, Seq, UserId};
use plenary_shared::protocol::{
    Absent, EventsOk, JoinTimes, MessagesOk, OpenOk, Overlap, Posted, SearchOk, ServerStatus,
    Unread, WaitOk,
};
use plenary_shared::search::{Place, Query};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use tokio::sync::mpsc;

use crate::mistake::Wrong;

/// Events of one batch of the mistaken archiver.
const BATCH_EVENTS_MAX: usize = 500;

/// A server's store.
pub struct SimulatedStore {
    /// The product's store.
    pub inner: Arc<dyn Store>,
    /// Its parts, for planted mistakes.
    pub parts: Option<(RedisStore, MysqlStore)>,
    /// Whether servers share the back end; then the simulator feeds the hub.
    is_shared: bool,
    /// The planted mistake.
    pub wrong: Wrong,
    followed: Mutex<BTreeSet<InstanceId>>,
}

impl SimulatedStore {
    /// Wraps this store.
    pub fn new(
        inner: Arc<dyn Store>,
        parts: Option<(RedisStore, MysqlStore)>,
        is_shared: bool,
        wrong: Wrong,
    ) -> Arc<Self> {
        Arc::new(Self {
            inner,
            parts,
            is_shared,
            wrong,
            followed: Mutex::default(),
        })
    }

    /// Whether the hub follows this instance.
    pub fn follows(&self, id: InstanceId) -> bool {
        self.followed().contains(&id)
    }

    fn followed(&self) -> MutexGuard<'_, BTreeSet<InstanceId>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Archives in the wrong order.
    async fn archive_wrongly(
        &self,
        live: &RedisStore,
        mysql: &MysqlStore,
        ids: &[InstanceId],
    ) -> Answer<()> {
        let heads = live.heads(ids).await?;
        for (id, head) in ids.iter().zip(heads) {
            let Some(head) = head else { continue };
            let events = live.log(*id, head.durable, BATCH_EVENTS_MAX).await?;
            let batch = Batch {
                instance: *id,
                generation: head.generation,
                after: head.durable,
                events,
            };
            // The archive comes next, whatever Redis answers.
            let _ = live.ack(*id, head.generation, batch.last()).await;
            let _: Vec<Archived> = mysql.archive(&[batch]).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl ArchiveStore for SimulatedStore {
    async fn archive_lag(&self) -> Answer<Vec<InstanceId>> {
        self.inner.archive_lag().await
    }

    async fn backlog(&self) -> Answer<Backlog> {
        self.inner.backlog().await
    }

    async fn archive(&self, instances: &[InstanceId]) -> Answer<Vec<InstanceId>> {
        match (&self.parts, self.wrong) {
            (Some((live, mysql)), Wrong::PublishesBeforeCommit) => {
                self.archive_wrongly(live, mysql, instances).await?;
                Ok(Vec::new())
            }
            (_, _) => self.inner.archive(instances).await,
        }
    }
}

#[async_trait]
impl FeedStore for SimulatedStore {
    async fn feed(&self) -> Result<mpsc::Receiver<Feed>, Fault> {
        self.inner.feed().await
    }

    async fn follow(&self, instance: InstanceId) -> Answer<()> {
        self.followed().insert(instance);
        if !self.is_shared {
            self.inner.follow(instance).await?;
        }
        Ok(())
    }

    async fn unfollow(&self, instance: InstanceId) -> Answer<()> {
        self.followed().remove(&instance);
        if !self.is_shared {
            self.inner.unfollow(instance).await?;
        }
        Ok(())
    }

    async fn heads(&self, instances: &[InstanceId]) -> Answer<Vec<Option<Head>>> {
        self.inner.heads(instances).await
    }

    async fn backfill(&self, instance: InstanceId, after: Seq, limit: usize) -> Answer<Vec<Event>> {
        self.inner.backfill(instance, after, limit).await
    }
}

impl LimitStore for SimulatedStore {
    fn limits(&self) -> WriteLimits {
        self.inner.limits()
    }

    fn set_limits(&self, limits: WriteLimits) {
        self.inner.set_limits(limits);
    }

    fn disk(&self) -> Option<DiskSpace> {
        self.inner.disk()
    }
}

macro_rules! delegated {
    ($($subject:ident { $($name:ident($($arg:ident: $kind:ty),*) -> $answer:ty;)* })*) => {
        $(
            #[async_trait]
            impl $subject for SimulatedStore {
                $(
                    async fn $name(&self, $($arg: $kind),*) -> $answer {
                        self.inner.$name($($arg),*).await
                    }
                )*
            }
        )*
    };
}

delegated! {
    DashboardStore {
        listed(soon: Timestamp, since: Timestamp) -> Answer<Vec<Listed>>;
        recorded(instance: InstanceId, upto: Seq) -> Answer<Counted>;
        now(requests: &[(InstanceId, Seq)]) -> Answer<Vec<Option<Now>>>;
        attended(instance: InstanceId, upto: Seq) -> Answer<Attended>;
        holders(instances: &[InstanceId]) -> Answer<Vec<Vec<Holder>>>;
        publish_denied(denial: &Denial) -> Answer<()>;
        publish_server(server: &ServerStatus) -> Answer<()>;
    }
    HealthStore {
        ready() -> Result<(), Fault>;
        checks() -> Vec<Check>;
    }
    LifecycleStore {
        agenda(now: Timestamp, horizon_ms: i64) -> Answer<Agenda>;
        live_ends(until: Timestamp) -> Answer<Vec<(InstanceId, Timestamp)>>;
        start(instance: InstanceId, now: Timestamp) -> Answer<Option<Timestamp>>;
        end_step(instance: InstanceId, reason: Reason, step: EndStep, now: Timestamp) -> Answer<Stepped>;
        sweep() -> Answer<()>;
    }
    LogStore {
        open(instance: InstanceId, user: &User, connection: Option<&ConnectionId>, limit: usize) -> Answer<OpenOk>;
        events(instance: InstanceId, viewer: &User, page: Page, limit: usize) -> Answer<EventsOk>;
        messages(instance: InstanceId, viewer: &User, page: Page, limit: usize) -> Answer<MessagesOk>;
        user_messages(instance: InstanceId, viewer: &User, of: UserId, page: Page, limit: usize) -> Answer<MessagesOk>;
    }
    MeetingStore {
        add_meeting(new: NewMeeting) -> Answer<Meeting>;
        schedule(meeting: MeetingId, from: Timestamp, to: Timestamp, by: Option<UserId>) -> Answer<InstanceId>;
        meeting(id: MeetingId) -> Answer<Option<PlannedMeeting>>;
        meetings(after: Option<MeetingId>, limit: usize) -> Answer<Vec<PlannedMeeting>>;
        visible(viewer: &User, now: Timestamp) -> Answer<Vec<Instance>>;
        active_meetings(viewer: &User) -> Answer<Vec<Instance>>;
    }
    MessageStore {
        post_message(instance: InstanceId, user: &User, cmid: Cmid, body: &MessageBody, reply_to: Option<Seq>) -> Answer<Posted>;
        change_message(instance: InstanceId, user: &User, cmid: Cmid, target: Seq, body: Option<&MessageBody>) -> Answer<Posted>;
        typing(instance: InstanceId, user: &User) -> Answer<()>;
    }
    ModerationStore {
        moderate(instance: InstanceId, actor: &User, request: &ModerationRequest) -> Answer<Posted>;
        restrictions(instance: InstanceId) -> Answer<Restrictions>;
    }
    ParticipationStore {
        join(instance: InstanceId, user: &User, connection: Option<&ConnectionId>) -> Answer<Posted>;
        leave(instance: InstanceId, user: &User) -> Answer<Posted>;
        people(instance: InstanceId, viewer: &User) -> Answer<Vec<Participant>>;
        absent(instance: InstanceId, limit: usize) -> Answer<Option<Absent>>;
        join_times(viewer: &User) -> Answer<Vec<JoinTimes>>;
    }
    PlanningStore {
        edit_meeting(meeting: MeetingId, edit: &EditMeeting, by: Option<UserId>) -> Answer<()>;
        change_audience(meeting: MeetingId, change: &Invitations, by: Option<UserId>) -> Answer<Invited>;
        move_instance(instance: InstanceId, from: Timestamp, to: Timestamp, by: Option<UserId>) -> Answer<()>;
        cancel(instance: InstanceId, reason: Option<&str>, by: Option<UserId>) -> Answer<()>;
        overlaps(meeting: MeetingId) -> Answer<Vec<(InstanceId, Overlap)>>;
    }
    PresenceStore {
        bind(instance: InstanceId, user: &User, connection: &ConnectionId) -> Answer<()>;
        detach(instance: InstanceId, connection: &ConnectionId, silent_ms: i64) -> Answer<()>;
        release(instance: InstanceId, connection: &ConnectionId, reason: Reason) -> Answer<()>;
        idle(instance: InstanceId, connection: &ConnectionId, idle_ms: Option<i64>) -> Answer<()>;
        reap(instance: InstanceId, grace_ms: i64) -> Answer<usize>;
        renew_lease(node: &NodeId, lease_ms: i64) -> Answer<Vec<NodeId>>;
        reap_all(grace_ms: i64) -> Answer<usize>;
    }
    ReadPositionStore {
        save_positions(positions: &[ReadPosition]) -> Answer<()>;
        publish_read(positions: &[ReadPosition]) -> Answer<()>;
        unread(viewer: &User, known: &[(InstanceId, Seq)]) -> Answer<Vec<Unread>>;
    }
    SearchStore {
        search(viewer: &User, query: &Query, before: Option<Place>, limit: usize) -> Answer<SearchOk>;
    }
    SessionStore {
        open_session(new: NewSession) -> Answer<bool>;
        session(token: TokenHash, now: Timestamp) -> Answer<Option<Session>>;
        close_session(token: TokenHash) -> Answer<bool>;
        sessions(user: UserId, now: Timestamp) -> Answer<Vec<StoredSession>>;
        close_sessions(user: UserId, keeps: Option<TokenHash>, by: Option<UserId>) -> Answer<usize>;
    }
    UserStore {
        account(email: &str) -> Answer<Option<Account>>;
        add_user(new: NewUser) -> Answer<User>;
        set_password(new: NewPassword) -> Answer<()>;
        user(id: UserId) -> Answer<Option<PersonListed>>;
        users(after: Option<UserId>, limit: usize) -> Answer<Vec<PersonListed>>;
        set_role(user: UserId, role: Role, by: Option<UserId>) -> Answer<bool>;
        set_disabled(user: UserId, since: Option<Timestamp>, by: Option<UserId>) -> Answer<bool>;
    }
    WaitingStore {
        wait(instance: InstanceId, user: &User, what: Waiting) -> Answer<WaitOk>;
        waiting(instances: &[InstanceId]) -> Answer<Vec<u32>>;
    }
}
