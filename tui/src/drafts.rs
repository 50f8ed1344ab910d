//! Unsent drafts on disk, readable only by their owner.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use plenary_shared::ids::InstanceId;
use serde::{Deserialize, Serialize};

use crate::private_file;

/// Size limit of the file in bytes, far above what the inputs can hold together.
const FILE_BYTES_MAX: u64 = 8 * 1_024 * 1_024;

/// One draft for each meeting that has one.
pub type Drafts = Vec<(InstanceId, String)>;

/// The file with the drafts for one server.
#[derive(Clone, Debug)]
pub struct DraftsFile {
    path: PathBuf,
}

/// The contents of the file.
#[derive(Serialize, Deserialize)]
struct Stored {
    server: String,
    drafts: BTreeMap<String, String>,
}

impl DraftsFile {
    /// Returns the file in the given state directory.
    pub fn within(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join("drafts.json"),
        }
    }

    /// Loads the drafts for this server. Returns none if the file is missing or invalid.
    pub fn load(&self, server: &str) -> Drafts {
        let stored = private_file::read_json::<Stored>(&self.path, FILE_BYTES_MAX);
        let stored = stored.filter(|stored| stored.server == server);
        let drafts = stored.into_iter().flat_map(|stored| stored.drafts);
        drafts
            .filter_map(|(id, draft)| Some((id.parse().ok()?, draft)))
            .collect()
    }

    /// Replaces all stored drafts atomically.
    pub fn save(&self, server: &str, drafts: Drafts) -> io::Result<()> {
        if drafts.is_empty() {
            return private_file::remove(&self.path);
        }
        let drafts = drafts
            .into_iter()
            .map(|(id, draft)| (id.to_string(), draft))
            .collect();
        let server = server.to_owned();
        private_file::replace_json(&self.path, &Stored { server, drafts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn drafts_are_loaded_only_for_their_server() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = DraftsFile::within(&directory.path().join("plenary"));
        assert!(file.load("http://a").is_empty());
        let drafts = vec![("1/4".parse().expect("an id"), "half a\nthought".to_owned())];
        file.save("http://a", drafts.clone())
            .expect("it is written");
        assert_eq!(file.load("http://a"), drafts);
        assert!(file.load("http://b").is_empty());
        let mode = fs::metadata(&file.path)
            .expect("the file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        file.save("http://a", Vec::new()).expect("it is removed");
        assert!(!file.path.exists());
        file.save("http://a", Vec::new())
            .expect("removing a missing file succeeds");
    }
}
