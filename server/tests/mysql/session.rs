//! The settings of a session do not depend on those of the database server, and a failed commit leaves no
//! transaction open.

use super::*;

/// Counts the open transactions.
const OPEN: &str = "SELECT COUNT(*) FROM information_schema.INNODB_TRX";

/// Counts the statements that wait in the trigger.
const WAITING: &str =
    "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'";

#[tokio::test]
async fn sessions_do_not_inherit_the_settings_of_the_database() {
    let mariadb = MariaDb::start();
    let database = mariadb.create_database();
    database.query(
        "SET GLOBAL autocommit = 0;
         SET GLOBAL completion_type = 'CHAIN';
         SET GLOBAL time_zone = '+05:00';
         SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';
         SET GLOBAL sql_safe_updates = 1;
         SET GLOBAL wait_timeout = 1;
         SET GLOBAL innodb_ft_enable_stopword = 1;
         SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY;
         SET GLOBAL sql_select_limit = 1;",
    );
    let store = connect(&database);
    store.migrate().await.expect("an empty database is filled");
    let harness = Harness {
        store,
        database,
        mariadb,
    };
    harness.user("Ada", "ada@example.org").await;
    harness.user("Bob", "bob@example.org").await;
    harness.meeting("Seminar", Some(&["ada@example.org"])).await;
    // Another connection sees only what was committed.
    let other = connect(&harness.database);
    let users = other.users(None, 10).await.expect("it answers");
    assert_eq!(users.len(), 2, "both users are kept");
    let invited = harness.database.value("SELECT COUNT(*) FROM audience");
    assert_eq!(invited, "1", "the audience is kept");
    assert_eq!(harness.database.value(OPEN), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_commit_leaves_no_transaction_open() {
    let harness = Harness::new().await;
    let name = harness.database.name().to_owned();
    harness.database.query(&format!(
        "CREATE USER limited@localhost IDENTIFIED BY 'secret';
         GRANT ALL ON {name}.* TO limited@localhost;
         -- Its rows wait in the trigger, so that the database is read-only before the commit.
         CREATE TRIGGER slow AFTER INSERT ON audit FOR EACH ROW SET @slept = SLEEP(1);"
    ));
    let url = harness.database.url().replace("root@", "limited:secret@");
    let limited = MysqlStore::connect(&url).expect("a URL");
    let new = NewMeeting {
        by: None,
        title: "Seminar".to_owned(),
        description: String::new(),
        is_public: true,
        audience: vec![],
    };
    let adding = limited.add_meeting(new, minute(0));
    let closing = async {
        plenary_testkit::until_async("the transaction to be open", async || {
            (harness.database.value(WAITING) != "0").then_some(())
        })
        .await;
        harness.database.query("SET GLOBAL read_only = 1");
    };
    let (refused, ()) = tokio::join!(adding, closing);
    assert_unavailable(refused.map(|_| ()));
    assert_eq!(harness.database.value(OPEN), "0");
    harness
        .database
        .query("SET GLOBAL read_only = 0; DROP TRIGGER slow");
    let meetings = harness.database.value("SELECT COUNT(*) FROM meeting");
    assert_eq!(meetings, "0", "nothing of it is kept");
    limited.ping().await.expect("its connections are usable");
}
