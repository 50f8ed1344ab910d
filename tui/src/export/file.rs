//! Reads an instance from the server and writes its transcript to a new file.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use plenary_shared::domain::{Event, Instance};
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::EventsOk;
use plenary_shared::time::Timestamp;

use super::{Format, Transcript};
use crate::api::{Api, ApiError, Page};

/// The number of generated file names that are tried.
const NAMES_MAX: u32 = 100;

/// Reads the whole event log of an instance. The time of the transcript is the server's, or `now` by the
/// local clock if the server does not tell it.
pub async fn fetch(api: &Api, id: InstanceId, now: Timestamp) -> Result<Transcript, ApiError> {
    let response = api.instance(id).await?;
    let instance: Instance = response.read()?;
    let (events, names) = fetch_events(api, id).await?;
    let read_at = response.date().unwrap_or(now);
    Ok(Transcript::new(instance, &events, &names, read_at))
}

/// Writes a document to a new file. The error is a message for the user.
pub fn write_new(path: &Path, document: &str) -> Result<(), String> {
    create(path, document).map_err(|error| write_error(path, &error))
}

/// Writes a document to a new file with a generated name in the working directory, and returns the
/// name. The error is a message for the user.
pub fn write_unnamed(id: InstanceId, format: Format, document: &str) -> Result<PathBuf, String> {
    let (meeting, order, extension) = (id.meeting, id.order, format.extension());
    let mut path = PathBuf::from(format!("plenary-{meeting}-{order}.{extension}"));
    let mut nth = 1;
    loop {
        match create(&path, document) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && nth < NAMES_MAX => {
                nth += 1;
                path = format!("plenary-{meeting}-{order}-{nth}.{extension}").into();
            }
            Err(error) => return Err(write_error(&path, &error)),
        }
    }
}

async fn fetch_events(
    api: &Api,
    id: InstanceId,
) -> Result<(Vec<Event>, HashMap<UserId, String>), ApiError> {
    let (mut events, mut names) = (Vec::new(), HashMap::new());
    let mut after = Seq::default();
    loop {
        let page = Page {
            after: Some(after),
            before: None,
            limit: Some(PAGE_MAX),
        };
        let page: EventsOk = api.events(id, page).await?.read()?;
        names.extend(page.users.into_iter().map(|user| (user.id, user.name)));
        let last = page.events.last().map(|event| event.seq);
        events.extend(page.events);
        match last {
            // A page that does not advance would repeat forever.
            Some(seq) if page.more && seq > after => after = seq,
            Some(_) | None => return Ok((events, names)),
        }
    }
}

fn create(path: &Path, document: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(document.as_bytes())
}

fn write_error(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    if error.kind() == io::ErrorKind::AlreadyExists {
        format!("{path} already exists. Choose another name.")
    } else {
        format!("Cannot write {path}: {error}.")
    }
}
