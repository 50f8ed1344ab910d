//! Logs: `tracing` to standard error, as text or as JSON lines.

use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterFn, ParseError, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Parses a log filter such as `info` or `plenary_server=debug,warn`.
pub fn filter(text: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(text)
}

/// Sends all logs of this process to standard error. A second call does nothing.
pub fn init(filter: EnvFilter, format: LogFormat) {
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Only a second call fails, and then logging is already set up.
    let _ = match format {
        LogFormat::Text => logs
            .with_ansi(false)
            .finish()
            .with(without_library_details())
            .try_init(),
        LogFormat::Json => logs
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .finish()
            .with(without_library_details())
            .try_init(),
    };
}

/// Drops debug and trace logs of libraries, whatever the filter allows: they contain whole frames and
/// statements, with messages and passwords.
fn without_library_details() -> FilterFn {
    filter_fn(|about| *about.level() <= Level::INFO || about.target().starts_with("plenary"))
}
