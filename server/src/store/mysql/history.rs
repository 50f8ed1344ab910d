//! Reading the archive: pages of the event log and of messages, and who may read them.

use plenary_shared::domain::{Role, User};
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, Seq, UserId};
use plenary_shared::protocol::{Absent, EventsOk, MessagesOk, Posted};

use super::pool::MysqlStore;
use crate::error::Answer;
use crate::store::Page;
use crate::store::sql::page::Range;
use crate::store::sql::{Dialect, Query, audience, history, params};

impl MysqlStore {
    /// Whether a user may read an instance: it is public, they are in its audience, or they are an
    /// admin. Nobody may read an instance that is not stored.
    pub async fn may_read(&self, id: InstanceId, viewer: &User) -> Answer<bool> {
        let query = Query::new(
            "meeting_instance",
            "SELECT 1
             FROM meeting_instance i
             JOIN meeting m ON m.meetingID = i.meetingID
             WHERE i.meetingID = :meeting
               AND i.orderID = :order
               AND (:admin OR m.isPublic OR EXISTS (
                 SELECT 1 FROM audience a
                 WHERE a.meetingID = i.meetingID AND a.emailKey IN (:email, :key)))",
            params! {
                "meeting": id.meeting,
                "order": id.order,
                "admin": viewer.role == Role::Admin,
                "email": viewer.email.trim(),
                "key": viewer.email_key().trim(),
            },
            |_| Ok(()),
        );
        Ok(self.one(query).await?.is_some())
    }

    /// The audience of a private meeting: addresses in lower case.
    pub async fn audience(&self, meeting: MeetingId) -> Answer<Vec<String>> {
        Ok(audience::unique(self.all(audience::emails(meeting)).await?))
    }

    /// A page of the event log with generation 0; only events below `below`, if that is given.
    pub async fn events(
        &self,
        id: InstanceId,
        page: Page,
        limit: usize,
        below: Option<Seq>,
    ) -> Answer<EventsOk> {
        let range = Range::new(page, limit, below);
        let query = history::events(Dialect::Mysql, id, Generation::default(), &range);
        Ok(history::events_page(&range, self.rows(query).await?))
    }

    /// A page of the messages; only messages below `below`, if that is given.
    pub async fn messages(
        &self,
        id: InstanceId,
        page: Page,
        limit: usize,
        below: Option<Seq>,
    ) -> Answer<MessagesOk> {
        let range = Range::new(page, limit, below);
        let query = history::messages(Dialect::Mysql, id, None, &range);
        Ok(history::messages_page(&range, self.rows(query).await?))
    }

    /// A page of one user's messages; only messages below `below`, if that is given.
    pub async fn user_messages(
        &self,
        id: InstanceId,
        of: UserId,
        page: Page,
        limit: usize,
        below: Option<Seq>,
    ) -> Answer<MessagesOk> {
        let range = Range::new(page, limit, below);
        let query = history::messages(Dialect::Mysql, id, Some(of), &range);
        Ok(history::messages_page(&range, self.rows(query).await?))
    }

    /// The answer to the archived message or change with this cmid.
    pub async fn repeat_of(
        &self,
        id: InstanceId,
        user: UserId,
        cmid: Cmid,
    ) -> Answer<Option<Posted>> {
        Ok(self.one(history::duplicate(id, user, cmid)).await?)
    }

    /// The author of a message, and whether it is deleted.
    pub async fn author(&self, id: InstanceId, seq: Seq) -> Answer<Option<(UserId, bool)>> {
        Ok(self.one(history::author(id, seq)).await?)
    }

    /// Invited users who have not joined an instance according to the archive, by name: at most `limit`.
    /// `None`: the instance is public or not stored.
    pub async fn absent(&self, id: InstanceId, limit: usize) -> Answer<Option<Absent>> {
        if self.one(audience::private(id)).await?.is_none() {
            return Ok(None);
        }
        let rows = self.all(audience::absent(id, limit)).await?;
        Ok(Some(audience::absent_of(rows)))
    }
}
