//! The person's own keys and looks: read at the start, and again when their files have changed.
//! Nobody is woken for them: they are looked at when something happens anyway.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use plenary_shared::time::Timestamp;

use crate::config::Wrong;
use crate::keymap::Keymap;
use crate::msg::AppEvent;
use crate::theme::Theme;

/// How long the files are not looked at again.
const PAUSE_MS: i64 = 1_000;

/// Bytes of a file: all commands with many keys need a tenth of it.
const FILE_BYTES_MAX: u64 = 64 * 1_024;

/// The files, as they were read last.
pub(super) struct Wishes {
    keys: Watched,
    looks: Watched,
    /// The theme before the file changes it.
    theme: Theme,
    viewed_at: Option<Timestamp>,
}

struct Watched {
    path: PathBuf,
    /// When it was written last, and how long it is; `None` when there is none.
    stamp: Option<(SystemTime, u64)>,
    text: String,
}

impl Wishes {
    pub(super) fn within(directory: &Path, theme: Theme) -> Self {
        Self {
            keys: Watched::new(directory.join("keys.toml")),
            looks: Watched::new(directory.join("theme.toml")),
            theme,
            viewed_at: None,
        }
    }

    /// What the files say, if they have changed.
    pub(super) fn look(&mut self, now: Timestamp) -> Option<AppEvent> {
        let recent = |at: Timestamp| (0..PAUSE_MS).contains(&now.ms_since(at));
        if self.viewed_at.replace(now).is_some_and(recent) {
            return None;
        }
        let mut wrong = Vec::new();
        // Both, whichever of them it is.
        let changed = [
            self.keys.has_changed(&mut wrong),
            self.looks.has_changed(&mut wrong),
        ];
        if changed == [false, false] {
            return None;
        }
        let (keymap, keys) = Keymap::configured(&self.keys.text);
        let (theme, looks) = self.theme.configured(&self.looks.text);
        wrong.extend(self.keys.said(&keys));
        wrong.extend(self.looks.said(&looks));
        Some(AppEvent::Configured {
            keymap,
            theme,
            wrong,
        })
    }
}

impl Watched {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            stamp: None,
            text: String::new(),
        }
    }

    /// Reads it if it has changed.
    fn has_changed(&mut self, wrong: &mut Vec<String>) -> bool {
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
                wrong.push(format!("{}: longer than {most} KiB", self.name()));
            }
            Some(_) => match fs::read_to_string(&self.path) {
                Ok(text) => self.text = text,
                Err(error) => wrong.push(format!("{}: {error}", self.name())),
            },
        }
        true
    }

    fn said(&self, wrong: &[Wrong]) -> Vec<String> {
        let name = self.name();
        let said = wrong.iter();
        said.map(|wrong| format!("{name}:{}: {}", wrong.line, wrong.what))
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
    fn files_are_read_when_they_change_and_not_more_often() {
        let directory = tempfile::tempdir().expect("a directory");
        let theme = Theme::new(true, false);
        let mut wishes = Wishes::within(directory.path(), theme);
        let mut now = Timestamp::from_ms(0);
        let mut look = |pause_ms| {
            now = now.plus_ms(pause_ms);
            wishes.look(now)
        };
        assert!(look(0).is_none(), "there are none");
        let keys = directory.path().join("keys.toml");
        fs::write(&keys, "help = \"f12\"\nfly = \"f5\"\n").expect("written");
        assert!(look(10).is_none(), "not so soon");
        let Some(AppEvent::Configured { keymap, wrong, .. }) = look(1_000) else {
            panic!("not read")
        };
        assert_eq!(keymap.keys(Command::App(AppCommand::Help)).len(), 1);
        assert_eq!(wrong.len(), 1);
        assert!(wrong[0].starts_with("keys.toml:2: "), "{wrong:?}");
        assert!(look(1_000).is_none());
        fs::write(directory.path().join("theme.toml"), "glyphs = \"ascii\"\n").expect("written");
        fs::remove_file(&keys).expect("removed");
        let Some(AppEvent::Configured {
            keymap,
            theme: looks,
            wrong,
        }) = look(1_000)
        else {
            panic!("not read")
        };
        assert!(wrong.is_empty());
        assert_eq!(keymap, Keymap::default());
        assert_eq!(looks, Theme::new(true, true));
    }
}
