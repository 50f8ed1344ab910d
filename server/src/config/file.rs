//! The configuration file: TOML with the settings as keys.

use std::collections::BTreeMap;
use std::path::PathBuf;

use plenary_shared::unicode::without_bom;
use serde::Deserialize;
use toml::Spanned;

use super::{ConfigError, Source};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    bind: Option<Spanned<String>>,
    insecure: Option<Spanned<bool>>,
    data: Option<Spanned<String>>,
    redis: Option<Spanned<String>>,
    mysql: Option<Spanned<String>>,
    log: Option<Spanned<String>>,
    log_format: Option<Spanned<String>>,
    session_ttl_days: Option<Spanned<i64>>,
    reconnect_grace_s: Option<Spanned<i64>>,
    head_timeout_ms: Option<Spanned<i64>>,
    metrics_bind: Option<Spanned<String>>,
    allow_origin: Option<Spanned<String>>,
    profiles: Option<Spanned<String>>,
    trusted_proxies: Option<Spanned<String>>,
    proxy_protocol: Option<Spanned<bool>>,
    rate_limits: Option<Spanned<bool>>,
    post_burst: Option<Spanned<i64>>,
    posts_per_minute: Option<Spanned<i64>>,
    account_burst: Option<Spanned<i64>>,
    account_per_minute: Option<Spanned<i64>>,
    disk_reserve_mib: Option<Spanned<i64>>,
}

/// Reads the settings of a file as text, each with its line.
pub(super) fn read(path: PathBuf) -> Result<BTreeMap<&'static str, (String, Source)>, ConfigError> {
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => without_bom(&text).to_owned(),
        Err(source) => return Err(ConfigError::Unreadable { path, source }),
    };
    let keys: Keys = match toml::from_str(&text) {
        Ok(keys) => keys,
        // The message does not quote the line, which may contain a password.
        Err(error) => {
            let line = error.span().map_or(1, |span| line_of(&text, span.start));
            let what = error.message().to_owned();
            return Err(ConfigError::File { path, line, what });
        }
    };
    let mut settings = BTreeMap::new();
    let mut take = |key, value: Option<(usize, String)>| {
        if let Some((at, value)) = value {
            let from = Source::File(path.clone(), line_of(&text, at));
            settings.insert(key, (value, from));
        }
    };
    take("bind", spelled(keys.bind));
    take("metrics_bind", spelled(keys.metrics_bind));
    take("allow_origin", spelled(keys.allow_origin));
    take("profiles", spelled(keys.profiles));
    take("insecure", spelled(keys.insecure));
    take("trusted_proxies", spelled(keys.trusted_proxies));
    take("proxy_protocol", spelled(keys.proxy_protocol));
    take("data", spelled(keys.data));
    take("redis", spelled(keys.redis));
    take("mysql", spelled(keys.mysql));
    take("log", spelled(keys.log));
    take("log_format", spelled(keys.log_format));
    take("session_ttl_days", spelled(keys.session_ttl_days));
    take("reconnect_grace_s", spelled(keys.reconnect_grace_s));
    take("head_timeout_ms", spelled(keys.head_timeout_ms));
    take("rate_limits", spelled(keys.rate_limits));
    take("post_burst", spelled(keys.post_burst));
    take("posts_per_minute", spelled(keys.posts_per_minute));
    take("account_burst", spelled(keys.account_burst));
    take("account_per_minute", spelled(keys.account_per_minute));
    take("disk_reserve_mib", spelled(keys.disk_reserve_mib));
    Ok(settings)
}

/// Returns the offset of a value, and the value as a flag would spell it.
fn spelled<T: ToString>(value: Option<Spanned<T>>) -> Option<(usize, String)> {
    value.map(|value| (value.span().start, value.into_inner().to_string()))
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}
