//! Unicode: normal forms, case folding, and characters that cannot be seen.
//!
//! The tables are those of ICU4X. Texts are stored in NFC; see UAX 15 and, for full case folding, the
//! Unicode Standard, section 5.18.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// The black flag, which starts the flags of regions such as England.
const BLACK_FLAG: char = '\u{1f3f4}';

/// The last character of such a flag.
const CANCEL_TAG: char = '\u{e007f}';

/// Letters and digits in such a flag.
const FLAG_TAGS_MAX: usize = 6;

/// Returns the text in NFC.
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    ComposingNormalizer::new_nfc().normalize(text)
}

/// Returns the text in NFC without a copy if it already is.
pub fn into_nfc(text: String) -> String {
    match nfc(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(composed) => composed,
    }
}

/// Returns the text in NFC with full case folding: two texts that differ in case or in the form of
/// accents only have the same result, also `ß`, `ẞ` and `ss`.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let composed = nfc(text);
    nfc(&CaseMapper::new().fold_string(&composed)).into_owned()
}

/// Returns the text in NFC and lower case, as addresses are compared: `ß` and `ss` stay different.
pub fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    into_nfc(nfc(text).to_lowercase())
}

/// Returns the text without a byte order mark at its start.
pub fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Whether a terminal might interpret this character: C0, DEL and C1.
pub fn is_control(c: char) -> bool {
    c.is_control()
}

/// Whether this character reorders or hides text and is therefore displayed by its code point: the
/// default-ignorable characters, line separators, annotations and the blank Braille pattern, but not the
/// joiners and variation selectors that emoji and scripts need.
pub fn is_invisible(c: char) -> bool {
    c >= '\u{ad}' && !is_joiner(c) && (is_ignorable(c) || is_blank(c))
}

/// Whether a text has a character that can be seen.
pub fn has_visible(text: &str) -> bool {
    text.chars()
        .any(|c| !(c.is_whitespace() || is_control(c) || is_ignorable(c) || is_blank(c)))
}

/// Returns the first character of a word or name that cannot be seen: an invisible one, or a joiner or
/// variation selector after a Latin, Greek or Cyrillic letter, where it has no effect.
pub fn find_invisible(text: &str) -> Option<char> {
    let mut before = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let flag = region_flag(rest);
        if flag == 0 {
            let after_letter = before.is_some_and(|b: char| b.is_alphabetic() && b < '\u{530}');
            if is_invisible(c) || (is_joiner(c) && (after_letter || before.is_none())) {
                return Some(c);
            }
        }
        before = Some(c);
        rest = &rest[flag.max(c.len_utf8())..];
    }
    None
}

/// Returns the name of the best-known invisible characters.
pub const fn invisible_name(c: char) -> &'static str {
    match c {
        '\u{ad}' => "SOFT HYPHEN",
        '\u{34f}' => "COMBINING GRAPHEME JOINER",
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => "HANGUL FILLER",
        '\u{200b}' => "ZERO WIDTH SPACE",
        '\u{200c}' => "ZERO WIDTH NON-JOINER",
        '\u{200d}' => "ZERO WIDTH JOINER",
        '\u{200e}' => "LEFT-TO-RIGHT MARK",
        '\u{200f}' => "RIGHT-TO-LEFT MARK",
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "TEXT DIRECTION CONTROL",
        '\u{2060}' => "WORD JOINER",
        '\u{2800}' => "BLANK BRAILLE PATTERN",
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => "VARIATION SELECTOR",
        '\u{feff}' => "BYTE ORDER MARK",
        '\u{e0001}'..='\u{e007f}' => "TAG",
        _ => "INVISIBLE CHARACTER",
    }
}

/// Returns the text with each invisible character as `<U+202E>`. `keep` decides on control characters: the
/// replacement for one, or `None` to leave it out.
pub fn reveal(text: &str, keep: impl Fn(char) -> Option<char>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let flag = region_flag(rest);
        let taken = flag.max(c.len_utf8());
        if flag > 0 {
            shown.push_str(&rest[..flag]);
        } else if is_invisible(c) {
            use std::fmt::Write;
            // Writing to a String cannot fail.
            let _ = write!(shown, "<U+{:04X}>", u32::from(c));
        } else if is_control(c) {
            shown.extend(keep(c));
        } else {
            shown.push(c);
        }
        rest = &rest[taken..];
    }
    shown
}

