//! `plenary export`: writes the transcript of an instance.

use plenary_shared::time::Timestamp;

use super::{Failure, Shell, output};
use crate::command_line::Export;
use crate::export::{Format, file};

/// Writes the document to standard output or to a new file.
pub async fn run(shell: &mut Shell, args: Export) -> Result<(), Failure> {
    let api = shell.api()?;
    let path = args.output.as_deref();
    let format = match args.format {
        Some(format) => format,
        None if shell.json => Format::Json,
        None => path
            .map_or(Ok(Format::Md), Format::of_file)
            .map_err(|error| Failure::usage(format!("{error}, or --format.")))?,
    };
    let now = Timestamp::from(chrono::DateTime::from((shell.wall_clock)()));
    let transcript = file::fetch(&api, args.at.instance, now).await?;
    let document = transcript.write(format);
    match path {
        None => shell.out.text(&document),
        Some(path) => {
            file::write_new(path, &document).map_err(Failure::other)?;
            output::note(&transcript.exported_to(path));
            Ok(())
        }
    }
}
