//! After 1,000 joins, leaves and posts the dashboard agrees exactly with the stores, on both kinds
//! of store.

use std::collections::BTreeMap;
use std::fmt::Write;

use futures_util::future::join_all;
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::Verb;
use plenary_shared::time::Timestamp;
use plenary_testkit::{FixtureBuilder, Server, ServerOptions, Ws, instance, until, user};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::watched::Watched;

const PEOPLE: usize = 25;
/// How often each user joins, posts twice and leaves: 1,000 operations in all.
const ROUNDS: usize = 10;

/// One row of the record: user, kind, time in milliseconds.
struct Fact {
    user: Option<UserId>,
    kind: String,
    at_ms: i64,
}

/// Start and end of a stay, in milliseconds.
type Stayed = (i64, Option<i64>);

/// All users at once; every third stays at the end.
async fn storm(people: Vec<Ws>, here: InstanceId) -> Vec<Ws> {
    let each = people.into_iter().enumerate().map(async |(nth, mut ws)| {
        for round in 0..ROUNDS {
            ws.join(here).await.expect("it is public");
            ws.post(here, "one").await.expect("they are in");
            ws.post(here, "two").await.expect("they are in");
            if round + 1 < ROUNDS || nth % 3 != 0 {
                ws.ask(Verb::Leave(here)).await.expect("they are in");
            }
        }
        ws
    });
    join_all(each).await
}

/// Collects pushes during the load, until everything is counted.
async fn watch(root: Ws, here: InstanceId) -> Watched {
    let mut watched = Watched::begin(root).await;
    watched.look_into(here).await;
    watched
        .until("the storm to be over", |it| {
            let all = PEOPLE as u64 * ROUNDS as u64;
            let said = it.rows.get(&here).map_or(0, |row| row.messages);
            let comings: u32 = it.sums.iter().flat_map(|sums| &sums.arrivals.counts).sum();
            let inside = it.rows.get(&here).map(|row| row.participants);
            let last = PEOPLE.div_ceil(3);
            let in_detail = it.people.values().map(|one| one.messages).sum::<u64>();
            (said, in_detail, u64::from(comings)) == (2 * all, 2 * all, all)
                && inside.map(|n| n as usize) == Some(last)
                && it.people.values().filter(|one| is_in(one)).count() == last
        })
        .await;
    watched
}

fn is_in(one: &plenary_shared::protocol::Attendee) -> bool {
    one.stays.last().is_some_and(|stay| stay.to.is_none())
}

