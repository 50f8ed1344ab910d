//! A key with its modifiers: read from the terminal, parsed from its name, and formatted as a
//! label.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Keys with a name instead of a character.
const NAMED: [(&str, KeyCode); 15] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("space", KeyCode::Char(' ')),
];

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// The error for an unknown key name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown key '{0}'; expected a name such as ctrl-a, alt-enter, shift-up, f1 or x")]
pub struct KeyError(String);

impl Key {
    /// Returns the character that this key types, if any.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c)
                if !self
                    .modifiers
                    .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
            {
                Some(if self.modifiers.contains(KeyModifiers::SHIFT) {
                    // With the keyboard protocol, terminals send the lower-case letter and Shift
                    // separately.
                    c.to_uppercase().next().unwrap_or(c)
                } else {
                    c
                })
            }
            _ => None,
        }
    }
}

impl Key {
    /// Returns the character that this key stands for within a paste, if any.
    pub fn pasted(self) -> Option<char> {
        match self.code {
            KeyCode::Enter if self.modifiers.is_empty() => Some('\n'),
            KeyCode::Tab if self.modifiers.is_empty() => Some('\t'),
            // Some terminals send Ctrl-J for the line ends of a paste.
            KeyCode::Char('j') if self.modifiers == KeyModifiers::CONTROL => Some('\n'),
            _ => self.typed(),
        }
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        let known = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let mut modifiers = event.modifiers & known;
        let mut code = event.code;
        match code {
            KeyCode::BackTab => {
                code = KeyCode::Tab;
                modifiers |= KeyModifiers::SHIFT;
            }
            // The control characters 0x1c to 0x1f arrive as Ctrl-4 to Ctrl-7.
            KeyCode::Char(c @ '4'..='7') if modifiers == KeyModifiers::CONTROL => {
                code = KeyCode::Char(match c {
                    '4' => '\\',
                    '5' => ']',
                    '6' => '^',
                    _ => '_',
                });
            }
            // The character already includes Shift, and Ctrl ignores case.
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => {
                code = KeyCode::Char(c.to_ascii_lowercase());
                modifiers -= KeyModifiers::SHIFT;
            }
            KeyCode::Char(c) if c.is_uppercase() || !c.is_alphabetic() => {
                modifiers -= KeyModifiers::SHIFT;
            }
            _ => {}
        }
        Self { code, modifiers }
    }
}

impl std::str::FromStr for Key {
    type Err = KeyError;

    fn from_str(name: &str) -> Result<Self, KeyError> {
        let wrong = || KeyError(name.to_owned());
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = name;
        for (prefix, modifier) in [
            ("ctrl-", KeyModifiers::CONTROL),
            ("alt-", KeyModifiers::ALT),
            ("shift-", KeyModifiers::SHIFT),
        ] {
            if let Some(after) = rest.strip_prefix(prefix).filter(|after| !after.is_empty()) {
                modifiers |= modifier;
                rest = after;
            }
        }
        let named = NAMED.iter().find(|(name, _)| *name == rest);
        let code = if let Some((_, code)) = named {
            *code
        } else {
            let mut chars = rest.chars();
            match (chars.next(), chars.as_str()) {
                (Some('f'), number) if !number.is_empty() => {
                    KeyCode::F(number.parse().map_err(|_| wrong())?)
                }
                (Some(c), "") => KeyCode::Char(c),
                _ => return Err(wrong()),
            }
        };
        Ok(Self { code, modifiers })
    }
}

impl Key {
    /// Returns the label for the screen, such as `⌃G`, `⌥⏎` or `F1`. `glyphs` are the symbols for
    /// Control, Alt, Shift, Enter, Up and Down.
    pub fn label(&self, glyphs: [&str; 6]) -> String {
        label(&self.to_string(), glyphs)
    }
}

/// Writes the name that [`Key::from_str`](std::str::FromStr) parses: `ctrl-a`, `alt-enter`, `f1`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, prefix) in [
            (KeyModifiers::CONTROL, "ctrl-"),
            (KeyModifiers::ALT, "alt-"),
            (KeyModifiers::SHIFT, "shift-"),
        ] {
            if self.modifiers.contains(modifier) {
                f.write_str(prefix)?;
            }
        }
        if let Some((name, _)) = NAMED.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::F(number) => write!(f, "f{number}"),
            KeyCode::Char(c) => write!(f, "{c}"),
            other => write!(f, "{other:?}"),
        }
    }
}

fn label(name: &str, glyphs: [&str; 6]) -> String {
    let [ctrl, alt, shift, enter, up, down] = glyphs;
    let mut out = String::new();
    let mut rest = name;
    for (prefix, glyph) in [("ctrl-", ctrl), ("alt-", alt), ("shift-", shift)] {
        if let Some(after) = rest.strip_prefix(prefix) {
            out.push_str(glyph);
            rest = after;
        }
    }
    match rest {
        "enter" => out.push_str(enter),
        "up" => out.push_str(up),
        "down" => out.push_str(down),
        "pageup" => out.push_str("PgUp"),
        "pagedown" => out.push_str("PgDn"),
        _ if out.is_empty() && rest.len() == 1 => out.push_str(rest),
        _ => {
            let mut chars = rest.chars();
            out.extend(chars.next().into_iter().flat_map(char::to_uppercase));
            out.push_str(chars.as_str());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const UNICODE: [&str; 6] = ["⌃", "⌥", "⇧", "⏎", "↑", "↓"];
    const ASCII: [&str; 6] = ["^", "M-", "S-", "Enter", "Up", "Down"];

    #[rstest]
    #[case("ctrl-g", "⌃G", "^G")]
    #[case("alt-enter", "⌥⏎", "M-Enter")]
    #[case("f1", "F1", "F1")]
    #[case("pageup", "PgUp", "PgUp")]
    #[case("l", "l", "l")]
    fn labels_use_the_glyphs(#[case] name: &str, #[case] unicode: &str, #[case] ascii: &str) {
        assert_eq!(label(name, UNICODE), unicode);
        assert_eq!(label(name, ASCII), ascii);
    }

    #[rstest]
    #[case("ctrl-_", KeyCode::Char('7'), KeyModifiers::CONTROL)]
    #[case("ctrl-^", KeyCode::Char('6'), KeyModifiers::CONTROL)]
    #[case("ctrl-a", KeyCode::Char('A'), KeyModifiers::CONTROL)]
    #[case("shift-tab", KeyCode::BackTab, KeyModifiers::NONE)]
    #[case("alt-_", KeyCode::Char('_'), KeyModifiers::ALT)]
    fn terminal_keys_have_names(
        #[case] name: &str,
        #[case] code: KeyCode,
        #[case] modifiers: KeyModifiers,
    ) {
        assert_eq!(Ok(Key::from(KeyEvent::new(code, modifiers))), name.parse());
    }

    #[rstest]
    #[case(KeyCode::Char('A'), KeyModifiers::SHIFT, Some('A'))]
    #[case(KeyCode::Char('a'), KeyModifiers::NONE, Some('a'))]
    #[case(KeyCode::Char('a'), KeyModifiers::CONTROL, None)]
    #[case(KeyCode::Char('ß'), KeyModifiers::NONE, Some('ß'))]
    #[case(KeyCode::Enter, KeyModifiers::NONE, None)]
    fn keys_type_characters(
        #[case] code: KeyCode,
        #[case] modifiers: KeyModifiers,
        #[case] typed: Option<char>,
    ) {
        assert_eq!(Key::from(KeyEvent::new(code, modifiers)).typed(), typed);
    }
}
