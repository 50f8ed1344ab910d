//! Posting, editing and deleting messages.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::{Cmid, InstanceId, Seq};
use plenary_shared::protocol::Posted;
use plenary_shared::text::MessageBody;

use crate::error::Answer;

/// Writes messages into live instances. Each verb takes effect once per cmid. `rate_limited`: the user writes
/// too fast; `disk_reserve`: the disk is almost full. A repeated cmid is never refused for either.
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Posts a message, as an answer to the message `reply_to` of the same instance if given; emits
    /// `message`. `no_such_message`.
    async fn post_message(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
        reply_to: Option<Seq>,
    ) -> Answer<Posted>;
    /// Edits a participant's own message; emits `edited`. With `body` `None` deletes it; emits `deleted`.
    /// `no_such_message`, `not_yours`, `message_deleted`.
    async fn change_message(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
        body: Option<&MessageBody>,
    ) -> Answer<Posted>;
    /// Posts a message that answers no other.
    async fn post(
        &self,
        at: InstanceId,
        user: &User,
        id: Cmid,
        body: &MessageBody,
    ) -> Answer<Posted> {
        self.post_message(at, user, id, body, None).await
    }
    /// Publishes that a participant is typing. Nothing is stored.
    async fn typing(&self, instance: InstanceId, user: &User) -> Answer<()>;
}
