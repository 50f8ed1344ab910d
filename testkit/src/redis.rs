//! A private Redis in a directory of its own, on a unix socket and, if wanted, on a loopback port.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::directory::directory;
use crate::process::{Finished, Guarded, Signal, run};
use crate::wait::until;

/// How long one PING may take; then it is asked again.
const PONG: Duration = Duration::from_secs(1);

/// How a private Redis is set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct RedisOptions {
    /// Keeps an append-only file, so that a restart finds everything that was acknowledged.
    pub aof: bool,
    /// Also listens on a free port of 127.0.0.1, and [`Redis::url`] names that.
    pub tcp: bool,
}

/// A running redis-server; stopped and removed when dropped.
#[derive(Debug)]
pub struct Redis {
    // Before the directory, so that the process is gone before its files are.
    process: Option<Guarded>,
    options: RedisOptions,
    port: u16,
    directory: TempDir,
}

impl Redis {
    /// On a unix socket, forgetting everything when it stops.
    pub fn start() -> Self {
        Self::with(RedisOptions::default())
    }

    /// As `options` say.
    pub fn with(options: RedisOptions) -> Self {
        let port = if options.tcp { free_port() } else { 0 };
        let mut redis = Self {
            process: None,
            options,
            port,
            directory: directory(),
        };
        redis.begin();
        redis
    }

    /// Where it is, in the form of the server's `--redis`.
    pub fn url(&self) -> String {
        if self.options.tcp {
            format!("redis://127.0.0.1:{}/0", self.port)
        } else {
            format!("redis+unix://{}", self.socket().display())
        }
    }

    /// Its unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("r.sock")
    }

    /// One command by `redis-cli`; the answer as it prints it, a line for each element.
    #[track_caller]
    pub fn command(&self, words: &[&str]) -> Vec<String> {
        let answer = self.cli(words).ok();
        answer.lines().map(str::to_owned).collect()
    }

    /// Every key that matches `pattern`, in order.
    #[track_caller]
    pub fn keys(&self, pattern: &str) -> Vec<String> {
        let mut keys = self.command(&["KEYS", pattern]);
        keys.retain(|key| !key.is_empty());
        keys.sort();
        keys
    }

    /// The process' number, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Guarded::pid)
    }

    /// SIGKILL. [`Redis::restart`] brings it back.
    pub fn kill9(&mut self) {
        drop(self.process.take());
    }

    /// SIGTERM, waited for. [`Redis::restart`] brings it back.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.terminate();
        }
    }

    /// The same Redis on the same directory and address; with what its append-only file remembers.
    pub fn restart(&mut self) {
        self.stop();
        self.begin();
    }

    /// Tells the process something, such as to stand still.
    pub fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("this Redis is stopped");
        process.signal(signal);
    }

    fn begin(&mut self) {
        let path = self.directory.path();
        let yes_no = |yes| if yes { "yes" } else { "no" };
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .arg("--unixsocket")
            .arg(self.socket())
            .args(["--unixsocketperm", "700", "--save", "", "--daemonize", "no"])
            .args(["--appendonly", yes_no(self.options.aof)])
            .args(["--maxmemory-policy", "noeviction"])
            .arg("--dir")
            .arg(path);
        let mut process = Guarded::spawn("redis", &mut command).quiet();
        until("redis to answer PING", || {
            if let Some(code) = process.ended() {
                panic!("redis-server ended with {code}: {:?}", process.stdout());
            }
            pong(&self.socket()).unwrap_or(false).then_some(())
        });
        self.process = Some(process);
    }

    fn cli(&self, words: &[&str]) -> Finished {
        let mut command = Command::new("redis-cli");
        command.arg("-e").arg("-s").arg(self.socket()).args(words);
        run(&mut command, b"")
    }
}

/// Whether it answers, without a process for the question: a test may ask very often.
fn pong(socket: &Path) -> io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PONG))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer)?;
    Ok(answer == *b"+PONG\r\n")
}

/// A port that nobody had a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("a bound socket has one");
    address.port()
}
