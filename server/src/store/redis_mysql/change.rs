//! Saying, editing and deleting: in the live log, and with the archive's word on what is live no more.

use plenary_shared::domain::User;
use plenary_shared::ids::{Cmid, InstanceId, Seq};
use plenary_shared::protocol::Posted;
use plenary_shared::text::MessageBody;

use crate::error::{Answer, Error, Fault};
use crate::store::redis::{Author, Meant, NotDone, Refused, Saying};

use crate::store::moderation::{Measure, Order};

use super::{LOOK_UPS_MAX, RedisMysqlStore};

/// Who says something, and where.
#[derive(Clone, Copy)]
struct Speaker<'a> {
    id: InstanceId,
    user: &'a User,
    cmid: Cmid,
    /// What is meant is answered, not changed.
    only_answers: bool,
}

impl RedisMysqlStore {
    /// Says something; maybe as an answer to a message.
    pub(super) async fn say(
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
    pub(super) async fn change(
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

    /// An admin steers an instance. What lasts is told at once, as far as it answers: who looks there
    /// when the time is over, or for what is ending, finds it.
    pub(super) async fn steer(
        &self,
        id: InstanceId,
        actor: &User,
        order: &Order,
    ) -> Answer<Posted> {
        let speaker = Speaker {
            id,
            user: actor,
            cmid: order.cmid,
            only_answers: true,
        };
        let posted = self
            .until_said(speaker, None, |_, looked| {
                self.redis.moderate(id, actor, order, looked)
            })
            .await?;
        let moves_the_end = matches!(
            order.measure,
            Measure::End | Measure::ExtendBy(_) | Measure::ExtendTo(_)
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
    async fn until_said<F, Fut>(
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
