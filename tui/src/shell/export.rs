//! `plenary export`: an instance as a document, page by page from the server.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use plenary_shared::domain::{Event, Instance};
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::EventsOk;
use plenary_shared::time::Timestamp;

use super::{Failure, Shell, out};
use crate::api::{Api, Page};
use crate::command_line::Export;
use crate::export::{Format, Record};

/// Writes it to standard output, or into a new file.
pub async fn run(shell: &mut Shell, export: Export) -> Result<(), Failure> {
    let api = shell.api()?;
    let file = export.output.as_deref();
    let format = match export.format {
        Some(format) => format,
        None if shell.json => Format::Json,
        None => file.and_then(by_name).unwrap_or(Format::Md),
    };
    let id = export.at.instance;
    let instance: Instance = api.instance(id).await?.read(&api)?;
    let (events, names) = log(&api, id).await?;
    let now = Timestamp::from(chrono::DateTime::from((shell.wall_clock)()));
    let record = Record::new(instance, &events, &names, now);
    let document = record.write(format);
    match file {
        None => shell.out.text(&document),
        Some(path) => {
            write_new(path, &document)?;
            out::note(&format!(
                "{} messages of {} people are in {}",
                record.messages.len(),
                record.attendance.len(),
                path.display()
            ));
            Ok(())
        }
    }
}

/// The whole log, and everybody's name.
async fn log(api: &Api, id: InstanceId) -> Result<(Vec<Event>, HashMap<UserId, String>), Failure> {
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

fn by_name(path: &Path) -> Option<Format> {
    let extension = path.extension()?.to_str()?.to_lowercase();
    match extension.as_str() {
        "md" => Some(Format::Md),
        "json" => Some(Format::Json),
        "csv" => Some(Format::Csv),
        "txt" => Some(Format::Txt),
        _ => None,
    }
}

fn write_new(path: &Path, document: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(document.as_bytes()))
        .map_err(|error| {
            let why = if error.kind() == std::io::ErrorKind::AlreadyExists {
                "it is there already: name another file".to_owned()
            } else {
                error.to_string()
            };
            Failure::other(format!("{} cannot be written: {why}.", path.display()))
        })
}
