//! Planning: meetings and audiences that change while they are live, instances that are moved and
//! cancelled, and overlapping instances.

use futures_util::future::join_all;
use plenary_server::error::Answer;
use plenary_server::store::planning::{EditMeeting, Invitations, Invited};
use plenary_server::store::{PlannedInstance, Store};
use plenary_shared::domain::{Code, InstanceState, Reason, User};
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::limits::ID_MAX;
use plenary_shared::time::Timestamp;

use crate::harness::{HOUR_MS, Harness, code, instance, now};

fn emails(people: &[&User]) -> Vec<String> {
    people.iter().map(|user| user.email_key()).collect()
}

fn invitations(add: &[&User], remove: &[&User]) -> Invitations {
    Invitations {
        add: emails(add),
        remove: emails(remove),
        replace: false,
    }
}

fn title(title: &str) -> EditMeeting {
    EditMeeting {
        title: Some(title.to_owned()),
        ..EditMeeting::default()
    }
}

fn public(is_public: bool) -> EditMeeting {
    EditMeeting {
        is_public: Some(is_public),
        ..EditMeeting::default()
    }
}

async fn joins(store: &dyn Store, here: InstanceId, user: &User) -> Option<Code> {
    code(&store.join(here, user, None).await)
}

async fn listed(harness: &Harness, here: InstanceId) -> PlannedInstance {
    let listed = harness.store.meetings(None, 100).await.expect("a list");
    let mut all = listed.into_iter().flat_map(|one| one.instances);
    all.find(|one| one.id == here).expect("it is listed")
}

fn done<T>(answer: Answer<T>) -> T {
    answer.expect("it is done")
}

pub async fn meeting_change_applies_to_live_instance(harness: &mut Harness) {
    let [ada, bob, eve] = [
        harness.member("ada").await,
        harness.member("bob").await,
        harness.member("eve").await,
    ];
    let here = harness.private(&[&ada]).await;
    harness.join(here, &ada).await;
    let other = harness.back_end.other().await;
    let root = Some(harness.root.id);
    done(
        other
            .edit_meeting(here.meeting, &title("Budget"), root)
            .await,
    );
    for store in [&harness.store, &other] {
        let opened = done(store.open(here, &ada, None, 1).await);
        assert_eq!(opened.instance.title, "Budget");
        assert_eq!(opened.instance.description, "About Plans");
        let active = done(store.active_meetings(&ada).await);
        assert_eq!(active[0].title, "Budget");
    }
    assert_eq!(
        joins(&*harness.store, here, &bob).await,
        Some(Code::NotAllowed)
    );
    done(other.edit_meeting(here.meeting, &public(true), root).await);
    assert_eq!(joins(&*harness.store, here, &bob).await, None);
    done(other.edit_meeting(here.meeting, &public(false), None).await);
    // Participants stay, and cannot come back after they leave.
    assert_eq!(
        joins(&*harness.store, here, &eve).await,
        Some(Code::NotAllowed)
    );
    harness.post(here, &bob, "still here").await;
    harness.leave(here, &bob).await;
    assert_eq!(
        joins(&*harness.store, here, &bob).await,
        Some(Code::NotAllowed)
    );
    harness.leave(here, &ada).await;
    assert_eq!(joins(&*harness.store, here, &ada).await, None);
    let description = EditMeeting {
        description: Some(String::new()),
        ..title("Budget, again")
    };
    done(
        harness
            .store
            .edit_meeting(here.meeting, &description, None)
            .await,
    );
    harness.store.sweep().await.expect("the store answers");
    let opened = done(harness.store.open(here, &ada, None, 1).await);
    assert_eq!(opened.instance.title, "Budget, again");
    assert_eq!(opened.instance.description, "");
    assert!(!opened.instance.is_public);
    let unknown = MeetingId::new(ID_MAX).expect("the largest");
    let refused = harness.store.edit_meeting(unknown, &title("x"), None).await;
    assert_eq!(code(&refused), Some(Code::NotFound));
}

pub async fn audience_changed_by_admin_applies_at_once(harness: &mut Harness) {
    let [late, gone, inside] = [
        harness.member("late").await,
        harness.member("gone").await,
        harness.member("inside").await,
    ];
    let here = harness.private(&[&gone, &inside]).await;
    harness.join(here, &inside).await;
    let change = invitations(&[&late, &inside], &[&gone]);
    let other = harness.back_end.other().await;
    let invited = done(other.change_audience(here.meeting, &change, None).await);
    assert_eq!((invited.added, invited.already), (1, 1));
    assert_eq!((invited.removed, invited.absent), (1, 0));
    assert_eq!(joins(&*harness.store, here, &late).await, None);
    assert_eq!(
        joins(&*harness.store, here, &gone).await,
        Some(Code::NotAllowed)
    );
    // Repeating the change changes nothing.
    let again = done(other.change_audience(here.meeting, &change, None).await);
    let nothing = Invited {
        already: 2,
        absent: 1,
        ..Invited::default()
    };
    assert_eq!(again, nothing);
    let replaced = Invitations {
        replace: true,
        ..invitations(&[&gone], &[])
    };
    let root = Some(harness.root.id);
    let invited = done(
        harness
            .store
            .change_audience(here.meeting, &replaced, root)
            .await,
    );
    assert_eq!((invited.added, invited.removed), (1, 2));
    assert_eq!(joins(&*other, here, &gone).await, None);
    harness.post(here, &inside, "still here").await;
    harness.leave(here, &inside).await;
    assert_eq!(
        joins(&*harness.store, here, &inside).await,
        Some(Code::NotAllowed)
    );
    let all = done(harness.store.meetings(None, 10).await);
    assert_eq!(all[0].audience, emails(&[&gone]));
    let unknown = MeetingId::new(ID_MAX).expect("the largest");
    let refused = other.change_audience(unknown, &change, None).await;
    assert_eq!(code(&refused), Some(Code::NotFound));
}

