//! The border between what is live and what is archived, and a log that cannot be archived.

use std::sync::Arc;
use std::time::{Duration, Instant};

use plenary_server::clock;
use plenary_server::store::hybrid::Hybrid;
use plenary_server::store::mysql::Ledger;
use plenary_server::store::redis::Live;
use plenary_server::store::{Page, Store};
use plenary_shared::domain::User;
use plenary_shared::ids::{Cmid, InstanceId, Seq};
use plenary_shared::text::MessageBody;
use plenary_testkit::{Scene, Setting, instance, until};
use serde_json::json;

/// A meeting whose server is gone: nothing is done but what the test does.
async fn quiet() -> (Scene, Arc<Hybrid>, User, User) {
    let mut scene = Setting::new()
        .people(1, &["ada", "grace"])
        .meeting(1, "Long", None)
        .instance(1, 1, -60, 3_600)
        .start();
    scene.server.kill9();
    let store = Hybrid::new(live(&scene).await, ledger(&scene), clock::of_machine());
    let mut people = vec![];
    for email in ["ada@example.org", "grace@example.org"] {
        let account = store.account(email).await.expect("MySQL answers");
        people.push(account.expect("there is somebody").user);
    }
    let here = instance(1, 1);
    for person in &people {
        store.join(here, person, None).await.expect("it is public");
    }
    archive(&*store, here).await;
    let grace = people.pop().expect("two");
    let ada = people.pop().expect("two");
    (scene, store, ada, grace)
}

fn ledger(scene: &Scene) -> Ledger {
    Ledger::connect(&scene.stores.database.url()).expect("a URL that the server takes")
}

async fn live(scene: &Scene) -> Live {
    let nonce = ledger(scene).nonce().await.expect("MySQL answers");
    Live::connect(&scene.stores.redis.url(), &nonce).expect("a URL that it takes")
}

async fn archive(store: &dyn Store, here: InstanceId) {
    while !store.archive(&[here]).await.expect("it is done").is_empty() {}
}

async fn post(store: &dyn Store, here: InstanceId, user: &User, body: &str) -> Seq {
    let body = MessageBody::parse(body).expect("a good body");
    let cmid = Cmid(uuid::Uuid::now_v7());
    let posted = store.post(here, user, cmid, &body).await;
    posted.expect("they are in").seq
}

/// As a restart does that finds an older state: what is live has to be built anew.
fn forget(scene: &Scene) {
    scene.stores.redis.command(&["DEL", "plenary:boot"]);
    scene.stores.redis.command(&["SCRIPT", "FLUSH"]);
}

#[tokio::test]
async fn nobodys_messages_are_those_that_a_fence_made_void() {
    let (scene, store, ada, grace) = quiet().await;
    let here = instance(1, 1);
    let void = post(&*store, here, &ada, "never archived").await;
    let log = "{meeting:1:order:1}:log";
    let entry = format!("{void}-0");
    scene.stores.redis.command(&["XDEL", log, &entry]);
    forget(&scene);
    let kept = post(&*store, here, &grace, "has the same number").await;
    assert_eq!(void, kept);
    for (person, expected) in [(&ada, vec![]), (&grace, vec![kept])] {
        let page = Page::Before(None);
        let found = store.user_messages(here, &ada, person.id, page, 10).await;
        let found = found.expect("it is public");
        let seqs: Vec<Seq> = found.messages.iter().map(|one| one.seq).collect();
        assert_eq!(seqs, expected);
        assert!(!found.more);
    }
}

#[derive(Clone, Copy, Debug)]
enum Of {
    Everything,
    Messages,
    Adas,
}

/// A page's seqs, and whether there are more.
async fn page(
    store: &dyn Store,
    viewer: &User,
    of: Of,
    page: Page,
    limit: usize,
) -> (Vec<Seq>, bool) {
    let here = instance(1, 1);
    match of {
        Of::Everything => {
            let found = store
                .events(here, viewer, page, limit)
                .await
                .expect("a page");
            (found.events.iter().map(|one| one.seq).collect(), found.more)
        }
        Of::Messages => {
            let found = store
                .messages(here, viewer, page, limit)
                .await
                .expect("a page");
            (
                found.messages.iter().map(|one| one.seq).collect(),
                found.more,
            )
        }
        Of::Adas => {
            let found = store
                .user_messages(here, viewer, viewer.id, page, limit)
                .await;
            let found = found.expect("a page");
            (
                found.messages.iter().map(|one| one.seq).collect(),
                found.more,
            )
        }
    }
}

