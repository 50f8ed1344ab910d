//! The real `plenary-server` as a process on private stores. Several can share the same stores.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::directory::directory;
use crate::http::Http;
use crate::mariadb::Database;
use crate::process::{ChildGuard, Finished, Signal, binary, run};
use crate::redis::Redis;
use crate::wait::until;

/// What the server prints when it is ready.
const READY: &str = "plenary-server listening on ";

/// The data directory of a server on SQLite, below its home.
const DATA: &str = "data";

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// Additional arguments after `serve`.
    pub args: Vec<String>,
    /// The complete environment.
    pub env: Vec<(String, String)>,
}

/// A running `plenary-server serve`; stopped on drop.
#[derive(Debug)]
pub struct Server {
    process: Option<ChildGuard>,
    stores: Vec<String>,
    options: ServerOptions,
    /// The command line before the program, such as one that runs it in another namespace.
    launcher: Vec<String>,
    url: String,
    home: TempDir,
}

impl Server {
    /// Starts a server on a free port of loopback. Returns when it is ready.
    pub fn start(redis: &Redis, database: &Database) -> Self {
        Self::with(redis, database, ServerOptions::default())
    }

    /// Starts a server with these options.
    pub fn with(redis: &Redis, database: &Database, options: ServerOptions) -> Self {
        let stores = ["--redis", &redis.url(), "--mysql", &database.url()];
        Self::on(&stores, directory(), options, &[])
    }

    /// Starts a server with these store URLs, which may lead through a [`crate::Proxy`].
    pub fn at(redis_url: &str, mysql_url: &str, options: ServerOptions) -> Self {
        let stores = ["--redis", redis_url, "--mysql", mysql_url];
        Self::on(&stores, directory(), options, &[])
    }

    /// Starts a server on SQLite, with its data below its own home.
    pub fn embedded(options: ServerOptions) -> Self {
        let home = directory();
        let data = home.path().join(DATA);
        Self::on(&in_file(&data), home, options, &[])
    }

    /// Starts a server on SQLite in this directory, run through this command line.
    pub fn embedded_in(data: &Path, launcher: &[String]) -> Self {
        Self::on(
            &in_file(data),
            directory(),
            ServerOptions::default(),
            launcher,
        )
    }

    fn on(stores: &[&str], home: TempDir, options: ServerOptions, launcher: &[String]) -> Self {
        let mut server = Self {
            process: None,
            stores: stores.iter().map(ToString::to_string).collect(),
            options,
            launcher: launcher.to_vec(),
            url: String::new(),
            home,
        };
        server.begin("127.0.0.1:0");
        server
    }

    /// The data directory of [`Server::embedded`].
    pub fn data(&self) -> PathBuf {
        self.home.path().join(DATA)
    }

    /// The pid.
    pub fn pid(&self) -> u32 {
        let process = self.process.as_ref().expect("this server is stopped");
        process.pid()
    }

    /// Creates the tables, as `serve` would, and nothing else.
    #[track_caller]
    pub fn migrate(redis: &Redis, database: &Database) {
        let mut command = Command::new(binary("plenary-server"));
        command.env_clear().env("HOME", std::env::temp_dir()).args([
            "migrate",
            "--redis",
            &redis.url(),
            "--mysql",
            &database.url(),
        ]);
        run(&mut command, b"").ok();
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// An HTTP client signed in with a token created by the server's command line.
    pub fn signed_in(&self, email: &str) -> Http {
        Http::with_token(&self.url, &self.token(email))
    }

    /// Creates a login token with the command line.
    #[track_caller]
    pub fn token(&self, email: &str) -> String {
        self.cli(&["token", email]).ok().trim().to_owned()
    }

    /// Adds a user.
    #[track_caller]
    pub fn add_user(&self, name: &str, email: &str, password: &str) {
        let args = ["user", "add", "--name", name, "--email", email];
        self.cli_with_input(&[&args[..], &["--password-stdin"]].concat(), password)
            .ok();
    }

    /// Runs a subcommand on the same stores.
    pub fn cli(&self, args: &[&str]) -> Finished {
        self.cli_with_input(args, "")
    }

    /// Runs a subcommand on the same stores with `input` on its standard input.
    pub fn cli_with_input(&self, args: &[&str], input: &str) -> Finished {
        let mut command = self.command();
        command.args(args).args(&self.stores);
        run(&mut command, input.as_bytes())
    }

    /// The lines logged so far.
    pub fn log(&self) -> Vec<String> {
        self.process
            .as_ref()
            .map(ChildGuard::stderr)
            .unwrap_or_default()
    }

    /// Sends SIGKILL. [`Server::restart`] starts it again.
    pub fn kill9(&mut self) {
        drop(self.process.take());
    }

    /// Sends SIGTERM and returns the exit code.
    pub fn terminate(&mut self) -> i32 {
        let mut process = self.process.take().expect("this server is stopped");
        process.terminate()
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("this server is stopped");
        process.signal(signal);
    }

    /// The exit code, if the process has ended.
    pub fn ended(&mut self) -> Option<i32> {
        self.process.as_mut().and_then(ChildGuard::ended)
    }

    /// Starts the server again on the same stores and port.
    pub fn restart(&mut self) {
        self.kill9();
        let bind = self.url.trim_start_matches("http://").to_owned();
        self.begin(&bind);
    }

    fn begin(&mut self, bind: &str) {
        let mut command = self.command();
        command
            .args(["serve", "--bind", bind])
            .args(&self.stores)
            .args(&self.options.args);
        let mut process = ChildGuard::spawn("server", &mut command);
        self.url = until("the server to listen", || {
            if let Some(code) = process.ended() {
                panic!(
                    "plenary-server ended with {code}:\n{}",
                    process.stderr().join("\n")
                );
            }
            let lines = process.stdout();
            let url = lines.iter().find_map(|line| line.strip_prefix(READY))?;
            Some(url.trim().to_owned())
        });
        self.process = Some(process);
    }

    fn command(&self) -> Command {
        let program = binary("plenary-server");
        let mut command = match self.launcher.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TZ", "UTC")
            .env("RUST_BACKTRACE", "0")
            // Tests post faster than users, and some on small disks. Those of the limits set their own.
            .env("PLENARY_RATE_LIMITS", "false")
            .env("PLENARY_DISK_RESERVE_MIB", "0")
            .current_dir(self.home.path())
            .envs(self.options.env.iter().map(|(k, v)| (k, v)));
        command
    }
}

/// The arguments of a server that stores its data in this directory.
fn in_file(data: &Path) -> [&str; 2] {
    ["--data", data.to_str().expect("a directory of letters")]
}