/// Compares every figure with the record, and the participants with the live state.
fn agrees(watched: &Watched, here: InstanceId, facts: &[Fact], inside: usize) {
    let of = |kind: &str| facts.iter().filter(|one| one.kind == kind).count() as u64;
    let row = &watched.rows[&here];
    let sums = watched.sums.as_ref().expect("sums");
    assert_eq!(row.messages, of("message"));
    assert_eq!(row.participants as usize, inside);
    assert_eq!(u64::from(row.participants), of("join") - of("leave"));
    assert_eq!(row.seq.get(), facts.len() as u64);
    assert_eq!(sums.seq, row.seq);
    let comings: u32 = sums.arrivals.counts.iter().sum();
    assert_eq!(u64::from(comings), of("join"));
    assert_eq!(sums.stays, of("leave"));

    let mut people: BTreeMap<UserId, (u64, Vec<Stayed>)> = BTreeMap::new();
    let (mut inside_now, mut peak) = (0_u32, 0);
    for fact in facts {
        let Some(who) = fact.user else { continue };
        let (said, stays) = people.entry(who).or_default();
        match fact.kind.as_str() {
            "join" => {
                stays.push((fact.at_ms, None));
                inside_now += 1;
                peak = peak.max(inside_now);
            }
            "leave" => {
                stays.last_mut().expect("they came").1 = Some(fact.at_ms);
                inside_now -= 1;
            }
            _ => *said += 1,
        }
    }
    assert_eq!(sums.peak, peak);
    assert_eq!(row.total_participants as usize, people.len());
    assert_eq!(watched.people.len(), people.len());
    let mut stayed_ms = 0;
    for (who, (said, stays)) in people {
        let one = &watched.people[&who];
        assert_eq!(one.messages, said, "{one:?}");
        let told: Vec<Stayed> = one
            .stays
            .iter()
            .map(|stay| (stay.from.as_ms(), stay.to.map(Timestamp::as_ms)))
            .collect();
        let earlier = stays.len() - told.len();
        assert_eq!(told, stays[earlier..], "{one:?}");
        let ms = |(from, to): &Stayed| to.map_or(0, |to| to - from);
        let earlier_ms: i64 = stays[..earlier].iter().map(ms).sum();
        assert_eq!(
            (one.earlier_stays as usize, one.earlier_ms),
            (earlier, earlier_ms)
        );
        stayed_ms += stays.iter().map(ms).sum::<i64>();
    }
    assert_eq!(sums.stayed_ms, stayed_ms);
    // Each timeline entry once, in order.
    let numbers: Vec<u64> = watched.traces.iter().map(|one| one.number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

fn names() -> Vec<String> {
    (1..=PEOPLE).map(|n| format!("p{n}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_redis_and_mysql_with_two_servers() {
    let mut everybody = names();
    everybody.push("root".to_owned());
    let fixture = FixtureBuilder::new()
        .people(1, &everybody)
        .admin("root")
        .meeting(1, "Open day", None)
        .instance(1, 1, -60, 3_600)
        .start();
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let here = instance(1, 1);
    let mut people = Vec::new();
    for (nth, name) in names().iter().enumerate() {
        let url = if nth % 2 == 0 {
            fixture.server.url()
        } else {
            second.url()
        };
        people.push(Ws::hello(&url, &fixture.token(name)).await);
    }
    let (people, watched) =
        tokio::join!(storm(people, here), watch(fixture.ws("root").await, here));
    let seq = watched.rows[&here].seq.get();
    let facts = until("the record to be complete", || {
        let sql = "SELECT seq, userID, eventType, ROUND(UNIX_TIMESTAMP(timestamp) * 1000)
             FROM event_log WHERE meetingID = 1 AND orderID = 1
             UNION ALL SELECT seq, userID, 'message', ROUND(UNIX_TIMESTAMP(timestamp) * 1000)
             FROM message WHERE meetingID = 1 AND orderID = 1
             ORDER BY seq";
        let rows = fixture.stores.database.query(sql);
        (rows.len() as u64 == seq).then_some(rows)
    });
    let facts: Vec<Fact> = facts
        .iter()
        .map(|row| Fact {
            user: row[1].parse().ok().map(user),
            kind: row[2].clone(),
            at_ms: row[3].parse().expect("a time"),
        })
        .collect();
    let keys = fixture.live_keys(here);
    let participants = keys.iter().find(|key| key.ends_with(":participants"));
    let participants = participants.expect("somebody is in");
    let inside = fixture.stores.redis.command(&["ZCARD", participants]);
    let inside = inside[0].parse().expect("a number");
    agrees(&watched, here, &facts, inside);
    drop(people);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_one_file() {
    let server = Server::embedded(ServerOptions::default());
    let file = Connection::open(server.data().join("plenary.db")).expect("the server's file");
    file.busy_timeout(plenary_testkit::DEADLINE)
        .expect("a timeout");
    let mut sql = "INSERT INTO meeting (meetingID, title, description, isPublic)
         VALUES (1, 'Open day', '', 1);"
        .to_owned();
    let mut everybody = names();
    everybody.push("root".to_owned());
    for (id, name) in (1..).zip(&everybody) {
        let role = if name == "root" { "admin" } else { "member" };
        let hash = hex(&Sha256::digest(token(name).as_bytes()));
        write!(
            sql,
            "INSERT INTO user (userID, name, age, gender, email, role)
             VALUES ({id}, '{name}', 30, 'other', '{name}@example.org', '{role}');
             INSERT INTO session (tokenHash, userID, created_at, expires_at)
             VALUES (x'{hash}', {id}, 0, 4000000000000);"
        )
        .expect("writing to a String cannot fail");
    }
    file.execute_batch(&sql).expect("rows");
    let here = instance(1, 1);
    let schedule = [
        "meeting", "schedule", "1", "--from", "now", "--for", "3600s",
    ];
    server.cli(&schedule).ok();
    let url = server.url();
    let root = Ws::hello(&url, &token("root")).await;
    let mut people = Vec::new();
    for name in names() {
        people.push(Ws::hello(&url, &token(&name)).await);
    }
    until("it to be active", || {
        let sql = "SELECT state FROM meeting_instance";
        let state = file.query_row(sql, [], |row| row.get::<_, String>(0));
        state.ok().filter(|state| state == "active")
    });
    let (people, watched) = tokio::join!(storm(people, here), watch(root, here));
    let mut statement = file
        .prepare(
            "SELECT userID, eventType, timestamp, seq FROM event_log
             UNION ALL SELECT userID, 'message', timestamp, seq FROM message ORDER BY seq",
        )
        .expect("a query");
    let facts: Vec<Fact> = statement
        .query_map([], |row| {
            Ok(Fact {
                user: row
                    .get::<_, Option<i64>>(0)?
                    .map(|id| user(id.unsigned_abs())),
                kind: row.get(1)?,
                at_ms: row.get(2)?,
            })
        })
        .expect("an answer")
        .map(|fact| fact.expect("a row"))
        .collect();
    let inside = file.query_row("SELECT COUNT(*) FROM stay", [], |row| row.get::<_, i64>(0));
    let inside = usize::try_from(inside.expect("a number")).expect("few");
    agrees(&watched, here, &facts, inside);
    drop(people);
}

fn token(name: &str) -> String {
    hex(&Sha256::digest(format!("a token of {name}").as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}
