//! Keys that come faster than anybody types: several lines of them are a paste, of which the
//! terminal did not say so.

use std::time::Duration;

use crate::key::Key;
use crate::msg::AppEvent;

/// Keys less apart than this are not typed by a person.
const GAP: Duration = Duration::from_millis(10);

/// Keys that are held back: a few pages; then they are a paste for certain.
const HELD_MAX: usize = 16 * 1_024;

/// Holds back a key that could send or complete something, while it may be a part of a paste.
#[derive(Debug, Default)]
pub(super) struct Burst {
    /// Since the last key that may be a part of a paste, the time in which nothing came.
    waited: Option<Duration>,
    held: Vec<Key>,
    /// The terminal says itself what is pasted.
    is_told: bool,
}

impl Burst {
    /// So long nothing came. Only what is spent waiting counts: a slow frame makes nobody's keys
    /// slower.
    pub(super) fn waited(&mut self, time: Duration) {
        if let Some(waited) = &mut self.waited {
            *waited += time;
        }
    }

    /// How long to wait until what is held back is due.
    pub(super) fn left(&self) -> Option<Duration> {
        let waited = self.waited.filter(|_| !self.held.is_empty())?;
        Some(GAP.saturating_sub(waited))
    }

    /// What is due, if anything.
    pub(super) fn due(&mut self) -> Vec<AppEvent> {
        match self.left() {
            Some(Duration::ZERO) => self.release(),
            Some(_) | None => Vec::new(),
        }
    }

    /// Takes what came; gives what is certain, in order.
    pub(super) fn take(&mut self, event: AppEvent) -> Vec<AppEvent> {
        let mut ready = self.due();
        let key = match event {
            AppEvent::Key(key) => key,
            AppEvent::Pasted(_) => {
                self.is_told = true;
                ready.extend(self.release());
                ready.push(event);
                return ready;
            }
            other => {
                ready.push(other);
                return ready;
            }
        };
        let Some(c) = key.pasted().filter(|_| !self.is_told) else {
            ready.extend(self.release());
            self.waited = None;
            ready.push(AppEvent::Key(key));
            return ready;
        };
        let fast = self.waited.replace(Duration::ZERO).is_some_and(|w| w < GAP);
        if !self.held.is_empty() || (fast && (c == '\n' || c == '\t')) {
            self.held.push(key);
            if self.held.len() == HELD_MAX {
                ready.extend(self.release());
            }
        } else {
            ready.push(AppEvent::Key(key));
        }
        ready
    }

    /// What is held back: keys, or, if a line end is not the last of them, a paste.
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

    /// Plays keys; a `~` is a pause in which a person may think. Gives what came out: keys by
    /// their character, pastes in brackets.
    fn play(keys: &str) -> String {
        let mut burst = Burst::default();
        let mut out = String::new();
        let mut note = |ready: Vec<AppEvent>| {
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
                burst.waited(GAP);
                note(burst.due());
                continue;
            }
            let name = match c {
                '\n' => "enter".to_owned(),
                '\t' => "tab".to_owned(),
                '^' => "up".to_owned(),
                other => other.to_string(),
            };
            note(burst.take(AppEvent::Key(name.parse().expect("a key"))));
        }
        burst.waited(GAP);
        note(burst.due());
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
    fn several_fast_lines_are_a_paste(#[case] keys: &str, #[case] out: &str) {
        assert_eq!(play(keys), out);
    }

    #[test]
    fn a_terminal_that_tells_is_believed() {
        let mut burst = Burst::default();
        burst.take(AppEvent::Pasted("x".into()));
        let enter: Key = "enter".parse().expect("a key");
        burst.take(AppEvent::Key("a".parse().expect("a key")));
        let ready = burst.take(AppEvent::Key(enter));
        assert!(matches!(ready.as_slice(), [AppEvent::Key(key)] if *key == enter));
    }
}
