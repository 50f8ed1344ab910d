//! Store connections that went silent without being closed are abandoned, and requests use new
//! ones.

use plenary_testkit::{FixtureBuilder, Http, Proxy, Server, ServerOptions, Stores, until_async};
use serde_json::json;

/// A server whose connections to its stores can be broken.
struct Behind {
    // Before its stores, so that it ends first.
    server: Server,
    to_redis: Proxy,
    to_mysql: Proxy,
    stores: Stores,
}

fn behind_proxies() -> Behind {
    let stores = FixtureBuilder::new()
        .people(1, &["ada"])
        .meeting(1, "Long", None)
        .instance(1, 1, -60, 3_600)
        .into_stores();
    let to_redis = Proxy::on_socket(stores.redis.socket());
    let to_mysql = Proxy::on_socket(stores.mariadb.socket());
    let server = tokio::task::block_in_place(|| {
        let (redis, mysql) = (to_redis.redis_url(), to_mysql.mysql_url(&stores.database));
        Server::at(&redis, &mysql, ServerOptions::default())
    });
    Behind {
        server,
        to_redis,
        to_mysql,
        stores,
    }
}

async fn ada(behind: &Behind) -> Http {
    let token = behind.stores.tokens(&["ada"]).remove(0);
    let ada = Http::with_token(&behind.server.url(), &token);
    until_async("the meeting to be joined", || async {
        let answer = ada.post("/meeting/1/order/1/join", &json!({})).await;
        (answer.status == 200).then_some(())
    })
    .await;
    ada
}

async fn say(ada: &Http, text: &str) {
    until_async(&format!("'{text}' to be said"), || async {
        let body = json!({"body": text});
        let answer = ada.post("/meeting/1/order/1/message", &body).await;
        assert!(matches!(answer.status, 201 | 503), "{answer:?}");
        (answer.status == 201).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_redis_connection_is_abandoned() {
    let behind = behind_proxies();
    let ada = ada(&behind).await;
    say(&ada, "before").await;
    behind.to_redis.forget();
    say(&ada, "after").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_mysql_connections_are_abandoned() {
    let behind = behind_proxies();
    let ada = ada(&behind).await;
    say(&ada, "before").await;
    behind.to_mysql.forget();
    say(&ada, "after").await;
    until_async("both to be in the archive", || async {
        let count = behind.stores.database.value("SELECT COUNT(*) FROM message");
        (count == "2").then_some(())
    })
    .await;
}
