//! Runs the real `plenary` as one user on one machine, with its own directories.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::directory::directory;
use crate::process::{Finished, binary, run};

/// One user's machine. Its home directory is private and removed on drop.
#[derive(Debug)]
pub struct Client {
    server: String,
    token: Option<String>,
    home: TempDir,
}

impl Client {
    /// Creates a machine without a signed-in user.
    pub fn new(server_url: &str) -> Self {
        Self {
            server: server_url.to_owned(),
            token: None,
            home: directory(),
        }
    }

    /// Creates a machine whose environment contains a login token.
    pub fn with_token(server_url: &str, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..Self::new(server_url)
        }
    }

    /// Signs in with `plenary login`, with the password on standard input.
    #[track_caller]
    pub fn login(server_url: &str, email: &str, password: &str) -> Self {
        let client = Self::new(server_url);
        client
            .run_with_input(&["login", "--email", email, "--password-stdin"], password)
            .ok();
        client
    }

    /// Runs a command to completion.
    pub fn run(&self, args: &[&str]) -> Finished {
        self.run_with_input(args, "")
    }

    /// Runs a command to completion with `input` on its standard input.
    pub fn run_with_input(&self, args: &[&str], input: &str) -> Finished {
        let mut command = Command::new(binary("plenary"));
        command
            .env_clear()
            .envs(self.environment())
            .current_dir(self.home.path())
            .args(args);
        run(&mut command, input.as_bytes())
    }

    /// The server's URL.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The complete environment of the client. Nothing is inherited from the test's environment.
    pub fn environment(&self) -> Vec<(String, String)> {
        let home = self.home.path();
        let path = |below: &str| home.join(below).display().to_string();
        let mut environment = vec![
            ("HOME", home.display().to_string()),
            ("XDG_CONFIG_HOME", path(".config")),
            ("XDG_STATE_HOME", path(".local/state")),
            ("XDG_DATA_HOME", path(".local/share")),
            ("XDG_CACHE_HOME", path(".cache")),
            ("XDG_RUNTIME_DIR", path(".run")),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("TERM", "xterm-256color".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TZ", "UTC".to_owned()),
            ("RUST_BACKTRACE", "0".to_owned()),
            ("PLENARY_SERVER", self.server.clone()),
        ];
        environment.extend(self.token.clone().map(|token| ("PLENARY_TOKEN", token)));
        environment
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}