/// A sweep or another server that read the previous state never reverts the change.
pub async fn last_change_of_a_meeting_wins(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.private(&[&ada]).await;
    let stores = [harness.store.clone(), harness.back_end.other().await];
    for round in 0..20 {
        let invited = round % 2 == 0;
        let change = if invited {
            invitations(&[&ada], &[])
        } else {
            invitations(&[], &[&ada])
        };
        let sweeps = stores.iter().map(|store| store.sweep());
        let name = format!("Plans {round}");
        let edit = title(&name);
        let editing = async {
            done(
                stores[round % 2]
                    .edit_meeting(here.meeting, &edit, None)
                    .await,
            );
            done(
                stores[(round + 1) % 2]
                    .change_audience(here.meeting, &change, None)
                    .await,
            );
        };
        let (swept, ()) = tokio::join!(join_all(sweeps), editing);
        assert!(swept.iter().all(Result::is_ok));
        let expected = (!invited).then_some(Code::NotAllowed);
        assert_eq!(
            joins(&*harness.store, here, &ada).await,
            expected,
            "{round}: {invited}"
        );
        if invited {
            harness.leave(here, &ada).await;
        }
        let opened = done(harness.store.open(here, &harness.root, None, 1).await);
        assert_eq!(opened.instance.title, name);
    }
}

/// A change made during the start is visible after the start.
pub async fn meeting_changed_during_start_is_current_after_start(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let stores = [harness.store.clone(), harness.back_end.other().await];
    for round in 0..10 {
        let meeting = harness.meeting("Before", Some(&[])).await;
        let at = now();
        let here = harness.schedule(meeting, at, at.plus_ms(HOUR_MS)).await;
        let edit = title("After");
        let change = invitations(&[&ada], &[]);
        let starting = stores[0].start(here, at);
        let editing = async {
            done(stores[1].edit_meeting(meeting, &edit, None).await);
            done(stores[1].change_audience(meeting, &change, None).await);
        };
        let (started, ()) = tokio::join!(starting, editing);
        assert!(done(started).is_some(), "{round}");
        assert_eq!(joins(&*stores[1], here, &ada).await, None, "{round}");
        let opened = done(stores[1].open(here, &ada, None, 1).await);
        assert_eq!(opened.instance.title, "After", "{round}");
    }
}

pub async fn scheduled_instance_can_be_moved_and_cancelled(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let meeting = harness.meeting("Plans", Some(&[&ada])).await;
    let at = now();
    let here = harness.schedule(meeting, at, at.plus_ms(HOUR_MS)).await;
    let (from, to) = (at.plus_ms(HOUR_MS), at.plus_ms(3 * HOUR_MS));
    let root = Some(harness.root.id);
    done(harness.store.move_instance(here, from, to, root).await);
    assert_eq!(done(harness.store.start(here, at).await), None);
    let found = listed(harness, here).await;
    assert_eq!((found.fromdatetime, found.todatetime), (from, to));
    let agenda = done(harness.store.agenda(at, 60_000).await);
    assert_eq!(agenda.starts, []);
    let agenda = done(harness.store.agenda(at, 2 * HOUR_MS).await);
    assert_eq!(agenda.starts, [(here, from)]);
    for (from, to) in [(to, from), (from, from), (at.plus_ms(-2), at.plus_ms(-1))] {
        let refused = harness.store.move_instance(here, from, to, None).await;
        assert_eq!(code(&refused), Some(Code::Invalid));
    }

    done(harness.store.cancel(here, Some("nobody comes"), root).await);
    let found = listed(harness, here).await;
    assert_eq!(found.state, InstanceState::Ended);
    assert_eq!(found.reason.as_deref(), Some(Reason::Cancelled.as_str()));
    let agenda = done(harness.store.agenda(at, 2 * HOUR_MS).await);
    assert!(agenda.starts.is_empty() && agenda.ending.is_empty());
    assert_eq!(
        done(harness.store.start(here, from.plus_ms(1)).await),
        None,
        "it never begins"
    );
    let seen = done(harness.store.visible(&ada, now()).await);
    assert_eq!((seen[0].id, seen[0].cancelled), (here, true));
    assert_eq!(seen[0].state, InstanceState::Ended);
    let opened = done(harness.store.open(here, &ada, None, 10).await);
    assert!(opened.instance.cancelled && opened.events.is_empty());
    let refused = harness.store.join(here, &ada, None).await;
    assert_eq!(code(&refused), Some(Code::Ended));
    let said = refused.expect_err("it is over").to_string();
    assert!(said.contains("cancelled"), "{said}");
    harness.store.sweep().await.expect("the store answers");
    // A day later it is no longer listed, whenever it would have taken place.
    let seen = harness
        .store
        .visible(&ada, now().plus_ms(25 * HOUR_MS))
        .await;
    assert_eq!(done(seen), []);

    let active = harness.active(meeting, HOUR_MS).await;
    let nowhere = instance(ID_MAX, 1);
    for (there, no) in [
        (here, Code::NotScheduled),
        (active, Code::NotScheduled),
        (nowhere, Code::NotFound),
    ] {
        let moved = harness.store.move_instance(there, from, to, None).await;
        assert_eq!(code(&moved), Some(no), "{there}");
        let cancelled = harness.store.cancel(there, None, None).await;
        assert_eq!(code(&cancelled), Some(no), "{there}");
    }
    let moved = harness.store.move_instance(active, from, to, None).await;
    let said = moved.expect_err("it has begun").to_string();
    assert!(said.contains("extend"), "{said}");
}

