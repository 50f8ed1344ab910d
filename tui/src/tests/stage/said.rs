//! Server data for tests: users, meetings, a conversation.

use plenary_shared::domain::{Event, Instance, InstanceState, Participant, Person, Presence, What};
use plenary_shared::ids::{Cmid, Generation, InstanceId, MeetingId, OrderId, Seq, UserId};
use plenary_shared::protocol::{OpenOk, Posted, Request, Verb};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;

use super::{ME, NOW};

pub fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Today at this UTC time.
pub fn at(hm: &str) -> Timestamp {
    time(&format!("2026-09-22T{hm}:00Z"))
}

pub fn user(id: u64) -> UserId {
    UserId::new(id).expect("small")
}

pub fn seq(number: u64) -> Seq {
    Seq::new(number).expect("small")
}

pub fn generation(number: u64) -> Generation {
    Generation::new(number).expect("small")
}

pub fn id(meeting: u64, order: u64) -> InstanceId {
    InstanceId::new(
        MeetingId::new(meeting).expect("small"),
        OrderId::new(order).expect("small"),
    )
}

/// The live meeting that is shown first.
pub fn sync() -> InstanceId {
    id(42, 1)
}

pub fn instance(
    of: InstanceId,
    title: &str,
    from: &str,
    to: &str,
    state: InstanceState,
) -> Instance {
    Instance {
        title: title.into(),
        description: "What everybody does this week.".into(),
        is_public: true,
        fromdatetime: time(from),
        todatetime: time(to),
        id: of,
        state,
        participants: 3,
        joined: None,
        cancelled: false,
    }
}

/// Two live meetings, one starting soon, two later, one ended.
pub fn demo_meetings() -> Vec<Instance> {
    let day = |hm: &str| format!("2026-09-22T{hm}:00Z");
    let make =
        |of, title, from: &str, to: &str, state| instance(of, title, &day(from), &day(to), state);
    let mut vendor = make(
        id(5, 2),
        "Vendor call",
        "16:30",
        "17:00",
        InstanceState::Scheduled,
    );
    vendor.is_public = false;
    let standup = instance(
        id(3, 9),
        "Standup",
        "2026-09-23T08:30:00Z",
        "2026-09-23T08:45:00Z",
        InstanceState::Scheduled,
    );
    vec![
        make(
            sync(),
            "Platform sync",
            "13:30",
            "14:15",
            InstanceState::Active,
        ),
        make(
            id(44, 1),
            "Incident 4471",
            "13:40",
            "15:40",
            InstanceState::Active,
        ),
        make(
            id(12, 3),
            "Design review",
            "14:00",
            "14:30",
            InstanceState::Scheduled,
        ),
        vendor,
        standup,
        make(
            id(7, 1),
            "Budget review",
            "12:30",
            "13:00",
            InstanceState::Ended,
        ),
    ]
}

pub fn event(number: u64, timestamp: Timestamp, what: What) -> Event {
    Event {
        instance: sync(),
        generation: generation(1),
        seq: seq(number),
        what,
        timestamp,
    }
}

pub fn message(who: u64, cmid: u64, body: &str) -> What {
    What::Message {
        user: user(who),
        cmid: Cmid(uuid::Uuid::from_u128(u128::from(cmid) + (1 << 64))),
        body: MessageBody::parse(body).expect("a body"),
        reply_to: None,
        edited: None,
        deleted: None,
    }
}

pub fn join(who: u64, name: &str) -> What {
    What::Join {
        user: user(who),
        name: name.into(),
    }
}

pub fn people() -> Vec<Person> {
    [
        (ME, "ada"),
        (8, "grace"),
        (9, "linus"),
        (10, "barbara"),
        (11, "margaret"),
    ]
    .into_iter()
    .map(|(id, name)| Person {
        id: user(id),
        name: name.into(),
    })
    .collect()
}

/// The conversation in the live meeting: events 1 to 19.
pub fn talk() -> Vec<Event> {
    let said =
        |number, hm: &str, who, body: &str| event(number, at(hm), message(who, number, body));
    vec![
        event(1, at("13:30"), What::Opened),
        event(2, at("13:30"), join(10, "barbara")),
        event(3, at("13:31"), join(8, "grace")),
        event(4, at("13:31"), join(9, "linus")),
        event(5, at("13:31"), join(11, "margaret")),
        said(
            6,
            "13:33",
            8,
            "Rollout is at 40 %, error budget is fine. Dashboard is at https://grafana.corp/d/rollout",
        ),
        said(
            7,
            "13:34",
            9,
            "can we hold at 40 % until the canary soak finishes?",
        ),
        said(8, "13:36", 11, "ok, holding."),
        event(
            9,
            at("13:39"),
            What::Leave {
                user: user(10),
                reason: plenary_shared::domain::Reason::Left,
            },
        ),
        said(10, "13:41", 8, "@ada could you take the on-call item?"),
        said(
            11,
            "13:44",
            11,
            "we had 14 pages this week, 9 of them from the same disk alert on the old build hosts.\nI can silence those.",
        ),
        event(
            12,
            at("13:45"),
            What::Leave {
                user: user(11),
                reason: plenary_shared::domain::Reason::ConnectionLost,
            },
        ),
        said(13, "13:46", 9, "日本語もどうぞ 👩‍👩‍👧 é"),
        said(14, "13:47", 8, "a\ttab and a \u{202e}turn"),
        said(15, "13:47", 9, "when do the hosts go?"),
        said(16, "13:47", 8, "Friday. change CHG-1182"),
        said(17, "13:48", 8, "fine by me"),
        said(18, "13:51", 9, "do we have the runbook for the new ones?"),
        event(19, at("13:52"), join(ME, "ada")),
    ]
}

/// The reply to opening the live meeting.
pub fn opened(events: Vec<Event>, inside: Vec<(u64, &str)>) -> OpenOk {
    let names = people();
    let people = inside
        .into_iter()
        .map(|(who, hm)| Participant {
            name: names
                .iter()
                .find(|p| p.id == user(who))
                .expect("known")
                .name
                .clone(),
            age: Some(33),
            gender: None,
            email: "x@example.org".into(),
            id: user(who),
            joined: at(hm),
            presence: Presence::Here,
            since: None,
        })
        .collect();
    let mut all = demo_meetings();
    OpenOk {
        instance: all.remove(0),
        generation: generation(1),
        seq: events.last().map_or(Seq::default(), |event| event.seq),
        durable: Seq::default(),
        people,
        more: events.first().is_some_and(|event| event.seq.get() > 1),
        events,
        users: names,
        unread: None,
        absent: None,
    }
}

pub fn posted(number: u64) -> Posted {
    Posted {
        seq: seq(number),
        timestamp: time(NOW),
        repeat: false,
        durable: None,
    }
}

/// Returns the client's id of a posted message.
pub fn cmid_of(request: &Request) -> Cmid {
    match &request.verb {
        Verb::Post(post) => post.cmid,
        other => panic!("not a post: {other:?}"),
    }
}
