//! All settings as text, each with its source, before they are checked.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::{ConfigError, Flags, ServeFlags, Source, file};

/// All settings: key, environment variable and flag.
const KEYS: &[(&str, &str, &str)] = &[
    ("bind", "PLENARY_BIND", "bind"),
    ("metrics_bind", "PLENARY_METRICS_BIND", "metrics-bind"),
    ("allow_origin", "PLENARY_ALLOW_ORIGIN", "allow-origin"),
    ("profiles", "PLENARY_PROFILES", "profiles"),
    ("insecure", "PLENARY_INSECURE", "insecure"),
    (
        "trusted_proxies",
        "PLENARY_TRUSTED_PROXIES",
        "trusted-proxies",
    ),
    ("proxy_protocol", "PLENARY_PROXY_PROTOCOL", "proxy-protocol"),
    ("data", "PLENARY_DATA", "data"),
    ("redis", "PLENARY_REDIS", "redis"),
    ("mysql", "PLENARY_MYSQL", "mysql"),
    ("log", "PLENARY_LOG", "log"),
    ("log_format", "PLENARY_LOG_FORMAT", "log-format"),
    (
        "session_ttl_days",
        "PLENARY_SESSION_TTL_DAYS",
        "session-ttl-days",
    ),
    (
        "reconnect_grace_s",
        "PLENARY_RECONNECT_GRACE_S",
        "reconnect-grace-s",
    ),
    ("rate_limits", "PLENARY_RATE_LIMITS", "rate-limits"),
    ("post_burst", "PLENARY_POST_BURST", "post-burst"),
    (
        "posts_per_minute",
        "PLENARY_POSTS_PER_MINUTE",
        "posts-per-minute",
    ),
    ("account_burst", "PLENARY_ACCOUNT_BURST", "account-burst"),
    (
        "account_per_minute",
        "PLENARY_ACCOUNT_PER_MINUTE",
        "account-per-minute",
    ),
    (
        "disk_reserve_mib",
        "PLENARY_DISK_RESERVE_MIB",
        "disk-reserve-mib",
    ),
    (
        "head_timeout_ms",
        "PLENARY_HEAD_TIMEOUT_MS",
        "head-timeout-ms",
    ),
];

/// The environment variable with the path of the configuration file.
const CONFIG_VARIABLE: &str = "PLENARY_CONFIG";

/// What the names of all variables start with.
const VARIABLE_PREFIX: &str = "PLENARY_";

/// The variables of the client, which may be set for both programs.
const CLIENT_VARIABLES: &[&str] = &["PLENARY_SERVER", "PLENARY_TOKEN", "PLENARY_ASCII"];

/// The environment of the process that affects the settings.
pub struct Environment<'a> {
    /// Returns the value of an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// Returns the names of all environment variables.
    pub variable_names: &'a dyn Fn() -> Vec<String>,
    /// The default configuration file, which need not exist.
    pub config_default: Option<PathBuf>,
    /// The default directory of the data file.
    pub data_default: Option<PathBuf>,
}

impl Environment<'_> {
    /// Returns the names of variables that look like settings and are not.
    pub(super) fn unknown_variables(&self) -> Vec<String> {
        let is_known = |name: &str| {
            name == CONFIG_VARIABLE
                || CLIENT_VARIABLES.contains(&name)
                || KEYS.iter().any(|(_, variable, _)| *variable == name)
        };
        let mut unknown = (self.variable_names)();
        unknown.retain(|name| name.starts_with(VARIABLE_PREFIX) && !is_known(name));
        unknown.sort();
        unknown
    }
}

/// The given settings as text, with their sources.
#[derive(Default)]
pub struct RawSettings(BTreeMap<&'static str, (String, Source)>);

impl RawSettings {
    /// Reads the file, the environment variables and the flags. Later sources override earlier ones.
    pub fn collect(
        flags: &Flags,
        serve: &ServeFlags,
        environment: &Environment<'_>,
    ) -> Result<Self, ConfigError> {
        let mut raw = match Self::config_file(flags, environment) {
            Some(path) => Self(file::read(path)?),
            None => Self::default(),
        };
        for (key, variable, _) in KEYS {
            // An empty variable counts as unset.
            let Some(value) = (environment.variable)(variable).filter(|value| !value.is_empty())
            else {
                continue;
            };
            let from = Source::Variable(variable);
            let Ok(text) = value.into_string() else {
                let what = "is not UTF-8".to_owned();
                return Err(ConfigError::Value { from, key, what });
            };
            raw.0.insert(key, (text, from));
        }
        for (key, _, flag) in KEYS {
            if let Some(text) = flag_value(key, flags, serve) {
                raw.0.insert(key, (text, Source::Flag(flag)));
            }
        }
        Ok(raw)
    }

    /// Parses a setting. The error of the reader continues the sentence "{key} …".
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        reader: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some((text, from)) = self.0.get(key) else {
            return Ok(None);
        };
        let wrong = |what| ConfigError::Value {
            from: from.clone(),
            key,
            what,
        };
        reader(text).map(Some).map_err(wrong)
    }

    /// Returns the source of a setting, or `None` if it has its default.
    pub(super) fn source(&self, key: &str) -> Option<Source> {
        self.0.get(key).map(|(_, from)| from.clone())
    }

    /// Returns the file to read. A named file must exist; the default file is optional.
    fn config_file(flags: &Flags, environment: &Environment<'_>) -> Option<PathBuf> {
        let named = flags.config.clone().or_else(|| {
            (environment.variable)(CONFIG_VARIABLE)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        });
        named.or_else(|| {
            environment
                .config_default
                .clone()
                .filter(|path| path.exists())
        })
    }
}

fn flag_value(key: &str, flags: &Flags, serve: &ServeFlags) -> Option<String> {
    match key {
        "bind" => serve.bind.clone(),
        "metrics_bind" => serve.metrics_bind.clone(),
        "allow_origin" => serve.allow_origin.clone(),
        "profiles" => serve.profiles.clone(),
        "insecure" => serve.insecure.then(|| "true".to_owned()),
        "trusted_proxies" => serve.trusted_proxies.clone(),
        "proxy_protocol" => serve.proxy_protocol.then(|| "true".to_owned()),
        "data" => flags.data.clone(),
        "redis" => flags.redis.clone(),
        "mysql" => flags.mysql.clone(),
        "log" => flags.log.clone(),
        "log_format" => flags.log_format.clone(),
        "session_ttl_days" => flags.session_ttl_days.clone(),
        "reconnect_grace_s" => flags.reconnect_grace_s.clone(),
        "head_timeout_ms" => serve.head_timeout_ms.clone(),
        _ => serve.limits.value(key),
    }
}
