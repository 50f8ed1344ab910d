//! The files of the workspace, as the other checks read them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One file that git tracks, or would track.
pub struct Source {
    /// Its path from the workspace's root.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// The file's extension, or an empty string.
    pub fn extension(&self) -> &str {
        let extension = Path::new(&self.path).extension();
        extension.and_then(|e| e.to_str()).unwrap_or_default()
    }

    /// Whether the whole file is test code or a benchmark.
    pub fn is_test(&self) -> bool {
        self.path.contains("/tests/")
            || self.path.contains("/benches/")
            || self.path.ends_with("/tests.rs")
    }

    /// The lines above an inline test module at the file's end.
    pub fn product_lines(&self) -> Vec<&str> {
        let lines: Vec<&str> = self.text.lines().collect();
        let tests = lines.windows(2).position(|pair| {
            let inline = pair[1].trim_start().starts_with("mod ") && pair[1].ends_with('{');
            pair[0].trim() == "#[cfg(test)]" && inline
        });
        lines[..tests.unwrap_or(lines.len())].to_vec()
    }

    /// The same lines, or all of them, without what follows a comment sign.
    pub fn code_lines(&self, with_tests: bool) -> Vec<&str> {
        let comment = match self.extension() {
            "rs" => "//",
            "lua" | "sql" => "--",
            _ => "#",
        };
        let lines = if with_tests {
            self.text.lines().collect()
        } else {
            self.product_lines()
        };
        let code = lines.into_iter().map(|line| line.split(comment).next());
        code.map(|line| line.unwrap_or_default().trim_end())
            .collect()
    }
}

/// The workspace's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().expect("testkit is a member of the workspace");
    root.to_owned()
}

/// Every text file of the workspace that git does not ignore, except these checks themselves.
pub fn all() -> Vec<Source> {
    let root = root();
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root)
        .output()
        .expect("git runs");
    assert!(listed.status.success(), "git ls-files failed");
    let listed = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let files: Vec<Source> = listed
        .lines()
        .filter(|path| !path.starts_with("testkit/tests/tidy/"))
        // A file that was deleted and not committed yet, or that holds no text, has nothing to check.
        .filter_map(|path| {
            let text = fs::read_to_string(root.join(path)).ok()?;
            Some(Source {
                path: path.to_owned(),
                text,
            })
        })
        .collect();
    assert!(files.len() > 100, "git listed only {} files", files.len());
    files
}

/// The Rust, Lua and Cargo.toml files of the four crates.
pub fn code() -> Vec<Source> {
    let crates = ["server/", "shared/", "tui/", "testkit/"];
    let mut files = all();
    files.retain(|file| {
        let is_code =
            matches!(file.extension(), "rs" | "lua") || file.path.ends_with("/Cargo.toml");
        is_code && crates.iter().any(|start| file.path.starts_with(start))
    });
    files
}
