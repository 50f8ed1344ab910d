//! What stands around the terminal: the clipboard, the browser, notifications. Each may be missing.

use std::process::Stdio;

use crossterm::Command as _;
use crossterm::clipboard::CopyToClipboard;
use plenary_shared::text::for_terminal;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::msg::AppEvent;

/// Bytes that terminals take at once; what is longer is cut by some and ignored by others.
const OSC_BYTES_MAX: usize = 70_000;

/// What the environment says of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desktop {
    is_tmux: bool,
    clipboard: Option<&'static [&'static str]>,
    opener: Option<&'static str>,
    call: Call,
    notifier: Option<&'static str>,
}

/// How this terminal is told to notify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Call {
    /// By the bell alone.
    #[default]
    Bell,
    /// By OSC 9: a text.
    Nine,
    /// By OSC 777: a title and a text.
    Titled,
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
        let call = Call::of(&variable);
        // What the terminal shows need not be shown twice; from afar nobody sees this desktop.
        let here = (wayland || x11) && !set("SSH_CONNECTION") && call == Call::Bell;
        Self {
            is_tmux: tmux,
            clipboard,
            opener,
            call,
            notifier: here.then_some("notify-send"),
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
    pub(super) fn open(&self, address: &str, answer: mpsc::Sender<AppEvent>) {
        let Some(program) = self.opener else {
            let why = format!(
                "no browser here: {} is copied instead",
                for_terminal(address)
            );
            // If even this has no room, the status line has enough to say.
            let _ = answer.try_send(AppEvent::Failed(why));
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
            let _ = answer.send(AppEvent::Failed(why)).await;
        });
    }

    /// What makes the terminal call: its bell, and a notification where it has one.
    pub(super) fn calling(&self, title: &str, text: &str) -> String {
        let (title, text) = (for_terminal(title), for_terminal(text));
        let sequence = match self.call {
            Call::Bell => return "\x07".to_owned(),
            Call::Nine => format!("\x1b]9;{title}: {text}\x07"),
            // The title ends at the first of them.
            Call::Titled => {
                let title = title.replace(';', ",");
                format!("\x1b]777;notify;{title};{text}\x07")
            }
        };
        let wrapped = if self.is_tmux {
            self.passed(&sequence).split_off(sequence.len())
        } else {
            sequence
        };
        format!("{wrapped}\x07")
    }

    /// Calls on the desktop, where the terminal cannot.
    pub(super) fn call(&self, title: &str, text: &str) {
        let Some(program) = self.notifier else {
            return;
        };
        let mut command = quiet(program);
        command.args(["--app-name", "plenary", "--", title, text]);
        tokio::spawn(async move {
            // The bell has been rung; that nothing else can be done need not be said each time.
            let _ = command.status().await;
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

impl Call {
    /// By the names that terminals give themselves.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let of = |name: &str| variable(name).unwrap_or_default();
        let (program, term) = (of("TERM_PROGRAM"), of("TERM"));
        match (program.as_str(), term.as_str()) {
            ("iTerm.app" | "WezTerm" | "ghostty", _) | (_, "xterm-kitty" | "xterm-ghostty") => {
                Self::Nine
            }
            (_, term) if term.starts_with("foot") || term.starts_with("rxvt") => Self::Titled,
            _ => Self::Bell,
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
    fn terminals_are_called_as_they_understand_it() {
        let calling = |name: &'static str, value: &'static str| {
            let desktop = Desktop::new(|variable| (variable == name).then(|| value.to_owned()));
            desktop.calling("grace; in S", "hi\x1b]0;evil\x07")
        };
        assert_eq!(calling("TERM", "xterm-256color"), "\x07");
        let nine = "\x1b]9;grace; in S: hi]0;evil\x07\x07";
        assert_eq!(calling("TERM", "xterm-kitty"), nine);
        let titled = "\x1b]777;notify;grace, in S;hi]0;evil\x07\x07";
        assert_eq!(calling("TERM", "foot"), titled);
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
