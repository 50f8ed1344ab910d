//! How meaning looks: styles of the 16 colours (or none) and the glyphs (or their ASCII forms).

mod file;

use ratatui::style::{Color, Modifier, Style};

/// What a piece of the screen means; never told by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// What matters less: times, rules, help.
    Quiet,
    /// What matters more: titles, unread.
    Strong,
    /// Running now, well.
    Good,
    /// Soon over.
    Soon,
    /// Wrong, or over at once; always beside a glyph.
    Bad,
    /// The selected row, and the word that says one is offline.
    Reversed,
    /// Something that speaks of the reader; always beside a glyph.
    Mention,
    /// The reader's own name.
    Own,
}

impl Tone {
    /// Every case, in the order of their numbers.
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

    /// What `theme.toml` calls it.
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

/// Colour or none, Unicode or ASCII, and what each meaning looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Whether colours may be used.
    pub colour: bool,
    /// What marks look like.
    pub glyphs: &'static Glyphs,
    /// By the number of the tone, as with colours.
    styles: [Style; Tone::ALL.len()],
    /// The colours that names take, plain and bold; those behind the last are `None`.
    names: [Option<Color>; NAMES_MAX],
}

/// Colours of names that a theme may have.
const NAMES_MAX: usize = 12;

/// What marks look like; each fills one cell, but for those that say otherwise.
#[derive(Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// The meeting is running; the person is here.
    pub live: &'static str,
    /// Sending, connecting.
    pub busy: &'static str,
    /// Over and done, connected.
    pub done: &'static str,
    /// Not for everybody.
    pub private: &'static str,
    /// Went wrong.
    pub failed: &'static str,
    /// Be careful.
    pub warning: &'static str,
    /// The selected row.
    pub bar: &'static str,
    /// Somebody came.
    pub came: &'static str,
    /// Somebody went.
    pub went: &'static str,
    /// Speaks of the reader.
    pub mention: &'static str,
    /// Text was cut off.
    pub cut: &'static str,
    /// A group is open.
    pub group: &'static str,
    /// There is more below; sorted the other way round.
    pub below: &'static str,
    /// Sorted upwards.
    pub above: &'static str,
    /// The clock.
    pub clock: &'static str,
    /// Before the input.
    pub prompt: &'static str,
    /// The person was here.
    pub gone: &'static str,
    /// The person has not pressed a key for a while.
    pub idle: &'static str,
    /// Somebody is writing.
    pub pen: &'static str,
    /// A dash between two times.
    pub dash: &'static str,
    /// Between two things of one line.
    pub dot: &'static str,
    /// A rule.
    pub rule: &'static str,
    /// A dotted rule.
    pub dotted: &'static str,
    /// A standing rule.
    pub standing: &'static str,
    /// Where a standing rule ends on a lying one.
    pub foot: &'static str,
    /// A hidden character.
    pub hidden: &'static str,
    /// Left and right end of the gauge.
    pub ends: [&'static str; 2],
    /// Nothing to a full cell of the gauge.
    pub parts: &'static [&'static str],
    /// Nothing to much in a small curve.
    pub spark: &'static [&'static str],
    /// Corners of a box, clockwise from the upper left.
    pub corners: [&'static str; 4],
    /// Control, Alt, Shift, Enter and the arrows up and down in names of keys.
    pub keys: [&'static str; 6],
}

/// For terminals that show Unicode.
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

/// For all others.
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

/// The colours that names take, plain and bold.
const NAME_COLOURS: [Color; 5] = [
    Color::Cyan,
    Color::Green,
    Color::Blue,
    Color::Magenta,
    Color::Yellow,
];

/// Whether a terminal should be spared Unicode: by `PLENARY_ASCII`, or by the locale.
pub fn wants_ascii(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(value) = set("PLENARY_ASCII") {
        return value != "0";
    }
    // The first that is set decides, as POSIX has it; none means the plain C locale.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(set)
        .unwrap_or_default();
    let locale = locale.to_lowercase();
    !(locale.contains("utf-8") || locale.contains("utf8"))
}

impl Theme {
    /// From what the environment says of the terminal.
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

    /// The style of a meaning.
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

    /// The style of somebody's name, the same for the same number always.
    pub fn name(self, user: u64, own: bool) -> Style {
        let count = self.names.iter().flatten().count().max(1) as u64;
        // Who came one after the other has neighbouring numbers, and should not look alike.
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
    fn without_colour_no_style_has_one() {
        let theme = Theme::new(false, false);
        for tone in [Tone::Good, Tone::Soon, Tone::Bad, Tone::Mention] {
            assert_eq!(theme.style(tone).fg, None);
        }
        assert_eq!(theme.name(7, true).fg, None);
    }

    #[test]
    fn unicode_only_where_the_locale_has_it() {
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
    fn the_gauge_fills_whole_cells() {
        for part in UNICODE.parts.iter().chain(ASCII.parts) {
            assert_eq!(part.width(), 1);
        }
    }
}
