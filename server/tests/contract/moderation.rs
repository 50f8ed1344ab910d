//! Moderation of a running instance: atomic with its event, visible to everybody, and kept when the
//! live state is lost.

use futures_util::future::join_all;
use plenary_server::error::Answer;
use plenary_server::store::moderation::{ModerationRequest, NewEnd};
use plenary_server::store::{EndStep, Page, Stepped};
use plenary_shared::domain::{
    Code, EndChange, Event, EventKind, InstanceState, ModerationAction, Reason, Restrictions,
    Subject, User,
};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{OwnRestrictions, Posted};
use plenary_shared::time::Timestamp;
use plenary_testkit::until_async;

use crate::harness::{Harness, SHORT_MS, body, code, connection, leaves, now};

const MINUTE_MS: i64 = 60_000;

async fn moderate(
    harness: &mut Harness,
    here: InstanceId,
    action: ModerationAction<Subject, NewEnd>,
) -> Answer<Posted> {
    let request = ModerationRequest {
        cmid: harness.cmid(),
        action,
        reason: Some("because".to_owned()),
    };
    harness.store.moderate(here, &harness.root, &request).await
}

async fn done(
    harness: &mut Harness,
    here: InstanceId,
    action: ModerationAction<Subject, NewEnd>,
) -> Posted {
    moderate(harness, here, action).await.expect("it is done")
}

fn whom(user: &User) -> Subject {
    Subject {
        id: user.id,
        name: user.name.clone(),
    }
}

fn actions(log: &[Event]) -> Vec<ModerationAction> {
    log.iter()
        .filter_map(|event| match &event.kind {
            EventKind::Moderated(done) => Some(done.action.clone()),
            _ => None,
        })
        .collect()
}

async fn end_as_read(harness: &Harness, here: InstanceId) -> Timestamp {
    let opened = harness.store.open(here, &harness.root, None, 1).await;
    opened.expect("an admin may read").instance.todatetime
}

async fn end_as_listed(harness: &Harness, here: InstanceId) -> Timestamp {
    let listed = harness.store.meetings(None, 100).await.expect("a list");
    let mut instances = listed.iter().flat_map(|one| &one.instances);
    let found = instances.find(|one| one.id == here);
    found.expect("it is listed").todatetime
}

