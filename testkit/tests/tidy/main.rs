//! Checks the source tree: which module may use which, what must be absent, sizes, prose, licences.
//!
//! Every rule is a row of a table. Every failure names the file, the line and how to fix it.

mod absent;
mod documents;
mod layers;
mod licences;
mod prose;
mod sizes;
mod source;

/// Fails with one line for each finding.
fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
