//! Runs the program: the event loop of the screen, line mode, and the execution of effects.

mod account_task;
mod cache_writer;
mod config_watch;
mod desktop;
mod effects;
mod export_task;
mod external_editor;
mod headless;
mod history_writer;
mod journal_writer;
mod launch;
mod line_mode;
mod paste_detector;
mod screen;
mod terminal_input;
mod user_config;

use std::io::{self, Write as _};
use std::time::{Duration, SystemTime};

use plenary_shared::text::for_terminal;
use plenary_shared::time::Timestamp;
use tokio::time::Instant;

use crate::model::Model;
use crate::term::Term;
use screen::Screen;

pub use desktop::Desktop;
pub use headless::Headless;
pub use launch::LaunchOptions;
pub use line_mode::{Outcome, run_line_mode};

/// Opens the screen and returns after it is closed. `dashboard` opens the admins' dashboard first.
///
/// The process must have a rustls crypto provider installed.
pub async fn run(options: &LaunchOptions, dashboard: bool) -> io::Result<()> {
    let mut term = Term::enter(options.has_links)?;
    let mut screen = Screen::new(options, &term)?;
    screen.model.opens_dashboard = dashboard;
    let result = screen.run(&mut term).await;
    drop(term);
    print_notes(&screen.effects.finish().await);
    result
}

/// Prints messages of effects that finished after the screen was closed.
fn print_notes(notes: &[String]) {
    for note in notes {
        // Standard error may be closed.
        let _ = writeln!(io::stderr(), "plenary: {}", for_terminal(note));
    }
}

/// Returns when the model needs the next tick.
fn wake_at(model: &Model, wall_clock: fn() -> SystemTime) -> Instant {
    let wait_ms = model
        .next_tick_at()
        .plus_ms(-model.skew_ms)
        .ms_since(now(wall_clock));
    Instant::now() + Duration::from_millis(wait_ms.max(0).unsigned_abs())
}

fn now(wall_clock: fn() -> SystemTime) -> Timestamp {
    let since = wall_clock()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
