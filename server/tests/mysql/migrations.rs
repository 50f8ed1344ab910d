//! Migrations: applied once among racing servers, and never to foreign tables.

use plenary_server::store::MigrateError;
use plenary_server::store::mysql::MysqlStore;
use plenary_shared::domain::{Gender, Role};
use plenary_testkit::MariaDb;

use crate::{Harness, connect, instance_id, minute, user_id};

const ALL: &[&str] = &[
    "0001_users",
    "0002_schedule",
    "0003_event_log",
    "0004_operations",
    "0005_transfer",
    "0006_cmid_index",
    "0007_replies_and_edits",
    "0008_read_positions",
    "0009_search",
    "0010_lease_renewal",
    "0011_moderation",
    "0012_disabled_users",
    "0013_meeting_revision",
    "0014_idle_connections",
];

#[tokio::test]
async fn tables_are_created_once() {
    let mariadb = MariaDb::start();
    let database = mariadb.create_database();
    let store = connect(&database);
    assert_eq!(store.migrate().await.expect("an empty database"), ALL);
    let none: &[&str] = &[];
    assert_eq!(store.migrate().await.expect("a filled database"), none);
    assert_eq!(
        database.value("SELECT COUNT(*) FROM migration WHERE dirty = 0"),
        ALL.len().to_string()
    );
}

#[tokio::test]
async fn racing_servers_create_the_tables_once() {
    let mariadb = MariaDb::start();
    let database = mariadb.create_database();
    let racers = (0..8).map(|_| {
        let store = connect(&database);
        tokio::spawn(async move { store.migrate().await })
    });
    let mut made = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        made.extend(racer.await.expect("no panic").expect("all go through"));
    }
    assert_eq!(made, ALL);
}

#[tokio::test]
async fn newer_database_is_rejected_by_version_and_name() {
    let harness = Harness::new().await;
    harness.database.query(
        "INSERT INTO migration (version, name, checksum, applied_at, dirty)
         VALUES (99, 'rooms', 'x', NOW(3), 0)",
    );
    let error = harness.store.migrate().await.expect_err("it is newer");
    assert!(matches!(error, MigrateError::Newer { version: 99, .. }));
    assert!(error.to_string().contains("99 'rooms'"), "{error}");
}

#[tokio::test]
async fn incomplete_migration_is_rejected_with_advice() {
    let harness = Harness::new().await;
    harness
        .database
        .query("UPDATE migration SET dirty = 1 WHERE version = 3");
    let error = harness.store.migrate().await.expect_err("it is dirty");
    assert!(matches!(error, MigrateError::Dirty { version: 3, .. }));
    let text = error.to_string();
    assert!(text.contains("sql/mysql/0003_event_log.sql"), "{text}");
    assert!(text.contains("SET dirty = 0 WHERE version = 3"), "{text}");
}

#[tokio::test]
async fn edited_migration_is_rejected() {
    let harness = Harness::new().await;
    harness
        .database
        .query("UPDATE migration SET checksum = REPEAT('0', 64) WHERE version = 2");
    let error = harness.store.migrate().await.expect_err("it is another");
    assert!(matches!(error, MigrateError::Edited { version: 2, .. }));
}

#[tokio::test]
async fn foreign_tables_are_left_unchanged() {
    let mariadb = MariaDb::start();
    let database = mariadb.create_database();
    database.query("CREATE TABLE user (id INT)");
    let error = connect(&database).migrate().await.expect_err("not ours");
    assert!(matches!(error, MigrateError::Occupied { ref table } if table == "user"));
    assert_eq!(database.query("DESCRIBE user").len(), 1);
}

#[tokio::test]
async fn failed_migration_is_named_and_stays_incomplete() {
    let harness = Harness::new().await;
    harness.database.query(
        "DELETE FROM migration WHERE version = 4;
         DROP TABLE audit",
    );
    let error = harness.store.migrate().await.expect_err("a table is there");
    assert!(
        matches!(error, MigrateError::Failed { version: 4, .. }),
        "{error}"
    );
    let error = harness.store.migrate().await.expect_err("it is dirty");
    assert!(matches!(error, MigrateError::Dirty { version: 4, .. }));
}

