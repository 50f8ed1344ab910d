//! A private MariaDB: a copy of a data directory that is made once per machine user, on a unix socket.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::directory::directory;
use crate::process::{Finished, Guarded, Signal, run};
use crate::wait::until;

/// The server itself: its daemon stands in a directory that people's PATH does not name.
const DAEMONS: &[&str] = &["/usr/sbin/mariadbd", "/usr/local/sbin/mariadbd"];

/// Where temporary tables are, in the daemon's own directory: one that starts clears those it finds,
/// whosever they are.
const TEMPORARY: &str = "tmp";

/// A running mariadbd; stopped and removed when dropped.
#[derive(Debug)]
pub struct MariaDb {
    // Before the directory, so that the process is gone before its files are.
    process: Option<Guarded>,
    databases: AtomicU32,
    directory: TempDir,
}

/// One database of a private MariaDB.
#[derive(Clone, Debug)]
pub struct Database {
    socket: PathBuf,
    name: String,
}

impl MariaDb {
    /// A new one without any database of ours.
    pub fn start() -> Self {
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
            directory,
        };
        mariadb.begin();
        mariadb
    }

    /// A new, empty database.
    pub fn create_database(&self) -> Database {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let database = self.database(&format!("plenary{number}"));
        let create = format!("CREATE DATABASE {}", database.name);
        sql(&database.socket, "", &create).ok();
        database
    }

    /// The database of this name, whether it is there or not.
    pub fn database(&self, name: &str) -> Database {
        Database {
            socket: self.socket(),
            name: name.to_owned(),
        }
    }

    /// Where the database `name` is, in the form of the server's `--mysql`.
    pub fn url(&self, name: &str) -> String {
        self.database(name).url()
    }

    /// Its unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("m.sock")
    }

    /// SIGKILL. [`MariaDb::restart`] brings it back.
    pub fn kill9(&mut self) {
        drop(self.process.take());
    }

    /// SIGTERM, waited for. [`MariaDb::restart`] brings it back.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.terminate();
        }
    }

    /// The same MariaDB on the same files and socket.
    pub fn restart(&mut self) {
        self.stop();
        self.begin();
    }

    /// Tells the process something, such as to stand still.
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
            // Survives a SIGKILL of the daemon, and spares the disk what only a power cut needs.
            .arg("--innodb-flush-log-at-trx-commit=2");
        let mut process = Guarded::spawn("mariadb", &mut command).quiet();
        let socket = self.socket();
        until("MariaDB to answer", || {
            if let Some(code) = process.ended() {
                panic!("mariadbd ended with {code}: {:#?}", process.stderr());
            }
            // A client costs more than a look at the file that must be there first.
            let answers = socket.exists() && sql(&socket, "", "SELECT 1").code == 0;
            answers.then_some(())
        });
        self.process = Some(process);
    }
}

impl Database {
    /// Where it is, in the form of the server's `--mysql`.
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

    /// Runs SQL, several statements at will; the rows as text, `NULL` for what is null.
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

    /// The one value that `statement` selects.
    #[track_caller]
    pub fn value(&self, statement: &str) -> String {
        let rows = self.query(statement);
        match rows.as_slice() {
            [row] if row.len() == 1 => row[0].clone(),
            _ => panic!("{statement} gives no single value: {rows:?}"),
        }
    }
}

/// One run of the `mariadb` client; the session's times are UTC, as the product's are.
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

/// The data directory that every private MariaDB is a copy of: made by the first that needs it.
///
/// Each process makes its own beside and renames it: whoever is second finds the name taken, and
/// uses what is there.
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
    let about = fs::metadata(&root).expect("it was just made");
    assert_eq!(
        about.uid(),
        uid,
        "{} belongs to somebody else",
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
        .expect("a directory can be made in ours");
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
        // Then it is on the PATH, or starting it says what is missing.
        .unwrap_or_else(|| PathBuf::from("mariadbd"))
}

/// MariaDB's programs refuse to run as root unless they are told to.
fn user_option() -> Option<&'static str> {
    (uid() == 0).then_some("--user=root")
}

fn uid() -> u32 {
    fs::metadata("/proc/self").expect("Linux has /proc").uid()
}
