//! A private Redis in its own directory, on a unix socket and optionally on a loopback port.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::directory::directory;
use crate::process::{ChildGuard, Finished, Signal, run};
use crate::wait::until;

/// The timeout of one PING; then it is repeated.
const PONG: Duration = Duration::from_secs(1);

/// The options of a private Redis.
#[derive(Clone, Copy, Debug, Default)]
pub struct RedisOptions {
    /// Keeps an append-only file, so that acknowledged writes survive a restart.
    pub aof: bool,
    /// Also listens on a free port of 127.0.0.1, which [`Redis::url`] then names.
    pub tcp: bool,
}

/// A running redis-server; stopped and removed on drop.
#[derive(Debug)]
pub struct Redis {
    // Before `directory`, so that the process ends before its files are removed.
    process: Option<ChildGuard>,
    options: RedisOptions,
    port: u16,
    directory: TempDir,
}

impl Redis {
    /// Starts a Redis on a unix socket, without persistence.
    pub fn start() -> Self {
        Self::with(RedisOptions::default())
    }

    /// Starts a Redis with these options.
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

    /// The URL for the server's `--redis`.
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

    /// Runs one command with `redis-cli`. Returns the printed lines, one for each element.
    #[track_caller]
    pub fn command(&self, words: &[&str]) -> Vec<String> {
        let answer = self.cli(words).ok();
        answer.lines().map(str::to_owned).collect()
    }

    /// Returns every key that matches `pattern`, sorted.
    #[track_caller]
    pub fn keys(&self, pattern: &str) -> Vec<String> {
        let mut keys = self.command(&["KEYS", pattern]);
        keys.retain(|key| !key.is_empty());
        keys.sort();
        keys
    }

    /// The pid, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(ChildGuard::pid)
    }

    /// Sends SIGKILL. [`Redis::restart`] starts it again.
    pub fn kill9(&mut self) {
        drop(self.process.take());
    }

    /// Sends SIGTERM and waits. [`Redis::restart`] starts it again.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.terminate();
        }
    }

    /// Starts Redis again with the same directory and address, and with the content of its
    /// append-only file.
    pub fn restart(&mut self) {
        self.stop();
        self.begin();
    }

    /// Sends a signal to the process.
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
        let mut process = ChildGuard::spawn("redis", &mut command).quiet();
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

/// Sends PING without starting a process, because tests poll often.
fn pong(socket: &Path) -> io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PONG))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer)?;
    Ok(answer == *b"+PONG\r\n")
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    address.port()
}
