//! The figures of every running server are pushed by each server.

use plenary_testkit::{Server, Ws, instance};

use crate::rows::fixture;
use crate::watched::Watched;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_are_listed_until_they_stop() {
    let fixture = fixture();
    let mut second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let mut watched = Watched::begin(fixture.ws("root").await).await;
    let mut people = Vec::new();
    for name in ["ada", "grace", "ken"] {
        people.push(Ws::hello(&second.url(), &fixture.token(name)).await);
    }
    people[0].open(instance(2, 1)).await.expect("it is public");
    people[0].join(instance(2, 1)).await.expect("it is public");
    watched
        .until("the other server's figures", |it| {
            it.servers.len() == 2 && it.servers[1].connections == 3 && it.servers[1].rooms == 1
        })
        .await;
    let [own, other] = &watched.servers[..] else {
        panic!("not two servers: {:?}", watched.servers);
    };
    assert!(own.is_this_server && !other.is_this_server && own.node != other.node);
    assert_eq!((own.connections, own.rooms), (1, 0));
    let port = second
        .url()
        .rsplit_once(':')
        .map(|(_, port)| port.to_owned());
    let port = port.expect("it has a port");
    assert!(other.name.ends_with(&port), "{}", other.name);
    // The totals cover all servers.
    watched
        .until("the sums", |it| {
            it.head
                .as_ref()
                .is_some_and(|head| head.connections == 4 && head.delivery_p95_ms.is_some())
        })
        .await;
    assert_eq!(second.terminate(), 0);
    watched
        .until("the other to be forgotten", |it| it.servers.len() == 1)
        .await;
}
