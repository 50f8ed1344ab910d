//! Prompts on the terminal.

use std::io::{self, IsTerminal as _, Write as _};

use crossterm::event::{self, Event, KeyCode, KeyModifiers};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use super::Failure;

/// Returns whether there is a terminal to prompt on.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Prompts for a line.
pub fn ask(question: &str) -> Result<String, Failure> {
    print(&format!("{question}: "))?;
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line).map_err(|e| broken(&e))?;
    if read == 0 {
        return Err(cancelled());
    }
    Ok(line.trim().to_owned())
}

/// Prompts for a line without echoing the input.
pub fn ask_secret(question: &str) -> Result<String, Failure> {
    let typed = {
        // Before the prompt, so that input is never echoed.
        let _raw = RawMode::enter().map_err(|error| broken(&error))?;
        print(&format!("{question}: ")).and_then(|()| read_hidden())
    };
    print("\n")?;
    typed
}

fn read_hidden() -> Result<String, Failure> {
    let mut typed = String::new();
    loop {
        let Event::Key(key) = event::read().map_err(|error| broken(&error))? else {
            continue;
        };
        if !key.is_press() {
            continue;
        }
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(typed),
            KeyCode::Char('j' | 'm') if is_control => return Ok(typed),
            KeyCode::Char('c' | 'd') if is_control => return Err(cancelled()),
            KeyCode::Char('u') if is_control => typed.clear(),
            KeyCode::Char('h') if is_control => drop(typed.pop()),
            KeyCode::Backspace => drop(typed.pop()),
            KeyCode::Char(c) if !is_control => typed.push(c),
            _ => {}
        }
    }
}

/// Raw mode of the terminal: keys are not echoed. Dropping it restores the mode.
struct RawMode;

impl RawMode {
    fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        Ok(Self)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // The terminal may be gone.
        let _ = disable_raw_mode();
    }
}

/// Writes trusted text to the terminal.
fn print(text: &str) -> Result<(), Failure> {
    let mut stderr = io::stderr();
    stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush())
        .map_err(|error| broken(&error))
}

fn broken(error: &io::Error) -> Failure {
    Failure::other(format!("Cannot use the terminal: {error}."))
}

fn cancelled() -> Failure {
    Failure::other("Sign-in cancelled.")
}
