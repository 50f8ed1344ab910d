//! Tests of one instance in detail.

use plenary_shared::domain::{Code, Reason};
use plenary_shared::protocol::{Push, ServerLine};

use super::*;

fn user(n: u64) -> UserId {
    UserId::new(n).expect("small")
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn here() -> InstanceId {
    "1/4".parse().expect("an instance")
}

fn event(seq: u64, ms: i64, what: EventKind) -> Event {
    Event {
        instance: here(),
        generation: Generation::new(1).expect("small"),
        seq: Seq::new(seq).expect("small"),
        kind: what,
        timestamp: at(ms),
    }
}

fn join(who: u64) -> EventKind {
    let name = format!("n{who}");
    EventKind::Join {
        user: user(who),
        name,
    }
}

fn leave(who: u64, reason: Reason) -> EventKind {
    EventKind::Leave {
        user: user(who),
        reason,
    }
}

fn holder(who: u64, connection: &str, lost: bool) -> Holder {
    Holder {
        user: user(who),
        connection: connection.to_owned(),
        lost,
    }
}

fn begun() -> Detail {
    let mut detail = Detail::new(here());
    detail.begin(None, Seq::default(), Attended::default(), &[]);
    detail
}

/// Puts the sent lines together.
fn told(detail: &mut Detail, seen: Option<u64>) -> Option<(u64, DetailUpdate)> {
    let (number, lines) = detail.told(seen)?;
    let mut all = DetailUpdate::of(here());
    for line in lines {
        let Ok(ServerLine::Push(Push::Detail(news))) = ServerLine::parse(&line) else {
            panic!("no detail: {line}");
        };
        all.reset |= news.reset;
        all.totals = news.totals.or(all.totals);
        all.attendees.extend(news.attendees);
        all.timeline.extend(news.timeline);
    }
    Some((number, all))
}

#[test]
fn a_second_stay_leaves_the_first_as_it_was() {
    let mut detail = begun();
    for (seq, ms, what) in [
        (1, 0, join(7)),
        (2, 10_000, join(8)),
        (3, 60_000, leave(7, Reason::Left)),
        (4, 90_000, join(7)),
    ] {
        detail.count(&event(seq, ms, what));
    }
    assert!(detail.publish(1));
    let (_, news) = told(&mut detail, None).expect("news");
    let ada = &news.attendees[0];
    assert_eq!(ada.name, "n7");
    assert_eq!(
        ada.stays,
        [
            Stay {
                from: at(0),
                to: Some(at(60_000)),
                reason: Some(Reason::Left)
            },
            Stay {
                from: at(90_000),
                to: None,
                reason: None
            },
        ]
    );
    let sums = news.totals.expect("sums");
    assert_eq!((sums.peak, sums.peak_at), (2, Some(at(10_000))));
    assert_eq!((sums.stays, sums.stayed_ms, sums.seq.get()), (1, 60_000, 4));
    assert_eq!(news.timeline.len(), 4);
    assert_eq!(news.timeline[2].name, "n7");
}

#[test]
fn many_stays_are_summed_up_and_none_is_lost() {
    let mut detail = begun();
    let mut seq = 0;
    for n in 0..20 {
        detail.count(&event(seq + 1, n * 1_000, join(7)));
        detail.count(&event(seq + 2, n * 1_000 + 100, leave(7, Reason::Left)));
        seq += 2;
    }
    detail.publish(1);
    let (_, news) = told(&mut detail, None).expect("news");
    let ada = &news.attendees[0];
    assert_eq!((ada.stays.len(), ada.earlier_stays), (STAYS_MAX, 12));
    assert_eq!(ada.earlier_ms, 1_200);
    assert_eq!(news.totals.expect("sums").stayed_ms, 2_000);
}

#[test]
fn only_what_has_changed_is_told_again_and_whoever_is_behind_is_told_everything() {
    let mut detail = begun();
    detail.count(&event(1, 0, join(7)));
    detail.count(&event(2, 0, join(8)));
    assert!(detail.publish(5));
    assert!(!detail.publish(6), "nothing is new");
    let (seen, news) = told(&mut detail, None).expect("news");
    assert!(news.reset && seen == 5, "{news:?}");
    assert!(told(&mut detail, Some(5)).is_none());
    detail.count(&event(3, 1_000, leave(8, Reason::Left)));
    assert!(detail.publish(7));
    let (seen, news) = told(&mut detail, Some(5)).expect("news");
    assert_eq!(
        (seen, news.reset, news.attendees.len(), news.timeline.len()),
        (7, false, 1, 1)
    );
    let (_, news) = told(&mut detail, Some(4)).expect("news");
    assert_eq!(
        (news.reset, news.attendees.len(), news.timeline.len()),
        (true, 2, 3)
    );
}

#[test]
fn whoever_loses_every_connection_is_lost_and_back() {
    let mut detail = begun();
    detail.count(&event(1, 0, join(7)));
    let rtt = |_: UserId, connection: &str| (connection == "a.1").then_some(12);
    let both = |first, second| vec![holder(7, "a.1", first), holder(7, "b.9", second)];
    detail.hold(both(false, false), at(1), rtt);
    detail.publish(1);
    let (_, news) = told(&mut detail, None).expect("news");
    let ada = &news.attendees[0];
    assert_eq!((ada.connections, ada.lost, ada.servers), (2, 0, 2));
    assert_eq!(ada.rtt_ms, Some(12));
    detail.hold(both(true, true), at(2), rtt);
    detail.hold(both(true, true), at(3), rtt);
    detail.hold(both(true, false), at(4), rtt);
    detail.publish(2);
    let (_, news) = told(&mut detail, Some(1)).expect("news");
    let whats: Vec<_> = news
        .timeline
        .iter()
        .map(|one| (&one.kind, one.at))
        .collect();
    assert_eq!(
        whats,
        [
            (&TimelineKind::ConnectionLost, at(2)),
            (&TimelineKind::Reconnected, at(4))
        ]
    );
    assert_eq!(news.attendees[0].rtt_ms, None);
    // A user who has left does not come back.
    detail.hold(both(true, true), at(5), rtt);
    detail.count(&event(2, 6, leave(7, Reason::ConnectionLost)));
    detail.count(&event(3, 7, join(7)));
    detail.hold(vec![holder(7, "a.2", false)], at(8), rtt);
    detail.publish(3);
    let (_, news) = told(&mut detail, Some(2)).expect("news");
    let backs = news
        .timeline
        .iter()
        .filter(|one| one.kind == TimelineKind::Reconnected);
    assert_eq!(backs.count(), 0, "{news:?}");
}

#[test]
fn who_was_refused_is_told_and_what_was_said_is_not() {
    let mut detail = begun();
    detail.count(&event(1, 0, join(7)));
    let body = plenary_shared::text::MessageBody::parse("a secret").expect("a body");
    detail.count(&event(
        2,
        1,
        EventKind::Message {
            user: user(7),
            cmid: "01890a5d-ac96-774b-bcce-b302099a8057"
                .parse()
                .expect("a cmid"),
            body,
            reply_to: None,
            edited: None,
            deleted: None,
        },
    ));
    detail.deny(Denial {
        instance: here(),
        user: user(66),
        name: "mallory".to_owned(),
        code: Code::Locked,
        at: at(9),
    });
    detail.publish(1);
    let (_, lines) = detail.told(None).expect("news");
    assert!(!lines.concat().contains("secret"), "{lines:?}");
    let (_, news) = told(&mut detail, None).expect("news");
    assert_eq!(news.totals.as_ref().map(|sums| sums.denied), Some(1));
    assert_eq!(
        news.attendees.len(),
        1,
        "a refused user was never a participant"
    );
    assert_eq!(news.attendees[0].messages, 1);
    let last = news.timeline.last().expect("three");
    assert_eq!((last.name.as_str(), last.seq), ("mallory", None));
}
