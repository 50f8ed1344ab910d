//! Replies, edits and deletions: on the screen, as requests, rejected, and after a fence.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, EventKind, Reject};
use plenary_shared::ids::Cmid;
use plenary_shared::protocol::{Fence, Push, Verb};
use plenary_shared::text::MessageBody;

use super::fixture::{Fixture, ME, generation, id, message, opened, posted, seq, sync, talk, user};
use crate::journal::{ComposeTarget, MessageRef};

/// Returns a live meeting in which Ada has sent a message as well.
fn live_meeting(columns: u16, rows: u16) -> Fixture {
    let mut fixture = Fixture::talking(columns, rows);
    fixture.hears(20, ME, "the hosts leave on Friday");
    fixture.hears(21, 9, "thanks");
    fixture
}

/// Returns the last request.
fn last_request(fixture: &mut Fixture) -> Verb {
    let (_, request) = fixture.asked().pop().expect("something was asked");
    request.verb
}

fn edited(number: u64, target: u64, body: &str) -> EventKind {
    EventKind::Edited {
        user: user(ME),
        cmid: Cmid(uuid::Uuid::from_u128(u128::from(number) + (2 << 64))),
        target: seq(target),
        body: MessageBody::parse(body).expect("a body"),
    }
}

fn written(fixture: &Fixture) -> &str {
    fixture.model.composer().map_or("", |one| one.editor.text())
}

/// Selects the message `above` rows up from the last one.
fn select(fixture: &mut Fixture, above: usize) {
    fixture.key("ctrl-s");
    for _ in 0..above {
        fixture.key("k");
    }
}

#[test]
fn reply_quotes_its_message() {
    let mut fixture = live_meeting(120, 36);
    fixture.asked();
    fixture.write("half ");
    select(&mut fixture, 2);
    fixture.key("r");
    assert!(fixture.shows("┃ Replying to linus: do we have the runbook"));
    fixture.write("written");
    fixture.key("enter");
    let Verb::Post(post) = last_request(&mut fixture) else {
        panic!("not a post")
    };
    assert_eq!(post.reply_to, Some(seq(18)));
    assert_eq!(post.body.as_str(), "half written");
    assert!(fixture.shows("┃ linus: do we have the runbook") && !fixture.shows("Replying"));
    let EventKind::Message { mut body, .. } = message(ME, 0, "half written") else {
        unreachable!("a message")
    };
    let own = |body: MessageBody| EventKind::Message {
        user: user(ME),
        cmid: post.cmid,
        body,
        reply_to: Some(seq(18)),
        edited: None,
        deleted: None,
    };
    fixture.event(22, own(body.clone()));
    assert_eq!(fixture.screen().matches("half written").count(), 1);
    body = MessageBody::parse("a second one").expect("a body");
    fixture.event(
        23,
        EventKind::Message {
            user: user(8),
            cmid: Cmid(uuid::Uuid::from_u128(77)),
            body,
            reply_to: Some(seq(2)),
            edited: None,
            deleted: None,
        },
    );
    assert!(fixture.shows("┃ (an earlier message)"));
}

#[test]
fn esc_cancels_a_reply_and_keeps_the_text() {
    let mut fixture = live_meeting(80, 24);
    fixture.write("/reply lin");
    fixture.key("enter");
    assert!(
        fixture.shows("Replying to linus: thanks"),
        "{}",
        fixture.screen()
    );
    fixture.write("you are welcome");
    fixture.key("esc");
    assert!(!fixture.shows("Replying") && fixture.shows("› you are welcome"));
    fixture.asked();
    fixture.key("enter");
    let Verb::Post(post) = last_request(&mut fixture) else {
        panic!("not a post")
    };
    assert_eq!(post.reply_to, None);
}

#[test]
fn commands_keep_the_reply_target() {
    let mut fixture = live_meeting(80, 24);
    fixture.write("/reply");
    fixture.key("enter");
    fixture.write("/dnd");
    fixture.key("enter");
    assert!(fixture.shows("Replying to linus: thanks"));
}

