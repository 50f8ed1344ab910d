//! Themes: styles in 16 colours or none, and glyphs in Unicode or ASCII.

mod file;

use ratatui::style::{Color, Modifier, Style};

/// The meaning of a piece of the screen, never expressed by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// Secondary text: times, rules, help.
    Quiet,
    /// Emphasized text: titles, unread meetings.
    Strong,
    /// A live meeting, success.
    Good,
    /// A warning, such as little time left.
    Soon,
    /// An error or the last minute, always next to a glyph.
    Bad,
    /// The selected row, and the word "offline".
    Reversed,
    /// A mention of the user, always next to a glyph.
    Mention,
    /// The user's own name.
    Own,
}

impl Tone {
    /// Every tone, in the order of the discriminants.
    pub const ALL: [Self; 9] = [
        Self::Plain,
        Self::Quiet,
        Self::Strong,
        Self::Good,
        Self::Soon,
        Self::Bad,
        Self::Reversed,
        Self::Mention,
        Self::Own,
    ];

    /// Returns the name in `theme.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Quiet => "quiet",
            Self::Strong => "strong",
            Self::Good => "good",
            Self::Soon => "soon",
            Self::Bad => "bad",
            Self::Reversed => "selected",
            Self::Mention => "mention",
            Self::Own => "own",
        }
    }
}

/// Colours, glyphs and the style of each tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    pub colour: bool,
    pub glyphs: &'static Glyphs,
    /// Indexed by tone, colours included.
    styles: [Style; Tone::ALL.len()],
    /// The colours of user names, each used plain and bold. Unused places are `None`.
    names: [Option<Color>; NAMES_MAX],
}

/// Colours of user names in a theme.
const NAMES_MAX: usize = 12;

