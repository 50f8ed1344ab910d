//! The settings, from flags, environment variables and a file, in this order. Every error names its
//! source.
//!
//! Not a layering library such as figment: every error has to name the flag, the variable, or the line of
//! the file, without quoting a value that may contain a password.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use plenary_shared::domain::{ProfileVisibility, UnknownWord};

use crate::peer::TrustedProxies;
use crate::rate_limits::WriteLimits;
use crate::telemetry::{self, LogFormat};

mod file;
mod findings;
mod limits;
mod raw;
mod reload;

pub use limits::LimitFlags;
pub use raw::{Environment, RawSettings};
pub use reload::{CurrentSettings, Reloadable};

/// The default listening address.
const BIND_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7_400);

/// The default lifetime of a session.
const SESSION_TTL_DAYS_DEFAULT: u32 = 30;

/// The longest lifetime of a session: ten years. Longer values are probably typing errors.
const SESSION_TTL_DAYS_MAX: u32 = 3_650;

/// The default time that a lost connection has to return.
const RECONNECT_GRACE_S_DEFAULT: u32 = 20;

/// The longest time that a lost connection has to return.
const RECONNECT_GRACE_S_MAX: u32 = 3_600;

/// The default time limit of a request head.
const HEAD_TIMEOUT_MS_DEFAULT: u32 = 20_000;

/// The longest time limit of a request head.
const HEAD_TIMEOUT_MS_MAX: u32 = 600_000;

/// The URL schemes of Redis.
const REDIS_SCHEMES: &[&str] = &["redis", "rediss", "redis+unix", "unix"];

/// The URL schemes of MySQL.
const MYSQL_SCHEMES: &[&str] = &["mysql"];

/// The flags of all subcommands. They may stand before or after the subcommand.
#[expect(clippy::doc_markdown, reason = "help texts are not Markdown")]
#[derive(Args, Clone, Debug, Default)]
pub struct Flags {
    /// Read settings from this TOML file [env: PLENARY_CONFIG]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Directory of the data file, used when neither Redis nor MySQL is set [env: PLENARY_DATA] [default: plenary in the XDG data directory]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Settings")]
    pub data: Option<String>,
    /// URL of Redis, such as redis://127.0.0.1:6379/0 or redis+unix:///run/redis.sock [env: PLENARY_REDIS]
    #[arg(long, global = true, value_name = "URL", help_heading = "Settings")]
    pub redis: Option<String>,
    /// URL of MySQL or MariaDB, such as mysql://user:password@127.0.0.1:3306/plenary [env: PLENARY_MYSQL]
    #[arg(long, global = true, value_name = "URL", help_heading = "Settings")]
    pub mysql: Option<String>,
    /// Log filter, such as info or plenary_server=debug,warn [env: PLENARY_LOG] [default: info]
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Settings")]
    pub log: Option<String>,
    /// Log format: text or json [env: PLENARY_LOG_FORMAT] [default: text]
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Settings")]
    pub log_format: Option<String>,
    /// Days until a login expires [env: PLENARY_SESSION_TTL_DAYS] [default: 30]
    #[arg(long, global = true, value_name = "DAYS", help_heading = "Settings")]
    pub session_ttl_days: Option<String>,
    /// Seconds that a lost connection has to return before its user leaves [env: PLENARY_RECONNECT_GRACE_S] [default: 20]
    #[arg(long, global = true, value_name = "SECONDS", help_heading = "Settings")]
    pub reconnect_grace_s: Option<String>,
}

