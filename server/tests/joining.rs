//! Many users at once: one stay for each user, one number for each event, one order for every
//! reader.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use plenary_shared::domain::{Event, EventKind};
use plenary_shared::protocol::{Events, Verb};
use plenary_testkit::{Fixture, FixtureBuilder, Http, Ws, instance};
use serde_json::json;

const MANY: usize = 200;
const POSTERS: usize = 50;
const POSTS_EACH: usize = 20;

fn fixture() -> (Fixture, Vec<String>) {
    let names: Vec<String> = (0..MANY).map(|n| format!("person{n}")).collect();
    let fixture = FixtureBuilder::new()
        .people(1, &names)
        .meeting(1, "Assembly", None)
        .instance(1, 1, -60, 3_600)
        .start();
    (fixture, names)
}

/// Reads the whole log in pages over the WebSocket.
async fn whole_log(ws: &mut Ws) -> Vec<Event> {
    let mut events: Vec<Event> = vec![];
    loop {
        let page = Verb::Events(Events {
            instance: instance(1, 1),
            after: Some(events.last().map(|e| e.seq).unwrap_or_default()),
            before: None,
            limit: 1_000,
        });
        let page: plenary_shared::protocol::EventsOk = ws.ask_as(page).await.expect("a page");
        events.extend(page.events);
        if !page.more {
            return events;
        }
    }
}

fn joins(events: &[Event]) -> Vec<u64> {
    events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Join { user, .. } => Some(user.get()),
            EventKind::Opened
            | EventKind::Leave { .. }
            | EventKind::Message { .. }
            | EventKind::Edited { .. }
            | EventKind::Deleted { .. }
            | EventKind::Moderated(_)
            | EventKind::Closed { .. } => None,
        })
        .collect()
}

#[track_caller]
fn assert_gapless(events: &[Event]) {
    let seqs: Vec<u64> = events.iter().map(|event| event.seq.get()).collect();
    let expected: Vec<u64> = (1..=seqs.len() as u64).collect();
    assert_eq!(seqs, expected);
}

#[tokio::test]
async fn concurrent_joins_of_one_user_create_one_stay() {
    let (fixture, _) = fixture();
    let person = fixture.http("person0");
    let answers = join_all((0..MANY).map(|_| {
        let person = person.clone();
        async move { person.post("/meeting/1/order/1/join", &json!({})).await }
    }))
    .await;
    let joined = answers.iter().filter(|a| a.status == 200).count();
    let refused = answers
        .iter()
        .filter(|a| a.status == 409 && a.code() == "already_participant")
        .count();
    assert_eq!((joined, refused), (1, MANY - 1));

    let people = person.get("/meeting/1/order/1/participants").await.ok();
    assert_eq!(people["participants"].as_array().map(Vec::len), Some(1));
    let events = whole_log(&mut fixture.ws("person0").await).await;
    assert_gapless(&events);
    assert_eq!(joins(&events), [1]);
}

#[tokio::test]
async fn joins_of_200_users_create_one_stay_each() {
    let (fixture, names) = fixture();
    let url = fixture.server.url();
    let tokens = fixture.tokens(&names);
    let answers = join_all(tokens.iter().map(|token| {
        let person = Http::with_token(&url, token);
        async move { person.get("/meeting/1/order/1/join").await }
    }))
    .await;
    for answer in answers {
        answer.ok();
    }

    let person = Http::with_token(&url, &tokens[7]);
    let people = person.get("/meeting/1/order/1/participants").await.ok();
    let people: BTreeSet<u64> = people["participants"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|participant| participant["userID"].as_u64())
        .collect();
    let everybody: BTreeSet<u64> = (1..=MANY as u64).collect();
    assert_eq!(people, everybody);
    let events = whole_log(&mut fixture.ws("person7").await).await;
    assert_gapless(&events);
    let joined = joins(&events);
    assert_eq!(joined.len(), MANY);
    assert_eq!(joined.into_iter().collect::<BTreeSet<_>>(), everybody);
}

#[tokio::test]
async fn concurrent_posts_have_one_order_for_every_reader() {
    let (fixture, names) = fixture();
    let url = fixture.server.url();
    let tokens = fixture.tokens(&names);
    let here = instance(1, 1);

    // Two readers who follow from the start, and one who only reads the answers to his posts.
    let mut followers = vec![];
    for token in &tokens[POSTERS..POSTERS + 2] {
        let mut ws = Ws::hello(&url, token).await;
        ws.open(here).await.expect("it is open");
        followers.push(ws);
    }
    let mut posters = join_all(tokens[..POSTERS].iter().map(async |token| {
        let mut ws = Ws::hello(&url, token).await;
        ws.join(here).await.expect("it is public");
        ws
    }))
    .await;
    posters[0].open(here).await.expect("it is open");
    let mut acknowledged = join_all(posters.iter_mut().enumerate().map(async |(who, ws)| {
        let mut seqs = vec![];
        for n in 0..POSTS_EACH {
            let body = format!("{who}: {n}");
            let posted = ws.post(here, &body).await.expect("a participant posts");
            seqs.push((posted.seq.get(), body));
        }
        // A user's own posts keep their order.
        assert!(seqs.is_sorted());
        seqs
    }))
    .await
    .concat();
    acknowledged.sort();

    let total = 1 + POSTERS + POSTERS * POSTS_EACH;
    let log = whole_log(&mut followers[0]).await;
    assert_gapless(&log);
    assert_eq!(log.len(), total);
    let in_log: Vec<(u64, String)> = log.iter().filter_map(said).collect();
    assert_eq!(in_log, acknowledged);

    // Every follower received the same events in the same order.
    for follower in &mut followers {
        let mut pushed = vec![];
        while pushed.len() < total - 1 {
            pushed.push(follower.next_event().await);
        }
        assert_eq!(pushed, log[1..]);
    }
    let mut own = vec![];
    while own.len() < POSTERS * POSTS_EACH {
        own.extend(said(&posters[0].next_event().await));
    }
    assert_eq!(own, acknowledged);

    // The same over HTTP, in pages.
    let reader = Http::with_token(&url, &tokens[POSTERS]);
    let mut read = vec![];
    let mut after = 0;
    loop {
        let path = format!("/meeting/1/order/1/messages?after={after}&limit=300");
        let page = reader.get(&path).await.ok();
        for message in page["messages"].as_array().expect("a list") {
            after = message["seq"].as_u64().expect("a number");
            let body = message["body"].as_str().expect("a text");
            read.push((after, body.to_owned()));
        }
        if page["more"] == json!(false) {
            break;
        }
    }
    assert_eq!(read, acknowledged);
}

fn said(event: &Event) -> Option<(u64, String)> {
    match &event.kind {
        EventKind::Message { body, .. } => Some((event.seq.get(), body.to_string())),
        EventKind::Opened
        | EventKind::Join { .. }
        | EventKind::Leave { .. }
        | EventKind::Edited { .. }
        | EventKind::Deleted { .. }
        | EventKind::Moderated(_)
        | EventKind::Closed { .. } => None,
    }
}
