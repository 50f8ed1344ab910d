//! A database that is away, late, or back.

use std::time::{Duration, Instant};

use plenary_server::store::mysql::MysqlStore;
use plenary_shared::domain::EventKind;
use plenary_testkit::{Signal, until_async};

use crate::{World, batch, event, is_away, minute};

/// The ledger's own deadline is 5 s, for the connection and for the statement.
const PATIENCE: Duration = Duration::from_secs(11);

/// As many queries at once as there are connections, so that each of them has been used.
async fn use_every_connection(ledger: &MysqlStore) {
    let queries = (0..8).map(|_| {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.users(None, 1).await })
    });
    for query in queries.collect::<Vec<_>>() {
        query.await.expect("no panic").expect("it answers");
    }
}

#[tokio::test]
async fn a_killed_database_is_a_fault_and_then_well_again() {
    let mut world = World::new().await;
    let id = world.active().await;
    use_every_connection(&world.ledger).await;

    world.mariadb.kill9();
    let began = Instant::now();
    is_away(world.ledger.stored(id).await);
    is_away(world.ledger.begin(id, minute(0)).await);
    is_away(
        world
            .ledger
            .archive(&[batch(id, 0, vec![event(id, 1, EventKind::Opened)])])
            .await,
    );
    world.ledger.ping().await.expect_err("nobody is there");
    world.ledger.migrate().await.expect_err("nobody is there");
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());

    world.mariadb.restart();
    // The very first statement, although every connection was dead.
    let stored = world.ledger.stored(id).await.expect("it answers");
    assert!(stored.is_some());
    use_every_connection(&world.ledger).await;
}

#[tokio::test]
async fn connections_that_died_unseen_are_no_fault() {
    let mut world = World::new().await;
    let id = world.active().await;
    use_every_connection(&world.ledger).await;
    world.mariadb.restart();
    // One that changes, one in a transaction, one that reads.
    let set = world
        .ledger
        .close_session(plenary_server::store::TokenHash([0; 32]))
        .await;
    assert!(!set.expect("it answers"));
    let raised = world.ledger.raise(id).await.expect("it answers");
    assert!(raised.is_some());
    use_every_connection(&world.ledger).await;
}

#[tokio::test]
async fn a_frozen_database_is_a_fault_within_the_deadline() {
    let world = World::new().await;
    let id = world.active().await;
    world.mariadb.signal(Signal::Stop);
    let began = Instant::now();
    is_away(world.ledger.stored(id).await);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    world.mariadb.signal(Signal::Cont);
    until_async("the ledger to be well again", || async {
        world.ledger.stored(id).await.ok()
    })
    .await;
}

#[tokio::test]
async fn a_row_that_somebody_holds_is_a_fault_within_the_deadline() {
    let world = World::new().await;
    let id = world.active().await;
    let holder = mysql_async::Conn::from_url(world.database.url());
    let mut holder = holder.await.expect("the database answers");
    let lock = "SELECT 1 FROM meeting_instance FOR UPDATE";
    mysql_async::prelude::Queryable::query_drop(&mut holder, "BEGIN")
        .await
        .expect("it answers");
    mysql_async::prelude::Queryable::query_drop(&mut holder, lock)
        .await
        .expect("it answers");
    let began = Instant::now();
    is_away(world.ledger.raise(id).await);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    // Reading waits for nobody.
    let stored = world.ledger.stored(id).await.expect("it answers");
    assert!(stored.is_some());
    drop(holder);
    until_async("the row to be free", || async {
        world.ledger.raise(id).await.ok().flatten()
    })
    .await;
}
