//! Lists of addresses as people have them, CSV or an address a line: what is on them, and what is wrong.

use std::collections::BTreeSet;

use plenary_shared::domain::{Code, Reject};
use plenary_shared::limits::{IMPORT_BYTES_MAX, IMPORT_LINES_MAX, IMPORT_WRONG_MAX};
use plenary_shared::protocol::RejectedLine;
use plenary_shared::text;

/// Lines that one row may take, by line ends between quotation marks: more is a mark that was
/// forgotten.
const ROW_LINES_MAX: usize = 8;

/// The length of an invalid line in the report, in characters: enough to find the line.
const TOLD_CHARS_MAX: usize = 120;

/// What may stand between two columns; of those that a file has most of, the first.
const SEPARATORS: &[char] = &['\t', ';', ','];

/// What a list says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The addresses in lower case, each once, in their order.
    pub emails: Vec<String>,
    /// How often one stood there again.
    pub repeated: usize,
    /// Lines that say no address: the first of them, and one that says how many more.
    pub wrong: Vec<RejectedLine>,
    /// How many such lines there were.
    pub wrong_count: usize,
}

/// Reads the bytes of a file as text. `malformed`, `invalid`.
pub fn decode(bytes: &[u8]) -> Result<&str, Reject> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let detail = "The list is UTF-16: save it as UTF-8 and import that.";
        return Err(Reject::new(Code::Malformed, detail));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let detail = format!(
            "The list is not UTF-8 at byte {}: save it as UTF-8 and import that.",
            error.valid_up_to()
        );
        Reject::new(Code::Malformed, detail)
    })
}

/// Reads a list. Where its first row has a column `email`, the addresses are there; otherwise in the
/// first column that holds an @, or in all columns of a row if each holds one. Blank lines and those
/// that begin with # say nothing. `invalid`: it is too long.
pub fn import(list: &str) -> Result<Imported, Reject> {
    if list.len() > IMPORT_BYTES_MAX {
        return Err(Reject::new(
            Code::Invalid,
            format!("The list has more than {IMPORT_BYTES_MAX} bytes: import it in parts."),
        ));
    }
    let list = list.strip_prefix('\u{feff}').unwrap_or(list);
    let lines = lines(list);
    if lines.len() > IMPORT_LINES_MAX {
        return Err(Reject::new(
            Code::Invalid,
            format!("The list has more than {IMPORT_LINES_MAX} lines: import it in parts."),
        ));
    }
    let separator = separator(&lines);
    let mut reader = Reader::default();
    let mut rows = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let (line, says) = (at + 1, lines[at].trim_start());
        if says.is_empty() || says.starts_with('#') {
            at += 1;
        } else if let Some(taken) = row_lines(&lines[at..], separator) {
            rows.push((line, lines[at..at + taken].join("\n")));
            at += taken;
        } else {
            reader.wrong(line, lines[at], "a quotation mark is not closed");
            at += 1;
        }
    }
    for ((line, row), fields) in rows.iter().zip(fields(&rows, separator)) {
        reader.read(*line, row, &fields);
    }
    Ok(reader.imported())
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    imported: Imported,
    seen: BTreeSet<String>,
    /// Whether a row was read that says something.
    has_begun: bool,
    /// Where the addresses are, if the first row says so.
    column: Option<usize>,
    last_wrong: u32,
}

impl Reader {
    fn read(&mut self, line: usize, row: &str, fields: &[String]) {
        if fields.iter().all(String::is_empty) {
            return;
        }
        if !self.has_begun {
            self.has_begun = true;
            self.column = header(fields);
            if self.column.is_some() {
                return;
            }
        }
        for found in self.found(row, fields) {
            let emails = text::split_emails(found);
            if emails.is_empty() {
                self.wrong(line, row, "no email address");
            }
            for email in emails {
                self.take(line, row, email);
            }
        }
    }

    /// The parts of a row that should be addresses. A row with `<ada@example.org>` is a list as mail
    /// programs write it, in which names contain commas.
    fn found<'a>(&self, row: &'a str, fields: &'a [String]) -> Vec<&'a str> {
        if let Some(column) = self.column {
            return vec![fields.get(column).map_or("", String::as_str)];
        }
        let bracketed = row
            .split_once('<')
            .is_some_and(|(_, after)| after.contains('>'));
        if bracketed && fields.iter().any(|field| !is_display_form(field)) {
            return vec![row];
        }
        if bracketed {
            let filled = fields.iter().filter(|field| !field.is_empty());
            return filled.map(String::as_str).collect();
        }
        let filled = fields.iter().filter(|field| !field.is_empty());
        let mut holding = filled.clone().filter(|field| field.contains('@'));
        if filled.clone().all(|field| field.contains('@')) {
            return holding.map(String::as_str).collect();
        }
        vec![holding.next().map_or("", String::as_str)]
    }