/// The flags of `serve`.
#[expect(clippy::doc_markdown, reason = "help texts are not Markdown")]
#[derive(Args, Clone, Debug, Default)]
pub struct ServeFlags {
    /// Address to listen on; port 0 picks a free port [env: PLENARY_BIND] [default: 127.0.0.1:7400]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub bind: Option<String>,
    /// Serve GET /metrics on this address, without authentication [env: PLENARY_METRICS_BIND]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics_bind: Option<String>,
    /// Origins of web pages that may open the WebSocket, separated by commas, such as https://chat.example.org [env: PLENARY_ALLOW_ORIGIN] [default: none]
    #[arg(long, value_name = "ORIGINS")]
    pub allow_origin: Option<String>,
    /// Who sees the email, age and gender of participants: admins or members; everybody sees their own [env: PLENARY_PROFILES] [default: admins]
    #[arg(long, value_name = "WHO")]
    pub profiles: Option<String>,
    /// Allow plain HTTP on addresses that other machines can reach [env: PLENARY_INSECURE]
    #[arg(long)]
    pub insecure: bool,
    /// Addresses or networks of proxies that may report the addresses of their clients, such as 127.0.0.1,10.0.0.0/8 [env: PLENARY_TRUSTED_PROXIES]
    #[arg(long, value_name = "LIST")]
    pub trusted_proxies: Option<String>,
    /// Expect the PROXY protocol at the start of every connection [env: PLENARY_PROXY_PROTOCOL]
    #[arg(long)]
    pub proxy_protocol: bool,
    /// Serve a data file that was moved to Redis and MySQL; it lacks all changes made there since
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub limits: LimitFlags,
    /// Milliseconds that a request head may take, including the pause before it [env: PLENARY_HEAD_TIMEOUT_MS]
    #[arg(long, value_name = "MS", hide = true)]
    pub head_timeout_ms: Option<String>,
}

/// All settings, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// The address to listen on.
    pub bind: SocketAddr,
    /// The address of the metrics endpoint, if there is one.
    pub metrics_bind: Option<SocketAddr>,
    /// The origins of web pages that may open the WebSocket.
    pub allow_origin: Vec<String>,
    /// Who sees the profiles of participants.
    pub profiles: ProfileVisibility,
    /// Whether plain HTTP is allowed on addresses that other machines can reach.
    pub insecure: bool,
    /// The proxies that may report the addresses of their clients.
    pub trusted_proxies: TrustedProxies,
    /// Whether every connection begins with the PROXY protocol.
    pub proxy_protocol: bool,
    /// The directory of the data file of the embedded store.
    pub data: Option<PathBuf>,
    /// The URL of Redis, which may contain a password.
    pub redis: Option<String>,
    /// The URL of MySQL, which may contain a password.
    pub mysql: Option<String>,
    /// The lifetime of a session, in seconds.
    pub session_ttl_s: u32,
    /// The time that a lost connection has to return, in milliseconds.
    pub reconnect_grace_ms: i64,
    /// The time limit of a request head, including the pause before it.
    pub head_timeout: Duration,
    /// How fast users may write, and the disk space that writing leaves free.
    pub limits: WriteLimits,
    /// The log filter, in the syntax of `tracing`.
    pub log: String,
    pub log_format: LogFormat,
}

/// The source of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A flag, without the dashes.
    Flag(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A file and a line number, counted from 1.
    File(PathBuf, usize),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
        }
    }
}

/// An invalid or missing setting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The value is invalid.
    #[error("{from}: {key} {what}")]
    Value {
        from: Source,
        key: &'static str,
        /// The continuation of the sentence: what the value must be.
        what: String,
    },
    /// The configuration file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The configuration file is not valid TOML, or has unknown keys.
    #[error("{}:{line}: {what}", path.display())]
    File {
        path: PathBuf,
        /// The line number, counted from 1.
        line: usize,
        what: String,
    },
    /// A required setting is missing.
    #[error(
        "{key} is not set. Set --{key} URL, the variable {variable}, or {key} = \"URL\" in the configuration file"
    )]
    Missing {
        key: &'static str,
        variable: &'static str,
    },
    /// The data directory is not set, and the default needs a home directory.
    #[error("data is not set, and the default needs a home directory. Set --data DIR")]
    NoHome,
    /// Other machines can reach the address.
    #[error(
        "{from}: other machines can reach {bind}, and plain HTTP exposes what it carries, such as \
         passwords. Bind to 127.0.0.1 behind a TLS proxy, or set --insecure"
    )]
    NotLoopback { from: Source, bind: SocketAddr },
}

/// An invalid flag of a single command.
#[derive(Debug, thiserror::Error)]
#[error("--{flag}: {what}")]
pub struct UsageError {
    flag: &'static str,
    what: String,
}

impl UsageError {
    /// Returns the error of a flag.
    pub fn new(flag: &'static str, what: impl fmt::Display) -> Self {
        let what = what.to_string();
        Self { flag, what }
    }
}

