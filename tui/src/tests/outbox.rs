//! The outbox on the screen and on disk.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::Cmid;
use plenary_shared::protocol::{ResumeMode, Verb};
use plenary_shared::text::MessageBody;

use super::fixture::{Fixture, ME, at, cmid_of, id, opened, posted, sync, talk};
use crate::effect::Effect;
use crate::journal::{ComposeTarget, JournalEntry, Owner, Record};
use crate::msg::AppEvent;

fn owner() -> Owner {
    Owner {
        server: "http://127.0.0.1:7400".into(),
        email: "ada@example.org".into(),
    }
}

fn line(number: u128, body: &str) -> JournalEntry {
    JournalEntry {
        instance: sync(),
        cmid: Cmid(uuid::Uuid::from_u128(number << 100)),
        target: ComposeTarget::New,
        body: MessageBody::parse(body).expect("a body"),
        since: at("13:40"),
        failed: None,
    }
}

fn posts(fixture: &Fixture) -> Vec<String> {
    let asked = fixture.effects.iter().filter_map(|effect| match effect {
        Effect::Ask(request) => Some(&request.verb),
        _ => None,
    });
    asked
        .filter_map(|verb| match verb {
            Verb::Post(post) => Some(post.body.as_str().to_owned()),
            _ => None,
        })
        .collect()
}

/// Takes the records written to disk.
fn records(fixture: &mut Fixture) -> Vec<Record> {
    let (records, others): (Vec<_>, Vec<_>) = std::mem::take(&mut fixture.effects)
        .into_iter()
        .partition(|effect| matches!(effect, Effect::Record(_)));
    fixture.effects = others;
    let records = records.into_iter().filter_map(|effect| match effect {
        Effect::Record(records) => Some(records),
        _ => None,
    });
    records.flatten().collect()
}

#[test]
fn post_waits_for_the_disk() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.disk_is_slow = true;
    fixture.write("hello");
    fixture.key("enter");
    assert!(fixture.shows("sending") && posts(&fixture).is_empty());
    let said = records(&mut fixture);
    let [Record::Post(line)] = said.as_slice() else {
        panic!("not one line: {said:?}")
    };
    fixture.tell(AppEvent::Recorded(vec![line.cmid]));
    assert_eq!(posts(&fixture), ["hello"]);
    fixture.answer("post", posted(20));
    assert!(records(&mut fixture).is_empty(), "it is kept");
}

#[test]
fn journal_is_opened_for_the_signed_in_user() {
    let fixture = Fixture::ready(80, 24);
    let opens = |fixture: &Fixture| -> Vec<Owner> {
        let opened = fixture.effects.iter().filter_map(|effect| match effect {
            Effect::OpenJournal(owner) => Some(owner.clone()),
            _ => None,
        });
        opened.collect()
    };
    assert_eq!(opens(&fixture), [owner()]);
    let mut fixture = fixture;
    fixture.lose_link();
    fixture.greet(vec![]);
    assert_eq!(opens(&fixture).len(), 1, "it is open already");
}

#[test]
fn loaded_entries_show_at_once_and_are_sent() {
    let mut fixture = Fixture::new(80, 24);
    fixture.model.session.outbox_owner = Some(owner());
    fixture.tell(AppEvent::Journal(
        owner(),
        vec![line(1, "one"), line(2, "two")],
    ));
    // The server has not answered yet.
    assert_snapshot!(fixture.screen());
    fixture.greet(vec![]);
    fixture.answer_meetings(super::fixture::demo_meetings());
    fixture.answer("open", opened(talk(), vec![(ME, "13:52")]));
    assert_eq!(posts(&fixture), ["one"]);
    fixture.answer("post", posted(20));
    assert_eq!(posts(&fixture), ["two"]);
    fixture.answer("post", posted(21));
    assert!(!fixture.shows("sending") && !fixture.shows("waiting"));
}

#[test]
fn loaded_entry_is_resent_under_its_id() {
    let mut fixture = Fixture::talking(80, 24);
    let log = talk();
    let plenary_shared::domain::EventKind::Message { cmid, body, .. } = &log[5].kind else {
        panic!("not a message")
    };
    let mut arrived = line(1, "x");
    (arrived.cmid, arrived.body) = (*cmid, body.clone());
    fixture.asked();
    fixture.tell(AppEvent::Journal(owner(), vec![arrived.clone()]));
    // Whether the log contains it is found out by sending it again under the same id.
    let asked = fixture.asked();
    let again = asked.iter().filter(|(name, _)| name == "post");
    let ids: Vec<Cmid> = again.map(|(_, request)| cmid_of(request)).collect();
    assert_eq!(ids, [*cmid]);
}

