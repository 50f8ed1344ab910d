//! Child processes: started directly, signalled by pid, killed when their guard is dropped.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::wait::until;

/// A signal that a test can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Asks for an orderly shutdown.
    Term,
    /// Interrupts, as Ctrl-C does.
    Int,
    /// Reports a lost terminal.
    Hup,
    /// Suspends.
    Stop,
    /// Resumes.
    Cont,
}

impl Signal {
    const fn name(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Int => "INT",
            Self::Hup => "HUP",
            Self::Stop => "STOP",
            Self::Cont => "CONT",
        }
    }
}

/// A program that ran to completion.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The exit code; 128 + signal if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Returns standard output. Fails the test unless the exit code is 0.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(
            self.code, 0,
            "exit code {}\nstdout: {}\nstderr: {}",
            self.code, self.stdout, self.stderr
        );
        self.stdout
    }

    /// Returns standard output parsed as JSON.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        let stdout = self.ok();
        serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("not JSON ({e}): {stdout}"))
    }
}

/// The path of one of this workspace's programs, which cargo puts above the test's directory.
#[track_caller]
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let directory = test
        .parent()
        .and_then(Path::parent)
        .expect("tests lie in target/PROFILE/deps");
    let path = directory.join(name);
    assert!(
        path.exists(),
        "{} is not built: run `cargo build --workspace`, or test with `--workspace`",
        path.display()
    );
    path
}

/// Runs `command` to completion with `input` on its standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Finished {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{}: {e}", missing(command.get_program())));
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let input = input.to_vec();
    // A program that reads nothing closes the pipe, which is not an error.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("a child can be waited for");
    writer.join().expect("the writer does not panic");
    Finished {
        code: exit_code(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The error message for a program that cannot be started.
pub(crate) fn missing(program: &OsStr) -> String {
    let name = program.to_string_lossy();
    let package = BTreeMap::from([
        ("redis-server", "redis-server"),
        ("redis-cli", "redis-tools"),
        ("mariadbd", "mariadb-server"),
        ("mariadb", "mariadb-client"),
        ("mariadb-install-db", "mariadb-server"),
    ]);
    match package.iter().find(|(tool, _)| name.ends_with(*tool)) {
        Some((_, package)) => format!(
            "{name} cannot be started: install the package {package} (script/test installs what is missing)"
        ),
        None => format!("{name} cannot be started"),
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(-1)
}

/// A running child. Its output is collected, and printed if the test fails.
#[derive(Debug)]
pub(crate) struct ChildGuard {
    name: String,
    child: Child,
    output: Output,
    /// Whether the output is printed if the test fails.
    prints_output: bool,
}

/// The output lines of a child, collected by two threads that end with its pipes.
#[derive(Clone, Debug, Default)]
struct Output {
    stdout: Arc<Mutex<Vec<String>>>,
    stderr: Arc<Mutex<Vec<String>>>,
}

/// Lines kept of each pipe; older lines are dropped.
const LINES_MAX: usize = 20_000;

/// Lines printed when a test fails: some of the first and most of the last.
const LINES_PRINTED: usize = 80;

impl ChildGuard {
    /// Starts `command`. `name` prefixes its output if the test fails.
    pub(crate) fn spawn(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", missing(command.get_program())));
        let output = Output::default();
        collect(child.stdout.take(), Arc::clone(&output.stdout));
        collect(child.stderr.take(), Arc::clone(&output.stderr));
        Self {
            name: name.to_owned(),
            child,
            output,
            prints_output: true,
        }
    }

    /// Does not print the output if the test fails.
    pub(crate) fn quiet(mut self) -> Self {
        self.prints_output = false;
        self
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn stdout(&self) -> Vec<String> {
        lines(&self.output.stdout)
    }

    pub(crate) fn stderr(&self) -> Vec<String> {
        lines(&self.output.stderr)
    }

    /// The exit code, if the process has ended.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.child
            .try_wait()
            .expect("the status of a child can be read")
            .map(exit_code)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let done = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{} {}", signal.name(), self.pid()))
            .status()
            .expect("sh is installed");
        assert!(done.success(), "{} has already ended", self.name);
        if signal == Signal::Stop {
            // Threads stop one after the other; until all have stopped, one may still answer.
            until(&format!("{} to stop", self.name), || {
                self.is_stopped().then_some(())
            });
        }
    }

    fn is_stopped(&self) -> bool {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{}/task", self.pid())) else {
            return false;
        };
        let mut states = threads.flatten().map(|thread| {
            let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            // The state follows the name, which may contain anything.
            stat.rsplit(')')
                .next()
                .is_some_and(|rest| rest.starts_with(" T"))
        });
        states.all(|is_stopped| is_stopped)
    }

    /// Sends SIGKILL and waits until the process is gone.
    pub(crate) fn kill9(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends SIGTERM and returns the exit code.
    pub(crate) fn terminate(&mut self) -> i32 {
        self.signal(Signal::Term);
        let name = self.name.clone();
        until(&format!("{name} to end after SIGTERM"), || self.ended())
    }
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        self.kill9();
        if self.prints_output && thread::panicking() {
            let lines = [self.stdout(), self.stderr()].concat();
            let first = LINES_PRINTED / 4;
            let last = lines.len().saturating_sub(LINES_PRINTED - first);
            for (at, line) in lines.iter().enumerate() {
                if at < first || at >= last {
                    eprintln!("[{}] {line}", self.name);
                }
            }
        }
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>, into: Arc<Mutex<Vec<String>>>) {
    let pipe = pipe.expect("the pipe was requested");
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let mut lines = into.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == LINES_MAX {
                lines.drain(..LINES_MAX / 2);
            }
            lines.push(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

fn lines(of: &Mutex<Vec<String>>) -> Vec<String> {
    of.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
