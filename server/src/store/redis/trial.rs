//! Trials for the diagnostics: what the server does in Redis is done on scratch keys and channels.

use std::time::Duration;

use plenary_shared::ids::{InstanceId, MeetingId, OrderId};
use redis::{AsyncConnectionConfig, PushInfo, PushKind, Value};
use tokio::sync::mpsc;

use super::decode::{self, Decode};
use super::keys::{self, Keys};
use super::scripts::{self, ScriptReply};
use super::{RESPONSE_MS_MAX, RedisStore};
use crate::error::Fault;
use crate::store::TokenHash;
use crate::store::diagnostic::{Diagnostic, Grade};

/// How long a published message may take to arrive, in milliseconds.
const ARRIVAL_MS_MAX: u64 = 2_000;

/// Messages that are kept until the trial looks at them.
const ARRIVALS_MAX: usize = 16;

/// The text that is published on the channel of all servers, which ignore it.
const TRIAL: &str = "trial";

const COMMANDS: &str = "Redis: commands";
const KEYS: &str = "Redis: keys";
const CHANNELS: &str = "Redis: channels";
const CLUSTER: &str = "Redis: cluster";

impl RedisStore {
    /// Tries scripts, keys and channels. Leaves nothing behind.
    pub(super) async fn try_out(&self) -> Vec<Diagnostic> {
        vec![
            self.try_commands().await,
            self.try_keys().await,
            self.try_channels().await,
        ]
    }

    /// Loads the trial script and runs it by EVALSHA, as the server runs all scripts.
    async fn try_commands(&self) -> Diagnostic {
        match self.refused_commands().await {
            Ok(refused) => Diagnostic::of(
                refused.is_empty(),
                Grade::Bad,
                COMMANDS,
                if refused.is_empty() {
                    "all allowed".to_owned()
                } else {
                    refused.join("; ")
                },
                "let this user run these commands on all keys, also in scripts",
            ),
            Err(fault) => failed(
                COMMANDS,
                &fault,
                "let this user run SCRIPT LOAD, EVAL and EVALSHA, and see Redis' log",
            ),
        }
    }

    /// Each refused command with its error.
    async fn refused_commands(&self) -> Result<Vec<String>, Fault> {
        let text = scripts::trial();
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(&text);
        let sha1: String = self.ask(&mut load).await?;
        let scratch = |name: &str| format!("{}:trial:{name}", Keys(scratch_instance()).meeting());
        let mut run = redis::cmd("EVALSHA");
        run.arg(&sha1).arg(7);
        for name in ["hash", "set", "zset", "list", "stream", "text"] {
            run.arg(scratch(name));
        }
        run.arg(Keys(scratch_instance()).channel());
        let reply: Value = self.ask(&mut run).await?;
        let said = ScriptReply::read(reply).and_then(ScriptReply::done);
        let (_, rest) = said.map_err(|_| decode::unexpected("a refusal of the trial"))?;
        let words = rest.iter().map(Decode::text);
        let words = words.collect::<Result<Vec<String>, Fault>>()?;
        let mut refused: Vec<String> = words
            .chunks(2)
            .map(|one| format!("{}: {}", one[0], one.get(1).map_or("", |error| error)))
            .collect();
        for (name, mut command) in plain_commands() {
            if let Err(fault) = self.ask::<Value>(&mut command).await {
                refused.push(format!("{name}: {fault}"));
            }
        }
        let mut several = redis::pipe();
        several.atomic().cmd("PING").cmd("PING");
        if let Err(fault) = self.ask_all::<Value>(&several).await {
            refused.push(format!("MULTI: {fault}"));
        }
        Ok(refused)
    }

    /// Declares each key of the server to a script that does nothing: this needs the permission to read
    /// and write it, and a slot that this Redis serves.
    async fn try_keys(&self) -> Diagnostic {
        let instance = Keys(scratch_instance());
        let all = [
            keys::ACTIVE_MEETINGS.to_owned(),
            keys::NODES.to_owned(),
            keys::RENEWED.to_owned(),
            keys::BOOT.to_owned(),
            keys::REBUILDING.to_owned(),
            keys::session(TokenHash([0; 32])),
            instance.meeting(),
            instance.log(),
        ];
        for key in &all {
            let mut run = redis::cmd("EVAL");
            run.arg("return 1").arg(1).arg(key);
            if let Err(fault) = self.ask::<i64>(&mut run).await {
                let about = format!("{key}: {fault}");
                return failed(
                    KEYS,
                    &Fault::broken("using", about),
                    "let this user read and write all keys, and assign all slots of a cluster to this Redis",
                );
            }
        }
        match self.cluster_nodes().await {
            Some(nodes) if nodes > 1 => Diagnostic::not_good(
                Grade::Bad,
                CLUSTER,
                format!("{nodes} nodes share the slots"),
                "name a Redis that serves all slots: the server uses one",
            ),
            Some(_) | None => Diagnostic::good(KEYS, "all can be read and written"),
        }
    }

