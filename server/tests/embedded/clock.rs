//! Event times while the clock is set back.

use plenary_shared::time::Timestamp;

use crate::harness::Harness;

#[tokio::test]
async fn event_times_do_not_fall_when_the_clock_is_set_back() {
    let harness = Harness::with(&["ada"]);
    let here = harness.active(7_200);
    let mut ada = harness.ws("ada").await;
    ada.open(here).await.expect("it is public");
    let joined = ada.join(here).await.expect("it is public");
    // As if the clock had been an hour ahead when she joined.
    harness.sql("UPDATE event_log SET timestamp = timestamp + 3600000 WHERE eventType = 'join'");
    let ahead: Timestamp = joined.timestamp.plus_ms(3_600_000);
    let posted = ada.post(here, "hello").await.expect("ada is in");
    assert_eq!(posted.timestamp, ahead);
    let left = ada.leave(here).await.expect("ada is in");
    assert_eq!(left.timestamp, ahead);
    let falls = harness.value(
        "SELECT COUNT(*)
         FROM (SELECT seq, timestamp FROM event_log UNION ALL SELECT seq, timestamp FROM message) a
         JOIN (SELECT seq, timestamp FROM event_log UNION ALL SELECT seq, timestamp FROM message) b
           ON b.seq > a.seq AND b.timestamp < a.timestamp",
    );
    assert_eq!(falls, "0");
}
