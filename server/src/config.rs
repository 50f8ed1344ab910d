//! The settings: flag before variable before file before default; every error names its source.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::telemetry;

mod file;
mod gathered;

pub use gathered::{Environment, Gathered};

/// Where the server listens when nobody says where.
const BIND_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7_400);

/// How long a session is good when nobody says how long.
const SESSION_TTL_DAYS_DEFAULT: u32 = 30;

/// The longest session, in days: what is longer is a typing mistake.
const SESSION_TTL_DAYS_MAX: u32 = 3_650;

/// How long somebody whose connection is lost stays in when nobody says how long.
const RECONNECT_GRACE_S_DEFAULT: u32 = 20;

/// The longest such grace, in seconds.
const RECONNECT_GRACE_S_MAX: u32 = 3_600;

/// How long the head of a request may take when nobody says how long.
const HEAD_TIMEOUT_MS_DEFAULT: u32 = 20_000;

/// The longest such time, in milliseconds.
const HEAD_TIMEOUT_MS_MAX: u32 = 600_000;

/// How Redis' URL may begin.
const REDIS_SCHEMES: &[&str] = &["redis", "rediss", "redis+unix", "unix"];

/// How the database's URL may begin.
const MYSQL_SCHEMES: &[&str] = &["mysql"];

/// The flags that every subcommand takes, before or after it.
#[expect(clippy::doc_markdown, reason = "help texts are no Markdown")]
#[derive(Args, Clone, Debug, Default)]
pub struct Flags {
    /// Reads the settings of this TOML file [env: PLENARY_CONFIG]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Keeps everything in one file in this directory, if neither Redis nor MySQL is named [env: PLENARY_DATA] [default: plenary in the XDG data directory]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Settings")]
    pub data: Option<String>,
    /// Redis, such as redis://127.0.0.1:6379/0 or redis+unix:///run/redis.sock [env: PLENARY_REDIS]
    #[arg(long, global = true, value_name = "URL", help_heading = "Settings")]
    pub redis: Option<String>,
    /// MySQL or MariaDB, such as mysql://user:password@127.0.0.1:3306/plenary [env: PLENARY_MYSQL]
    #[arg(long, global = true, value_name = "URL", help_heading = "Settings")]
    pub mysql: Option<String>,
    /// Which logs to write, such as info or plenary_server=debug,warn [env: PLENARY_LOG]
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Settings")]
    pub log: Option<String>,
    /// How to write them: text or json [env: PLENARY_LOG_FORMAT]
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Settings")]
    pub log_format: Option<String>,
    /// How many days a login is good [env: PLENARY_SESSION_TTL_DAYS]
    #[arg(long, global = true, value_name = "DAYS", help_heading = "Settings")]
    pub session_ttl_days: Option<String>,
    /// How many seconds a lost connection may take to come back [env: PLENARY_RECONNECT_GRACE_S]
    #[arg(long, global = true, value_name = "SECONDS", help_heading = "Settings")]
    pub reconnect_grace_s: Option<String>,
}

/// The flags of `serve` alone.
#[expect(clippy::doc_markdown, reason = "help texts are no Markdown")]
#[derive(Args, Clone, Debug, Default)]
pub struct ServeFlags {
    /// Listens here; port 0 picks a free one [env: PLENARY_BIND] [default: 127.0.0.1:7400]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub bind: Option<String>,
    /// Answers GET /metrics here, to anybody who can reach it; without it nowhere [env: PLENARY_METRICS_BIND]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics_bind: Option<String>,
    /// Serves plain HTTP also where other machines can listen in [env: PLENARY_INSECURE]
    #[arg(long)]
    pub insecure: bool,
    /// Serves the data file although it was moved to Redis and MySQL: what was said there since is not in it
    #[arg(long)]
    pub force: bool,
    /// How many milliseconds the head of a request may take, and so the pause before it [env: PLENARY_HEAD_TIMEOUT_MS]
    #[arg(long, value_name = "MS", hide = true)]
    pub head_timeout_ms: Option<String>,
}

