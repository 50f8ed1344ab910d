//! Dependencies follow `deny.toml`: their licences permit building, changing and shipping the whole, they
//! come from crates.io, and crates of which two versions are built are listed.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::source::root;

/// The rules in `deny.toml`.
#[derive(serde::Deserialize)]
struct Rules {
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(serde::Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Bans {
    deny: Vec<Named>,
    skip: Vec<Named>,
}

#[derive(serde::Deserialize)]
struct Named {
    name: String,
}

#[derive(serde::Deserialize)]
struct Sources {
    #[serde(rename = "allow-registry")]
    registries: Vec<String>,
}

/// The lock file.
#[derive(serde::Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(serde::Deserialize)]
struct Package {
    name: String,
    source: Option<String>,
}

fn rules() -> Rules {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml is there");
    toml::from_str(&text).expect("deny.toml has these rules")
}

#[test]
fn dependencies_come_from_allowed_sources() {
    let registries = rules().sources.registries;
    let expected = registries.iter().map(|url| format!("registry+{url}"));
    let expected: Vec<String> = expected.collect();
    let foreign: Vec<String> = locked()
        .into_iter()
        .filter(|one| {
            one.source
                .as_ref()
                .is_some_and(|from| !expected.contains(from))
        })
        .map(|one| one.name)
        .collect();
    assert_eq!(foreign, [""; 0], "deny.toml allows only crates.io");
}

#[test]
fn banned_crates_are_absent_and_duplicates_are_listed() {
    let bans = rules().bans;
    let mut versions: BTreeMap<String, usize> = BTreeMap::new();
    for package in locked() {
        *versions.entry(package.name).or_default() += 1;
    }
    let banned = bans
        .deny
        .iter()
        .filter(|one| versions.contains_key(&one.name));
    let banned: Vec<&str> = banned.map(|one| one.name.as_str()).collect();
    assert_eq!(banned, [""; 0], "deny.toml bans these crates");
    let listed: BTreeSet<&str> = bans.skip.iter().map(|one| one.name.as_str()).collect();
    let several = versions.iter().filter(|(_, count)| **count > 1);
    let several: BTreeSet<&str> = several.map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        several, listed,
        "left: crates with several versions in Cargo.lock; right: those in bans.skip of deny.toml"
    );
}

fn locked() -> Vec<Package> {
    let text = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is there");
    let lock: Lock = toml::from_str(&text).expect("Cargo.lock lists packages");
    lock.package
}

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
    let allowed = rules().licenses.allow;
    let wrong: Vec<&str> = packages
        .into_iter()
        .filter(|package| {
            let licence = package.rsplit_once(": ").map_or("", |(_, licence)| licence);
            !is_permissive(licence, &allowed)
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "use another crate, or add its licence to deny.toml if everybody may ship it: {wrong:#?}"
    );
}

/// Whether an SPDX expression can be satisfied with permissive licences only.
fn is_permissive(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.replace('/', " OR ");
    let any = split_outside(&expression, " OR ");
    if any.len() > 1 {
        return any.iter().any(|part| is_permissive(part, allowed));
    }
    let all = split_outside(&expression, " AND ");
    if all.len() > 1 {
        return all.iter().all(|part| is_permissive(part, allowed));
    }
    let inner = expression.trim();
    match inner.strip_prefix('(').and_then(|i| i.strip_suffix(')')) {
        Some(inner) => is_permissive(inner, allowed),
        None => allowed.iter().any(|one| one == inner),
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
    let allowed = rules().licenses.allow;
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
        assert_eq!(
            is_permissive(expression, &allowed),
            permissive,
            "{expression}"
        );
    }
}
