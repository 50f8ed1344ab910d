//! Tests of the outbox, and a simulation of losses, crashes and fences in which every entry has to
//! arrive once and in order.

mod simulation;

use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use rstest::rstest;

use super::*;

fn id() -> InstanceId {
    "1/4".parse().expect("an id")
}

fn cmid(number: u128) -> Cmid {
    Cmid(uuid::Uuid::from_u128(number))
}

fn line(number: u128) -> JournalEntry {
    JournalEntry {
        instance: id(),
        cmid: cmid(number),
        target: ComposeTarget::New,
        body: MessageBody::parse(format!("line {number}")).expect("a body"),
        since: Timestamp::from_ms(0),
        failed: None,
    }
}

fn generation(number: u64) -> Generation {
    Generation::new(number).expect("small")
}

fn seq(number: u64) -> Seq {
    Seq::new(number).expect("small")
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

/// Returns an outbox with these entries on disk.
fn outbox(numbers: std::ops::RangeInclusive<u128>) -> Outbox {
    let mut outbox = Outbox::default();
    for number in numbers.clone() {
        outbox.enqueue(line(number)).expect("there is room");
    }
    let cmids: Vec<Cmid> = numbers.map(cmid).collect();
    outbox.written(&cmids);
    outbox.take_records();
    outbox
}

fn due(outbox: &mut Outbox, now_ms: i64) -> Option<Cmid> {
    outbox
        .next_send(id(), at(now_ms), generation(1), true)
        .map(|due| due.cmid)
}

fn state(outbox: &Outbox, number: u128) -> Delivery {
    let found = outbox.entries().find(|line| line.cmid == cmid(number));
    found.expect("it is there").state.clone()
}

#[test]
fn entries_are_sent_one_at_a_time_after_reaching_disk() {
    let mut outbox = Outbox::default();
    outbox.enqueue(line(1)).expect("there is room");
    outbox.enqueue(line(2)).expect("there is room");
    assert_eq!(outbox.take_records().len(), 2);
    outbox.written(&[cmid(2)]);
    assert_eq!(due(&mut outbox, 0), None, "the first is not on disk");
    outbox.written(&[cmid(1)]);
    assert_eq!(due(&mut outbox, 0), Some(cmid(1)));
    assert_eq!(due(&mut outbox, 0), None, "the first is on its way");
    outbox.acknowledged(cmid(1), seq(5), generation(1), generation(1));
    assert_eq!(due(&mut outbox, 0), Some(cmid(2)));
}

#[test]
fn delayed_entry_blocks_later_ones() {
    let mut outbox = outbox(1..=2);
    assert_eq!(due(&mut outbox, 0), Some(cmid(1)));
    let later = Rejection::Later {
        at: at(1_000),
        why: Some("away".into()),
    };
    assert!(!outbox.rejected(cmid(1), generation(1), later));
    assert_eq!(due(&mut outbox, 999), None);
    assert_eq!(
        outbox.retry_times().collect::<Vec<_>>(),
        [(id(), at(1_000))]
    );
    assert_eq!(due(&mut outbox, 1_000), Some(cmid(1)));
}

#[rstest]
#[case::in_the_same_generation(1, 1, Delivery::Acknowledged { seq: seq(5), generation: generation(1) })]
#[case::a_fence_came_before_the_answer(1, 2, Delivery::Waiting { until: None })]
fn acknowledgement_counts_only_in_its_generation(
    #[case] sent: u64,
    #[case] answered: u64,
    #[case] expected: Delivery,
) {
    let mut outbox = outbox(1..=1);
    outbox.next_send(id(), at(0), generation(sent), true);
    outbox.acknowledged(cmid(1), seq(5), generation(sent), generation(answered));
    assert_eq!(state(&outbox, 1), expected);
}

#[test]
fn reply_to_an_earlier_attempt_is_ignored() {
    let mut outbox = outbox(1..=1);
    outbox.next_send(id(), at(0), generation(1), true);
    outbox.event_received(cmid(1), seq(5), generation(1));
    outbox.apply_fence(id(), seq(4), &[], None, at(0));
    outbox.next_send(id(), at(0), generation(2), true);
    outbox.acknowledged(cmid(1), seq(5), generation(1), generation(2));
    let sent = Delivery::Sent {
        generation: generation(2),
    };
    assert_eq!(state(&outbox, 1), sent);
    let why = "over".to_owned();
    outbox.rejected(cmid(1), generation(1), Rejection::Final { why });
    assert_eq!(state(&outbox, 1), sent);
}

#[rstest]
#[case::above_the_base(5, 4, Some(Delivery::Waiting { until: None }))]
#[case::up_to_the_base(5, 5, None)]
fn fence_resends_or_removes_acknowledged_entries(
    #[case] taken: u64,
    #[case] base: u64,
    #[case] expected: Option<Delivery>,
) {
    let mut outbox = outbox(1..=1);
    due(&mut outbox, 0);
    outbox.acknowledged(cmid(1), seq(taken), generation(1), generation(1));
    outbox.apply_fence(id(), seq(base), &[], None, at(0));
    let left = outbox.entries().next().map(|line| line.state.clone());
    assert_eq!(left, expected);
    let done = outbox.take_records() == [Record::Done(cmid(1))];
    assert_eq!(done, expected.is_none());
}

#[test]
fn outside_a_meeting_only_sent_entries_are_resent() {
    let mut outbox = outbox(1..=2);
    due(&mut outbox, 0);
    outbox.connection_lost();
    outbox.reject_unsent(id(), "it is over");
    assert!(!outbox.entries().next().expect("one").is_rejected());
    assert!(matches!(state(&outbox, 2), Delivery::Rejected { .. }));
    let asked = outbox.next_send(id(), at(0), generation(1), false);
    assert_eq!(asked.map(|due| due.cmid), Some(cmid(1)));
    let over = Rejection::Final {
        why: "it is over".into(),
    };
    outbox.rejected(cmid(1), generation(1), over);
    assert!(
        outbox
            .next_send(id(), at(0), generation(1), false)
            .is_none()
    );
    // Both can be recalled, the last one first.
    let body = |outbox: &mut Outbox| outbox.recall(id()).map(|line| line.body.to_string());
    assert_eq!(body(&mut outbox).as_deref(), Some("line 2"));
    assert_eq!(body(&mut outbox).as_deref(), Some("line 1"));
    assert_eq!(body(&mut outbox), None);
}

#[test]
fn server_errors_limit_attempts_and_prevent_recall() {
    let mut outbox = outbox(1..=1);
    for tries in 0..SERVER_ERRORS_MAX {
        assert_eq!(due(&mut outbox, i64::from(tries)), Some(cmid(1)));
        let broken = Rejection::ServerError {
            at: at(i64::from(tries) + 1),
            why: "oh".into(),
        };
        outbox.rejected(cmid(1), generation(1), broken);
    }
    assert_eq!(outbox.rejected_count(id()), 1);
    assert!(outbox.recall(id()).is_none(), "it may have been taken");
    outbox.retry(id());
    assert_eq!(due(&mut outbox, 0), Some(cmid(1)), "under its own id");
}

#[test]
fn rejoin_is_attempted_once() {
    let mut outbox = outbox(1..=1);
    let not_in = || Rejection::NotParticipant { why: "out".into() };
    due(&mut outbox, 0);
    assert!(outbox.rejected(cmid(1), generation(1), not_in()));
    due(&mut outbox, 0);
    assert!(!outbox.rejected(cmid(1), generation(1), not_in()));
    assert_eq!(outbox.rejected_count(id()), 1);
}

#[test]
fn outbox_is_bounded() {
    let mut outbox = Outbox::default();
    for number in 0..ENTRIES_MAX as u128 {
        outbox.enqueue(line(number)).expect("there is room");
    }
    assert_eq!(outbox.enqueue(line(9_999)), Err(OutboxFull::Entries));
    let mut elsewhere = line(9_999);
    elsewhere.instance = "2/1".parse().expect("an id");
    assert_eq!(outbox.enqueue(elsewhere), Ok(()));
    let mut outbox = Outbox::default();
    let long = MessageBody::parse("x".repeat(4_096)).expect("a body");
    let full = (0..).find_map(|number| {
        let mut line = line(number);
        line.body = long.clone();
        let refused = outbox.enqueue(line).err();
        outbox.written(&[cmid(number)]);
        due(&mut outbox, 0);
        outbox.acknowledged(cmid(number), seq(1), generation(1), generation(1));
        refused.map(|full| (number, full))
    });
    assert_eq!(full, Some((BYTES_MAX as u128 / 4_096, OutboxFull::Bytes)));
}

#[test]
fn loaded_entries_come_first_and_stay_rejected() {
    let mut outbox = outbox(3..=3);
    let mut failed = line(2);
    failed.failed = Some(("over".into(), false));
    outbox.load(vec![line(1), failed]);
    let order: Vec<Cmid> = outbox.entries().map(|line| line.cmid).collect();
    assert_eq!(order, [cmid(1), cmid(2), cmid(3)]);
    assert_eq!(due(&mut outbox, 0), Some(cmid(1)));
    assert_eq!(outbox.rejected_count(id()), 1);
    assert!(outbox.take_records().is_empty(), "it is on disk already");
}
