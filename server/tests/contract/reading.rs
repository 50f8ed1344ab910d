//! Reading: which instances a user sees, and the participants with their join times.

use plenary_server::store::NewUser;
use plenary_shared::domain::{Gender, InstanceState, Participant, Presence, Role, User};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::time::Timestamp;

use crate::harness::{HOUR_MS, Harness, facts, new_user, now};

/// The instances a user sees, with their state, and which are active for them.
pub async fn sees(
    harness: &Harness,
    who: &User,
    at: Timestamp,
) -> Vec<(InstanceId, InstanceState)> {
    let seen = harness
        .store
        .visible(who, at)
        .await
        .expect("the store answers");
    let active = harness
        .store
        .active_meetings(who)
        .await
        .expect("the store answers");
    let of_visible: Vec<_> = seen
        .iter()
        .filter(|one| one.state == InstanceState::Active)
        .collect();
    assert_eq!(
        active.iter().collect::<Vec<_>>(),
        of_visible,
        "{}",
        who.name
    );
    let times = harness
        .store
        .join_times(who)
        .await
        .expect("the store answers");
    let mut in_times: Vec<InstanceId> = times.iter().map(|one| one.instance).collect();
    let mut there: Vec<InstanceId> = active.iter().map(|one| one.id).collect();
    in_times.sort_unstable();
    there.sort_unstable();
    assert_eq!(in_times, there, "{}", who.name);
    assert!(seen.is_sorted_by_key(|one| (one.fromdatetime, one.id)));
    seen.iter().map(|one| (one.id, one.state)).collect()
}

pub async fn users_see_what_they_may_join(harness: &mut Harness) {
    const DAY_MS: i64 = 24 * HOUR_MS;
    let [outside, guest] = [
        harness.member("outside").await,
        harness.member("guest").await,
    ];
    let root = harness.root.clone();
    let begin = now();
    let private = harness.meeting("Plans", Some(&[&guest])).await;
    let public = harness.meeting("Open day", None).await;
    let mut of = vec![];
    for meeting in [private, public] {
        let ended = harness.active(meeting, HOUR_MS).await;
        harness.end(ended).await;
        let active = harness.active(meeting, HOUR_MS).await;
        let from = begin.plus_ms(DAY_MS);
        let soon = harness.schedule(meeting, from, from.plus_ms(HOUR_MS)).await;
        let from = begin.plus_ms(15 * DAY_MS);
        let far = harness.schedule(meeting, from, from.plus_ms(HOUR_MS)).await;
        of.push([ended, active, soon, far]);
    }
    let states = [
        InstanceState::Ended,
        InstanceState::Active,
        InstanceState::Scheduled,
    ];
    let near = |of: &[InstanceId]| of.iter().copied().zip(states).collect::<Vec<_>>();
    let at = now();
    let mut mine = sees(harness, &outside, at).await;
    assert_eq!(mine, near(&of[1]), "outside");
    for who in [&guest, &root] {
        mine = sees(harness, who, at).await;
        mine.sort_by_key(|(id, _)| *id);
        assert_eq!(mine, [near(&of[0]), near(&of[1])].concat(), "{}", who.name);
    }
    // Later, ended instances are no longer shown, and distant ones come into view.
    let later = sees(harness, &outside, at.plus_ms(DAY_MS + HOUR_MS / 2)).await;
    let states = [
        (of[1][1], InstanceState::Active),
        (of[1][2], InstanceState::Scheduled),
        (of[1][3], InstanceState::Scheduled),
    ];
    // Ended instances are shown for a day after their planned end.
    let later: Vec<_> = later
        .into_iter()
        .filter(|(id, _)| *id != of[1][0])
        .collect();
    assert_eq!(later, states);
}

