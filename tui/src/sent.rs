//! The history of sent texts on disk, readable only by its owner.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use plenary_shared::ids::MeetingId;
use serde::{Deserialize, Serialize};

use crate::private_file;

/// Size in bytes above which the older half is dropped.
const FILE_BYTES_MAX: u64 = 1_024 * 1_024;

/// The file with sent texts, one JSON line each. Several clients may append to it.
#[derive(Clone, Debug)]
pub struct SentFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Sent {
    server: String,
    meeting: MeetingId,
    text: String,
}

impl SentFile {
    /// Returns the file in the given state directory.
    pub fn within(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join("history.jsonl"),
        }
    }

    /// Loads the texts sent on this server, oldest first. Invalid lines are skipped.
    pub fn load(&self, server: &str) -> Vec<(MeetingId, String)> {
        let bytes = self.newest(FILE_BYTES_MAX).unwrap_or_default();
        let lines = bytes.split(|byte| *byte == b'\n');
        lines
            .filter_map(|line| serde_json::from_slice::<Sent>(line).ok())
            .filter(|sent| sent.server == server)
            .map(|sent| (sent.meeting, sent.text))
            .collect()
    }

    pub fn append(&self, server: &str, meeting: MeetingId, text: &str) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Sent {
            server: server.to_owned(),
            meeting,
            text: text.to_owned(),
        })?;
        line.push(b'\n');
        private_file::make_directory(self.path.parent().unwrap_or(Path::new(".")))?;
        if fs::metadata(&self.path).is_ok_and(|file| file.len() > FILE_BYTES_MAX) {
            self.halve()?;
        }
        // In a single write, so that lines of concurrent clients stay whole.
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)?
            .write_all(&line)
    }

    /// Returns the last `bytes_max` bytes, from the first complete line on.
    fn newest(&self, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        let skipped = file.metadata()?.len().saturating_sub(bytes_max);
        file.seek(SeekFrom::Start(skipped))?;
        let mut bytes = Vec::new();
        file.take(bytes_max).read_to_end(&mut bytes)?;
        if skipped > 0 {
            let whole = bytes.iter().position(|byte| *byte == b'\n');
            bytes.drain(..whole.map_or(bytes.len(), |at| at + 1));
        }
        Ok(bytes)
    }

    fn halve(&self) -> io::Result<()> {
        private_file::replace(&self.path, &self.newest(FILE_BYTES_MAX / 2)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn meeting(id: u64) -> MeetingId {
        MeetingId::new(id).expect("small")
    }

    #[test]
    fn history_is_loaded_only_for_its_server() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = SentFile::within(&directory.path().join("plenary"));
        assert!(file.load("http://a").is_empty());
        for (server, id, text) in [
            ("http://a", 1, "one\ntwo"),
            ("http://b", 1, "elsewhere"),
            ("http://a", 2, "\u{1b}[2J"),
        ] {
            file.append(server, meeting(id), text).expect("written");
        }
        let mode = fs::metadata(&file.path)
            .expect("the file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut bytes = fs::read(&file.path).expect("the file");
        bytes.extend(b"no such line\n");
        fs::write(&file.path, bytes).expect("written");
        let expected = [(1, "one\ntwo"), (2, "\u{1b}[2J")];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(id, text)| (meeting(id), text.to_owned()))
            .collect();
        assert_eq!(file.load("http://a"), expected);
    }

    #[test]
    fn history_file_keeps_the_newest() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = SentFile::within(directory.path());
        let long = "x".repeat(30_000);
        for number in 0..60 {
            let text = format!("{number} {long}");
            file.append("http://a", meeting(1), &text).expect("written");
        }
        let length = fs::metadata(&file.path).expect("the file").len();
        assert!(length <= FILE_BYTES_MAX + 40_000, "{length}");
        let kept = file.load("http://a");
        assert!(kept.len() > 10 && kept.last().expect("some").1.starts_with("59 "));
    }
}
