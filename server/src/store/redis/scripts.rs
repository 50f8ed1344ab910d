//! The Lua scripts: their texts with the deployment's nonce, their hashes, how they are called.
//!
//! They run by EVALSHA only and are loaded by nobody but [`super::RedisStore::load_scripts`]: the script
//! cache is the one thing that never survives a restart or a failover of Redis, so `NOSCRIPT` means
//! that this Redis may have forgotten more than its scripts.

use std::sync::Arc;

use plenary_shared::ids::Generation;
use redis::{ErrorKind, ServerErrorKind, Value};

use crate::error::Fault;

use super::decode::{self, Decode};

macro_rules! scripts {
    ($($name:ident = $file:literal,)+) => {
        /// A script, named as its verb.
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
    Plan = "plan",
    Join = "join",
    Leave = "leave",
    Post = "post",
    Change = "change",
    Moderate = "moderate",
    Typing = "typing",
    Open = "open",
    Read = "read",
    People = "people",
    UserMessages = "user_messages",
    Overview = "overview",
    Holders = "holders",
    Hold = "hold",
    Idle = "idle",
    Wait = "wait",
    Detach = "detach",
    ReapNode = "reap_node",
    Bury = "bury",
    Reap = "reap",
    End = "end",
    Ack = "ack",
    Destroy = "destroy",
    Lease = "lease",
    Time = "time",
}

/// Each script's name and its text as it is loaded: with the nonce, so that nobody else's loading
/// can hide that ours are gone.
pub fn texts(nonce: &str) -> Vec<(&'static str, String)> {
    let prelude = include_str!("lua/prelude.lua");
    Script::ALL
        .iter()
        .map(|(_, name, body)| (*name, format!("-- plenary {nonce}\n{prelude}\n{body}")))
        .collect()
}

/// The scripts as they are loaded. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Scripts(Arc<[Loaded]>);

#[derive(Debug)]
struct Loaded {
    text: String,
    sha1: String,
}

impl Scripts {
    /// From what [`texts`] answers.
    pub fn new(texts: Vec<(&'static str, String)>) -> Self {
        let load = |(_, text): (&'static str, String)| {
            let sha1 = redis::Script::new(&text).get_hash().to_owned();
            Loaded { text, sha1 }
        };
        Self(texts.into_iter().map(load).collect())
    }

    fn loaded(&self, script: Script) -> &Loaded {
        // The list is made from `ALL`, in its order, which is that of the variants.
        &self.0[script as usize]
    }

    /// `EVALSHA` of a script.
    pub(super) fn command(&self, script: Script, keys: &[String]) -> redis::Cmd {
        let mut command = redis::cmd("EVALSHA");
        command
            .arg(&self.loaded(script).sha1)
            .arg(keys.len())
            .arg(keys);
        command
    }

    /// `EVAL` of a script, for the fence alone: it runs before anything is loaded.
    pub(super) fn command_unloaded(&self, script: Script, keys: &[String]) -> redis::Cmd {
        let mut command = redis::cmd("EVAL");
        // A text of its own: EVAL caches what it runs, and that must not make EVALSHA succeed.
        let text = format!("-- fence\n{}", self.loaded(script).text);
        command.arg(text).arg(keys.len()).arg(keys);
        command
    }

    /// `SCRIPT LOAD` of all.
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

/// What a script answered: its first word and the rest.
#[derive(Debug)]
pub(super) enum Said {
    /// A word that is none of [`Refused`]'s.
    Done(String, Vec<Value>),
    /// It is live in another generation.
    Stale(Generation),
}

impl Said {
    /// Reads an answer, whose first element is a word.
    pub(super) fn read(value: Value) -> Result<Self, NotDone> {
        let mut parts = decode::array(value)?.into_iter();
        let word = parts
            .next()
            .ok_or_else(|| decode::unexpected("an empty answer"))?
            .text()?;
        if let Some(refused) = Refused::of(&word) {
            return Err(NotDone::Refused(refused));
        }
        if word == "stale" {
            let generation = parts
                .next()
                .ok_or_else(|| decode::unexpected("stale what"))?;
            return Ok(Self::Stale(decode::generation(&generation)?));
        }
        Ok(Self::Done(word, parts.collect()))
    }

    /// The word and the rest, where no newer generation is possible or it was tried before.
    pub(super) fn done(self) -> Result<(String, Vec<Value>), NotDone> {
        match self {
            Self::Done(word, rest) => Ok((word, rest)),
            // Two generations within one call: whoever asked may ask again.
            Self::Stale(_) => Err(Fault::unavailable(
                "Redis",
                "the live state begins anew again and again",
            )
            .into()),
        }
    }
}

/// Why a script changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The instance is not live.
    Gone,
    /// It takes nothing any more.
    Over,
    /// Not public, and not in the audience.
    NotAllowed,
    /// In already.
    AlreadyParticipant,
    /// Not in.
    NotParticipant,
    /// As many are in as may be.
    Full,
    /// The archive is too far behind.
    ArchiveBehind,
    /// This generation is over for good.
    Ended,
    /// The archive has not all of it.
    Unarchived,
    /// The generation before has gone on.
    Behind,
    /// The message is live no more: the archive knows of it.
    Elsewhere,
    /// No message has this number.
    NoSuchMessage,
    /// Somebody else said it.
    NotYours,
    /// Its sender deleted it.
    MessageDeleted,
    /// An admin lets nobody join.
    Locked,
    /// An admin took them out for good.
    Banned,
    /// An admin lets nobody speak.
    ReadOnly,
    /// An admin lets them speak no more.
    Muted,
    /// What an admin wants holds already.
    AlreadySo,
    /// Whom an admin wants out is not in.
    NotThere,
    /// The new end is no later than the one before.
    NotLater,
    /// It would last longer than anything may.
    TooLong,
}

impl Refused {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "gone" => Self::Gone,
            "over" => Self::Over,
            "not_allowed" => Self::NotAllowed,
            "already_participant" => Self::AlreadyParticipant,
            "not_participant" => Self::NotParticipant,
            "full" => Self::Full,
            "archive_behind" => Self::ArchiveBehind,
            "ended" => Self::Ended,
            "unarchived" => Self::Unarchived,
            "behind" => Self::Behind,
            "elsewhere" => Self::Elsewhere,
            "no_such_message" => Self::NoSuchMessage,
            "not_yours" => Self::NotYours,
            "message_deleted" => Self::MessageDeleted,
            "locked" => Self::Locked,
            "banned" => Self::Banned,
            "read_only" => Self::ReadOnly,
            "muted" => Self::Muted,
            "already_so" => Self::AlreadySo,
            "not_there" => Self::NotThere,
            "not_later" => Self::NotLater,
            "too_long" => Self::TooLong,
            _ => return None,
        })
    }
}

/// Why a verb was not done in Redis.
#[derive(Debug)]
pub enum NotDone {
    /// A script refused.
    Refused(Refused),
    /// This Redis does not know the script: it may have forgotten more.
    NoScript,
    /// It does not answer, or answered with an error.
    Fault(Fault),
}

impl From<Fault> for NotDone {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<redis::RedisError> for NotDone {
    fn from(error: redis::RedisError) -> Self {
        if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) {
            Self::NoScript
        } else {
            Self::Fault(super::fault(error))
        }
    }
}
