//! A server stops within seconds of SIGTERM, whatever the state of its stores.

use std::time::{Duration, Instant};

use plenary_testkit::{
    Fixture, FixtureBuilder, RedisOptions, ServerOptions, Signal, Ws, instance, until,
};

/// A user has joined and follows.
async fn fixture() -> (Fixture, Ws) {
    let fixture = FixtureBuilder::with(RedisOptions::default(), ServerOptions::default())
        .people(1, &["ada"])
        .meeting(1, "Long", None)
        .instance(1, 1, -60, 3_600)
        .start();
    let mut ada = fixture.ws("ada").await;
    ada.join(instance(1, 1)).await.expect("it is public");
    ada.open(instance(1, 1)).await.expect("it is open");
    ada.post(instance(1, 1), "hello").await.expect("ada is in");
    (fixture, ada)
}

fn stop(fixture: &mut Fixture) -> Duration {
    let began = Instant::now();
    assert_eq!(fixture.server.terminate(), 0);
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_standing_still() {
    let (mut fixture, ada) = fixture().await;
    fixture.stores.redis.signal(Signal::Stop);
    let took = stop(&mut fixture);
    fixture.stores.redis.signal(Signal::Cont);
    eprintln!("took {took:?}");
    assert!(took < Duration::from_secs(12), "{took:?}");
    drop(ada);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_gone() {
    let (mut fixture, ada) = fixture().await;
    fixture.stores.redis.kill9();
    let took = stop(&mut fixture);
    eprintln!("took {took:?}");
    assert!(took < Duration::from_secs(12), "{took:?}");
    drop(ada);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_mysql_gone() {
    let (mut fixture, mut ada) = fixture().await;
    fixture.stores.mariadb.kill9();
    ada.post(instance(1, 1), "not archived")
        .await
        .expect("ada is in");
    let took = stop(&mut fixture);
    eprintln!("took {took:?}");
    assert!(took < Duration::from_secs(12), "{took:?}");
    fixture.stores.mariadb.restart();
    fixture.server.restart();
    until("the record to have it", || {
        (fixture.message_rows(instance(1, 1)).len() == 2).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_half_a_request_and_a_reader_that_reads_nothing() {
    use std::io::Write;
    let (mut fixture, ada) = fixture().await;
    let address = fixture
        .server
        .url()
        .trim_start_matches("http://")
        .to_owned();
    let mut half = std::net::TcpStream::connect(&address).expect("it listens");
    half.write_all(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        .expect("it takes that");
    let silent = std::net::TcpStream::connect(&address).expect("it listens");
    let took = stop(&mut fixture);
    eprintln!("took {took:?}");
    assert!(took < Duration::from_secs(12), "{took:?}");
    drop((half, silent, ada));
}
