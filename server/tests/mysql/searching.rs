//! Search does not depend on the full-text settings of the database server.

use plenary_shared::search::Query;
use plenary_testkit::MariaDb;
use rstest::rstest;

use crate::Harness;

#[rstest]
#[case("--innodb-ft-min-token-size=5")]
#[case("--innodb-ft-max-token-size=10")]
#[tokio::test]
async fn words_are_found_whatever_the_index_holds(#[case] setting: &str) {
    let harness = Harness::on(MariaDb::start_with(&[setting])).await;
    let read = harness.store.read_indexed_words().await;
    read.expect("the database answers");
    let ada = harness.user("ada", "ada@x").await;
    harness.meeting("Seminar", None).await;
    harness.database.query(&format!(
        "UPDATE user SET role = 'admin';
         INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime, state)
         VALUES (1, 1, '2026-01-01', '2026-01-02', 'ended');
         INSERT INTO message (meetingID, orderID, seq, userID, cmid, body, timestamp) VALUES
         (1, 1, 1, {id}, UUID(), 'the plan', '2026-01-01'),
         (1, 1, 2, {id}, UUID(), 'die Größe', '2026-01-01'),
         (1, 1, 3, {id}, UUID(), 'internationalization', '2026-01-01')",
        id = ada.id
    ));
    let mut admin = ada;
    admin.role = plenary_shared::domain::Role::Admin;
    for (text, expected) in [
        ("the", "the plan"),
        ("plan", "the plan"),
        ("grösse", "die Größe"),
        ("inter", "internationalization"),
        ("internationalization", "internationalization"),
    ] {
        let query = Query::parse(text).expect("a search");
        let page = harness.store.search(&admin, &[], &query, None, 10).await;
        let hits = page.expect("the database answers").hits;
        let bodies: Vec<&str> = hits.iter().map(|hit| hit.message.body.as_str()).collect();
        assert_eq!(bodies, [expected], "{text} with {setting}");
    }
}