/// A glyph set. Each glyph is one cell wide unless noted.
#[derive(Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// A live meeting, a present participant.
    pub live: &'static str,
    /// Sending, connecting, waiting.
    pub busy: &'static str,
    /// Ended, connected.
    pub done: &'static str,
    /// A private meeting.
    pub private: &'static str,
    /// An error.
    pub failed: &'static str,
    pub warning: &'static str,
    /// The selected row.
    pub bar: &'static str,
    /// A join.
    pub came: &'static str,
    /// A leave.
    pub went: &'static str,
    /// A mention or a quoted message.
    pub mention: &'static str,
    /// Cut-off text.
    pub cut: &'static str,
    /// An open group.
    pub group: &'static str,
    /// More below, or sorted in descending order.
    pub below: &'static str,
    /// Sorted in ascending order.
    pub above: &'static str,
    pub clock: &'static str,
    /// The input prompt.
    pub prompt: &'static str,
    /// A participant who left.
    pub gone: &'static str,
    /// An idle participant.
    pub idle: &'static str,
    /// A participant who is typing.
    pub pen: &'static str,
    /// Between two times.
    pub dash: &'static str,
    /// Between two items on one line.
    pub dot: &'static str,
    /// A horizontal rule.
    pub rule: &'static str,
    /// A dotted rule.
    pub dotted: &'static str,
    /// A vertical rule.
    pub standing: &'static str,
    /// The end of a vertical rule on a horizontal one.
    pub foot: &'static str,
    /// A hidden character.
    pub hidden: &'static str,
    /// Left and right end of a gauge.
    pub ends: [&'static str; 2],
    /// The cells of a gauge, from empty to full.
    pub parts: &'static [&'static str],
    /// The bars of a sparkline, from low to high.
    pub spark: &'static [&'static str],
    /// Corners of a box, clockwise from the upper left.
    pub corners: [&'static str; 4],
    /// Control, Alt, Shift, Enter, Up and Down in key labels.
    pub keys: [&'static str; 6],
}

/// Glyphs for terminals with Unicode.
pub const UNICODE: Glyphs = Glyphs {
    live: "●",
    busy: "◌",
    done: "✓",
    private: "◇",
    failed: "✗",
    warning: "⚠",
    bar: "▌",
    came: "→",
    went: "←",
    mention: "┃",
    cut: "…",
    group: "▾",
    below: "▼",
    above: "▲",
    clock: "◷",
    prompt: "›",
    idle: "◐",
    pen: "✎",
    gone: "○",
    dash: "–",
    dot: "·",
    rule: "─",
    dotted: "┄",
    standing: "│",
    foot: "┴",
    hidden: "•",
    ends: ["▕", "▏"],
    parts: &[" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    spark: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    corners: ["╭", "╮", "╯", "╰"],
    keys: ["⌃", "⌥", "⇧", "⏎", "↑", "↓"],
};

/// Glyphs for terminals without Unicode.
pub const ASCII: Glyphs = Glyphs {
    live: "*",
    busy: "~",
    done: "+",
    private: "^",
    failed: "x",
    warning: "!",
    bar: ">",
    came: ">",
    went: "<",
    mention: "|",
    cut: "~",
    group: "v",
    below: "v",
    above: "^",
    clock: "@",
    prompt: ">",
    idle: "z",
    pen: "...",
    gone: "o",
    dash: "-",
    dot: "-",
    rule: "-",
    dotted: ".",
    standing: "|",
    foot: "+",
    hidden: "*",
    ends: ["[", "]"],
    parts: &[" ", "#"],
    spark: &["_", ".", "-", "=", "+", "*", "#"],
    corners: ["+", "+", "+", "+"],
    keys: ["^", "M-", "S-", "Enter", "Up", "Down"],
};

/// The default colours of user names.
const NAME_COLOURS: [Color; 5] = [
    Color::Cyan,
    Color::Green,
    Color::Blue,
    Color::Magenta,
    Color::Yellow,
];

/// Returns whether to use ASCII glyphs, by `PLENARY_ASCII` or else by the locale.
pub fn wants_ascii(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(value) = set("PLENARY_ASCII") {
        return value != "0";
    }
    // The first one set decides, as in POSIX. Without any, the locale is C.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(set)
        .unwrap_or_default();
    let locale = locale.to_lowercase();
    !(locale.contains("utf-8") || locale.contains("utf8"))
}

impl Theme {
    /// Returns the default theme.
    pub fn new(colour: bool, ascii: bool) -> Self {
        let mut names = [None; NAMES_MAX];
        for (place, colour) in names.iter_mut().zip(NAME_COLOURS) {
            *place = Some(colour);
        }
        Self {
            colour,
            glyphs: if ascii { &ASCII } else { &UNICODE },
            styles: Tone::ALL.map(default_style),
            names,
        }
    }

    pub fn style(self, tone: Tone) -> Style {
        let style = self.styles[tone as usize];
        if self.colour {
            return style;
        }
        Style {
            fg: None,
            bg: None,
            ..style
        }
    }

    /// Returns the style of a user's name, which depends only on the user's id.
    pub fn name(self, user: u64, own: bool) -> Style {
        let count = self.names.iter().flatten().count().max(1) as u64;
        // Users who joined one after the other have adjacent ids and should look different.
        let index = usize::try_from(user % count).unwrap_or_default();
        let colour = self.names[index].filter(|_| self.colour);
        let mut style = Style {
            fg: colour,
            ..Style::new()
        };
        if (user / count) % 2 == 1 {
            style = style.add_modifier(Modifier::BOLD);
        }
        if own {
            style = style.add_modifier(Modifier::UNDERLINED);
        }
        style
    }
}

fn default_style(tone: Tone) -> Style {
    let plain = Style::new();
    match tone {
        Tone::Plain => plain,
        Tone::Quiet => plain.add_modifier(Modifier::DIM),
        Tone::Strong | Tone::Mention => plain.add_modifier(Modifier::BOLD),
        Tone::Good => plain.fg(Color::Green),
        Tone::Soon => plain.fg(Color::Yellow).add_modifier(Modifier::BOLD),
        Tone::Bad => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
        Tone::Reversed => plain.add_modifier(Modifier::REVERSED),
        Tone::Own => plain.add_modifier(Modifier::UNDERLINED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn styles_without_colour_have_none() {
        let theme = Theme::new(false, false);
        for tone in [Tone::Good, Tone::Soon, Tone::Bad, Tone::Mention] {
            assert_eq!(theme.style(tone).fg, None);
        }
        assert_eq!(theme.name(7, true).fg, None);
    }

    #[test]
    fn ascii_follows_the_locale() {
        let ascii = |set: &[(&str, &str)]| {
            wants_ascii(|name| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(ascii(&[]));
        assert!(!ascii(&[("LANG", "en_GB.UTF-8")]));
        assert!(ascii(&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")]));
        assert!(ascii(&[("LANG", "C.UTF-8"), ("PLENARY_ASCII", "1")]));
        assert!(!ascii(&[("PLENARY_ASCII", "0")]));
    }

    #[test]
    fn gauge_cells_are_one_cell_wide() {
        for part in UNICODE.parts.iter().chain(ASCII.parts) {
            assert_eq!(part.width(), 1);
        }
    }
}
