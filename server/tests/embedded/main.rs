//! Tests of the embedded store (SQLite) with the real server.

mod backup;
mod clock;
mod concurrency;
mod functions;
mod harness;
mod lifecycle;
mod limits;
mod outage;
mod processes;
mod schema;
mod survival;
mod transfer;