pub async fn list_shows_participant_count_and_own_join_time(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    let joined = harness.join(here, &ada).await;
    for (who, since) in [(&ada, Some(joined.timestamp)), (&grace, None)] {
        let seen = harness
            .store
            .visible(who, now())
            .await
            .expect("the store answers");
        let active = harness
            .store
            .active_meetings(who)
            .await
            .expect("the store answers");
        let opened = harness
            .store
            .open(here, who, None, 1)
            .await
            .expect("it is public");
        assert_eq!(active, seen);
        for one in [&seen[0], &opened.instance] {
            assert_eq!((one.id, one.participants, one.joined), (here, 1, since));
            assert_eq!(one.title, "Seminar");
            assert_eq!(one.description, "About Seminar");
            assert!(one.is_public);
            assert_eq!(one.state, InstanceState::Active);
            assert_eq!(one.todatetime.ms_since(one.fromdatetime), HOUR_MS);
        }
    }
}

pub async fn participants_have_their_profiles(harness: &mut Harness) {
    let plain = NewUser {
        age: None,
        gender: None,
        ..new_user("plain", Role::Member)
    };
    let full = NewUser {
        name: "Grace \"Amazing\" Hopper".to_owned(),
        age: Some(85),
        gender: Some(Gender::Female),
        ..new_user("grace", Role::Admin)
    };
    let here = harness.public().await;
    let mut expected = vec![];
    for new in [full, plain] {
        let user = harness.store.add_user(new).await.expect("it is free");
        let joined = harness.join(here, &user).await.timestamp;
        expected.push(Participant {
            name: user.name,
            age: user.age,
            gender: user.gender,
            email: Some(user.email),
            id: user.id,
            joined,
            presence: Presence::Present,
            since: None,
        });
    }
    let people = harness.store.people(here, &harness.root).await;
    assert_eq!(people.expect("an admin may read"), expected);
    let opened = harness.store.open(here, &harness.root, None, 1).await;
    assert_eq!(opened.expect("an admin may read").roster, expected);
    let times = harness.store.join_times(&harness.root).await;
    let times = times.expect("the store answers");
    assert_eq!((times.len(), times[0].instance), (1, here));
    assert_eq!(times[0].meeting, "Seminar");
    let logs: Vec<_> = times[0]
        .join_logs
        .iter()
        .map(|one| (one.user, one.timestamp, one.name.as_str()))
        .collect();
    let people: Vec<_> = expected
        .iter()
        .map(|one| (one.id, one.joined, one.name.as_str()))
        .collect();
    assert_eq!(logs, people);
}

pub async fn open_contains_the_log_position(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    harness.join(here, &ada).await;
    let last = harness.post(here, &ada, "hello").await.seq;
    let opened = harness
        .store
        .open(here, &ada, None, 100)
        .await
        .expect("it is public");
    let durable = if harness.back_end.archives_later() {
        Seq::default()
    } else {
        last
    };
    assert_eq!((opened.seq, opened.durable), (last, durable));
    assert!(!opened.more);
    assert_eq!(facts(&opened.events), facts(&harness.log(here).await));
    assert_eq!(opened.users.len(), 1);
    assert_eq!(
        (opened.users[0].id, &opened.users[0].name),
        (ada.id, &ada.name)
    );
    let head = harness
        .store
        .heads(&[here])
        .await
        .expect("the store answers")[0];
    let head = head.expect("it is live");
    assert_eq!(
        (head.generation, head.seq, head.durable),
        (opened.generation, opened.seq, opened.durable)
    );
    assert!(
        opened
            .events
            .iter()
            .all(|event| event.generation == opened.generation)
    );
}

pub async fn open_before_start_is_empty(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let meeting = harness.meeting("Later", Some(&[&ada])).await;
    let from = now().plus_ms(HOUR_MS);
    let here = harness.schedule(meeting, from, from.plus_ms(HOUR_MS)).await;
    let opened = harness
        .store
        .open(here, &ada, None, 100)
        .await
        .expect("she is invited");
    assert_eq!(opened.instance.state, InstanceState::Scheduled);
    assert_eq!(opened.instance.fromdatetime, from);
    assert_eq!((opened.seq.get(), opened.durable.get()), (0, 0));
    assert_eq!(
        (opened.events, opened.roster, opened.more),
        (vec![], vec![], false)
    );
}
