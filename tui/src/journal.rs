//! The journal of unsent messages: a file that keeps them across restarts.
//!
//! Each running process owns one file and holds a lock on it. The next process of the same user at the
//! same server takes over the files of processes that have exited.
//!
//! ```text
//! {"outbox":1,"server":"http://127.0.0.1:7400","email":"ada@example.org"}
//! {"post":{"meetingID":1,"orderID":4,"cmid":"…","body":"hello","since":"…"}}
//! {"post":{"meetingID":1,"orderID":4,"cmid":"…","body":"hello!","target":{"edit":{"seq":7,"cmid":"…"}},"since":"…"}}
//! {"failed":{"cmid":"…","why":"…","tried":false}}
//! {"retry":"…"}
//! {"done":"…"}
//! ```
//! Records are appended. The file is truncated when no entry is left, and rewritten when most of it is
//! obsolete. A line that a crash cut off is ignored: its message was never sent.

mod compose_target;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::private_file;

pub use compose_target::{ComposeTarget, MessageRef};

/// Size limit for reading a file, far above the limit of the outbox.
const FILE_BYTES_MAX: u64 = 64 * 1_024 * 1_024;

/// The number of files that one start takes over. Later starts take over the rest.
const FILES_MAX: usize = 64;

/// Size from which a file is rewritten if less than a quarter of it is needed.
const REWRITE_BYTES_MIN: u64 = 1_024 * 1_024;

/// The file name extension.
const EXTENSION: &str = "jsonl";

/// The format version. Files of other versions are ignored.
const VERSION: u32 = 1;

/// The user and the server that a journal belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub server: String,
    /// The email of the user, in lower case.
    pub email: String,
}

/// A change to the set of unsent messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    Post(JournalEntry),
    /// The server rejected an entry.
    Failed {
        cmid: Cmid,
        why: String,
        /// Whether the server may have accepted an earlier attempt.
        tried: bool,
    },
    /// A rejected entry is sent again.
    Retry(Cmid),
    /// Removes an entry that is durable or was withdrawn.
    Done(Cmid),
}

/// An unsent message, edit or deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The id of the entry, the same for all attempts to send it.
    pub cmid: Cmid,
    pub body: MessageBody,
    /// What the text does.
    #[serde(default, skip_serializing_if = "ComposeTarget::is_new")]
    pub target: ComposeTarget,
    /// When the user sent it.
    pub since: Timestamp,
    /// The error message if the server rejected it, and whether an earlier attempt may have succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<(String, bool)>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    outbox: u32,
    #[serde(flatten)]
    owner: Owner,
}

/// The journal file of this process.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// Locked while it is open.
    file: File,
    header: String,
    entries: Vec<JournalEntry>,
    bytes: u64,
    /// Whether the last write failed, so that the file misses records.
    is_incomplete: bool,
}

impl Journal {
    /// Creates the file `name` in `directory` and takes over the files of exited processes of the same
    /// owner.
    ///
    /// Returns the entries found there. They are in the new file by then.
    pub fn open(
        directory: &Path,
        owner: &Owner,
        name: &str,
    ) -> io::Result<(Self, Vec<JournalEntry>)> {
        private_file::make_directory(directory)?;
        let abandoned = Abandoned::find(directory, owner)?;
        let header = json_line(&Header {
            outbox: VERSION,
            owner: owner.clone(),
        })?;
        let path = directory.join(name).with_extension(EXTENSION);
        let entries = abandoned.entries;
        let (file, bytes) = create(&path, &header, &entries)?;
        for (path, file) in abandoned.files {
            fs::remove_file(path)?;
            drop(file);
        }
        let journal = Self {
            path,
            file,
            header,
            entries: entries.clone(),
            bytes,
            is_incomplete: false,
        };
        Ok((journal, entries))
    }

    /// Writes `records`. They are on disk when this returns without an error.
    pub fn write(&mut self, records: &[Record]) -> io::Result<()> {
        for record in records {
            apply(&mut self.entries, record.clone());
        }
        let written = if self.entries.is_empty() {
            self.truncate()
        } else if self.is_incomplete || self.is_mostly_obsolete() {
            self.rewrite()
        } else {
            self.append(records)
        };
        self.is_incomplete = written.is_err();
        written
    }

