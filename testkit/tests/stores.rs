//! The private stores themselves: they answer, they forget or remember as asked, they leave nothing.

use std::path::Path;

use plenary_testkit::{Redis, RedisOptions, Stores};

#[test]
fn stores_answer_and_leave_nothing_behind() {
    let stores = Stores::start();
    assert_eq!(stores.redis.command(&["PING"]), ["PONG"]);
    assert_eq!(stores.database.value("SELECT 6 * 7"), "42");
    assert_eq!(
        stores.database.value("SELECT DATABASE()"),
        stores.database.name()
    );
    let rows = stores.database.query("SELECT 1, NULL; SELECT 'é'");
    assert_eq!(rows, [vec!["1", "NULL"], vec!["é"]]);

    let sockets = [stores.redis.socket(), stores.mariadb.socket()];
    let directories = sockets.each_ref().map(|s| s.parent().map(Path::to_owned));
    drop(stores);
    for directory in directories.into_iter().flatten() {
        assert!(!directory.exists(), "{}", directory.display());
    }
}

#[test]
fn databases_are_their_own() {
    let stores = Stores::start();
    let other = stores.mariadb.create_database();
    stores.database.query("CREATE TABLE t (a INT)");
    assert!(other.query("SHOW TABLES").is_empty());
}

#[test]
fn a_redis_with_an_append_only_file_remembers_a_kill() {
    let mut redis = Redis::with(RedisOptions {
        aof: true,
        tcp: true,
    });
    assert!(redis.url().starts_with("redis://127.0.0.1:"));
    redis.command(&["SET", "a", "1"]);
    redis.kill9();
    redis.restart();
    assert_eq!(redis.keys("*"), ["a"]);

    let mut forgetful = Redis::start();
    forgetful.command(&["SET", "a", "1"]);
    forgetful.kill9();
    forgetful.restart();
    assert!(forgetful.keys("*").is_empty());
}

#[test]
fn a_killed_mariadb_keeps_what_was_committed() {
    let mut stores = Stores::start();
    stores
        .database
        .query("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)");
    stores.mariadb.kill9();
    stores.mariadb.restart();
    assert_eq!(stores.database.value("SELECT a FROM t"), "1");
}
