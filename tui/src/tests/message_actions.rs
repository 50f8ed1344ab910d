//! Replies, edits and deletions: on the screen, as requests, rejected, and after a fence.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, Reject, What};
use plenary_shared::ids::Cmid;
use plenary_shared::protocol::{Fence, Push, Verb};
use plenary_shared::text::MessageBody;

use super::stage::{ME, Stage, generation, id, message, opened, posted, seq, sync, talk, user};
use crate::journal::{ComposeTarget, MessageRef};

/// Returns a live meeting in which Ada has sent a message as well.
fn live_meeting(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::talking(columns, rows);
    stage.hears(20, ME, "the hosts leave on Friday");
    stage.hears(21, 9, "thanks");
    stage
}

/// Returns the last request.
fn last_request(stage: &mut Stage) -> Verb {
    let (_, request) = stage.asked().pop().expect("something was asked");
    request.verb
}

fn edited(number: u64, target: u64, body: &str) -> What {
    What::Edited {
        user: user(ME),
        cmid: Cmid(uuid::Uuid::from_u128(u128::from(number) + (2 << 64))),
        target: seq(target),
        body: MessageBody::parse(body).expect("a body"),
    }
}

fn written(stage: &Stage) -> &str {
    stage.model.composer().map_or("", |one| one.editor.text())
}

/// Selects the message `above` rows up from the last one.
fn select(stage: &mut Stage, above: usize) {
    stage.key("ctrl-s");
    for _ in 0..above {
        stage.key("k");
    }
}

#[test]
fn reply_quotes_its_message() {
    let mut stage = live_meeting(120, 36);
    stage.asked();
    stage.write("half ");
    select(&mut stage, 2);
    stage.key("r");
    assert!(stage.shows("┃ Replying to linus: do we have the runbook"));
    stage.write("written");
    stage.key("enter");
    let Verb::Post(post) = last_request(&mut stage) else {
        panic!("not a post")
    };
    assert_eq!(post.reply_to, Some(seq(18)));
    assert_eq!(post.body.as_str(), "half written");
    assert!(stage.shows("┃ linus: do we have the runbook") && !stage.shows("Replying"));
    let What::Message { mut body, .. } = message(ME, 0, "half written") else {
        unreachable!("a message")
    };
    let own = |body: MessageBody| What::Message {
        user: user(ME),
        cmid: post.cmid,
        body,
        reply_to: Some(seq(18)),
        edited: None,
        deleted: None,
    };
    stage.event(22, own(body.clone()));
    assert_eq!(stage.screen().matches("half written").count(), 1);
    body = MessageBody::parse("a second one").expect("a body");
    stage.event(
        23,
        What::Message {
            user: user(8),
            cmid: Cmid(uuid::Uuid::from_u128(77)),
            body,
            reply_to: Some(seq(2)),
            edited: None,
            deleted: None,
        },
    );
    assert!(stage.shows("┃ (an earlier message)"));
}

#[test]
fn esc_cancels_a_reply_and_keeps_the_text() {
    let mut stage = live_meeting(80, 24);
    stage.write("/reply lin");
    stage.key("enter");
    assert!(
        stage.shows("Replying to linus: thanks"),
        "{}",
        stage.screen()
    );
    stage.write("you are welcome");
    stage.key("esc");
    assert!(!stage.shows("Replying") && stage.shows("› you are welcome"));
    stage.asked();
    stage.key("enter");
    let Verb::Post(post) = last_request(&mut stage) else {
        panic!("not a post")
    };
    assert_eq!(post.reply_to, None);
}

#[test]
fn commands_keep_the_reply_target() {
    let mut stage = live_meeting(80, 24);
    stage.write("/reply");
    stage.key("enter");
    stage.write("/dnd");
    stage.key("enter");
    assert!(stage.shows("Replying to linus: thanks"));
}

#[test]
fn edit_shows_at_once_until_its_event() {
    let mut stage = live_meeting(120, 36);
    stage.asked();
    stage.write("a draft");
    select(&mut stage, 1);
    stage.key("e");
    assert!(stage.shows("Editing your 14:52 message"));
    assert_eq!(written(&stage), "the hosts leave on Friday");
    stage.key("ctrl-u");
    stage.write("/leave is a word elsewhere");
    stage.key("enter");
    assert_eq!(written(&stage), "a draft");
    let Verb::Edit(edit) = last_request(&mut stage) else {
        panic!("not an edit")
    };
    assert_eq!((edit.target, edit.instance), (seq(20), sync()));
    assert!(stage.shows("you  /leave is a word elsewhere") && stage.shows("saving edit"));
    assert!(!stage.shows("the hosts leave on Friday"));
    stage.event(
        22,
        What::Edited {
            user: user(ME),
            cmid: edit.cmid,
            target: seq(20),
            body: edit.body,
        },
    );
    assert!(stage.shows("/leave is a word elsewhere (edited)") && !stage.shows("saving edit"));
    stage.durable(22);
    assert_eq!(stage.model.outbox.entries().count(), 0);
}

#[test]
fn rejected_edit_shows_the_reason_and_keeps_the_text() {
    let mut stage = live_meeting(120, 36);
    stage.write("/edit");
    stage.key("enter");
    stage.write("!");
    stage.key("enter");
    stage.refuse("edit", Reject::new(Code::Invalid, "A field is wrong."));
    assert!(stage.shows("edit not saved: A field is wrong."));
    assert!(stage.shows("you  the hosts leave on Friday ") && stage.shows("✗ not edited"));
    stage.write("/recall");
    stage.key("enter");
    assert_eq!(written(&stage), "the hosts leave on Friday!");
    assert!(stage.shows("Editing your"));
    stage.key("esc");
    assert_eq!(written(&stage), "");
    stage.key("ctrl-y");
    assert_eq!(written(&stage), "the hosts leave on Friday!");
}

