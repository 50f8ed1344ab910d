//! Detects pastes in terminals without bracketed paste: several lines of keys in fast succession.

use std::time::Duration;

use crate::key::Key;
use crate::msg::AppEvent;

/// Keys with a smaller gap are not typed by a person.
const GAP_MIN: Duration = Duration::from_millis(10);

/// The number of keys held back at most. More than that are a paste.
const HELD_MAX: usize = 16 * 1_024;

/// Holds back Enter and Tab while they may be part of a paste.
#[derive(Debug, Default)]
pub(super) struct PasteDetector {
    /// The idle time since the last key that may be part of a paste.
    idle: Option<Duration>,
    held: Vec<Key>,
    /// Whether the terminal supports bracketed paste.
    is_bracketed: bool,
}

impl PasteDetector {
    /// Adds idle time. Time spent drawing does not count, since keys queue up meanwhile.
    pub(super) fn idled(&mut self, time: Duration) {
        if let Some(idle) = &mut self.idle {
            *idle += time;
        }
    }

    /// Returns the time until held keys are released, or `None` if no keys are held.
    pub(super) fn release_in(&self) -> Option<Duration> {
        let idle = self.idle.filter(|_| !self.held.is_empty())?;
        Some(GAP_MIN.saturating_sub(idle))
    }

    /// Returns the held keys if their time has come.
    pub(super) fn due(&mut self) -> Vec<AppEvent> {
        match self.release_in() {
            Some(Duration::ZERO) => self.release(),
            Some(_) | None => Vec::new(),
        }
    }

    /// Takes an event. Returns the events that are ready, in order.
    pub(super) fn take(&mut self, event: AppEvent) -> Vec<AppEvent> {
        let mut ready = self.due();
        let key = match event {
            AppEvent::Key(key) => key,
            AppEvent::Pasted(_) => {
                self.is_bracketed = true;
                ready.extend(self.release());
                ready.push(event);
                return ready;
            }
            other => {
                ready.push(other);
                return ready;
            }
        };
        let Some(c) = key.pasted().filter(|_| !self.is_bracketed) else {
            ready.extend(self.release());
            self.idle = None;
            ready.push(AppEvent::Key(key));
            return ready;
        };
        let is_fast = self
            .idle
            .replace(Duration::ZERO)
            .is_some_and(|idle| idle < GAP_MIN);
        if !self.held.is_empty() || (is_fast && (c == '\n' || c == '\t')) {
            self.held.push(key);
            if self.held.len() == HELD_MAX {
                ready.extend(self.release());
            }
        } else {
            ready.push(AppEvent::Key(key));
        }
        ready
    }

    /// Returns the held keys as a paste if they contain a line end before the last key, otherwise as keys.
    fn release(&mut self) -> Vec<AppEvent> {
        let held = std::mem::take(&mut self.held);
        let text: String = held.iter().filter_map(|key| key.pasted()).collect();
        let inner = text.strip_suffix('\n').unwrap_or(&text);
        if inner.contains('\n') || (!text.ends_with('\n') && text.contains('\n')) {
            return vec![AppEvent::Pasted(text)];
        }
        held.into_iter().map(AppEvent::Key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Feeds keys and returns the output: keys as characters, pastes in brackets. `~` is a pause.
    fn feed(keys: &str) -> String {
        let mut detector = PasteDetector::default();
        let mut out = String::new();
        let mut collect = |ready: Vec<AppEvent>| {
            for event in ready {
                match event {
                    AppEvent::Key(key) => out.push(key.pasted().map_or('?', |c| match c {
                        '\n' => '⏎',
                        '\t' => '⇥',
                        other => other,
                    })),
                    AppEvent::Pasted(text) => {
                        out.push('[');
                        out.push_str(&text.replace('\n', "|"));
                        out.push(']');
                    }
                    _ => out.push('!'),
                }
            }
        };
        for c in keys.chars() {
            if c == '~' {
                detector.idled(GAP_MIN);
                collect(detector.due());
                continue;
            }
            let name = match c {
                '\n' => "enter".to_owned(),
                '\t' => "tab".to_owned(),
                '^' => "up".to_owned(),
                other => other.to_string(),
            };
            collect(detector.take(AppEvent::Key(name.parse().expect("a key"))));
        }
        detector.idled(GAP_MIN);
        collect(detector.due());
        out
    }

    #[rstest]
    #[case("hello~\n", "hello⏎")]
    #[case("hello\n", "hello⏎")]
    #[case("a\nb", "a[|b]")]
    #[case("a\nb\n", "a[|b|]")]
    #[case("a\n~b\n", "a⏎b⏎")]
    #[case("a\n\n", "a[||]")]
    #[case("a\tb\nc", "a[\tb|c]")]
    #[case("/jo\t", "/jo⇥")]
    #[case("ada\tsecret\n", "ada⇥secret⏎")]
    #[case("\n~\n", "⏎⏎")]
    #[case("a\n^", "a⏎?")]
    fn fast_lines_are_a_paste(#[case] keys: &str, #[case] out: &str) {
        assert_eq!(feed(keys), out);
    }

    #[test]
    fn bracketed_paste_turns_detection_off() {
        let mut detector = PasteDetector::default();
        detector.take(AppEvent::Pasted("x".into()));
        let enter: Key = "enter".parse().expect("a key");
        detector.take(AppEvent::Key("a".parse().expect("a key")));
        let ready = detector.take(AppEvent::Key(enter));
        assert!(matches!(ready.as_slice(), [AppEvent::Key(key)] if *key == enter));
    }
}