    fn take(&mut self, line: usize, row: &str, found: &str) {
        match text::parse_email(found) {
            Ok(email) if self.seen.insert(email.clone()) => self.imported.emails.push(email),
            Ok(_) => self.imported.repeated += 1,
            Err(error) => self.wrong(line, row, &error.to_string()),
        }
    }

    fn imported(self) -> Imported {
        let mut imported = self.imported;
        imported.wrong.sort_by_key(|wrong| wrong.line);
        let untold = imported.wrong_count - imported.wrong.len();
        if untold > 0 {
            imported.wrong.push(RejectedLine {
                line: self.last_wrong,
                text: String::new(),
                reason: format!("and {untold} more lines are wrong, up to this one"),
            });
        }
        imported
    }

    fn wrong(&mut self, line: usize, row: &str, why: &str) {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        self.last_wrong = self.last_wrong.max(line);
        self.imported.wrong_count += 1;
        if self.imported.wrong.len() < IMPORT_WRONG_MAX {
            self.imported.wrong.push(RejectedLine {
                line,
                text: row.chars().take(TOLD_CHARS_MAX).collect(),
                reason: why.to_owned(),
            });
        }
    }
}

/// The lines, ended as Unix, Windows or old Macs do it; a last one that is empty is none.
fn lines(list: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        lines.push(&rest[..end]);
        let after = &rest[end..];
        let skipped = if after.starts_with("\r\n") { 2 } else { 1 };
        rest = after.get(skipped..).unwrap_or_default();
    }
    lines
}

/// What stands between two columns, by the first line that has any of it.
fn separator(lines: &[&str]) -> char {
    let count = |line: &str, sign: char| line.chars().filter(|c| *c == sign).count();
    let most = |line: &str| {
        let counts = SEPARATORS.iter().map(|sign| (count(line, *sign), *sign));
        // Of equal ones the last would be taken.
        counts.rev().max_by_key(|(count, _)| *count)
    };
    lines
        .iter()
        .filter(|line| !line.trim_start().starts_with('#'))
        .find_map(|line| most(line).filter(|(count, _)| *count > 0))
        .map_or(',', |(_, sign)| sign)
}

/// How many of these lines are the first row; `None`: it has no end.
fn row_lines(lines: &[&str], separator: char) -> Option<usize> {
    let mut open = false;
    for (at, line) in lines.iter().take(ROW_LINES_MAX).enumerate() {
        open = is_open_after(line, separator, open);
        if !open {
            return Some(at + 1);
        }
    }
    None
}

/// Whether a quoted field continues after this line.
fn is_open_after(line: &str, separator: char, was_open: bool) -> bool {
    let mut open = was_open;
    let mut at_start = true;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if open && chars.peek() == Some(&'"') => {
                chars.next();
            }
            '"' if open => open = false,
            '"' if at_start => open = true,
            _ => {}
        }
        at_start = !open && c == separator;
    }
    open
}

/// The fields of each row, without the blanks around them. No row is blank or open at its end, so each
/// is one record.
fn fields(rows: &[(usize, String)], separator: char) -> Vec<Vec<String>> {
    let text: Vec<&str> = rows.iter().map(|(_, row)| row.as_str()).collect();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(separator).unwrap_or(b','))
        .from_reader(std::io::Cursor::new(text.join("\n")));
    let trimmed = |record: csv::StringRecord| {
        let fields = record.iter().map(|field| field.trim().to_owned());
        fields.collect()
    };
    let records = reader.records();
    // What is read is UTF-8 and in memory: no record fails.
    records
        .map(|read| read.map(trimmed).unwrap_or_default())
        .collect()
}

/// Which column of a first row says that the addresses are there.
fn header(fields: &[String]) -> Option<usize> {
    if fields.iter().any(|field| field.contains('@')) {
        return None;
    }
    fields.iter().position(|field| {
        let letters = field.chars().filter(|c| c.is_alphanumeric());
        let word = letters.collect::<String>().to_lowercase();
        ["email", "mail", "emailaddress", "mailaddress"].contains(&word.as_str())
    })
}

