//! What was written and not sent, kept on disk for its writer alone.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use plenary_shared::ids::InstanceId;
use serde::{Deserialize, Serialize};

/// Bytes of the file that are read: far more than the inputs hold together.
const FILE_BYTES_MAX: u64 = 8 * 1_024 * 1_024;

/// A draft of each meeting that has one.
pub type Drafts = Vec<(InstanceId, String)>;

/// The file that holds the drafts of one server.
#[derive(Clone, Debug)]
pub struct DraftsFile {
    path: PathBuf,
}

/// What the file says.
#[derive(Serialize, Deserialize)]
struct Kept {
    server: String,
    drafts: BTreeMap<String, String>,
}

impl DraftsFile {
    /// In this program's state directory.
    pub fn within(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join("drafts.json"),
        }
    }

    /// The drafts for this server; none if there is no such file or it cannot be understood.
    pub fn load(&self, server: &str) -> Drafts {
        let small = fs::metadata(&self.path).is_ok_and(|file| file.len() <= FILE_BYTES_MAX);
        let text = if small {
            fs::read_to_string(&self.path).unwrap_or_default()
        } else {
            String::new()
        };
        let kept = serde_json::from_str::<Kept>(&text)
            .ok()
            .filter(|kept| kept.server == server);
        let drafts = kept.into_iter().flat_map(|kept| kept.drafts);
        drafts
            .filter_map(|(id, draft)| Some((id.parse().ok()?, draft)))
            .collect()
    }

    /// Keeps these in place of all others; a reader sees the old ones or the new ones, whole.
    pub fn save(&self, server: &str, drafts: Drafts) -> io::Result<()> {
        if drafts.is_empty() {
            return match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        let drafts = drafts
            .into_iter()
            .map(|(id, draft)| (id.to_string(), draft))
            .collect();
        let text = serde_json::to_string(&Kept {
            server: server.to_owned(),
            drafts,
        })?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        let new = self
            .path
            .with_extension(format!("{}.new", std::process::id()));
        // One that a killed process of the same number left would keep its mode.
        let _ = fs::remove_file(&new);
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&new, &self.path));
        if written.is_err() {
            // What matters is the error that led here.
            let _ = fs::remove_file(&new);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn drafts_come_back_to_their_server_and_to_nobody_else() {
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
            .expect("that there is none is no error");
    }
}
