//! Reads the source and holds the house: who may name whom, what must be absent, which licences.
//!
//! Every rule is a row; every failure says where, what and how to mend it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Words that must not stand in some files.
struct Absent {
    /// Files, as the beginning of their path from the workspace's root.
    within: &'static [&'static str],
    /// But not these.
    except: &'static [&'static str],
    /// What must not stand there, each as whole words.
    words: &'static [&'static str],
    /// Whether the rule also holds for code under `#[cfg(test)]` and in `tests` directories.
    in_tests: bool,
    mend: &'static str,
}

const ABSENT: &[Absent] = &[
    Absent {
        within: &["shared/src/"],
        except: &[],
        words: &[
            "tokio",
            "redis::",
            "mysql_async",
            "axum",
            "ratatui",
            "crossterm",
            "std::net",
            "std::fs",
            "std::process",
        ],
        in_tests: true,
        mend: "`shared` knows no socket, terminal, database or runtime: move this to `server` or `tui`",
    },
    Absent {
        within: &["tui/"],
        except: &[],
        words: &["plenary_server", "plenary-server ="],
        in_tests: true,
        mend: "`tui` speaks to the server by the wire alone: what both need belongs in `shared`",
    },
    Absent {
        within: &["server/src/"],
        except: &["server/src/store/", "server/src/store.rs"],
        words: &[
            "mysql_async",
            "rusqlite",
            "redis::cmd",
            "redis::aio",
            "use redis",
        ],
        in_tests: true,
        mend: "nothing outside `store` knows Redis, MySQL or SQLite: give the `Store` trait a verb for it",
    },
    Absent {
        within: &["server/src/"],
        except: &[
            "server/src/store/",
            "server/src/store.rs",
            "server/src/app",
            "server/src/main",
        ],
        words: &[
            "store::redis",
            "store::mysql",
            "store::redis_mysql",
            "store::sqlite",
        ],
        in_tests: true,
        mend: "nothing below `app` names a concrete back end: take `Arc<dyn Store>`",
    },
    Absent {
        within: &["server/src/"],
        except: &["server/src/store/redis/keys.rs"],
        words: &["{meeting:", "\"session:", "\"user:"],
        in_tests: true,
        mend: "Redis keys are spelled in server/src/store/redis/keys.rs alone: ask it for this one",
    },
    Absent {
        within: &[
            "server/src/rules",
            "shared/src/replica",
            "tui/src/update",
            "tui/src/view",
            "tui/src/model",
        ],
        except: &[],
        words: &[
            "async fn",
            ".await",
            "Utc::now",
            "Local::now",
            "Instant::now",
            "SystemTime::now",
            "rand::",
            "now_v7",
            "new_v4",
        ],
        in_tests: false,
        mend: "this is pure: time, randomness and what they await come as arguments or messages",
    },
    Absent {
        within: &["server/src/", "tui/src/", "shared/src/"],
        except: &[
            "server/src/app",
            "server/src/clock.rs",
            "server/src/main",
            "tui/src/clock.rs",
            "tui/src/main",
            "tui/src/runtime",
        ],
        words: &["Utc::now", "Local::now", "SystemTime::now"],
        in_tests: false,
        mend: "time is an argument below `main`, `app` and `runtime`: take a clock or a `Timestamp`",
    },
    Absent {
        within: &["server/", "tui/", "shared/", "testkit/src/"],
        except: &[],
        words: &["unbounded_channel", "unbounded()"],
        in_tests: false,
        mend: "every queue is bounded: use `channel(N)` and say beside N what happens when it is full",
    },
    Absent {
        within: &["server/", "tui/", "shared/", "testkit/src/"],
        except: &[],
        words: &["#[allow(", "#![allow("],
        in_tests: true,
        mend: "write `#[expect(…, reason = \"…\")]`: it says why, and complains when it is not needed any more",
    },
    Absent {
        within: &["server/", "tui/", "shared/", "testkit/src/"],
        except: &[],
        words: &["fn handle_", "fn process_", "fn do_"],
        in_tests: true,
        mend: "the word says nothing: name what is done to what, with the product's words",
    },
];