/// Inserts rows with only the columns of the original schema.
#[tokio::test]
async fn original_inserts_load_unchanged() {
    let harness = Harness::new().await;
    harness.database.query(
        "INSERT INTO user (userID, name, age, gender, email) VALUES
           (1, 'john', 21, 'male', 'John@Example.com'),
           (2, 'hamid', 22, 'male', 'hamid@example.com'),
           (3, NULL, NULL, 'Female', NULL);
         INSERT INTO meeting (meetingID, title, description, isPublic) VALUES
           (1, 'BDMS Course', 'about databases', 0),
           (2, NULL, NULL, NULL),
           (3, 'Seminar', 'for all', TRUE);
         INSERT INTO audience (meetingID, email) VALUES
           (1, 'JOHN@example.com'), (1, 'not-here-yet@example.com');
         INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime) VALUES
           (1, 1, '2026-05-06 12:00:00', '2026-05-06 13:00:00'),
           (3, 1, '2026-05-06 14:00:00', '2026-05-06 13:00:00');
         INSERT INTO event_log (userID, eventType, timestamp) VALUES
           (1, 'join_meeting', '2026-05-06 12:00:00'), (1, 2, NULL);",
    );
    let store = &harness.store;
    let users = store.users(None, 10).await.expect("they can be read");
    let users: Vec<_> = users.into_iter().map(|one| one.user).collect();
    let names: Vec<_> = users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["john", "hamid", "user 3"]);
    assert_eq!(users[0].role, Role::Member);
    assert_eq!(users[0].age, Some(21));
    assert_eq!(users[2].gender, Some(Gender::Female));

    let john = store.account("john@EXAMPLE.com").await;
    let john = john.expect("it answers").expect("any case will do");
    assert_eq!(john.user.id, user_id(1));
    assert_eq!(john.password_hash, None);

    let meetings = store.meetings(None, 10).await.expect("they can be read");
    assert_eq!(meetings.len(), 3);
    assert_eq!(
        meetings[0].audience,
        ["john@example.com", "not-here-yet@example.com"]
    );
    assert_eq!(meetings[1].meeting.title, "meeting 2");
    assert!(!meetings[1].meeting.is_public);
    assert!(meetings[2].meeting.is_public);
    assert_eq!(meetings[2].instances.len(), 1);

    let agenda = store.agenda(minute(0), 0).await.expect("it answers");
    let noon_exactly = "2026-05-06T12:00:00Z".parse().expect("a time");
    assert_eq!(agenda.starts, [(instance_id(1, 1), noon_exactly)]);
    let listed = store.listed(&john.user, minute(0)).await;
    let listed = listed.expect("it answers");
    assert_eq!(
        listed.len(),
        1,
        "john is invited in other letters; 3/1 is upside down"
    );
}

#[tokio::test]
async fn deployment_nonce_never_changes() {
    let harness = Harness::new().await;
    let racers = (0..8).map(|_| {
        let store = connect(&harness.database);
        tokio::spawn(async move { store.nonce().await.expect("it answers") })
    });
    let mut nonces = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        nonces.push(racer.await.expect("no panic"));
    }
    nonces.dedup();
    assert_eq!(nonces.len(), 1, "{nonces:?}");
    assert_eq!(nonces[0].len(), 32);
    assert!(nonces[0].bytes().all(|b| b.is_ascii_hexdigit()));

    let other = Harness::new().await;
    assert_ne!(other.store.nonce().await.expect("it answers"), nonces[0]);
}

#[test]
fn url_error_omits_the_password() {
    for url in [
        "mysql://ada:geheim@localhost",
        "mysql://ada:geheim@localhost/",
        "mysql://ada:geheim@localhost/db?geheim=geheim",
        "mysql://ada:geheim@localhost/db?prefer_socket=geheim",
        "mysql://ada:geheim@local host:99999/db",
        "postgres://ada:geheim@localhost/db",
        "geheim",
    ] {
        let error = MysqlStore::connect(url).expect_err(url);
        let text = format!("{error} {error:?}");
        assert!(!text.contains("geheim"), "{text}");
        assert!(text.contains("mysql://USER"), "{text}");
    }
    let store = MysqlStore::connect("mysql://ada:geheim@localhost/db").expect("a good URL");
    assert_eq!(format!("{store:?}"), "MysqlStore");
}
