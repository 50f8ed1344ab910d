//! An instance as a document in a file: read page by page from the server, written anew.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use plenary_shared::domain::{Event, Instance};
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::EventsOk;
use plenary_shared::time::Timestamp;

use crate::api::{Api, ApiError, Page};
use crate::export::{Format, Record};

/// Names that are tried where nobody named a file: whoever has so many of one meeting can name one.
const NAMES_MAX: u32 = 100;

/// All of an instance that there is by now.
pub async fn read(api: &Api, id: InstanceId, now: Timestamp) -> Result<Record, ApiError> {
    let instance: Instance = api.instance(id).await?.read(api)?;
    let (events, names) = log(api, id).await?;
    Ok(Record::new(instance, &events, &names, now))
}

/// Writes a document into a new file. The sentence says why not.
pub fn write_new(path: &Path, document: &str) -> Result<(), String> {
    create(path)
        .and_then(|mut file| file.write_all(document.as_bytes()))
        .map_err(|error| why_not(path, &error))
}

/// Writes a document into a file that is named after the instance and is not there yet; says which.
pub fn write_anywhere(id: InstanceId, format: Format, document: &str) -> Result<PathBuf, String> {
    let (meeting, order) = (id.meeting, id.order);
    let name = |nth: u32| {
        let nth = if nth == 1 {
            String::new()
        } else {
            format!("-{nth}")
        };
        PathBuf::from(format!(
            "plenary-{meeting}-{order}{nth}.{}",
            format.extension()
        ))
    };
    for nth in 1..=NAMES_MAX {
        let path = name(nth);
        match create(&path) {
            Ok(mut file) => {
                let written = file.write_all(document.as_bytes());
                return written
                    .map_err(|error| why_not(&path, &error))
                    .map(|()| path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(why_not(&path, &error)),
        }
    }
    let path = name(1);
    Err(why_not(&path, &io::ErrorKind::AlreadyExists.into()))
}

/// The whole log, and everybody's name.
async fn log(api: &Api, id: InstanceId) -> Result<(Vec<Event>, HashMap<UserId, String>), ApiError> {
    let (mut events, mut names) = (Vec::new(), HashMap::new());
    let mut after = Seq::default();
    loop {
        let page = Page {
            after: Some(after),
            before: None,
            limit: Some(PAGE_MAX),
        };
        let page: EventsOk = api.events(id, page).await?.read(api)?;
        names.extend(
            page.users
                .into_iter()
                .map(|person| (person.id, person.name)),
        );
        let last = page.events.last().map(|event| event.seq);
        events.extend(page.events);
        match last {
            // A page that does not advance would come again for ever.
            Some(seq) if page.more && seq > after => after = seq,
            Some(_) | None => return Ok((events, names)),
        }
    }
}

fn create(path: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

fn why_not(path: &Path, error: &io::Error) -> String {
    let why = if error.kind() == io::ErrorKind::AlreadyExists {
        "it is there already: name another file".to_owned()
    } else {
        error.to_string()
    };
    format!("{} cannot be written: {why}.", path.display())
}