/// Whether a field is blank, or one name with its address, as in `Ada Lovelace <ada@example.org>`.
fn is_display_form(field: &str) -> bool {
    field.is_empty() || (field.ends_with('>') && field.matches('<').count() == 1)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The addresses, how many are repeated, and the wrong lines with a part of why.
    fn read(list: &str) -> (String, usize, Vec<(u32, String)>) {
        let found = import(list).expect("it is short");
        assert_eq!(found.wrong.len(), found.wrong_count);
        let wrong = found.wrong.into_iter().map(|one| (one.line, one.reason));
        (found.emails.join(" "), found.repeated, wrong.collect())
    }

    #[rstest]
    #[case::a_line_each("a@x\nb@x\n", "a@x b@x")]
    #[case::no_end_of_line("a@x\nb@x", "a@x b@x")]
    #[case::windows("a@x\r\nb@x\r\n", "a@x b@x")]
    #[case::old_macs("a@x\rb@x\r", "a@x b@x")]
    #[case::a_mark_of_order("\u{feff}email\na@x", "a@x")]
    #[case::blank_and_comments("\n# who\n  # else\n\na@x\n   \n,,\n", "a@x")]
    #[case::a_comment_with_a_mark("# \"open\na@x", "a@x")]
    #[case::capitals("Ada@Example.ORG", "ada@example.org")]
    #[case::blanks_around("  a@x  ;  Ada \n", "a@x")]
    #[case::several_with_commas("a@x, b@x,c@x\n", "a@x b@x c@x")]
    #[case::several_with_semicolons("a@x; b@x;\n", "a@x b@x")]
    #[case::columns("Ada,a@x,1\nBob,b@x,2\n", "a@x b@x")]
    #[case::tabs("Ada\ta@x\nBob, the builder\tb@x\n", "a@x b@x")]
    #[case::semicolons("Lovelace, Ada;a@x\nBob;b@x\n", "a@x b@x")]
    #[case::a_header("Name,E-Mail,Manager\nAda,a@x,boss@x\nBob,b@x,boss@x\n", "a@x b@x")]
    #[case::a_header_behind_comments("# export\n\nname;EMAIL Address\nAda;a@x\n", "a@x")]
    #[case::a_quoted_header("\"name\",\"email\"\n\"Lovelace, Ada\",\"a@x\"\n", "a@x")]
    #[case::quotes_in_quotes("\"Ada \"\"Countess\"\" L\",a@x\n", "a@x")]
    #[case::lines_in_quotes("name,email\n\"Ada\nLovelace\",a@x\nBob,b@x\n", "a@x b@x")]
    #[case::a_mark_within("Bob 5\" pipe,b@x\na@x\n", "b@x a@x")]
    #[case::with_names("Ada Lovelace <a@x>\nBob<b@x>\n", "a@x b@x")]
    #[case::names_with_commas("Lovelace, Ada <a@x>; Hopper, Grace <g@x>\n", "a@x g@x")]
    #[case::quoted_names_with_commas(
        "\"Lovelace, Ada\" <a@x>, \"Hopper, Grace\" <g@x>\n",
        "a@x g@x"
    )]
    #[case::quoted_fields_with_names("\"Lovelace, Ada <a@x>\",\"Hopper <g@x>\"\n", "a@x g@x")]
    #[case::names_and_bare_addresses("a@x, Grace <g@x>; b@x\n", "a@x g@x b@x")]
    #[case::several_in_a_column("name;email\nteam;\"a@x, Bob <b@x>\"\n", "a@x b@x")]
    #[case::links_and_quotes("mailto:a@x\n'b@x'\n(c@x)\n", "a@x b@x c@x")]
    #[case::commas_and_semicolons("a@x, b@x; \n", "a@x b@x")]
    #[case::normal_forms("jose\u{301}@x\njos\u{e9}@x\n# once", "jos\u{e9}@x")]
    #[case::no_rows("", "")]
    #[case::only_a_header("email\n", "")]
    fn addresses_are_found(#[case] list: &str, #[case] expected: &str) {
        let (emails, _, wrong) = read(list);
        assert_eq!(wrong, []);
        assert_eq!(emails, expected);
    }

    #[rstest]
    #[case("\"\"\na@x\n\"a\"b\"c\nb@x\n", &[3])]
    #[case("a@x\n\"x\n\n\"\nb@x\n\",\n", &[2, 6])]
    #[case(" \"x, y\", b@x\nnobody\na@x", &[2])]
    #[case("\"a@x\"\"\n\r\n\"\nb@x\nnobody", &[1, 5])]
    fn however_it_is_quoted_lines_keep_their_numbers(#[case] list: &str, #[case] wrong: &[u32]) {
        let found = import(list).expect("it is short");
        let lines: Vec<u32> = found.wrong.iter().map(|one| one.line).collect();
        assert_eq!(lines, wrong, "{found:?}");
        assert!(found.emails.contains(&"b@x".to_owned()), "{found:?}");
    }

    #[test]
    fn what_is_there_again_is_counted() {
        let (emails, repeated, wrong) = read("a@x\nA@X\nb@x\na@x");
        assert_eq!((emails.as_str(), repeated, wrong.len()), ("a@x b@x", 2, 0));
    }

    #[rstest]
    #[case("a@x\nnobody\nb@x", "a@x b@x", 2, "no email")]
    #[case("a@x\na b@x", "a@x", 2, "must be an address like")]
    #[case("a@@x", "", 1, "must be an address like")]
    #[case("email,name\n,Ada\na@x,Bob", "a@x", 2, "no email")]
    #[case("name,email\nAda\nBob,b@x", "b@x", 2, "no email")]
    #[case("name,email\nAda,ada at x\n", "", 2, "must be an address like")]
    #[case("\"Ada,a@x\nb@x\nc@x", "b@x c@x", 1, "quotation mark is not closed")]
    #[case("a\u{1b}[2J@x", "", 1, "control character U+001B")]
    #[case("# one\n\n\nnobody", "", 4, "no email")]
    #[case("name,email\n\"A\nB\",a@x\nBob,\n", "a@x", 4, "no email")]
    #[case("Name,Contact\nAda,a@x", "a@x", 1, "no email")]
    #[case("=cmd|' /C calc'!A0", "", 1, "no email")]
    #[case("a@x\nzoe@x\u{200b}", "a@x", 2, "U+200B ZERO WIDTH SPACE")]
    #[case("eva@example.org.", "", 1, "must not end with a dot")]
    #[case("Ada <a@x>, Bob <bob at x>", "a@x", 1, "must be an address like")]
    #[case("a@x\0", "", 1, "control character U+0000")]
    fn invalid_lines_are_reported(
        #[case] list: &str,
        #[case] expected: &str,
        #[case] line: u32,
        #[case] why: &str,
    ) {
        let (emails, _, wrong) = read(list);
        assert_eq!(emails, expected);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert_eq!(wrong[0].0, line);
        assert!(wrong[0].1.contains(why), "{wrong:?}");
    }

    #[test]
    fn a_list_has_limits() {
        let of = |bytes: usize| import(&"x".repeat(bytes));
        assert!(of(IMPORT_BYTES_MAX).is_ok());
        let refused = of(IMPORT_BYTES_MAX + 1).expect_err("too long");
        assert!(refused.detail.contains("1048576 bytes"), "{refused:?}");
        let lines = |count: usize| import(&"\n".repeat(count));
        assert!(lines(IMPORT_LINES_MAX).is_ok());
        let refused = lines(IMPORT_LINES_MAX + 1).expect_err("too many");
        assert!(refused.detail.contains("20000 lines"), "{refused:?}");
        let found = import(&"nobody\n".repeat(150)).expect("short enough");
        assert_eq!((found.wrong.len(), found.wrong_count), (101, 150));
        assert_eq!(found.wrong[100].line, 150);
        assert!(
            found.wrong[100].reason.starts_with("and 50 more"),
            "{found:?}"
        );
        let long = import(&"x".repeat(5_000)).expect("short enough");
        assert_eq!(long.wrong[0].text.len(), TOLD_CHARS_MAX);
        let address = format!("{}@x", "a".repeat(300));
        let found = import(&address).expect("short enough");
        assert!(found.wrong[0].reason.contains("254"), "{found:?}");
    }

    #[test]
    fn only_utf8_is_read() {
        assert_eq!(decode("é@x".as_bytes()).ok(), Some("é@x"));
        let latin = decode(b"ok@x\n\xe9@x").expect_err("Latin-1");
        assert!(latin.detail.contains("byte 5"), "{latin:?}");
        let wide = decode(b"\xff\xfea\0@\0x\0").expect_err("UTF-16");
        assert!(wide.detail.contains("UTF-16"), "{wide:?}");
    }
}
