//! Text on a grid of cells: sanitized, measured, cut and wrapped by grapheme cluster.

use plenary_shared::unicode::{fold, reveal};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

/// The replacement for a tab.
const TAB: &str = "    ";

/// Bytes shown of one cluster: enough for the longest emoji sequence, few enough to limit stacked
/// combining marks.
const CLUSTER_BYTES_MAX: usize = 64;

/// Returns the width in cells, measured by cluster as drawn.
pub fn width(text: &str) -> usize {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return text.len();
    }
    text.graphemes(true).map(cluster_width).sum()
}

/// Returns the width of one cluster in cells.
pub fn cluster_width(cluster: &str) -> usize {
    UnicodeWidthStr::width(cluster)
}

/// Whether terminals disagree on the width of a cluster: emoji, flags, sequences with joiners or
/// variation selectors, and syllables of several letters.
pub fn has_disputed_width(cluster: &str) -> bool {
    let mut chars = cluster.chars();
    let Some(first) = chars.next() else {
        return false;
    };
    // Wide symbols outside the scripts of East Asia, which newer versions of Unicode made wide.
    let is_emoji = matches!(first, '\u{2300}'..='\u{2e7f}' | '\u{1f000}'..='\u{1fbff}')
        && cluster_width(cluster) > 1;
    let is_combining = |c: char| {
        c.width() == Some(0) && !matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{20e3}')
    };
    is_emoji || !chars.all(is_combining)
}

/// Returns one cluster as displayed: without control characters, tabs as blanks, invisible
/// characters by their code point.
pub fn shown(cluster: &str) -> String {
    if cluster == "\t" {
        return TAB.to_owned();
    }
    let end = cluster.floor_char_boundary(CLUSTER_BYTES_MAX);
    reveal(&cluster[..end], |_| None)
}

/// `1 person`, `2 people`.
pub fn count(count: usize, one: &str, many: &str) -> String {
    let word = if count == 1 { one } else { many };
    format!("{count} {word}")
}

/// Formats a number with thousands separators: `65,536`.
pub fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns a text with its first letter in upper case.
pub fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// Returns a text as one line that is safe for the terminal.
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for cluster in text.graphemes(true) {
        if cluster.contains('\n') {
            out.push(' ');
        } else {
            out.push_str(&shown(cluster));
        }
    }
    out
}

/// Returns the lines of a text, each safe for the terminal.
pub fn lines(text: &str) -> Vec<String> {
    text.split('\n').map(one_line).collect()
}

/// Cuts a text to `cells`, ending with `mark` if anything was cut.
pub fn fit(text: &str, cells: usize, mark: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let room = cells.saturating_sub(width(mark));
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let more = cluster_width(cluster);
        if used + more > room {
            break;
        }
        used += more;
        out.push_str(cluster);
    }
    if cells >= width(mark) {
        out.push_str(mark);
    }
    out
}

