//! What is broken, how it is mended, and how long people notice it.

use std::time::{Duration, Instant};

use plenary_testkit::{Proxy, Weather};
use tokio::task::block_in_place;

use crate::dice::Dice;
use crate::person::Order;
use crate::reading::Measured;
use crate::stage::Stage;

/// How long a reading is waited for.
const READING_MAX: Duration = Duration::from_mins(1);

/// Between two looks at the archive: each costs a process.
const ARCHIVE_EVERY: Duration = Duration::from_millis(200);

/// How soon after a server's death its people have noticed.
const NOTICED: Duration = Duration::from_secs(1);

/// A long absence of MySQL, after which there is much to catch up with.
const LONG: Duration = Duration::from_secs(30);

const PEOPLE_BACK: Measured = Measured {
    what: "from a server's death until all its people are on another",
    at_most: Some(Duration::from_secs(2)),
};

const POST_TAKEN: Measured = Measured {
    what: "from Redis' return until a post is taken",
    at_most: Some(Duration::from_secs(3)),
};

const ALL_TAKEN: Measured = Measured {
    what: "from Redis' return until a post of everybody is taken",
    at_most: None,
};

const CAUGHT_UP: Measured = Measured {
    what: "from MySQL's return until the archive has caught up",
    at_most: None,
};

const CAUGHT_UP_AFTER_LONG: Measured = Measured {
    what: "from MySQL's return after a long absence until the archive has caught up",
    at_most: Some(Duration::from_secs(30)),
};

/// One of each kind, quickly.
pub async fn a_few(stage: &mut Stage) {
    let short = Duration::from_millis(500);
    server_dies(stage, 0, short).await;
    stage.people[3].order(Order::Die(short)).await;
    redis_dies(stage, short).await;
    people_have(stage, Trouble::HalfOpen, short).await;
    mysql_dies(stage, short).await;
    people_have(stage, Trouble::Cut, short).await;
    server_dies(stage, 1, short).await;
    stores_have(stage, Which::Redis, Trouble::HalfOpen, short).await;
    stores_have(stage, Which::MySql, Trouble::HalfOpen, short).await;
}

/// One fault at a time; each is over before the next begins. MySQL is away for `long`.
pub async fn one_after_the_other(stage: &mut Stage, long: Duration) {
    for round in 0..4 {
        server_dies(stage, round % 2, Duration::from_secs(3)).await;
        stage.pass(Duration::from_secs(6)).await;
    }
    for _ in 0..4 {
        redis_dies(stage, Duration::from_millis(500)).await;
        stage.pass(Duration::from_secs(6)).await;
    }
    mysql_dies(stage, long).await;
    stage.pass(Duration::from_secs(3)).await;
    stage.nobody_is_shown_as_left();
}

/// Faults as the dice fall, for so long.
pub async fn at_random(stage: &mut Stage, dice: &mut Dice, long: Duration) {
    stage.readings.become_random();
    let began = Instant::now();
    while began.elapsed() < long {
        match dice.roll(20) {
            0..=3 => {
                let (which, down) = (dice.roll(2), dice.wait_ms(0, 3_000));
                server_dies(stage, usize::from(which == 1), down).await;
            }
            4..=6 => redis_dies(stage, dice.wait_ms(0, 2_000)).await,
            7..=8 => mysql_dies(stage, dice.wait_ms(0, 6_000)).await,
            9..=11 => person_dies(stage, dice).await,
            12..=15 => {
                let (trouble, long) = (trouble(dice, 80), dice.wait_ms(200, 3_000));
                people_have(stage, trouble, long).await;
            }
            more => {
                let which = if more % 2 == 0 {
                    Which::Redis
                } else {
                    Which::MySql
                };
                let (trouble, long) = (trouble(dice, 20), dice.wait_ms(200, 3_000));
                stores_have(stage, which, trouble, long).await;
            }
        }
        let pause = dice.wait_ms(0, 1_500);
        stage.pass(pause).await;
    }
}

async fn server_dies(stage: &mut Stage, which: usize, down: Duration) {
    stage.say(&format!("server {which} dies, for {down:?}"));
    let died = Instant::now();
    stage.down = Some(which);
    block_in_place(|| stage.servers[which].kill9());
    let all_back = move |stage: &Stage| {
        died.elapsed() > NOTICED && stage.people.iter().all(|person| person.seen().is_connected)
    };
    stage
        .holds(down.max(NOTICED), |_| died.elapsed() >= down.max(NOTICED))
        .await;
    let back = stage.holds(READING_MAX, all_back).await;
    // The last of those who lost it then.
    let slowest = stage
        .people
        .iter()
        .filter_map(|person| {
            let seen = person.seen();
            let lost = seen.lost_at.iter().find(|at| **at >= died)?;
            seen.back_at.iter().find(|at| *at > lost).copied()
        })
        .map(|at| at - died)
        .max();
    // Nobody may have been on it.
    if back.is_none() || slowest.is_some() {
        let took = back.and(slowest);
        stage.say(&format!(
            "  its people are on another server after {took:?}"
        ));
        stage.readings.note(PEOPLE_BACK, took);
    }
    block_in_place(|| stage.servers[which].restart());
    stage.down = None;
}

