//! The archive: archived events are durable; the sweep repairs what a crash left unfinished.

use futures_util::future::join_all;
use plenary_server::store::{Feed, Page};
use plenary_shared::domain::{Code, Reason};
use plenary_shared::ids::{InstanceId, Seq};

use crate::harness::{
    HOUR_MS, Harness, body, cmid, code, connection, facts, instance, kinds, leaves, messages, now,
};

async fn durable(harness: &Harness, here: InstanceId) -> (Seq, Seq) {
    let heads = harness
        .store
        .heads(&[here])
        .await
        .expect("the store answers");
    let head = heads[0].expect("it is live");
    (head.durable, head.seq)
}

async fn sweep(harness: &Harness) {
    harness.store.sweep().await.expect("the store answers");
}

pub async fn durable_reaches_the_last_seq_and_is_announced(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let (here, idle) = (harness.public().await, harness.public().await);
    harness.archive(idle).await;
    harness.join(here, &ada).await;
    let last = harness.post(here, &ada, "for ever").await.seq;
    let lag = harness
        .store
        .archive_lag()
        .await
        .expect("the store answers");
    let later_ids = if harness.back_end.archives_later() {
        vec![here]
    } else {
        vec![]
    };
    assert_eq!(lag, later_ids);
    harness.archive(here).await;
    assert_eq!(durable(harness, here).await, (last, last));
    let lag = harness
        .store
        .archive_lag()
        .await
        .expect("the store answers");
    assert_eq!(lag, []);
    let opened = harness
        .store
        .open(here, &ada, None, 1)
        .await
        .expect("it is public");
    assert_eq!(opened.durable, last);
    let generation = opened.generation;
    let said = harness.until_fed("durable", |feed| match feed {
        Feed::Durable {
            instance,
            generation,
            seq,
        } if *instance == here && *seq == last => Some(*generation),
        Feed::Event(_)
        | Feed::Durable { .. }
        | Feed::Fence { .. }
        | Feed::Gap
        | Feed::Changed
        | Feed::SignedOut(_)
        | Feed::Access(_)
        | Feed::Denied(_)
        | Feed::Server(_)
        | Feed::Read(_)
        | Feed::Typing { .. }
        | Feed::Waiting(_)
        | Feed::Presence(_) => None,
    });
    assert_eq!(said.await, generation);

    let later = harness.post(here, &ada, "and this").await.seq;
    let known = if later_ids.is_empty() { later } else { last };
    assert_eq!(durable(harness, here).await, (known, later));
    let lag = harness
        .store
        .archive_lag()
        .await
        .expect("the store answers");
    assert_eq!(lag, later_ids);
}

/// More events than one transaction takes, in several instances, archived by two servers at once.
pub async fn many_events_are_archived_by_concurrent_servers(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let mut all = vec![];
    for _ in 0..4 {
        let here = harness.public().await;
        harness.join(here, &ada).await;
        let text = body("x");
        let posts = (0..350).map(|n| harness.store.post(here, &ada, cmid(n), &text));
        assert!(join_all(posts).await.iter().all(Result::is_ok));
        all.push(here);
    }
    let other = harness.back_end.other().await;
    for _ in 0..100 {
        let lag = harness
            .store
            .archive_lag()
            .await
            .expect("the store answers");
        if lag.is_empty() {
            break;
        }
        let (one, two) = tokio::join!(harness.store.archive(&lag), other.archive(&all));
        one.and(two).expect("the store answers");
    }
    for here in all {
        assert_eq!(durable(harness, here).await.0.get(), 352, "{here}");
        let live = harness.log(here).await;
        harness
            .back_end
            .trim(here, Seq::new(353).expect("a small number"));
        assert_eq!(facts(&harness.log(here).await), facts(&live), "{here}");
    }
}

pub async fn inactive_instance_has_nothing_to_archive(harness: &mut Harness) {
    let meeting = harness.meeting("Later", None).await;
    let from = now().plus_ms(HOUR_MS);
    let later = harness.schedule(meeting, from, from.plus_ms(HOUR_MS)).await;
    let ended = harness.public().await;
    harness.end(ended).await;
    let all = [later, ended, instance(77, 1)];
    let more = harness
        .store
        .archive(&all)
        .await
        .expect("the store answers");
    assert_eq!(more, []);
    let lag = harness
        .store
        .archive_lag()
        .await
        .expect("the store answers");
    assert_eq!(lag, []);
    let heads = harness.store.heads(&all).await.expect("the store answers");
    assert_eq!(heads, [None, None, None]);
    assert_eq!(
        harness.store.heads(&[]).await.expect("the store answers"),
        []
    );
    for here in [later, instance(77, 1)] {
        assert_eq!(harness.log(here).await, []);
    }
}

