//! Comments, strings and documents are written in plain technical English.
//!
//! The check looks for turns of phrase that make a sentence hard to read. It cannot find every bad sentence,
//! but it keeps the ones that were removed from coming back.

use fancy_regex::Regex;

use crate::assert_none;
use crate::source::{self, Source};

/// Phrases to avoid, as regular expressions, each with plainer wording.
const PHRASES: &[(&str, &str)] = &[
    (r"\banew\b", "again, or name what is rebuilt"),
    (r"\bwho(?:m|so)?ever\b", "the user, a client, everybody who"),
    (r"\bwhereto\b", "where, the destination"),
    (r"\bwherefrom\b", "the source"),
    (r"\bwhat lasts\b", "MySQL, SQLite, the durable store"),
    (r"\b(?:is|are|was|were|be) told\b", "is notified, receives"),
    (r"\b(?:any|no) more\b(?! than| of)", "no longer, not"),
    (r"\bno longer,? nor\b", "two sentences"),
    (r"\b(?:is|are|was) no (?!longer)", "is not a, there is no"),
    (r"\bfor good\b", "permanently"),
    (r"\bone's\b", "the user's"),
    (r"\boneself\b", "the user"),
    (r"\b(?:goes|go) on\b", "continues, is running"),
    (r"\b(?:is|are|was) away\b", "is unavailable"),
    (
        r"\bby (?:itself|himself|herself|themselves|yourself)\b",
        "automatically, alone",
    ),
    (r"\bspeaks? of\b", "mentions, concerns"),
    (r"\bis so\b", "name the state"),
    (r"\blets? nobody\b", "nobody can"),
    (r"\bcalled so\b", "has this name"),
    (r"\bwhat (?:is|was) said\b", "the message, the text"),
    (r"\bsaid (?:so|anew)\b", "name the action"),
    (r"\bin good order\b", "healthy, valid"),
    (r"\bas (?:he|she|they) (?:will|may)\b", "freely"),
    (r"\bwho is in\b", "the participants"),
    (r"\bis well\b", "is healthy"),
    (
        r"\bwhat is (?:due|live|left|over)\b",
        "name the thing: due instances, the live state",
    ),
    (r"\bhad been done before\b", "was already done"),
    (r"\blooks? into\b", "opens, inspects"),
    (r"\bhears? of\b", "receives"),
    (r"\bsays? of\b", "reports about"),
];

/// Prose in code: a comment, or a string, which may run over several lines.
const IN_RUST: &str = r#"(?m)//[/!]? ?(?<comment>.*)$|"(?<string>(?:[^"\\]|\\.)*)""#;

/// Prose in SQL, Lua, shell scripts and TOML: a comment.
const IN_SCRIPT: &str = r"(?m)(?:--|#) ?(?<comment>.*)$";

/// Prose in a document: every line.
const IN_DOCUMENT: &str = r"(?m)^(?<comment>.*)$";

#[test]
fn prose_is_plain() {
    let phrases: Vec<(Regex, &str)> = PHRASES
        .iter()
        .map(|(phrase, plain)| (matcher(&format!("(?i){phrase}")), *plain))
        .collect();
    let mut findings = vec![];
    for file in source::all() {
        for (phrase, line, plain) in find(&phrases, &file) {
            findings.push(format!("{}:{line}: \"{phrase}\": write {plain}", file.path));
        }
    }
    assert_none(&findings);
}

#[test]
fn phrases_are_found_across_lines() {
    let file = Source {
        path: "a.rs".to_owned(),
        text: "// The store is\n// told by it.\nlet s = \"who is in\"; // any more than that\n"
            .to_owned(),
    };
    let phrases = [
        (matcher(r"\bis told\b"), "is notified"),
        (matcher(r"\bwho is in\b"), "the participants"),
        (matcher(r"\bany more\b(?! than)"), "no longer"),
    ];
    let found = find(&phrases, &file);
    let expected = [
        ("is told".to_owned(), 1, "is notified"),
        ("who is in".to_owned(), 3, "the participants"),
    ];
    assert_eq!(found, expected);
}

fn matcher(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this file are regular expressions")
}

/// Each phrase found in a file: its text, its line, and the plainer wording.
fn find<'p>(phrases: &[(Regex, &'p str)], file: &Source) -> Vec<(String, usize, &'p str)> {
    // A phrase may continue on the next line.
    let mut joined = String::new();
    let mut starts = vec![];
    for (number, line) in prose(file) {
        starts.push((joined.len(), number));
        joined.push_str(line);
        joined.push(' ');
    }
    let mut found = vec![];
    for (phrase, plain) in phrases {
        for hit in phrase.find_iter(&joined).flatten() {
            let start = starts.iter().rev().find(|(start, _)| *start <= hit.start());
            let line = start.map_or(0, |(_, number)| *number);
            found.push((hit.as_str().to_owned(), line, *plain));
        }
    }
    found
}

/// The prose of a file, each piece with its line number.
fn prose(file: &Source) -> Vec<(usize, &str)> {
    let is_other = file.path.contains("snapshots/")
        || file.path.starts_with("LICENSE")
        || file.path == "Cargo.lock";
    let pattern = match file.extension() {
        "rs" => IN_RUST,
        "md" => IN_DOCUMENT,
        "lua" | "sql" | "sh" | "toml" | "" => IN_SCRIPT,
        _ => return vec![],
    };
    if is_other {
        return vec![];
    }
    let mut pieces = vec![];
    let (mut line, mut counted) = (1, 0);
    for found in matcher(pattern).captures_iter(&file.text).flatten() {
        let piece = found.name("comment").or(found.name("string"));
        let Some(piece) = piece.filter(|piece| piece.as_str().contains(' ')) else {
            continue;
        };
        line += file.text[counted..piece.start()].matches('\n').count();
        counted = piece.start();
        pieces.push((line, piece.as_str()));
    }
    pieces
}
