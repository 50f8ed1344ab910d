//! What people do beside speaking: editing and deleting what they said, and showing that they write.

use plenary_shared::domain::User;
use plenary_shared::ids::{Cmid, InstanceId, Seq, UserId};
use plenary_shared::text::MessageBody;

use super::keys::Keys;
use super::meeting::Saying;
use super::scripts::{NotDone, Script};
use super::{RedisStore, UNARCHIVED_EVENTS_MAX};

/// A message that is answered or changed.
#[derive(Clone, Copy, Debug)]
pub struct Meant {
    /// Its number.
    pub seq: Seq,
    /// What the archive says of it, if that was asked.
    pub author: Option<Author>,
}

/// What the archive says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// There is no such message.
    Nobody,
    /// It was deleted.
    Deleted,
    /// This user said it.
    User(UserId),
}

impl Author {
    /// As the scripts are told.
    pub(super) fn word(author: Option<Self>) -> String {
        match author {
            None => String::new(),
            Some(Self::Nobody) => "0".to_owned(),
            Some(Self::Deleted) => "-".to_owned(),
            Some(Self::User(user)) => user.to_string(),
        }
    }
}

impl RedisStore {
    /// Edits (to this body) or deletes (`None`) what was said.
    pub async fn change_message(
        &self,
        id: InstanceId,
        user: &User,
        cmid: Cmid,
        meant: Meant,
        body: Option<&MessageBody>,
        looked: Seq,
    ) -> Result<Saying, NotDone> {
        let k = Keys(id);
        let keys = [
            k.meeting(),
            k.participants(),
            k.log(),
            k.sent(),
            k.changed(),
            k.channel(),
        ];
        let (word, rest) = self
            .change(id, |generation| {
                let mut command = self.scripts.command(Script::Change, &keys);
                command
                    .arg(generation.get())
                    .arg(user.id.get())
                    .arg(cmid.to_string())
                    .arg(if body.is_some() { "edited" } else { "deleted" })
                    .arg(meant.seq.get())
                    .arg(Author::word(meant.author))
                    .arg(body.map_or("", MessageBody::as_str))
                    .arg(UNARCHIVED_EVENTS_MAX)
                    .arg(looked.get());
                command
            })
            .await?;
        Saying::read(&word, &rest)
    }

    /// Tells whoever follows that somebody is writing.
    pub async fn typing(&self, id: InstanceId, user: &User) -> Result<(), NotDone> {
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
