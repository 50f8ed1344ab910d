//! Many concurrent callers, on two servers where possible: one stay for each user, one number for
//! each event, one order for everybody.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use plenary_shared::domain::{Code, EventKind, Role, User};
use plenary_shared::ids::{Seq, UserId};
use plenary_shared::limits::PARTICIPANTS_MAX;

use crate::harness::{Harness, body, cmid, code, kinds, messages};

const MANY: usize = 200;
const POSTERS: usize = 50;
const POSTS_EACH: usize = 12;

pub async fn concurrent_joins_of_one_user_create_one_stay(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let answers = join_all((0..MANY).map(|n| stores[n % 2].join(here, &ada, None))).await;
    let codes: Vec<_> = answers.iter().map(code).collect();
    assert_eq!(codes.iter().filter(|code| code.is_none()).count(), 1);
    let refused = codes
        .iter()
        .filter(|code| **code == Some(Code::AlreadyParticipant));
    assert_eq!(refused.count(), MANY - 1);
    assert_eq!(kinds(&harness.log(here).await)["join"], 1);

    let answers = join_all((0..MANY).map(|n| stores[n % 2].leave(here, &ada))).await;
    let left = answers.iter().map(code).filter(Option::is_none).count();
    assert_eq!(left, 1);
}

pub async fn joins_of_200_users_create_one_stay_each(harness: &mut Harness) {
    let people = harness.crowd(MANY).await;
    let here = harness.public().await;
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let joining = people.iter().enumerate();
    let answers = join_all(joining.map(|(n, user)| stores[n % 2].join(here, user, None))).await;
    let seqs: BTreeSet<Seq> = answers
        .into_iter()
        .map(|answer| answer.expect("it is public").seq)
        .collect();
    assert_eq!(seqs.len(), MANY);
    let read = harness.store.people(here, &people[0]).await;
    let read = read.expect("it is public");
    assert_eq!(read.len(), MANY);
    // Every way of asking returns the same participants in the same order.
    let times = harness.store.join_times(&people[0]).await;
    let times = times.expect("the store answers");
    let in_times: Vec<_> = times[0]
        .join_logs
        .iter()
        .map(|one| (one.user, one.timestamp))
        .collect();
    let in_people: Vec<_> = read.iter().map(|one| (one.id, one.joined)).collect();
    assert_eq!(in_times, in_people);
}

pub async fn concurrent_posts_have_one_order(harness: &mut Harness) {
    let people = harness.crowd(POSTERS).await;
    let here = harness.public().await;
    for user in &people {
        harness.join(here, user).await;
    }
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let said = join_all(people.iter().enumerate().map(async |(who, user)| {
        let mut seqs = vec![];
        for n in 0..POSTS_EACH {
            let text = format!("{who}: {n}");
            let number = (who * POSTS_EACH + n) as u64;
            let posted = stores[who % 2]
                .post(here, user, cmid(number), &body(&text))
                .await;
            seqs.push((posted.expect("they are in").seq, text));
        }
        assert!(seqs.is_sorted(), "a user's posts keep their order");
        seqs
    }));
    let mut said = said.await.concat();
    said.sort();
    let log = harness.log(here).await;
    let in_log: Vec<(Seq, String)> = messages(&log)
        .into_iter()
        .filter_map(|event| match &event.kind {
            EventKind::Message { body, .. } => Some((event.seq, body.to_string())),
            EventKind::Opened
            | EventKind::Join { .. }
            | EventKind::Leave { .. }
            | EventKind::Edited { .. }
            | EventKind::Deleted { .. }
            | EventKind::Moderated(_)
            | EventKind::Closed { .. } => None,
        })
        .collect();
    assert_eq!(in_log, said);
    assert_eq!(log.len(), 1 + POSTERS + POSTERS * POSTS_EACH);
}

pub async fn joins_leaves_posts_archiving_and_end_run_concurrently(harness: &mut Harness) {
    let people = harness.crowd(24).await;
    let here = harness.public().await;
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let talking = join_all(people.iter().enumerate().map(async |(who, user)| {
        let store = &stores[who % 2];
        let mut acknowledged = vec![];
        for n in 0..500_u64 {
            let joined = code(&store.join(here, user, None).await);
            let posted = store.post(here, user, cmid(n), &body("x")).await;
            if let Ok(posted) = &posted {
                acknowledged.push(posted.seq);
            }
            let left = code(&store.leave(here, user).await);
            if [joined, code(&posted), left].contains(&Some(Code::Ended)) {
                break;
            }
        }
        acknowledged
    }));
    let archiving = async {
        let all = [here];
        for _ in 0..10 {
            let (a, b) = tokio::join!(stores[0].archive(&all), stores[1].archive(&all));
            a.and(b).expect("the store answers");
        }
        harness.end(here).await;
    };
    let (acknowledged, ()) = tokio::join!(talking, archiving);
    let log = harness.log(here).await;
    let in_log: BTreeSet<Seq> = messages(&log).iter().map(|event| event.seq).collect();
    let acknowledged: BTreeSet<Seq> = acknowledged.into_iter().flatten().collect();
    assert_eq!(in_log, acknowledged);
    assert_eq!(kinds(&log)["closed"], 1);
}

pub async fn join_of_full_meeting_is_rejected(harness: &mut Harness) {
    let numbers: Vec<u64> = (1..=PARTICIPANTS_MAX as u64 + 1)
        .map(|n| 1_000 + n)
        .collect();
    let rows: Vec<String> = numbers
        .iter()
        .map(|n| format!("({n}, 'person{n}', 'person{n}@example.org')"))
        .collect();
    let rows = rows.join(", ");
    let insert = format!("INSERT INTO user (userID, name, email) VALUES {rows}");
    harness.back_end.sql(&insert);
    let people: Vec<User> = numbers
        .iter()
        .map(|n| User {
            id: UserId::new(*n).expect("a small number"),
            name: format!("person{n}"),
            age: None,
            gender: None,
            email: format!("person{n}@example.org"),
            role: Role::Member,
        })
        .collect();
    let here = harness.public().await;
    for some in people.chunks(500) {
        let answers = join_all(some.iter().map(|user| harness.store.join(here, user, None))).await;
        for (user, answer) in some.iter().zip(&answers) {
            let last = user.id == people[PARTICIPANTS_MAX].id;
            assert_eq!(code(answer), last.then_some(Code::Full), "{}", user.name);
        }
    }
    harness.leave(here, &people[7]).await;
    harness.join(here, &people[PARTICIPANTS_MAX]).await;
    let again = harness.store.join(here, &people[7], None).await;
    assert_eq!(code(&again), Some(Code::Full));
}