/// Which rooms of a crate a room must not name.
struct Layer {
    source: &'static str,
    rooms: &'static [&'static str],
    never: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    Layer {
        source: "server/src",
        rooms: &["http"],
        never: &["ws", "scheduler", "archiver", "app"],
    },
    Layer {
        source: "server/src",
        rooms: &["ws"],
        never: &["http", "scheduler", "archiver", "app"],
    },
    Layer {
        source: "server/src",
        rooms: &["scheduler", "archiver"],
        never: &["http", "ws", "app"],
    },
    Layer {
        source: "server/src",
        rooms: &["service", "ctx", "hub", "auth"],
        never: &["http", "ws", "scheduler", "archiver", "app"],
    },
    Layer {
        source: "server/src",
        rooms: &["store", "rules", "error"],
        never: &[
            "ctx",
            "hub",
            "service",
            "http",
            "ws",
            "scheduler",
            "archiver",
            "app",
        ],
    },
    Layer {
        source: "tui/src",
        rooms: &["net"],
        never: &["update", "view", "runtime"],
    },
    Layer {
        source: "tui/src",
        rooms: &["update"],
        never: &["net", "view", "runtime", "term"],
    },
    Layer {
        source: "tui/src",
        rooms: &["view"],
        never: &["net", "update", "runtime", "term"],
    },
    Layer {
        source: "tui/src",
        rooms: &["model", "msg", "effect", "keymap"],
        never: &["net", "update", "view", "runtime", "term"],
    },
    Layer {
        source: "tui/src",
        rooms: &[
            "config", "key", "layout", "term", "text", "theme", "command",
        ],
        never: &[
            "effect", "keymap", "model", "msg", "net", "update", "view", "runtime",
        ],
    },
];

/// Lines of a file, its tests left aside; beyond, it holds a second thing.
const LINES_MAX: usize = 600;

/// Names of files that say nothing.
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "common", "helpers", "helper", "manager", "base",
];