pub async fn extended_end_is_the_same_for_everybody(harness: &mut Harness) {
    let here = harness.public().await;
    let before = end_as_read(harness, here).await;
    let request = ModerationRequest {
        cmid: harness.cmid(),
        action: ModerationAction::Extend(NewEnd::By(30 * MINUTE_MS)),
        reason: None,
    };
    let first = harness.store.moderate(here, &harness.root, &request).await;
    let first = first.expect("it is done");
    let again = harness.store.moderate(here, &harness.root, &request).await;
    let again = again.expect("it was done");
    assert_eq!(
        (first.seq, again.seq, again.repeat),
        (again.seq, first.seq, true)
    );
    let end = before.plus_ms(30 * MINUTE_MS);
    assert_eq!(end_as_read(harness, here).await, end);
    assert_eq!(end_as_listed(harness, here).await, end);
    let log = harness.log(here).await;
    let expected = ModerationAction::Extend(EndChange {
        todatetime: end,
        before,
    });
    assert_eq!(actions(&log), [expected]);

    for (action, no) in [
        (ModerationAction::Extend(NewEnd::At(end)), Code::Invalid),
        (
            ModerationAction::Extend(NewEnd::At(end.plus_ms(-1))),
            Code::Invalid,
        ),
        (
            ModerationAction::Extend(NewEnd::By(31 * 24 * 60 * MINUTE_MS)),
            Code::Invalid,
        ),
    ] {
        assert_eq!(code(&moderate(harness, here, action).await), Some(no));
    }
    done(
        harness,
        here,
        ModerationAction::Extend(NewEnd::At(end.plus_ms(1))),
    )
    .await;
    // Each of many concurrent actions counts.
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let requests: Vec<ModerationRequest> = (0..10)
        .map(|_| ModerationRequest {
            cmid: harness.cmid(),
            action: ModerationAction::Extend(NewEnd::By(MINUTE_MS)),
            reason: None,
        })
        .collect();
    let root = harness.root.clone();
    let all = requests.iter().enumerate();
    let all = join_all(all.map(|(n, request)| stores[n % 2].moderate(here, &root, request))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    let end = end.plus_ms(10 * MINUTE_MS + 1);
    assert_eq!(end_as_read(harness, here).await, end);
    harness.archive(here).await;
    assert_eq!(end_as_listed(harness, here).await, end);
    harness.end(here).await;
    let late = moderate(
        harness,
        here,
        ModerationAction::Extend(NewEnd::By(MINUTE_MS)),
    )
    .await;
    assert_eq!(code(&late), Some(Code::Ended));
}

pub async fn extended_instance_continues_after_first_end(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let meeting = harness.meeting("Short", None).await;
    let here = harness.active(meeting, SHORT_MS).await;
    harness.join(here, &ada).await;
    let first = end_as_read(harness, here).await;
    done(
        harness,
        here,
        ModerationAction::Extend(NewEnd::By(SHORT_MS)),
    )
    .await;
    let end = first.plus_ms(SHORT_MS);
    until_async("the first end to pass", async || {
        (now() > first).then_some(())
    })
    .await;
    for step in [EndStep::Marked, EndStep::Closed] {
        // A server that still has the first end time finds nothing to do.
        let stepped = harness.store.end_step(here, Reason::Scheduled, step, first);
        let _ = stepped.await.expect("the store answers");
    }
    if now() < end {
        harness.post(here, &ada, "still here").await;
    }
    until_async("the end to pass", async || (now() > end).then_some(())).await;
    for step in EndStep::ALL {
        harness.step(here, Reason::Scheduled, *step).await;
    }
    let log = harness.log(here).await;
    let last = log.last().expect("a closed log");
    let reason = Reason::Scheduled;
    assert_eq!(
        (&last.kind, last.timestamp),
        (&EventKind::Closed { reason }, end)
    );
    assert_eq!(end_as_listed(harness, here).await, end);
}

pub async fn lock_keeps_participants(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    let held = connection("here", 1);
    let joined = harness.store.join(here, &ada, Some(&held)).await;
    joined.expect("it is open");
    done(harness, here, ModerationAction::Lock).await;
    assert_eq!(
        code(&moderate(harness, here, ModerationAction::Lock).await),
        Some(Code::AlreadySo)
    );
    let store = harness.store.clone();
    assert_eq!(
        code(&store.join(here, &grace, None).await),
        Some(Code::Locked)
    );
    harness.post(here, &ada, "still here").await;
    // Lost and back within the grace period: the stay continues.
    store.detach(here, &held, 0).await.expect("it is noted");
    let back = connection("here", 2);
    store.bind(here, &ada, &back).await.expect("she is in");
    store.reap(here, 0).await.expect("it is done");
    harness.post(here, &ada, "and still").await;
    harness.leave(here, &ada).await;
    assert_eq!(
        code(&store.join(here, &ada, None).await),
        Some(Code::Locked)
    );
    done(harness, here, ModerationAction::Unlock).await;
    assert_eq!(
        code(&moderate(harness, here, ModerationAction::Unlock).await),
        Some(Code::AlreadySo)
    );
    harness.join(here, &ada).await;
    harness.join(here, &grace).await;
}

/// The answers to everything a participant can write.
async fn spoken(
    harness: &mut Harness,
    here: InstanceId,
    user: &User,
    own: &Posted,
) -> [Option<Code>; 4] {
    let (post, edit, delete) = (harness.cmid(), harness.cmid(), harness.cmid());
    let store = &harness.store;
    let changed = body("changed");
    let edited = store.change_message(here, user, edit, own.seq, Some(&changed));
    [
        code(&edited.await),
        code(&store.post(here, user, post, &body("said")).await),
        code(&store.typing(here, user).await),
        code(
            &store
                .change_message(here, user, delete, own.seq, None)
                .await,
        ),
    ]
}

pub async fn post_in_read_only_meeting_is_rejected(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let root = harness.root.clone();
    let here = harness.public().await;
    for user in [&ada, &root] {
        harness.join(here, user).await;
    }
    let cmid = harness.cmid();
    let said = harness.store.post(here, &ada, cmid, &body("first")).await;
    let said = said.expect("she is in");
    let own = harness.post(here, &root, "mine").await;
    done(harness, here, ModerationAction::ReadOnly).await;
    // Admins cannot write either; they announce.
    for (user, message) in [(&ada, &said), (&root, &own)] {
        let told = spoken(harness, here, user, message).await;
        assert_eq!(told, [Some(Code::ReadOnly); 4]);
    }
    done(
        harness,
        here,
        ModerationAction::Announce {
            body: body("please\nlisten"),
        },
    )
    .await;
    let again = harness.store.post(here, &ada, cmid, &body("first")).await;
    assert!(again.expect("it was said before").repeat);
    done(harness, here, ModerationAction::Writable).await;
    assert_eq!(spoken(harness, here, &ada, &said).await, [None; 4]);
}

pub async fn muted_user_cannot_write_until_unmuted(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    for user in [&ada, &grace] {
        harness.join(here, user).await;
    }
    let said = harness.post(here, &ada, "first").await;
    done(harness, here, ModerationAction::Mute(whom(&ada))).await;
    let again = moderate(harness, here, ModerationAction::Mute(whom(&ada))).await;
    assert_eq!(code(&again), Some(Code::AlreadySo));
    assert_eq!(
        spoken(harness, here, &ada, &said).await,
        [Some(Code::Muted); 4]
    );
    harness.post(here, &grace, "not me").await;
    // Leaving and joining again changes nothing.
    harness.leave(here, &ada).await;
    harness.join(here, &ada).await;
    assert_eq!(
        spoken(harness, here, &ada, &said).await,
        [Some(Code::Muted); 4]
    );
    done(harness, here, ModerationAction::Unmute(whom(&ada))).await;
    assert_eq!(spoken(harness, here, &ada, &said).await, [None; 4]);
}

pub async fn removed_user_is_out_everywhere(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    let store = harness.store.clone();
    let (first, second) = (connection("here", 1), connection("there", 2));
    let joined = store.join(here, &ada, Some(&first)).await;
    joined.expect("it is open");
    store.bind(here, &ada, &second).await.expect("she is in");
    let out = done(harness, here, ModerationAction::Remove(whom(&ada))).await;
    assert_eq!(
        leaves(&harness.log(here).await),
        [(ada.id, Reason::Removed, out.timestamp)]
    );
    let again = moderate(harness, here, ModerationAction::Remove(whom(&ada))).await;
    assert_eq!(code(&again), Some(Code::NotParticipant));
    // An old connection does not make her a participant.
    for held in [&first, &second] {
        store.bind(here, &ada, held).await.expect("she may read");
    }
    let post = store.post(here, &ada, harness.cmid(), &body("but")).await;
    assert_eq!(code(&post), Some(Code::NotParticipant));
    assert_eq!(store.people(here, &ada).await.expect("she may read"), []);
    // She was not banned. The connections lost now do not belong to the new stay.
    harness.join(here, &ada).await;
    for held in [&first, &second] {
        store.detach(here, held, 0).await.expect("it is noted");
    }
    store.reap(here, 0).await.expect("it is done");
    harness.post(here, &ada, "here again").await;

    done(harness, here, ModerationAction::Ban(whom(&ada))).await;
    done(harness, here, ModerationAction::Ban(whom(&grace))).await;
    assert_eq!(leaves(&harness.log(here).await).len(), 2);
    for user in [&ada, &grace] {
        let post = store.post(here, user, harness.cmid(), &body("but")).await;
        let page = store.events(here, user, Page::Before(None), 10).await;
        let told = [
            code(&store.join(here, user, None).await),
            code(&store.join(here, user, Some(&first)).await),
            code(&store.bind(here, user, &second).await),
            code(&store.open(here, user, Some(&first), 10).await),
            code(&post),
            code(&page),
            code(&store.people(here, user).await),
        ];
        let expected = [
            Code::Banned,
            Code::Banned,
            Code::NotAllowed,
            Code::NotAllowed,
            Code::NotParticipant,
            Code::NotAllowed,
            Code::NotAllowed,
        ];
        assert_eq!(told, expected.map(Some), "{}", user.name);
    }
    let again = moderate(harness, here, ModerationAction::Ban(whom(&ada))).await;
    assert_eq!(code(&again), Some(Code::AlreadySo));
    done(harness, here, ModerationAction::Unban(whom(&ada))).await;
    harness.join(here, &ada).await;
}

pub async fn restrictions_survive_loss_of_live_state(harness: &mut Harness) {
    let [ada, grace, mallory] = [
        harness.member("ada").await,
        harness.member("grace").await,
        harness.member("mallory").await,
    ];
    let here = harness.public().await;
    for user in [&ada, &grace, &mallory] {
        harness.join(here, user).await;
    }
    let said = harness.post(here, &grace, "first").await;
    for action in [
        ModerationAction::Lock,
        ModerationAction::Unlock,
        ModerationAction::ReadOnly,
        ModerationAction::Writable,
        ModerationAction::Mute(whom(&ada)),
        ModerationAction::Unmute(whom(&ada)),
        ModerationAction::Lock,
        ModerationAction::Mute(whom(&grace)),
        ModerationAction::Ban(whom(&mallory)),
        ModerationAction::Extend(NewEnd::By(MINUTE_MS)),
    ] {
        done(harness, here, action).await;
    }
    let end = end_as_read(harness, here).await;
    harness.archive(here).await;
    if harness.back_end.forget(here) {
        harness.void(here);
        for _ in 0..2 {
            harness.store.sweep().await.expect("the store answers");
        }
    }
    assert_eq!(end_as_read(harness, here).await, end);
    let store = harness.store.clone();
    assert_eq!(
        spoken(harness, here, &grace, &said).await,
        [Some(Code::Muted); 4]
    );
    harness.post(here, &ada, "not muted").await;
    assert_eq!(
        code(&store.join(here, &mallory, None).await),
        Some(Code::Banned)
    );
    harness.leave(here, &ada).await;
    assert_eq!(
        code(&store.join(here, &ada, None).await),
        Some(Code::Locked)
    );
    done(harness, here, ModerationAction::ReadOnly).await;
    assert_eq!(
        spoken(harness, here, &grace, &said).await,
        [Some(Code::ReadOnly); 4]
    );
}

pub async fn admin_ends_it_at_once(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    harness.join(here, &ada).await;
    let ended = done(harness, here, ModerationAction::End).await;
    let store = harness.store.clone();
    let post = store.post(here, &ada, harness.cmid(), &body("late")).await;
    assert_eq!(code(&post), Some(Code::Ended));
    assert_eq!(
        code(&store.join(here, &harness.root, None).await),
        Some(Code::Ended)
    );
    for action in [
        ModerationAction::End,
        ModerationAction::Extend(NewEnd::By(MINUTE_MS)),
        ModerationAction::Lock,
    ] {
        assert_eq!(
            code(&moderate(harness, here, action).await),
            Some(Code::Ended)
        );
    }
    // The schedule shows that it is ending, whatever its end time.
    let agenda = store.agenda(now(), 0).await.expect("the store answers");
    assert_eq!(agenda.ending, [here]);
    for step in EndStep::ALL {
        harness.step(here, Reason::Scheduled, *step).await;
    }
    let log = harness.log(here).await;
    let last = log.last().expect("a closed log");
    let reason = Reason::Ended;
    assert_eq!(
        (&last.kind, last.timestamp),
        (&EventKind::Closed { reason }, ended.timestamp)
    );
    assert_eq!(leaves(&log), [(ada.id, reason, ended.timestamp)]);
    let listed = store.meetings(None, 100).await.expect("a list");
    let listed = listed.iter().flat_map(|one| &one.instances).next();
    let listed = listed.expect("one");
    assert_eq!(listed.state, InstanceState::Ended);
    assert_eq!(listed.reason.as_deref(), Some("ended"));
}

pub async fn early_end_completes_after_live_state_was_lost(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    harness.join(here, &ada).await;
    let ended = done(harness, here, ModerationAction::End).await;
    harness.archive(here).await;
    if harness.back_end.forget(here) {
        harness.void(here);
        for _ in 0..2 {
            harness.store.sweep().await.expect("the store answers");
        }
    }
    let late = harness.cmid();
    let post = harness.store.post(here, &ada, late, &body("late")).await;
    assert_eq!(code(&post), Some(Code::Ended));
    for step in EndStep::ALL {
        harness.step(here, Reason::Scheduled, *step).await;
    }
    let log = harness.log(here).await;
    assert_eq!(leaves(&log), [(ada.id, Reason::Ended, ended.timestamp)]);
}

pub async fn extend_end_and_clock_race_to_one_outcome(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let meeting = harness.meeting("Short", None).await;
    let here = harness.active(meeting, SHORT_MS).await;
    harness.join(here, &ada).await;
    let first = end_as_read(harness, here).await;
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let root = harness.root.clone();
    until_async("its end to be near", async || {
        (now() > first.plus_ms(-20)).then_some(())
    })
    .await;
    let request = |n: usize, cmid| ModerationRequest {
        cmid,
        action: if n.is_multiple_of(8) {
            ModerationAction::End
        } else {
            ModerationAction::Extend(NewEnd::By(1))
        },
        reason: None,
    };
    let requests: Vec<ModerationRequest> = (1..40).map(|n| request(n, harness.cmid())).collect();
    let moderation = join_all(
        requests
            .iter()
            .enumerate()
            .map(async |(n, request)| stores[n % 2].moderate(here, &root, request).await),
    );
    let ending = join_all(stores.iter().map(async |store| {
        // From the first step again: the log may revert a mark set by the clock.
        until_async("the end", async || {
            for step in EndStep::ALL {
                let stepped = store.end_step(here, Reason::Scheduled, *step, now()).await;
                if stepped.expect("the store answers") != Stepped::Done {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }));
    let (steered, _) = tokio::join!(moderation, ending);
    let log = harness.log(here).await;
    let accepted = steered.iter().filter(|one| one.is_ok()).count();
    assert_eq!(actions(&log).len(), accepted);
    let last = log.last().expect("a closed log");
    let ended = actions(&log).contains(&ModerationAction::End);
    let (reason, listed) = if ended {
        (Reason::Ended, "ended")
    } else {
        (Reason::Scheduled, "scheduled")
    };
    assert_eq!(last.kind, EventKind::Closed { reason });
    let end = end_as_listed(harness, here).await;
    let extended = actions(&log)
        .into_iter()
        .rev()
        .find_map(|action| match action {
            ModerationAction::Extend(EndChange { todatetime, .. }) => Some(todatetime),
            _ => None,
        });
    assert_eq!(end, extended.unwrap_or(first));
    assert!(ended || last.timestamp == end);
    let all = harness.store.meetings(None, 100).await.expect("a list");
    let found = all.iter().flat_map(|one| &one.instances).next();
    assert_eq!(found.and_then(|one| one.reason.as_deref()), Some(listed));
}

pub async fn restrictions_can_be_read(harness: &mut Harness) {
    let (ada, bob) = (harness.member("ada").await, harness.member("bob").await);
    let here = harness.public().await;
    let restrictions = harness
        .store
        .restrictions(here)
        .await
        .expect("it can be asked");
    assert_eq!(restrictions, Restrictions::default());
    for user in [&ada, &bob] {
        harness.join(here, user).await;
    }
    for action in [
        ModerationAction::Lock,
        ModerationAction::ReadOnly,
        ModerationAction::Mute(whom(&ada)),
        ModerationAction::Ban(whom(&bob)),
    ] {
        done(harness, here, action).await;
    }
    let other = harness.back_end.other().await;
    let restrictions = other.restrictions(here).await.expect("it can be asked");
    assert!(restrictions.locked && restrictions.read_only);
    assert!(restrictions.muted.iter().eq([&ada.id]) && restrictions.banned.iter().eq([&bob.id]));
    for action in [
        ModerationAction::Unlock,
        ModerationAction::Writable,
        ModerationAction::Unmute(whom(&ada)),
        ModerationAction::Unban(whom(&bob)),
    ] {
        done(harness, here, action).await;
    }
    let restrictions = harness
        .store
        .restrictions(here)
        .await
        .expect("it can be asked");
    assert_eq!(restrictions, Restrictions::default());
}

pub async fn open_tells_what_is_restricted_for_the_reader(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    harness.join(here, &ada).await;
    let store = harness.store.clone();
    let read = async |user: &User| {
        let opened = store.open(here, user, None, 1).await;
        opened.expect("it is public").restrictions
    };
    assert!(read(&ada).await.is_none());
    for action in [
        ModerationAction::Lock,
        ModerationAction::ReadOnly,
        ModerationAction::Mute(whom(&ada)),
    ] {
        done(harness, here, action).await;
    }
    let all = OwnRestrictions {
        locked: true,
        read_only: true,
        muted: true,
    };
    assert_eq!(read(&ada).await, all);
    let muted = false;
    assert_eq!(read(&grace).await, OwnRestrictions { muted, ..all });
    for action in [ModerationAction::Unlock, ModerationAction::Writable] {
        done(harness, here, action).await;
    }
    assert_eq!(
        read(&ada).await,
        OwnRestrictions {
            muted: true,
            ..OwnRestrictions::default()
        }
    );
}
