//! What each meeting may call for, kept on disk.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use plenary_shared::ids::MeetingId;
use serde::{Deserialize, Serialize};

use crate::model::loudness::Loudness;

/// Bytes of the file that are read: thousands of meetings.
const FILE_BYTES_MAX: u64 = 1_024 * 1_024;

/// The file. It speaks of one server; another's is forgotten.
#[derive(Clone, Debug)]
pub struct LoudFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    server: String,
    meetings: BTreeMap<MeetingId, String>,
}

impl LoudFile {
    /// In this program's state directory.
    pub fn within(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join("notify.json"),
        }
    }

    /// What was chosen on this server; nothing if there is no such file or it is not understood.
    pub fn load(&self, server: &str) -> Vec<(MeetingId, Loudness)> {
        let small = fs::metadata(&self.path).is_ok_and(|file| file.len() <= FILE_BYTES_MAX);
        let text = if small {
            fs::read_to_string(&self.path).unwrap_or_default()
        } else {
            String::new()
        };
        let kept = serde_json::from_str::<Kept>(&text).ok();
        let kept = kept.filter(|kept| kept.server == server);
        let meetings = kept.into_iter().flat_map(|kept| kept.meetings);
        meetings
            .filter_map(|(id, word)| Some((id, word.parse().ok()?)))
            .collect()
    }

    /// Keeps these in place of all others; a reader sees the old ones or the new ones, whole.
    pub fn save(&self, server: &str, meetings: &[(MeetingId, Loudness)]) -> io::Result<()> {
        let meetings = meetings
            .iter()
            .map(|(id, l)| (*id, l.to_string()))
            .collect();
        let text = serde_json::to_string(&Kept {
            server: server.to_owned(),
            meetings,
        })?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        let new = self
            .path
            .with_extension(format!("{}.new", std::process::id()));
        let _ = fs::remove_file(&new);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&new, &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_comes_back_to_its_server() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = LoudFile::within(&directory.path().join("plenary"));
        assert!(file.load("http://a").is_empty());
        let meeting = MeetingId::new(3).expect("small");
        let chosen = [(meeting, Loudness::All)];
        file.save("http://a", &chosen).expect("written");
        assert_eq!(file.load("http://a"), chosen);
        assert!(file.load("http://b").is_empty());
    }
}
