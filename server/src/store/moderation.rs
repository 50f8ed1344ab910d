//! Moderation requests as stores take them, and what the audit records of a moderation.

use std::convert::Infallible;

use async_trait::async_trait;
use plenary_shared::domain::{
    EndChange, Moderation, ModerationAction, ModerationKind, Restrictions, Subject, User,
};
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::limits::INSTANCE_DAYS_MAX;
use plenary_shared::protocol::Posted;
use plenary_shared::time::Timestamp;

use crate::error::Answer;

/// The longest duration of an instance, in milliseconds.
pub const LENGTH_MS_MAX: i64 = INSTANCE_DAYS_MAX * 86_400_000;

/// A moderation request whose user is resolved. It takes effect once for each cmid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModerationRequest {
    /// The id that the client chose.
    pub cmid: Cmid,
    pub action: ModerationAction<Subject, NewEnd>,
    /// The reason: one line.
    pub reason: Option<String>,
}

/// The new end of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewEnd {
    /// This many milliseconds after the end that the store holds.
    By(i64),
    At(Timestamp),
}

impl ModerationRequest {
    /// The event that `actor` causes by this request in an instance whose end is `end`.
    pub(super) fn into_event(self, actor: &User, end: Timestamp) -> Moderation {
        let change = |new_end| {
            let todatetime = match new_end {
                NewEnd::By(ms) => end.plus_ms(ms),
                NewEnd::At(at) => at,
            };
            Ok::<_, Infallible>(EndChange {
                todatetime,
                before: end,
            })
        };
        let is_announcement = self.action.kind() == ModerationKind::Announce;
        let Ok(action) = self.action.try_map(Ok, change);
        Moderation {
            user: actor.id,
            name: actor.name.clone(),
            cmid: self.cmid,
            action,
            reason: self.reason.filter(|_| !is_announcement),
        }
    }
}

/// The target and the detail that the audit records of a moderation, beside its admin, action and time.
pub(super) fn audited(id: InstanceId, done: &Moderation) -> (String, Option<String>) {
    let target = match &done.action {
        ModerationAction::Extend(end) => format!("{id} to {}", end.todatetime),
        other => match other.target() {
            Some(user) => format!("{id} user {}", user.id),
            None => id.to_string(),
        },
    };
    (target, done.stored().note)
}

/// Moderates live instances.
#[async_trait]
pub trait ModerationStore: Send + Sync {
    /// Carries out a moderation request in an active instance, once for each cmid. Emits `moderated`,
    /// and `leave` for a participant whom the action removes. The caller has checked that `actor` is an
    /// admin. `already_so`, `not_participant`, `invalid`.
    async fn moderate(
        &self,
        instance: InstanceId,
        actor: &User,
        request: &ModerationRequest,
    ) -> Answer<Posted>;
    /// Returns the restrictions of a live instance, or none if the instance is not live.
    async fn restrictions(&self, instance: InstanceId) -> Answer<Restrictions>;
}
