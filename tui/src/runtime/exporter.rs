//! Writes a meeting into a file, beside the loop; what came of it is told.

use std::path::{Path, PathBuf};

use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;

use crate::api::Api;
use crate::export::{Format, Record};
use crate::exporting;
use crate::msg::AppEvent;
use crate::server_url::ServerUrl;
use crate::session::Token;

/// What is to be written, and where.
pub(super) struct Export {
    pub(super) server: String,
    pub(super) token: Token,
    pub(super) instance: InstanceId,
    pub(super) format: Format,
    /// As the person named it; without one it is named after the meeting.
    pub(super) file: Option<String>,
    pub(super) now: Timestamp,
}

/// The event of it.
pub(super) async fn export(export: Export) -> AppEvent {
    AppEvent::Exported(written(export).await)
}

async fn written(export: Export) -> Result<String, String> {
    let server: ServerUrl = export.server.parse().map_err(|error| format!("{error}"))?;
    let said = |error: crate::api::ApiError| error.to_string();
    let api = Api::new(server, Some(export.token)).map_err(said)?;
    let record = exporting::read(&api, export.instance, export.now);
    let record = record.await.map_err(said)?;
    let (id, format) = (export.instance, export.format);
    let write = move || write(&record, id, format, export.file.as_deref());
    // It fails only by a panic, which the panic hook has reported.
    let done = tokio::task::spawn_blocking(write).await;
    done.unwrap_or_else(|_| Err("it could not be written".to_owned()))
}

fn write(
    record: &Record,
    id: InstanceId,
    format: Format,
    file: Option<&str>,
) -> Result<String, String> {
    let document = record.write(format);
    let path = match file {
        None => exporting::write_anywhere(id, format, &document)?,
        Some(file) => {
            let path = at_home(file);
            exporting::write_new(&path, &document)?;
            path
        }
    };
    // Whole, since nobody remembers where they started the program.
    let path = std::path::absolute(&path).unwrap_or(path);
    Ok(record.said_of(&path))
}

/// `~/minutes.md` is what a shell would have made of it.
pub(super) fn at_home(file: &str) -> PathBuf {
    let home = || etcetera::home_dir().ok();
    match file
        .strip_prefix("~/")
        .and_then(|rest| Some((home()?, rest)))
    {
        Some((home, rest)) => home.join(rest),
        None => Path::new(file).to_owned(),
    }
}