pub async fn sweep_of_healthy_state_changes_nothing(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let (here, ended) = (harness.private(&[&ada]).await, harness.public().await);
    harness.join(here, &ada).await;
    harness.post(here, &ada, "not archived").await;
    harness.end(ended).await;
    let before = harness
        .store
        .open(here, &ada, None, 10)
        .await
        .expect("she is in");
    for _ in 0..3 {
        sweep(harness).await;
    }
    let after = harness
        .store
        .open(here, &ada, None, 10)
        .await
        .expect("she is in");
    assert_eq!(after, before);
}

/// On back ends that can lose the live state, it comes back as the archive has it. On others,
/// nothing of this is noticeable.
pub async fn lost_live_state_is_restored(harness: &mut Harness) {
    let people = harness.crowd(3).await;
    let here = harness.private(&[&people[0], &people[1]]).await;
    let by = connection("a", 1);
    let joined = harness.store.join(here, &people[0], Some(&by)).await;
    joined.expect("they are invited");
    harness.join(here, &people[1]).await;
    harness.leave(here, &people[1]).await;
    let kept = harness.post(here, &people[0], "archived").await;
    harness.archive(here).await;
    let before = harness.log(here).await;
    let generation = harness
        .store
        .heads(&[here])
        .await
        .expect("the store answers")[0];
    let forgotten = harness.back_end.forget(here);
    sweep(harness).await;
    sweep(harness).await;
    let heads = harness
        .store
        .heads(&[here])
        .await
        .expect("the store answers");
    let (head, was) = (
        heads[0].expect("it is live"),
        generation.expect("it was live"),
    );
    assert_eq!((head.seq, head.durable), (kept.seq, kept.seq));
    assert_eq!(head.generation > was.generation, forgotten);
    assert_eq!(facts(&harness.log(here).await), facts(&before));
    if forgotten {
        let (of, base) = (head.generation, kept.seq);
        let fenced = harness.until_fed("the fence", |feed| match feed {
            Feed::Fence {
                instance,
                generation,
                base,
            } if *instance == here && *generation == of => Some(*base),
            Feed::Event(_)
            | Feed::Durable { .. }
            | Feed::Fence { .. }
            | Feed::Gap
            | Feed::Changed
            | Feed::SignedOut(_)
            | Feed::Access(_)
            | Feed::Denied(_)
            | Feed::Server(_)
            | Feed::Read(_)
            | Feed::Typing { .. }
            | Feed::Waiting(_)
            | Feed::Presence(_) => None,
        });
        assert_eq!(fenced.await, base);
    }

    // Participants, the audience and the messages are as before.
    let again = harness.store.join(here, &people[0], None).await;
    assert_eq!(code(&again), Some(Code::AlreadyParticipant));
    let outside = harness.store.join(here, &people[2], None).await;
    assert_eq!(code(&outside), Some(Code::NotAllowed));
    let again = harness
        .store
        .post(here, &people[0], cmid(2), &body("again"))
        .await;
    assert_eq!(again.expect("she is in").seq, kept.seq);
    harness.join(here, &people[1]).await;
    harness.post(here, &people[1], "continues").await;
    assert_eq!(harness.log(here).await.len(), before.len() + 2);
    // Restored stays are not held by a connection.
    harness.store.reap_all(0).await.expect("the store answers");
    let left = leaves(&harness.log(here).await);
    assert_eq!(left.len(), if forgotten { 2 } else { 1 });
    if forgotten {
        assert_eq!(
            (left[1].0, left[1].1),
            (people[0].id, Reason::ConnectionLost)
        );
    }
}

/// Events that were not durable may be lost, and may leave nothing behind but profiles in `people`.
pub async fn lost_unarchived_events_leave_nothing(harness: &mut Harness) {
    let [ada, grace] = [harness.member("ada").await, harness.member("grace").await];
    let here = harness.public().await;
    harness.join(here, &ada).await;
    harness.join(here, &grace).await;
    harness.post(here, &ada, "archived").await;
    harness.archive(here).await;
    harness.post(here, &ada, "not archived").await;
    harness.post(here, &ada, "nor this").await;
    if harness.back_end.forget(here) {
        harness.void(here);
    }
    sweep(harness).await;
    sweep(harness).await;
    harness.post(here, &grace, "of somebody else").await;
    harness.post(here, &ada, "after that").await;
    let log = harness.log(here).await;
    assert!(kinds(&log)["message"] >= 3);
    for user in [&ada, &grace] {
        let page = Page::Before(None);
        let mine = harness
            .store
            .user_messages(here, &ada, user.id, page, 10)
            .await;
        let mine = mine.expect("it is public");
        let mine: Vec<_> = mine
            .messages
            .iter()
            .map(|one| (one.seq, one.user))
            .collect();
        let in_log: Vec<_> = messages(&log)
            .into_iter()
            .filter(|event| event.kind.user() == Some(user.id))
            .map(|event| (event.seq, user.id))
            .collect();
        assert_eq!(mine, in_log, "{}", user.name);
    }
}