/// Licences under which anybody may build, change and ship the whole.
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
fn words_are_absent_where_they_must_be() {
    let mut wrong = String::new();
    for file in sources() {
        for rule in ABSENT {
            let here = rule.within.iter().any(|start| file.path.starts_with(start))
                && !rule.except.iter().any(|start| file.path.starts_with(start))
                && (rule.in_tests || !file.is_test());
            let lines = if rule.in_tests {
                file.lines.as_slice()
            } else {
                file.lines_before_tests()
            };
            for (at, line) in lines.iter().enumerate().filter(|_| here) {
                for word in rule.words.iter().filter(|word| stands_in(line, word)) {
                    writeln!(
                        wrong,
                        "{}:{}: `{word}`\n    {}",
                        file.path,
                        at + 1,
                        rule.mend
                    )
                    .expect("a String takes all");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn rooms_name_only_what_stands_below_them() {
    let mut wrong = String::new();
    for file in sources() {
        for layer in LAYERS {
            let below = file.path.strip_prefix(layer.source).unwrap_or_default();
            let room = below
                .trim_start_matches('/')
                .split(['/', '.'])
                .next()
                .unwrap_or_default();
            if !layer.rooms.contains(&room) {
                continue;
            }
            for named in rooms_named(&file.lines_before_tests().join("\n")) {
                if layer.never.contains(&named.as_str()) {
                    writeln!(
                        wrong,
                        "{}: names `crate::{named}`\n    `{room}` stands beside or below `{named}`: \
                         what two rooms need belongs below both, and what stands above introduces them",
                        file.path
                    )
                    .expect("a String takes all");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn files_say_what_lives_in_them_and_hold_one_thing() {
    let mut wrong = String::new();
    let mut complain = |path: &str, what: &str| {
        writeln!(wrong, "{path}: {what}").expect("a String takes all");
    };
    for file in sources().iter().filter(|f| f.is_rust()) {
        let name = Path::new(&file.path).file_stem().and_then(|n| n.to_str());
        let name = name.unwrap_or_default();
        if !file.first.starts_with("//!") {
            complain(
                &file.path,
                "begin with `//!` and one sentence on what lives here",
            );
        }
        if name == "mod" {
            complain(
                &file.path,
                "name it after its directory, beside it: `foo.rs` + `foo/`",
            );
        }
        if EMPTY_NAMES.contains(&name) {
            complain(&file.path, "name it after what lives in it");
        }
        let lines = file.lines_before_tests().len();
        if lines > LINES_MAX {
            let what = format!("{lines} lines of at most {LINES_MAX}: find the second thing in it");
            complain(&file.path, &what);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_dependency_is_permissively_licensed() {
    // What is built here, and not what the lock file also has for other systems and features.
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
        "take another crate, or add its licence to LICENCES if anybody may ship it: {wrong:#?}"
    );
}

#[test]
fn the_rules_themselves_find_what_they_look_for() {
    assert!(stands_in("    use mysql_async::Pool;", "mysql_async"));
    assert!(!stands_in("    let my_mysql_async2 = 1;", "mysql_async"));
    assert!(stands_in("fn handle_key() {}", "fn handle_"));
    assert_eq!(
        rooms_named(
            "use crate::http::x; use crate::{\n  ws::{a, b},\n  scheduler,\n}; crate::app()"
        ),
        ["http", "ws", "scheduler", "app"]
    );
    for (expression, good) in [
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
        assert_eq!(is_permissive(expression), good, "{expression}");
    }
}

/// A file of the workspace, its comments blanked out.
struct Source {
    /// From the workspace's root.
    path: String,
    /// The first line as it stands.
    first: String,
    lines: Vec<String>,
}

impl Source {
    fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|e| e == "rs")
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// What stands above the tests in the file.
    fn lines_before_tests(&self) -> &[String] {
        let tests = self.lines.windows(2).position(|pair| {
            let inline = pair[1].trim_start().starts_with("mod ") && pair[1].ends_with('{');
            pair[0].trim() == "#[cfg(test)]" && inline
        });
        &self.lines[..tests.unwrap_or(self.lines.len())]
    }
}

/// Every Rust, Lua and Cargo.toml file of the workspace's crates, but for this one.
fn sources() -> Vec<Source> {
    let root = root();
    let mut files = vec![];
    for start in ["server", "shared", "tui", "testkit"] {
        collect(&root.join(start), &mut files);
    }
    assert!(files.len() > 20, "the workspace is not where it should be");
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).expect("source is UTF-8 text");
            let path = file.strip_prefix(&root).expect("it lies below");
            let comment = match file.extension().and_then(|e| e.to_str()) {
                Some("rs") => "//",
                Some("lua") => "--",
                _ => "#",
            };
            Source {
                path: path.to_string_lossy().into_owned(),
                first: text.lines().next().unwrap_or_default().to_owned(),
                lines: text
                    .lines()
                    .map(|line| {
                        line.split(comment)
                            .next()
                            .unwrap_or_default()
                            .trim_end()
                            .to_owned()
                    })
                    .collect(),
            }
        })
        .filter(|file| file.path != "testkit/tests/tidy.rs")
        .collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a crate can be read") {
        let path = entry.expect("an entry can be read").path();
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "target" {
            collect(&path, files);
        } else if name == "Cargo.toml" || path.extension().is_some_and(|e| e == "rs" || e == "lua")
        {
            files.push(path);
        }
    }
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the kit is a member").to_owned()
}

/// Whether `word` stands in `line` with nothing of a name directly before it, nor behind it where
/// the word ends as a name does (`handle_` is a beginning on purpose).
fn stands_in(line: &str, word: &str) -> bool {
    let of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    let begins = word.starts_with(of_a_name);
    let ends = word.ends_with(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let behind = line[at + word.len()..].chars().next();
        let is_longer =
            (begins && before.is_some_and(of_a_name)) || (ends && behind.is_some_and(of_a_name));
        !is_longer
    })
}

/// The first name behind every `crate::`, also within `crate::{…}`.
fn rooms_named(code: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        let text = text.trim_start();
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut named = vec![];
    for (at, found) in code.match_indices("crate::") {
        let behind = &code[at + found.len()..];
        let Some(group) = behind.strip_prefix('{') else {
            named.push(name(behind));
            continue;
        };
        let mut depth = 0;
        named.push(name(group));
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => named.push(name(&group[at + 1..])),
                _ => {}
            }
        }
    }
    named.retain(|name| !name.is_empty());
    named
}

/// Whether an SPDX expression leaves a way to take the package under permissive licences alone.
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

/// The parts between `separator`, where it stands outside of parentheses.
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
