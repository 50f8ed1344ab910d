//! A private MariaDB on a unix socket: a copy of a data directory that is created once for each
//! system user.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::directory::directory;
use crate::process::{ChildGuard, Finished, Signal, run};
use crate::wait::until;

/// Where to find the server; its directory is usually not in PATH.
const DAEMONS: &[&str] = &["/usr/sbin/mariadbd", "/usr/local/sbin/mariadbd"];

/// The directory of temporary tables. MariaDB clears it at startup, so it is private too.
const TEMPORARY: &str = "tmp";

/// A running mariadbd; stopped and removed on drop.
#[derive(Debug)]
pub struct MariaDb {
    // Before `directory`, so that the process ends before its files are removed.
    process: Option<ChildGuard>,
    databases: AtomicU32,
    options: Vec<String>,
    directory: TempDir,
}

/// One database of a private MariaDB.
#[derive(Clone, Debug)]
pub struct Database {
    socket: PathBuf,
    name: String,
}

impl MariaDb {
    /// Starts a MariaDB without user databases.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a MariaDB with these options, such as `--innodb-ft-min-token-size=5`.
    pub fn start_with(options: &[&str]) -> Self {
        let directory = directory();
        let copied = Command::new("cp")
            .args(["-a", "--reflink=auto"])
            .arg(template())
            .arg(directory.path().join("data"))
            .status()
            .expect("cp is installed");
        assert!(copied.success(), "the template of MariaDB cannot be copied");
        fs::create_dir(directory.path().join(TEMPORARY)).expect("the directory is ours");
        let mut mariadb = Self {
            process: None,
            databases: AtomicU32::new(0),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            directory,
        };
        mariadb.begin();
        mariadb
    }

    /// Creates an empty database.
    pub fn create_database(&self) -> Database {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let database = self.database(&format!("plenary{number}"));
        let create = format!("CREATE DATABASE {}", database.name);
        sql(&database.socket, "", &create).ok();
        database
    }

    /// The database of this name, which need not exist.
    pub fn database(&self, name: &str) -> Database {
        Database {
            socket: self.socket(),
            name: name.to_owned(),
        }
    }

    /// The URL of the database `name`, for the server's `--mysql`.
    pub fn url(&self, name: &str) -> String {
        self.database(name).url()
    }

    /// Its unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("m.sock")
    }

    /// Sends SIGKILL. [`MariaDb::restart`] starts it again.
    pub fn kill9(&mut self) {
        drop(self.process.take());
    }

    /// Sends SIGTERM and waits. [`MariaDb::restart`] starts it again.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.terminate();
        }
    }

    /// Starts MariaDB again on the same files and socket.
    pub fn restart(&mut self) {
        self.stop();
        self.begin();
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("this MariaDB is stopped");
        process.signal(signal);
    }

    fn begin(&mut self) {
        let path = self.directory.path();
        let option = |name: &str, file: &str| format!("--{name}={}", path.join(file).display());
        let mut command = Command::new(daemon());
        command.arg("--no-defaults");
        if let Some(user) = user_option() {
            command.arg(user);
        }
        command
            .arg(option("datadir", "data"))
            .arg(option("socket", "m.sock"))
            .arg(option("pid-file", "m.pid"))
            .arg(option("tmpdir", TEMPORARY))
            .args(["--skip-networking", "--skip-name-resolve"])
            .args(["--innodb-log-file-size=8M", "--innodb-buffer-pool-size=64M"])
            // Safe against SIGKILL, and without the disk writes that only a power failure would
            // need.
            .arg("--innodb-flush-log-at-trx-commit=2")
            .args(&self.options);
        let mut process = ChildGuard::spawn("mariadb", &mut command).quiet();
        let socket = self.socket();
        until("MariaDB to answer", || {
            if let Some(code) = process.ended() {
                panic!("mariadbd ended with {code}: {:#?}", process.stderr());
            }
            // Checking for the socket file is cheaper than starting a client.
            let answers = socket.exists() && sql(&socket, "", "SELECT 1").code == 0;
            answers.then_some(())
        });
        self.process = Some(process);
    }
}

impl Database {
    /// The URL for the server's `--mysql`.
    pub fn url(&self) -> String {
        format!(
            "mysql://root@localhost/{}?socket={}",
            self.name,
            self.socket.display()
        )
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs one or more SQL statements and returns the rows as text, with `NULL` for null.
    #[track_caller]
    pub fn query(&self, statements: &str) -> Vec<Vec<String>> {
        let answer = sql(&self.socket, &self.name, statements);
        assert_eq!(answer.code, 0, "{statements}\n{}", answer.stderr);
        answer
            .stdout
            .lines()
            .map(|line| line.split('\t').map(str::to_owned).collect())
            .collect()
    }

    /// Returns the single value that `statement` selects.
    #[track_caller]
    pub fn value(&self, statement: &str) -> String {
        let rows = self.query(statement);
        match rows.as_slice() {
            [row] if row.len() == 1 => row[0].clone(),
            _ => panic!("{statement} returned more or less than one value: {rows:?}"),
        }
    }
}

/// Runs the `mariadb` client once. Times are UTC, as in the product.
fn sql(socket: &Path, database: &str, statements: &str) -> Finished {
    let mut command = Command::new("mariadb");
    command
        .args(["--no-defaults", "--batch", "--skip-column-names"])
        .args(["--user=root", "--default-character-set=utf8mb4"])
        .arg("--init-command=SET time_zone='+00:00'")
        .arg(format!("--socket={}", socket.display()))
        .arg(database);
    run(&mut command, statements.as_bytes())
}

/// The data directory that every private MariaDB is copied from, created on first use.
///
/// Concurrent processes each build one and rename it; the later ones use the existing one.
fn template() -> PathBuf {
    let daemon = daemon();
    let version = run(Command::new(&daemon).arg("--version"), b"").ok();
    let version: String = version
        .chars()
        .filter(char::is_ascii_digit)
        .take(12)
        .collect();
    let uid = uid();
    let root = std::env::temp_dir().join(format!("plenary-testkit-{uid}"));
    fs::create_dir_all(&root).expect("the directory for temporary files can be written");
    let about = fs::metadata(&root).expect("it was just created");
    assert_eq!(
        about.uid(),
        uid,
        "{} belongs to another user",
        root.display()
    );
    fs::set_permissions(&root, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let template = root.join(format!("mariadb-{version}"));
    if template.exists() {
        return template;
    }

    let building = tempfile::Builder::new()
        .prefix("building-")
        .tempdir_in(&root)
        .expect("the directory is writable");
    let data = building.path().join("data");
    let mut install = Command::new("mariadb-install-db");
    install.arg("--no-defaults");
    if let Some(user) = user_option() {
        install.arg(user);
    }
    install
        .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
        .arg("--innodb-log-file-size=8M")
        .arg(format!("--datadir={}", data.display()))
        .arg(format!("--tmpdir={}", building.path().display()));
    run(&mut install, b"").ok();
    if let Err(error) = fs::rename(&data, &template) {
        assert!(template.exists(), "{}: {error}", template.display());
    }
    template
}

fn daemon() -> PathBuf {
    DAEMONS
        .iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        // The PATH may have it; otherwise starting it reports what is missing.
        .unwrap_or_else(|| PathBuf::from("mariadbd"))
}

/// MariaDB's programs refuse to run as root without this option.
fn user_option() -> Option<&'static str> {
    (uid() == 0).then_some("--user=root")
}

fn uid() -> u32 {
    fs::metadata("/proc/self").expect("Linux has /proc").uid()
}
