//! The Lua scripts: their texts with the deployment's nonce, their hashes, and their replies.
//!
//! They run by EVALSHA only, and only [`super::RedisStore::load_scripts`] loads them. The script cache
//! never survives a restart or failover of Redis, so `NOSCRIPT` means that Redis may have lost data.

use std::sync::Arc;

use plenary_shared::ids::{Generation, InstanceId, UserId};
use redis::{ErrorKind, ServerErrorKind, Value};

use crate::error::Fault;
use crate::rate_limits;

use super::decode::{self, Decode};
use super::keys::Keys;

macro_rules! scripts {
    ($($name:ident = $file:literal,)+) => {
        /// A script.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Script { $($name,)+ }

        impl Script {
            const ALL: &'static [(Self, &'static str, &'static str)] =
                &[$((Self::$name, $file, include_str!(concat!("lua/", $file, ".lua"))),)+];
        }
    };
}

scripts! {
    Activate = "activate",
    UpdateMeeting = "update_meeting",
    Join = "join",
    Leave = "leave",
    Post = "post",
    ChangeMessage = "change_message",
    Moderate = "moderate",
    Typing = "typing",
    Open = "open",
    ReadLog = "read_log",
    Participants = "participants",
    UserMessages = "user_messages",
    Dashboard = "dashboard",
    BoundConnections = "bound_connections",
    Bind = "bind",
    SetIdle = "set_idle",
    Wait = "wait",
    Detach = "detach",
    Release = "release",
    MarkNodeLost = "mark_node_lost",
    RemoveNode = "remove_node",
    Reap = "reap",
    Close = "close",
    Ack = "ack",
    Destroy = "destroy",
    RenewLease = "renew_lease",
    Time = "time",
}

/// Returns the name and text of each script, with a local variable for each of its keys. The text
/// contains the nonce, so that scripts loaded by another deployment do not hide that ours are missing.
pub fn texts(nonce: &str) -> Vec<(&'static str, String)> {
    let prelude = include_str!("lua/prelude.lua");
    let text = |(_, name, body): &(Script, &'static str, &'static str)| {
        let names = key_names(body).join(", ");
        let locals = match names.as_str() {
            "" => String::new(),
            names => format!("local {names} = unpack(KEYS)"),
        };
        let text = format!("-- plenary {nonce}\n{prelude}\n{locals}\n{body}");
        (*name, text)
    };
    Script::ALL.iter().map(text).collect()
}

