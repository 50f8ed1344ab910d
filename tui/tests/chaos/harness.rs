//! The stores, servers, proxies and clients of a run.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use plenary_shared::ids::InstanceId;
use plenary_testkit::{
    Endpoint, FixtureBuilder, Proxy, RedisOptions, Server, ServerOptions, Stores, instance, until,
};
use tempfile::TempDir;

use crate::client::{Client, Command, Config};
use crate::measurements::Measurements;
use crate::verdict::{self, Verdict};

/// The timeout of the start.
const START_MAX: Duration = Duration::from_mins(1);

/// The length of the meetings in seconds, longer than any run.
const LENGTH_S: i64 = 24 * 3_600;

/// The interval of checks for a condition.
const CHECK_EVERY: Duration = Duration::from_millis(20);

/// The interval of memory samples.
const SAMPLE_EVERY: Duration = Duration::from_secs(2);

/// The configuration of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub users: usize,
    pub meetings: usize,
    /// Of all users together.
    pub posts_a_second: u32,
    /// Time for all messages to settle after the last fault, and for ending the meetings.
    pub settle_max: Duration,
    pub seed: u64,
}

/// The memory of a process at some time.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub at: Duration,
    /// The process.
    pub process: SampledProcess,
    pub kib: u64,
}

/// A sampled process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampledProcess {
    Server(usize),
    Redis,
}

/// A run.
pub struct Harness {
    pub plan: Plan,
    // Before the stores, so that they are dropped first.
    pub clients: Vec<Client>,
    pub servers: Vec<Server>,
    /// The crashed server.
    pub down: Option<usize>,
    /// The proxies in front of the servers, Redis and MySQL.
    pub to_servers: Proxy,
    pub to_redis: Proxy,
    pub to_mysql: Proxy,
    pub stores: Stores,
    pub measurements: Measurements,
    pub began: Instant,
    sampled_at: Instant,
    /// The samples in order.
    pub memory: Vec<Sample>,
    /// Violations found during the run.
    pub violations: Vec<String>,
    _homes: TempDir,
}

impl Harness {
    pub async fn start(plan: Plan) -> Self {
        let names: Vec<String> = (0..plan.users).map(|n| format!("p{n:02}")).collect();
        let mut builder = FixtureBuilder::with(
            RedisOptions {
                aof: true,
                tcp: false,
            },
            ServerOptions::default(),
        )
        .people(1, &names);
        for number in 1..=plan.meetings as u64 {
            builder = builder
                .meeting(number, &format!("Meeting {number}"), None)
                .instance(number, 1, -60, LENGTH_S);
        }
        let stores = builder.into_stores();
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
        let ports = servers.iter().map(|server| Endpoint::Port(port(server)));
        let to_servers = Proxy::on_port(ports.collect()).await;
        let Endpoint::Port(port) = *to_servers.endpoint() else {
            unreachable!("it was made on a port")
        };

        let post_every = Duration::from_secs(1) * u32::try_from(plan.users).expect("some users")
            / plan.posts_a_second;
        let mut clients = vec![];
        for (at, (name, token)) in names.into_iter().zip(tokens).enumerate() {
            let home = homes.path().join(&name);
            fs::create_dir(&home).expect("the directory is ours");
            clients.push(Client::start(Config {
                name,
                token,
                server: format!("http://127.0.0.1:{port}"),
                instance: instance((at % plan.meetings) as u64 + 1, 1),
                home,
                post_every,
            }));
        }
        let now = Instant::now();
        Self {
            plan,
            clients,
            servers,
            down: None,
            to_servers,
            to_redis,
            to_mysql,
            stores,
            measurements: Measurements::default(),
            began: now,
            sampled_at: now,
            memory: vec![],
            violations: vec![],
            _homes: homes,
        }
    }

    /// Prints a progress line with the time.
    pub fn log(&self, what: &str) {
        println!("{:7.2} {what}", self.began.elapsed().as_secs_f64());
    }

