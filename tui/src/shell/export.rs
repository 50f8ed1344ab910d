//! `plenary export`: an instance as a document.

use plenary_shared::time::Timestamp;

use super::{Failure, Shell, out};
use crate::command_line::Export;
use crate::export::Format;
use crate::exporting;

/// Writes it to standard output, or into a new file.
pub async fn run(shell: &mut Shell, export: Export) -> Result<(), Failure> {
    let api = shell.api()?;
    let file = export.output.as_deref();
    let format = match export.format {
        Some(format) => format,
        None if shell.json => Format::Json,
        None => file.and_then(Format::of).unwrap_or(Format::Md),
    };
    let now = Timestamp::from(chrono::DateTime::from((shell.wall_clock)()));
    let record = exporting::read(&api, export.at.instance, now).await?;
    let document = record.write(format);
    match file {
        None => shell.out.text(&document),
        Some(path) => {
            exporting::write_new(path, &document).map_err(Failure::other)?;
            out::note(&record.said_of(path));
            Ok(())
        }
    }
}
