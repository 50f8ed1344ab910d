//! Posting, editing and deleting messages, and typing notifications.

use plenary_shared::domain::User;
use plenary_shared::ids::{Cmid, InstanceId, Seq, UserId};
use plenary_shared::protocol::Posted;
use plenary_shared::text::MessageBody;
use redis::Value;

use crate::rate_limits::WriteKind;

use super::scripts::{Script, ScriptError};
use super::{RedisStore, UNARCHIVED_EVENTS_MAX, decode};

/// The result of posting, editing or deleting a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostOutcome {
    /// It took effect, now or earlier.
    Posted(Posted),
    /// The archive, which has the log up to this seq, must be asked whether the cmid was used before.
    CheckArchive(Seq),
}

impl PostOutcome {
    /// Reads the reply of a script.
    pub(super) fn read(word: &str, rest: &[Value]) -> Result<Self, ScriptError> {
        match (word, rest) {
            ("check_archive", [archived]) => Ok(Self::CheckArchive(decode::seq(archived)?)),
            _ => Ok(Self::Posted(decode::posted(rest, word == "duplicate")?)),
        }
    }
}

/// A message to answer, edit or delete.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub seq: Seq,
    /// What the archive has of it; `None` if it was not asked.
    pub author: Option<Author>,
}

/// The author of a message, from the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    Missing,
    Deleted,
    /// This user posted the message.
    User(UserId),
}

impl Author {
    /// The argument for the scripts.
    pub(super) fn word(author: Option<Self>) -> String {
        match author {
            None => String::new(),
            Some(Self::Missing) => "0".to_owned(),
            Some(Self::Deleted) => "-".to_owned(),
            Some(Self::User(user)) => user.to_string(),
        }
    }
}

impl RedisStore {
    /// Posts a message. `checked`: the archive has nothing of this user and cmid up to this seq.
    pub async fn post(
        &self,
        id: InstanceId,
        user: &User,
        cmid: Cmid,
        body: &MessageBody,
        reply: Option<Target>,
        checked: Seq,
    ) -> Result<PostOutcome, ScriptError> {
        let (word, rest) = self
            .change(id, |generation| {
                let mut command = self.write_command(Script::Post, id, user.id);
                command
                    .arg(generation.get())
                    .arg(user.id.get())
                    .arg(cmid.to_string())
                    .arg(body.as_str())
                    .arg(UNARCHIVED_EVENTS_MAX)
                    .arg(checked.get())
                    .arg(
                        reply
                            .map(|quoted| quoted.seq.to_string())
                            .unwrap_or_default(),
                    )
                    .arg(Author::word(reply.and_then(|quoted| quoted.author)))
                    .arg(&self.quotas(WriteKind::Post));
                command
            })
            .await?;
        PostOutcome::read(&word, &rest)
    }

    /// Edits a message, or deletes it (`body` is `None`). `checked`: see [`RedisStore::post`].
    pub async fn change_message(
        &self,
        id: InstanceId,
        user: &User,
        cmid: Cmid,
        target: Target,
        body: Option<&MessageBody>,
        checked: Seq,
    ) -> Result<PostOutcome, ScriptError> {
        let (word, rest) = self
            .change(id, |generation| {
                let mut command = self.write_command(Script::ChangeMessage, id, user.id);
                command
                    .arg(generation.get())
                    .arg(user.id.get())
                    .arg(cmid.to_string())
                    .arg(if body.is_some() { "edited" } else { "deleted" })
                    .arg(target.seq.get())
                    .arg(Author::word(target.author))
                    .arg(body.map_or("", MessageBody::as_str))
                    .arg(UNARCHIVED_EVENTS_MAX)
                    .arg(checked.get())
                    .arg(&self.quotas(WriteKind::Post));
                command
            })
            .await?;
        PostOutcome::read(&word, &rest)
    }

    /// Publishes that a participant is typing.
    pub async fn typing(&self, id: InstanceId, user: &User) -> Result<(), ScriptError> {
        self.change(id, |generation| {
            let mut command = self.scripts.command(Script::Typing, id);
            command.arg(generation.get()).arg(user.id.get());
            command
        })
        .await?;
        Ok(())
    }
}
