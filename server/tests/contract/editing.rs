//! Edits and deletions: only by the author, once for each cmid, and the same wherever the message
//! is read.

use futures_util::future::join_all;
use plenary_server::error::Answer;
use plenary_server::store::Page;
use plenary_shared::domain::{Code, Event, EventKind, User};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::protocol::{Message, Posted};

use crate::harness::{Harness, body, cmid, code, seq, texts};

/// Edits a message to this text.
async fn edit(
    harness: &Harness,
    here: InstanceId,
    user: &User,
    id: u64,
    target: Seq,
    text: &str,
) -> Answer<Posted> {
    let text = body(text);
    harness
        .store
        .change_message(here, user, cmid(id), target, Some(&text))
        .await
}

/// Reads every message.
async fn read(harness: &Harness, here: InstanceId, reader: &User) -> Vec<Message> {
    let page = Page::Before(None);
    let read = harness.store.messages(here, reader, page, 100).await;
    read.expect("they may read").messages
}

/// Reads this message in every way in which it can be read.
async fn shown(harness: &Harness, here: InstanceId, number: Seq) -> Vec<(String, bool, bool)> {
    let (store, root) = (&harness.store, &harness.root);
    let look = |message: &Message| {
        (
            message.body.to_string(),
            message.edited.is_some(),
            message.deleted.is_some(),
        )
    };
    let mut shown = vec![];
    let all = read(harness, here, root).await;
    let one = all
        .iter()
        .find(|one| one.seq == number)
        .expect("it is there");
    shown.push(look(one));
    for page in [
        Page::After(Seq::default()),
        Page::Before(Some(number.next())),
    ] {
        let page = store.messages(here, root, page, 100).await;
        let page = page.expect("root may read").messages;
        shown.push(look(page.iter().find(|one| one.seq == number).expect("it")));
    }
    let own = store
        .user_messages(here, root, one.user, Page::Before(None), 100)
        .await;
    let own = own.expect("root may read").messages;
    shown.push(look(own.iter().find(|one| one.seq == number).expect("it")));
    let of_log = |events: Vec<Event>| {
        let event = events.into_iter().find(|event| event.seq == number);
        match event.expect("it is there").kind {
            EventKind::Message {
                body,
                edited,
                deleted,
                ..
            } => (body.to_string(), edited.is_some(), deleted.is_some()),
            other => panic!("{other:?}"),
        }
    };
    for page in [Page::Before(None), Page::After(Seq::default())] {
        let log = store.events(here, root, page, 100).await;
        shown.push(of_log(log.expect("root may read").events));
    }
    let opened = store.open(here, root, None, 100).await;
    shown.push(of_log(opened.expect("root may read").events));
    shown
}

pub async fn edit_replaces_the_text(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    harness.join(here, &ada).await;
    harness.join(here, &grace).await;
    let first = harness.post(here, &ada, "frist").await.seq;
    let other = harness.post(here, &grace, "second").await.seq;
    for text in ["first", "the first 🦀\nof all"] {
        let id = harness.cmid();
        let edited = harness
            .store
            .change_message(here, &ada, id, first, Some(&body(text)))
            .await;
        let edited = edited.expect("it is hers");
        assert!(!edited.repeat);
        let log = harness.log(here).await;
        let event = log.last().expect("an event");
        assert_eq!((event.seq, event.timestamp), (edited.seq, edited.timestamp));
        assert_eq!(
            event.kind,
            EventKind::Edited {
                user: ada.id,
                cmid: id,
                target: first,
                body: body(text),
            }
        );
    }
    let now = ("the first 🦀\nof all".to_owned(), true, false);
    let as_it_was = ("second".to_owned(), false, false);
    for when in ["live", "archived", "ended"] {
        match when {
            "archived" => harness.archive(here).await,
            "ended" => harness.end(here).await,
            _ => {}
        }
        for one in shown(harness, here, first).await {
            assert_eq!(one, now, "{when}");
        }
        for one in shown(harness, here, other).await {
            assert_eq!(one, as_it_was, "{when}");
        }
        assert_eq!(texts(&harness.log(here).await)[&first], now.0, "{when}");
    }
}

pub async fn deleted_message_has_no_text(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    harness.join(here, &ada).await;
    let secret = harness.post(here, &ada, "the password is 1234").await.seq;
    let changed = edit(harness, here, &ada, 90, secret, "it is 12345");
    changed.await.expect("it is hers");
    let deleted = harness
        .store
        .change_message(here, &ada, cmid(91), secret, None)
        .await;
    let deleted = deleted.expect("it is hers");
    for when in ["live", "archived", "ended"] {
        match when {
            "archived" => harness.archive(here).await,
            "ended" => harness.end(here).await,
            _ => {}
        }
        for (text, _, is_deleted) in shown(harness, here, secret).await {
            assert_eq!((text.as_str(), is_deleted), ("", true), "{when}");
        }
        // The text in between is gone from the log too; the event is still there.
        let page = Page::Before(None);
        let log = harness.store.events(here, &harness.root, page, 100).await;
        let log = log.expect("root may read").events;
        assert!(
            !format!("{}", serde_json::json!(log)).contains("1234"),
            "{when}"
        );
        let event = log.iter().find(|event| event.seq == deleted.seq);
        let what = event.map(|event| &event.kind);
        assert!(matches!(what, Some(EventKind::Deleted { target, .. }) if *target == secret));
    }
}

