//! Settings that are valid and should still be changed: they have no effect, or show a secret.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::raw::{Environment, RawSettings};
use super::{Settings, Source};
use crate::store::diagnostic::{Diagnostic, Grade};

/// The permission bits by which other users than the owner can read a file.
const READABLE_BY_OTHERS: u32 = 0o044;

impl Settings {
    /// Returns what should be changed. The server logs it at its start, and the diagnostics report it.
    pub fn findings(&self, raw: &RawSettings, environment: &Environment<'_>) -> Vec<Diagnostic> {
        let mut findings = Vec::new();
        if let Some(from) = raw.source("data").filter(|_| !self.is_embedded()) {
            findings.push(Diagnostic::not_good(
                Grade::Warning,
                "settings: data",
                format!("{from} is ignored, because the data is in Redis and MySQL"),
                "remove it, or remove redis and mysql to use the data file",
            ));
        }
        let unknown = environment.unknown_variables();
        if !unknown.is_empty() {
            findings.push(Diagnostic::not_good(
                Grade::Warning,
                "settings: variables",
                format!("{} is ignored: not a setting", unknown.join(", ")),
                "correct the name: plenary-server --help lists the variables",
            ));
        }
        for (key, url) in [("redis", &self.redis), ("mysql", &self.mysql)] {
            if url.as_deref().is_some_and(has_password)
                && let Some(from) = raw.source(key)
            {
                findings.extend(shown_secret(key, &from));
            }
        }
        findings
    }
}

/// Returns whether a URL has a password: `scheme://user:password@host` or a parameter for it.
fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let user = place.rsplit_once('@').map_or("", |(user, _)| user);
    let password = user.split_once(':').map_or("", |(_, password)| password);
    !password.is_empty() || query.contains("pass")
}

/// The finding about a secret that other users can read.
fn shown_secret(key: &str, from: &Source) -> Option<Diagnostic> {
    match from {
        Source::Flag(flag) => Some(Diagnostic::not_good(
            Grade::Warning,
            format!("settings: {key}"),
            format!("the list of processes shows the password in --{flag} to all users"),
            "set it in the configuration file or in the environment",
        )),
        Source::Variable(_) => None,
        Source::File(path, _) => is_readable_by_others(path).then(|| {
            Diagnostic::not_good(
                Grade::Bad,
                format!("settings: {key}"),
                format!("other users can read the password in {}", path.display()),
                format!("chmod 600 {}, and change the password", path.display()),
            )
        }),
    }
}

fn is_readable_by_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.permissions().mode() & READABLE_BY_OTHERS != 0)
}

/// Parses a directory. Programs do not replace `~`, and a directory of this name would surprise.
pub(super) fn directory(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("must name a directory".to_owned());
    }
    check_home(text)?;
    Ok(PathBuf::from(text))
}

/// Rejects a path that only a shell understands.
pub(super) fn check_home(path: &str) -> Result<(), String> {
    if path.starts_with('~') {
        return Err(format!(
            "'{path}' must be a full path: only a shell replaces ~ by the home directory"
        ));
    }
    Ok(())
}
