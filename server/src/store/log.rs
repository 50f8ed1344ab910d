//! Reading the event log of an instance, page by page.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::protocol::{EventsOk, MessagesOk, OpenOk};

use crate::error::Answer;

use super::presence::ConnectionId;

/// A page of a log or of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The last ones below this seq, or of all.
    Before(Option<Seq>),
    /// The first ones above this seq.
    After(Seq),
}

/// Reads instances that the viewer may read.
#[async_trait]
pub trait LogStore: Send + Sync {
    /// Returns an instance with its last events, and binds the connection to the user's stay, if any.
    async fn open(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
        limit: usize,
    ) -> Answer<OpenOk>;
    /// Returns a page of the log.
    async fn events(
        &self,
        instance: InstanceId,
        viewer: &User,
        page: Page,
        limit: usize,
    ) -> Answer<EventsOk>;
    /// Returns a page of the messages.
    async fn messages(
        &self,
        instance: InstanceId,
        viewer: &User,
        page: Page,
        limit: usize,
    ) -> Answer<MessagesOk>;
    /// Returns a page of one user's messages.
    async fn user_messages(
        &self,
        instance: InstanceId,
        viewer: &User,
        of: UserId,
        page: Page,
        limit: usize,
    ) -> Answer<MessagesOk>;
}
