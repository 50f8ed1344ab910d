//! Editing and deleting messages, and typing notifications.

use plenary_shared::domain::User;
use plenary_shared::ids::{Cmid, InstanceId, Seq, UserId};
use plenary_shared::text::MessageBody;

use super::keys::Keys;
use super::meeting::PostOutcome;
use super::scripts::{Script, ScriptError};
use super::{RedisStore, UNARCHIVED_EVENTS_MAX};

/// A message to answer, edit or delete.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The seq of the message.
    pub seq: Seq,
    /// What the archive has of it; `None` if it was not asked.
    pub author: Option<Author>,
}

/// The author of a message, from the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// There is no such message.
    Missing,
    /// The message was deleted.
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
        let k = Keys(id);
        let keys = [
            k.meeting(),
            k.participants(),
            k.log(),
            k.cmids(),
            k.changes(),
            k.channel(),
        ];
        let (word, rest) = self
            .change(id, |generation| {
                let mut command = self.scripts.command(Script::ChangeMessage, &keys);
                command
                    .arg(generation.get())
                    .arg(user.id.get())
                    .arg(cmid.to_string())
                    .arg(if body.is_some() { "edited" } else { "deleted" })
                    .arg(target.seq.get())
                    .arg(Author::word(target.author))
                    .arg(body.map_or("", MessageBody::as_str))
                    .arg(UNARCHIVED_EVENTS_MAX)
                    .arg(checked.get());
                command
            })
            .await?;
        PostOutcome::read(&word, &rest)
    }

    /// Publishes that a participant is typing.
    pub async fn typing(&self, id: InstanceId, user: &User) -> Result<(), ScriptError> {
        let k = Keys(id);
        let keys = [k.meeting(), k.participants(), k.channel()];
        self.change(id, |generation| {
            let mut command = self.scripts.command(Script::Typing, &keys);
            command.arg(generation.get()).arg(user.id.get());
            command
        })
        .await?;
        Ok(())
    }
}
