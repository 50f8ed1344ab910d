//! Start and end of the live state: scripts loaded, instances activated, closed and destroyed.

use std::sync::atomic::Ordering;

use plenary_shared::domain::{InstanceState, Reason, Restrictions};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::time::Timestamp;
use redis::Value;

use crate::error::Fault;
use crate::store::mysql::{LivePlan, Opening};

use super::decode::{self, Decode, Profile, unexpected};
use super::keys::{self, Keys};
use super::scripts::{Refusal, Script, ScriptError};
use super::{PIPELINE_INSTANCES_MAX, RedisStore, ScriptReply};

/// Participants per call of close.lua. Keeps the script below two milliseconds.
const END_PARTICIPANTS_MAX: usize = 200;

/// Keys per call of destroy.lua.
const DESTROY_LISTS_MAX: usize = 500;

/// Archived events that stay live for reading. Older ones are trimmed.
const LIVE_EVENTS_MAX: u64 = 10_000;

/// Events trimmed per call of ack.lua: more than a batch of the archiver, so that a backlog shrinks, and
/// few enough for a script of a few milliseconds.
const TRIMMED_EVENTS_MAX: u64 = 600;

/// How long a tombstone stays: longer than a server can be suspended during an activation.
const TOMBSTONE_S: u64 = 86_400;

/// How long one server may hold the right to rebuild.
const REBUILDING_MS: u64 = 10_000;

/// The result of closing an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// It is closed, and this is its last seq.
    Closed(Seq),
    /// By Redis' clock it ends only in so many milliseconds.
    Early(i64),
}

/// Whether a live log is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveEnd {
    Gone,
    Open,
    /// The log is closed.
    Closed {
        generation: Generation,
        last: Seq,
        at: Timestamp,
    },
}

impl RedisStore {
    // --- what a restart forgets ---

    /// Returns whether the live state was rebuilt in this Redis process. If so, only scripts can be missing.
    pub async fn is_up(&self) -> Result<bool, Fault> {
        Ok(self.boot_mark().await? == Some(self.run_id().await?))
    }

    /// Records that the live state was rebuilt in the Redis process with this `run_id`.
    pub async fn mark_up(&self, run_id: &str) -> Result<(), Fault> {
        let mut command = redis::cmd("SET");
        command.arg(keys::BOOT).arg(run_id);
        self.ask(&mut command).await
    }

    /// Acquires the right to rebuild the live state. False: another server has it.
    pub async fn acquire_rebuilding(&self) -> Result<bool, Fault> {
        let mut command = redis::cmd("SET");
        command
            .arg(keys::REBUILDING)
            .arg(1)
            .arg("NX")
            .arg("PX")
            .arg(REBUILDING_MS);
        let taken: Option<String> = self.ask(&mut command).await?;
        Ok(taken.is_some())
    }

    /// Releases the right to rebuild.
    pub async fn release_rebuilding(&self) -> Result<(), Fault> {
        let mut command = redis::cmd("DEL");
        command.arg(keys::REBUILDING);
        self.ask::<u64>(&mut command).await.map(|_| ())
    }

    /// Loads the scripts, which makes verbs possible. Only once the live state is rebuilt.
    pub async fn load_scripts(&self) -> Result<(), Fault> {
        self.ask_all::<()>(&self.scripts.load_commands()).await
    }

    async fn boot_mark(&self) -> Result<Option<String>, Fault> {
        let mut command = redis::cmd("GET");
        command.arg(keys::BOOT);
        self.ask(&mut command).await
    }

    /// Returns the id of this Redis process, and notes whether it is in cluster mode.
    pub async fn run_id(&self) -> Result<String, Fault> {
        let mut command = redis::cmd("INFO");
        command.arg("server");
        let info: String = self.ask(&mut command).await?;
        let value = |name: &str| {
            let mut lines = info.lines();
            lines
                .find_map(|line| line.strip_prefix(name))
                .map(str::trim)
        };
        let is_cluster = value("redis_mode:") == Some("cluster");
        self.is_cluster.store(is_cluster, Ordering::Relaxed);
        value("run_id:")
            .map(str::to_owned)
            .ok_or_else(|| unexpected("INFO without run_id"))
    }

    // --- an instance's beginning ---

    /// Builds the live state of an instance. `before_scripts`: the scripts are not loaded yet. `before`: the
    /// generation that may be live until now. `Refusal::Destroyed`: the generation was destroyed.
    /// `Refusal::NewerEvents`: `before` has events above the floor, which must be archived first.
    pub async fn activate(
        &self,
        opening: &Opening,
        before_scripts: bool,
        before: Option<Generation>,
    ) -> Result<(), ScriptError> {
        let mut command = if before_scripts {
            self.scripts
                .command_unloaded(Script::Activate, opening.instance)
        } else {
            self.scripts.command(Script::Activate, opening.instance)
        };
        tell(&mut command, opening, before);
        let said = if before_scripts {
            self.run_unproven(&command).await?
        } else {
            self.run(&command).await?
        };
        match said {
            ScriptReply::Done(..) => self.remember(opening.instance, opening.generation),
            // Another server was faster, with a higher generation.
            ScriptReply::Stale(newer) => self.remember(opening.instance, newer),
        }
        let mut index = redis::cmd("ZADD");
        index
            .arg(keys::ACTIVE_MEETINGS)
            .arg(opening.to.as_ms())
            .arg(keys::member(opening.instance));
        self.ask::<u64>(&mut index).await?;
        Ok(())
    }

