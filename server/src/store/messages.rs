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
    /// Says something; emits `message`, once for each cmid.
    async fn post(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
    ) -> Answer<Posted>;
    /// Says something as an answer to a message of the same instance, as [`Store::post`] does.
    /// `no_such_message` if there is none, as far as that is known.
    async fn reply(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
        to: Seq,
    ) -> Answer<Posted>;
    /// A participant changes what they said; emits `edited`, once for each cmid.
    /// `no_such_message`, `not_yours`, `message_deleted`.
    async fn edit(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
        body: &MessageBody,
    ) -> Answer<Posted>;
    /// A participant deletes what they said; emits `deleted`, once for each cmid. Refused as
    /// [`Store::edit`] is.
    async fn delete(
        &self,
        instance: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
    ) -> Answer<Posted>;
    /// A participant is writing something: told to whoever follows, and kept nowhere.
    async fn typing(&self, instance: InstanceId, user: &User) -> Answer<()>;
}
