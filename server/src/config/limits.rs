//! The settings of the limits on writing.

use clap::Args;

use super::{ConfigError, RawSettings, whole, yes_or_no};
use crate::rate_limits::{BURST_MAX, PER_MINUTE_MAX, Quota, WriteLimits};

/// The default limit of posts of a user in one instance: a pasted page of lines passes at once, a script that
/// posts a thousand lines is slowed down to two a second.
const POST: Quota = Quota {
    burst: 60,
    per_minute: 120,
};

/// The limit of joins of a user in one instance: more than reconnects need.
const JOIN: Quota = Quota {
    burst: 20,
    per_minute: 20,
};

/// The default limit of posts and joins of a user in all instances together.
const ACCOUNT: Quota = Quota {
    burst: 200,
    per_minute: 300,
};

/// The default reserve of disk space, in MiB: four times what the write-ahead log grows to.
const DISK_RESERVE_MIB_DEFAULT: u32 = 256;

/// The largest reserve of disk space, in MiB: a terabyte.
const DISK_RESERVE_MIB_MAX: u32 = 1024 * 1024;

/// Bytes of a mebibyte.
const MIB: u64 = 1024 * 1024;

/// The flags of the limits.
#[expect(clippy::doc_markdown, reason = "help texts are not Markdown")]
#[derive(Args, Clone, Debug, Default)]
pub struct LimitFlags {
    /// Limit how fast users post, join and search: true or false [env: PLENARY_RATE_LIMITS] [default: true]
    #[arg(long, value_name = "BOOL", help_heading = "Limits")]
    pub rate_limits: Option<String>,
    /// Messages that a user may post at once in a meeting [env: PLENARY_POST_BURST] [default: 60]
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    pub post_burst: Option<String>,
    /// Messages a minute that a user may post in a meeting after that [env: PLENARY_POSTS_PER_MINUTE] [default: 120]
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    pub posts_per_minute: Option<String>,
    /// Messages and joins at once of a user in all meetings [env: PLENARY_ACCOUNT_BURST] [default: 200]
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    pub account_burst: Option<String>,
    /// Messages and joins a minute of a user in all meetings after that [env: PLENARY_ACCOUNT_PER_MINUTE] [default: 300]
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    pub account_per_minute: Option<String>,
    /// Free disk space in MiB below which posts are refused; only with a data file [env: PLENARY_DISK_RESERVE_MIB] [default: 256]
    #[arg(long, value_name = "MIB", help_heading = "Limits")]
    pub disk_reserve_mib: Option<String>,
}

impl LimitFlags {
    /// Returns the value of the flag for this setting.
    pub(super) fn value(&self, key: &str) -> Option<String> {
        match key {
            "rate_limits" => self.rate_limits.clone(),
            "post_burst" => self.post_burst.clone(),
            "posts_per_minute" => self.posts_per_minute.clone(),
            "account_burst" => self.account_burst.clone(),
            "account_per_minute" => self.account_per_minute.clone(),
            "disk_reserve_mib" => self.disk_reserve_mib.clone(),
            _ => None,
        }
    }
}

/// Reads the limits.
pub(super) fn read(raw: &RawSettings) -> Result<WriteLimits, ConfigError> {
    let number = |key, min, max, default: u32| {
        let value = raw.read(key, |text| whole(text, min, max))?;
        Ok::<u32, ConfigError>(value.unwrap_or(default))
    };
    let post = Quota {
        burst: number("post_burst", 1, BURST_MAX, POST.burst)?,
        per_minute: number("posts_per_minute", 1, PER_MINUTE_MAX, POST.per_minute)?,
    };
    let account = Quota {
        burst: number("account_burst", 1, BURST_MAX, ACCOUNT.burst)?,
        per_minute: number("account_per_minute", 1, PER_MINUTE_MAX, ACCOUNT.per_minute)?,
    };
    let reserve_mib = number(
        "disk_reserve_mib",
        0,
        DISK_RESERVE_MIB_MAX,
        DISK_RESERVE_MIB_DEFAULT,
    )?;
    let is_limited = raw.read("rate_limits", yes_or_no)?.unwrap_or(true);
    Ok(WriteLimits {
        post: is_limited.then_some(post),
        join: is_limited.then_some(JOIN),
        account: is_limited.then_some(account),
        disk_reserve_bytes: u64::from(reserve_mib) * MIB,
    })
}
