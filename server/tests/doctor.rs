//! `plenary-server doctor`: problems, fixes, and the exit code.

use std::fs;

use plenary_testkit::{Finished, FixtureBuilder, RedisOptions, Server, ServerOptions};
use rusqlite::Connection;
use serde_json::Value;

/// Runs `doctor --json`. Returns the diagnostics and the process result.
fn examine(server: &Server) -> (Vec<Value>, Finished) {
    let finished = server.cli(&["doctor", "--json"]);
    let findings = finished
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
        .collect();
    (findings, finished)
}

/// The grade of the diagnostic with this name.
fn grade<'a>(findings: &'a [Value], about: &str) -> &'a str {
    let found = findings.iter().find(|finding| finding["about"] == about);
    let found = found.unwrap_or_else(|| panic!("nothing about {about} in {findings:?}"));
    let grade = found["grade"].as_str().expect("a word");
    assert_eq!(grade == "good", found["advice"].is_null(), "{found}");
    grade
}

#[test]
fn healthy_stores_pass() {
    let options = RedisOptions {
        aof: true,
        ..RedisOptions::default()
    };
    let fixture = FixtureBuilder::with(options, ServerOptions::default()).start();
    // The test database does not sync at commit, so make it safe first.
    let safe = "SET GLOBAL innodb_flush_log_at_trx_commit = 1";
    fixture.stores.database.query(safe);
    let (findings, finished) = examine(&fixture.server);
    assert_eq!(finished.code, 0, "{findings:?}");
    for finding in &findings {
        assert_eq!(finding["grade"], "good", "{finding}");
    }
    let lines = fixture.server.cli(&["doctor"]).ok();
    assert!(
        lines.contains("ok           MySQL: tables: up to date"),
        "{lines}"
    );
}

#[test]
fn doctor_names_problems_and_fixes() {
    let mut fixture = FixtureBuilder::new().start();
    let redis = &fixture.stores.redis;
    redis.command(&["CONFIG", "SET", "maxmemory", "200mb"]);
    redis.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    fixture
        .stores
        .database
        .query("INSERT INTO migration VALUES (9999, 'tomorrow', '', UTC_TIMESTAMP(3), 0)");
    let (findings, finished) = examine(&fixture.server);
    assert_eq!(finished.code, 1, "{findings:?}");
    assert_eq!(grade(&findings, "Redis: maxmemory-policy"), "bad");
    assert_eq!(grade(&findings, "MySQL: tables"), "bad");
    assert_eq!(grade(&findings, "MySQL: version"), "good");
    fixture.stores.mariadb.kill9();
    let (findings, finished) = examine(&fixture.server);
    assert_eq!(finished.code, 5, "{findings:?}");
    assert_eq!(grade(&findings, "MySQL"), "unavailable");
    assert_eq!(grade(&findings, "Redis: version"), "good");
}

#[test]
fn sqlite_is_diagnosed_while_the_server_runs() {
    let mut server = Server::embedded(ServerOptions::default());
    let (findings, finished) = examine(&server);
    assert_eq!(finished.code, 0, "{findings:?}");
    assert_eq!(grade(&findings, "data file: integrity"), "good");
    assert_eq!(grade(&findings, "data file: tables"), "good");
    let pid = server.pid().to_string();
    let lines = server.cli(&["doctor"]).ok();
    assert!(
        lines.contains(&format!("served by: process {pid}")),
        "{lines}"
    );

    assert_eq!(server.terminate(), 0);
    let lines = server.cli(&["doctor"]).ok();
    assert!(lines.contains("served by: no process"), "{lines}");
    let file = server.data().join("plenary.db");
    // The file has to contain all pages, so that damage affects them.
    let log = server.data().join("plenary.db-wal");
    if log.exists() {
        Connection::open(&file)
            .and_then(|conn| conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
            .expect("all is in the file");
    }
    let mut bytes = fs::read(&file).expect("the file");
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xa5);
    fs::write(&file, bytes).expect("a damaged file");
    let (findings, finished) = examine(&server);
    assert_eq!(finished.code, 1, "{findings:?}");
    assert_eq!(grade(&findings, "data file: integrity"), "bad");
}