#[test]
fn edit_shows_at_once_until_its_event() {
    let mut fixture = live_meeting(120, 36);
    fixture.asked();
    fixture.write("a draft");
    select(&mut fixture, 1);
    fixture.key("e");
    assert!(fixture.shows("Editing your 14:52 message"));
    assert_eq!(written(&fixture), "the hosts leave on Friday");
    fixture.key("ctrl-u");
    fixture.write("/leave is a word elsewhere");
    fixture.key("enter");
    assert_eq!(written(&fixture), "a draft");
    let Verb::Edit(edit) = last_request(&mut fixture) else {
        panic!("not an edit")
    };
    assert_eq!((edit.target, edit.instance), (seq(20), sync()));
    assert!(fixture.shows("you  /leave is a word elsewhere") && fixture.shows("saving edit"));
    assert!(!fixture.shows("the hosts leave on Friday"));
    fixture.event(
        22,
        EventKind::Edited {
            user: user(ME),
            cmid: edit.cmid,
            target: seq(20),
            body: edit.body,
        },
    );
    assert!(fixture.shows("/leave is a word elsewhere (edited)") && !fixture.shows("saving edit"));
    fixture.durable(22);
    assert_eq!(fixture.model.outbox.entries().count(), 0);
}

#[test]
fn rejected_edit_shows_the_reason_and_keeps_the_text() {
    let mut fixture = live_meeting(120, 36);
    fixture.write("/edit");
    fixture.key("enter");
    fixture.write("!");
    fixture.key("enter");
    fixture.refuse("edit", Reject::new(Code::Invalid, "A field is wrong."));
    assert!(fixture.shows("edit not saved: A field is wrong."));
    assert!(fixture.shows("you  the hosts leave on Friday ") && fixture.shows("✗ not edited"));
    fixture.write("/recall");
    fixture.key("enter");
    assert_eq!(written(&fixture), "the hosts leave on Friday!");
    assert!(fixture.shows("Editing your"));
    fixture.key("esc");
    assert_eq!(written(&fixture), "");
    fixture.key("ctrl-y");
    assert_eq!(written(&fixture), "the hosts leave on Friday!");
}

#[test]
fn unchanged_and_empty_edits_are_not_sent() {
    let mut fixture = live_meeting(120, 36);
    fixture.asked();
    fixture.write("/edit");
    fixture.key("enter");
    fixture.key("enter");
    assert!(fixture.asked().is_empty() && !fixture.shows("Editing your"));
    fixture.write("/edit");
    fixture.key("enter");
    fixture.key("ctrl-u");
    fixture.key("enter");
    assert!(fixture.shows("Message is empty"));
    assert!(fixture.asked().is_empty() && fixture.shows("Editing your"));
}

#[test]
fn only_own_messages_can_be_edited() {
    let mut fixture = live_meeting(120, 36);
    fixture.key("ctrl-s");
    for key in ["e", "d"] {
        fixture.key(key);
        assert!(fixture.shows("You can only edit or delete"), "{key}");
        fixture.model.notice = None;
    }
}

#[test]
fn delete_asks_for_confirmation() {
    let mut fixture = live_meeting(120, 36);
    fixture.asked();
    select(&mut fixture, 1);
    fixture.key("d");
    let question = "Delete \"the hosts leave on Friday\"? y: delete · Esc: keep";
    assert!(fixture.shows(question), "{}", fixture.screen());
    fixture.key("esc");
    fixture.key("d");
    for key in ["d", "enter", "k", "j", "r", "space"] {
        fixture.key(key);
        assert!(
            fixture.shows(question) && fixture.asked().is_empty(),
            "{key}"
        );
    }
    fixture.key("y");
    let Verb::Delete(delete) = last_request(&mut fixture) else {
        panic!("not a delete")
    };
    assert_eq!(delete.target, seq(20));
    assert!(fixture.shows("(deleted)") && fixture.shows("deleting"));
    fixture.event(
        22,
        EventKind::Deleted {
            user: user(ME),
            cmid: delete.cmid,
            target: seq(20),
        },
    );
    assert!(fixture.shows("you  (deleted)") && !fixture.shows("deleting"));
}