impl Settings {
    /// Checks all settings.
    pub fn resolve(raw: &RawSettings) -> Result<Self, ConfigError> {
        let log = raw
            .read("log", |text| match telemetry::filter(text) {
                Ok(_) => Ok(text.to_owned()),
                Err(error) => Err(format!("is not a log filter: {error}")),
            })?
            .unwrap_or_else(|| "info".to_owned());
        let session_ttl_days = raw
            .read("session_ttl_days", |t| whole(t, 1, SESSION_TTL_DAYS_MAX))?
            .unwrap_or(SESSION_TTL_DAYS_DEFAULT);
        let reconnect_grace_s = raw
            .read("reconnect_grace_s", |t| whole(t, 1, RECONNECT_GRACE_S_MAX))?
            .unwrap_or(RECONNECT_GRACE_S_DEFAULT);
        let head_timeout_ms = raw
            .read("head_timeout_ms", |t| whole(t, 1, HEAD_TIMEOUT_MS_MAX))?
            .unwrap_or(HEAD_TIMEOUT_MS_DEFAULT);
        Ok(Self {
            bind: raw.read("bind", address)?.unwrap_or(BIND_DEFAULT),
            metrics_bind: raw.read("metrics_bind", address)?,
            allow_origin: raw.read("allow_origin", origins)?.unwrap_or_default(),
            profiles: raw
                .read("profiles", profiles)?
                .unwrap_or(ProfileVisibility::Admins),
            insecure: raw.read("insecure", yes_or_no)?.unwrap_or(false),
            trusted_proxies: raw
                .read("trusted_proxies", TrustedProxies::parse)?
                .unwrap_or_default(),
            proxy_protocol: raw.read("proxy_protocol", yes_or_no)?.unwrap_or(false),
            data: raw.read("data", findings::directory)?,
            redis: raw.read("redis", |text| url(text, REDIS_SCHEMES))?,
            mysql: raw.read("mysql", |text| url(text, MYSQL_SCHEMES))?,
            session_ttl_s: session_ttl_days * 86_400,
            reconnect_grace_ms: i64::from(reconnect_grace_s) * 1_000,
            head_timeout: Duration::from_millis(head_timeout_ms.into()),
            limits: limits::read(raw)?,
            log,
            log_format: raw.read("log_format", log_format)?.unwrap_or_default(),
        })
    }

    /// Rejects addresses that other machines can reach, unless `insecure` is set.
    pub fn check_bind(&self, raw: &RawSettings) -> Result<(), ConfigError> {
        let addresses = [
            ("bind", Some(self.bind)),
            ("metrics_bind", self.metrics_bind),
        ];
        for (key, address) in addresses {
            let exposed = address.filter(|one| !self.insecure && !one.ip().is_loopback());
            if let Some(bind) = exposed {
                // The defaults are not exposed, so any other address has a source.
                let from = raw.source(key).unwrap_or(Source::Flag("bind"));
                return Err(ConfigError::NotLoopback { from, bind });
            }
        }
        Ok(())
    }

    /// Rejects the PROXY protocol without a proxy that may send it.
    pub fn check_proxies(&self, raw: &RawSettings) -> Result<(), ConfigError> {
        if !self.proxy_protocol || self.trusted_proxies != TrustedProxies::default() {
            return Ok(());
        }
        Err(ConfigError::Value {
            from: raw
                .source("proxy_protocol")
                .unwrap_or(Source::Flag("proxy-protocol")),
            key: "proxy_protocol",
            what: "needs trusted_proxies: only trusted proxies may report the addresses of clients"
                .to_owned(),
        })
    }

    /// Rejects a command for the embedded store if Redis or MySQL is set. `instead` tells what to do.
    pub fn check_embedded(&self, raw: &RawSettings, instead: &str) -> Result<(), ConfigError> {
        for (key, set) in [("redis", &self.redis), ("mysql", &self.mysql)] {
            if set.is_some() {
                return Err(ConfigError::Value {
                    from: raw.source(key).unwrap_or(Source::Flag(key)),
                    key,
                    what: format!(
                        "does not apply to this command, which needs a data file. {instead}"
                    ),
                });
            }
        }
        Ok(())
    }

    /// Returns whether the embedded store is used: neither Redis nor MySQL is set.
    pub fn is_embedded(&self) -> bool {
        self.redis.is_none() && self.mysql.is_none()
    }

    /// Returns the directory of the data file.
    pub fn data_directory(&self) -> Result<&Path, ConfigError> {
        self.data.as_deref().ok_or(ConfigError::NoHome)
    }

    /// Returns the URL of Redis, which must be set.
    pub fn redis_url(&self) -> Result<&str, ConfigError> {
        self.redis.as_deref().ok_or(ConfigError::Missing {
            key: "redis",
            variable: "PLENARY_REDIS",
        })
    }