#[test]
fn sent_draft_is_cleared() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("one");
    fixture.tell(AppEvent::Journal(owner(), vec![line(1, "one")]));
    assert!(fixture.model.composer().expect("one").editor.is_empty());
    fixture.write("other");
    fixture.tell(AppEvent::Journal(owner(), vec![line(2, "two")]));
    assert!(fixture.shows("› other"));
}

#[test]
fn journal_of_another_user_is_ignored() {
    let mut fixture = Fixture::talking(80, 24);
    let other = Owner {
        email: "eve@example.org".into(),
        ..owner()
    };
    fixture.tell(AppEvent::Journal(other, vec![line(1, "not mine")]));
    assert!(!fixture.shows("not mine"));
}

#[test]
fn rejected_entry_outside_the_meeting_can_be_recalled() {
    let mut fixture = Fixture::ready(80, 24);
    fixture.tell(AppEvent::Journal(owner(), vec![line(1, "too late")]));
    fixture.answer("open", opened(talk(), vec![(8, "13:31")]));
    assert_eq!(posts(&fixture), ["too late"]);
    fixture.refuse("post", Code::NotParticipant.into());
    assert!(fixture.shows("not sent: You are not in this meeting") && fixture.shows("/recall"));
    assert!(posts(&fixture).is_empty());
    records(&mut fixture);
    fixture.write("/recall");
    fixture.key("enter");
    assert!(fixture.shows("› too late") && !fixture.shows("not sent"));
    assert!(matches!(
        records(&mut fixture).as_slice(),
        [Record::Done(_)]
    ));
}

#[test]
fn rejected_entries_stay_rejected_after_a_restart() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.asked();
    let mut failed = line(1, "refused long ago");
    failed.failed = Some(("it was over".into(), false));
    fixture.tell(AppEvent::Journal(owner(), vec![failed]));
    assert!(fixture.shows("not sent: it was over") && posts(&fixture).is_empty());
    fixture.key("enter");
    assert_eq!(posts(&fixture), ["refused long ago"]);
}

#[test]
fn entries_of_an_unreadable_meeting_stay_in_the_outbox() {
    let mut fixture = Fixture::ready(80, 24);
    let mut elsewhere = line(1, "for nobody");
    elsewhere.instance = id(99, 1);
    fixture.tell(AppEvent::Journal(owner(), vec![elsewhere]));
    let gone = || Reject::from(Code::NotFound);
    fixture.refuse("open", gone());
    fixture.refuse("post", gone());
    assert!(fixture.shows("not sent"), "{}", fixture.screen());
    fixture.write("/outbox");
    fixture.key("enter");
    assert_snapshot!(fixture.screen());
}

#[test]
fn full_outbox_keeps_the_text_in_the_input() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.lose_link();
    for _ in 0..crate::model::outbox::ENTRIES_MAX {
        fixture.write("x");
        fixture.key("enter");
    }
    fixture.write("one more");
    fixture.key("enter");
    assert!(
        fixture.shows("Not sent: outbox is full (200 messages)") && fixture.shows("› one more")
    );
}

#[test]
fn resume_resends_only_unacknowledged_entries() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("one");
    fixture.key("enter");
    fixture.answer("post", posted(20));
    fixture.write("two");
    fixture.key("enter");
    fixture.lose_link();
    fixture.effects.clear();
    fixture.greet(vec![(sync(), ResumeMode::Delta)]);
    assert_eq!(posts(&fixture), ["two"]);
}

#[test]
fn rate_limited_entries_wait_quietly_and_keep_their_order() {
    let mut fixture = Fixture::talking(80, 24);
    for text in ["one", "two"] {
        fixture.write(text);
        fixture.key("enter");
    }
    assert_eq!(posts(&fixture), ["one"]);
    fixture.refuse("post", Reject::rate_limited(1_500));
    assert!(
        fixture.shows("the server limits the speed") && !fixture.shows("not sent"),
        "{}",
        fixture.screen()
    );
    assert!(
        posts(&fixture).is_empty(),
        "the second does not overtake the first"
    );
    fixture.wait_ms(1_499);
    assert!(posts(&fixture).is_empty());
    fixture.wait_ms(1);
    assert_eq!(posts(&fixture), ["one"]);
    fixture.answer("post", posted(20));
    assert_eq!(posts(&fixture), ["two"]);
    fixture.refuse("post", Reject::from(Code::DiskReserve));
    assert!(fixture.shows("disk is almost full") && !fixture.shows("not sent"));
}
