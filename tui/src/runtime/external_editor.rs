//! The user's editor, which runs in the terminal until it exits.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use plenary_shared::ids::InstanceId;
use plenary_shared::unicode::without_bom;
use tokio::process::{Child, Command};

use crate::msg::AppEvent;
use crate::private_file;

/// Size limit for reading the file back. Above the message limit, so that the error can name the size.
const FILE_BYTES_MAX: u64 = 1_024 * 1_024;

/// The exit code of the shell for an unknown command.
const NOT_FOUND: i32 = 127;

/// A running editor.
pub(super) struct ExternalEditor {
    editor: String,
    at: Option<InstanceId>,
    child: Child,
    file: EditedFile,
}

/// The edited file. Only its owner can access it. Dropping it removes the file.
struct EditedFile(PathBuf);

impl ExternalEditor {
    /// Starts the editor with a text. The error is a message for the user.
    pub(super) fn start(
        editor: &str,
        directory: &Path,
        at: Option<InstanceId>,
        text: &str,
    ) -> Result<Self, String> {
        let file = EditedFile::create(directory, text)
            .map_err(|error| format!("Cannot create a file in {}: {error}", directory.display()))?;
        // Through a shell, since the variable may contain options.
        let child = Command::new("sh")
            .args(["-c", &format!("{editor} \"$1\""), "sh"])
            .arg(&file.0)
            .spawn()
            .map_err(|error| format!("Cannot start the editor: {error}"))?;
        Ok(Self {
            editor: editor.to_owned(),
            at,
            child,
            file,
        })
    }

    /// Waits for the exit of the editor. Cancel safe.
    pub(super) async fn exited(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Returns the edited text, or an error message if the editor failed.
    pub(super) fn finish(self, status: io::Result<ExitStatus>) -> AppEvent {
        let editor = &self.editor;
        let failed = |why: String| AppEvent::Failed(format!("Text unchanged: {why}"));
        match status {
            Ok(status) if status.success() => match self.file.read() {
                Ok(text) => AppEvent::Edited { at: self.at, text },
                Err(error) => failed(error.to_string()),
            },
            Ok(status) if status.code() == Some(NOT_FOUND) => AppEvent::Failed(format!(
                "Editor '{editor}' not found. Set VISUAL or EDITOR."
            )),
            Ok(status) => failed(format!("{editor}: {status}")),
            Err(error) => failed(format!("{editor}: {error}")),
        }
    }
}

impl EditedFile {
    fn create(directory: &Path, text: &str) -> io::Result<Self> {
        private_file::make_directory(directory)?;
        let path = directory.join(format!("message-{}.md", std::process::id()));
        let mut file = private_file::create(&path)?;
        let edited = Self(path);
        file.write_all(text.as_bytes())?;
        Ok(edited)
    }

    /// Reads the text without the line end that editors append to the last line.
    fn read(&self) -> io::Result<String> {
        let mut text = String::new();
        fs::File::open(&self.0)?
            .take(FILE_BYTES_MAX)
            .read_to_string(&mut text)?;
        let text = without_bom(&text);
        Ok(text.trim_end_matches(['\n', '\r']).to_owned())
    }
}

impl Drop for EditedFile {
    fn drop(&mut self) {
        // The editor may have removed it.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::os::unix::fs::PermissionsExt as _;

    async fn edit(editor: &str) -> (AppEvent, bool) {
        let directory = tempfile::tempdir().expect("a directory");
        let state = directory.path().join("plenary");
        let mut editor = ExternalEditor::start(editor, &state, None, "one\n two").expect("a shell");
        let path = editor.file.0.clone();
        let status = editor.exited().await;
        let event = editor.finish(status);
        (event, path.exists())
    }

    #[rstest]
    #[case("printf ' three\\n\\n' >>", Ok("one\n two three"))]
    #[case("stat -c %a >&2; true", Ok("one\n two"))]
    #[case("test -s", Ok("one\n two"))]
    #[case("false", Err("Text unchanged: false: exit status: 1"))]
    #[case("no-such-editor", Err("Editor 'no-such-editor' not found"))]
    #[case("rm", Err("Text unchanged"))]
    #[case("printf '\\377' >", Err("Text unchanged"))]
    #[tokio::test]
    async fn editor_returns_its_text_or_an_error(
        #[case] editor: &str,
        #[case] expected: Result<&str, &str>,
    ) {
        let (event, exists) = edit(editor).await;
        assert!(!exists, "the file is removed");
        match (event, expected) {
            (AppEvent::Edited { text, .. }, Ok(expected)) => assert_eq!(text, expected),
            (AppEvent::Failed(why), Err(expected)) => assert!(why.starts_with(expected), "{why}"),
            (AppEvent::Edited { text, .. }, Err(_)) => panic!("edited: {text:?}"),
            (AppEvent::Failed(why), Ok(_)) => panic!("failed: {why}"),
            _ => panic!("unexpected event"),
        }
    }

    #[test]
    fn edited_file_is_private() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = EditedFile::create(directory.path(), "x").expect("created");
        let metadata = fs::metadata(&file.0).expect("the file");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
}