    /// Corrects the index of live instances. `expected`: the instances that should be live, with their ends.
    /// Returns those that are not.
    pub async fn repair_index(
        &self,
        expected: &[(InstanceId, i64)],
    ) -> Result<Vec<InstanceId>, Fault> {
        let ids: Vec<InstanceId> = expected.iter().map(|(id, _)| *id).collect();
        let heads = self.heads(&ids).await?;
        let mut pipeline = redis::pipe();
        let mut missing = Vec::new();
        for ((id, to_ms), head) in expected.iter().zip(heads) {
            if head.is_some() {
                let mut add = redis::cmd("ZADD");
                add.arg(keys::ACTIVE_MEETINGS)
                    .arg(*to_ms)
                    .arg(keys::member(*id));
                pipeline.add_command(add).ignore();
            } else {
                missing.push(*id);
            }
        }
        let indexed = self.active().await?;
        for id in indexed {
            if !ids.contains(&id) && self.heads(&[id]).await?.iter().all(Option::is_none) {
                let mut remove = redis::cmd("ZREM");
                remove.arg(keys::ACTIVE_MEETINGS).arg(keys::member(id));
                pipeline.add_command(remove).ignore();
            }
        }
        if !pipeline.is_empty() {
            self.ask_all::<()>(&pipeline).await?;
        }
        Ok(missing)
    }

    /// Updates what these instances copy from their meetings, as far as they are live.
    pub async fn update_meetings(&self, plans: &[LivePlan]) -> Result<(), ScriptError> {
        for some in plans.chunks(PIPELINE_INSTANCES_MAX) {
            let mut pipeline = redis::pipe();
            for plan in some {
                let mut command = self.scripts.command(Script::UpdateMeeting, plan.instance);
                command
                    .arg(plan.revision)
                    .arg(&plan.meeting.title)
                    .arg(&plan.meeting.description)
                    .arg(u8::from(plan.meeting.is_public))
                    .arg(json(&plan.audience));
                pipeline.add_command(command).ignore();
            }
            self.connection.ask_all::<()>(&pipeline).await??;
        }
        Ok(())
    }

    // --- its end ---

    /// Step B: stops joins and posts, lets everybody leave, closes the log.
    pub async fn close(&self, id: InstanceId, reason: Reason) -> Result<Closing, ScriptError> {
        loop {
            let (word, rest) = self
                .change(id, |generation| {
                    let mut command = self.scripts.command(Script::Close, id);
                    command
                        .arg(generation.get())
                        .arg(reason.as_str())
                        .arg(END_PARTICIPANTS_MAX);
                    command
                })
                .await?;
            match (word.as_str(), rest.first()) {
                ("closed", Some(seq)) => return Ok(Closing::Closed(decode::seq(seq)?)),
                ("early", Some(Value::Int(ms))) => return Ok(Closing::Early(*ms)),
                ("more", _) => {}
                _ => return Err(unexpected("a reply of the wrong shape").into()),
            }
        }
    }