    fn truncate(&mut self) -> io::Result<()> {
        self.bytes = self.header.len() as u64;
        self.file.set_len(self.bytes)?;
        self.file.seek(SeekFrom::Start(self.bytes))?;
        Ok(())
    }

    fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let mut text = String::new();
        for record in records {
            text.push_str(&json_line(record)?);
        }
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()?;
        self.bytes += text.len() as u64;
        Ok(())
    }

    fn rewrite(&mut self) -> io::Result<()> {
        (self.file, self.bytes) = create(&self.path, &self.header, &self.entries)?;
        Ok(())
    }

    fn is_mostly_obsolete(&self) -> bool {
        // 200 bytes estimate the ids and field names of an entry.
        let sizes = self
            .entries
            .iter()
            .map(|entry| entry.body.as_str().len() as u64 + 200);
        self.bytes > REWRITE_BYTES_MIN && self.bytes > 4 * sizes.sum::<u64>()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.entries.is_empty() {
            // If this fails, the next start takes over an empty journal.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The entries and the locked files of exited processes.
#[derive(Default)]
struct Abandoned {
    entries: Vec<JournalEntry>,
    files: Vec<(PathBuf, File)>,
}

impl Abandoned {
    fn find(directory: &Path, owner: &Owner) -> io::Result<Self> {
        let mut found = Self::default();
        let mut paths: Vec<PathBuf> = fs::read_dir(directory)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|e| e == EXTENSION))
            .collect();
        paths.sort();
        for path in paths {
            if found.files.len() == FILES_MAX {
                break;
            }
            // Unreadable files stay where they are.
            if let Ok(Some((file, entries))) = take_over(&path, owner) {
                for entry in entries {
                    // An interrupted takeover leaves an entry in two files.
                    if found.entries.iter().all(|known| known.cmid != entry.cmid) {
                        found.entries.push(entry);
                    }
                }
                found.files.push((path, file));
            }
        }
        found.entries.sort_by_key(|entry| entry.since);
        Ok(found)
    }
}

/// Locks and reads a file. Returns `None` if it has another owner or a running process holds it.
fn take_over(path: &Path, owner: &Owner) -> io::Result<Option<(File, Vec<JournalEntry>)>> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    if file.try_lock().is_err() {
        return Ok(None);
    }
    // Another process may have taken over and removed the file before this one had the lock.
    let is_there = fs::metadata(path).is_ok_and(|there| {
        file.metadata()
            .is_ok_and(|opened| opened.ino() == there.ino())
    });
    if !is_there {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    (&file).take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let header: Option<Header> = lines
        .next()
        .and_then(|line| serde_json::from_slice(line).ok());
    if header.is_none_or(|header| header.outbox != VERSION || header.owner != *owner) {
        return Ok(None);
    }
    let mut entries = Vec::new();
    for record in lines.filter_map(|line| serde_json::from_slice(line).ok()) {
        apply(&mut entries, record);
    }
    Ok(Some((file, entries)))
}

/// Creates or replaces a file. It is locked before it becomes visible under its name.
fn create(path: &Path, header: &str, entries: &[JournalEntry]) -> io::Result<(File, u64)> {
    let new = path.with_extension("new");
    let mut file = private_file::create(&new)?;
    file.try_lock().map_err(io::Error::from)?;
    let mut text = header.to_owned();
    for entry in entries {
        text.push_str(&json_line(&Record::Post(entry.clone()))?);
    }
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&new, path));
    if let Err(error) = written {
        // The first error is the one to report.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    Ok((file, text.len() as u64))
}

/// Applies a record to the entries before it.
pub(crate) fn apply(entries: &mut Vec<JournalEntry>, record: Record) {
    match record {
        Record::Post(entry) => {
            if entries.iter().all(|known| known.cmid != entry.cmid) {
                entries.push(entry);
            }
        }
        Record::Failed { cmid, why, tried } => {
            for entry in entries.iter_mut().filter(|entry| entry.cmid == cmid) {
                entry.failed = Some((why.clone(), tried));
            }
        }
        Record::Retry(cmid) => {
            for entry in entries.iter_mut().filter(|entry| entry.cmid == cmid) {
                entry.failed = None;
            }
        }
        Record::Done(cmid) => entries.retain(|entry| entry.cmid != cmid),
    }
}

fn json_line<T: Serialize>(value: &T) -> io::Result<String> {
    Ok(serde_json::to_string(value)? + "\n")
}

#[cfg(test)]
mod tests;
