//! Logs: `tracing` to standard error, as text or as JSON lines.
//!
//! One thread writes all lines. A line that cannot be written is dropped and counted, and so is a line
//! that finds the queue full because standard error blocks. Logging therefore never delays or ends a
//! task.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{LazyLock, OnceLock};
use std::thread;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterFn, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

/// Lines that wait to be written. When the queue is full, further lines are dropped and counted. Lines
/// have a few hundred bytes, so the queue stays below a few megabytes.
const LINES_MAX: usize = 4_096;

/// Time that [`flush`] waits for standard error, in milliseconds.
const FLUSH_MS: u64 = 1_000;

/// What the targets of our own log lines start with.
const OWN_TARGETS: &str = "plenary";

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Why a text is not a log filter.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// A word that is neither a level nor one of our targets. Alone, it would enable everything of a
    /// target that does not exist, and nothing else.
    #[error("'{0}' is not a level: write off, error, warn, info, debug or trace, or TARGET=LEVEL")]
    NotALevel(String),
    /// No directive concerns the server.
    #[error("it logs nothing of the server: add a level, such as info, or plenary_server=LEVEL")]
    Nothing,
    /// The syntax is wrong.
    #[error(transparent)]
    Syntax(#[from] tracing_subscriber::filter::ParseError),
}

/// Parses a log filter such as `info` or `plenary_server=debug,warn`.
pub fn filter(text: &str) -> Result<EnvFilter, FilterError> {
    let mut concerns_us = false;
    let directives: Vec<&str> = text.split(',').map(str::trim).collect();
    for &directive in &directives {
        let (target, has_level) = match directive.split_once('=') {
            Some((target, _)) => (target, true),
            None => (directive, false),
        };
        // A span filter, such as [request{id=7}]=debug, applies to all targets.
        let is_ours = target.starts_with(OWN_TARGETS) || target.starts_with('[');
        if !has_level && !is_ours {
            let is_level = !directive.is_empty() && directive.parse::<LevelFilter>().is_ok();
            if !is_level {
                return Err(FilterError::NotALevel(directive.to_owned()));
            }
            concerns_us = true;
        }
        concerns_us |= is_ours;
    }
    if !concerns_us {
        return Err(FilterError::Nothing);
    }
    Ok(EnvFilter::builder().parse(directives.join(","))?)
}

/// Sends all logs of this process, and its panics, to standard error. A second call does nothing.
pub fn init(filter: EnvFilter, format: LogFormat) {
    let (queue, entries) = sync_channel(LINES_MAX);
    let lines = Lines(queue.clone());
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .log_internal_errors(false)
        .with_writer(move || lines.clone());
    let filter_handle: Result<Reload, _> = match format {
        LogFormat::Text => {
            let logs = logs.with_ansi(false).with_filter_reloading();
            let handle = logs.reload_handle();
            let logs = logs.finish().with(without_library_details());
            logs.try_init()
                .map(|()| Box::new(move |filter| handle.reload(filter)) as Reload)
        }
        LogFormat::Json => {
            let logs = logs.json().flatten_event(true).with_span_list(false);
            let logs = logs.with_filter_reloading();
            let handle = logs.reload_handle();
            let logs = logs.finish().with(without_library_details());
            logs.try_init()
                .map(|()| Box::new(move |filter| handle.reload(filter)) as Reload)
        }
    };
    // Only a second call fails, and then logging is already set up.
    let Ok(filter_handle) = filter_handle else {
        return;
    };
    let _ = RELOAD.set(filter_handle);
    let _ = QUEUE.set(queue);
    // Without a thread, all lines are dropped and counted.
    let _ = thread::Builder::new()
        .name("plenary-log".to_owned())
        .spawn(move || write_entries(&entries, io::stderr(), dropped_lines()));
    log_panics();
}

/// Replaces the log filter.
pub fn reload(filter: EnvFilter) -> Result<(), reload::Error> {
    RELOAD.get().map_or(Ok(()), |reload| reload(filter))
}

/// Waits until the lines logged so far are written, but not longer than a second.
pub fn flush() {
    let Some(queue) = QUEUE.get() else { return };
    let (written, all_written) = sync_channel(1);
    if queue.try_send(Entry::Flush(written)).is_ok() {
        let _ = all_written.recv_timeout(Duration::from_millis(FLUSH_MS));
    }
}