/// Everything that can be set, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where to listen.
    pub bind: SocketAddr,
    /// Where the figures for operators are told, if anywhere.
    pub metrics_bind: Option<SocketAddr>,
    /// Whether plain HTTP may leave this machine.
    pub insecure: bool,
    /// The directory of the data file, for when neither Redis nor the database is named.
    pub data: Option<PathBuf>,
    /// Redis' URL; may hold a password.
    pub redis: Option<String>,
    /// The database's URL; may hold a password.
    pub mysql: Option<String>,
    /// How long a session is good, in seconds.
    pub session_ttl_s: u32,
    /// How long a lost connection may take to come back, in milliseconds.
    pub reconnect_grace_ms: i64,
    /// How long the head of a request may take, and so the pause before it.
    pub head_timeout: Duration,
    /// Which logs are written: a filter of `tracing`.
    pub log: String,
    /// How they are written.
    pub log_format: LogFormat,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `--bind`
    Flag(&'static str),
    /// `PLENARY_BIND`
    Variable(&'static str),
    /// A line of a file.
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

/// A setting that cannot be used, and where it comes from.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It has a value that it may not have.
    #[error("{from}: {key} {what}")]
    Value {
        /// Where it stands.
        from: Source,
        /// Which setting.
        key: &'static str,
        /// What it must be.
        what: String,
    },
    /// The file is not to be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is no TOML, or has keys that are no settings.
    #[error("{}:{line}: {what}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Needed, and nowhere to be found.
    #[error(
        "{key} is not set: give --{key} URL, the variable {variable}, or {key} = \"URL\" in the configuration file"
    )]
    Missing {
        /// Which setting.
        key: &'static str,
        /// Its variable.
        variable: &'static str,
    },
    /// Nobody says where the data file is to be, and there is no home directory.
    #[error("data is not set and there is no home directory: give --data DIR")]
    NoHome,
    /// Plain HTTP would leave this machine.
    #[error(
        "{from}: {bind} can be reached from other machines, and plain HTTP shows them every password: \
         bind to 127.0.0.1 behind a TLS proxy, or say --insecure"
    )]
    NotLoopback {
        /// Where the address stands.
        from: Source,
        /// The address.
        bind: SocketAddr,
    },
}

/// A flag whose value cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("--{flag}: {what}")]
pub struct UsageError {
    flag: &'static str,
    what: String,
}

impl UsageError {
    /// Which flag, and what is wrong with its value.
    pub fn new(flag: &'static str, what: impl fmt::Display) -> Self {
        let what = what.to_string();
        Self { flag, what }
    }
}

impl Settings {
    /// Checks everything that was gathered.
    pub fn resolve(gathered: &Gathered) -> Result<Self, ConfigError> {
        let log = gathered
            .read("log", |text| match telemetry::filter(text) {
                Ok(_) => Ok(text.to_owned()),
                Err(error) => Err(format!("is no filter of logs: {error}")),
            })?
            .unwrap_or_else(|| "info".to_owned());
        let session_ttl_days = gathered
            .read("session_ttl_days", |t| whole(t, 1, SESSION_TTL_DAYS_MAX))?
            .unwrap_or(SESSION_TTL_DAYS_DEFAULT);
        let reconnect_grace_s = gathered
            .read("reconnect_grace_s", |t| whole(t, 1, RECONNECT_GRACE_S_MAX))?
            .unwrap_or(RECONNECT_GRACE_S_DEFAULT);
        let head_timeout_ms = gathered
            .read("head_timeout_ms", |t| whole(t, 1, HEAD_TIMEOUT_MS_MAX))?
            .unwrap_or(HEAD_TIMEOUT_MS_DEFAULT);
        Ok(Self {
            bind: gathered.read("bind", address)?.unwrap_or(BIND_DEFAULT),
            metrics_bind: gathered.read("metrics_bind", address)?,
            insecure: gathered.read("insecure", yes_or_no)?.unwrap_or(false),
            data: gathered.read("data", directory)?,
            redis: gathered.read("redis", |text| url(text, REDIS_SCHEMES))?,
            mysql: gathered.read("mysql", |text| url(text, MYSQL_SCHEMES))?,
            session_ttl_s: session_ttl_days * 86_400,
            reconnect_grace_ms: i64::from(reconnect_grace_s) * 1_000,
            head_timeout: Duration::from_millis(head_timeout_ms.into()),
            log,
            log_format: gathered.read("log_format", log_format)?.unwrap_or_default(),
        })
    }

