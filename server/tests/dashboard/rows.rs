//! Admins who watch are pushed the dashboard; nobody else is.

use plenary_shared::domain::InstanceState;
use plenary_shared::protocol::{Push, Verb, Watch};
use plenary_testkit::{Fixture, FixtureBuilder, Server, Ws, instance};
use serde_json::json;

use crate::watched::Watched;

pub fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["ada", "grace", "ken", "root"])
        .admin("root")
        .meeting(1, "Secret plans", Some(&["grace", "ken"]))
        .meeting(2, "Open day", None)
        .instance(1, 1, -3_600, 3_600)
        .instance(2, 1, -60, 3_600)
        .instance(2, 2, 600, 3_600)
        .start()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admin_sees_meetings_of_every_server() {
    let fixture = fixture();
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let mut watched = Watched::begin(fixture.ws("root").await).await;
    watched.until("three rows", |it| it.rows.len() == 3).await;
    let head = watched.head.clone().expect("a head");
    assert_eq!((head.live, head.upcoming, head.participants), (2, 1, 0));

    // At the other server somebody comes, talks, and goes.
    let here = instance(1, 1);
    let mut grace = Ws::hello(&second.url(), &fixture.token("grace")).await;
    grace.join(here).await.expect("she is invited");
    let mut ken = fixture.ws("ken").await;
    ken.join(here).await.expect("he is invited");
    ken.open(here).await.expect("he is in");
    for n in 0..5 {
        grace
            .post(here, &format!("number {n}"))
            .await
            .expect("she is in");
    }
    ken.ask(Verb::Leave(here)).await.expect("he is in");
    watched
        .until("what they did", |it| {
            it.row(1)
                .is_some_and(|row| (row.messages, row.participants, row.left_early) == (5, 1, 1))
        })
        .await;
    let row = watched.row(1).expect("a row").clone();
    // Both came an hour after the beginning.
    assert_eq!(
        (
            row.total_participants,
            row.late,
            row.invited,
            row.messages_per_minute
        ),
        (2, 2, Some(2), 5)
    );
    assert!(row.last_message.is_some());
    // He receives each of them from this server.
    watched
        .until("how long that takes", |it| {
            it.head.as_ref().is_some_and(|head| {
                head.delivery_p95_ms.is_some() && head.errors == 0 && it.servers[0].rooms == 1
            })
        })
        .await;
    // An admin acts, and sees it.
    let root = fixture.http("root");
    root.post("/meeting/1/order/1/lock", &json!({})).await.ok();
    watched
        .until("the lock", |it| it.row(1).is_some_and(|row| row.locked))
        .await;
    root.post("/meeting/1/order/1/end", &json!({"reason": "enough"}))
        .await
        .ok();
    watched
        .until("the end", |it| {
            it.row(1)
                .is_some_and(|row| row.state == InstanceState::Ended && row.participants == 0)
        })
        .await;
    let row = watched.row(1).expect("a row");
    // Grace was there to the end.
    assert_eq!(
        (row.total_participants, row.left_early, row.messages),
        (2, 1, 5)
    );
    watched
        .until("the sums", |it| {
            it.head
                .as_ref()
                .is_some_and(|head| (head.live, head.participants) == (1, 0))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_watcher_receives_everything() {
    let fixture = fixture();
    let mut first = Watched::begin(fixture.ws("root").await).await;
    first.until("three rows", |it| it.rows.len() == 3).await;
    let mut second = Watched::begin(fixture.ws("root").await).await;
    second.until("three rows", |it| it.rows.len() == 3).await;
    let stop = Verb::Watch(Watch {
        stop: true,
        instance: None,
    });
    first.ws.ask(stop).await.expect("an admin may");
    // Whatever was under way when it stopped has come before the answer to what is asked now.
    let grace = fixture.http("grace");
    grace.post("/meeting/1/order/1/join", &json!({})).await.ok();
    second
        .until("grace", |it| {
            it.row(1).is_some_and(|row| row.participants == 1)
        })
        .await;
    first.ws.ask(Verb::Meetings {}).await.expect("a list");
    let mut told = Vec::new();
    fixture.http("root").post("/logout", &json!({})).await;
    while let Some(push) = first.ws.try_next().await {
        told.push(push);
    }
    let of_grace = told.iter().any(|push| match push {
        Push::Dashboard(news) => news.rows.iter().any(|row| row.participants == 1),
        _ => false,
    });
    assert!(!of_grace, "{told:?}");
}
