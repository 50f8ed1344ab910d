//! Everything that takes part: stores, servers, proxies, people.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use plenary_shared::ids::InstanceId;
use plenary_testkit::{
    Place, Proxy, RedisOptions, Server, ServerOptions, Setting, Stores, instance, until,
};
use tempfile::TempDir;

use crate::person::{Order, Person, Role};
use crate::reading::Readings;
use crate::verdict::{self, Verdict};

/// How long everything may take to begin.
const BEGINNING: Duration = Duration::from_mins(1);

/// Seconds until the meetings would end if nobody ended them.
const FAR_S: i64 = 24 * 3_600;

/// Between two looks at something that has to come.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Between two samples of the servers' memory.
const SAMPLE_EVERY: Duration = Duration::from_secs(2);

/// What a run is like.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub people: usize,
    pub meetings: usize,
    /// Of all people together.
    pub posts_a_second: u32,
    /// How long it may take until everything is at rest after the last fault, and until the meetings
    /// have ended.
    pub settling: Duration,
    pub seed: u64,
}

/// How much memory a process had at some time.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub at: Duration,
    /// Which process.
    pub whose: Whose,
    pub kib: u64,
}

/// A process whose memory is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Server(usize),
    Redis,
}

/// The stage.
pub struct Stage {
    pub plan: Plan,
    // Before the stores, so that they end before those do.
    pub people: Vec<Person>,
    pub servers: Vec<Server>,
    /// The server that was killed.
    pub down: Option<usize>,
    /// Between the people and the servers, between those and Redis, and MySQL.
    pub to_servers: Proxy,
    pub to_redis: Proxy,
    pub to_mysql: Proxy,
    pub stores: Stores,
    pub readings: Readings,
    pub began: Instant,
    sampled_at: Instant,
    /// By time.
    pub memory: Vec<Sample>,
    /// What is wrong and cannot be seen at the end any more.
    pub wrong: Vec<String>,
    _homes: TempDir,
}

impl Stage {
    pub async fn set(plan: Plan) -> Self {
        let names: Vec<String> = (0..plan.people).map(|n| format!("p{n:02}")).collect();
        let mut setting = Setting::with(
            RedisOptions {
                aof: true,
                tcp: false,
            },
            ServerOptions::default(),
        )
        .people(1, &names);
        for number in 1..=plan.meetings as u64 {
            setting = setting
                .meeting(number, &format!("Meeting {number}"), None)
                .instance(number, 1, -60, FAR_S);
        }
        let stores = setting.into_stores();
        let tokens = stores.tokens(&names);

        let homes = tempfile::Builder::new().prefix("pl").tempdir();
        let homes = homes.expect("a directory can be made");
        let to_redis = Proxy::on_socket(stores.redis.socket());
        let to_mysql = Proxy::on_socket(stores.mariadb.socket());
        let (redis_url, mysql_url) = (to_redis.redis_url(), to_mysql.mysql_url(&stores.database));
        let servers: Vec<Server> = tokio::task::block_in_place(|| {
            (0..2)
                .map(|_| Server::at(&redis_url, &mysql_url, ServerOptions::default()))
                .collect()
        });
        let ports = servers.iter().map(|server| Place::Port(port(server)));
        let to_servers = Proxy::on_port(ports.collect()).await;
        let Place::Port(door) = *to_servers.place() else {
            unreachable!("it was made on a port")
        };

        let every = Duration::from_secs(1) * u32::try_from(plan.people).expect("some people")
            / plan.posts_a_second;
        let mut people = vec![];
        for (at, (name, token)) in names.into_iter().zip(tokens).enumerate() {
            let home = homes.path().join(&name);
            fs::create_dir(&home).expect("the directory is ours");
            people.push(Person::begin(Role {
                name,
                token,
                server: format!("http://127.0.0.1:{door}"),
                instance: instance((at % plan.meetings) as u64 + 1, 1),
                home,
                every,
            }));
        }
        let now = Instant::now();
        Self {
            plan,
            people,
            servers,
            down: None,
            to_servers,
            to_redis,
            to_mysql,
            stores,
            readings: Readings::default(),
            began: now,
            sampled_at: now,
            memory: vec![],
            wrong: vec![],
            _homes: homes,
        }
    }

    /// What happens, for whoever reads along.
    pub fn say(&self, what: &str) {
        println!("{:7.2} {what}", self.began.elapsed().as_secs_f64());
    }

    pub async fn wait_all_talking(&mut self) {
        self.wait("everybody to talk", BEGINNING, |stage| {
            stage.people.iter().all(|person| {
                let seen = person.seen();
                seen.is_in && seen.taken_at.is_some()
            })
        })
        .await;
        self.say("everybody talks");
    }

    /// Waits until this holds; how long that took, or `None` when it took too long.
    pub async fn holds(
        &mut self,
        at_most: Duration,
        mut look: impl FnMut(&Self) -> bool,
    ) -> Option<Duration> {
        let began = Instant::now();
        loop {
            if look(self) {
                return Some(began.elapsed());
            }
            if began.elapsed() > at_most {
                return None;
            }
            self.pass(LOOK_EVERY).await;
        }
    }

