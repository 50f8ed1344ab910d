//! Posting, editing and deleting messages.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::{Cmid, InstanceId, Seq};
use plenary_shared::protocol::Posted;
use plenary_shared::text::MessageBody;

use crate::error::Answer;

/// Writes messages into live instances. Each verb takes effect once per cmid.
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Posts a message; emits `message`.
    async fn post(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
    ) -> Answer<Posted>;
    /// Posts an answer to a message of the same instance. `no_such_message`.
    async fn reply(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
        to: Seq,
    ) -> Answer<Posted>;
    /// Edits a participant's own message; emits `edited`. `no_such_message`, `not_yours`, `message_deleted`.
    async fn edit(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
        body: &MessageBody,
    ) -> Answer<Posted>;
    /// Deletes a participant's own message; emits `deleted`. Refused like [`Self::edit`].
    async fn delete(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
    ) -> Answer<Posted>;
    /// Publishes that a participant is typing. Nothing is stored.
    async fn typing(&self, instance: InstanceId, user: &User) -> Answer<()>;
}
