//! Planning over HTTP: every change, and the state afterwards.

use plenary_shared::limits::IMPORT_BYTES_MAX;
use plenary_testkit::{Fixture, FixtureBuilder};
use serde_json::{Value, json};

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["root", "grace"])
        .admin("root")
        .meeting(1, "Course", Some(&["grace"]))
        .instance(1, 1, 600, 7_200)
        .start()
}

/// The only meeting in an answer.
fn one(answer: &Value) -> &Value {
    let meetings = answer["meetings"].as_array().expect("a list");
    assert_eq!(meetings.len(), 1, "{answer}");
    &meetings[0]
}

#[tokio::test]
async fn meeting_is_added_edited_and_read_back() {
    let fixture = fixture();
    let root = fixture.http("root");
    let new = json!({"title": "Retro", "audience": ["Bob@Example.org", "eve@example.org"]});
    let added = root.post("/plan/meetings", &new).await.ok();
    let meeting = one(&added);
    assert_eq!(meeting["meetingID"], 2);
    assert_eq!(meeting["isPublic"], false);
    assert_eq!(
        meeting["audience"],
        json!(["bob@example.org", "eve@example.org"])
    );

    let edit = json!({"title": "Retro of May", "description": "what went well"});
    root.patch("/plan/meeting/2", &edit).await.ok();
    let read = root.get("/plan/meeting/2").await.ok();
    let meeting = one(&read);
    assert_eq!(meeting["title"], "Retro of May");
    assert_eq!(meeting["description"], "what went well");
    // Fields that are not sent stay.
    assert_eq!(meeting["isPublic"], false);

    let all = root.get("/plan/meetings").await.ok();
    assert_eq!(all["meetings"].as_array().map(Vec::len), Some(2));
    let rest = root.get("/plan/meetings?after=1").await.ok();
    assert_eq!(one(&rest)["meetingID"], 2);
}

