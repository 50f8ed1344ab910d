//! The notification level of each meeting, stored on disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use plenary_shared::ids::MeetingId;
use serde::{Deserialize, Serialize};

use crate::notify_level::NotifyLevel;
use crate::private_file;

/// Size limit of the file in bytes: room for thousands of meetings.
const FILE_BYTES_MAX: u64 = 1_024 * 1_024;

/// The file with the notification levels for one server.
#[derive(Clone, Debug)]
pub struct NotifyFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    server: String,
    meetings: BTreeMap<MeetingId, String>,
}

impl NotifyFile {
    /// Returns the file in the given state directory.
    pub fn within(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join("notify.json"),
        }
    }

    /// Loads the levels for this server. Returns none if the file is missing or invalid.
    pub fn load(&self, server: &str) -> Vec<(MeetingId, NotifyLevel)> {
        let stored = private_file::read_json::<Stored>(&self.path, FILE_BYTES_MAX);
        let stored = stored.filter(|stored| stored.server == server);
        let meetings = stored.into_iter().flat_map(|stored| stored.meetings);
        meetings
            .filter_map(|(id, word)| Some((id, word.parse().ok()?)))
            .collect()
    }

    /// Replaces all stored levels atomically.
    pub fn save(&self, server: &str, meetings: &[(MeetingId, NotifyLevel)]) -> io::Result<()> {
        let meetings = meetings
            .iter()
            .map(|(id, l)| (*id, l.to_string()))
            .collect();
        let server = server.to_owned();
        private_file::replace_json(&self.path, &Stored { server, meetings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_loaded_only_for_their_server() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = NotifyFile::within(&directory.path().join("plenary"));
        assert!(file.load("http://a").is_empty());
        let meeting = MeetingId::new(3).expect("small");
        let chosen = [(meeting, NotifyLevel::All)];
        file.save("http://a", &chosen).expect("written");
        assert_eq!(file.load("http://a"), chosen);
        assert!(file.load("http://b").is_empty());
    }
}
