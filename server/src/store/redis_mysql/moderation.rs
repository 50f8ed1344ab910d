//! Moderation: one Redis script, and the new end is archived at once.

use async_trait::async_trait;
use plenary_shared::domain::{ModerationAction, Restrictions, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::Posted;

use crate::error::Answer;
use crate::store::ModerationStore;
use crate::store::moderation::ModerationRequest;

use super::RedisMysqlStore;
use super::messages::Sender;

#[async_trait]
impl ModerationStore for RedisMysqlStore {
    async fn moderate(
        &self,
        id: InstanceId,
        actor: &User,
        request: &ModerationRequest,
    ) -> Answer<Posted> {
        let sender = Sender {
            id,
            user: actor,
            cmid: request.cmid,
            quotes_target: true,
        };
        let posted = self
            .until_posted(sender, None, |_, checked| {
                self.redis.moderate(id, actor, request, checked)
            })
            .await?;
        let moves_the_end = matches!(
            request.action,
            ModerationAction::End | ModerationAction::Extend(_)
        );
        if moves_the_end && !posted.repeat {
            match self.with_short_timeout(self.archive_some(&[id])).await {
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(instance = %id, %error, "archiving of the moderation failed, retrying later");
                }
            }
            self.publish_changed().await;
        }
        Ok(posted)
    }

    async fn restrictions(&self, instance: InstanceId) -> Answer<Restrictions> {
        Ok(self.redis.restrictions(instance).await?)
    }
}
