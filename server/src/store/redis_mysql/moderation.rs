//! An admin moderates an instance: one Redis script, then MySQL learns of a moved end at once.

use async_trait::async_trait;
use plenary_shared::domain::{ModerationAction, Restrictions, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::Posted;

use crate::error::Answer;
use crate::store::ModerationStore;
use crate::store::moderation::ModerationRequest;

use super::RedisMysqlStore;
use super::messages::Speaker;

#[async_trait]
impl ModerationStore for RedisMysqlStore {
    async fn moderate(
        &self,
        id: InstanceId,
        actor: &User,
        request: &ModerationRequest,
    ) -> Answer<Posted> {
        let speaker = Speaker {
            id,
            user: actor,
            cmid: request.cmid,
            only_answers: true,
        };
        let posted = self
            .until_said(speaker, None, |_, looked| {
                self.redis.moderate(id, actor, request, looked)
            })
            .await?;
        let moves_the_end = matches!(
            request.action,
            ModerationAction::End | ModerationAction::Extend(_)
        );
        if moves_the_end && !posted.repeat {
            match self.brief(self.archive_some(&[id])).await {
                Ok(_) => {}
                Err(error) => tracing::debug!(instance = %id, %error, "archived later"),
            }
            self.notice_changed().await;
        }
        Ok(posted)
    }

    async fn restrictions(&self, instance: InstanceId) -> Answer<Restrictions> {
        Ok(self.redis.restrictions(instance).await?)
    }
}
