//! The border between live and archived events, and a log that cannot be archived.

use std::sync::Arc;
use std::time::{Duration, Instant};

use plenary_server::clock;
use plenary_server::store::mysql::{LivePlan, MysqlStore};
use plenary_server::store::redis::RedisStore;
use plenary_server::store::redis_mysql::RedisMysqlStore;
use plenary_server::store::{LogStore, MessageStore, Page, ParticipationStore, Store, UserStore};
use plenary_shared::domain::{Meeting, User};
use plenary_shared::ids::{Cmid, InstanceId, Seq};
use plenary_shared::text::MessageBody;
use plenary_testkit::{Fixture, FixtureBuilder, instance, until};
use serde_json::json;

/// A meeting without a running server: nothing happens except what the test does.
async fn quiet() -> (Fixture, Arc<RedisMysqlStore>, User, User) {
    let mut fixture = FixtureBuilder::new()
        .people(1, &["ada", "grace"])
        .meeting(1, "Long", None)
        .instance(1, 1, -60, 3_600)
        .start();
    fixture.server.kill9();
    let store = RedisMysqlStore::new(live(&fixture).await, mysql(&fixture), clock::of_machine());
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
    (fixture, store, ada, grace)
}

fn mysql(fixture: &Fixture) -> MysqlStore {
    MysqlStore::connect(&fixture.stores.database.url()).expect("a URL that the server takes")
}

