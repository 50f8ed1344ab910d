//! Names that look like another name, by the skeletons and scripts of UTS 39.

use plenary_shared::unicode::{fold, nfc};
use unicode_security::{MixedScript, skeleton};

/// Whether a reader would take one name for the other although their letters are of different scripts:
/// `Аda` with a Cyrillic `А` for `Ada`. Names of one script that look alike, such as Barna and Bama, are
/// names of different people.
pub fn looks_like(name: &str, other: &str) -> bool {
    let (folded, other_folded) = (fold(name), fold(other));
    folded != other_folded
        && (skeleton(&folded).eq(skeleton(&other_folded))
            || skeleton(&nfc(name)).eq(skeleton(&nfc(other))))
        && !have_common_script(name, other)
}

fn have_common_script(name: &str, other: &str) -> bool {
    let mut scripts = name.resolve_script_set();
    scripts.intersect_with(other.resolve_script_set());
    !scripts.is_empty()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("\u{410}da", "Ada", true)]
    #[case("\u{430}d\u{430}", "ADA", true)]
    #[case("\u{41e}\u{420}\u{410}", "OPA", true)]
    #[case("Ada Lovel\u{430}ce", "Ada Lovelace", true)]
    #[case("Ada", "ada", false)]
    #[case("Zoe\u{301}", "Zoé", false)]
    #[case("Bama", "Barna", false)]
    #[case("Иван", "Ivan", false)]
    #[case("Zoé", "Zoe", false)]
    #[case("Ελένη", "Елена", false)]
    fn letters_of_another_script_are_noticed(
        #[case] name: &str,
        #[case] other: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(looks_like(name, other), expected);
    }
}
