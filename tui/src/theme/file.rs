//! The user's theme file, `theme.toml`. Invalid lines are reported with their number and leave the
//! default in place.

use ratatui::style::{Color, Modifier, Style};
use toml::de::DeValue;

use super::{ASCII, NAMES_MAX, Theme, Tone, UNICODE};
use crate::config::{self, LineError};

/// The 16 terminal colours.
const COLOURS: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
];

impl Theme {
    /// Applies a theme file. Returns the theme and the errors in the file.
    #[must_use]
    pub fn configured(mut self, text: &str) -> (Self, Vec<LineError>) {
        let entries = match config::entries(text) {
            Ok(entries) => entries,
            Err(error) => return (self, vec![error]),
        };
        let mut wrong = Vec::new();
        for (line, name, value) in entries {
            if let Err(message) = self.set(&name, &value) {
                wrong.push(LineError { line, message });
            }
        }
        (self, wrong)
    }

    fn set(&mut self, name: &str, value: &DeValue<'_>) -> Result<(), String> {
        if name == "names" {
            return self.set_names(value);
        }
        let text = value
            .as_str()
            .ok_or_else(|| format!("{name}: expected a string such as \"bold yellow\""))?;
        if name == "glyphs" {
            self.glyphs = match text {
                "unicode" => &UNICODE,
                "ascii" => &ASCII,
                _ => return Err("glyphs: expected \"unicode\" or \"ascii\"".to_owned()),
            };
            return Ok(());
        }
        let tone = Tone::ALL.iter().find(|tone| tone.name() == name);
        let tone = tone.ok_or_else(|| {
            let names: Vec<&str> = Tone::ALL.iter().map(|tone| tone.name()).collect();
            format!(
                "unknown setting '{name}'; expected glyphs, names, {}",
                names.join(", ")
            )
        })?;
        self.styles[*tone as usize] =
            style(text).map_err(|message| format!("{name}: {message}"))?;
        Ok(())
    }

    fn set_names(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let expected =
            || format!("names: expected 1 to {NAMES_MAX} colours, such as [\"cyan\", \"green\"]");
        let list = value.as_array().ok_or_else(expected)?;
        let mut names = [None; NAMES_MAX];
        if list.is_empty() || list.len() > NAMES_MAX {
            return Err(expected());
        }
        for (place, name) in names.iter_mut().zip(list.iter()) {
            let name = name.get_ref().as_str().ok_or_else(expected)?;
            *place = Some(colour(name)?);
        }
        self.names = names;
        Ok(())
    }
}

/// Parses a style such as `bold yellow`, `white on red`, `reverse`, or the empty string.
fn style(text: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let modifier = MODIFIERS.iter().find(|(name, _)| *name == word);
        if let Some((_, modifier)) = modifier {
            style = style.add_modifier(*modifier);
        } else if word == "on" {
            let word = words.next().ok_or("expected a colour after 'on'")?;
            style = style.bg(colour(word)?);
        } else {
            style = style.fg(colour(word)?);
        }
    }
    Ok(style)
}

fn colour(word: &str) -> Result<Color, String> {
    let found = COLOURS.iter().find(|(name, _)| *name == word);
    found.map(|(_, colour)| *colour).ok_or_else(|| {
        format!(
            "unknown colour '{word}'; expected black, red, green, yellow, blue, magenta, cyan, white, \
             one of these with bright-, or bold, dim, italic, underline, reverse, on"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn theme_file_overrides_the_default() {
        let theme = Theme::new(true, false);
        let text = "glyphs = \"ascii\"\nbad = \"bright-white on red bold\"\nquiet = \"\"\n\
                    names = [\"blue\"]\n";
        let (own, wrong) = theme.configured(text);
        assert_eq!(wrong, []);
        assert_eq!(own.glyphs, &ASCII);
        let bad = own.style(Tone::Bad);
        assert_eq!((bad.fg, bad.bg), (Some(Color::White), Some(Color::Red)));
        assert_eq!(own.style(Tone::Quiet), Style::new());
        assert_eq!(own.style(Tone::Soon), theme.style(Tone::Soon));
        assert!((0..50).all(|user| own.name(user, false).fg == Some(Color::Blue)));
        let (plain, _) = Theme::new(false, false).configured(text);
        assert_eq!(plain.style(Tone::Bad).fg, None);
        assert_eq!(plain.style(Tone::Bad).bg, None);
    }

    #[rstest]
    #[case("bad = \"pink\"", 1, "unknown colour 'pink'")]
    #[case("\nbad = 7", 2, "bad: expected a string")]
    #[case("worse = \"red\"", 1, "unknown setting 'worse'")]
    #[case("names = []", 1, "names: expected 1 to")]
    #[case("glyphs = \"emoji\"", 1, "unicode")]
    #[case("bad = \"red on\"", 1, "after 'on'")]
    fn errors_have_a_line_and_keep_the_default(
        #[case] text: &str,
        #[case] line: usize,
        #[case] message: &str,
    ) {
        let theme = Theme::new(true, false);
        let (own, wrong) = theme.configured(text);
        let [only] = wrong.as_slice() else {
            panic!("{wrong:?}")
        };
        assert!(
            only.line == line && only.message.contains(message),
            "{only:?}"
        );
        assert_eq!(own, theme);
    }
}