pub async fn change_of_others_message_is_rejected(harness: &mut Harness) {
    let [ada, grace, alan] = [
        harness.member("ada").await,
        harness.member("grace").await,
        harness.member("alan").await,
    ];
    let here = harness.private(&[&ada, &grace]).await;
    let joined = harness.join(here, &ada).await.seq;
    harness.join(here, &grace).await;
    let own = harness.post(here, &ada, "mine").await.seq;
    let gone = harness.post(here, &ada, "gone").await.seq;
    let delete = harness
        .store
        .change_message(here, &ada, cmid(90), gone, None)
        .await;
    let deletion = delete.expect("it is hers").seq;
    let rows = [
        (&grace, own, Code::NotYours),
        (&ada, joined, Code::NoSuchMessage),
        (&ada, deletion, Code::NoSuchMessage),
        (&ada, seq(0), Code::NoSuchMessage),
        (&ada, seq(1), Code::NoSuchMessage),
        (&ada, seq(999), Code::NoSuchMessage),
        (&ada, gone, Code::MessageDeleted),
        // Neither an admin, nor a user who has not joined, nor a stranger may change it.
        (&harness.root, own, Code::NotParticipant),
        (&alan, own, Code::NotAllowed),
    ];
    let before = harness.log(here).await.len();
    for when in ["live", "archived"] {
        if when == "archived" {
            harness.archive(here).await;
        }
        for (at, (who, target, expected)) in (100..).zip(&rows) {
            let changed = edit(harness, here, who, at, *target, "no");
            assert_eq!(code(&changed.await), Some(*expected), "{when}: row {at}");
            let delete = harness
                .store
                .change_message(here, who, cmid(at), *target, None)
                .await;
            assert_eq!(code(&delete), Some(*expected), "{when}: row {at}");
        }
    }
    assert_eq!(harness.log(here).await.len(), before, "nothing was done");
    harness.leave(here, &ada).await;
    let changed = edit(harness, here, &ada, 200, own, "late");
    assert_eq!(code(&changed.await), Some(Code::NotParticipant));
    harness.end(here).await;
    let delete = harness
        .store
        .change_message(here, &ada, cmid(200), own, None)
        .await;
    assert_eq!(code(&delete), Some(Code::Ended));
}

pub async fn edit_with_same_cmid_is_applied_once(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    harness.join(here, &ada).await;
    let said = harness.store.post(here, &ada, cmid(1), &body("a")).await;
    let said = said.expect("she is in");
    let edited = edit(harness, here, &ada, 2, said.seq, "b");
    let edited = edited.await.expect("it is hers");
    let deleted = harness
        .store
        .change_message(here, &ada, cmid(3), said.seq, None)
        .await;
    let deleted = deleted.expect("it is hers");
    for when in ["at once", "archived", "after leaving", "ended"] {
        match when {
            "archived" => harness.archive(here).await,
            "after leaving" => drop(harness.leave(here, &ada).await),
            "ended" => harness.end(here).await,
            _ => {}
        }
        for store in [harness.store.clone(), harness.back_end.other().await] {
            for (id, first) in [(1, said), (2, edited), (3, deleted)] {
                // Whatever the repeated cmid is sent with.
                for again in [
                    store
                        .change_message(here, &ada, cmid(id), said.seq, Some(&body("c")))
                        .await,
                    store
                        .change_message(here, &ada, cmid(id), said.seq, None)
                        .await,
                    store.post(here, &ada, cmid(id), &body("d")).await,
                ] {
                    let again = again.expect(when);
                    assert!(again.repeat, "{when}");
                    let same = (again.seq, again.timestamp);
                    assert_eq!(same, (first.seq, first.timestamp), "{when}");
                }
            }
        }
    }
}

