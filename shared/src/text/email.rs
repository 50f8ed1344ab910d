//! Email addresses, alone and in the lists that mail programs and spreadsheets produce.

use email_address::{EmailAddress, Error, Options};

use super::{Lines, TextError, check};
use crate::limits;
use crate::unicode::{find_invisible, invisible_name, lower};

const FIELD: &str = "email";

/// Marks that people and programs put around an address.
const WRAPPERS: &[(char, char)] = &[
    ('<', '>'),
    ('"', '"'),
    ('\'', '\''),
    ('(', ')'),
    ('[', ']'),
    ('“', '”'),
    ('„', '“'),
    ('‘', '’'),
];

/// Parses an email address: `local@domain` without white space, in NFC and lower case.
///
/// Understands how mail programs write one: `Ada Lovelace <ada@example.org>`, `mailto:ada@example.org`,
/// and an address in quotation marks or brackets. Does not check whether the address exists.
pub fn parse_email(text: &str) -> Result<String, TextError> {
    let address = unwrapped(text);
    let form = |what| TextError::Form { field: FIELD, what };
    if let Some(c) = address.chars().find(|c| is_unseen(*c)) {
        return Err(TextError::Invisible {
            field: FIELD,
            code: u32::from(c),
            name: invisible_name(c),
        });
    }
    let address = lower(address);
    check(FIELD, &address, limits::EMAIL_BYTES_MAX, Lines::One)?;
    if address.starts_with('"') || address.chars().any(char::is_whitespace) {
        return Err(form("must be an address like ada@example.org"));
    }
    let options = Options::default()
        .without_display_text()
        .without_domain_literal();
    match EmailAddress::parse_with_options(&address, options) {
        Ok(_) => Ok(address),
        Err(Error::LocalPartTooLong) => Err(form("has more than 64 bytes before the @")),
        Err(Error::DomainTooLong | Error::SubDomainTooLong) => {
            Err(form("has a domain that is too long"))
        }
        Err(Error::SubDomainEmpty) if address.ends_with('.') => {
            Err(form("must not end with a dot, like ada@example.org"))
        }
        Err(_) => Err(form("must be an address like ada@example.org")),
    }
}

/// Returns the form in which an address is compared: NFC and lower case, without blanks around it. Does
/// not check it.
pub fn email_key(text: &str) -> String {
    lower(text.trim())
}

/// Splits a list of addresses at commas, semicolons, line ends and, between addresses, blanks. Returns
/// the text of each address, and other texts that are not a name in front of one.
///
/// `Lovelace, Ada <ada@example.org>; "Hopper, Grace" <grace@example.org>, bob@example.org` has three.
pub fn split_emails(list: &str) -> Vec<&str> {
    let mut found = Vec::new();
    // Texts that may turn out to be the name in front of `<`.
    let mut names = Vec::new();
    for item in items(list) {
        match item {
            Item::Text { text, ends_entry } => {
                names.push(text);
                if ends_entry {
                    found.extend(names.drain(..).flat_map(addresses));
                }
            }
            Item::Bracketed(text) => {
                // The text just in front is the name, also if it looks like an address.
                names.pop();
                while names.last().is_some_and(|name| !name.contains('@')) {
                    names.pop();
                }
                found.extend(names.drain(..).flat_map(addresses));
                found.push(text);
            }
        }
    }
    found.extend(names.into_iter().flat_map(addresses));
    found.retain(|text| !text.trim().is_empty());
    found
}

/// A part of a list.
enum Item<'a> {
    /// Text up to a separator or `<`.
    Text {
        text: &'a str,
        /// Whether it ends at a semicolon or line end, which no name contains.
        ends_entry: bool,
    },
    /// Text between `<` and `>`, with the marks.
    Bracketed(&'a str),
}

