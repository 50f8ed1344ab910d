//! What an admin asks a store to do to a running instance.

use async_trait::async_trait;
use plenary_shared::domain::{Act, Moderation, Standing, User, Whom};
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::limits::INSTANCE_DAYS_MAX;
use plenary_shared::protocol::Posted;
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;

use crate::error::Answer;

/// The longest that an instance may last, in milliseconds.
pub const LENGTH_MS_MAX: i64 = INSTANCE_DAYS_MAX * 86_400_000;

/// One thing to be done, once for each cmid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The client's own id of it.
    pub cmid: Cmid,
    /// What is to be done.
    pub measure: Measure,
    /// Why: one line.
    pub reason: Option<String>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The end is moved: so many milliseconds later than it is by then.
    ExtendBy(i64),
    /// The end is moved to this later time.
    ExtendTo(Timestamp),
    /// It ends now.
    End,
    /// Nobody joins any more.
    Lock,
    /// People join again.
    Unlock,
    /// Nobody speaks any more.
    ReadOnly,
    /// People speak again.
    Writable,
    /// This person speaks no more.
    Mute(Whom),
    /// They speak again.
    Unmute(Whom),
    /// They are taken out.
    Remove(Whom),
    /// They are taken out, if they are in, and do not come back.
    Ban(Whom),
    /// They may come back.
    Unban(Whom),
    /// This is said to everybody.
    Announce(MessageBody),
}

impl Measure {
    /// What is done by it, in an instance that is over at `end`.
    pub(super) fn act(self, end: Timestamp) -> Act {
        match self {
            Self::ExtendBy(ms) => Act::Extended {
                todatetime: end.plus_ms(ms),
                before: end,
            },
            Self::ExtendTo(todatetime) => Act::Extended {
                todatetime,
                before: end,
            },
            Self::End => Act::Ended,
            Self::Lock => Act::Locked,
            Self::Unlock => Act::Unlocked,
            Self::ReadOnly => Act::ReadOnly,
            Self::Writable => Act::Writable,
            Self::Mute(whom) => Act::Muted(whom),
            Self::Unmute(whom) => Act::Unmuted(whom),
            Self::Remove(whom) => Act::Removed(whom),
            Self::Ban(whom) => Act::Banned(whom),
            Self::Unban(whom) => Act::Unbanned(whom),
            Self::Announce(body) => Act::Announced { body },
        }
    }
}

/// What the audit says of it beside who, what and when: its target, and why.
pub(super) fn audited(id: InstanceId, done: &Moderation) -> (String, Option<String>) {
    let target = match &done.act {
        Act::Extended { todatetime, .. } => format!("{id} to {todatetime}"),
        other => match other.whom() {
            Some(whom) => format!("{id} user {}", whom.id),
            None => id.to_string(),
        },
    };
    (target, done.kept().note)
}

/// Moderates live instances.
#[async_trait]
pub trait ModerationStore: Send + Sync {
    /// An admin steers an active instance; emits `moderated`, once for each cmid, and `leave` for who
    /// is taken out by it. Whether they are an admin is not asked here. `already_so`,
    /// `not_participant`, `invalid`.
    async fn moderate(&self, instance: InstanceId, actor: &User, order: &Order) -> Answer<Posted>;
    /// What holds in a live instance because admins said so; nothing where it is not live.
    async fn standing(&self, instance: InstanceId) -> Answer<Standing>;
}
