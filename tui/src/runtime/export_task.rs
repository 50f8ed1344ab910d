//! Exports an instance to a file in the background.

use std::path::{Path, PathBuf};

use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;

use crate::api::{Api, ApiError};
use crate::export::{Format, Transcript, file};
use crate::server_url::ServerUrl;
use crate::session::Token;

/// What to export, and where to.
pub(super) struct Export {
    pub(super) server: String,
    pub(super) token: Token,
    pub(super) instance: InstanceId,
    pub(super) format: Format,
    /// The path that the user entered. `None` generates a name.
    pub(super) path: Option<String>,
    pub(super) now: Timestamp,
}

/// Exports an instance. Returns a message for the user in both cases.
pub(super) async fn run(export: Export) -> Result<String, String> {
    let server: ServerUrl = export.server.parse().map_err(|error| format!("{error}"))?;
    let message = |error: ApiError| error.to_string();
    let api = Api::new(server, Some(export.token)).map_err(message)?;
    let transcript = file::fetch(&api, export.instance, export.now);
    let transcript = transcript.await.map_err(message)?;
    let (id, format) = (export.instance, export.format);
    let write = move || write(&transcript, id, format, export.path.as_deref());
    // Fails only on a panic, which the panic hook has reported.
    let written = tokio::task::spawn_blocking(write).await;
    written.unwrap_or_else(|_| Err("The export failed.".to_owned()))
}

fn write(
    transcript: &Transcript,
    id: InstanceId,
    format: Format,
    path: Option<&str>,
) -> Result<String, String> {
    let document = transcript.write(format);
    let path = match path {
        None => file::write_unnamed(id, format, &document)?,
        Some(path) => {
            let path = expand_home(path);
            file::write_new(&path, &document)?;
            path
        }
    };
    // Absolute, since users may not remember the working directory.
    let path = std::path::absolute(&path).unwrap_or(path);
    Ok(transcript.exported_to(&path))
}

/// Replaces a leading `~/` with the home directory, as shells do.
pub(super) fn expand_home(path: &str) -> PathBuf {
    let home = || etcetera::home_dir().ok();
    match path
        .strip_prefix("~/")
        .and_then(|rest| Some((home()?, rest)))
    {
        Some((home, rest)) => home.join(rest),
        None => Path::new(path).to_owned(),
    }
}
