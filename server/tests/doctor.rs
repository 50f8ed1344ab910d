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

/// Runs `doctor --json` on these stores. Returns the diagnostics and the exit code.
fn examine_at(redis: &str, mysql: &str) -> (Vec<Value>, i32) {
    let mut command = std::process::Command::new(plenary_testkit::binary("plenary-server"));
    command
        .env_clear()
        .env("HOME", std::env::temp_dir())
        .env("PLENARY_REDIS", redis)
        .env("PLENARY_MYSQL", mysql)
        .args(["doctor", "--json"]);
    let ended = command.output().expect("it runs");
    let lines = String::from_utf8_lossy(&ended.stdout).into_owned();
    let findings = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
        .collect();
    (findings, ended.status.code().expect("an exit code"))
}

#[test]
fn doctor_tries_what_the_server_does_in_redis() {
    let fixture = FixtureBuilder::new().start();
    let redis = &fixture.stores.redis;
    let mysql = fixture.stores.database.url();
    for (name, rules, about) in [
        ("nochannels", "~* resetchannels +@all", "Redis: channels"),
        ("noinfo", "~* &* +@all -info", "Redis: INFO"),
        ("noscripts", "~* &* +@all -@scripting", "Redis: commands"),
        ("nowrites", "~* &* +@all -zadd", "Redis: commands"),
        ("fewkeys", "~{meeting:* &* +@all", "Redis: keys"),
    ] {
        let words: Vec<&str> = rules.split(' ').collect();
        redis.command(&[&["ACL", "SETUSER", name, "on", ">secret"], &words[..]].concat());
        let url = format!("{}?user={name}&pass=secret", redis.url());
        let (findings, code) = examine_at(&url, &mysql);
        assert_eq!(code, 1, "{name}: {findings:?}");
        assert_eq!(grade(&findings, about), "bad", "{name}");
    }
    let before = redis.keys("*");
    let (findings, code) = examine_at(&redis.url(), &mysql);
    assert_eq!(code, 1, "the test database does not sync at commit");
    assert_eq!(grade(&findings, "Redis: commands"), "good");
    assert_eq!(grade(&findings, "Redis: keys"), "good");
    assert_eq!(grade(&findings, "Redis: channels"), "good");
    assert_eq!(redis.keys("*"), before, "nothing is left behind");
}

#[test]
fn doctor_tries_what_the_server_does_in_mysql() {
    let fixture = FixtureBuilder::new().start();
    let database = &fixture.stores.database;
    let name = database.name();
    database.query(&format!(
        "CREATE USER nodelete@localhost IDENTIFIED BY 'secret';
         GRANT SELECT, INSERT, UPDATE ON {name}.* TO nodelete@localhost;
         CREATE DATABASE empty;
         CREATE USER notables@localhost IDENTIFIED BY 'secret';
         GRANT SELECT, INSERT, UPDATE, DELETE ON empty.* TO notables@localhost;"
    ));
    let redis = fixture.stores.redis.url();
    let url = database.url().replace("root@", "nodelete:secret@");
    let (findings, code) = examine_at(&redis, &url);
    assert_eq!(code, 1, "{findings:?}");
    assert_eq!(grade(&findings, "MySQL: statements"), "bad");
    let url = fixture.stores.mariadb.url("empty");
    let (findings, _) = examine_at(&redis, &url.replace("root@", "notables:secret@"));
    assert_eq!(grade(&findings, "MySQL: migrations"), "bad");
    let (findings, _) = examine_at(&redis, &url);
    assert_eq!(grade(&findings, "MySQL: migrations"), "good");
    let before = database.query("SELECT * FROM audit");
    let (findings, _) = examine_at(&redis, &database.url());
    assert_eq!(grade(&findings, "MySQL: statements"), "good");
    assert_eq!(grade(&findings, "MySQL: words of the search index"), "good");
    assert_eq!(database.query("SELECT * FROM audit"), before);
}

#[test]
fn readable_files_are_bad() {
    use std::os::unix::fs::PermissionsExt;

    let mut server = Server::embedded(ServerOptions::default());
    assert_eq!(server.terminate(), 0);
    let open = |path: &std::path::Path, mode| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(path, permissions).expect("it is ours");
    };
    let (findings, finished) = examine(&server);
    assert_eq!(finished.code, 0, "{findings:?}");
    assert_eq!(grade(&findings, "data file: permissions"), "good");
    assert_eq!(grade(&findings, "data file: writing"), "good");
    assert_eq!(grade(&findings, "data file: disk"), "good");
    open(&server.data(), 0o755);
    open(&server.data().join("plenary.db"), 0o644);
    let (findings, finished) = examine(&server);
    assert_eq!(finished.code, 1, "{findings:?}");
    assert_eq!(grade(&findings, "data file: permissions"), "bad");
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
