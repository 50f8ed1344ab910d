//! Pages of the record, in both directions.

use plenary_server::store::Page;
use plenary_shared::domain::{EventKind, User};
use plenary_shared::ids::InstanceId;
use rstest::rstest;

use crate::{World, batch, event, instance_id, join, message, seq, user_id};

/// Seq 1 is `opened`, 2 and 3 are joins, then Ada and Ben say something in turn up to 10.
async fn talk(world: &World) -> (InstanceId, User, User) {
    let ada = world.user("Ada", "ada@x").await;
    let ben = world.user("Ben", "ben@x").await;
    let id = world.active().await;
    let mut events = vec![
        event(id, 1, EventKind::Opened),
        join(id, 2, &ada),
        join(id, 3, &ben),
    ];
    for n in 4..=10 {
        let user = if n % 2 == 0 { ada.id } else { ben.id };
        events.push(message(id, n, user, &format!("message {n}")));
    }
    world.archive_one(batch(id, 0, events)).await;
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
async fn pages_of_the_log(
    #[case] page: Page,
    #[case] limit: usize,
    #[case] below: Option<u64>,
    #[case] expected: &[u64],
    #[case] more: bool,
) {
    let world = World::new().await;
    let (id, ..) = talk(&world).await;
    let read = world.ledger.events(id, page, limit, below.map(seq)).await;
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
async fn pages_of_messages(
    #[case] page: Page,
    #[case] limit: usize,
    #[case] below: Option<u64>,
    #[case] expected: &[u64],
    #[case] more: bool,
) {
    let world = World::new().await;
    let (id, ada, ben) = talk(&world).await;
    let read = world.ledger.messages(id, page, limit, below.map(seq)).await;
    let read = read.expect("it answers");
    let seqs: Vec<_> = read.messages.iter().map(|m| m.seq.get()).collect();
    assert_eq!(seqs, expected);
    assert_eq!(read.more, more);
    for said in &read.messages {
        let sender = if said.user == ada.id { &ada } else { &ben };
        assert_eq!(said.name, sender.name);
        assert_eq!(said.body.as_str(), format!("message {}", said.seq));
    }
}

#[rstest]
#[case(Page::Before(None), 2, &[8, 10], true)]
#[case(before(8), 9, &[4, 6], false)]
#[case(after(4), 2, &[6, 8], true)]
#[tokio::test]
async fn pages_of_one_persons_messages(
    #[case] page: Page,
    #[case] limit: usize,
    #[case] expected: &[u64],
    #[case] more: bool,
) {
    let world = World::new().await;
    let (id, ada, _) = talk(&world).await;
    let ledger = &world.ledger;
    let read = ledger.user_messages(id, ada.id, page, limit, None).await;
    let read = read.expect("it answers");
    let seqs: Vec<_> = read.messages.iter().map(|m| m.seq.get()).collect();
    assert_eq!(seqs, expected);
    assert_eq!(read.more, more);
    let nobody = ledger
        .user_messages(id, user_id(99), page, limit, None)
        .await;
    assert!(nobody.expect("it answers").messages.is_empty());
}

#[tokio::test]
async fn rows_that_others_wrote_do_not_spoil_a_page() {
    let world = World::new().await;
    let (id, ..) = talk(&world).await;
    world.database.query(&format!(
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
    let read = world.ledger.events(id, after(9), 100, None).await;
    let read = read.expect("it answers");
    let seqs: Vec<_> = read.events.iter().map(|event| event.seq.get()).collect();
    assert_eq!(seqs, [10, 13, 14, 15]);
    let read = world.ledger.messages(id, after(10), 100, None).await;
    let read = read.expect("it answers");
    let bodies: Vec<_> = read.messages.iter().map(|m| m.body.as_str()).collect();
    assert_eq!(bodies[0], "a\u{fffd}[2Jb\nc");
    assert_eq!(bodies[1], "\u{fffd}");
    assert_eq!(bodies[2].len(), 4_096);
}

#[tokio::test]
async fn nothing_is_read_of_what_is_not() {
    let world = World::new().await;
    let id = instance_id(7, 7);
    let ledger = &world.ledger;
    let events = ledger.events(id, after(0), 10, None).await;
    assert!(events.expect("it answers").events.is_empty());
    assert!(ledger.stored(id).await.expect("it answers").is_none());
}