/// Returns the counter of lines that were not written.
pub fn dropped_lines() -> &'static Counter {
    static DROPPED: LazyLock<Counter> = LazyLock::new(Counter::default);
    &DROPPED
}

type Reload = Box<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>;

/// Replaces the filter of the logs, once they are set up.
static RELOAD: OnceLock<Reload> = OnceLock::new();

/// The queue of the writing thread, once logs are set up.
static QUEUE: OnceLock<SyncSender<Entry>> = OnceLock::new();

enum Entry {
    /// A complete line.
    Line(Vec<u8>),
    /// A request to report that all lines before it are written.
    Flush(SyncSender<()>),
}

/// The writer that `tracing` uses: it writes each line with one call.
#[derive(Clone)]
struct Lines(SyncSender<Entry>);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.try_send(Entry::Line(line.to_vec())).is_err() {
            dropped_lines().inc();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the entries of the queue until its senders are gone. Logs how many lines were dropped once
/// lines can be written again.
fn write_entries(entries: &Receiver<Entry>, mut out: impl Write, dropped: &Counter) {
    let mut reported = dropped.get();
    for entry in entries {
        match entry {
            Entry::Line(line) if out.write_all(&line).is_err() => {
                dropped.inc();
            }
            Entry::Line(_) => {
                let total = dropped.get();
                let lines = total - reported;
                reported = total;
                if lines > 0 {
                    tracing::warn!(lines, "log lines were dropped");
                }
            }
            Entry::Flush(written) => {
                // The caller may have stopped waiting.
                let _ = written.try_send(());
            }
        }
    }
}

/// Logs panics like other errors, so that a panic does not wait for standard error either. With errors
/// filtered out, the standard library prints it.
fn log_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
        if !tracing::enabled!(Level::ERROR) {
            return print(panic);
        }
        let place = panic.location().map(ToString::to_string);
        let thread = thread::current();
        tracing::error!(
            thread = thread.name().unwrap_or("unnamed"),
            place = place.as_deref().unwrap_or("unknown"),
            cause = panic.payload_as_str().unwrap_or("not a text"),
            "panicked"
        );
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            tracing::error!(%trace, "backtrace of the panic");
        }
    }));
}

/// Drops debug and trace logs of libraries, whatever the filter allows: they contain whole frames and
/// statements, with messages and passwords.
fn without_library_details() -> FilterFn {
    filter_fn(|about| *about.level() <= Level::INFO || about.target().starts_with(OWN_TARGETS))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("info", None)]
    #[case("off", None)]
    #[case("WARN", None)]
    #[case("plenary_server=debug,warn", None)]
    #[case("plenary_server", None)]
    #[case("hyper=warn, plenary_server::scheduler=trace", None)]
    #[case("inof", Some("'inof' is not a level"))]
    #[case("info,", Some("'' is not a level"))]
    #[case("warn,plenray_server", Some("'plenray_server' is not a level"))]
    #[case("inof=debug", Some("nothing of the server"))]
    #[case("plenary_server=inof", Some("expected one of"))]
    fn filter_that_would_hide_the_logs_is_refused(
        #[case] text: &str,
        #[case] refused: Option<&str>,
    ) {
        match (filter(text), refused) {
            (Ok(_), None) => {}
            (Err(error), Some(expected)) => {
                assert!(error.to_string().contains(expected), "{error}");
            }
            (other, expected) => panic!("{text}: {other:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn line_that_cannot_be_written_is_dropped_and_counted() {
        struct FullDisk;
        impl Write for FullDisk {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (queue, entries) = sync_channel(4);
        let (written, all_written) = sync_channel(1);
        for entry in [
            Entry::Line(b"one\n".to_vec()),
            Entry::Line(b"two\n".to_vec()),
            Entry::Flush(written),
        ] {
            queue.try_send(entry).expect("there is space");
        }
        drop(queue);
        let dropped = Counter::default();
        write_entries(&entries, FullDisk, &dropped);
        assert_eq!(dropped.get(), 2);
        all_written.try_recv().expect("a flush is answered");
    }

    #[test]
    fn line_for_a_full_queue_does_not_wait() {
        let (queue, entries) = sync_channel(1);
        let mut lines = Lines(queue);
        let before = dropped_lines().get();
        for _ in 0..3 {
            lines.write_all(b"line\n").expect("it never fails");
        }
        assert!(dropped_lines().get() >= before + 2);
        assert_eq!(entries.try_iter().count(), 1);
    }
}
