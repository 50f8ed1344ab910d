//! A small file system of a test's own: it can be filled, and nobody else notices.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::directory::directory;
use crate::process::Guarded;
use crate::wait::until;

/// What a filling file is written in: a page, so that none is left.
const BLOCK_BYTES: usize = 4_096;

/// What the keeper says when the file system is there.
const READY: &str = "mounted";

/// A mounted tmpfs. It is seen by its keeper alone, and by whoever is launched beside it: however
/// the test ends, it is gone with the keeper.
#[derive(Debug)]
pub struct Disk {
    // Before the directory, so that nothing is mounted there any more when that is removed.
    keeper: Guarded,
    is_root: bool,
    directory: TempDir,
}

impl Disk {
    /// An empty one of so many bytes.
    #[track_caller]
    pub fn small(size_bytes: usize) -> Self {
        let directory = directory();
        let is_root = fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if !is_root {
            command.arg("--map-root-user");
        }
        let script = format!(
            "mount -t tmpfs -o size={size_bytes},mode=0700 plenary \"$0\" && \
             echo {READY} && exec sleep infinity"
        );
        command.args(["sh", "-c", &script]).arg(directory.path());
        let mut keeper = Guarded::spawn("disk", &mut command);
        until("a small file system to be mounted", || {
            assert!(
                keeper.ended().is_none(),
                "no small file system can be mounted ({}): run this as root (in a container \
                 with the capability SYS_ADMIN), or let users have namespaces of their own \
                 (sysctl kernel.unprivileged_userns_clone, \
                 kernel.apparmor_restrict_unprivileged_userns)",
                keeper.stderr().join(" ")
            );
            keeper
                .stdout()
                .iter()
                .any(|line| line == READY)
                .then_some(())
        });
        Self {
            keeper,
            is_root,
            directory,
        }
    }

    /// Its root, as whoever is launched beside it sees it.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A file of it, as everybody else sees it.
    pub fn seen_from_outside(&self, file: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.pid()));
        root.join(file.strip_prefix("/").expect("an absolute path"))
    }

    /// What stands before a program that is to see it.
    pub fn launcher(&self) -> Vec<String> {
        let pid = self.keeper.pid().to_string();
        let mut words = vec!["nsenter", "--target", &pid, "--mount"];
        if !self.is_root {
            words.extend(["--user", "--preserve-credentials"]);
        }
        words.push("--");
        words.into_iter().map(str::to_owned).collect()
    }

    /// Leaves no space on it.
    #[track_caller]
    pub fn fill(&self) {
        let mut file = fs::File::create(self.filler()).expect("a file can be made");
        while let Ok(written) = file.write(&[0; BLOCK_BYTES]) {
            assert!(written > 0, "a write of nothing");
        }
    }

    /// Gives the space back.
    #[track_caller]
    pub fn free(&self) {
        fs::remove_file(self.filler()).expect("it was filled");
    }

    fn filler(&self) -> PathBuf {
        self.seen_from_outside(&self.path().join("filler"))
    }
}