    /// Refuses to serve plain HTTP to other machines, unless that is wanted.
    pub fn check_bind(&self, gathered: &Gathered) -> Result<(), ConfigError> {
        if self.insecure || self.bind.ip().is_loopback() {
            return Ok(());
        }
        Err(ConfigError::NotLoopback {
            // The default is a loopback address: what is none has a source.
            from: gathered.source("bind").unwrap_or(Source::Flag("bind")),
            bind: self.bind,
        })
    }

    /// Refuses a command that is about the one file, where Redis or the database is named.
    pub fn check_embedded(&self, gathered: &Gathered, instead: &str) -> Result<(), ConfigError> {
        for (key, set) in [("redis", &self.redis), ("mysql", &self.mysql)] {
            if set.is_some() {
                return Err(ConfigError::Value {
                    from: gathered.source(key).unwrap_or(Source::Flag(key)),
                    key,
                    what: format!(
                        "is not for this command, which is about the one file: {instead}"
                    ),
                });
            }
        }
        Ok(())
    }

    /// Whether everything is kept in one file: neither Redis nor the database is named.
    pub fn is_embedded(&self) -> bool {
        self.redis.is_none() && self.mysql.is_none()
    }

    /// The directory of that file.
    pub fn data_directory(&self) -> Result<&Path, ConfigError> {
        self.data.as_deref().ok_or(ConfigError::NoHome)
    }

    /// Redis' URL, which must be set.
    pub fn redis_url(&self) -> Result<&str, ConfigError> {
        self.redis.as_deref().ok_or(ConfigError::Missing {
            key: "redis",
            variable: "PLENARY_REDIS",
        })
    }

    /// The database's URL, which must be set.
    pub fn mysql_url(&self) -> Result<&str, ConfigError> {
        self.mysql.as_deref().ok_or(ConfigError::Missing {
            key: "mysql",
            variable: "PLENARY_MYSQL",
        })
    }
}

// Passwords in URLs never reach a log: not even by way of `{:?}`.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("bind", &self.bind)
            .field("metrics_bind", &self.metrics_bind)
            .field("insecure", &self.insecure)
            .field("data", &self.data)
            .field("redis", &self.redis.as_deref().map(redacted))
            .field("mysql", &self.mysql.as_deref().map(redacted))
            .field("session_ttl_s", &self.session_ttl_s)
            .field("reconnect_grace_ms", &self.reconnect_grace_ms)
            .field("head_timeout", &self.head_timeout)
            .field("log", &self.log)
            .field("log_format", &self.log_format)
            .finish()
    }
}

/// A URL with its password, and its query, made unreadable: as it may be shown.
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "…".to_owned();
    };
    // A password may hold any of the marks that end it: the last @ before the query is the one.
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

fn directory(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("must name a directory".to_owned());
    }
    Ok(PathBuf::from(text))
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

/// A Redis named by a flag of one command.
pub fn redis_flag(flag: &'static str, text: &str) -> Result<String, UsageError> {
    url(text, REDIS_SCHEMES).map_err(|what| UsageError::new(flag, what))
}

/// A database named by a flag of one command.
pub fn mysql_flag(flag: &'static str, text: &str) -> Result<String, UsageError> {
    url(text, MYSQL_SCHEMES).map_err(|what| UsageError::new(flag, what))
}

/// Says nothing of the text itself, which may hold a password.
fn url(text: &str, schemes: &[&str]) -> Result<String, String> {
    match text.split_once("://") {
        Some((scheme, rest)) if schemes.contains(&scheme) && !rest.is_empty() => {
            Ok(text.to_owned())
        }
        Some(_) | None => Err(format!(
            "must be a URL that begins with {}",
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
