//! Pages of the event log, in both directions.

use plenary_server::store::Page;
use plenary_shared::domain::{EventKind, User};
use plenary_shared::ids::InstanceId;
use rstest::rstest;

use crate::{Harness, batch, event, instance_id, join, message, seq, user_id};

/// Seq 1 is `opened`, 2 and 3 are joins, 4 to 10 are messages of Ada and Ben in turn.
async fn talk(harness: &Harness) -> (InstanceId, User, User) {
    let ada = harness.user("Ada", "ada@x").await;
    let ben = harness.user("Ben", "ben@x").await;
    let id = harness.active().await;
    let mut events = vec![
        event(id, 1, EventKind::Opened),
        join(id, 2, &ada),
        join(id, 3, &ben),
    ];
    for n in 4..=10 {
        let user = if n % 2 == 0 { ada.id } else { ben.id };
        events.push(message(id, n, user, &format!("message {n}")));
    }
    harness.archive_one(batch(id, 0, events)).await;
    (id, ada, ben)
}

fn before(number: u64) -> Page {
    Page::Before(Some(seq(number)))
}

fn after(number: u64) -> Page {
    Page::After(seq(number))
}

#[rstest]
#[case(Page::Before(None), 3, None, &[8, 9, 10], true)]
#[case(Page::Before(None), 10, None, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false)]
#[case(Page::Before(None), 2, Some(6), &[4, 5], true)]
#[case(before(5), 3, None, &[2, 3, 4], true)]
#[case(before(4), 3, None, &[1, 2, 3], false)]
#[case(before(99), 1, Some(3), &[2], true)]
#[case(before(1), 3, None, &[], false)]
#[case(after(0), 4, None, &[1, 2, 3, 4], true)]
#[case(after(7), 3, None, &[8, 9, 10], false)]
#[case(after(7), 3, Some(10), &[8, 9], false)]
#[case(after(7), 1, Some(10), &[8], true)]
#[case(after(10), 3, None, &[], false)]
#[tokio::test]
async fn log_pages(
    #[case] page: Page,
    #[case] limit: usize,
    #[case] below: Option<u64>,
    #[case] expected: &[u64],
    #[case] more: bool,
) {
    let harness = Harness::new().await;
    let (id, ..) = talk(&harness).await;
    let read = harness.store.events(id, page, limit, below.map(seq)).await;
    let read = read.expect("it answers");
    let seqs: Vec<_> = read.events.iter().map(|event| event.seq.get()).collect();
    assert_eq!(seqs, expected);
    assert_eq!(read.more, more);
    for event in &read.events {
        if let Some(user) = event.kind.user() {
            assert!(read.users.iter().any(|person| person.id == user));
        }
    }
}

#[rstest]
#[case(Page::Before(None), 3, None, &[8, 9, 10], true)]
#[case(before(6), 3, None, &[4, 5], false)]
#[case(after(8), 3, None, &[9, 10], false)]
#[case(after(0), 2, None, &[4, 5], true)]
#[case(after(0), 100, Some(6), &[4, 5], false)]
#[tokio::test]
async fn message_pages(
    #[case] page: Page,
    #[case] limit: usize,
    #[case] below: Option<u64>,
    #[case] expected: &[u64],
    #[case] more: bool,
) {
    let harness = Harness::new().await;
    let (id, ada, ben) = talk(&harness).await;
    let read = harness
        .store
        .messages(id, page, limit, below.map(seq))
        .await;
    let read = read.expect("it answers");
    let seqs: Vec<_> = read.messages.iter().map(|m| m.seq.get()).collect();
    assert_eq!(seqs, expected);
    assert_eq!(read.more, more);
    for message in &read.messages {
        let sender = if message.user == ada.id { &ada } else { &ben };
        assert_eq!(message.name, sender.name);
        assert_eq!(message.body.as_str(), format!("message {}", message.seq));
    }
}

#[rstest]
#[case(Page::Before(None), 2, &[8, 10], true)]
#[case(before(8), 9, &[4, 6], false)]
#[case(after(4), 2, &[6, 8], true)]
#[tokio::test]
async fn user_message_pages(
    #[case] page: Page,
    #[case] limit: usize,
    #[case] expected: &[u64],
    #[case] more: bool,
) {
    let harness = Harness::new().await;
    let (id, ada, _) = talk(&harness).await;
    let store = &harness.store;
    let read = store.user_messages(id, ada.id, page, limit, None).await;
    let read = read.expect("it answers");
    let seqs: Vec<_> = read.messages.iter().map(|m| m.seq.get()).collect();
    assert_eq!(seqs, expected);
    assert_eq!(read.more, more);
    let nobody = store
        .user_messages(id, user_id(99), page, limit, None)
        .await;
    assert!(nobody.expect("it answers").messages.is_empty());
}

#[tokio::test]
async fn invalid_rows_from_other_programs_do_not_break_a_page() {
    let harness = Harness::new().await;
    let (id, ..) = talk(&harness).await;
    harness.database.query(&format!(
        "INSERT INTO event_log (meetingID, orderID, seq, userID, eventType, timestamp) VALUES
           ({m}, {o}, 11, 1, 'sneezed', NOW(3)), ({m}, {o}, 12, NULL, 'join', NOW(3)),
           ({m}, {o}, NULL, 1, 'join', NOW(3));
         INSERT INTO message (meetingID, orderID, seq, userID, body, timestamp) VALUES
           ({m}, {o}, 13, 1, CONCAT('a', CHAR(27), '[2Jb\\r\\nc'), NOW(3)),
           ({m}, {o}, 14, 1, '', NOW(3)),
           ({m}, {o}, 15, 1, REPEAT('é', 3000), NOW(3));",
        m = id.meeting,
        o = id.order
    ));
    let read = harness.store.events(id, after(9), 100, None).await;
    let read = read.expect("it answers");
    let seqs: Vec<_> = read.events.iter().map(|event| event.seq.get()).collect();
    assert_eq!(seqs, [10, 13, 14, 15]);
    let read = harness.store.messages(id, after(10), 100, None).await;
    let read = read.expect("it answers");
    let bodies: Vec<_> = read.messages.iter().map(|m| m.body.as_str()).collect();
    assert_eq!(bodies[0], "a\u{fffd}[2Jb\nc");
    assert_eq!(bodies[1], "\u{fffd}");
    assert_eq!(bodies[2].len(), 4_096);
}

#[tokio::test]
async fn missing_instance_has_no_pages() {
    let harness = Harness::new().await;
    let id = instance_id(7, 7);
    let store = &harness.store;
    let events = store.events(id, after(0), 10, None).await;
    assert!(events.expect("it answers").events.is_empty());
    assert!(store.stored(id).await.expect("it answers").is_none());
}
