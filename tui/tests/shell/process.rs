//! A command as a running process.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use plenary_testkit::{Client, binary, until};

/// Returns the command `plenary ARGS` with the client's home directory.
pub fn command(client: &Client, args: &[&str]) -> Command {
    let mut command = Command::new(binary("plenary"));
    command
        .env_clear()
        .env("HOME", client.home())
        .env("XDG_CONFIG_HOME", client.home().join(".config"))
        .env("XDG_STATE_HOME", client.home().join(".local/state"))
        .env("PLENARY_SERVER", client.server())
        .env("TZ", "UTC")
        .args(args);
    command
}

/// A running command. Dropping it kills the process.
pub struct Running {
    child: Child,
    lines: Lines,
    notes: Lines,
    /// They end when the process closes its pipes.
    readers: Vec<JoinHandle<()>>,
}

type Lines = Arc<Mutex<Vec<String>>>;

impl Running {
    /// Starts a command with empty standard input.
    pub fn start(client: &Client, args: &[&str]) -> Self {
        Self::with_input(client, args, "")
    }

    /// Starts a command with this standard input.
    pub fn with_input(client: &Client, args: &[&str], input: &str) -> Self {
        let mut child = command(client, args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).expect("it reads");
        let (lines, notes) = (Lines::default(), Lines::default());
        let readers = vec![
            collect(child.stdout.take(), &lines),
            collect(child.stderr.take(), &notes),
        ];
        Self {
            child,
            lines,
            notes,
            readers,
        }
    }

    /// Returns the lines of standard output so far.
    pub fn lines(&self) -> Vec<String> {
        read(&self.lines)
    }

    /// Returns the lines of standard error so far.
    pub fn notes(&self) -> Vec<String> {
        read(&self.notes)
    }

    /// Waits for a line of standard output with this text.
    pub fn wait_for(&self, part: &str) {
        self.wait(&self.lines, part);
    }

    /// Waits for a line of standard error with this text.
    pub fn wait_for_note(&self, part: &str) {
        self.wait(&self.notes, part);
    }

    fn wait(&self, lines: &Lines, part: &str) {
        let what = format!("{part:?} to be printed, standard error: {:?}", self.notes());
        until(&what, || {
            read(lines)
                .iter()
                .any(|line| line.contains(part))
                .then_some(())
        });
    }

    /// Waits for the exit and for all output.
    pub fn exit_code(&mut self) -> i32 {
        let status = until("the command to end", || {
            self.child.try_wait().expect("a child can be asked")
        });
        for reader in self.readers.drain(..) {
            reader.join().expect("readers do not panic");
        }
        status.code().expect("no signal ended it")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>, lines: &Lines) -> JoinHandle<()> {
    let pipe = pipe.expect("the pipe was asked for");
    let lines = Arc::clone(lines);
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    })
}

fn read(lines: &Lines) -> Vec<String> {
    lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
