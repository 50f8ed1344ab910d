//! A database that is unavailable, slow, or available again.

use std::time::{Duration, Instant};

use plenary_server::store::mysql::MysqlStore;
use plenary_shared::domain::EventKind;
use plenary_testkit::{Signal, until_async};

use crate::{Harness, assert_unavailable, batch, event, minute};

/// The store's own deadline is 5 s, for the connection and for the statement.
const DEADLINE: Duration = Duration::from_secs(11);

/// Runs as many queries at once as the pool has connections, so that each is used.
async fn use_every_connection(store: &MysqlStore) {
    let queries = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.users(None, 1).await })
    });
    for query in queries.collect::<Vec<_>>() {
        query.await.expect("no panic").expect("it answers");
    }
}

#[tokio::test]
async fn killed_database_is_unavailable_until_restart() {
    let mut harness = Harness::new().await;
    let id = harness.active().await;
    use_every_connection(&harness.store).await;

    harness.mariadb.kill9();
    let began = Instant::now();
    assert_unavailable(harness.store.stored(id).await);
    assert_unavailable(harness.store.begin(id, minute(0)).await);
    assert_unavailable(
        harness
            .store
            .archive(&[batch(id, 0, vec![event(id, 1, EventKind::Opened)])])
            .await,
    );
    harness.store.ping().await.expect_err("nobody is there");
    harness.store.migrate().await.expect_err("nobody is there");
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());

    harness.mariadb.restart();
    // The first statement succeeds although every pooled connection was dead.
    let stored = harness.store.stored(id).await.expect("it answers");
    assert!(stored.is_some());
    use_every_connection(&harness.store).await;
}

#[tokio::test]
async fn dead_pooled_connections_are_replaced() {
    let mut harness = Harness::new().await;
    let id = harness.active().await;
    use_every_connection(&harness.store).await;
    harness.mariadb.restart();
    // A single change, a transaction and a query.
    let set = harness
        .store
        .close_session(plenary_server::store::TokenHash([0; 32]))
        .await;
    assert!(!set.expect("it answers"));
    let raised = harness.store.raise(id).await.expect("it answers");
    assert!(raised.is_some());
    use_every_connection(&harness.store).await;
}

#[tokio::test]
async fn frozen_database_is_unavailable_within_the_deadline() {
    let harness = Harness::new().await;
    let id = harness.active().await;
    harness.mariadb.signal(Signal::Stop);
    let began = Instant::now();
    assert_unavailable(harness.store.stored(id).await);
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    harness.mariadb.signal(Signal::Cont);
    until_async("the store to be well again", || async {
        harness.store.stored(id).await.ok()
    })
    .await;
}

#[tokio::test]
async fn locked_row_is_unavailable_within_the_deadline() {
    let harness = Harness::new().await;
    let id = harness.active().await;
    let holder = mysql_async::Conn::from_url(harness.database.url());
    let mut holder = holder.await.expect("the database answers");
    let lock = "SELECT 1 FROM meeting_instance FOR UPDATE";
    mysql_async::prelude::Queryable::query_drop(&mut holder, "BEGIN")
        .await
        .expect("it answers");
    mysql_async::prelude::Queryable::query_drop(&mut holder, lock)
        .await
        .expect("it answers");
    let began = Instant::now();
    assert_unavailable(harness.store.raise(id).await);
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    // Reads do not wait for row locks.
    let stored = harness.store.stored(id).await.expect("it answers");
    assert!(stored.is_some());
    drop(holder);
    until_async("the row to be free", || async {
        harness.store.raise(id).await.ok().flatten()
    })
    .await;
}