fn items(list: &str) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    let mut start = 0;
    let (mut quoted, mut bracketed) = (false, false);
    for (at, c) in list.char_indices() {
        let text = &list[start..at];
        match c {
            '>' if bracketed => {
                items.push(Item::Bracketed(&list[start..=at]));
                bracketed = false;
                start = at + 1;
            }
            _ if bracketed => {}
            '"' => quoted = !quoted,
            '<' if !quoted => {
                items.push(Item::Text {
                    text,
                    ends_entry: false,
                });
                bracketed = true;
                start = at;
            }
            ',' | ';' | '\n' if !quoted => {
                items.push(Item::Text {
                    text,
                    ends_entry: c != ',',
                });
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(Item::Text {
        text: &list[start..],
        ends_entry: true,
    });
    items
}

/// The addresses in a text between separators: several if blanks separate them, otherwise the text.
fn addresses(text: &str) -> Vec<&str> {
    let words = text.split_whitespace();
    if words.clone().count() > 1 && words.clone().all(|word| word.contains('@')) {
        return words.collect();
    }
    vec![text.trim()]
}

/// Returns the address in a display form.
fn unwrapped(text: &str) -> &str {
    let mut inner = text.trim();
    loop {
        let before = inner;
        for (open, close) in WRAPPERS {
            let within = inner.strip_prefix(*open);
            if let Some(within) = within.and_then(|within| within.strip_suffix(*close)) {
                inner = within.trim();
            }
        }
        if let (Some(at), Some(closed)) = (inner.rfind('<'), inner.strip_suffix('>')) {
            inner = closed[at + 1..].trim();
        }
        let scheme = inner.get(.."mailto:".len());
        if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:")) {
            let address = &inner["mailto:".len()..];
            inner = address.split('?').next().unwrap_or(address);
        }
        if inner == before {
            return inner;
        }
    }
}

/// Whether a character of an address cannot be seen. Addresses need no joiners.
fn is_unseen(c: char) -> bool {
    find_invisible(c.encode_utf8(&mut [0; 4])).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Ada@Example.ORG", "ada@example.org")]
    #[case(" ada@example.org ", "ada@example.org")]
    #[case("jose\u{301}@example.org", "josé@example.org")]
    #[case("ΕΛΈΝΗ@example.org", "ελένη@example.org")]
    #[case("mailto:eva@example.org", "eva@example.org")]
    #[case("MAILTO:eva@example.org?subject=Hello", "eva@example.org")]
    #[case("'eva@example.org'", "eva@example.org")]
    #[case("\"eva@example.org\"", "eva@example.org")]
    #[case("“eva@example.org”", "eva@example.org")]
    #[case("(eva@example.org)", "eva@example.org")]
    #[case("<eva@example.org>", "eva@example.org")]
    #[case("<mailto:eva@example.org>", "eva@example.org")]
    #[case("\"Lovelace, Ada\" <ada@example.org>", "ada@example.org")]
    #[case("Lovelace, Ada <ada@example.org>", "ada@example.org")]
    #[case("o'brien+news@example.org", "o'brien+news@example.org")]
    #[case("ada@localhost", "ada@localhost")]
    fn addresses_are_understood_as_mail_programs_write_them(
        #[case] text: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(parse_email(text).as_deref(), Ok(expected));
    }

    #[rstest]
    #[case("", "empty")]
    #[case("ada", "must be an address like")]
    #[case("@example.org", "must be an address like")]
    #[case("ada@", "must be an address like")]
    #[case("a@b@c", "must be an address like")]
    #[case("a b@c", "must be an address like")]
    #[case("a,b@c", "must be an address like")]
    #[case("a..b@c", "must be an address like")]
    #[case("a@b..c", "must be an address like")]
    #[case("a@-b", "must be an address like")]
    #[case("a@[127.0.0.1]", "must be an address like")]
    #[case("\"a b\"@c", "must be an address like")]
    #[case("eva@example.org.", "must not end with a dot")]
    #[case("a\u{7}@x", "control character U+0007")]
    #[case("zoe@example.org\u{200b}", "U+200B ZERO WIDTH SPACE")]
    #[case("\u{feff}zoe@example.org", "U+FEFF BYTE ORDER MARK")]
    #[case("zo\u{ad}e@example.org", "U+00AD SOFT HYPHEN")]
    #[case("zo\u{200d}e@example.org", "U+200D ZERO WIDTH JOINER")]
    #[case("zoe@exam\u{2060}ple.org", "U+2060 WORD JOINER")]
    fn invalid_address_is_refused_with_the_reason(#[case] text: &str, #[case] why: &str) {
        let error = parse_email(text).expect_err("no address").to_string();
        assert!(error.contains(why), "{error}");
    }

    #[rstest]
    #[case("a@x", &["a@x"])]
    #[case("a@x, b@x; c@x\nd@x", &["a@x", "b@x", "c@x", "d@x"])]
    #[case("a@x b@x", &["a@x", "b@x"])]
    #[case("a b@x", &["a b@x"])]
    #[case("Lovelace, Ada <a@x>; Hopper, Grace <g@x>", &["<a@x>", "<g@x>"])]
    #[case("\"Lovelace, Ada\" <a@x>, Grace <g@x>,", &["<a@x>", "<g@x>"])]
    #[case("a@x <a@x>, b@x, Carl <c@x>; d@x", &["<a@x>", "b@x", "<c@x>", "d@x"])]
    #[case("Ada <ada at x>, b@x", &["<ada at x>", "b@x"])]
    #[case("nobody; Ada <a@x>, also nobody", &["nobody", "<a@x>", "also nobody"])]
    #[case(" ; ,\n", &[])]
    fn lists_are_split_into_addresses(#[case] list: &str, #[case] expected: &[&str]) {
        assert_eq!(split_emails(list), expected);
    }
}
