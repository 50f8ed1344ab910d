//! Measures the server's CPU time for the dashboard: 1,000 active instances and 20 watching admins.
//!
//! `cargo bench -p plenary-server --bench watch [file|stores]`. A real server, on SQLite and then
//! on Redis and MariaDB, or on one of them. Every instance has a participant, and 20 messages a
//! second are posted. Intervals without watchers, with admins at the dashboard, and with admins at
//! one meeting each follow each other; the difference in CPU time is the dashboard's. Fails if it
//! exceeds the promise.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io};

use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{Push, Verb, Watch};
use plenary_testkit::{Fixture, FixtureBuilder, Server, ServerOptions, Ws, instance, until};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};

/// Active instances.
const INSTANCES: u64 = 1_000;

/// Watching admins.
const ADMINS: usize = 20;

/// Participants, each in as many instances as the others, who post.
const TALKERS: usize = 20;

/// Posts of all of them in a second.
const POSTS_PER_S: u64 = 20;

/// The length of an interval.
const SPAN: Duration = Duration::from_secs(20);

/// Time before an interval, for initial work.
const SETTLE: Duration = Duration::from_secs(3);

/// The dashboard's limit, in per cent of one core.
const SHARE_MAX: f64 = 5.0;

/// Clock ticks in a second, in which Linux reports CPU time.
const TICKS_PER_S: f64 = 100.0;

fn main() -> ExitCode {
    let runtime = Runtime::new().expect("a runtime");
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| {
        let named = wanted.iter().any(|word| word == "file" || word == "stores");
        !named || wanted.iter().any(|word| word == name)
    };
    let mut holds = true;
    if is_wanted("file") {
        let server = file();
        let token = token("root");
        let talkers: Vec<String> = talkers().iter().map(|name| self::token(name)).collect();
        holds &= runtime.block_on(measure("SQLite", &server, &token, &talkers));
    }
    if is_wanted("stores") {
        let fixture = stores();
        let (token, talkers) = (fixture.token("root"), fixture.tokens(&talkers()));
        holds &= runtime.block_on(measure(
            "Redis and MariaDB",
            &fixture.server,
            &token,
            &talkers,
        ));
    }
    if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn measure(name: &str, server: &Server, admin: &str, talkers: &[String]) -> bool {
    let talking = talk(server, talkers).await;
    println!("\n{name}: {INSTANCES} instances, {POSTS_PER_S} posts/s");
    let nobody = span(server).await;
    tell("nobody watches", nobody);
    let table = watch(server, admin, |_| None).await;
    let watched = span(server).await;
    tell(&format!("{ADMINS} admins at the dashboard"), watched);
    end(table).await;
    let each = |nth: usize| Some(instance(u64::try_from(nth).expect("few") + 1, 1));
    let looking = watch(server, admin, each).await;
    let detailed = span(server).await;
    tell(&format!("{ADMINS} admins, one meeting each"), detailed);
    end(looking).await;
    let again = span(server).await;
    tell("nobody watches again", again);
    end(talking).await;
    let share = watched.max(detailed) - f64::midpoint(nobody, again);
    let holds = share < SHARE_MAX;
    println!(
        "the dashboard needs {share:.1} % of a core (less than {SHARE_MAX}): {}.",
        if holds { "holds" } else { "DOES NOT HOLD" }
    );
    holds
}

fn tell(what: &str, share: f64) {
    println!("{what:<34}{share:>8.1} % of a core");
}

/// Measures the server's share of a core over an interval.
async fn span(server: &Server) -> f64 {
    sleep(SETTLE).await;
    let before = used(server).expect("this needs Linux with /proc");
    sleep(SPAN).await;
    let after = used(server).expect("it is running still");
    (after - before) / SPAN.as_secs_f64() * 100.0
}

/// The CPU time used so far, in seconds.
fn used(server: &Server) -> io::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.pid()))?;
    // The name, which may contain anything, is in brackets; the state and 10 more fields follow.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks = ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>();
    Ok(ticks / TICKS_PER_S)
}

