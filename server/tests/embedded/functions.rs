//! The ten functions over HTTP on the embedded store.

use plenary_testkit::Http;
use serde_json::{Value, json};

use crate::harness::{Harness, path};

#[tokio::test]
async fn ten_functions_answer_as_on_redis_and_mysql() {
    let harness = Harness::with(&["ada", "bob", "eve"]);
    harness.sql(
        "INSERT INTO meeting (meetingID, title, isPublic) VALUES (2, 'Plans', 0);
         INSERT INTO audience (meetingID, email) VALUES (2, 'Ada@example.org');
         INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime)
         VALUES (2, 1, 1000, 4000000000000)",
    );
    // 1: an instance starts on time, also if another program inserted it.
    let here = harness.active(3_600);
    let private = "2/1".parse().expect("an instance");
    harness.until_state("1/1".parse().expect("an instance"), "active");
    let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| harness.http(name));
    plenary_testkit::until_async("2/1 to be active", || async {
        (ada.get(&path(private, "participants")).await.status == 200).then_some(())
    })
    .await;

    // 3: join.
    let joined = ada.post(&path(here, "join"), &json!({})).await.ok();
    assert_eq!(joined["seq"], 2);
    bob.get(&path(here, "join?userID=2")).await.ok();
    ada.get(&path(private, "join")).await.ok();
    for (who, at, status, code) in [
        (&ada, path(here, "join"), 409, "already_participant"),
        (&eve, path(private, "join"), 404, "not_found"),
        (&eve, path(private, "messages"), 404, "not_found"),
        (&eve, path(private, "leave"), 404, "not_found"),
        (&eve, path(here, "leave"), 409, "not_participant"),
        (&eve, "/meeting/9/order/9/join".to_owned(), 404, "not_found"),
        (
            &Http::nobody(&harness.server.url()),
            path(here, "join"),
            401,
            "not_signed_in",
        ),
    ] {
        let answer = who.get(&at).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{at}");
    }

    // 7: post, once for each idempotency key.
    let key = "0198a9c2-7f37-7000-8000-000000000001";
    let mut seqs = vec![];
    for status in [201, 200] {
        let request = ada
            .request("POST".parse().expect("a method"), &path(here, "message"))
            .header("Idempotency-Key", key)
            .json(&json!({"body": "hello"}));
        let answer = ada.send(request).await;
        assert_eq!(answer.status, status);
        seqs.push(answer.body["seq"].clone());
    }
    assert_eq!(seqs, [4, 4]);
    bob.post(&path(here, "message"), &json!({"body": "hi"}))
        .await
        .ok();
    let refused = eve
        .post(&path(here, "message"), &json!({"body": "hi"}))
        .await;
    assert_eq!(refused.code(), "not_participant");

    // 8 and 10: pages of all messages and of one user's messages.
    let messages = eve.get(&path(here, "messages")).await.ok();
    assert_eq!(column(&messages["messages"], "body"), ["hello", "hi"]);
    assert_eq!(column(&messages["messages"], "name"), ["ada", "bob"]);
    assert_eq!(messages["more"], false);
    let last = eve.get(&path(here, "messages?limit=1")).await.ok();
    assert_eq!(column(&last["messages"], "body"), ["hi"]);
    assert_eq!(last["more"], true);
    let first = eve.get(&path(here, "messages?after=0&limit=1")).await.ok();
    assert_eq!(column(&first["messages"], "body"), ["hello"]);
    assert_eq!(first["more"], true);
    let of_bob = eve.get(&path(here, "user/2/messages")).await.ok();
    assert_eq!(column(&of_bob["user_messages"], "body"), ["hi"]);

    // 5, 6, 9: participants, active meetings, times of joining.
    let people = eve.get(&path(here, "participants")).await.ok();
    assert_eq!(column(&people["participants"], "name"), ["ada", "bob"]);
    let active = eve.get("/active-meetings").await.ok();
    assert_eq!(column(&active["active_meetings"], "title"), ["Seminar"]);
    assert_eq!(active["active_meetings"][0]["participants"], 2);
    let active = ada.get("/active-meetings").await.ok();
    assert_eq!(
        column(&active["active_meetings"], "title"),
        ["Plans", "Seminar"]
    );
    let times = eve
        .get("/active-meetings-participants-join-logs")
        .await
        .ok();
    let times = &times["active_meetings_participants_join_logs"];
    assert_eq!(column(&times[0]["join_logs"], "name"), ["ada", "bob"]);
    assert_eq!(times[0]["join_logs"][0]["timestamp"], joined["timestamp"]);
    let listed = ada.get("/meetings").await.ok();
    assert_eq!(column(&listed["meetings"], "title"), ["Plans", "Seminar"]);
    assert_eq!(listed["meetings"][1]["joined"], joined["timestamp"]);

    // 4: leave.
    bob.post(&path(here, "leave"), &json!({})).await.ok();
    let people = eve.get(&path(here, "participants")).await.ok();
    assert_eq!(column(&people["participants"], "name"), ["ada"]);
}

fn column(rows: &Value, key: &str) -> Vec<String> {
    let rows = rows.as_array().unwrap_or_else(|| panic!("no list: {rows}"));
    rows.iter()
        .map(|row| row[key].as_str().unwrap_or_default().to_owned())
        .collect()
}
