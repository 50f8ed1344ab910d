//! The on-disk cache of the last screens: the meeting list and the end of each open log, shown
//! until the server answers.

use std::io;
use std::path::{Path, PathBuf};

use plenary_shared::domain::{Instance, InstanceState, Role};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::OpenOk;
use plenary_shared::text::email_key;
use plenary_shared::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::private_file;

/// Size limit of the cache file in bytes. A file of this size is read within a few milliseconds.
pub const FILE_BYTES_MAX: usize = 2 * 1_024 * 1_024;

/// Events cached for each meeting: the last few screens.
pub const EVENTS_MAX: usize = 100;

/// Meetings whose log is cached.
pub const ROOMS_MAX: usize = 12;

/// Format version. Files with another version are ignored.
const VERSION: u32 = 1;

/// The contents of the cache file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cache {
    version: u32,
    pub server: String,
    pub person: Person,
    pub at: Timestamp,
    pub meetings: Vec<Instance>,
    pub shown: Option<InstanceId>,
    /// The end of each open meeting's log, the most recently viewed first.
    pub rooms: Vec<OpenOk>,
}

/// The signed-in user, as cached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
}

/// The cache file, readable only by its owner.
#[derive(Clone, Debug)]
pub struct CacheFile {
    path: PathBuf,
}

impl Cache {
    /// Returns a cache without meetings.
    pub fn new(server: String, person: Person, at: Timestamp) -> Self {
        Self {
            version: VERSION,
            server,
            person,
            at,
            meetings: Vec::new(),
            shown: None,
            rooms: Vec::new(),
        }
    }
}

impl CacheFile {
    /// Returns the file in the given state directory.
    pub fn within(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join("screens.json"),
        }
    }

    /// Loads the cache of this user on this server. The error is a sentence that says why the file
    /// cannot be used.
    pub fn load(&self, server: &str, email: &str) -> Result<Option<Cache>, String> {
        let text = match private_file::read(&self.path, FILE_BYTES_MAX as u64) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read,
        };
        let cache = text.and_then(|text| Ok(serde_json::from_str::<Cache>(&text)?));
        match cache {
            Ok(cache) => Ok(Some(cache).filter(|cache| {
                cache.version == VERSION
                    && cache.server == server
                    && email_key(&cache.person.email) == email_key(email)
            })),
            Err(error) => Err(format!(
                "{} is damaged and was ignored: {error}",
                self.path.display()
            )),
        }
    }

    /// Replaces the cache atomically. Meetings that exceed the size limit are left out, the least
    /// recently viewed first.
    pub fn save(&self, mut cache: Cache) -> io::Result<()> {
        let rooms = std::mem::take(&mut cache.rooms);
        let mut left = FILE_BYTES_MAX.saturating_sub(serde_json::to_vec(&cache)?.len());
        for room in rooms {
            // One more byte for the comma between two rooms.
            let bytes = serde_json::to_vec(&room)?.len() + 1;
            if bytes > left {
                break;
            }
            left -= bytes;
            cache.rooms.push(room);
        }
        private_file::replace_json(&self.path, &cache)
    }

    /// Deletes the file, as on sign-out.
    pub fn remove(&self) -> io::Result<()> {
        private_file::remove(&self.path)
    }
}

/// Updates a cached instance's state to the current time.
pub fn aged(mut instance: Instance, now: Timestamp) -> Instance {
    let is_over = instance.todatetime <= now;
    let has_begun = instance.fromdatetime <= now;
    instance.state = match instance.state {
        InstanceState::Scheduled | InstanceState::Active if is_over => InstanceState::Ending,
        InstanceState::Scheduled if has_begun => InstanceState::Active,
        other => other,
    };
    instance
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn cache() -> Cache {
        let person = Person {
            id: UserId::new(7).expect("small"),
            name: "ada".into(),
            email: "ada@example.org".into(),
            role: Role::Member,
        };
        let mut cache = Cache::new("http://a:1".into(), person, Timestamp::from_ms(5));
        let talk = crate::tests::fixture::opened(crate::tests::fixture::talk(), vec![]);
        cache.rooms = vec![talk];
        cache
    }

    #[test]
    fn cache_is_loaded_only_for_its_user() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = CacheFile::within(directory.path());
        assert_eq!(file.load("http://a:1", "ada@example.org"), Ok(None));
        file.save(cache()).expect("kept");
        let mode = fs::metadata(&file.path)
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let load = |server, email| file.load(server, email).expect("whole");
        assert_eq!(load("http://a:1", "Ada@example.org"), Some(cache()));
        assert_eq!(load("http://a:1", "bob@example.org"), None);
        assert_eq!(load("http://b:1", "ada@example.org"), None);
        file.remove().expect("gone");
        file.remove().expect("gone already");
        assert_eq!(load("http://a:1", "ada@example.org"), None);
    }

    #[test]
    fn damaged_cache_is_reported() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = CacheFile::within(directory.path());
        file.save(cache()).expect("kept");
        let whole = fs::read(&file.path).expect("there");
        for end in [0, 1, whole.len() / 2, whole.len() - 1] {
            fs::write(&file.path, &whole[..end]).expect("written");
            let why = file
                .load("http://a:1", "ada@example.org")
                .expect_err("damaged");
            assert!(why.contains("screens.json is damaged"), "{why}");
        }
        fs::write(&file.path, vec![b' '; FILE_BYTES_MAX + 1]).expect("written");
        assert!(file.load("http://a:1", "ada@example.org").is_err());
    }

    #[test]
    fn cache_keeps_the_latest_rooms_within_its_limit() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = CacheFile::within(directory.path());
        let mut large = cache();
        large.rooms = vec![large.rooms[0].clone(); 800];
        large.rooms[0].instance.title = "the last".into();
        file.save(large).expect("kept");
        let length = fs::metadata(&file.path).expect("there").len();
        assert!(length <= FILE_BYTES_MAX as u64, "{length}");
        let kept = file
            .load("http://a:1", "ada@example.org")
            .expect("whole")
            .expect("there");
        assert!(!kept.rooms.is_empty());
        assert_eq!(kept.rooms[0].instance.title, "the last");
    }
}