async fn redis_dies(stage: &mut Stage, down: Duration) {
    stage.say(&format!("Redis dies, for {down:?}"));
    block_in_place(|| stage.stores.redis.kill9());
    stage.pass(down).await;
    block_in_place(|| stage.stores.redis.restart());
    let back = Instant::now();
    let first = stage
        .holds(READING_MAX, |stage| {
            stage
                .people
                .iter()
                .any(|person| person.seen().taken_at.is_some_and(|at| at > back))
        })
        .await;
    let all = stage
        .holds(READING_MAX, |stage| {
            stage
                .people
                .iter()
                .all(|person| person.seen().taken_at.is_some_and(|at| at > back))
        })
        .await;
    let all = all.map(|_| back.elapsed());
    if all.is_none() {
        println!("{}", stage.state());
    }
    stage.say(&format!(
        "  a post is taken after {first:?}, one of everybody after {all:?}"
    ));
    let readings = &mut stage.readings;
    readings.note(POST_TAKEN, first);
    readings.note(ALL_TAKEN, all);
}

async fn mysql_dies(stage: &mut Stage, down: Duration) {
    stage.say(&format!("MySQL dies, for {down:?}"));
    block_in_place(|| stage.stores.mariadb.kill9());
    stage.pass(down).await;
    block_in_place(|| stage.stores.mariadb.restart());
    let heads = stage.heads();
    let back = Instant::now();
    while !stage.is_archived(&heads) && back.elapsed() < READING_MAX {
        stage.pass(ARCHIVE_EVERY).await;
    }
    let took = Some(back.elapsed()).filter(|took| *took < READING_MAX);
    stage.say(&format!("  the archive has caught up after {took:?}"));
    let what = if down >= LONG {
        CAUGHT_UP_AFTER_LONG
    } else {
        CAUGHT_UP
    };
    stage.readings.note(what, took);
}

async fn person_dies(stage: &mut Stage, dice: &mut Dice) {
    let which = usize::try_from(dice.roll(stage.people.len() as u64)).expect("small");
    let down = dice.wait_ms(0, 3_000);
    let name = stage.people[which].name.clone();
    stage.say(&format!("{name}'s client dies, for {down:?}"));
    stage.people[which].order(Order::Die(down)).await;
}

/// What becomes of connections.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Cut,
    HalfOpen,
    Silent,
    Slow(Duration),
}

/// Which of the stores.
#[derive(Clone, Copy, Debug)]
enum Which {
    Redis,
    MySql,
}

fn trouble(dice: &mut Dice, slow_ms_max: u64) -> Trouble {
    match dice.roll(4) {
        0 => Trouble::Cut,
        1 => Trouble::HalfOpen,
        2 => Trouble::Silent,
        _ => Trouble::Slow(dice.wait_ms(1, slow_ms_max)),
    }
}

async fn people_have(stage: &mut Stage, trouble: Trouble, long: Duration) {
    stage.say(&format!(
        "every client's connection is {trouble:?} for {long:?}"
    ));
    begin(&stage.to_servers, trouble);
    stage.pass(long).await;
    // Who has a half of a connection notices when it has been silent for long. There is no time for that.
    stage.to_servers.set(Weather::Clear);
    if matches!(trouble, Trouble::HalfOpen) {
        stage.to_servers.cut();
    }
}

async fn stores_have(stage: &mut Stage, which: Which, trouble: Trouble, long: Duration) {
    stage.say(&format!(
        "every connection to {which:?} is {trouble:?} for {long:?}"
    ));
    let proxy = |stage: &Stage, act: &dyn Fn(&Proxy)| match which {
        Which::Redis => act(&stage.to_redis),
        Which::MySql => act(&stage.to_mysql),
    };
    proxy(stage, &|proxy| begin(proxy, trouble));
    stage.pass(long).await;
    proxy(stage, &|proxy| proxy.set(Weather::Clear));
}

fn begin(proxy: &Proxy, trouble: Trouble) {
    match trouble {
        Trouble::Cut => proxy.cut(),
        Trouble::HalfOpen => proxy.forget(),
        Trouble::Silent => proxy.set(Weather::Still),
        Trouble::Slow(wait) => proxy.set(Weather::Slow(wait)),
    }
}