/// The length in bytes of the flag of a region at the start of a text, such as that of England: a black
/// flag, tags for letters and digits, and the last tag. 0 without one.
fn region_flag(text: &str) -> usize {
    let mut chars = text.char_indices();
    if chars.next().is_none_or(|(_, c)| c != BLACK_FLAG) {
        return 0;
    }
    for (count, (at, c)) in chars.enumerate() {
        let is_tag = matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
        if c == CANCEL_TAG && count > 0 {
            return at + c.len_utf8();
        }
        if !is_tag || count == FLAG_TAGS_MAX {
            break;
        }
    }
    0
}

/// Joiners and variation selectors, except those of Mongolian.
const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Characters that are not default-ignorable and yet leave no mark.
const fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{180e}' | '\u{2028}' | '\u{2029}' | '\u{2800}' | '\u{fff9}'..='\u{fffb}'
    )
}

fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Zu\u{308}rich", "ZÜRICH")]
    #[case("jose\u{301}", "JOSÉ")]
    #[case("\u{1112}\u{1161}\u{11ab}", "한")]
    #[case("İstanbul", "i\u{307}stanbul")]
    #[case("I\u{307}stanbul", "İSTANBUL")]
    #[case("Straße", "STRASSE")]
    #[case("GROẞE", "große")]
    #[case("ΟΔΥΣΣΕΥΣ", "Οδυσσευς")]
    #[case("ﬁrst", "FIRST")]
    #[case("\u{212a}elvin", "kelvin")]
    fn case_and_normal_form_do_not_matter(#[case] one: &str, #[case] other: &str) {
        assert_eq!(fold(one), fold(other));
        assert_eq!(fold(&fold(one)), fold(one));
    }

    #[test]
    fn addresses_keep_sharp_s() {
        assert_eq!(lower("STRAßE"), "straße");
        assert_ne!(lower("straße"), lower("strasse"));
        assert_eq!(lower("JOSE\u{301}"), "josé");
    }

    /// Every character that hides text, by range.
    const HIDDEN: &[std::ops::RangeInclusive<char>] = &[
        '\u{ad}'..='\u{ad}',
        '\u{34f}'..='\u{34f}',
        '\u{61c}'..='\u{61c}',
        '\u{115f}'..='\u{1160}',
        '\u{17b4}'..='\u{17b5}',
        '\u{180b}'..='\u{180f}',
        '\u{200b}'..='\u{200b}',
        '\u{200e}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{2800}'..='\u{2800}',
        '\u{3164}'..='\u{3164}',
        '\u{feff}'..='\u{feff}',
        '\u{ffa0}'..='\u{ffa0}',
        '\u{fff9}'..='\u{fffb}',
        '\u{e0001}'..='\u{e007f}',
    ];

    #[test]
    fn invisible_characters_are_shown_and_are_not_names() {
        for c in HIDDEN.iter().cloned().flatten() {
            let code = format!("a<U+{:04X}>b", u32::from(c));
            assert_eq!(reveal(&format!("a{c}b"), |_| None), code);
            assert!(!has_visible(&c.to_string()), "{code}");
            assert_eq!(find_invisible(&format!("a{c}b")), Some(c), "{code}");
        }
        assert!(!has_visible(" \u{200d}\u{fe0f}\u{3000}"));
    }

    #[rstest]
    #[case("👩‍👩‍👧 ❤️ 1️⃣ 🇩🇪 ☺︎")]
    #[case("🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} England")]
    #[case("می‌خواهم")]
    #[case("क्‍ष")]
    #[case("葛\u{e0100}飾")]
    fn joiners_of_emoji_and_scripts_stay(#[case] text: &str) {
        assert_eq!(reveal(text, |_| None), text);
        assert_eq!(find_invisible(text), None);
    }

    #[rstest]
    #[case("Ad\u{200d}a")]
    #[case("Ada\u{fe0f}")]
    #[case("\u{200c}Ada")]
    #[case("🏴\u{e0068}\u{e0069}")]
    #[case("🏴\u{e007f}")]
    fn joiners_and_tags_without_effect_are_found(#[case] text: &str) {
        assert!(find_invisible(text).is_some());
    }
}