    /// Records that the archive has the log up to `archived`.
    pub async fn ack(
        &self,
        id: InstanceId,
        generation: Generation,
        archived: Seq,
    ) -> Result<(), ScriptError> {
        let mut command = self.scripts.command(Script::Ack, id);
        command
            .arg(generation.get())
            .arg(archived.get())
            .arg(LIVE_EVENTS_MAX)
            .arg(TRIMMED_EVENTS_MAX);
        match self.run(&command).await {
            // A newer generation has its own archiver.
            Ok(_) | Err(ScriptError::Refused(Refusal::Gone)) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Step E: destroys the live state. A tombstone stays.
    pub async fn destroy(&self, id: InstanceId, generation: Generation) -> Result<(), ScriptError> {
        let k = Keys(id);
        let fixed = self.scripts.keys(Script::Destroy, id, None);
        let mut users = redis::cmd("HKEYS");
        users.arg(k.profiles());
        let users: Vec<String> = self.ask(&mut users).await?;
        let mut lists = users
            .iter()
            .map(|user| decode::user(user).map(|user: UserId| k.user_messages(user)))
            .collect::<Result<Vec<String>, Fault>>()?;
        lists.extend([k.changes(), k.presence()]);
        let chunks: Vec<&[String]> = lists.chunks(DESTROY_LISTS_MAX).collect();
        for (at, chunk) in chunks.iter().enumerate() {
            let keys = [fixed.as_slice(), chunk].concat();
            let mut command = self.scripts.command_with(Script::Destroy, &keys);
            command
                .arg(generation.get())
                .arg(u8::from(at + 1 == chunks.len()))
                .arg(TOMBSTONE_S);
            match self.run(&command).await {
                Ok(_) | Err(ScriptError::Refused(Refusal::Gone)) => {}
                Err(other) => return Err(other),
            }
        }
        self.forget(id);
        let mut index = redis::cmd("ZREM");
        index.arg(keys::ACTIVE_MEETINGS).arg(keys::member(id));
        self.ask::<u64>(&mut index).await?;
        Ok(())
    }

    /// Returns whether the live log of an instance is closed.
    pub async fn live_end(&self, id: InstanceId) -> Result<LiveEnd, Fault> {
        let mut command = redis::cmd("HMGET");
        command
            .arg(Keys(id).meeting())
            .arg(&["gen", "seq", "closing", "state"]);
        let answer: Vec<Value> = self.ask(&mut command).await?;
        let [generation, seq, at, state] = answer.as_slice() else {
            return Err(unexpected("a reply of the wrong length"));
        };
        if *generation == Value::Nil {
            return Ok(LiveEnd::Gone);
        }
        if state.text()? != "closed" {
            return Ok(LiveEnd::Open);
        }
        Ok(LiveEnd::Closed {
            generation: decode::generation(generation)?,
            last: decode::seq(seq)?,
            at: decode::time(&at.text()?)?,
        })
    }
}

/// Adds the ARGV of activate.lua.
fn tell(command: &mut redis::Cmd, opening: &Opening, before: Option<Generation>) {
    let stays: Vec<(String, String, String, String)> = opening
        .stays
        .iter()
        .map(|stay| {
            let profile = Profile::of(&stay.user).to_json();
            (
                stay.user.id.to_string(),
                stay.joined.as_ms().to_string(),
                stay.seq.to_string(),
                profile,
            )
        })
        .collect();
    let sent: Vec<(String, String)> = opening
        .sent
        .iter()
        .map(|one| {
            let key = format!("{}:{}", one.user, one.cmid);
            (key, format!("{} {}", one.seq, one.timestamp.as_ms()))
        })
        .collect();
    let floors: Vec<(String, String)> = opening
        .floors
        .iter()
        .map(|one| {
            let made_ms = one.latest.and_then(made_ms).unwrap_or(0);
            (format!("#{}", one.user), format!("{} {made_ms}", one.seq))
        })
        .collect();
    let people: Vec<(String, String)> = opening
        .people
        .iter()
        .map(|user| (user.id.to_string(), Profile::of(user).to_json()))
        .collect();
    let state = match (opening.closed_at, opening.state) {
        (Some(_), _) => "closed",
        (None, InstanceState::Ending) => "ending",
        (None, InstanceState::Scheduled | InstanceState::Active | InstanceState::Ended) => "active",
    };
    command
        .arg(opening.generation.get())
        .arg(opening.floor.get())
        .arg(&opening.meeting.title)
        .arg(&opening.meeting.description)
        .arg(u8::from(opening.meeting.is_public))
        .arg(opening.from.as_ms())
        .arg(opening.to.as_ms())
        .arg(state)
        .arg(opening.reason.map_or("", Reason::as_str))
        .arg(
            opening
                .closed_at
                .or(opening.restrictions.ended)
                .map(|at| at.as_ms().to_string())
                .unwrap_or_default(),
        )
        .arg(json(&opening.audience))
        .arg(json(&stays))
        .arg(json(&sent))
        .arg(json(&people))
        .arg(json(&floors))
        .arg(before.map(|one| one.to_string()).unwrap_or_default())
        .arg(json(&restrictions(&opening.restrictions)))
        .arg(opening.revision)
        .arg(opening.latest.map_or(0, Timestamp::as_ms));
}

/// The fields of the meeting hash that hold restrictions.
fn restrictions(restrictions: &Restrictions) -> Vec<String> {
    let flags = [
        (restrictions.locked, "locked"),
        (restrictions.read_only, "readOnly"),
    ];
    let flags = flags.into_iter().filter(|(holds, _)| *holds);
    let muted = restrictions
        .muted
        .iter()
        .map(|user| format!("muted:{user}"));
    let banned = restrictions
        .banned
        .iter()
        .map(|user| format!("banned:{user}"));
    let flags = flags.map(|(_, field)| field.to_owned());
    flags.chain(muted).chain(banned).collect()
}

/// Returns when a cmid of version 7 was made, in milliseconds since 1970.
fn made_ms(cmid: Cmid) -> Option<u64> {
    let (seconds, nanos) = cmid.0.get_timestamp()?.to_unix();
    (cmid.0.get_version_num() == 7).then_some(seconds * 1_000 + u64::from(nanos) / 1_000_000)
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("only strings and numbers")
}