/// Cuts or pads a text to exactly `cells`, left-aligned.
pub fn left(text: &str, cells: usize, mark: &str) -> String {
    let mut out = fit(text, cells, mark);
    let missing = cells.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// Cuts or pads a text to exactly `cells`, right-aligned.
pub fn right(text: &str, cells: usize, mark: &str) -> String {
    let out = fit(text, cells, mark);
    let missing = cells.saturating_sub(width(&out));
    format!("{}{out}", " ".repeat(missing))
}

/// Whether a text contains a name as a word, in any case, as in `ada: look`.
pub fn names(text: &str, name: &str) -> bool {
    let (text, name) = (fold(text), fold(name));
    let is_within = |character: char| character.is_alphanumeric() || "_@/.-".contains(character);
    !name.is_empty()
        && text.match_indices(&name).any(|(at, name)| {
            let after = &text[at + name.len()..];
            let mut after = after.chars().skip_while(|next| ".-".contains(*next));
            !text[..at].ends_with(is_within) && !after.next().is_some_and(is_within)
        })
}

/// Splits a text at the matches of a case-folded term, ignoring case.
pub fn split_at_matches(text: &str, sought: &str) -> Vec<(String, bool)> {
    split_at_terms(text, &[(sought.to_owned(), false)])
}

/// Splits a text at the matches of several terms. Terms with `true` match only at the start of a
/// word.
pub fn split_at_terms(text: &str, sought: &[(String, bool)]) -> Vec<(String, bool)> {
    let mut parts: Vec<(String, bool)> = Vec::new();
    let mut rest = text;
    let mut plain = String::new();
    let mut in_word = false;
    while let Some(c) = rest.chars().next() {
        let here = sought.iter().filter(|(_, begins)| !(*begins && in_word));
        let found = here.map(|(term, _)| beginning(rest, term)).max();
        let found = found.unwrap_or_default();
        in_word = c.is_alphanumeric() || c == '_';
        if found == 0 {
            plain.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let last = rest[..found].chars().next_back();
        in_word = last.is_some_and(|c| c.is_alphanumeric() || c == '_');
        if !plain.is_empty() {
            parts.push((std::mem::take(&mut plain), false));
        }
        parts.push((rest[..found].to_owned(), true));
        rest = &rest[found..];
    }
    if !plain.is_empty() || parts.is_empty() {
        parts.push((plain, false));
    }
    parts
}

/// Returns the length in bytes of the prefix whose case folding is `sought` or starts with it, or 0
/// without a match. The term may end within a character: `stras` matches `straß`.
fn beginning(text: &str, sought: &str) -> usize {
    let mut wanted = sought;
    for (at, c) in text.char_indices() {
        if wanted.is_empty() {
            return at;
        }
        let folded = fold(c.encode_utf8(&mut [0; 4]));
        match wanted.strip_prefix(folded.as_str()) {
            Some(rest) => wanted = rest,
            None if folded.starts_with(wanted) => return at + c.len_utf8(),
            None => return 0,
        }
    }
    if wanted.is_empty() { text.len() } else { 0 }
}

/// Wraps one line into rows of at most `cells`: after blanks and hyphens, between wide characters,
/// and otherwise between any two clusters. A cluster wider than a row gets its own row.
pub fn wrap(line: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut used = 0;
    // The last possible break: bytes and cells before it.
    let mut chance: Option<(usize, usize)> = None;
    for cluster in line.graphemes(true) {
        let more = cluster_width(cluster);
        let blank = cluster == " ";
        if blank && used + more > cells && used > 0 {
            // The blank at the end of a row is the break.
            row.truncate(row.trim_end_matches(' ').len());
            rows.push(std::mem::take(&mut row));
            (used, chance) = (0, None);
            continue;
        }
        while used + more > cells && used > 0 {
            let (bytes, kept) = chance
                .take()
                .filter(|(bytes, _)| *bytes > 0)
                .unwrap_or((row.len(), used));
            let rest = row.split_off(bytes);
            row.truncate(row.trim_end_matches(' ').len());
            rows.push(std::mem::replace(&mut row, rest));
            used -= kept;
        }
        if more > 1 {
            chance = Some((row.len(), used));
        }
        row.push_str(cluster);
        used += more;
        if blank || cluster == "-" || more > 1 {
            chance = Some((row.len(), used));
        }
    }
    if !row.is_empty() || rows.is_empty() {
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("ada: look", true)]
    #[case("thanks, Ada.", true)]
    #[case("is Ada here?", true)]
    #[case("adamant", false)]
    #[case("bob@ada.example", false)]
    #[case("https://example.org/ada", false)]
    #[case("", false)]
    fn a_name_is_found_as_a_word(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(names(text, "ada"), expected);
    }

    #[rstest]
    #[case("hello", 5)]
    #[case("日本", 4)]
    #[case("👩‍👩‍👧", 2)]
    #[case("e\u{301}", 1)]
    #[case("🇩🇪", 2)]
    fn width_is_measured_by_cluster(#[case] text: &str, #[case] cells: usize) {
        assert_eq!(width(text), cells);
    }

    #[rstest]
    #[case("🇬🇧", true)]
    #[case("👩‍👩‍👧", true)]
    #[case("✌\u{fe0f}", true)]
    #[case("1\u{fe0f}\u{20e3}", true)]
    #[case("👍🏽", true)]
    #[case("😀", true)]
    #[case("⌚", true)]
    #[case("e\u{301}", false)]
    #[case("日", false)]
    #[case("한", false)]
    #[case("●", false)]
    #[case("a", false)]
    #[case("", false)]
    fn disputed_widths_are_known(#[case] cluster: &str, #[case] expected: bool) {
        assert_eq!(has_disputed_width(cluster), expected);
    }

    #[rstest]
    #[case("the quick brown fox", 9, &["the quick", "brown fox"])]
    #[case("abcdefghij", 4, &["abcd", "efgh", "ij"])]
    #[case("日本語です", 5, &["日本", "語で", "す"])]
    #[case("ab 日本語", 5, &["ab 日", "本語"])]
    #[case("well-known", 6, &["well-", "known"])]
    #[case("", 5, &[""])]
    #[case("👩‍👩‍👧👩‍👩‍👧", 2, &["👩‍👩‍👧", "👩‍👩‍👧"])]
    #[case("日", 1, &["日"])]
    #[case("a  b", 2, &["a", "b"])]
    fn lines_wrap_at_word_boundaries(
        #[case] text: &str,
        #[case] cells: usize,
        #[case] rows: &[&str],
    ) {
        assert_eq!(wrap(text, cells), rows);
    }

    #[rstest]
    #[case("a\u{1b}[2Jb", "a[2Jb")]
    #[case("a\u{202e}b", "a<U+202E>b")]
    #[case("a\tb\u{7}\nc", "a    b c")]
    #[case(
        "soft\u{ad}hyphen \u{3164}\u{2800}",
        "soft<U+00AD>hyphen <U+3164><U+2800>"
    )]
    #[case("\u{1160}x\u{180b}y\u{e0041}", "<U+1160>x<U+180B>y<U+E0041>")]
    #[case(
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}"
    )]
    fn displayed_text_is_sanitized(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(one_line(text), expected);
    }

    #[rstest]
    #[case("A rollout at ROLL", "roll", &[("A ", false), ("roll", true), ("out at ", false), ("ROLL", true)])]
    #[case("nothing", "x", &[("nothing", false)])]
    #[case("", "x", &[("", false)])]
    #[case("abc", "", &[("abc", false)])]
    #[case("ÄÖ", "äö", &[("ÄÖ", true)])]
    #[case("İx", "x", &[("İ", false), ("x", true)])]
    #[case("die Straße", "strass", &[("die ", false), ("Straß", true), ("e", false)])]
    #[case("die Straße", "stras", &[("die ", false), ("Straß", true), ("e", false)])]
    #[case("GROẞ", "gross", &[("GROẞ", true)])]
    fn search_matches_are_marked(
        #[case] text: &str,
        #[case] sought: &str,
        #[case] expected: &[(&str, bool)],
    ) {
        let parts = split_at_matches(text, sought);
        let parts: Vec<(&str, bool)> = parts
            .iter()
            .map(|(p, found)| (p.as_str(), *found))
            .collect();
        assert_eq!(parts, expected);
    }

    #[rstest]
    #[case(0, "0")]
    #[case(999, "999")]
    #[case(65_536, "65,536")]
    #[case(1_234_567, "1,234,567")]
    fn numbers_have_thousands_separators(#[case] value: usize, #[case] text: &str) {
        assert_eq!(number(value), text);
    }

    #[test]
    fn stacked_combining_marks_are_cut() {
        assert!(one_line(&format!("a{}", "\u{301}".repeat(2_000))).len() <= CLUSTER_BYTES_MAX);
    }

    #[test]
    fn cut_text_is_marked() {
        assert_eq!(fit("Platform sync", 8, "…"), "Platfor…");
        assert_eq!(left("日本語", 4, "…"), "日… ");
        assert_eq!(right("ab", 4, "…"), "  ab");
        assert_eq!(fit("abc", 0, "…"), "");
    }

    proptest! {
        #[test]
        fn rows_fit_and_lose_only_blanks(text in "[ a-c日👩\u{200d}\u{301}-]{0,40}", cells in 2_usize..12) {
            let rows = wrap(&text, cells);
            for row in &rows {
                prop_assert!(width(row) <= cells || row.graphemes(true).count() == 1, "{row:?}");
            }
            prop_assert_eq!(rows.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }
}
