//! The user's `keys.toml` and `theme.toml`, loaded at the start and after each change.
//!
//! The files are checked when they change, or where that is not reported, when other events arrive.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use plenary_shared::time::Timestamp;
use plenary_shared::unicode::without_bom;

use crate::config::LineError;
use crate::keymap::Keymap;
use crate::msg::AppEvent;
use crate::theme::Theme;

/// The minimum time between two checks.
const CHECK_EVERY_MS: i64 = 1_000;

/// Size limit of a file. A file with many keys for each command needs a tenth of it.
const FILE_BYTES_MAX: u64 = 64 * 1_024;

/// The user's configuration files.
pub(super) struct UserConfig {
    keys: WatchedFile,
    theme: WatchedFile,
    /// The theme that the file changes.
    base_theme: Theme,
    checked_at: Option<Timestamp>,
}

/// A file and the version of it that was read last.
struct WatchedFile {
    path: PathBuf,
    /// The modification time and the size. `None` if the file does not exist.
    stamp: Option<(SystemTime, u64)>,
    text: String,
}

impl UserConfig {
    pub(super) fn within(directory: &Path, theme: Theme) -> Self {
        Self {
            keys: WatchedFile::new(directory.join("keys.toml")),
            theme: WatchedFile::new(directory.join("theme.toml")),
            base_theme: theme,
            checked_at: None,
        }
    }

    /// Returns the configuration if a file has changed. Unlike [`Self::check`], looks at once.
    pub(super) fn changed(&mut self, now: Timestamp) -> Option<AppEvent> {
        self.checked_at = None;
        self.check(now)
    }

    /// Returns the configuration if a file has changed. Looks at most every [`CHECK_EVERY_MS`].
    pub(super) fn check(&mut self, now: Timestamp) -> Option<AppEvent> {
        let recent = |at: Timestamp| (0..CHECK_EVERY_MS).contains(&now.ms_since(at));
        if self.checked_at.replace(now).is_some_and(recent) {
            return None;
        }
        let mut wrong = Vec::new();
        let keys_changed = self.keys.reload(&mut wrong);
        let theme_changed = self.theme.reload(&mut wrong);
        if !keys_changed && !theme_changed {
            return None;
        }
        let (keymap, key_errors) = Keymap::configured(&self.keys.text);
        let (theme, theme_errors) = self.base_theme.configured(&self.theme.text);
        wrong.extend(self.keys.messages(&key_errors));
        wrong.extend(self.theme.messages(&theme_errors));
        Some(AppEvent::Configured {
            keymap,
            theme: Box::new(theme),
            wrong,
        })
    }
}

impl WatchedFile {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            stamp: None,
            text: String::new(),
        }
    }

    /// Reads the file if it has changed. Returns whether it has.
    fn reload(&mut self, wrong: &mut Vec<String>) -> bool {
        let found = fs::metadata(&self.path).ok();
        let stamp = found.and_then(|file| Some((file.modified().ok()?, file.len())));
        if stamp == self.stamp {
            return false;
        }
        self.stamp = stamp;
        self.text.clear();
        match stamp {
            None => {}
            Some((_, length)) if length > FILE_BYTES_MAX => {
                let most = FILE_BYTES_MAX / 1_024;
                wrong.push(format!("{}: the limit is {most} KiB", self.name()));
            }
            Some(_) => match fs::read_to_string(&self.path) {
                Ok(text) => without_bom(&text).clone_into(&mut self.text),
                Err(error) => wrong.push(format!("{}: {error}", self.name())),
            },
        }
        true
    }

    fn messages(&self, errors: &[LineError]) -> Vec<String> {
        let name = self.name();
        let errors = errors.iter();
        errors
            .map(|error| format!("{name}:{}: {}", error.line, error.message))
            .collect()
    }

    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{AppCommand, Command};

    #[test]
    fn files_are_reloaded_after_changes_at_most_once_a_second() {
        let directory = tempfile::tempdir().expect("a directory");
        let theme = Theme::new(true, false);
        let mut config = UserConfig::within(directory.path(), theme);
        let mut now = Timestamp::from_ms(0);
        let mut check = |pause_ms| {
            now = now.plus_ms(pause_ms);
            config.check(now)
        };
        assert!(check(0).is_none(), "the files do not exist");
        let keys = directory.path().join("keys.toml");
        fs::write(&keys, "help = \"f12\"\nfly = \"f5\"\n").expect("written");
        assert!(check(10).is_none(), "not checked yet");
        let Some(AppEvent::Configured { keymap, wrong, .. }) = check(1_000) else {
            panic!("not reloaded")
        };
        assert_eq!(keymap.keys(Command::App(AppCommand::Help)).len(), 1);
        assert_eq!(wrong.len(), 1);
        assert!(wrong[0].starts_with("keys.toml:2: "), "{wrong:?}");
        assert!(check(1_000).is_none());
        fs::write(directory.path().join("theme.toml"), "glyphs = \"ascii\"\n").expect("written");
        fs::remove_file(&keys).expect("removed");
        let Some(AppEvent::Configured {
            keymap,
            theme: configured,
            wrong,
        }) = check(1_000)
        else {
            panic!("not reloaded")
        };
        assert!(wrong.is_empty());
        assert_eq!(keymap, Keymap::default());
        assert_eq!(*configured, Theme::new(true, true));
    }
}
