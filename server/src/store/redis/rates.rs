//! The limits on writing, as keys and arguments of the scripts that count a write.

use std::sync::atomic::Ordering;

use plenary_shared::ids::{InstanceId, UserId};

use crate::rate_limits::{Quota, SharedLimits, WriteKind};

use super::RedisStore;
use super::keys;
use super::scripts::Script;

impl RedisStore {
    /// Returns the limits on writing, which can be changed at any time.
    pub fn limits(&self) -> &SharedLimits {
        &self.limits
    }

    /// Returns the command of a script that counts a write of this user. Its last key is the bucket of the
    /// account.
    pub(super) fn write_command(&self, script: Script, id: InstanceId, user: UserId) -> redis::Cmd {
        let mut keys = self.scripts.keys(script, id, Some(user));
        // A script in cluster mode may use only keys of one slot, so each instance has its own total.
        if !self.is_cluster.load(Ordering::Relaxed)
            && let Some(account) = keys.last_mut()
        {
            *account = keys::account_rate(user);
        }
        self.scripts.command_with(script, &keys)
    }

    /// Returns the last arguments of such a script: interval in microseconds and burst of the bucket in the
    /// instance, and of that of the account; 0 and 0 without a limit.
    pub(super) fn quotas(&self, kind: WriteKind) -> [i64; 4] {
        let limits = self.limits.get();
        let of = |quota: Option<Quota>| {
            quota.map_or([0, 0], |quota| [quota.interval_us(), quota.burst.into()])
        };
        let [interval, burst] = of(limits.of(kind));
        let [account_interval, account_burst] = of(limits.account);
        [interval, burst, account_interval, account_burst]
    }
}
