//! The ten functions over HTTP, each with the shape of its answer.

use std::time::Duration;

use plenary_testkit::{Fixture, FixtureBuilder, instance};
use serde_json::{Value, json};

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["john", "hamid", "haled"])
        .meeting(1, "BDMS Course", Some(&["john"]))
        .meeting(3, "Seminar", None)
        .instance(1, 1, -60, 3_600)
        .instance(3, 1, -60, 3_600)
        .instance(3, 2, 1_800, 3_600)
        .start()
}

/// The keys of an object.
fn keys(value: &Value) -> Vec<&str> {
    let object = value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"));
    object.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn functions_answer_in_their_documented_shape() {
    let fixture = fixture();
    let [john, hamid, haled] = ["john", "hamid", "haled"].map(|name| fixture.http(name));

    // 3: join, by POST and by GET.
    let joined = hamid.post("/meeting/3/order/1/join", &json!({})).await;
    assert_eq!(joined.status, 200);
    assert_eq!(joined.body["success"], true);
    assert_eq!(joined.body["seq"], 2);
    assert_eq!(
        keys(&joined.body),
        ["message", "seq", "success", "timestamp"]
    );
    haled.get("/meeting/3/order/1/join?userID=3").await.ok();

    // 5: participants, in the order of joining.
    let people = john.get("/meeting/3/order/1/participants").await.ok();
    let names: Vec<&Value> = people["participants"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| &p["name"])
        .collect();
    assert_eq!(names, ["hamid", "haled"]);
    assert_eq!(
        keys(&people["participants"][0]),
        ["joined", "name", "userID"]
    );
    // Everybody sees their own profile.
    let people = hamid.get("/meeting/3/order/1/participants").await.ok();
    assert_eq!(
        keys(&people["participants"][0]),
        ["age", "email", "gender", "joined", "name", "userID"]
    );

    // 6: active meetings, only the visible ones.
    let active = hamid.get("/active-meetings").await.ok();
    let active = active["active_meetings"].as_array().expect("a list");
    assert_eq!(active.len(), 1);
    assert_eq!(active[0]["title"], "Seminar");
    assert_eq!(active[0]["isPublic"], true);
    assert_eq!(active[0]["participants"], 2);
    for key in [
        "description",
        "fromdatetime",
        "todatetime",
        "meetingID",
        "orderID",
    ] {
        assert!(active[0].get(key).is_some(), "{key}");
    }
    let active = john.get("/active-meetings").await.ok();
    assert_eq!(active["active_meetings"].as_array().map(Vec::len), Some(2));

    // 7: post.
    let body = json!({"body": "Good morning", "userID": 2});
    let posted = hamid.post("/meeting/3/order/1/message", &body).await;
    assert_eq!(posted.status, 201);
    assert_eq!(posted.body["success"], true);
    assert_eq!(posted.body["seq"], 4);
    let body = json!({"body": "Good morning, hamid"});
    haled.post("/meeting/3/order/1/message", &body).await.ok();

    // 8: messages, in order.
    let messages = john.get("/meeting/3/order/1/messages").await.ok();
    assert_eq!(messages["more"], false);
    let messages = messages["messages"].as_array().expect("a list");
    let said: Vec<_> = messages.iter().map(|m| (&m["name"], &m["body"])).collect();
    assert_eq!(
        said,
        [
            (&json!("hamid"), &json!("Good morning")),
            (&json!("haled"), &json!("Good morning, hamid"))
        ]
    );
    assert_eq!(messages[0]["cmid"], posted.body["cmid"]);
    assert_eq!(messages[0]["timestamp"], posted.body["timestamp"]);

    // 9: when the current participants joined.
    let logs = john
        .get("/active-meetings-participants-join-logs")
        .await
        .ok();
    let logs = logs["active_meetings_participants_join_logs"].clone();
    let seminar = logs
        .as_array()
        .expect("a list")
        .iter()
        .find(|log| log["meetingID"] == 3)
        .expect("the Seminar is active");
    assert_eq!(seminar["meeting"], "Seminar");
    assert_eq!(seminar["join_logs"][0]["userID"], 2);
    assert_eq!(seminar["join_logs"][0]["eventType"], "join");
    assert_eq!(
        seminar["join_logs"][0]["timestamp"],
        joined.body["timestamp"]
    );

    // 10: one user's messages.
    let of_haled = john.get("/meeting/3/order/1/user/3/messages").await.ok();
    assert_eq!(of_haled["user_messages"].as_array().map(Vec::len), Some(1));
    assert_eq!(of_haled["user_messages"][0]["body"], "Good morning, hamid");

    // 4: leave.
    let left = haled
        .post("/meeting/3/order/1/leave", &json!({}))
        .await
        .ok();
    assert_eq!(left["success"], true);
    let people = john.get("/meeting/3/order/1/participants").await.ok();
    assert_eq!(people["participants"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn repeated_post_keeps_its_seq() {
    let fixture = fixture();
    let hamid = fixture.http("hamid");
    hamid.post("/meeting/3/order/1/join", &json!({})).await.ok();
    let post = || {
        let request = hamid.request(
            "POST".parse().expect("a method"),
            "/meeting/3/order/1/message",
        );
        hamid.send(
            request
                .header("Idempotency-Key", "01890a5d-ac96-774b-bcce-b302099a8057")
                .json(&json!({"body": "once"})),
        )
    };
    let first = post().await;
    assert_eq!(first.status, 201);
    assert_eq!(first.body["cmid"], "01890a5d-ac96-774b-bcce-b302099a8057");
    let again = post().await;
    assert_eq!(again.status, 200);
    assert_eq!(again.body["seq"], first.body["seq"]);
    assert_eq!(again.body["timestamp"], first.body["timestamp"]);
    let messages = hamid.get("/meeting/3/order/1/messages").await.ok();
    assert_eq!(messages["messages"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn messages_are_paged_in_both_directions() {
    let fixture = fixture();
    let hamid = fixture.http("hamid");
    hamid.post("/meeting/3/order/1/join", &json!({})).await.ok();
    for n in 0..25 {
        let body = json!({"body": n.to_string()});
        hamid.post("/meeting/3/order/1/message", &body).await.ok();
    }
    let page = async |query: &str| {
        let path = format!("/meeting/3/order/1/messages?{query}");
        let page = hamid.get(&path).await.ok();
        let bodies: Vec<i64> = page["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|m| m["body"].as_str()?.parse().ok())
            .collect();
        (bodies, page["more"] == true)
    };
    // opened is 1, the join 2, message n has seq n + 3.
    assert_eq!(page("limit=10").await, ((15..25).collect(), true));
    assert_eq!(page("limit=10&before=18").await, ((5..15).collect(), true));
    assert_eq!(page("limit=10&before=8").await, ((0..5).collect(), false));
    assert_eq!(page("limit=10&after=0").await, ((0..10).collect(), true));
    assert_eq!(page("limit=10&after=22").await, ((20..25).collect(), false));
    assert_eq!(page("").await, ((0..25).collect(), false));
}

#[tokio::test]
async fn an_ended_instance_is_read_from_the_record() {
    let fixture = fixture();
    let here = fixture.schedule(3, Duration::from_secs(3));
    let hamid = fixture.http("hamid");
    let path = |rest: &str| format!("/meeting/3/order/{}/{rest}", here.order);
    hamid.post(&path("join"), &json!({})).await.ok();
    for n in 0..5 {
        let body = json!({"body": format!("message {n}")});
        hamid.post(&path("message"), &body).await.ok();
    }
    let live = hamid.get(&path("messages?limit=3")).await.ok();
    fixture.wait_state(here, "ended");
    let archived = hamid.get(&path("messages?limit=3")).await.ok();
    assert_eq!(archived, live);
    let own = hamid.get(&path("user/2/messages")).await.ok();
    assert_eq!(own["user_messages"].as_array().map(Vec::len), Some(5));
    let late = hamid.post(&path("message"), &json!({"body": "late"})).await;
    assert_eq!((late.status, late.code()), (400, "ended"));
    assert_eq!(here, instance(3, 3));
}
