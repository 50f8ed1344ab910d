//! A small file system that a test can fill without affecting anything else.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::directory::directory;
use crate::process::ChildGuard;
use crate::wait::until;

/// Bytes written at once when the disk is filled: one page, so that no page stays free.
const BLOCK_BYTES: usize = 4_096;

/// The line that the keeper prints once the file system is mounted.
const READY: &str = "mounted";

/// A mounted tmpfs. Only its keeper process, and programs started through [`Disk::launcher`], see
/// it. It disappears with the keeper, however the test ends.
#[derive(Debug)]
pub struct Disk {
    // Before `directory`, so that the file system is unmounted before its mount point is removed.
    keeper: ChildGuard,
    is_root: bool,
    directory: TempDir,
}

impl Disk {
    /// Mounts an empty file system of this size.
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
        let mut keeper = ChildGuard::spawn("disk", &mut command);
        until("a small file system to be mounted", || {
            assert!(
                keeper.ended().is_none(),
                "cannot mount a file system ({}): run this as root (in a container \
                 with the capability SYS_ADMIN), or allow user namespaces \
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

    /// The mount point, as programs started through [`Disk::launcher`] see it.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The path of one of its files, as all other programs see it.
    pub fn seen_from_outside(&self, file: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.pid()));
        root.join(file.strip_prefix("/").expect("an absolute path"))
    }

    /// The command line to put before a program that has to see the file system.
    pub fn launcher(&self) -> Vec<String> {
        let pid = self.keeper.pid().to_string();
        let mut words = vec!["nsenter", "--target", &pid, "--mount"];
        if !self.is_root {
            words.extend(["--user", "--preserve-credentials"]);
        }
        words.push("--");
        words.into_iter().map(str::to_owned).collect()
    }

    /// Fills the file system.
    #[track_caller]
    pub fn fill(&self) {
        let mut file = fs::File::create(self.filler()).expect("the file system is empty");
        while let Ok(written) = file.write(&[0; BLOCK_BYTES]) {
            assert!(written > 0, "a write of zero bytes");
        }
    }

    /// Frees the space again.
    #[track_caller]
    pub fn free(&self) {
        fs::remove_file(self.filler()).expect("it was filled");
    }

    fn filler(&self) -> PathBuf {
        self.seen_from_outside(&self.path().join("filler"))
    }
}