/// Below the live part of the log, and in a live state that was rebuilt.
pub async fn archived_message_can_be_changed(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    let joined = harness.join(here, &ada).await.seq;
    harness.join(here, &grace).await;
    let mut said = vec![];
    for n in 0..6 {
        said.push(harness.post(here, &ada, &format!("message {n}")).await.seq);
    }
    let delete = harness
        .store
        .change_message(here, &ada, cmid(90), said[5], None)
        .await;
    delete.expect("it is hers");
    harness.archive(here).await;
    harness.back_end.trim(here, seq(100));
    let try_all = async |harness: &Harness, first: usize, ids: u64| {
        let store = &harness.store;
        let changed = edit(harness, here, &ada, ids, said[first], "now");
        changed.await.expect("it is hers");
        let deleted = store.change_message(here, &ada, cmid(ids + 1), said[first + 1], None);
        deleted.await.expect("it is hers");
        for (who, target, expected) in [
            (&grace, said[first], Code::NotYours),
            (&ada, said[first + 1], Code::MessageDeleted),
            (&ada, said[5], Code::MessageDeleted),
            (&ada, joined, Code::NoSuchMessage),
        ] {
            let changed = edit(harness, here, who, ids + 2, target, "no");
            assert_eq!(code(&changed.await), Some(expected), "{target}");
        }
        harness.archive(here).await;
        for (text, edited, _) in shown(harness, here, said[first]).await {
            assert_eq!((text.as_str(), edited), ("now", true));
        }
        for (text, _, deleted) in shown(harness, here, said[first + 1]).await {
            assert_eq!((text.as_str(), deleted), ("", true));
        }
    };
    try_all(harness, 0, 10).await;
    if harness.back_end.forget(here) {
        harness.void(here);
        // The sweep rebuilds an instance that it finds missing twice.
        for _ in 0..2 {
            harness.store.sweep().await.expect("the store answers");
        }
    }
    try_all(harness, 2, 20).await;
    let again = edit(harness, here, &ada, 10, said[0], "x");
    assert!(again.await.expect("it was done").repeat);
}

pub async fn racing_edits_leave_one_last_text(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    harness.join(here, &ada).await;
    let said = harness.post(here, &ada, "0").await.seq;
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let bodies: Vec<_> = (0..40).map(|n| body(&n.to_string())).collect();
    let edits = (0..40_u64).map(|n| {
        let at = usize::try_from(n).expect("small");
        stores[at % 2].change_message(here, &ada, cmid(100 + n), said, Some(&bodies[at]))
    });
    for edited in join_all(edits).await {
        edited.expect("it is hers");
    }
    let deletions =
        (0..8_u64).map(|n| stores[0].change_message(here, &ada, cmid(200 + n), said, None));
    let deletions = join_all(deletions).await;
    let done = deletions.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(done, 1, "it is deleted once");
    for answer in &deletions {
        if answer.is_err() {
            assert_eq!(code(answer), Some(Code::MessageDeleted));
        }
    }
    harness.archive(here).await;
    let log = harness.log(here).await;
    assert_eq!(log.len(), 3 + 40 + 1);
}

pub async fn reply_names_a_message(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    let joined = harness.join(here, &ada).await.seq;
    harness.join(here, &grace).await;
    let asked = harness.post(here, &ada, "who has time?").await.seq;
    let answer = async |harness: &Harness, id: u64, to: Seq| {
        let text = body("me");
        harness
            .store
            .post_message(here, &grace, cmid(id), &text, Some(to))
            .await
    };
    for (id, to) in [(100, joined), (101, seq(77)), (102, seq(0))] {
        let refused = answer(harness, id, to).await;
        assert_eq!(code(&refused), Some(Code::NoSuchMessage), "{to}");
    }
    let live = answer(harness, 1, asked).await.expect("there is one");
    harness.archive(here).await;
    let archived = answer(harness, 2, asked).await.expect("there is one");
    harness.back_end.trim(here, archived.seq);
    let trimmed = answer(harness, 3, asked).await.expect("there is one");
    let refused = answer(harness, 103, joined).await;
    assert_eq!(code(&refused), Some(Code::NoSuchMessage));
    // A message that was deleted meanwhile can still be replied to.
    let delete = harness
        .store
        .change_message(here, &ada, cmid(90), asked, None)
        .await;
    delete.expect("it is hers");
    let deleted = answer(harness, 4, asked).await.expect("there was one");
    let again = answer(harness, 1, asked).await.expect("it was said");
    assert_eq!((again.seq, again.repeat), (live.seq, true));
    for when in ["live", "archived", "ended"] {
        match when {
            "archived" => harness.archive(here).await,
            "ended" => harness.end(here).await,
            _ => {}
        }
        let read = read(harness, here, &grace).await;
        for one in [live.seq, archived.seq, trimmed.seq, deleted.seq] {
            let message = read.iter().find(|message| message.seq == one);
            let to = message.and_then(|message| message.reply_to);
            assert_eq!(to, Some(asked), "{when}");
        }
        let log = harness.log(here).await;
        let answers = log.iter().filter(
            |event| matches!(event.kind, EventKind::Message { reply_to, .. } if reply_to == Some(asked)),
        );
        assert_eq!(answers.count(), 4, "{when}");
    }
}
