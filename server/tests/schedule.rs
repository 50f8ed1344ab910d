//! The schedule: rows inserted by others are found, starts are exact, the demo data loads.

use std::path::Path;
use std::time::Duration;

use plenary_testkit::{FixtureBuilder, Server, Stores, instance, until};
use serde_json::json;

/// How long a running server may take to find inserted rows, in milliseconds.
const FOUND_WITHIN_MS: u64 = 15_000;

#[tokio::test]
async fn inserted_rows_are_found_by_a_running_server() {
    let fixture = FixtureBuilder::new().people(1, &["ada"]).start();
    let now = "SELECT ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000)";
    let ms = || -> u64 {
        fixture
            .stores
            .database
            .value(now)
            .parse()
            .expect("a number")
    };
    let inserted = ms();
    fixture.stores.database.query(
        "INSERT INTO user (userID, name, age, gender, email) \
             VALUES (7, 'john', 21, 'male', 'john@example.org'); \
         INSERT INTO meeting (meetingID, title, description, isPublic) \
             VALUES (5, 'BDMS Course', 'Big data', 0); \
         INSERT INTO audience (meetingID, email) VALUES (5, 'john@example.org'); \
         INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime) \
             VALUES (5, 1, UTC_TIMESTAMP() - INTERVAL 1 MINUTE, UTC_TIMESTAMP() + INTERVAL 1 HOUR)",
    );
    fixture.wait_state(instance(5, 1), "active");
    assert!(ms() - inserted <= FOUND_WITHIN_MS + 500);
    let john = fixture.http("john");
    john.post("/meeting/5/order/1/join", &json!({})).await.ok();
}

#[tokio::test]
async fn known_start_is_exact() {
    let fixture = FixtureBuilder::new()
        .people(1, &["ada"])
        .meeting(1, "Standup", None)
        .instance(1, 1, 4, 3_600)
        .start();
    let mut ws = fixture.ws("ada").await;
    let early = ws.join(instance(1, 1)).await.expect_err("it has not begun");
    assert_eq!(early.code.as_str(), "not_started");
    until("the start", || ws_is_open(&fixture).then_some(()));
    ws.join(instance(1, 1)).await.expect("it has begun");
    let opened = ws.open(instance(1, 1)).await.expect("it is open");
    let from = opened.instance.fromdatetime;
    let late_ms = opened.events[0].timestamp.ms_since(from);
    assert!(
        (0..1_000).contains(&late_ms),
        "opened {late_ms} ms after its start"
    );
}

fn ws_is_open(fixture: &plenary_testkit::Fixture) -> bool {
    fixture.state(instance(1, 1)) == "active"
}

#[tokio::test]
async fn instance_scheduled_from_shell_starts_and_is_announced() {
    let fixture = FixtureBuilder::new()
        .people(1, &["ada"])
        .meeting(1, "Standup", None)
        .start();
    let mut ws = fixture.ws("ada").await;
    let here = fixture.schedule(1, Duration::from_mins(10));
    ws.wait_for("the list of meetings to change", |push| match push {
        plenary_shared::protocol::Push::Changed(_) => Some(()),
        plenary_shared::protocol::Push::Event(_)
        | plenary_shared::protocol::Push::Durable(_)
        | plenary_shared::protocol::Push::Fence(_)
        | plenary_shared::protocol::Push::Read(_)
        | plenary_shared::protocol::Push::Typing(_)
        | plenary_shared::protocol::Push::Waiting(_)
        | plenary_shared::protocol::Push::Presence(_)
        | plenary_shared::protocol::Push::Dashboard(_)
        | plenary_shared::protocol::Push::Detail(_) => None,
    })
    .await;
    ws.join(here).await.expect("it has begun");
}

#[test]
fn demo_data_loads_unchanged() {
    let stores = Stores::start();
    Server::migrate(&stores.redis, &stores.database);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql/demo.sql");
    let demo = std::fs::read_to_string(file).expect("the demo's data are there");
    stores.database.query(&demo);
    let rows = |sql: &str| stores.database.query(sql);
    assert_eq!(
        rows("SELECT name, age, gender, email, role FROM user ORDER BY userID"),
        [
            ["john", "21", "male", "john@example.org", "admin"],
            ["hamid", "22", "male", "hamid@example.org", "member"],
            ["haled", "23", "male", "haled@example.org", "member"],
        ]
    );
    assert_eq!(
        rows(
            "SELECT meetingID, title, isPublic, COUNT(orderID) FROM meeting \
             JOIN meeting_instance USING (meetingID) GROUP BY meetingID ORDER BY meetingID"
        ),
        [
            ["1", "BDMS Course", "0", "4"],
            ["2", "DSA Course", "0", "2"],
            ["3", "Seminar", "1", "1"],
        ]
    );
    assert_eq!(
        rows("SELECT meetingID, email FROM audience ORDER BY meetingID, email DESC"),
        [
            ["1", "john@example.org"],
            ["2", "hamid@example.org"],
            ["2", "haled@example.org"],
        ]
    );
    // The times are relative to the moment named at the top of the file.
    let at = "TIMESTAMP '2026-05-06 13:00:00'";
    let count = |when: &str| {
        let sql = format!("SELECT COUNT(*) FROM meeting_instance WHERE {when}");
        stores.database.value(&sql)
    };
    assert_eq!(
        count(&format!("fromdatetime <= {at} AND todatetime > {at}")),
        "2"
    );
    let soon = |column: &str, minutes: u32| {
        count(&format!(
            "{column} > {at} AND {column} <= {at} + INTERVAL {minutes} MINUTE"
        ))
    };
    assert_eq!(soon("fromdatetime", 2), "1");
    assert_eq!(soon("todatetime", 5), "1");
    assert_eq!(
        count(&format!("fromdatetime > {at} + INTERVAL 2 MINUTE")),
        "4"
    );
}

#[test]
fn a_database_that_is_newer_than_the_program_is_refused() {
    let stores = Stores::start();
    Server::migrate(&stores.redis, &stores.database);
    // Raises the number of the last migration, whatever the table is called.
    let table = stores.database.value(
        "SELECT table_name FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name LIKE '%migration%'",
    );
    let columns = stores.database.query(&format!("SHOW COLUMNS FROM {table}"));
    let number = columns
        .iter()
        .find(|column| column[1].contains("int"))
        .expect("migrations are numbered");
    stores.database.query(&format!(
        "UPDATE {table} SET {0} = 9999 ORDER BY {0} DESC LIMIT 1",
        number[0]
    ));
    let fixture = std::panic::catch_unwind(|| Server::start(&stores.redis, &stores.database));
    let complaint = fixture.expect_err("it does not start");
    let complaint = complaint
        .downcast_ref::<String>()
        .expect("a panic has a text");
    assert!(complaint.contains("9999"), "{complaint}");
}
