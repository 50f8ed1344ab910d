//! Diagnostics of Redis: version, persistence, memory and clock.

use std::collections::HashMap;
use std::time::Instant;

use plenary_shared::time::Timestamp;

use super::RedisStore;
use crate::store::diagnostic::{Diagnostic, Grade};

/// The first version with sharded pub/sub.
const VERSION_MIN: u32 = 7;

impl RedisStore {
    /// Checks everything in Redis that Plenary depends on, and tries what the server does. Leaves nothing
    /// behind.
    pub async fn examine(&self, clock: impl Fn() -> Timestamp) -> Vec<Diagnostic> {
        let began = Instant::now();
        if let Err(error) = self.ping().await {
            return vec![Diagnostic::not_good(
                Grade::Unavailable,
                "Redis",
                error.to_string(),
                "start it, or correct --redis",
            )];
        }
        let answered_ms = began.elapsed().as_secs_f64() * 1_000.0;
        let mut diagnostics = vec![Diagnostic::good(
            "Redis",
            format!("answers within {answered_ms:.1} ms"),
        )];
        match self
            .ask::<String>(redis::cmd("INFO").arg("everything"))
            .await
        {
            Ok(info) => {
                let info = Info::read(&info);
                diagnostics.extend([
                    info.version(),
                    info.role(),
                    info.append_only(),
                    info.last_write(),
                    info.eviction(),
                    info.memory(),
                ]);
            }
            Err(error) => diagnostics.push(Diagnostic::not_good(
                Grade::Bad,
                "Redis: INFO",
                error.to_string(),
                "let this user run INFO: the server needs it to notice that Redis has restarted",
            )),
        }
        diagnostics.push(self.examine_clock(clock).await);
        diagnostics.extend(self.try_out().await);
        diagnostics
    }

    async fn examine_clock(&self, clock: impl Fn() -> Timestamp) -> Diagnostic {
        let about = "Redis: clock";
        let before = clock();
        match self.ask::<(i64, i64)>(&mut redis::cmd("TIME")).await {
            Ok((seconds, micros)) => {
                let theirs = seconds * 1_000 + micros / 1_000;
                // Compares with the middle of the round trip.
                let ours = i64::midpoint(before.as_ms(), clock().as_ms());
                Diagnostic::clock(about, theirs - ours)
            }
            Err(error) => Diagnostic::not_good(
                Grade::Unavailable,
                about,
                error.to_string(),
                "let this user run TIME",
            ),
        }
    }
}

/// The reply to INFO: `key:value` lines.
struct Info<'a>(HashMap<&'a str, &'a str>);

impl<'a> Info<'a> {
    fn read(text: &'a str) -> Self {
        Self(
            text.lines()
                .filter_map(|line| line.trim_end().split_once(':'))
                .collect(),
        )
    }

    fn get(&self, key: &str) -> &'a str {
        self.0.get(key).copied().unwrap_or("unknown")
    }

    fn number(&self, key: &str) -> u64 {
        self.get(key).parse().unwrap_or(0)
    }

    fn version(&self) -> Diagnostic {
        let version = self.get("redis_version");
        let major = version.split('.').next().and_then(|it| it.parse().ok());
        Diagnostic::of(
            major.is_some_and(|major: u32| major >= VERSION_MIN),
            Grade::Bad,
            "Redis: version",
            version,
            "use Redis 7 or newer: events are published by sharded pub/sub",
        )
    }

    fn role(&self) -> Diagnostic {
        let role = self.get("role");
        Diagnostic::of(
            role == "master",
            Grade::Bad,
            "Redis: role",
            role,
            "name the master in --redis: a replica takes no writes",
        )
    }

    fn append_only(&self) -> Diagnostic {
        let on = self.get("aof_enabled") == "1";
        Diagnostic::of(
            on,
            Grade::Warning,
            "Redis: append-only file",
            if on { "on" } else { "off" },
            "set appendonly yes: without it a restart forgets what is not yet in the archive",
        )
    }

    fn last_write(&self) -> Diagnostic {
        let (aof, rdb) = (
            self.get("aof_last_write_status"),
            self.get("rdb_last_bgsave_status"),
        );
        Diagnostic::of(
            aof == "ok" && rdb == "ok",
            Grade::Bad,
            "Redis: last writes to disk",
            format!("append-only file {aof}, dump {rdb}"),
            "see Redis' log: the disk may be full, or not be writable",
        )
    }

    fn eviction(&self) -> Diagnostic {
        let policy = self.get("maxmemory_policy");
        // Without a limit nothing is evicted.
        let grade = if self.number("maxmemory") == 0 {
            Grade::Warning
        } else {
            Grade::Bad
        };
        Diagnostic::of(
            policy == "noeviction",
            grade,
            "Redis: maxmemory-policy",
            policy,
            "set maxmemory-policy noeviction: any other drops people and messages when memory is short",
        )
    }

    fn memory(&self) -> Diagnostic {
        let (used, limit) = (self.number("used_memory"), self.number("maxmemory"));
        let mib = |bytes: u64| bytes / (1024 * 1024);
        let says = if limit == 0 {
            format!("{} MiB used, no limit", mib(used))
        } else {
            format!("{} of {} MiB used", mib(used), mib(limit))
        };
        Diagnostic::of(
            limit == 0 || used < limit / 10 * 9,
            Grade::Warning,
            "Redis: memory",
            says,
            "raise maxmemory: posts are rejected once it is full",
        )
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const WELL: &str = "# Server\r\nredis_version:7.0.15\r\nrole:master\r\naof_enabled:1\r\n\
        aof_last_write_status:ok\r\nrdb_last_bgsave_status:ok\r\nmaxmemory:0\r\n\
        maxmemory_policy:noeviction\r\nused_memory:1048576\r\n";

    #[rstest]
    #[case("", "", Grade::Good)]
    #[case("redis_version:7.0.15", "redis_version:6.2.1", Grade::Bad)]
    #[case("role:master", "role:slave", Grade::Bad)]
    #[case("aof_enabled:1", "aof_enabled:0", Grade::Warning)]
    #[case("aof_last_write_status:ok", "aof_last_write_status:err", Grade::Bad)]
    #[case("policy:noeviction", "policy:allkeys-lru", Grade::Warning)]
    #[case("maxmemory:0", "maxmemory:1100000", Grade::Warning)]
    fn the_worst_of_what_info_says(#[case] from: &str, #[case] to: &str, #[case] worst: Grade) {
        let text = WELL.replace(from, to);
        let text = if from.is_empty() { WELL } else { &text };
        let info = Info::read(text);
        let diagnostics = [
            info.version(),
            info.role(),
            info.append_only(),
            info.last_write(),
            info.eviction(),
            info.memory(),
        ];
        let found = diagnostics.iter().map(|diagnostic| diagnostic.grade).max();
        assert_eq!(found, Some(worst), "{diagnostics:?}");
    }
}
