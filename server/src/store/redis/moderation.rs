//! Moderation of live instances: one script for every action.

use plenary_shared::domain::{ModerationAction, ModerationKind, Restrictions, User};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::time::Timestamp;

use crate::error::Fault;
use crate::rate_limits::WriteKind;
use crate::store::moderation::{LENGTH_MS_MAX, ModerationRequest, NewEnd};

use super::decode::{self, Decode};
use super::keys::{self, Keys};
use super::messages::PostOutcome;
use super::scripts::{Script, ScriptError};
use super::{RedisStore, UNARCHIVED_EVENTS_MAX};

impl RedisStore {
    /// Carries out a moderation request. `checked`: see [`RedisStore::post`].
    pub async fn moderate(
        &self,
        id: InstanceId,
        actor: &User,
        request: &ModerationRequest,
        checked: Seq,
    ) -> Result<PostOutcome, ScriptError> {
        let kind = request.action.kind();
        let Arguments {
            subject,
            name,
            by_ms,
            note,
        } = Arguments::of(request);
        let (word, mut rest) = self
            .change(id, |generation| {
                let mut command = self.write_command(Script::Moderate, id, actor.id);
                command
                    .arg(generation.get())
                    .arg(actor.id.get())
                    .arg(&actor.name)
                    .arg(request.cmid.to_string())
                    .arg(kind.as_str())
                    .arg(&subject)
                    .arg(&name)
                    .arg(&note)
                    .arg(&by_ms)
                    .arg(checked.get())
                    .arg(UNARCHIVED_EVENTS_MAX)
                    .arg(LENGTH_MS_MAX)
                    .arg(&self.quotas(WriteKind::Post));
                command
            })
            .await?;
        if word == "ok"
            && let Some(end) = rest.pop()
        {
            let end = decode::time(&end.text()?)?;
            let now = rest.get(1).map(Decode::text).transpose()?;
            self.index_end(id, kind, end, now.as_deref()).await;
        }
        PostOutcome::read(&word, &rest)
    }

    /// Updates the index of ends. The sweep repairs it if this fails.
    async fn index_end(
        &self,
        id: InstanceId,
        kind: ModerationKind,
        end: Timestamp,
        now: Option<&str>,
    ) {
        let at_ms = match (kind, now) {
            (ModerationKind::Extend, _) => end.as_ms().to_string(),
            (ModerationKind::End, Some(now)) => now.to_owned(),
            _ => return,
        };
        let mut index = redis::cmd("ZADD");
        index
            .arg(keys::ACTIVE_MEETINGS)
            .arg(at_ms)
            .arg(keys::member(id));
        if let Err(fault) = self.ask::<u64>(&mut index).await {
            tracing::debug!(instance = %id, %fault, "index of ends not updated, the sweep repairs it");
        }
    }

    /// Returns the restrictions of a live instance.
    pub async fn restrictions(&self, id: InstanceId) -> Result<Restrictions, Fault> {
        let mut command = redis::cmd("HKEYS");
        command.arg(Keys(id).meeting());
        let fields: Vec<String> = self.ask(&mut command).await?;
        let mut restrictions = Restrictions::default();
        for field in fields {
            if let Some(user) = field.strip_prefix("muted:") {
                restrictions.muted.insert(decode::user(user)?);
            } else if let Some(user) = field.strip_prefix("banned:") {
                restrictions.banned.insert(decode::user(user)?);
            }
            restrictions.locked |= field == "locked";
            restrictions.read_only |= field == "readOnly";
        }
        Ok(restrictions)
    }

    /// Returns the end of an active instance. `None`: it is not live, or its end has begun.
    pub async fn end_by_clock(&self, id: InstanceId) -> Result<Option<Timestamp>, Fault> {
        let mut command = redis::cmd("HMGET");
        command
            .arg(Keys(id).meeting())
            .arg(&["state", "todatetime"]);
        let found: Vec<Option<String>> = self.ask(&mut command).await?;
        match found.as_slice() {
            [Some(state), Some(to)] if state == "active" => Ok(Some(decode::time(to)?)),
            _ => Ok(None),
        }
    }
}

/// The arguments of the script that depend on the action. An empty text stands for a missing one.
#[derive(Default)]
struct Arguments {
    /// The id of the user concerned, or the new end in milliseconds since 1970.
    subject: String,
    /// The name of the user concerned.
    name: String,
    /// How many milliseconds to add to the end.
    by_ms: String,
    /// The reason, or the text of the announcement.
    note: String,
}

impl Arguments {
    fn of(request: &ModerationRequest) -> Self {
        let mut arguments = Self {
            note: request.reason.clone().unwrap_or_default(),
            ..Self::default()
        };
        match &request.action {
            ModerationAction::Extend(NewEnd::By(ms)) => arguments.by_ms = ms.to_string(),
            ModerationAction::Extend(NewEnd::At(at)) => arguments.subject = at.as_ms().to_string(),
            ModerationAction::Announce { body } => arguments.note = body.to_string(),
            other => {
                if let Some(user) = other.target() {
                    arguments.subject = user.id.to_string();
                    arguments.name.clone_from(&user.name);
                }
            }
        }
        arguments
    }
}
