//! Accounts in MySQL. Cached sessions follow a change.

use async_trait::async_trait;
use plenary_shared::domain::{Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use crate::error::Answer;
use crate::store::{AccessChange, Account, NewPassword, NewUser, PersonListed, UserStore};

use super::RedisMysqlStore;

#[async_trait]
impl UserStore for RedisMysqlStore {
    async fn account(&self, email: &str) -> Answer<Option<Account>> {
        self.mysql.account(email).await
    }

    async fn add_user(&self, new: NewUser) -> Answer<User> {
        self.mysql.add_user(new, (self.clock)()).await
    }

    async fn set_password(&self, new: NewPassword) -> Answer<()> {
        self.mysql.set_password(&new, (self.clock)()).await?;
        self.publish_signed_out_of(new.user, new.keeps).await
    }

    async fn user(&self, id: UserId) -> Answer<Option<PersonListed>> {
        self.mysql.user(id).await
    }

    async fn users(&self, after: Option<UserId>, limit: usize) -> Answer<Vec<PersonListed>> {
        self.mysql.users(after, limit).await
    }

    async fn set_role(&self, user: UserId, role: Role, by: Option<UserId>) -> Answer<bool> {
        let now = (self.clock)();
        let changed = self.mysql.set_role(user, role, by, now).await?;
        // Also after no change: an earlier call may have failed here.
        for token in self.mysql.tokens(user).await? {
            self.redis.drop_session(token).await?;
        }
        self.redis.publish_access(AccessChange::User(user)).await?;
        Ok(changed)
    }

    async fn set_disabled(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        by: Option<UserId>,
    ) -> Answer<bool> {
        let now = (self.clock)();
        let changed = self.mysql.set_disabled(user, since, by, now).await?;
        // Also if they were disabled already: an earlier call may have failed here.
        if changed || since.is_some() {
            self.publish_signed_out_of(user, None).await?;
        }
        Ok(changed)
    }
}
