//! What was sent and is not safe yet, on disk: it survives this program. Each running program owns
//! one file, which it holds locked; what a dead one left is taken over by the next that starts as
//! the same person at the same server.
//!
//! ```text
//! {"outbox":1,"server":"http://127.0.0.1:7400","person":"ada@example.org"}
//! {"say":{"meetingID":1,"orderID":4,"cmid":"…","body":"hello","since":"…"}}
//! {"say":{"meetingID":1,"orderID":4,"cmid":"…","body":"hello!","aim":{"edit":{"seq":7,"cmid":"…"}},"since":"…"}}
//! {"failed":{"cmid":"…","why":"…","tried":false}}
//! {"again":"…"}
//! {"done":"…"}
//! ```
//! A file only grows, is cut when nothing in it matters any more, and is written anew when little
//! does. A line that a crash cut in two was not sent, and is passed over.

mod aim;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::private_file;

pub use aim::{Aim, Target};

/// Bytes of one file that are read: far more than the outbox holds.
const FILE_BYTES_MAX: u64 = 64 * 1_024 * 1_024;

/// Files of dead programs that one start looks at; the next start finds the others.
const FILES_MAX: usize = 64;

/// Bytes from which on a file is written anew, if less than a quarter of it matters.
const REWRITE_BYTES: u64 = 1_024 * 1_024;

/// How the files are called.
const EXTENSION: &str = "jsonl";

/// The form of the files; another one is left alone.
const FORM: u32 = 1;

/// Whose outbox it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The server's address.
    pub server: String,
    /// The person's address, in lower case.
    pub person: String,
}

/// Something that has to be on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A line is to be said.
    Say(Line),
    /// It was refused.
    Failed {
        /// Which.
        cmid: Cmid,
        /// Why.
        why: String,
        /// Whether it may have been taken all the same.
        tried: bool,
    },
    /// It is tried again.
    Again(Cmid),
    /// It is safe, or was taken back: nothing of it matters any more.
    Done(Cmid),
}

/// A line to be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Its own id, for ever.
    pub cmid: Cmid,
    /// What it says.
    pub body: MessageBody,
    /// What it is to do.
    #[serde(default, skip_serializing_if = "Aim::is_say")]
    pub aim: Aim,
    /// Since when.
    pub since: Timestamp,
    /// Why it was refused, and whether it may have been taken all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<(String, bool)>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    outbox: u32,
    #[serde(flatten)]
    owner: Owner,
}

/// This program's file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// Locked as long as it is open.
    file: File,
    header: String,
    /// What matters, in order.
    lines: Vec<Line>,
    bytes: u64,
    /// Whether the file lacks something that could not be written.
    lacks: bool,
}

impl Journal {
    /// Begins a file of this name in `directory`, and takes over what dead programs left there for
    /// this owner: those lines, in their order, are in the new file when this returns.
    pub fn open(directory: &Path, owner: &Owner, name: &str) -> io::Result<(Self, Vec<Line>)> {
        private_file::make_directory(directory)?;
        let left = Left::find(directory, owner)?;
        let header = json_line(&Header {
            outbox: FORM,
            owner: owner.clone(),
        })?;
        let path = directory.join(name).with_extension(EXTENSION);
        let lines = left.lines;
        let (file, bytes) = begin(&path, &header, &lines)?;
        for (path, file) in left.files {
            fs::remove_file(path)?;
            drop(file);
        }
        let journal = Self {
            path,
            file,
            header,
            lines: lines.clone(),
            bytes,
            lacks: false,
        };
        Ok((journal, lines))
    }

    /// Keeps these; when it returns without an error they are on disk.
    pub fn write(&mut self, records: &[Record]) -> io::Result<()> {
        for record in records {
            note(&mut self.lines, record.clone());
        }
        let written = if self.lines.is_empty() {
            self.cut()
        } else if self.lacks || self.is_mostly_over() {
            self.rewrite()
        } else {
            self.append(records)
        };
        self.lacks = written.is_err();
        written
    }