    /// As [`Stage::holds`]; what never comes ends the run.
    pub async fn wait(
        &mut self,
        what: &str,
        at_most: Duration,
        look: impl FnMut(&Self) -> bool,
    ) -> Duration {
        let took = self.holds(at_most, look).await;
        took.unwrap_or_else(|| {
            panic!("waited {at_most:?} in vain for {what}\n{}", self.state());
        })
    }

    /// Time passes; the servers' memory is looked at.
    pub async fn pass(&mut self, time: Duration) {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            tokio::time::sleep(left.min(SAMPLE_EVERY)).await;
            self.sample_memory();
            if left <= SAMPLE_EVERY {
                return;
            }
        }
    }

    fn sample_memory(&mut self) {
        if self.sampled_at.elapsed() < SAMPLE_EVERY {
            return;
        }
        self.sampled_at = Instant::now();
        let servers = self.servers.iter_mut().enumerate();
        let mut alive = vec![];
        for (which, server) in servers.filter(|(which, _)| self.down != Some(*which)) {
            let gone = server.ended();
            assert!(gone.is_none(), "a server ended by itself with {gone:?}");
            alive.push((Whose::Server(which), server.pid()));
        }
        alive.extend(self.stores.redis.pid().map(|pid| (Whose::Redis, pid)));
        let at = self.began.elapsed();
        let sample = |(whose, pid)| {
            Some(Sample {
                at,
                whose,
                kib: memory_kib(pid)?,
            })
        };
        self.memory.extend(alive.into_iter().filter_map(sample));
    }

    /// Nobody was away for as long as the grace, so nobody may be shown as left.
    pub fn nobody_is_shown_as_left(&mut self) {
        let lost = self.lost();
        self.say(&format!("{lost} shown as left so far"));
        if lost != "0" {
            self.wrong.push(format!(
                "{lost} shown as left although nobody was away for as long as the grace"
            ));
        }
    }

    /// How often somebody was shown as left because their connection was lost.
    pub fn lost(&self) -> String {
        let count = "SELECT COUNT(*) FROM event_log \
                     WHERE eventType = 'leave' AND reason = 'connection_lost'";
        tokio::task::block_in_place(|| self.stores.database.value(count))
    }

    pub fn instances(&self) -> Vec<InstanceId> {
        (1..=self.plan.meetings as u64)
            .map(|number| instance(number, 1))
            .collect()
    }

    /// The highest seq that anybody knows of each instance.
    pub fn heads(&self) -> Vec<(InstanceId, u64)> {
        let last = |id| {
            let here = self.people.iter().filter(|person| person.instance == id);
            here.map(|person| person.seen().last).max()
        };
        self.instances()
            .into_iter()
            .map(|id| (id, last(id).unwrap_or_default()))
            .collect()
    }

    /// Whether the archive has the logs up to there.
    pub fn is_archived(&self, heads: &[(InstanceId, u64)]) -> bool {
        let mut sql = "SELECT COUNT(*) FROM meeting_instance WHERE FALSE".to_owned();
        for (id, seq) in heads {
            let (meeting, order) = (id.meeting, id.order);
            write!(
                sql,
                " OR (meetingID = {meeting} AND orderID = {order} AND archived_seq < {seq})"
            )
            .expect("writing to a String cannot fail");
        }
        tokio::task::block_in_place(|| self.stores.database.value(&sql)) == "0"
    }

    /// Nobody talks any more, everything comes to rest, the meetings are ended; then everything is
    /// compared.
    pub async fn end(mut self) -> Verdict {
        self.say("no more faults, nobody talks any more");
        for person in &self.people {
            person.order(Order::Hush).await;
        }
        let settling = self.plan.settling;
        self.wait("every line to be in the archive", settling, |stage| {
            stage
                .people
                .iter()
                .all(|person| person.seen().on_the_way == 0)
        })
        .await;
        self.say("every line is in the archive; the meetings come to their end");
        // The first of the steps of an end; the servers take the others.
        let over =
            "UPDATE meeting_instance SET state = 'ending', reason = 'ended' WHERE state = 'active'";
        tokio::task::block_in_place(|| self.stores.database.query(over));
        self.wait("every meeting to end for everybody", settling, |stage| {
            stage.people.iter().all(|person| person.seen().is_closed)
        })
        .await;
        let count = "SELECT COUNT(*) FROM meeting_instance WHERE state <> 'ended'";
        tokio::task::block_in_place(|| {
            until("every meeting to be ended", || {
                (self.stores.database.value(count) == "0").then_some(())
            });
        });
        self.say("every meeting has ended");
        verdict::of(self).await
    }

    /// Who is where, for a run that hangs.
    pub fn state(&self) -> String {
        let mut text = String::new();
        for person in &self.people {
            let seen = person.seen();
            writeln!(
                text,
                "{} in {}: connected {}, in {}, last {}, on the way {} ({}), closed {}",
                person.name,
                person.instance,
                seen.is_connected,
                seen.is_in,
                seen.last,
                seen.on_the_way,
                seen.first,
                seen.is_closed
            )
            .expect("writing to a String cannot fail");
        }
        text
    }
}

fn port(server: &Server) -> u16 {
    let url = server.url();
    let port = url.rsplit(':').next().expect("an address has a port");
    port.parse().expect("a port is a number")
}

/// Kilobytes that a process has in memory, where the system says so.
fn memory_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
