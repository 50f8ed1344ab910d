//! Standard output and standard error, which may be closed pipes.

use std::io::{self, Write};

use plenary_shared::text::for_terminal;

use super::Failure;

/// Standard output. Each line is flushed at once.
pub struct Output {
    to: Box<dyn Write + Send>,
}

impl Output {
    /// Returns the standard output of the process.
    pub fn stdout() -> Self {
        Self {
            to: Box::new(io::stdout()),
        }
    }

    /// Prints a line. `text` must be safe for terminals.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        // A single write, so that lines of programs that share a pipe do not mix.
        self.text(&format!("{text}\n"))
    }

    /// Prints a text. It must be safe for terminals.
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.to.write_all(text.as_bytes())?;
        self.to.flush()?;
        Ok(())
    }
}

/// Prints a note to standard error.
pub fn note(text: &str) {
    // Standard error may be closed.
    let _ = writeln!(io::stderr(), "plenary: {}", for_terminal(text));
}