    fn cut(&mut self) -> io::Result<()> {
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
        (self.file, self.bytes) = begin(&self.path, &self.header, &self.lines)?;
        Ok(())
    }

    fn is_mostly_over(&self) -> bool {
        self.bytes > REWRITE_BYTES && self.bytes > 4 * self.bytes_that_matter()
    }

    fn bytes_that_matter(&self) -> u64 {
        let bodies = self
            .lines
            .iter()
            .map(|line| line.body.as_str().len() as u64);
        // A line's ids and names beside its body.
        bodies.map(|bytes| bytes + 200).sum()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.lines.is_empty() {
            // One that stays is taken over by the next start, with nothing in it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What dead programs left, and their files, which are locked by this one now.
#[derive(Default)]
struct Left {
    lines: Vec<Line>,
    files: Vec<(PathBuf, File)>,
}

impl Left {
    fn find(directory: &Path, owner: &Owner) -> io::Result<Self> {
        let mut left = Self::default();
        let mut paths: Vec<PathBuf> = fs::read_dir(directory)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|e| e == EXTENSION))
            .collect();
        paths.sort();
        for path in paths {
            if left.files.len() == FILES_MAX {
                break;
            }
            // One that cannot be read is left for whoever can.
            if let Ok(Some((file, lines))) = take_over(&path, owner) {
                for line in lines {
                    // A take-over that was interrupted leaves a line in two files.
                    if left.lines.iter().all(|known| known.cmid != line.cmid) {
                        left.lines.push(line);
                    }
                }
                left.files.push((path, file));
            }
        }
        left.lines.sort_by_key(|line| line.since);
        Ok(left)
    }
}

/// The file, locked, and its lines, if it is this owner's and no running program holds it.
fn take_over(path: &Path, owner: &Owner) -> io::Result<Option<(File, Vec<Line>)>> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    if file.try_lock().is_err() {
        return Ok(None);
    }
    // Another program may have taken it over, and removed it, before the lock was had.
    let is_there = fs::metadata(path).is_ok_and(|there| {
        file.metadata()
            .is_ok_and(|opened| opened.ino() == there.ino())
    });
    if !is_there {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    (&file).take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    let mut texts = bytes.split(|byte| *byte == b'\n');
    let header: Option<Header> = texts
        .next()
        .and_then(|text| serde_json::from_slice(text).ok());
    if header.is_none_or(|header| header.outbox != FORM || header.owner != *owner) {
        return Ok(None);
    }
    let mut lines = Vec::new();
    for record in texts.filter_map(|text| serde_json::from_slice(text).ok()) {
        note(&mut lines, record);
    }
    Ok(Some((file, lines)))
}

/// A new file in the place of any old one, locked before anybody can see it.
fn begin(path: &Path, header: &str, lines: &[Line]) -> io::Result<(File, u64)> {
    let new = path.with_extension("new");
    let mut file = private_file::create(&new)?;
    file.try_lock().map_err(io::Error::from)?;
    let mut text = header.to_owned();
    for line in lines {
        text.push_str(&json_line(&Record::Say(line.clone()))?);
    }
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&new, path));
    if let Err(error) = written {
        // What matters is the error that led here.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    Ok((file, text.len() as u64))
}

/// What a record makes of the lines before it.
pub(crate) fn note(lines: &mut Vec<Line>, record: Record) {
    match record {
        Record::Say(line) => {
            if lines.iter().all(|known| known.cmid != line.cmid) {
                lines.push(line);
            }
        }
        Record::Failed { cmid, why, tried } => {
            for line in lines.iter_mut().filter(|line| line.cmid == cmid) {
                line.failed = Some((why.clone(), tried));
            }
        }
        Record::Again(cmid) => {
            for line in lines.iter_mut().filter(|line| line.cmid == cmid) {
                line.failed = None;
            }
        }
        Record::Done(cmid) => lines.retain(|line| line.cmid != cmid),
    }
}

fn json_line<T: Serialize>(value: &T) -> io::Result<String> {
    Ok(serde_json::to_string(value)? + "\n")
}

#[cfg(test)]
mod tests;
