//! The outbox on the screen and on disk.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::Cmid;
use plenary_shared::protocol::{ResumeMode, Verb};
use plenary_shared::text::MessageBody;

use super::stage::{ME, Stage, at, cmid_of, id, opened, posted, sync, talk};
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

fn posts(stage: &Stage) -> Vec<String> {
    let asked = stage.effects.iter().filter_map(|effect| match effect {
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
fn records(stage: &mut Stage) -> Vec<Record> {
    let (records, others): (Vec<_>, Vec<_>) = std::mem::take(&mut stage.effects)
        .into_iter()
        .partition(|effect| matches!(effect, Effect::Record(_)));
    stage.effects = others;
    let records = records.into_iter().filter_map(|effect| match effect {
        Effect::Record(records) => Some(records),
        _ => None,
    });
    records.flatten().collect()
}

#[test]
fn post_waits_for_the_disk() {
    let mut stage = Stage::talking(80, 24);
    stage.disk_is_slow = true;
    stage.write("hello");
    stage.key("enter");
    assert!(stage.shows("sending") && posts(&stage).is_empty());
    let said = records(&mut stage);
    let [Record::Post(line)] = said.as_slice() else {
        panic!("not one line: {said:?}")
    };
    stage.tell(AppEvent::Recorded(vec![line.cmid]));
    assert_eq!(posts(&stage), ["hello"]);
    stage.answer("post", posted(20));
    assert!(records(&mut stage).is_empty(), "it is kept");
}

#[test]
fn journal_is_opened_for_the_signed_in_user() {
    let stage = Stage::ready(80, 24);
    let opens = |stage: &Stage| -> Vec<Owner> {
        let opened = stage.effects.iter().filter_map(|effect| match effect {
            Effect::OpenJournal(owner) => Some(owner.clone()),
            _ => None,
        });
        opened.collect()
    };
    assert_eq!(opens(&stage), [owner()]);
    let mut stage = stage;
    stage.lose_link();
    stage.greet(vec![]);
    assert_eq!(opens(&stage).len(), 1, "it is open already");
}

#[test]
fn loaded_entries_show_at_once_and_are_sent() {
    let mut stage = Stage::new(80, 24);
    stage.model.outbox_of = Some(owner());
    stage.tell(AppEvent::Journal(
        owner(),
        vec![line(1, "one"), line(2, "two")],
    ));
    // The server has not answered yet.
    assert_snapshot!(stage.screen());
    stage.greet(vec![]);
    stage.answer_meetings(super::stage::demo_meetings());
    stage.answer("open", opened(talk(), vec![(ME, "13:52")]));
    assert_eq!(posts(&stage), ["one"]);
    stage.answer("post", posted(20));
    assert_eq!(posts(&stage), ["two"]);
    stage.answer("post", posted(21));
    assert!(!stage.shows("sending") && !stage.shows("waiting"));
}

#[test]
fn loaded_entry_is_resent_under_its_id() {
    let mut stage = Stage::talking(80, 24);
    let log = talk();
    let plenary_shared::domain::What::Message { cmid, body, .. } = &log[5].what else {
        panic!("not a message")
    };
    let mut arrived = line(1, "x");
    (arrived.cmid, arrived.body) = (*cmid, body.clone());
    stage.asked();
    stage.tell(AppEvent::Journal(owner(), vec![arrived.clone()]));
    // Whether the log contains it is found out by sending it again under the same id.
    let asked = stage.asked();
    let again = asked.iter().filter(|(name, _)| name == "post");
    let ids: Vec<Cmid> = again.map(|(_, request)| cmid_of(request)).collect();
    assert_eq!(ids, [*cmid]);
}

#[test]
fn sent_draft_is_cleared() {
    let mut stage = Stage::talking(80, 24);
    stage.write("one");
    stage.tell(AppEvent::Journal(owner(), vec![line(1, "one")]));
    assert!(stage.model.composer().expect("one").editor.is_empty());
    stage.write("other");
    stage.tell(AppEvent::Journal(owner(), vec![line(2, "two")]));
    assert!(stage.shows("› other"));
}

#[test]
fn journal_of_another_user_is_ignored() {
    let mut stage = Stage::talking(80, 24);
    let other = Owner {
        email: "eve@example.org".into(),
        ..owner()
    };
    stage.tell(AppEvent::Journal(other, vec![line(1, "not mine")]));
    assert!(!stage.shows("not mine"));
}

#[test]
fn rejected_entry_outside_the_meeting_can_be_recalled() {
    let mut stage = Stage::ready(80, 24);
    stage.tell(AppEvent::Journal(owner(), vec![line(1, "too late")]));
    stage.answer("open", opened(talk(), vec![(8, "13:31")]));
    assert_eq!(posts(&stage), ["too late"]);
    stage.refuse("post", Code::NotParticipant.into());
    assert!(stage.shows("not sent: You are not in this meeting") && stage.shows("/recall"));
    assert!(posts(&stage).is_empty());
    records(&mut stage);
    stage.write("/recall");
    stage.key("enter");
    assert!(stage.shows("› too late") && !stage.shows("not sent"));
    assert!(matches!(records(&mut stage).as_slice(), [Record::Done(_)]));
}

#[test]
fn rejected_entries_stay_rejected_after_a_restart() {
    let mut stage = Stage::talking(80, 24);
    stage.asked();
    let mut failed = line(1, "refused long ago");
    failed.failed = Some(("it was over".into(), false));
    stage.tell(AppEvent::Journal(owner(), vec![failed]));
    assert!(stage.shows("not sent: it was over") && posts(&stage).is_empty());
    stage.key("enter");
    assert_eq!(posts(&stage), ["refused long ago"]);
}

#[test]
fn entries_of_an_unreadable_meeting_stay_in_the_outbox() {
    let mut stage = Stage::ready(80, 24);
    let mut elsewhere = line(1, "for nobody");
    elsewhere.instance = id(99, 1);
    stage.tell(AppEvent::Journal(owner(), vec![elsewhere]));
    let gone = || Reject::from(Code::NotFound);
    stage.refuse("open", gone());
    stage.refuse("post", gone());
    assert!(stage.shows("not sent"), "{}", stage.screen());
    stage.write("/outbox");
    stage.key("enter");
    assert_snapshot!(stage.screen());
}

#[test]
fn full_outbox_keeps_the_text_in_the_input() {
    let mut stage = Stage::talking(80, 24);
    stage.lose_link();
    for _ in 0..crate::model::outbox::ENTRIES_MAX {
        stage.write("x");
        stage.key("enter");
    }
    stage.write("one more");
    stage.key("enter");
    assert!(stage.shows("Not sent: outbox is full (200 messages)") && stage.shows("› one more"));
}

#[test]
fn resume_resends_only_unacknowledged_entries() {
    let mut stage = Stage::talking(80, 24);
    stage.write("one");
    stage.key("enter");
    stage.answer("post", posted(20));
    stage.write("two");
    stage.key("enter");
    stage.lose_link();
    stage.effects.clear();
    stage.greet(vec![(sync(), ResumeMode::Delta)]);
    assert_eq!(posts(&stage), ["two"]);
}
