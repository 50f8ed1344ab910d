//! Privacy: members see the names of others; email, age and gender only admins, the participants
//! themselves, and everybody where the operator says so.

use plenary_shared::protocol::{OpenOk, ParticipantsOk, Search, SearchOk, Verb};
use plenary_testkit::{Fixture, FixtureBuilder, Http, Server, ServerOptions, Ws, instance};
use serde_json::{Value, json};

fn fixture() -> Fixture {
    FixtureBuilder::new()
        .people(1, &["root", "ada", "bob"])
        .admin("root")
        .meeting(1, "Course", Some(&["ada", "bob", "stranger"]))
        .meeting(2, "Open day", None)
        .instance(1, 1, -60, 3_600)
        .instance(2, 1, -60, 3_600)
        .start()
}

/// The profile of a participant in an answer.
fn profile(answer: &Value, id: u64) -> [bool; 3] {
    let people = answer["participants"].as_array();
    let people = people.or(answer["roster"].as_array()).expect("a list");
    let one = people.iter().find(|one| one["userID"] == id);
    let one = one.unwrap_or_else(|| panic!("{id}: {answer}"));
    assert!(one["name"].is_string(), "{answer}");
    ["email", "age", "gender"].map(|key| one.get(key).is_some())
}

const SHOWN: [bool; 3] = [true; 3];
const HIDDEN: [bool; 3] = [false; 3];

/// Checks what ada, bob and root see of ada, by HTTP and on the WebSocket.
async fn check(fixture: &Fixture, server: &Server, of_ada: [[bool; 3]; 3]) {
    for here in [instance(1, 1), instance(2, 1)] {
        let (meeting, order) = (here.meeting, here.order);
        for (who, expected) in ["ada", "bob", "root"].into_iter().zip(of_ada) {
            let token = fixture.token(who);
            let http = Http::with_token(&server.url(), &token);
            let path = format!("/meeting/{meeting}/order/{order}/participants");
            let listed = http.get(&path).await.ok();
            assert_eq!(profile(&listed, 2), expected, "{who}: {listed}");
            let mut ws = Ws::hello(&server.url(), &token).await;
            let listed = ws.ask(Verb::Participants(here)).await.expect("readable");
            assert_eq!(profile(&listed, 2), expected, "{who}: {listed}");
            let opened = ws.open(here).await.expect("readable");
            let opened = serde_json::to_value(opened).expect("JSON");
            assert_eq!(profile(&opened, 2), expected, "{who}: {opened}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_see_the_names_of_others_but_not_their_profiles() {
    let fixture = fixture();
    let ada = fixture.http("ada");
    for at in ["/meeting/1/order/1/join", "/meeting/2/order/1/join"] {
        ada.post(at, &json!({})).await.ok();
    }
    check(&fixture, &fixture.server, [SHOWN, HIDDEN, SHOWN]).await;
    let args = vec!["--profiles".to_owned(), "members".to_owned()];
    let (redis, database) = (&fixture.stores.redis, &fixture.stores.database);
    let options = ServerOptions { args, env: vec![] };
    let open = Server::with(redis, database, options);
    check(&fixture, &open, [SHOWN; 3]).await;
}

#[tokio::test]
async fn events_and_pushes_have_no_profiles() {
    let fixture = fixture();
    let here = instance(1, 1);
    let mut bob = fixture.ws("bob").await;
    bob.open(here).await.expect("he is invited");
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("she is invited");
    let joined = serde_json::to_string(&bob.next_event().await).expect("JSON");
    assert!(joined.contains("\"ada\""), "{joined}");
    assert!(
        !joined.contains('@') && !joined.contains("gender"),
        "{joined}"
    );
    let bob = fixture.http("bob");
    for path in ["events", "messages", "participants"] {
        let listed = bob.get(&format!("/meeting/1/order/1/{path}")).await.ok();
        assert!(!listed.to_string().contains('@'), "{listed}");
    }
    let logs = "/active-meetings-participants-join-logs";
    let listed = bob.get(logs).await.ok().to_string();
    assert!(listed.contains("ada") && !listed.contains('@'), "{listed}");
}

#[tokio::test]
async fn invited_addresses_are_only_counted_for_members() {
    let fixture = fixture();
    let here = instance(1, 1);
    for (who, sees) in [("bob", false), ("root", true)] {
        let mut ws = fixture.ws(who).await;
        let listed: ParticipantsOk = ws.ask_as(Verb::Participants(here)).await.expect("readable");
        let opened: OpenOk = ws.open(here).await.expect("readable");
        for absent in [listed.absent, opened.absent] {
            let absent = absent.expect("MySQL answers");
            assert_eq!(absent.count, 3, "{who}");
            let names: Vec<&str> = absent.users.iter().map(|one| one.name.as_str()).collect();
            let expected: &[&str] = if sees {
                &["ada", "bob", "stranger@example.org"]
            } else {
                &["ada", "bob"]
            };
            assert_eq!(names, expected, "{who}");
        }
    }
}

#[tokio::test]
async fn search_does_not_tell_whose_address_it_is() {
    let fixture = fixture();
    let search = |from: &str| {
        Verb::Search(Search {
            query: format!("from:{from}@example.org x"),
            before: None,
            limit: 10,
        })
    };
    let mut bob = fixture.ws("bob").await;
    for who in ["ada", "nobody"] {
        let refused = bob.ask(search(who)).await.expect_err("not his own");
        assert_eq!(refused.code.as_str(), "invalid");
        assert!(refused.detail.contains("Only admins"), "{refused}");
    }
    bob.ask_as::<SearchOk>(search("bob"))
        .await
        .expect("his own");
    let mut root = fixture.ws("root").await;
    root.ask_as::<SearchOk>(search("ada"))
        .await
        .expect("an admin");
}