async fn live(fixture: &Fixture) -> RedisStore {
    let nonce = mysql(fixture).nonce().await.expect("MySQL answers");
    RedisStore::connect(&fixture.stores.redis.url(), &nonce).expect("a URL that it takes")
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

/// Simulates a restart with an older state: the live state has to be rebuilt.
fn forget(fixture: &Fixture) {
    fixture.stores.redis.command(&["DEL", "plenary:boot"]);
    fixture.stores.redis.command(&["SCRIPT", "FLUSH"]);
}

#[tokio::test]
async fn invalidated_messages_are_not_listed() {
    let (fixture, store, ada, grace) = quiet().await;
    let here = instance(1, 1);
    let void = post(&*store, here, &ada, "never archived").await;
    let log = "{meeting:1:order:1}:log";
    let entry = format!("{void}-0");
    fixture.stores.redis.command(&["XDEL", log, &entry]);
    forget(&fixture);
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

/// The seqs of a page, and whether there are more.
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

/// All pages from one end to the other, following what each page returns.
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
async fn pages_cross_the_archive_border_without_gaps() {
    let (fixture, store, ada, grace) = quiet().await;
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
    // All events live; half of them, and an uneven number of pages; only the archive.
    for border in [0, 650, 1_299, last] {
        if border == last {
            forget(&fixture);
            store.leave(here, &grace).await.expect("grace is in");
        } else if border > 0 {
            let log = "{meeting:1:order:1}:log";
            let from = format!("{border}-0");
            fixture
                .stores
                .redis
                .command(&["XTRIM", log, "MINID", &from]);
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
async fn a_plan_that_comes_late_leaves_no_key_behind() {
    let (fixture, _store, ada, _grace) = quiet().await;
    let gone = instance(1, 7);
    let plan = LivePlan {
        instance: gone,
        revision: 1,
        meeting: Meeting {
            id: gone.meeting,
            title: "Gone".to_owned(),
            description: String::new(),
            is_public: false,
        },
        audience: vec![ada.email],
    };
    assert!(live(&fixture).await.update_meetings(&[plan]).await.is_ok());
    assert_eq!(fixture.live_keys(gone), Vec::<String>::new());
}

#[tokio::test]
async fn failed_archiving_is_retried_with_back_off() {
    // Another row occupies the place of the second event's record.
    let fixture = FixtureBuilder::new()
        .people(1, &["ada"])
        .meeting(1, "Long", None)
        .sql(
            "INSERT INTO event_log (meetingID, orderID, seq, eventType, timestamp) \
             VALUES (1, 1, 2, 'join', UTC_TIMESTAMP(3))",
        )
        .instance(1, 1, -60, 3_600)
        .start();
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let alarms = || {
        let log = fixture.server.log();
        let alarm = "log cannot be archived";
        log.iter().filter(|line| line.contains(alarm)).count()
    };
    until("an alarm", || (alarms() > 0).then_some(()));
    let began = Instant::now();
    let before = alarms();
    until("more alarms", || (alarms() >= before + 3).then_some(()));
    assert!(began.elapsed() > Duration::from_secs(1), "all the time");
}

/// More than stay in the live log, all by one user.
const MANY: usize = 11_000;

/// Posts many messages; returns them in order.
async fn said_many(
    store: &Arc<RedisMysqlStore>,
    here: InstanceId,
    user: &User,
) -> Vec<(Cmid, Seq)> {
    let body = MessageBody::parse("hello").expect("a good body");
    let mut said = vec![];
    for _ in 0..MANY / 500 {
        let cmids: Vec<Cmid> = (0..500).map(|_| Cmid(uuid::Uuid::now_v7())).collect();
        let posting = cmids
            .iter()
            .map(|cmid| store.post(here, user, *cmid, &body));
        let posted = futures_util::future::join_all(posting).await;
        for (cmid, posted) in cmids.iter().zip(posted) {
            said.push((*cmid, posted.expect("they are in").seq));
        }
        archive(&**store, here).await;
    }
    said.sort_by_key(|(_, seq)| *seq);
    said
}

/// The seqs of one user's messages, page by page.
async fn paged(store: &RedisMysqlStore, here: InstanceId, user: &User, forwards: bool) -> Vec<Seq> {
    let mut seqs: Vec<Seq> = vec![];
    loop {
        let page = match (forwards, seqs.last(), seqs.first()) {
            (true, last, _) => Page::After(last.copied().unwrap_or_default()),
            (false, _, first) => Page::Before(first.copied()),
        };
        let found = store.user_messages(here, user, user.id, page, 1_000).await;
        let found = found.expect("it is public");
        let new = found.messages.iter().map(|message| message.seq);
        if forwards {
            seqs.extend(new);
        } else {
            seqs.splice(0..0, new);
        }
        if !found.more {
            return seqs;
        }
        assert!(
            !found.messages.is_empty(),
            "more is said, and nothing comes"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trimmed_messages_are_not_doubled_and_stay_readable() {
    let (mut fixture, store, ada, grace) = quiet().await;
    let here = instance(1, 1);
    let said = said_many(&store, here, &ada).await;
    let size = |command: &str, key: &str| -> usize {
        let key = format!("{{meeting:1:order:1}}:{key}");
        let size = fixture.stores.redis.command(&[command, &key]);
        size[0].parse().expect("a number")
    };
    for (command, key) in [
        ("XLEN", "log"),
        ("HLEN", "cmids"),
        ("LLEN", "user:1:messages"),
    ] {
        let size = size(command, key);
        assert!((9_000..=10_001).contains(&size), "{key}: {size}");
    }

    let body = MessageBody::parse("hello").expect("a good body");
    let expected: Vec<Seq> = said.iter().map(|(_, seq)| *seq).collect();
    for _ in 0..2 {
        for (cmid, seq) in [said[0], said[500], said[MANY - 1]] {
            let again = store.post(here, &ada, cmid, &body).await;
            let again = again.expect("it was said");
            assert_eq!((again.seq, again.repeat), (seq, true));
        }
        assert_eq!(paged(&store, here, &ada, true).await, expected);
        assert_eq!(paged(&store, here, &ada, false).await, expected);
        // In a new generation, only the latest cmids are known without a lookup.
        let redis = &fixture.stores.redis;
        redis.command(&["DEL", "plenary:boot"]);
        redis.command(&["SCRIPT", "FLUSH"]);
    }

    // A cmid without a time is looked up in the archive, a new one is not.
    let old_kind = Cmid(uuid::Uuid::from_u128(
        0x1234_5678_1234_4abc_8def_1234_5678_9abc,
    ));
    let one = store.post(here, &ada, old_kind, &body).await.expect("in");
    let two = store.post(here, &ada, old_kind, &body).await.expect("in");
    assert_eq!((one.seq, one.repeat, two.repeat), (two.seq, false, true));
    fixture.stores.mariadb.kill9();
    post(&*store, here, &ada, "new").await;
    post(&*store, here, &grace, "of somebody else").await;
    let refused = store.post(here, &ada, said[0].0, &body).await;
    assert!(refused.is_err(), "only the archive knows: {refused:?}");
}