#[tokio::test]
async fn audience_is_changed_and_imported() {
    let fixture = fixture();
    let root = fixture.http("root");
    let path = "/plan/meeting/1/audience";
    let change = json!({"add": ["bob@example.org"], "remove": ["grace@example.org"]});
    let changed = root.patch(path, &change).await.ok();
    assert_eq!(one(&changed)["audience"], json!(["bob@example.org"]));

    let import = format!("{path}/import");
    let list = b"email\nken@example.org\nken at home\nbob@example.org\n".to_vec();
    let strict = format!("{import}?strict=true");
    let refused = root.post_bytes(&strict, "text/csv", list.clone()).await;
    assert_eq!((refused.status, refused.code()), (422, "invalid"));
    let detail = refused.body["detail"].as_str().expect("a sentence");
    assert!(detail.contains('3'), "{detail}");
    let same = root.get("/plan/meeting/1").await.ok();
    assert_eq!(one(&same)["audience"], json!(["bob@example.org"]));

    let taken = root.post_bytes(&import, "text/csv", list).await.ok();
    assert_eq!(
        one(&taken)["audience"],
        json!(["bob@example.org", "ken@example.org"])
    );
    let report = &taken["report"];
    assert_eq!(
        (&report["added"], &report["existing"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(report["rejected"][0]["line"], 3);
    assert_eq!(report["rejected"][0]["text"], "ken at home");

    let replace = format!("{import}?replace=true");
    let only = b"eve@example.org\n".to_vec();
    let replaced = root.post_bytes(&replace, "text/plain", only).await.ok();
    assert_eq!(one(&replaced)["audience"], json!(["eve@example.org"]));
    assert_eq!(replaced["report"]["removed"], 2);
}

#[tokio::test]
async fn instance_is_scheduled_moved_and_cancelled() {
    let fixture = fixture();
    let root = fixture.http("root");
    root.post(
        "/plan/meetings",
        &json!({"title": "Retro", "audience": ["grace@example.org"]}),
    )
    .await
    .ok();
    let course = root.get("/plan/meeting/1").await.ok();
    let begins = one(&course)["instances"][0]["fromdatetime"].clone();
    let ends = one(&course)["instances"][0]["todatetime"].clone();
    let times = json!({"fromdatetime": begins, "todatetime": ends});
    let scheduled = root.post("/plan/meeting/2/instances", &times).await.ok();
    assert_eq!(scheduled["instance"], json!({"meetingID": 2, "orderID": 1}));
    let overlap = &scheduled["overlaps"][0];
    assert_eq!(
        (&overlap["title"], &overlap["sharedUsers"]),
        (&json!("Course"), &json!(1))
    );
    assert_eq!(overlap["emails"], json!(["grace@example.org"]));

    let (from, to) = ("2099-01-01T10:00:00.000Z", "2099-01-01T11:00:00.000Z");
    let later = json!({"fromdatetime": from, "todatetime": to});
    let moved = root.put("/plan/meeting/2/order/1", &later).await.ok();
    assert_eq!(one(&moved)["instances"][0]["fromdatetime"], from);
    assert!(
        moved
            .get("overlaps")
            .is_none_or(|found| found == &json!([]))
    );
    let list = fixture.http("grace").get("/meetings").await.ok();
    let seen = list["meetings"].as_array().expect("a list").iter();
    let mut seen = seen.filter(|one| one["meetingID"] == 2);
    assert!(seen.all(|one| one["fromdatetime"] == from), "{list}");

    let cancelled = root.delete("/plan/meeting/2/order/1").await.ok();
    let instance = &one(&cancelled)["instances"][0];
    assert_eq!(
        (&instance["state"], &instance["reason"]),
        (&json!("ended"), &json!("cancelled"))
    );
    let again = root.delete("/plan/meeting/2/order/1").await;
    assert_eq!((again.status, again.code()), (409, "not_scheduled"));
    let back = root.put("/plan/meeting/2/order/1", &later).await;
    assert_eq!((back.status, back.code()), (409, "not_scheduled"));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let fixture = fixture();
    let root = fixture.http("root");
    let (from, to) = ("2099-01-01T10:00:00.000Z", "2099-01-01T11:00:00.000Z");
    let backwards = json!({"fromdatetime": to, "todatetime": from});
    for (answer, code, word) in [
        (
            root.post("/plan/meetings", &json!({"title": "\u{7}"}))
                .await,
            "invalid",
            "title",
        ),
        (
            root.post("/plan/meetings", &json!({})).await,
            "invalid",
            "title",
        ),
        (
            root.post(
                "/plan/meetings",
                &json!({"title": "x", "audience": ["nobody"]}),
            )
            .await,
            "invalid",
            "nobody",
        ),
        (
            root.patch("/plan/meeting/1", &json!({"title": ""})).await,
            "invalid",
            "title",
        ),
        (
            root.patch("/plan/meeting/1/audience", &json!({"add": ["nobody"]}))
                .await,
            "invalid",
            "nobody",
        ),
        (
            root.post("/plan/meeting/1/instances", &backwards).await,
            "invalid",
            "end (to)",
        ),
        (
            root.put("/plan/meeting/1/order/1", &backwards).await,
            "invalid",
            "end (to)",
        ),
        (root.get("/plan/meeting/99").await, "not_found", "99"),
        (
            root.delete("/plan/meeting/1/order/99").await,
            "not_found",
            "1/99",
        ),
        (
            root.post_bytes(
                "/plan/meeting/1/audience/import",
                "text/csv",
                vec![b'a'; IMPORT_BYTES_MAX + 1],
            )
            .await,
            "too_large",
            "",
        ),
        (
            root.post_bytes(
                "/plan/meeting/1/audience/import",
                "text/csv",
                vec![0xff, 0xfe],
            )
            .await,
            "malformed",
            "UTF-8",
        ),
    ] {
        assert_eq!(answer.code(), code, "{:?}", answer.body);
        let detail = answer.body["detail"].as_str().expect("a sentence");
        assert!(detail.contains(word), "{detail}");
    }
    let same = root.get("/plan/meeting/1").await.ok();
    assert_eq!(one(&same)["title"], "Course");
}
