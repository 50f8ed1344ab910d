//! Links in messages: finds URLs, escapes them for the terminal, and numbers them within a frame.

use std::collections::HashMap;
use std::ops::Range;

use linkify::{LinkFinder, LinkKind};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use plenary_shared::ids::Seq;
use ratatui::style::Color;

/// Longest URL in bytes that is passed to a terminal. Some terminals reject longer ones.
const ADDRESS_BYTES_MAX: usize = 2_000;

/// Numbered links in one message.
const LINKS_PER_MESSAGE_MAX: u32 = 64;

/// Link numbers that fit into the three bytes of a colour.
const NUMBERS: u64 = 1 << 24;

/// The URLs of a frame's links, by number.
pub type Links = Vec<(u32, String)>;

/// The URLs of the last frame's links.
#[derive(Debug, Default)]
pub struct Table(HashMap<u32, String>);

impl Table {
    /// Replaces the links of the last frame. Returns whether a number now has another URL, in which
    /// case unchanged cells on the screen are stale.
    pub fn replace(&mut self, links: Links) -> bool {
        let links: HashMap<u32, String> = links.into_iter().collect();
        let before = std::mem::replace(&mut self.0, links);
        let same = |(number, address)| before.get(number).is_none_or(|old| old == address);
        !self.0.iter().all(same)
    }

    /// Returns the URL of a link.
    pub fn address(&self, number: u32) -> Option<&str> {
        self.0.get(&number).map(String::as_str)
    }
}

/// Returns the ranges of the http and https URLs in a text.
pub fn found(text: &str) -> Vec<Range<usize>> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let links = finder.links(text);
    let links = links.filter(|link| {
        let address = link.as_str();
        address.starts_with("https://") || address.starts_with("http://")
    });
    links.map(|link| link.start()..link.end()).collect()
}

/// Characters that are not valid in URLs. Some terminals use them as delimiters.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Percent-encodes a URL to printable ASCII without quotes or brackets. Returns `None` if it is too
/// long.
pub fn safe(address: &str) -> Option<String> {
    let encoded = utf8_percent_encode(address, ENCODED).to_string();
    (encoded.len() <= ADDRESS_BYTES_MAX).then_some(encoded)
}

/// Returns the number of a message's nth link, the same in every frame. `None` beyond the limit for
/// a message.
pub fn number(seq: Seq, nth: usize) -> Option<u32> {
    let nth = u32::try_from(nth)
        .ok()
        .filter(|nth| *nth < LINKS_PER_MESSAGE_MAX)?;
    let all = seq.get().wrapping_mul(u64::from(LINKS_PER_MESSAGE_MAX)) % NUMBERS;
    u32::try_from(all).ok().map(|all| all + nth)
}

/// Returns the underline colour that marks a cell as part of a link. Nothing else uses RGB
/// underlines.
pub fn mark(number: u32) -> Color {
    let [_, r, g, b] = number.to_be_bytes();
    Color::Rgb(r, g, b)
}

/// Returns the link number of a cell with this underline colour.
pub fn number_of(underline: Color) -> Option<u32> {
    match underline {
        Color::Rgb(r, g, b) => Some(u32::from_be_bytes([0, r, g, b])),
        _ => None,
    }
}

/// Returns whether the terminal supports links, judging by its environment. Most terminals ignore
/// the sequence; some print it.
pub fn is_supported(variable: impl Fn(&str) -> Option<String>) -> bool {
    let term = variable("TERM").unwrap_or_default();
    let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let plain = ["", "dumb", "linux", "ansi", "cygwin", "cons25", "vt52"];
    let old = ["vt1", "vt2", "vt3", "sun", "rxvt"];
    !(plain.contains(&term.as_str())
        || old.iter().any(|start| term.starts_with(start))
        // GNU screen. tmux also sets this name, and supports links.
        || (term.starts_with("screen") && !set("TMUX")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[test]
    fn only_web_urls_are_links() {
        let body = "see https://a.org/x?y=(z), http://b.org. or file:///etc/passwd, javascript:x";
        let texts: Vec<&str> = found(body).into_iter().map(|at| &body[at]).collect();
        assert_eq!(texts, ["https://a.org/x?y=(z)", "http://b.org"]);
        assert!(found("nothing").is_empty());
    }

    #[rstest]
    #[case("http://a.org/ä?b=\u{1b}]8;;x", "http://a.org/%C3%A4?b=%1B]8;;x")]
    #[case("http://a.org/\u{9c}\u{7}\\", "http://a.org/%C2%9C%07%5C")]
    #[case("http://a.org/%20~'()", "http://a.org/%20~'()")]
    fn addresses_are_visible_ascii(#[case] address: &str, #[case] expected: &str) {
        assert_eq!(safe(address).as_deref(), Some(expected));
    }

    #[test]
    fn long_urls_are_rejected() {
        assert_eq!(safe(&format!("http://{}", "a".repeat(2_000))), None);
    }

    #[rstest]
    #[case(&[("TERM", "xterm-256color")], true)]
    #[case(&[("TERM", "linux")], false)]
    #[case(&[("TERM", "dumb")], false)]
    #[case(&[], false)]
    #[case(&[("TERM", "vt220")], false)]
    #[case(&[("TERM", "screen")], false)]
    #[case(&[("TERM", "screen-256color"), ("TMUX", "/tmp/x")], true)]
    #[case(&[("TERM", "tmux-256color")], true)]
    fn link_support_follows_the_terminal(#[case] set: &[(&str, &str)], #[case] known: bool) {
        let variable = |name: &str| {
            let found = set.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(is_supported(variable), known);
    }

    #[test]
    fn link_numbers_round_trip_through_colours() {
        for seq in [1, 2, 41, 262_143, 262_144, 9_000_000_000] {
            let seq = Seq::new(seq).expect("small");
            let all: Vec<u32> = (0..70).filter_map(|nth| number(seq, nth)).collect();
            assert_eq!(all.len(), 64);
            for number in all {
                assert_eq!(number_of(mark(number)), Some(number));
            }
        }
        assert_eq!(number_of(Color::Reset), None);
    }

    #[test]
    fn changed_urls_are_reported() {
        let mut table = Table::default();
        assert!(!table.replace(vec![(1, "a".into())]));
        assert!(!table.replace(vec![(1, "a".into()), (2, "b".into())]));
        assert!(table.replace(vec![(2, "c".into())]));
        assert!(!table.replace(vec![(1, "x".into())]));
    }

    proptest! {
        #[test]
        fn urls_never_contain_control_characters(text in any::<String>()) {
            for address in found(&text).into_iter().filter_map(|at| safe(&text[at])) {
                prop_assert!(address.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
            }
        }
    }
}
