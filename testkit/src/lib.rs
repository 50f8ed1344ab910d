//! For tests only: private Redis, MariaDB and Plenary servers, clients of the wire, and the terminal
//! client in a pty. Everything has its own directory, is stopped by its pid when its guard is dropped, and
//! panics with a message that says what to do when it cannot work.
//!
//! ```no_run
//! # use plenary_testkit::{Http, Server, Stores};
//! # async fn example() {
//! let stores = Stores::start();
//! let server = Server::start(&stores.redis, &stores.database);
//! server.add_user("Ada", "ada@example.org", "correct horse");
//! let ada = Http::login(&server.url(), "ada@example.org", "correct horse").await;
//! assert_eq!(ada.get("/meetings").await.status, 200);
//! # }
//! ```
#![expect(
    clippy::missing_panics_doc,
    reason = "in a test every failure is a panic"
)]

mod client;
mod directory;
mod disk;
mod fixture;
mod frames;
mod http;
mod mariadb;
mod openapi;
mod process;
mod proxy;
mod pty;
mod redis;
mod resources;
mod server;
mod stores;
mod wait;
mod ws;

pub use client::Client;
pub use disk::Disk;
pub use fixture::{Fixture, FixtureBuilder, PASSWORD, instance, user};
pub use frames::masked_frame;
pub use http::{Answer, Http};
pub use mariadb::{Database, MariaDb};
pub use process::{Finished, Signal, binary};
pub use proxy::{Endpoint, NetworkCondition, Proxy};
pub use pty::{Pty, PtyOptions};
pub use redis::{Redis, RedisOptions};
pub use resources::{open_descriptors, processor_ticks, resident_kib};
pub use server::{Server, ServerOptions};
pub use stores::Stores;
pub use wait::{DEADLINE, until, until_async};
pub use ws::{Closed, Ws};
