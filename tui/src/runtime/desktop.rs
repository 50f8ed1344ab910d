//! The desktop around the terminal: clipboard, browser and notifications, each optional.

use std::process::Stdio;

use crossterm::Command as _;
use crossterm::clipboard::CopyToClipboard;
use plenary_shared::text::for_terminal;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::msg::AppEvent;

/// Size limit of copied text in an OSC 52 sequence. Terminals cut or ignore longer ones.
const OSC_BYTES_MAX: usize = 70_000;

/// The available desktop features.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desktop {
    is_tmux: bool,
    clipboard: Option<&'static [&'static str]>,
    opener: Option<&'static str>,
    notification: Notification,
    notifier: Option<&'static str>,
}

/// The notification sequence that the terminal supports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Notification {
    #[default]
    Bell,
    /// OSC 9: a text.
    Osc9,
    /// OSC 777: a title and a text.
    Osc777,
}

impl Desktop {
    /// Detects the features from environment variables.
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
        let notification = Notification::detect(&variable);
        // A desktop notification is needed only if the terminal cannot show one. Over SSH, this
        // desktop is not the user's.
        let notifies =
            (wayland || x11) && !set("SSH_CONNECTION") && notification == Notification::Bell;
        Self {
            is_tmux: tmux,
            clipboard,
            opener,
            notification,
            notifier: notifies.then_some("notify-send"),
        }
    }

    /// Returns the sequence that copies a text, also through tmux.
    pub(super) fn copy_sequence(&self, text: &str) -> Option<String> {
        if text.len() > OSC_BYTES_MAX {
            return None;
        }
        let mut plain = String::new();
        CopyToClipboard::to_clipboard_from(text)
            .write_ansi(&mut plain)
            .ok()?;
        Some(self.through_tmux(&plain))
    }

    /// Copies a text with the clipboard program, if there is one. Errors are ignored, since the
    /// terminal may have copied it.
    pub(super) fn copy(&self, text: String) {
        let Some([program, arguments @ ..]) = self.clipboard else {
            return;
        };
        let mut command = detached(program);
        command.args(arguments).stdin(Stdio::piped());
        tokio::spawn(async move {
            if let Ok(mut child) = command.spawn() {
                if let Some(mut input) = child.stdin.take() {
                    // The program may close its input early.
                    let _ = input.write_all(text.as_bytes()).await;
                }
                let _ = child.wait().await;
            }
        });
    }

    /// Opens a URL in the browser. Reports errors to `events`.
    pub(super) fn open(&self, url: &str, events: mpsc::Sender<AppEvent>) {
        let Some(program) = self.opener else {
            let what = format!("No browser available. Copied {}", for_terminal(url));
            // If the queue is full, other messages are more recent.
            let _ = events.try_send(AppEvent::Done(what));
            return self.copy(url.to_owned());
        };
        let mut command = detached(program);
        command.arg(url);
        tokio::spawn(async move {
            let why = match command.status().await {
                Ok(status) if status.success() => return,
                Ok(status) => format!("Cannot open the link: {program}: {status}"),
                Err(error) => format!("Cannot open the link: {program}: {error}"),
            };
            let _ = events.send(AppEvent::Failed(why)).await;
        });
    }

    /// Returns the sequence for a notification with the bell.
    pub(super) fn notification_sequence(&self, title: &str, text: &str) -> String {
        let (title, text) = (for_terminal(title), for_terminal(text));
        let sequence = match self.notification {
            Notification::Bell => return "\x07".to_owned(),
            Notification::Osc9 => format!("\x1b]9;{title}: {text}\x07"),
            // A semicolon would end the title.
            Notification::Osc777 => {
                let title = title.replace(';', ",");
                format!("\x1b]777;notify;{title};{text}\x07")
            }
        };
        let wrapped = if self.is_tmux {
            self.through_tmux(&sequence).split_off(sequence.len())
        } else {
            sequence
        };
        format!("{wrapped}\x07")
    }

    /// Shows a desktop notification if the terminal cannot.
    pub(super) fn notify(&self, title: &str, text: &str) {
        let Some(program) = self.notifier else {
            return;
        };
        let mut command = detached(program);
        command.args(["--app-name", "plenary", "--", title, text]);
        tokio::spawn(async move {
            // The bell has sounded. Further errors are not worth a message each time.
            let _ = command.status().await;
        });
    }

    /// Returns whether a browser is available.
    pub(super) fn has_opener(&self) -> bool {
        self.opener.is_some()
    }

    /// Returns a sequence for the terminal, plain and wrapped for tmux if it runs there.
    fn through_tmux(&self, sequence: &str) -> String {
        if self.is_tmux {
            let doubled = sequence.replace('\x1b', "\x1b\x1b");
            format!("{sequence}\x1bPtmux;{doubled}\x1b\\")
        } else {
            sequence.to_owned()
        }
    }
}

impl Notification {
    /// Detects the sequence from environment variables.
    fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let of = |name: &str| variable(name).unwrap_or_default();
        let (program, term) = (of("TERM_PROGRAM"), of("TERM"));
        match (program.as_str(), term.as_str()) {
            ("iTerm.app" | "WezTerm" | "ghostty", _) | (_, "xterm-kitty" | "xterm-ghostty") => {
                Self::Osc9
            }
            (_, term) if term.starts_with("foot") || term.starts_with("rxvt") => Self::Osc777,
            _ => Self::Bell,
        }
    }
}

/// Returns a command without access to the terminal.
fn detached(program: &str) -> Command {
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
    fn copy_sequence_passes_through_tmux() {
        let plain = desktop(&[]).copy_sequence("hi").expect("short");
        assert!(plain.starts_with("\x1b]52;c;aGk="), "{plain:?}");
        let tmux = desktop(&["TMUX"]).copy_sequence("hi").expect("short");
        assert!(tmux.starts_with(&plain), "{tmux:?}");
        assert!(tmux.contains("\x1bPtmux;\x1b\x1b]52;c;aGk="), "{tmux:?}");
        assert_eq!(desktop(&[]).copy_sequence(&"x".repeat(80_000)), None);
    }

    #[test]
    fn notification_sequence_depends_on_the_terminal() {
        let sequence_in = |name: &'static str, value: &'static str| {
            let desktop = Desktop::new(|variable| (variable == name).then(|| value.to_owned()));
            desktop.notification_sequence("grace; in S", "hi\x1b]0;evil\x07")
        };
        assert_eq!(sequence_in("TERM", "xterm-256color"), "\x07");
        let nine = "\x1b]9;grace; in S: hi]0;evil\x07\x07";
        assert_eq!(sequence_in("TERM", "xterm-kitty"), nine);
        let titled = "\x1b]777;notify;grace, in S;hi]0;evil\x07\x07";
        assert_eq!(sequence_in("TERM", "foot"), titled);
    }

    #[test]
    fn programs_depend_on_the_desktop() {
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