    pub async fn wait_all_posting(&mut self) {
        self.wait("all clients to post", START_MAX, |harness| {
            harness.clients.iter().all(|client| {
                let seen = client.seen();
                seen.is_in && seen.acknowledged_at.is_some()
            })
        })
        .await;
        self.log("all clients post");
    }

    /// Waits until a condition holds. Returns how long that took, or `None` after a timeout.
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
            self.pass(CHECK_EVERY).await;
        }
    }

    /// Like [`Harness::holds`], but panics after a timeout.
    pub async fn wait(
        &mut self,
        what: &str,
        at_most: Duration,
        look: impl FnMut(&Self) -> bool,
    ) -> Duration {
        let took = self.holds(at_most, look).await;
        took.unwrap_or_else(|| {
            panic!("waited {at_most:?} for {what}\n{}", self.state());
        })
    }

    /// Sleeps, and samples memory meanwhile.
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
            assert!(gone.is_none(), "a server exited unexpectedly with {gone:?}");
            alive.push((SampledProcess::Server(which), server.pid()));
        }
        alive.extend(
            self.stores
                .redis
                .pid()
                .map(|pid| (SampledProcess::Redis, pid)),
        );
        let at = self.began.elapsed();
        let sample = |(process, pid)| {
            Some(Sample {
                at,
                process,
                kib: memory_kib(pid)?,
            })
        };
        self.memory.extend(alive.into_iter().filter_map(sample));
    }

    /// Checks that no user was removed: all faults were shorter than the reconnect grace.
    pub fn check_no_connection_lost(&mut self) {
        let lost = self.lost();
        self.log(&format!(
            "{lost} participants left with a lost connection so far"
        ));
        if lost != "0" {
            self.violations.push(format!(
                "{lost} participants left with a lost connection within the reconnect grace"
            ));
        }
    }

    /// Returns how many participants left with a lost connection.
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

    /// Returns the highest seq that a client knows, for each instance.
    pub fn heads(&self) -> Vec<(InstanceId, u64)> {
        let last = |id| {
            let here = self.clients.iter().filter(|client| client.instance == id);
            here.map(|client| client.seen().last).max()
        };
        self.instances()
            .into_iter()
            .map(|id| (id, last(id).unwrap_or_default()))
            .collect()
    }

    /// Returns whether MySQL has all events up to `heads`.
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

    /// Stops posting, waits until all messages are settled, ends the meetings and checks the result.
    pub async fn finish(mut self) -> Verdict {
        self.log("no further faults or posts");
        for client in &self.clients {
            client.send(Command::Pause).await;
        }
        let settle_max = self.plan.settle_max;
        self.wait("all messages to be durable", settle_max, |harness| {
            harness
                .clients
                .iter()
                .all(|client| client.seen().pending == 0)
        })
        .await;
        self.log("all messages are durable, ending the meetings");
        // The first step of ending a meeting. The servers execute the others.
        let end =
            "UPDATE meeting_instance SET state = 'ending', reason = 'ended' WHERE state = 'active'";
        tokio::task::block_in_place(|| self.stores.database.query(end));
        self.wait("all clients to see the end", settle_max, |harness| {
            harness.clients.iter().all(|client| client.seen().is_closed)
        })
        .await;
        let count = "SELECT COUNT(*) FROM meeting_instance WHERE state <> 'ended'";
        tokio::task::block_in_place(|| {
            until("all meetings to be ended", || {
                (self.stores.database.value(count) == "0").then_some(())
            });
        });
        self.log("all meetings have ended");
        verdict::check(self).await
    }

    /// Returns the state of each client, for a run that hangs.
    pub fn state(&self) -> String {
        let mut text = String::new();
        for client in &self.clients {
            let seen = client.seen();
            writeln!(
                text,
                "{} in {}: connected {}, in {}, last {}, pending {} ({}), closed {}",
                client.name,
                client.instance,
                seen.is_connected,
                seen.is_in,
                seen.last,
                seen.pending,
                seen.first_pending,
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

/// Returns the resident memory of a process in KiB, on Linux.
fn memory_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
