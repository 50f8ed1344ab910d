//! Words that must be absent from some files: the invariants of the architecture.

use crate::assert_none;
use crate::source;

/// Words that must be absent from some files.
struct Absent {
    /// The files, as prefixes of their path from the workspace's root.
    within: &'static [&'static str],
    /// Prefixes of files to leave out.
    except: &'static [&'static str],
    /// The words, each matched as a whole word.
    words: &'static [&'static str],
    /// Whether the rule also covers test code.
    in_tests: bool,
    /// How to fix a finding.
    fix: &'static str,
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
        fix: "`shared` knows no socket, terminal, database or runtime: move this to `server` or `tui`",
    },
    Absent {
        within: &["tui/"],
        except: &[],
        words: &["plenary_server", "plenary-server ="],
        in_tests: true,
        fix: "`tui` talks to the server over the wire only: move what both need to `shared`",
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
        fix: "nothing outside `store` knows Redis, MySQL or SQLite: add a method to a store trait",
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
        fix: "nothing below `app` names a concrete back end: take `Arc<dyn Store>`",
    },
    Absent {
        within: &["server/src/"],
        except: &["server/src/store/redis/keys.rs"],
        words: &["{meeting:", "\"session:", "\"user:"],
        in_tests: true,
        fix: "Redis keys are spelled in server/src/store/redis/keys.rs only: add a function there",
    },
    Absent {
        within: &[
            "server/src/rules",
            "shared/src/replica",
            "tui/src/update",
            "tui/src/view",
            "tui/src/model",
            "tui/src/layer",
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
        fix: "this code is pure: pass time, randomness and results of I/O as arguments or events",
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
        fix: "time is an argument below `main`, `app` and `runtime`: take a clock or a `Timestamp`",
    },
    Absent {
        within: &["server/", "tui/", "shared/", "testkit/src/"],
        except: &[],
        words: &["unbounded_channel", "unbounded()"],
        in_tests: false,
        fix: "every queue is bounded: use `channel(N)` and say beside N what happens when it is full",
    },
    Absent {
        within: &["server/", "tui/", "shared/", "testkit/src/"],
        except: &[],
        words: &["#[allow(", "#![allow("],
        in_tests: true,
        fix: "write `#[expect(…, reason = \"…\")]`: it states the reason and warns once it is not needed",
    },
    Absent {
        within: &["server/", "tui/", "shared/", "testkit/src/"],
        except: &[],
        words: &["fn handle_", "fn process_", "fn do_"],
        in_tests: true,
        fix: "name what the function does, in the product's words",
    },
];

#[test]
fn words_are_absent_where_they_must_be() {
    let mut findings = vec![];
    for file in source::code() {
        let rules = ABSENT.iter().filter(|rule| {
            let covers = |prefixes: &[&str]| prefixes.iter().any(|p| file.path.starts_with(p));
            covers(rule.within) && !covers(rule.except) && (rule.in_tests || !file.is_test())
        });
        for rule in rules {
            for (at, line) in file.code_lines(rule.in_tests).into_iter().enumerate() {
                let found = rule.words.iter().filter(|word| contains_word(line, word));
                findings.extend(
                    found.map(|word| {
                        format!("{}:{}: `{word}`\n    {}", file.path, at + 1, rule.fix)
                    }),
                );
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn contains_word_matches_whole_words() {
    assert!(contains_word("    use mysql_async::Pool;", "mysql_async"));
    assert!(!contains_word(
        "    let my_mysql_async2 = 1;",
        "mysql_async"
    ));
    assert!(contains_word("fn process_key() {}", "fn process_"));
}

/// Whether `line` contains `word` with no letter, digit or underscore directly before it, nor after it
/// if the word ends with a letter or digit (`process_` matches as a prefix on purpose).
fn contains_word(line: &str, word: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || c == '_';
    let starts_with_name = word.starts_with(in_name);
    let ends_with_name = word.ends_with(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let is_part_of_longer = (starts_with_name && before.is_some_and(in_name))
            || (ends_with_name && after.is_some_and(in_name));
        !is_part_of_longer
    })
}
