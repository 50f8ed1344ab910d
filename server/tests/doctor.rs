//! `plenary-server doctor`: what is wrong, what to do about it, and an exit code for scripts.

use std::fs;

use plenary_testkit::{Finished, RedisOptions, Server, ServerOptions, Setting};
use rusqlite::Connection;
use serde_json::Value;

/// The findings of `doctor --json`, and the whole answer.
fn examine(server: &Server) -> (Vec<Value>, Finished) {
    let finished = server.cli(&["doctor", "--json"]);
    let findings = finished
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
        .collect();
    (findings, finished)
}

/// How one thing is, by its name.
fn grade<'a>(findings: &'a [Value], about: &str) -> &'a str {
    let found = findings.iter().find(|finding| finding["about"] == about);
    let found = found.unwrap_or_else(|| panic!("nothing about {about} in {findings:?}"));
    let grade = found["grade"].as_str().expect("a word");
    assert_eq!(grade == "good", found["advice"].is_null(), "{found}");
    grade
}

#[test]
fn stores_as_they_should_be_are_well() {
    let options = RedisOptions {
        aof: true,
        ..RedisOptions::default()
    };
    let scene = Setting::with(options, ServerOptions::default()).start();
    // The tests' own database is quicker than it is safe.
    let safe = "SET GLOBAL innodb_flush_log_at_trx_commit = 1";
    scene.stores.database.query(safe);
    let (findings, finished) = examine(&scene.server);
    assert_eq!(finished.code, 0, "{findings:?}");
    for finding in &findings {
        assert_eq!(finding["grade"], "good", "{finding}");
    }
    let lines = scene.server.cli(&["doctor"]).ok();
    assert!(
        lines.contains("ok           MySQL: tables: up to date"),
        "{lines}"
    );
}

#[test]
fn doctor_names_problems_and_fixes() {
    let mut scene = Setting::new().start();
    let redis = &scene.stores.redis;
    redis.command(&["CONFIG", "SET", "maxmemory", "200mb"]);
    redis.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    scene
        .stores
        .database
        .query("INSERT INTO migration VALUES (9999, 'tomorrow', '', UTC_TIMESTAMP(3), 0)");
    let (findings, finished) = examine(&scene.server);
    assert_eq!(finished.code, 1, "{findings:?}");
    assert_eq!(grade(&findings, "Redis: maxmemory-policy"), "bad");
    assert_eq!(grade(&findings, "MySQL: tables"), "bad");
    assert_eq!(grade(&findings, "MySQL: version"), "good");
    scene.stores.mariadb.kill9();
    let (findings, finished) = examine(&scene.server);
    assert_eq!(finished.code, 5, "{findings:?}");
    assert_eq!(grade(&findings, "MySQL"), "unavailable");
    assert_eq!(grade(&findings, "Redis: version"), "good");
}

#[test]
fn the_one_file_is_looked_at_beside_its_server() {
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
    assert!(lines.contains("served by: nobody now"), "{lines}");
    let file = server.data().join("plenary.db");
    // Newer pages than the file's may be in its log: as if the disk had lost that too.
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
