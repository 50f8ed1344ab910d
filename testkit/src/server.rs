//! The real `plenary-server` as a process on private stores: several on one pair if wanted.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::directory::directory;
use crate::http::Http;
use crate::mariadb::Database;
use crate::process::{Finished, Guarded, Signal, binary, run};
use crate::redis::Redis;
use crate::wait::until;

/// What the server prints when it is ready.
const READY: &str = "plenary-server listening on ";

/// Where the one file of an embedded server lies, below its home.
const DATA: &str = "data";

/// How a server is started, beyond its stores.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// More arguments behind `serve`.
    pub args: Vec<String>,
    /// Variables of its environment, which is empty otherwise.
    pub env: Vec<(String, String)>,
}

/// A running `plenary-server serve`; stopped when dropped.
#[derive(Debug)]
pub struct Server {
    process: Option<Guarded>,
    stores: Vec<String>,
    options: ServerOptions,
    /// Words before the program: what runs it, in a place of its own.
    launcher: Vec<String>,
    url: String,
    home: TempDir,
}

impl Server {
    /// On a free port of loopback, ready when this returns.
    pub fn start(redis: &Redis, database: &Database) -> Self {
        Self::with(redis, database, ServerOptions::default())
    }

    /// As `options` say.
    pub fn with(redis: &Redis, database: &Database, options: ServerOptions) -> Self {
        let stores = ["--redis", &redis.url(), "--mysql", &database.url()];
        Self::on(&stores, directory(), options, &[])
    }

    /// On stores that are reached by these addresses, which may be a [`crate::Proxy`]'s.
    pub fn at(redis_url: &str, mysql_url: &str, options: ServerOptions) -> Self {
        let stores = ["--redis", redis_url, "--mysql", mysql_url];
        Self::on(&stores, directory(), options, &[])
    }

    /// Without Redis and MySQL: everything in one file below its own home.
    pub fn embedded(options: ServerOptions) -> Self {
        let home = directory();
        let data = home.path().join(DATA);
        Self::on(&in_file(&data), home, options, &[])
    }

    /// The same in a directory of one's choice, and run by a program whose words these are.
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

    /// The directory of the one file, for [`Server::embedded`].
    pub fn data(&self) -> PathBuf {
        self.home.path().join(DATA)
    }

    /// The process' number.
    pub fn pid(&self) -> u32 {
        let process = self.process.as_ref().expect("this server is stopped");
        process.pid()
    }

    /// Makes the tables, as `serve` would, and nothing else.
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

    /// Somebody signed in here with a token of the server's own making.
    pub fn signed_in(&self, email: &str) -> Http {
        Http::with_token(&self.url, &self.token(email))
    }

    /// A login token, by the command line.
    #[track_caller]
    pub fn token(&self, email: &str) -> String {
        self.cli(&["token", email]).ok().trim().to_owned()
    }

    /// A new member.
    #[track_caller]
    pub fn add_user(&self, name: &str, email: &str, password: &str) {
        let args = ["user", "add", "--name", name, "--email", email];
        self.cli_with_input(&[&args[..], &["--password-stdin"]].concat(), password)
            .ok();
    }

    /// A subcommand on the same stores, run to its end.
    pub fn cli(&self, args: &[&str]) -> Finished {
        self.cli_with_input(args, "")
    }

    /// A subcommand that reads `input`.
    pub fn cli_with_input(&self, args: &[&str], input: &str) -> Finished {
        let mut command = self.command();
        command.args(args).args(&self.stores);
        run(&mut command, input.as_bytes())
    }

    /// What it has logged so far.
    pub fn log(&self) -> Vec<String> {
        self.process
            .as_ref()
            .map(Guarded::stderr)
            .unwrap_or_default()
    }

    /// SIGKILL. [`Server::restart`] brings it back.
    pub fn kill9(&mut self) {
        drop(self.process.take());
    }

    /// SIGTERM; its exit code.
    pub fn terminate(&mut self) -> i32 {
        let mut process = self.process.take().expect("this server is stopped");
        process.terminate()
    }

    /// Tells the process something, such as to stand still.
    pub fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("this server is stopped");
        process.signal(signal);
    }

    /// The exit code, if it has ended by itself.
    pub fn ended(&mut self) -> Option<i32> {
        self.process.as_mut().and_then(Guarded::ended)
    }

    /// The same server on the same stores and port.
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
        let mut process = Guarded::spawn("server", &mut command);
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
            .current_dir(self.home.path())
            .envs(self.options.env.iter().map(|(k, v)| (k, v)));
        command
    }
}

/// The arguments of a server whose one file is in this directory.
fn in_file(data: &Path) -> [&str; 2] {
    ["--data", data.to_str().expect("a directory of letters")]
}
