//! Saying, editing and deleting: in the live log, and with the archive's word on what is live no more.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::{Cmid, InstanceId, Seq};
use plenary_shared::protocol::Posted;
use plenary_shared::text::MessageBody;

use crate::error::{Answer, Error, Fault};
use crate::store::MessageStore;
use crate::store::redis::{Author, Meant, NotDone, Refused, Saying};

use super::{LOOK_UPS_MAX, RedisMysqlStore};

/// Who says something, and where.
#[derive(Clone, Copy)]
pub(super) struct Speaker<'a> {
    pub(super) id: InstanceId,
    pub(super) user: &'a User,
    pub(super) cmid: Cmid,
    /// What is meant is answered, not changed.
    pub(super) only_answers: bool,
}

#[async_trait]
impl MessageStore for RedisMysqlStore {
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

    async fn typing(&self, instance: InstanceId, user: &User) -> Answer<()> {
        match self.tried(|| self.redis.typing(instance, user)).await? {
            Ok(()) => Ok(()),
            Err(refused) => Err(self.reject(instance, user, refused).await),
        }
    }
}

impl RedisMysqlStore {
    /// Says something; maybe as an answer to a message.
    async fn say(
        &self,
        id: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
        to: Option<Seq>,
    ) -> Answer<Posted> {
        let speaker = Speaker {
            id,
            user,
            cmid,
            only_answers: true,
        };
        self.until_said(speaker, to, |meant, looked| {
            self.redis.post(id, user, cmid, body, meant, looked)
        })
        .await
    }

    /// Edits (to this body) or deletes (`None`) what somebody said.
    async fn change(
        &self,
        id: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
        body: Option<&MessageBody>,
    ) -> Answer<Posted> {
        let speaker = Speaker {
            id,
            user,
            cmid,
            only_answers: false,
        };
        self.until_said(speaker, Some(target), |meant, looked| {
            let seq = target;
            let meant = meant.unwrap_or(Meant { seq, author: None });
            self.redis
                .change_message(id, user, cmid, meant, body, looked)
        })
        .await
    }

    /// What the archive says of a message.
    async fn author(&self, speaker: Speaker<'_>, seq: Seq) -> Answer<Author> {
        match self.mysql.author(speaker.id, seq).await {
            Ok(None) => Ok(Author::Nobody),
            Ok(Some((_, true))) => Ok(Author::Deleted),
            Ok(Some((user, false))) => Ok(Author::User(user)),
            // Nobody is kept from answering by what lasts being away: readers see no quotation where
            // there is no message.
            Err(Error::Fault(Fault::Unavailable { .. })) if speaker.only_answers => {
                Ok(Author::User(speaker.user.id))
            }
            Err(other) => Err(other),
        }
    }

    /// Asks the live store, and the archive for what that does not know, until it is said or refused.
    pub(super) async fn until_said<F, Fut>(
        &self,
        speaker: Speaker<'_>,
        target: Option<Seq>,
        ask: F,
    ) -> Answer<Posted>
    where
        F: Fn(Option<Meant>, Seq) -> Fut,
        Fut: Future<Output = Result<Saying, NotDone>>,
    {
        let Speaker { id, user, cmid, .. } = speaker;
        let mut meant = target.map(|seq| Meant { seq, author: None });
        let mut looked = Seq::default();
        // Once more for the message that is meant.
        for _ in 0..=LOOK_UPS_MAX {
            let said = self.tried(|| ask(meant, looked)).await?;
            match (said, meant) {
                (Ok(Saying::Posted(posted)), _) => return Ok(posted),
                (Ok(Saying::LookUp(archived)), _) => looked = archived,
                (Err(Refused::Elsewhere), Some(Meant { seq, author: None })) => {
                    let author = Some(self.author(speaker, seq).await?);
                    meant = Some(Meant { seq, author });
                    continue;
                }
                // A retry after the end still gets its seq.
                (Err(Refused::Gone), _) => {}
                (Err(refused), _) => return Err(self.reject(id, user, refused).await),
            }
            if let Some(before) = self.mysql.repeat_of(id, user.id, cmid).await? {
                return Ok(before);
            }
            if said == Err(Refused::Gone) {
                return Err(self.reject(id, user, Refused::Gone).await);
            }
        }
        Err(Fault::unavailable("Redis", "the archive outruns whoever looks into it").into())
    }
}
