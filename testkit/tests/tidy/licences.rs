//! The licence of every dependency permits building, changing and shipping the whole.

use std::collections::BTreeSet;
use std::process::Command;

use crate::source::root;

/// Licences that permit everybody to build, change and ship the whole.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

#[test]
fn every_dependency_is_permissively_licensed() {
    // What this platform builds; the lock file also lists crates for other systems and features.
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let tree = Command::new(cargo)
        .args(["tree", "--workspace", "--locked", "--offline"])
        .args(["--edges", "normal,build,dev", "--prefix", "none"])
        .args(["--format", "{p}: {l}"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let complaint = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "{complaint}");
    let packages: BTreeSet<&str> = str::from_utf8(&tree.stdout)
        .expect("cargo prints text")
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty())
        .collect();
    assert!(packages.len() > 100, "cargo listed {}", packages.len());
    let wrong: Vec<&str> = packages
        .into_iter()
        .filter(|package| {
            let licence = package.rsplit_once(": ").map_or("", |(_, licence)| licence);
            !is_permissive(licence)
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "use another crate, or add its licence to LICENCES if everybody may ship it: {wrong:#?}"
    );
}

/// Whether an SPDX expression can be satisfied with permissive licences only.
fn is_permissive(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let any = split_outside(&expression, " OR ");
    if any.len() > 1 {
        return any.iter().any(|part| is_permissive(part));
    }
    let all = split_outside(&expression, " AND ");
    if all.len() > 1 {
        return all.iter().all(|part| is_permissive(part));
    }
    let inner = expression.trim();
    match inner.strip_prefix('(').and_then(|i| i.strip_suffix(')')) {
        Some(inner) => is_permissive(inner),
        None => LICENCES.contains(&inner),
    }
}

/// Splits at each `separator` outside parentheses.
fn split_outside(expression: &str, separator: &str) -> Vec<String> {
    let mut parts = vec![];
    let mut depth = 0;
    let mut start = 0;
    for (at, c) in expression.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 0 && expression[at..].starts_with(separator) => {
                parts.push(expression[start..at].to_owned());
                start = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(expression[start.min(expression.len())..].to_owned());
    parts
}

#[test]
fn spdx_expressions_are_understood() {
    for (expression, permissive) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND MPL-2.0", false),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ("MIT/Apache-2.0", true),
        ("no licence", false),
    ] {
        assert_eq!(is_permissive(expression), permissive, "{expression}");
    }
}