#[test]
fn unchanged_and_empty_edits_are_not_sent() {
    let mut stage = live_meeting(120, 36);
    stage.asked();
    stage.write("/edit");
    stage.key("enter");
    stage.key("enter");
    assert!(stage.asked().is_empty() && !stage.shows("Editing your"));
    stage.write("/edit");
    stage.key("enter");
    stage.key("ctrl-u");
    stage.key("enter");
    assert!(stage.shows("Message is empty"));
    assert!(stage.asked().is_empty() && stage.shows("Editing your"));
}

#[test]
fn only_own_messages_can_be_edited() {
    let mut stage = live_meeting(120, 36);
    stage.key("ctrl-s");
    for key in ["e", "d"] {
        stage.key(key);
        assert!(stage.shows("Somebody else said this"), "{key}");
        stage.model.notice = None;
    }
}

#[test]
fn delete_asks_for_confirmation() {
    let mut stage = live_meeting(120, 36);
    stage.asked();
    select(&mut stage, 1);
    stage.key("d");
    assert!(stage.shows("Press d again to delete this message, Esc to cancel"));
    stage.key("esc");
    stage.key("d");
    stage.key("k");
    stage.key("j");
    stage.key("d");
    assert!(stage.asked().is_empty());
    stage.key("d");
    let Verb::Delete(delete) = last_request(&mut stage) else {
        panic!("not a delete")
    };
    assert_eq!(delete.target, seq(20));
    assert!(stage.shows("(deleted)") && stage.shows("deleting"));
    stage.event(
        22,
        What::Deleted {
            user: user(ME),
            cmid: delete.cmid,
            target: seq(20),
        },
    );
    assert!(stage.shows("you  (deleted)") && !stage.shows("deleting"));
}

#[test]
fn delete_command_needs_a_second_enter() {
    let mut stage = live_meeting(120, 36);
    stage.asked();
    stage.write("/delete");
    stage.key("enter");
    assert!(stage.shows("Press Enter again to delete \"the hosts leave on Friday\""));
    assert!(stage.asked().is_empty());
    stage.key("enter");
    stage.refuse("delete", Code::MessageDeleted.into());
    assert_eq!(
        stage.model.outbox.entries().count(),
        0,
        "it is gone already"
    );
}

#[test]
fn edits_wait_while_offline() {
    let mut stage = live_meeting(120, 36);
    stage.lose_link();
    stage.write("/edit");
    stage.key("enter");
    stage.write("!");
    stage.key("enter");
    assert!(stage.shows("the hosts leave on Friday!") && stage.shows("waiting to be edited"));
    stage.asked();
    stage.greet(vec![(sync(), plenary_shared::protocol::ResumeMode::Delta)]);
    assert!(stage.asked().iter().any(|(name, _)| name == "edit"));
}

#[test]
fn target_is_found_by_id_after_a_fence() {
    let mut stage = live_meeting(120, 36);
    stage.asked();
    let What::Message { cmid, .. } = message(ME, 20, "x") else {
        unreachable!("a message")
    };
    stage.push(Push::Fence(Fence {
        instance: sync(),
        generation: generation(2),
        base: seq(19),
    }));
    let mut again = opened(talk(), vec![(ME, "13:52")]);
    again.generation = generation(2);
    let mut events = talk();
    events.push(super::stage::event(20, stage.now, message(9, 21, "thanks")));
    events.push(super::stage::event(
        21,
        stage.now,
        message(ME, 20, "the hosts leave on Friday"),
    ));
    for event in &mut events {
        event.generation = generation(2);
    }
    again.seq = seq(21);
    again.events = events;
    stage.answer("open", again);
    let old = MessageRef {
        seq: seq(20),
        cmid: Some(cmid),
    };
    let log = stage.model.room().and_then(|room| room.log.as_ref());
    assert_eq!(stage.model.outbox.seq_of(old, log), Some(seq(21)));
    let lost = MessageRef {
        seq: seq(20),
        cmid: Some(Cmid(uuid::Uuid::from_u128(5))),
    };
    assert_eq!(stage.model.outbox.seq_of(lost, log), None);
}

#[test]
fn target_is_stored_on_disk() {
    let line = crate::journal::JournalEntry {
        instance: id(1, 4),
        cmid: Cmid(uuid::Uuid::from_u128(5)),
        body: MessageBody::gone(),
        target: ComposeTarget::Delete(MessageRef {
            seq: seq(7),
            cmid: None,
        }),
        since: super::stage::time(super::stage::NOW),
        failed: None,
    };
    let text = serde_json::to_string(&line).expect("JSON");
    assert!(text.contains(r#""target":{"delete":{"seq":7}}"#), "{text}");
    let read: crate::journal::JournalEntry = serde_json::from_str(&text).expect("a line");
    assert_eq!(read, line);
}

/// Returns a screen with a reply, an edit and a pending reply.
fn with_replies(columns: u16, rows: u16) -> Stage {
    let mut stage = live_meeting(columns, rows);
    stage.event(22, edited(22, 20, "the hosts leave on Friday, at noon"));
    stage.write("/reply linus");
    stage.key("enter");
    stage.write("yes: https://wiki/oncall");
    stage.key("enter");
    stage.answer("post", posted(23));
    stage.write("/reply grace");
    stage.key("enter");
    stage.write("not yet");
    stage
}

#[test]
fn answering_120x36() {
    assert_snapshot!(with_replies(120, 36).screen());
}

#[test]
fn answering_44x20() {
    assert_snapshot!(with_replies(44, 20).screen());
}
