//! What stands around the terminal: the clipboard, the browser, notifications. Each may be missing.

use std::process::Stdio;

use crossterm::Command as _;
use crossterm::clipboard::CopyToClipboard;
use plenary_shared::text::for_terminal;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::msg::News;

/// Bytes that terminals take at once; what is longer is cut by some and ignored by others.
const OSC_BYTES_MAX: usize = 70_000;

/// What the environment says of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desktop {
    is_tmux: bool,
    clipboard: Option<&'static [&'static str]>,
    opener: Option<&'static str>,
}

impl Desktop {
    /// By the variables that say where one is.
    pub fn new(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let (wayland, x11, tmux) = (set("WAYLAND_DISPLAY"), set("DISPLAY"), set("TMUX"));
        let mac = cfg!(target_os = "macos");
        let clipboard: Option<&[&str]> = match () {
            () if mac => Some(&["pbcopy"]),
            () if wayland => Some(&["wl-copy"]),
            () if x11 => Some(&["xclip", "-selection", "clipboard"]),
            () if tmux => Some(&["tmux", "load-buffer", "-w", "-"]),
            () => None,
        };
        let opener = match () {
            () if mac => Some("open"),
            () if wayland || x11 => Some("xdg-open"),
            () => None,
        };
        Self {
            is_tmux: tmux,
            clipboard,
            opener,
        }
    }

    /// What makes the terminal copy a text, also behind tmux.
    pub(super) fn copying(&self, text: &str) -> Option<String> {
        if text.len() > OSC_BYTES_MAX {
            return None;
        }
        let mut plain = String::new();
        CopyToClipboard::to_clipboard_from(text)
            .write_ansi(&mut plain)
            .ok()?;
        Some(self.passed(&plain))
    }

    /// Gives a text to the clipboard's program, where there is one. That it has none is no error:
    /// the terminal may have copied it.
    pub(super) fn copy(&self, text: String) {
        let Some([program, arguments @ ..]) = self.clipboard else {
            return;
        };
        let mut command = quiet(program);
        command.args(arguments).stdin(Stdio::piped());
        tokio::spawn(async move {
            if let Ok(mut child) = command.spawn() {
                if let Some(mut input) = child.stdin.take() {
                    // Whoever does not take it has a reason, and no ear.
                    let _ = input.write_all(text.as_bytes()).await;
                }
                let _ = child.wait().await;
            }
        });
    }

    /// Opens an address; says so if that cannot be done.
    pub(super) fn open(&self, address: &str, answer: mpsc::Sender<News>) {
        let Some(program) = self.opener else {
            let why = format!(
                "no browser here: {} is copied instead",
                for_terminal(address)
            );
            // If even this has no room, the status line has enough to say.
            let _ = answer.try_send(News::Failed(why));
            return self.copy(address.to_owned());
        };
        let mut command = quiet(program);
        command.arg(address);
        tokio::spawn(async move {
            let why = match command.status().await {
                Ok(status) if status.success() => return,
                Ok(status) => format!("the link is not opened: {program}: {status}"),
                Err(error) => format!("the link is not opened: {program}: {error}"),
            };
            let _ = answer.send(News::Failed(why)).await;
        });
    }

    /// Whether links go to a program, and not to the clipboard.
    pub(super) fn has_opener(&self) -> bool {
        self.opener.is_some()
    }

    /// A sequence as the terminal gets it: through tmux wrapped, and plain for tmux itself.
    fn passed(&self, sequence: &str) -> String {
        if self.is_tmux {
            let doubled = sequence.replace('\x1b', "\x1b\x1b");
            format!("{sequence}\x1bPtmux;{doubled}\x1b\\")
        } else {
            sequence.to_owned()
        }
    }
}

/// A program that neither reads our keys nor writes on our screen.
fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desktop(variables: &[&str]) -> Desktop {
        Desktop::new(|name| variables.contains(&name).then(|| "set".to_owned()))
    }

    #[test]
    fn what_is_copied_goes_through_tmux() {
        let plain = desktop(&[]).copying("hi").expect("short");
        assert!(plain.starts_with("\x1b]52;c;aGk="), "{plain:?}");
        let tmux = desktop(&["TMUX"]).copying("hi").expect("short");
        assert!(tmux.starts_with(&plain), "{tmux:?}");
        assert!(tmux.contains("\x1bPtmux;\x1b\x1b]52;c;aGk="), "{tmux:?}");
        assert_eq!(desktop(&[]).copying(&"x".repeat(80_000)), None);
    }

    #[test]
    fn without_a_desktop_there_is_no_program() {
        assert_eq!(desktop(&[]).clipboard, None);
        assert!(!desktop(&[]).has_opener());
        if cfg!(target_os = "linux") {
            assert_eq!(desktop(&["DISPLAY"]).opener, Some("xdg-open"));
            assert_eq!(
                desktop(&["WAYLAND_DISPLAY", "DISPLAY"]).clipboard,
                Some(&["wl-copy"][..])
            );
        }
    }
}
