//! Standard output and standard error, either of which may close at any time.

use std::io::{self, Write};

use plenary_shared::text::for_terminal;

use super::Failure;

/// Where a command's result goes: line by line, each at once.
pub struct Out {
    to: Box<dyn Write + Send>,
}

impl Out {
    /// The process's.
    pub fn stdout() -> Self {
        Self {
            to: Box::new(io::stdout()),
        }
    }

    /// Prints what is safe to print already, and a line end.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        // One write a line, so that two programs that share a pipe do not mix theirs.
        self.to.write_all(format!("{text}\n").as_bytes())?;
        self.to.flush()?;
        Ok(())
    }

    /// Prints a whole text that is safe to print already.
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.to.write_all(text.as_bytes())?;
        self.to.flush()?;
        Ok(())
    }
}

/// A remark for the person, which is not part of the result.
pub fn note(text: &str) {
    // Nothing can be told to somebody who does not listen.
    let _ = writeln!(io::stderr(), "plenary: {}", for_terminal(text));
}