    /// The number of nodes with slots, if this is a cluster and the user may know it.
    async fn cluster_nodes(&self) -> Option<u64> {
        let mut command = redis::cmd("CLUSTER");
        command.arg("INFO");
        let info: String = self.ask(&mut command).await.ok()?;
        let size = info
            .lines()
            .find_map(|line| line.strip_prefix("cluster_size:"))?;
        size.trim().parse().ok()
    }

    /// Subscribes as the feed does, publishes, and waits until the messages arrive.
    async fn try_channels(&self) -> Diagnostic {
        let advice = "let this user use all channels: resetchannels &* in its ACL";
        match self.messages_arrive().await {
            Ok(()) => Diagnostic::good(CHANNELS, "published messages arrive"),
            Err(fault) => failed(CHANNELS, &fault, advice),
        }
    }

    async fn messages_arrive(&self) -> Result<(), Fault> {
        let (arrived, mut arrivals) = mpsc::channel(ARRIVALS_MAX);
        let push = move |push: PushInfo| -> Result<(), Fault> {
            if let (PushKind::SMessage | PushKind::Message, Some(channel)) =
                (&push.kind, push.data.first())
            {
                // Other messages than those of the trial may fill the queue.
                let _ = arrived.try_send(channel.text()?);
            }
            Ok(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_millis(RESPONSE_MS_MAX)))
            .set_response_timeout(Some(Duration::from_millis(RESPONSE_MS_MAX)))
            .set_push_sender(push);
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await.map_err(super::fault)?;
        let mut number = redis::cmd("CLIENT");
        number.arg("ID");
        let number: i64 = number
            .query_async(&mut connection)
            .await
            .map_err(super::fault)?;
        let (probe, events) = (keys::probe(number), Keys(scratch_instance()).channel());
        for channel in [&probe, &events] {
            let mut subscribe = redis::cmd("SSUBSCRIBE");
            subscribe.arg(channel);
            let done = subscribe.query_async::<()>(&mut connection).await;
            done.map_err(super::fault)?;
        }
        let subscribed = connection.subscribe(keys::NOTICES).await;
        subscribed.map_err(super::fault)?;
        for (command, channel) in [
            ("SPUBLISH", probe.as_str()),
            ("SPUBLISH", events.as_str()),
            ("PUBLISH", keys::NOTICES),
        ] {
            let mut publish = redis::cmd(command);
            publish.arg(channel).arg(TRIAL);
            self.ask::<u64>(&mut publish).await?;
            let arrival = async {
                while let Some(found) = arrivals.recv().await {
                    if found == channel {
                        return true;
                    }
                }
                false
            };
            let limit = Duration::from_millis(ARRIVAL_MS_MAX);
            if !matches!(tokio::time::timeout(limit, arrival).await, Ok(true)) {
                let what = format!("a message on {channel} did not arrive");
                return Err(Fault::broken("subscribing", what));
            }
        }
        Ok(())
    }
}

/// An instance that no meeting has.
fn scratch_instance() -> InstanceId {
    InstanceId::new(MeetingId::default(), OrderId::default())
}

/// Commands that the server runs outside of scripts, apart from those of the trial script.
fn plain_commands() -> Vec<(&'static str, redis::Cmd)> {
    let mut info = redis::cmd("INFO");
    info.arg("server");
    let mut scan = redis::cmd("SCAN");
    scan.arg(0).arg("COUNT").arg(1);
    vec![("INFO", info), ("SCAN", scan), ("PING", redis::cmd("PING"))]
}

/// The diagnostic of a trial that failed.
fn failed(about: &str, fault: &Fault, advice: &str) -> Diagnostic {
    let grade = match fault {
        Fault::Unavailable { .. } => Grade::Unavailable,
        Fault::Broken { .. } => Grade::Bad,
    };
    let says = match fault {
        Fault::Unavailable { source, .. } | Fault::Broken { source, .. } => source.to_string(),
    };
    Diagnostic::not_good(grade, about, says, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trial_has_every_command_of_the_scripts() {
        let trial = scripts::trial();
        for (name, text) in scripts::texts("nonce") {
            for call in text.split("redis.call('").skip(1) {
                let command = call.split('\'').next().unwrap_or_default();
                let tried = format!("try('{command}'");
                assert!(
                    trial.contains(&tried),
                    "{name}.lua uses {command}: add it to trial.lua"
                );
            }
        }
    }
}
