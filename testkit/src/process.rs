//! A child process under guard: started directly, signalled by its pid, gone when its guard is dropped.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::wait::until;

/// What a test may tell a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Stop in good order.
    Term,
    /// As Ctrl-C.
    Int,
    /// As a lost terminal.
    Hup,
    /// Stand still.
    Stop,
    /// Go on.
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

/// A program that ran to its end.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit code; 128 + signal when a signal ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

impl Finished {
    /// Fails the test unless the exit code is 0; gives back what was printed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(
            self.code, 0,
            "exit code {}\nstdout: {}\nstderr: {}",
            self.code, self.stdout, self.stderr
        );
        self.stdout
    }

    /// What was printed, read as JSON.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        let stdout = self.ok();
        serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("no JSON ({e}): {stdout}"))
    }
}

/// The path of one of this workspace's own programs, which cargo puts beside the test's directory.
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

/// Runs `command` to its end with `input` on its standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Finished {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{}: {e}", missing(command.get_program())));
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let input = input.to_vec();
    // A program that reads nothing closes the pipe: that is its right.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("a child can be waited for");
    writer.join().expect("the writer does not panic");
    Finished {
        code: exit_code(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The sentence for a program that is not installed.
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

/// A running child whose output is collected, and printed when the test fails.
#[derive(Debug)]
pub(crate) struct Guarded {
    name: String,
    child: Child,
    output: Output,
    /// Whether its output is printed when the test fails.
    tells: bool,
}

/// Lines of a child, collected by two threads that end with its pipes.
#[derive(Clone, Debug, Default)]
struct Output {
    stdout: Arc<Mutex<Vec<String>>>,
    stderr: Arc<Mutex<Vec<String>>>,
}

/// Lines kept of each pipe; what is older is dropped, so that a chatty child stays bounded.
const LINES_MAX: usize = 20_000;

/// Lines printed when a test fails: the first and, mostly, the last.
const LINES_TOLD: usize = 80;

impl Guarded {
    /// Starts `command`; `name` stands before its output when the test fails.
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
            tells: true,
        }
    }

    /// Its output is of no help when a test fails.
    pub(crate) fn quiet(mut self) -> Self {
        self.tells = false;
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

    /// The exit code, if it has ended.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.child
            .try_wait()
            .expect("a child can be asked")
            .map(exit_code)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let done = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{} {}", signal.name(), self.pid()))
            .status()
            .expect("sh is installed");
        assert!(done.success(), "{} was gone already", self.name);
        if signal == Signal::Stop {
            // Its threads stand still one after the other; until then one may still answer.
            until(&format!("{} to stand still", self.name), || {
                self.stands_still().then_some(())
            });
        }
    }

    fn stands_still(&self) -> bool {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{}/task", self.pid())) else {
            return false;
        };
        let mut states = threads.flatten().map(|thread| {
            let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            // After its name, which may be anything.
            stat.rsplit(')')
                .next()
                .is_some_and(|rest| rest.starts_with(" T"))
        });
        states.all(|is_stopped| is_stopped)
    }

    /// SIGKILL, and waits until it is gone.
    pub(crate) fn kill9(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and waits for its exit code.
    pub(crate) fn terminate(&mut self) -> i32 {
        self.signal(Signal::Term);
        let name = self.name.clone();
        until(&format!("{name} to end after SIGTERM"), || self.ended())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.kill9();
        if self.tells && thread::panicking() {
            let lines = [self.stdout(), self.stderr()].concat();
            let first = LINES_TOLD / 4;
            let last = lines.len().saturating_sub(LINES_TOLD - first);
            for (at, line) in lines.iter().enumerate() {
                if at < first || at >= last {
                    eprintln!("[{}] {line}", self.name);
                }
            }
        }
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>, into: Arc<Mutex<Vec<String>>>) {
    let pipe = pipe.expect("the pipe was asked for");
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
