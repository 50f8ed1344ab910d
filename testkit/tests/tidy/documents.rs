//! Links and paths in documents lead to files that exist.

use std::path::Path;

use fancy_regex::Regex;

use crate::assert_none;
use crate::source::{self, Source};

/// Directories at the root of the workspace: a name in backticks that starts with one is a path.
const ROOTS: &[&str] = &[
    "docs/", "script/", "server/", "shared/", "sql/", "testkit/", "tui/",
];

/// Lines of the README; a longer one is not read.
const README_LINES_MAX: usize = 150;

/// Lines of ARCHITECTURE.md; it is a map, the details are in docs/internals.
const ARCHITECTURE_LINES_MAX: usize = 200;

#[test]
fn documents_name_existing_files() {
    let link = Regex::new(r"\]\(([^)#]+)(?:#[^)]*)?\)").expect("a regular expression");
    let quoted = Regex::new(r"`([^`\s]+)`").expect("a regular expression");
    let mut findings = vec![];
    for file in documents() {
        let directory = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        let links = captures(&link, &file.text)
            .into_iter()
            .filter(|target| !target.contains("://"))
            .map(|target| directory.join(target));
        let paths = captures(&quoted, &file.text)
            .into_iter()
            .filter(|name| ROOTS.iter().any(|root| name.starts_with(root)))
            .filter(|name| !name.contains(['*', 'N']))
            .map(|name| Path::new(name).to_owned());
        for path in links.chain(paths) {
            if !source::root().join(&path).exists() {
                findings.push(format!("{}: {} does not exist", file.path, path.display()));
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn documents_stay_short() {
    for (path, lines_max) in [
        ("README.md", README_LINES_MAX),
        ("ARCHITECTURE.md", ARCHITECTURE_LINES_MAX),
    ] {
        let file = documents().into_iter().find(|file| file.path == path);
        let lines = file.map_or(0, |file| file.text.lines().count());
        assert!(
            (1..=lines_max).contains(&lines),
            "{path} has {lines} lines; the limit is {lines_max}"
        );
    }
}

fn documents() -> Vec<Source> {
    let mut files = source::all();
    files.retain(|file| file.extension() == "md");
    files
}

fn captures<'t>(pattern: &Regex, text: &'t str) -> Vec<&'t str> {
    let found = pattern.captures_iter(text).flatten();
    found
        .filter_map(|found| found.get(1))
        .map(|found| found.as_str())
        .collect()
}