    /// Returns the URL of MySQL, which must be set.
    pub fn mysql_url(&self) -> Result<&str, ConfigError> {
        self.mysql.as_deref().ok_or(ConfigError::Missing {
            key: "mysql",
            variable: "PLENARY_MYSQL",
        })
    }
}

// Keeps passwords in URLs out of logs.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("bind", &self.bind)
            .field("metrics_bind", &self.metrics_bind)
            .field("allow_origin", &self.allow_origin)
            .field("profiles", &self.profiles)
            .field("insecure", &self.insecure)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("proxy_protocol", &self.proxy_protocol)
            .field("data", &self.data)
            .field("redis", &self.redis.as_deref().map(redacted))
            .field("mysql", &self.mysql.as_deref().map(redacted))
            .field("session_ttl_s", &self.session_ttl_s)
            .field("reconnect_grace_ms", &self.reconnect_grace_ms)
            .field("head_timeout", &self.head_timeout)
            .field("limits", &self.limits)
            .field("log", &self.log)
            .field("log_format", &self.log_format)
            .finish()
    }
}

/// Returns a URL with its password and query replaced by "…".
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "…".to_owned();
    };
    // A password may contain @, so the last @ before the query ends it.
    let (place, query) = rest
        .split_once('?')
        .map_or((rest, ""), |(place, _)| (place, "?…"));
    match place.rsplit_once('@') {
        Some((who, place)) => {
            let (name, hidden) = who
                .split_once(':')
                .map_or((who, ""), |(name, _)| (name, ":…"));
            format!("{scheme}://{name}{hidden}@{place}{query}")
        }
        None => format!("{scheme}://{place}{query}"),
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map_or_else(
        || text.to_owned(),
        |port| format!("{}:{port}", Ipv4Addr::LOCALHOST),
    );
    numeric
        .parse()
        .map_err(|_| format!("'{text}' must be ADDRESS:PORT, such as {BIND_DEFAULT}"))
}

fn origins(text: &str) -> Result<Vec<String>, String> {
    let origins = text.split(',').map(str::trim).filter(|one| !one.is_empty());
    let origins = origins.map(|one| {
        // A browser sends scheme and host in lower case, and no path.
        let host = one
            .strip_prefix("https://")
            .or_else(|| one.strip_prefix("http://"));
        let is_origin = host.is_some_and(|host| !host.is_empty() && !host.contains('/'));
        if is_origin {
            Ok(one.to_lowercase())
        } else {
            Err(format!(
                "'{one}' must be an origin such as https://chat.example.org"
            ))
        }
    });
    origins.collect()
}

fn profiles(text: &str) -> Result<ProfileVisibility, String> {
    text.parse().map_err(|error: UnknownWord| error.to_string())
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(format!("'{text}' must be true or false")),
    }
}

fn whole(text: &str, min: u32, max: u32) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|n| (min..=max).contains(n))
        .ok_or_else(|| format!("'{text}' must be a whole number from {min} to {max}"))
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("'{text}' must be text or json")),
    }
}

/// Checks the URL of Redis in a flag of a single command.
pub fn redis_flag(flag: &'static str, text: &str) -> Result<String, UsageError> {
    url(text, REDIS_SCHEMES).map_err(|what| UsageError::new(flag, what))
}

/// Checks the URL of MySQL in a flag of a single command.
pub fn mysql_flag(flag: &'static str, text: &str) -> Result<String, UsageError> {
    url(text, MYSQL_SCHEMES).map_err(|what| UsageError::new(flag, what))
}

/// Checks a URL. The error does not contain it, because it may contain a password.
fn url(text: &str, schemes: &[&str]) -> Result<String, String> {
    match text.split_once("://") {
        Some((_, rest)) if rest.starts_with('~') || rest.contains("socket=~") => {
            Err("must have the full path of a socket: only a shell replaces ~".to_owned())
        }
        Some((scheme, rest)) if schemes.contains(&scheme) && !rest.is_empty() => {
            Ok(text.to_owned())
        }
        Some(_) | None => Err(format!(
            "must be a URL that starts with {}",
            schemes
                .iter()
                .map(|scheme| format!("{scheme}://"))
                .collect::<Vec<_>>()
                .join(" or ")
        )),
    }
}

#[cfg(test)]
mod tests;