/// Starts admins who read what they receive; each of them receives something.
async fn watch(
    server: &Server,
    admin: &str,
    looks_into: impl Fn(usize) -> Option<InstanceId>,
) -> Vec<JoinHandle<()>> {
    let mut admins = Vec::new();
    for nth in 0..ADMINS {
        let mut ws = Ws::hello(&server.url(), admin).await;
        let instance = looks_into(nth);
        let watch = Watch {
            stop: false,
            instance,
        };
        ws.ask(Verb::Watch(watch)).await.expect("an admin may");
        let told = ws.wait_for("what is watched", |push| match push {
            Push::Dashboard(_) => instance.is_none().then_some(()),
            Push::Detail(_) => Some(()),
            _ => None,
        });
        told.await;
        admins.push(tokio::spawn(async move {
            loop {
                ws.next().await;
            }
        }));
    }
    admins
}

/// Starts users who are everywhere and post here and there.
async fn talk(server: &Server, tokens: &[String]) -> Vec<JoinHandle<()>> {
    let mut talking = Vec::new();
    let each = INSTANCES / tokens.len() as u64;
    for (nth, token) in (0..).zip(tokens) {
        let mut ws = Ws::hello(&server.url(), token).await;
        let mine: Vec<InstanceId> = (nth * each + 1..=(nth + 1) * each)
            .map(|meeting| instance(meeting, 1))
            .collect();
        for here in &mine {
            ws.join(*here).await.expect("it is public");
        }
        let every = Duration::from_millis(1_000 * tokens.len() as u64 / POSTS_PER_S);
        talking.push(tokio::spawn(async move {
            let mut tick = interval(every);
            for here in mine.iter().cycle() {
                tick.tick().await;
                ws.post(*here, "a message").await.expect("they are in");
            }
        }));
    }
    talking
}

async fn end(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        assert!(!task.is_finished(), "it ran to the end");
        task.abort();
        // It was aborted, which is not an error here.
        let _ = task.await;
    }
}

fn talkers() -> Vec<String> {
    (1..=TALKERS).map(|nth| format!("talker{nth}")).collect()
}

fn token(name: &str) -> String {
    hex(&Sha256::digest(format!("a token of {name}").as_bytes()))
}

/// A server on SQLite, beside the build, where writes wait for a disk.
fn file() -> Server {
    let server = Server::embedded(ServerOptions::default());
    let file = Connection::open(server.data().join("plenary.db")).expect("the file");
    file.busy_timeout(Duration::from_secs(10)).expect("a time");
    let mut sql = "BEGIN;".to_owned();
    let mut everybody = talkers();
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
    for id in 1..=INSTANCES {
        write!(
            sql,
            "INSERT INTO meeting (meetingID, title, description, isPublic)
             VALUES ({id}, 'Meeting {id}', '', 1);
             INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime)
             VALUES ({id}, 1, unixepoch() * 1000, (unixepoch() + 3600) * 1000);"
        )
        .expect("writing to a String cannot fail");
    }
    sql.push_str("COMMIT");
    file.execute_batch(&sql).expect("rows");
    until("all meetings to start", || {
        let active = "SELECT COUNT(*) FROM meeting_instance WHERE state = 'active'";
        let active: u64 = file.query_row(active, [], |row| row.get(0)).ok()?;
        (active == INSTANCES).then_some(())
    });
    server
}

/// A server on its own Redis and MariaDB.
fn stores() -> Fixture {
    let mut everybody = talkers();
    everybody.push("root".to_owned());
    let mut sql = String::new();
    for id in 1..=INSTANCES {
        writeln!(
            sql,
            "INSERT INTO meeting (meetingID, title, description, isPublic)
             VALUES ({id}, 'Meeting {id}', '', 1);
             INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime)
             VALUES ({id}, 1, UTC_TIMESTAMP(), UTC_TIMESTAMP() + INTERVAL 1 HOUR);"
        )
        .expect("writing to a String cannot fail");
    }
    let builder = FixtureBuilder::new()
        .people(1, &everybody)
        .admin("root")
        .sql(&sql);
    let fixture = builder.start();
    until("all meetings to start", || {
        let active = "SELECT COUNT(*) FROM meeting_instance WHERE state = 'active'";
        (fixture.stores.database.value(active) == INSTANCES.to_string()).then_some(())
    });
    fixture
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}