/// Returns the names of a script's keys: its comment lists them after `KEYS`.
fn key_names(body: &'static str) -> Vec<&'static str> {
    let Some((_, after)) = body.split_once("-- KEYS ") else {
        return Vec::new();
    };
    let end = after.find("-- ARGV").or_else(|| after.find("-- Returns"));
    after[..end.unwrap_or(0)]
        .split(|c: char| !c.is_ascii_lowercase() && c != '_')
        .filter(|name| !name.is_empty())
        .collect()
}

/// Returns the text of the script that tries all commands for the diagnostics. The server does not load
/// it with the others.
pub(super) fn trial() -> String {
    let prelude = include_str!("lua/prelude.lua");
    format!("{prelude}\n{}", include_str!("lua/trial.lua"))
}

/// The scripts as they are loaded. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Scripts(Arc<[Loaded]>);

#[derive(Debug)]
struct Loaded {
    text: String,
    sha1: String,
    keys: Vec<&'static str>,
}

impl Scripts {
    /// Takes what [`texts`] returns.
    pub fn new(texts: Vec<(&'static str, String)>) -> Self {
        let load = |((_, text), (.., body)): ((_, String), &(Script, _, &'static str))| Loaded {
            sha1: redis::Script::new(&text).get_hash().to_owned(),
            keys: key_names(body),
            text,
        };
        Self(texts.into_iter().zip(Script::ALL).map(load).collect())
    }

    fn loaded(&self, script: Script) -> &Loaded {
        // The slice has the order of `ALL`, which is the order of the variants.
        &self.0[script as usize]
    }

    /// Returns the EVALSHA command of a script on one instance.
    pub(super) fn command(&self, script: Script, id: InstanceId) -> redis::Cmd {
        self.command_with(script, &self.keys(script, id, None))
    }

    /// Returns the EVALSHA command of a script on one user in one instance.
    pub(super) fn user_command(&self, script: Script, id: InstanceId, user: UserId) -> redis::Cmd {
        self.command_with(script, &self.keys(script, id, Some(user)))
    }

    /// Returns the EVALSHA command of a script on these keys.
    pub(super) fn command_with(&self, script: Script, keys: &[String]) -> redis::Cmd {
        let mut command = redis::cmd("EVALSHA");
        command
            .arg(&self.loaded(script).sha1)
            .arg(keys.len())
            .arg(keys);
        command
    }

    /// Returns the EVAL command of a script, for rebuilding: it runs before the scripts are loaded.
    pub(super) fn command_unloaded(&self, script: Script, id: InstanceId) -> redis::Cmd {
        let keys = self.keys(script, id, None);
        let mut command = redis::cmd("EVAL");
        // A text of its own: EVAL caches what it runs, which must not make EVALSHA succeed.
        let text = format!("-- fence\n{}", self.loaded(script).text);
        command.arg(text).arg(keys.len()).arg(keys);
        command
    }

    /// Returns the keys of a script in its order.
    pub(super) fn keys(&self, script: Script, id: InstanceId, user: Option<UserId>) -> Vec<String> {
        let names = self.loaded(script).keys.iter();
        names.map(|name| Keys(id).named(name, user)).collect()
    }

    /// Returns the SCRIPT LOAD commands of all scripts.
    pub(super) fn load_commands(&self) -> redis::Pipeline {
        let mut pipeline = redis::pipe();
        for script in self.0.iter() {
            pipeline
                .cmd("SCRIPT")
                .arg("LOAD")
                .arg(&script.text)
                .ignore();
        }
        pipeline
    }
}

/// The reply of a script.
#[derive(Debug)]
pub(super) enum ScriptReply {
    /// A word that is not a refusal, and further values.
    Done(String, Vec<Value>),
    /// Another generation is live.
    Stale(Generation),
}

impl ScriptReply {
    /// Reads a reply, whose first element is a word.
    pub(super) fn read(value: Value) -> Result<Self, ScriptError> {
        let mut parts = decode::array(value)?.into_iter();
        let word = parts
            .next()
            .ok_or_else(|| decode::unexpected("an empty reply"))?
            .text()?;
        if let Some(refused) = Refusal::parse(&word) {
            return Err(ScriptError::Refused(refused));
        }
        if word == "rate_limited" {
            let wait_us = parts
                .next()
                .and_then(|wait| wait.text().ok()?.parse().ok())
                .ok_or_else(|| decode::unexpected("rate_limited without a wait"))?;
            return Err(ScriptError::Refused(Refusal::RateLimited {
                wait_ms: rate_limits::wait_ms(wait_us),
            }));
        }
        if word == "stale" {
            let generation = parts
                .next()
                .ok_or_else(|| decode::unexpected("stale without a generation"))?;
            return Ok(Self::Stale(decode::generation(&generation)?));
        }
        Ok(Self::Done(word, parts.collect()))
    }

    /// Returns word and values where no other generation may be live.
    pub(super) fn done(self) -> Result<(String, Vec<Value>), ScriptError> {
        match self {
            Self::Done(word, rest) => Ok((word, rest)),
            // Two new generations within one call. The caller may retry.
            Self::Stale(_) => {
                Err(Fault::unavailable("Redis", "the live state is rebuilt again and again").into())
            }
        }
    }
}

/// Declares the refusals with the words by which scripts return them.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// Why a script changed nothing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[$doc])* $name,)+
            /// The user writes too fast. The next attempt may be made after this wait.
            RateLimited {
                /// In milliseconds.
                wait_ms: u32,
            },
        }

        impl Refusal {
            fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

refusals! {
    /// The instance is not live.
    Gone = "gone",
    /// The instance has ended, or its end has begun.
    Ended = "ended",
    /// The live state of this generation was destroyed.
    Destroyed = "destroyed",
    /// The instance is private and the user is not in the audience.
    NotAllowed = "not_allowed",
    /// The user is a participant already.
    AlreadyParticipant = "already_participant",
    /// The user is not a participant.
    NotParticipant = "not_participant",
    /// The instance has as many participants as it may have.
    Full = "full",
    /// The archive lacks too many events.
    ArchiveBehind = "archive_behind",
    /// The archive lacks events.
    Unarchived = "unarchived",
    /// The generation before has events above the floor.
    NewerEvents = "newer_events",
    /// The message was trimmed: the archive has it.
    ArchivedMessage = "archived_message",
    /// No message has this seq.
    NoSuchMessage = "no_such_message",
    /// Another user posted the message.
    NotYours = "not_yours",
    MessageDeleted = "message_deleted",
    /// The instance is locked.
    Locked = "locked",
    /// The user is banned.
    Banned = "banned",
    /// The instance is read-only.
    ReadOnly = "read_only",
    /// The user is muted.
    Muted = "muted",
    /// The moderation would change nothing.
    AlreadySo = "already_so",
    /// The user to remove is not a participant.
    TargetNotParticipant = "target_not_participant",
    /// The new end is not later than the current one.
    NotLater = "not_later",
    /// The instance would last too long.
    TooLong = "too_long",
}

/// Why a verb did not take effect in Redis.
#[derive(Debug)]
pub enum ScriptError {
    Refused(Refusal),
    /// Redis does not know the script: it may have lost data.
    NoScript,
    /// Redis did not answer, or answered with an error.
    Fault(Fault),
}

impl From<Fault> for ScriptError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<redis::RedisError> for ScriptError {
    fn from(error: redis::RedisError) -> Self {
        if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) {
            Self::NoScript
        } else {
            Self::Fault(super::fault(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_name_their_keys() {
        let scripts = Scripts::new(texts("nonce"));
        let id: InstanceId = "1/4".parse().expect("an instance");
        assert_eq!(
            scripts.keys(Script::Wait, id, None),
            [
                Keys(id).waiting(),
                Keys(id).waiting_names(),
                Keys(id).channel()
            ]
        );
        let of_servers = [Script::RenewLease, Script::RemoveNode];
        let all = Script::ALL.iter().map(|(script, ..)| *script);
        for script in all.filter(|script| !of_servers.contains(script)) {
            // Panics on a name that is not a key.
            let keys = scripts.keys(script, id, UserId::new(7).ok());
            assert_eq!(keys.is_empty(), script == Script::Time, "{script:?}");
        }
    }
}
