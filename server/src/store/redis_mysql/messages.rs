//! Posting, editing and deleting: in the live log, with the archive's knowledge of trimmed messages.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::{Cmid, InstanceId, Seq};
use plenary_shared::protocol::Posted;
use plenary_shared::text::MessageBody;

use crate::error::{Answer, Error, Fault};
use crate::store::MessageStore;
use crate::store::redis::{Author, PostOutcome, Refusal, ScriptError, Target};

use super::{ARCHIVE_CHECKS_MAX, RedisMysqlStore};

/// The sender of a request that takes effect once per cmid.
#[derive(Clone, Copy)]
pub(super) struct Sender<'a> {
    pub(super) id: InstanceId,
    pub(super) user: &'a User,
    pub(super) cmid: Cmid,
    /// Whether a target message is only quoted, not changed.
    pub(super) quotes_target: bool,
}

#[async_trait]
impl MessageStore for RedisMysqlStore {
    async fn post_message(
        &self,
        id: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
        to: Option<Seq>,
    ) -> Answer<Posted> {
        let sender = Sender {
            id,
            user,
            cmid,
            quotes_target: true,
        };
        self.until_posted(sender, to, |quoted, checked| {
            self.redis.post(id, user, cmid, body, quoted, checked)
        })
        .await
    }

    async fn change_message(
        &self,
        id: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Seq,
        body: Option<&MessageBody>,
    ) -> Answer<Posted> {
        let sender = Sender {
            id,
            user,
            cmid,
            quotes_target: false,
        };
        self.until_posted(sender, Some(target), |quoted, checked| {
            let seq = target;
            let quoted = quoted.unwrap_or(Target { seq, author: None });
            self.redis
                .change_message(id, user, cmid, quoted, body, checked)
        })
        .await
    }

    async fn typing(&self, instance: InstanceId, user: &User) -> Answer<()> {
        self.run_for(instance, user, || self.redis.typing(instance, user))
            .await
    }
}

impl RedisMysqlStore {
    /// Returns what the archive has of a message.
    async fn author(&self, sender: Sender<'_>, seq: Seq) -> Answer<Author> {
        match self.mysql.author(sender.id, seq).await {
            Ok(None) => Ok(Author::Missing),
            Ok(Some((_, true))) => Ok(Author::Deleted),
            Ok(Some((user, false))) => Ok(Author::User(user)),
            // An unavailable MySQL does not prevent replies: readers see no quotation if the message does
            // not exist.
            Err(Error::Fault(Fault::Unavailable { .. })) if sender.quotes_target => {
                Ok(Author::User(sender.user.id))
            }
            Err(other) => Err(other),
        }
    }

    /// Asks Redis, and the archive for what Redis does not know, until the request took effect or is refused.
    pub(super) async fn until_posted<F, Fut>(
        &self,
        sender: Sender<'_>,
        target: Option<Seq>,
        ask: F,
    ) -> Answer<Posted>
    where
        F: Fn(Option<Target>, Seq) -> Fut,
        Fut: Future<Output = Result<PostOutcome, ScriptError>>,
    {
        let Sender { id, user, cmid, .. } = sender;
        let mut quoted = target.map(|seq| Target { seq, author: None });
        let mut checked = Seq::default();
        // One more attempt for the author of the target.
        for _ in 0..=ARCHIVE_CHECKS_MAX {
            let outcome = self.with_recovery(|| ask(quoted, checked)).await?;
            match (outcome, quoted) {
                (Ok(PostOutcome::Posted(posted)), _) => return Ok(posted),
                (Ok(PostOutcome::CheckArchive(archived)), _) => checked = archived,
                (Err(Refusal::ArchivedMessage), Some(Target { seq, author: None })) => {
                    let author = Some(self.author(sender, seq).await?);
                    quoted = Some(Target { seq, author });
                    continue;
                }
                // A retry after the end still gets its seq.
                (Err(Refusal::Gone), _) => {}
                (Err(refused), _) => return Err(self.reject(id, user, refused).await),
            }
            if let Some(before) = self.mysql.repeat_of(id, user.id, cmid).await? {
                return Ok(before);
            }
            if outcome == Err(Refusal::Gone) {
                return Err(self.reject(id, user, Refusal::Gone).await);
            }
        }
        Err(Fault::unavailable(
            "Redis",
            "events are archived faster than the cmid can be checked",
        )
        .into())
    }
}
