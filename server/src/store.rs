//! Storage, as traits by subject that each back end implements.
//!
//! One verb is one atomic transaction: it changes the state and emits the event, or does neither.
//! Code outside this module does not know which back end it uses.

mod archive;
pub mod dashboard;
pub mod diagnostic;
mod feed;
mod health;
pub mod instrument;
mod lifecycle;
mod limits;
mod log;
mod meetings;
mod messages;
pub mod moderation;
pub mod mysql;
mod participation;
pub mod planning;
mod presence;
mod read_positions;
pub mod redis;
pub mod redis_mysql;
mod refusal;
mod sanitize;
mod search;
mod search_page;
mod sessions;
mod sql;
pub mod sqlite;
pub mod transfer;
mod users;
mod waiting;
mod window;

pub use archive::{ArchiveStore, Backlog};
pub use dashboard::DashboardStore;
pub use feed::{AccessChange, Feed, FeedStore, Head};
pub use health::{Check, HealthStore};
pub use lifecycle::{Agenda, EndStep, LifecycleStore, Stepped};
pub use limits::{DiskSpace, LimitStore};
pub use log::{LogStore, Page};
pub use meetings::{MeetingStore, NewMeeting};
pub use messages::MessageStore;
pub use moderation::ModerationStore;
pub use participation::ParticipationStore;
pub use planning::PlanningStore;
pub use plenary_shared::protocol::{PlannedInstance, PlannedMeeting};
pub use presence::{ConnectionId, NodeId, PresenceStore};
pub use read_positions::{ReadPosition, ReadPositionStore};
pub use search::SearchStore;
pub use sessions::{NewSession, Session, SessionStore, StoredSession, TokenHash};
pub use sql::migrations::MigrateError;
pub use users::{Account, NewPassword, NewUser, PersonListed, UserStore};
pub use waiting::{Waiting, WaitingStore};

/// Everything the server needs of a back end. All times are the store's own unless an argument says
/// otherwise.
pub trait Store:
    ArchiveStore
    + DashboardStore
    + FeedStore
    + HealthStore
    + LifecycleStore
    + LimitStore
    + LogStore
    + MeetingStore
    + MessageStore
    + ModerationStore
    + ParticipationStore
    + PlanningStore
    + PresenceStore
    + ReadPositionStore
    + SearchStore
    + SessionStore
    + UserStore
    + WaitingStore
    + Send
    + Sync
    + 'static
{
}

impl<T> Store for T where
    T: ArchiveStore
        + DashboardStore
        + FeedStore
        + HealthStore
        + LifecycleStore
        + LimitStore
        + LogStore
        + MeetingStore
        + MessageStore
        + ModerationStore
        + ParticipationStore
        + PlanningStore
        + PresenceStore
        + ReadPositionStore
        + SearchStore
        + SessionStore
        + UserStore
        + WaitingStore
        + Send
        + Sync
        + 'static
{
}