pub async fn move_cancel_and_start_race_to_one_outcome(harness: &mut Harness) {
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let meeting = harness.meeting("Seminar", None).await;
    for round in 0..12 {
        let at = now();
        let here = harness.schedule(meeting, at, at.plus_ms(HOUR_MS)).await;
        let (from, to) = (at.plus_ms(HOUR_MS), at.plus_ms(2 * HOUR_MS));
        let starting = join_all(stores.iter().map(|store| store.start(here, at)));
        let moving = stores[round % 2].move_instance(here, from, to, None);
        let cancelling = stores[(round / 2) % 2].cancel(here, None, None);
        let (started, moved, cancelled) = match round % 3 {
            0 => tokio::join!(starting, moving, cancelling),
            1 => {
                let (moved, cancelled, started) = tokio::join!(moving, cancelling, starting);
                (started, moved, cancelled)
            }
            _ => {
                let (cancelled, started, moved) = tokio::join!(cancelling, starting, moving);
                (started, moved, cancelled)
            }
        };
        let started: Vec<Option<Timestamp>> = started.into_iter().map(done).collect();
        let begun = started.iter().filter(|one| one.is_some()).count();
        let found = listed(harness, here).await;
        if begun == 0 {
            assert_eq!(code(&cancelled), None, "{round}");
            assert_eq!(found.state, InstanceState::Ended, "{round}");
            assert_eq!(found.reason.as_deref(), Some("cancelled"), "{round}");
        } else {
            assert_eq!(begun, 1, "{round}");
            assert_eq!(code(&moved), Some(Code::NotScheduled), "{round}");
            assert_eq!(code(&cancelled), Some(Code::NotScheduled), "{round}");
            assert_eq!(found.state, InstanceState::Active, "{round}");
            assert_eq!(found.fromdatetime, at, "{round}");
        }
    }
}

pub async fn overlaps_for_the_same_people_are_reported(harness: &mut Harness) {
    let people = harness.crowd(6).await;
    let all: Vec<&User> = people.iter().collect();
    let one = harness.meeting("One", Some(&all[..5])).await;
    let two = harness.meeting("Two", Some(&all[1..])).await;
    let apart = harness.meeting("Apart", Some(&all[5..])).await;
    let open = harness.meeting("Open", None).await;
    let at = now().plus_ms(HOUR_MS);
    let hours = |from: i64, to: i64| (at.plus_ms(from * HOUR_MS), at.plus_ms(to * HOUR_MS));
    let mut made = vec![];
    for (meeting, (from, to)) in [
        (one, hours(0, 2)),
        (two, hours(1, 3)),
        (two, hours(2, 3)),
        (apart, hours(0, 2)),
        (open, hours(0, 2)),
        (one, hours(0, 1)),
        (two, hours(0, 1)),
    ] {
        made.push(harness.schedule(meeting, from, to).await);
    }
    done(harness.store.cancel(made[6], None, None).await);
    let found = done(harness.store.overlaps(one).await);
    let brief: Vec<_> = found
        .iter()
        .map(|(own, one)| (*own, one.instance, one.title.as_str(), one.shared_users))
        .collect();
    assert_eq!(
        brief,
        [
            (made[0], made[5], "One", 5),
            (made[0], made[1], "Two", 4),
            (made[5], made[0], "One", 5),
        ]
    );
    assert_eq!(found[1].1.emails, emails(&all[1..4]));
    let (from, to) = hours(1, 3);
    assert_eq!((found[1].1.fromdatetime, found[1].1.todatetime), (from, to));
    assert_eq!(done(harness.store.overlaps(apart).await).len(), 1);
    assert_eq!(done(harness.store.overlaps(open).await), []);
    // A user who is no longer invited has no overlap.
    let change = invitations(&[], &all[1..5]);
    done(harness.store.change_audience(two, &change, None).await);
    assert_eq!(done(harness.store.overlaps(one).await).len(), 2);
}