#[test]
fn delete_command_asks_and_enter_does_not_confirm() {
    let mut fixture = live_meeting(120, 36);
    fixture.asked();
    fixture.write("/delete");
    fixture.key("enter");
    assert!(fixture.shows("Delete \"the hosts leave on Friday\"? y: delete"));
    fixture.key("enter");
    assert!(fixture.asked().is_empty());
    fixture.key("y");
    fixture.refuse("delete", Code::MessageDeleted.into());
    assert_eq!(
        fixture.model.outbox.entries().count(),
        0,
        "it is gone already"
    );
}

#[test]
fn edits_wait_while_offline() {
    let mut fixture = live_meeting(120, 36);
    fixture.lose_link();
    fixture.write("/edit");
    fixture.key("enter");
    fixture.write("!");
    fixture.key("enter");
    assert!(fixture.shows("the hosts leave on Friday!") && fixture.shows("waiting to be edited"));
    fixture.asked();
    fixture.greet(vec![(sync(), plenary_shared::protocol::ResumeMode::Delta)]);
    assert!(fixture.asked().iter().any(|(name, _)| name == "edit"));
}

#[test]
fn target_is_found_by_id_after_a_fence() {
    let mut fixture = live_meeting(120, 36);
    fixture.asked();
    let EventKind::Message { cmid, .. } = message(ME, 20, "x") else {
        unreachable!("a message")
    };
    fixture.push(Push::Fence(Fence {
        instance: sync(),
        generation: generation(2),
        base: seq(19),
    }));
    let mut again = opened(talk(), vec![(ME, "13:52")]);
    again.generation = generation(2);
    let mut events = talk();
    events.push(super::fixture::event(
        20,
        fixture.now,
        message(9, 21, "thanks"),
    ));
    events.push(super::fixture::event(
        21,
        fixture.now,
        message(ME, 20, "the hosts leave on Friday"),
    ));
    for event in &mut events {
        event.generation = generation(2);
    }
    again.seq = seq(21);
    again.events = events;
    fixture.answer("open", again);
    let old = MessageRef {
        seq: seq(20),
        cmid: Some(cmid),
    };
    let log = fixture.model.room().and_then(|room| room.log.as_ref());
    assert_eq!(fixture.model.outbox.seq_of(old, log), Some(seq(21)));
    let lost = MessageRef {
        seq: seq(20),
        cmid: Some(Cmid(uuid::Uuid::from_u128(5))),
    };
    assert_eq!(fixture.model.outbox.seq_of(lost, log), None);
}

#[test]
fn target_is_stored_on_disk() {
    let line = crate::journal::JournalEntry {
        instance: id(1, 4),
        cmid: Cmid(uuid::Uuid::from_u128(5)),
        body: MessageBody::deleted(),
        target: ComposeTarget::Delete(MessageRef {
            seq: seq(7),
            cmid: None,
        }),
        since: super::fixture::time(super::fixture::NOW),
        failed: None,
    };
    let text = serde_json::to_string(&line).expect("JSON");
    assert!(text.contains(r#""target":{"delete":{"seq":7}}"#), "{text}");
    let read: crate::journal::JournalEntry = serde_json::from_str(&text).expect("a line");
    assert_eq!(read, line);
}

/// Returns a screen with a reply, an edit and a pending reply.
fn with_replies(columns: u16, rows: u16) -> Fixture {
    let mut fixture = live_meeting(columns, rows);
    fixture.event(22, edited(22, 20, "the hosts leave on Friday, at noon"));
    fixture.write("/reply linus");
    fixture.key("enter");
    fixture.write("yes: https://wiki/oncall");
    fixture.key("enter");
    fixture.answer("post", posted(23));
    fixture.write("/reply grace");
    fixture.key("enter");
    fixture.write("not yet");
    fixture
}

#[test]
fn answering_120x36() {
    assert_snapshot!(with_replies(120, 36).screen());
}

#[test]
fn answering_44x20() {
    assert_snapshot!(with_replies(44, 20).screen());
}