/// All pages from one end to the other, by what each says of itself.
async fn walk(store: &dyn Store, viewer: &User, of: Of, up: bool, limit: usize) -> Vec<Seq> {
    let mut all: Vec<Seq> = vec![];
    loop {
        let asked = match (up, all.first(), all.last()) {
            (true, _, last) => Page::After(last.copied().unwrap_or_default()),
            (false, first, _) => Page::Before(first.copied()),
        };
        let (found, more) = page(store, viewer, of, asked, limit).await;
        assert!(found.len() <= limit);
        assert!(!found.is_empty() || !more, "nothing, and more of it");
        if up {
            all.extend(found);
        } else {
            all.splice(0..0, found);
        }
        if !more {
            return all;
        }
    }
}

#[tokio::test]
async fn pages_go_over_the_border_without_a_hole() {
    let (scene, store, ada, grace) = quiet().await;
    let here = instance(1, 1);
    let (mut said, mut adas) = (vec![], vec![]);
    for n in 0..1_300 {
        let person = if n % 3 == 0 { &ada } else { &grace };
        let seq = post(&*store, here, person, &n.to_string()).await;
        said.push(seq);
        if n % 3 == 0 {
            adas.push(seq);
        }
    }
    archive(&*store, here).await;
    let last = said.last().expect("many").get();
    let everything: Vec<Seq> = (1..=last).map(|n| Seq::new(n).expect("small")).collect();
    // All live; half of it, and a part that is not whole pages; nothing but the archive.
    for border in [0, 650, 1_299, last] {
        if border == last {
            forget(&scene);
            store.leave(here, &grace).await.expect("grace is in");
        } else if border > 0 {
            let log = "{meeting:1:order:1}:log";
            let from = format!("{border}-0");
            scene.stores.redis.command(&["XTRIM", log, "MINID", &from]);
        }
        for limit in [1_000, 333, 97] {
            for up in [true, false] {
                let at = format!("border {border}, limit {limit}, up {up}");
                assert_eq!(
                    walk(&*store, &ada, Of::Messages, up, limit).await,
                    said,
                    "{at}"
                );
                assert_eq!(walk(&*store, &ada, Of::Adas, up, limit).await, adas, "{at}");
                let mut expected = everything.clone();
                if border == last {
                    expected.push(expected.last().expect("many").next());
                }
                assert_eq!(
                    walk(&*store, &ada, Of::Everything, up, limit).await,
                    expected,
                    "{at}"
                );
            }
        }
    }
}

#[tokio::test]
async fn an_audience_that_comes_late_leaves_no_key_behind() {
    let (scene, _store, ada, _grace) = quiet().await;
    let gone = instance(1, 7);
    let audience = [(gone, vec![ada.email])];
    assert!(live(&scene).await.set_audiences(&audience).await.is_ok());
    assert_eq!(scene.live_keys(gone), Vec::<String>::new());
}

#[tokio::test]
async fn a_log_that_cannot_be_archived_is_tried_again_but_not_all_the_time() {
    // Somebody else's row is where the record of the second event belongs.
    let scene = Setting::new()
        .people(1, &["ada"])
        .meeting(1, "Long", None)
        .sql(
            "INSERT INTO event_log (meetingID, orderID, seq, eventType, timestamp) \
             VALUES (1, 1, 2, 'join', UTC_TIMESTAMP(3))",
        )
        .instance(1, 1, -60, 3_600)
        .start();
    let ada = scene.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let alarms = || {
        let log = scene.server.log();
        let alarm = "the log cannot be archived";
        log.iter().filter(|line| line.contains(alarm)).count()
    };
    until("an alarm", || (alarms() > 0).then_some(()));
    let began = Instant::now();
    let before = alarms();
    until("more alarms", || (alarms() >= before + 3).then_some(()));
    assert!(began.elapsed() > Duration::from_secs(1), "all the time");
}
