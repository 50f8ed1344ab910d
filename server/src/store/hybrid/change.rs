//! Saying, editing and deleting: in the live log, and with the archive's word on what is live no more.

use plenary_shared::domain::User;
use plenary_shared::ids::{Cmid, InstanceId, Seq};
use plenary_shared::protocol::Posted;
use plenary_shared::text::MessageBody;

use crate::error::{Answer, Error, Fault};
use crate::store::redis::{Author, Meant, Refused};

use super::Hybrid;

impl Hybrid {
    /// Says something; maybe as an answer to a message.
    pub(super) async fn say(
        &self,
        id: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
        to: Option<Seq>,
    ) -> Answer<Posted> {
        let mut reply = to.map(|seq| Meant { seq, author: None });
        let mut said = self
            .tried(|| self.live.post(id, user, cmid, body, reply))
            .await?;
        if let (Err(Refused::Elsewhere), Some(seq)) = (&said, to) {
            let author = match self.author(id, seq).await {
                Ok(author) => author,
                // Nobody is kept from speaking by what lasts being away: readers see no quotation
                // where there is no message.
                Err(Error::Fault(Fault::Away { .. })) => Author::User(user.id),
                Err(other) => return Err(other),
            };
            reply = Some(Meant {
                seq,
                author: Some(author),
            });
            said = self
                .tried(|| self.live.post(id, user, cmid, body, reply))
                .await?;
        }
        self.said(id, user, cmid, said).await
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
        let mut meant = Meant {
            seq: target,
            author: None,
        };
        let mut said = self
            .tried(|| self.live.change_message(id, user, cmid, meant, body))
            .await?;
        if said == Err(Refused::Elsewhere) {
            meant.author = Some(self.author(id, target).await?);
            said = self
                .tried(|| self.live.change_message(id, user, cmid, meant, body))
                .await?;
        }
        self.said(id, user, cmid, said).await
    }

    /// What the archive says of a message.
    async fn author(&self, id: InstanceId, seq: Seq) -> Answer<Author> {
        Ok(match self.ledger.author(id, seq).await? {
            None => Author::Nobody,
            Some((_, true)) => Author::Deleted,
            Some((user, false)) => Author::User(user),
        })
    }

    async fn said(
        &self,
        id: InstanceId,
        user: &User,
        cmid: Cmid,
        said: Result<Posted, Refused>,
    ) -> Answer<Posted> {
        let refused = match said {
            Ok(posted) => return Ok(posted),
            Err(refused) => refused,
        };
        // A retry after the end still gets its seq.
        if refused == Refused::Gone
            && let Some(before) = self.ledger.repeat_of(id, user.id, cmid).await?
        {
            return Ok(before);
        }
        Err(self.reject(id, user, refused).await)
    }
}
