//! One instance in detail: stays, connections, refused users.

use plenary_shared::domain::{Code, Reason};
use plenary_shared::protocol::{Push, TimelineKind, Verb, Watch};
use plenary_testkit::{Server, Ws, instance};
use serde_json::json;

use crate::rows::fixture;
use crate::watched::Watched;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn detail_shows_stays_of_every_server_and_refusals() {
    let fixture = fixture();
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let here = instance(1, 1);
    // Events from before the watch are included.
    let mut grace = Ws::hello(&second.url(), &fixture.token("grace")).await;
    grace.join(here).await.expect("she is invited");
    grace.post(here, "a secret").await.expect("she is in");
    grace.ask(Verb::Leave(here)).await.expect("she is in");
    let mut watched = Watched::begin(fixture.ws("root").await).await;
    watched.look_into(here).await;
    watched
        .until("her first stay", |it| {
            it.named("grace").is_some_and(|one| one.stays.len() == 1)
        })
        .await;

    grace.join(here).await.expect("she is invited");
    let ken = fixture.http("ken");
    ken.post("/meeting/1/order/1/join", &json!({})).await.ok();
    // She is not in the audience, on any server.
    let mut ada = Ws::hello(&second.url(), &fixture.token("ada")).await;
    let refused = ada.join(here).await.expect_err("she is not invited");
    assert_eq!(refused.code, Code::NotFound);
    watched
        .until("all of it", |it| {
            let denied = it.sums.as_ref().is_some_and(|sums| sums.denied == 1);
            let connected = |name, n| it.named(name).is_some_and(|one| one.connections == n);
            denied && connected("grace", 1) && connected("ken", 0)
        })
        .await;
    let one = watched.named("grace").expect("she was in").clone();
    assert_eq!((one.stays.len(), one.messages, one.servers), (2, 1, 1));
    assert_eq!(one.stays[0].reason, Some(Reason::Left));
    assert!(one.stays[0].to.is_some() && one.stays[1].to.is_none());
    // She is connected to the other server, which measures her round trip.
    assert_eq!(one.rtt_ms, None);
    let denied = watched
        .traces
        .iter()
        .find(|one| matches!(one.kind, TimelineKind::Denied { .. }))
        .expect("it was published");
    let code = Code::NotAllowed;
    assert_eq!(denied.kind, TimelineKind::Denied { code });
    assert_eq!((denied.name.as_str(), denied.seq), ("ada", None));
    let message = TimelineKind::Message { bytes: 8 };
    assert!(watched.traces.iter().any(|one| one.kind == message));
    assert!(!format!("{:?}", watched.traces).contains("secret"));

    // A user who loses the connection may come back.
    drop(grace);
    watched
        .until("that she is lost", |it| {
            it.traces
                .iter()
                .any(|one| one.kind == TimelineKind::ConnectionLost)
        })
        .await;
    let mut grace = fixture.ws("grace").await;
    grace.open(here).await.expect("she is in");
    let near = watched.until("that she is back, and how far away she is", |it| {
        let back = it
            .traces
            .iter()
            .any(|one| one.kind == TimelineKind::Reconnected);
        back && it.named("grace").is_some_and(|one| one.rtt_ms.is_some())
    });
    // A client that is read answers pings.
    let reading = async {
        loop {
            grace.next().await;
        }
    };
    tokio::select! {
        () = near => {}
        () = reading => {}
    }
    let sums = watched.sums.as_ref().expect("sums");
    assert_eq!(
        (sums.peak, sums.stays, sums.arrivals.counts.iter().sum()),
        (2, 1, 3)
    );

    // The watch continues to the end; later watchers get the record.
    let root = fixture.http("root");
    root.post("/meeting/1/order/1/end", &json!({"reason": "enough"}))
        .await
        .ok();
    watched
        .until("the end", |it| {
            it.traces
                .iter()
                .any(|one| matches!(one.kind, TimelineKind::Closed { .. }))
        })
        .await;
    let mut later = Watched::begin(fixture.ws("root").await).await;
    later.look_into(here).await;
    later
        .until("who was there to the end", |it| {
            let to_the_end = |one: &plenary_shared::protocol::Attendee| {
                one.stays.last().and_then(|stay| stay.reason) == Some(Reason::Ended)
            };
            it.named("grace").is_some_and(to_the_end) && it.named("ken").is_some_and(to_the_end)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admin_watches_one_detail_at_a_time() {
    let fixture = fixture();
    let mut watched = Watched::begin(fixture.ws("root").await).await;
    watched.look_into(instance(1, 1)).await;
    watched.until("the detail", |it| it.begun == 1).await;
    watched.look_into(instance(2, 1)).await;
    watched.until("the other", |it| it.begun == 2).await;
    let grace = fixture.http("grace");
    for meeting in [1, 2] {
        let path = format!("/meeting/{meeting}/order/1/join");
        grace.post(&path, &json!({})).await.ok();
    }
    watched
        .until("grace", |it| it.named("grace").is_some())
        .await;
    let joins = watched.traces.iter();
    let joins = joins.filter(|one| one.kind == TimelineKind::Join);
    assert_eq!(joins.count(), 1, "{:?}", watched.traces);

    // Without an instance only the table is pushed.
    let watch = Verb::Watch(Watch::default());
    watched.ws.ask(watch).await.expect("an admin may");
    grace
        .post("/meeting/2/order/1/leave", &json!({}))
        .await
        .ok();
    let mut told = Vec::new();
    loop {
        let push = watched.ws.next().await;
        let is_over = match &push {
            Push::Dashboard(news) => news
                .rows
                .iter()
                .any(|row| row.instance == instance(2, 1) && row.participants == 0),
            _ => false,
        };
        told.push(push);
        if is_over {
            break;
        }
    }
    let details = told.iter().filter(|push| matches!(push, Push::Detail(_)));
    assert_eq!(details.count(), 0, "{told:?}");
}
