//! What each meeting may call for, kept on disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use plenary_shared::ids::MeetingId;
use serde::{Deserialize, Serialize};

use crate::model::loudness::Loudness;
use crate::private_file;

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
        let text = private_file::read(&self.path, FILE_BYTES_MAX).unwrap_or_default();
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
        private_file::make_directory(self.path.parent().unwrap_or(Path::new(".")))?;
        private_file::replace(&self.path, text.as_bytes())
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
