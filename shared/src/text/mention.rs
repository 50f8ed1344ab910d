//! Mentions of users in message bodies.

use crate::unicode::fold;

/// The first letters of scripts that do not separate words by spaces: there a mention may follow a letter.
const UNSPACED_FROM: char = '\u{2e80}';

/// Whether a text mentions a user: `@name`, in any case, as a word. An address such as
/// `bob@ann.example`, a link such as `https://soc.example/@ann/1` and the start of a longer name such as
/// `@Ann-Marie` do not mention Ann.
pub fn mentions(body: &str, name: &str) -> bool {
    if name.is_empty() || !body.contains('@') {
        return false;
    }
    let (body, name) = (fold(body), format!("@{}", fold(name)));
    body.match_indices(&name)
        .any(|(at, _)| may_begin_after(&body[..at]) && may_end_before(&body[at + name.len()..]))
}

/// Whether a mention may begin after this text: not within a word, an address or a link.
fn may_begin_after(text: &str) -> bool {
    // Dots and hyphens belong to an address only after a letter or digit.
    let text = text.trim_end_matches(['.', '-']);
    text.chars()
        .next_back()
        .is_none_or(|c| !(c.is_alphanumeric() && c < UNSPACED_FROM || "_/\\@%+=&#$~".contains(c)))
}

/// Whether a name may end before this text: no letter, digit or part of a longer name or address follows.
fn may_end_before(text: &str) -> bool {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut chars = text.chars();
    match chars.next() {
        Some('@') => false,
        Some('-' | '.' | '\u{b7}' | '\u{2010}' | '\u{2011}') => {
            !chars.next().is_some_and(is_of_word)
        }
        Some(c) => !is_of_word(c),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("@ann look", "Ann", true)]
    #[case("look, @ANN!", "Ann", true)]
    #[case("cc:@ann, please", "Ann", true)]
    #[case("(@ann)", "Ann", true)]
    #[case("*@ann*", "Ann", true)]
    #[case(".@ann said it", "Ann", true)]
    #[case("thanks @ann.", "Ann", true)]
    #[case("thanks @ann...", "Ann", true)]
    #[case("@Ann's idea", "Ann", true)]
    #[case("@Ann - see below", "Ann", true)]
    #[case("a@b @ann", "Ann", true)]
    #[case("こんにちは@ann", "Ann", true)]
    #[case("@Ada Lovelace: hello", "Ada Lovelace", true)]
    #[case("@Ann-Marie too", "Ann-Marie", true)]
    #[case("@Zoe\u{301} hello", "Zoé", true)]
    #[case("@ΕΛΈΝΗ", "Ελένη", true)]
    #[case("@STRASSER", "Straßer", true)]
    #[case("@anna", "Ann", false)]
    #[case("ann", "Ann", false)]
    #[case("bob@ann.example", "Ann", false)]
    #[case("bob@ann", "Ann", false)]
    #[case("bob.@ann", "Ann", false)]
    #[case("josé@ann", "Ann", false)]
    #[case("https://soc.example/@ann/1", "Ann", false)]
    #[case("@ann@soc.example", "Ann", false)]
    #[case("@@ann", "Ann", false)]
    #[case("@ann.example", "Ann", false)]
    #[case("@Ann-Marie", "Ann", false)]
    #[case("@Ann_2", "Ann", false)]
    #[case("@Zoe\u{301}", "Zoe", false)]
    fn mention_is_a_whole_name(#[case] body: &str, #[case] name: &str, #[case] expected: bool) {
        assert_eq!(mentions(body, name), expected);
    }
}
