//! Posts that are answered once they are durable.

use axum::http::Method;
use plenary_shared::protocol::Verb;
use plenary_testkit::{Fixture, FixtureBuilder, instance, until_async};
use serde_json::json;

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["ada", "grace"])
        .meeting(1, "Long", None)
        .instance(1, 1, -60, 3_600)
        .start()
}

#[tokio::test]
async fn durable_answer_means_archived() {
    let fixture = fixture();
    let here = instance(1, 1);
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("it is public");
    for n in 1..=3 {
        let (_, id) = ada.begin_durable(here, &n.to_string()).await;
        let posted = ada.answer(id).await.expect("ada is in");
        assert_eq!(posted["durable"], true);
        assert_eq!(fixture.message_rows(here).len(), n);
    }
    let posted = ada.post(here, "by the way").await.expect("ada is in");
    assert_eq!(posted.durable, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn durable_post_answers_ordered_while_archive_is_unavailable() {
    let mut fixture = fixture();
    let here = instance(1, 1);
    let mut ada = fixture.ws("ada").await;
    let mut grace = fixture.ws("grace").await;
    ada.join(here).await.expect("it is public");
    grace.open(here).await.expect("it is public");
    let http = fixture.http("ada");

    fixture.stores.mariadb.kill9();
    let (cmid, durable) = ada.begin_durable(here, "of weight").await;
    let said = grace.next_event().await;
    // Neither reads nor other posts wait for it.
    let people = ada.send(Verb::Participants(here)).await;
    ada.answer(people).await.expect("chat continues");
    let other = ada.post(here, "by the way").await.expect("chat continues");
    assert!(!ada.was_answered(durable), "it is not durable yet");
    assert_eq!(said.seq.next(), other.seq);
    let posted = ada.answer(durable).await.expect("it is ordered");
    assert_eq!(posted["durable"], false);
    assert_eq!(posted["seq"], said.seq.get());

    let again = || {
        http.request(Method::POST, "/meeting/1/order/1/message")
            .header("Idempotency-Key", cmid.to_string())
            .json(&json!({"body": "of weight", "ack": "durable"}))
    };
    let behind = http.send(again()).await;
    assert_eq!(behind.status, 202, "{}", behind.body);
    assert_eq!(behind.body["durable"], false);
    assert_eq!(behind.body["seq"], said.seq.get());

    fixture.stores.mariadb.restart();
    until_async("it to be durable", || async {
        let answer = http.send(again()).await;
        assert_eq!(answer.body["seq"], said.seq.get());
        (answer.status == 200 && answer.body["durable"] == true).then_some(())
    })
    .await;
    let bodies = fixture.message_rows(here).len();
    assert_eq!(bodies, 2, "each was said once");
}
