//! The person's editor, which has the terminal for a while.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use plenary_shared::ids::InstanceId;
use tokio::process::{Child, Command};

use crate::msg::AppEvent;
use crate::private_file;

/// Bytes of the file that are read: more than the input holds, so that it can say what is too much.
const FILE_BYTES_MAX: u64 = 1_024 * 1_024;

/// What a shell answers when there is no such program.
const NOT_FOUND: i32 = 127;

/// An editor that was begun.
pub(super) struct Away {
    editor: String,
    at: Option<InstanceId>,
    child: Child,
    file: Written,
}

/// A file for its writer alone, removed when dropped.
struct Written(PathBuf);

impl Away {
    /// Begins the editor with a text. The error is a sentence for the person.
    pub(super) fn begin(
        editor: &str,
        directory: &Path,
        at: Option<InstanceId>,
        text: &str,
    ) -> Result<Self, String> {
        let file = Written::new(directory, text)
            .map_err(|error| format!("nothing to edit in: {}: {error}", directory.display()))?;
        // By a shell, as everywhere: the variable may hold options.
        let child = Command::new("sh")
            .args(["-c", &format!("{editor} \"$1\""), "sh"])
            .arg(&file.0)
            .spawn()
            .map_err(|error| format!("the editor does not start: {error}"))?;
        Ok(Self {
            editor: editor.to_owned(),
            at,
            child,
            file,
        })
    }

    /// Waits for its end. Dropping it loses nothing.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// What came of it.
    pub(super) fn finish(self, status: io::Result<ExitStatus>) -> AppEvent {
        let Self {
            editor, at, file, ..
        } = self;
        match status {
            Ok(status) if status.success() => match file.read() {
                Ok(text) => AppEvent::Edited { at, text },
                Err(error) => AppEvent::Failed(format!("the text stays as it was: {error}")),
            },
            Ok(status) if status.code() == Some(NOT_FOUND) => AppEvent::Failed(format!(
                "there is no '{editor}': set VISUAL or EDITOR to an editor"
            )),
            Ok(status) => AppEvent::Failed(format!("the text stays as it was: {editor}: {status}")),
            Err(error) => AppEvent::Failed(format!("the text stays as it was: {editor}: {error}")),
        }
    }
}

impl Written {
    fn new(directory: &Path, text: &str) -> io::Result<Self> {
        private_file::make_directory(directory)?;
        let path = directory.join(format!("message-{}.md", std::process::id()));
        let mut file = private_file::create(&path)?;
        let written = Self(path);
        file.write_all(text.as_bytes())?;
        Ok(written)
    }

    /// Without the line end that editors put behind the last line.
    fn read(&self) -> io::Result<String> {
        let mut text = String::new();
        fs::File::open(&self.0)?
            .take(FILE_BYTES_MAX)
            .read_to_string(&mut text)?;
        let kept = text.trim_end_matches(['\n', '\r']).len();
        text.truncate(kept);
        Ok(text)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // It may have been removed in the editor.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::os::unix::fs::PermissionsExt as _;

    async fn edited(editor: &str) -> (AppEvent, bool) {
        let directory = tempfile::tempdir().expect("a directory");
        let state = directory.path().join("plenary");
        let mut away = Away::begin(editor, &state, None, "one\n two").expect("a shell");
        let path = away.file.0.clone();
        let status = away.ended().await;
        let event = away.finish(status);
        (event, path.exists())
    }

    #[rstest]
    #[case("printf ' three\\n\\n' >>", Ok("one\n two three"))]
    #[case("stat -c %a >&2; true", Ok("one\n two"))]
    #[case("test -s", Ok("one\n two"))]
    #[case("false", Err("the text stays as it was: false: exit status: 1"))]
    #[case("no-such-editor", Err("there is no 'no-such-editor'"))]
    #[case("rm", Err("the text stays as it was"))]
    #[case("printf '\\377' >", Err("the text stays as it was"))]
    #[tokio::test]
    async fn what_editors_do(#[case] editor: &str, #[case] expected: Result<&str, &str>) {
        let (event, left) = edited(editor).await;
        assert!(!left, "the file is removed");
        match (event, expected) {
            (AppEvent::Edited { text, .. }, Ok(expected)) => assert_eq!(text, expected),
            (AppEvent::Failed(why), Err(expected)) => assert!(why.starts_with(expected), "{why}"),
            (AppEvent::Edited { text, .. }, Err(_)) => panic!("edited: {text:?}"),
            (AppEvent::Failed(why), Ok(_)) => panic!("failed: {why}"),
            _ => panic!("something else"),
        }
    }

    #[test]
    fn the_file_is_its_writers_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = Written::new(directory.path(), "x").expect("written");
        let mode = fs::metadata(&file.0)
            .expect("the file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
