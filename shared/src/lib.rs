//! Types that the server and the clients share: ids, limits, parsed text and times, the domain, the
//! protocol and the replica of an event log. Does no I/O.

#![warn(missing_docs)]

pub mod domain;
pub mod ids;
pub mod limits;
#[cfg(feature = "openapi")]
mod openapi;
pub mod protocol;
pub mod replica;
pub mod search;
pub mod text;
pub mod time;
pub mod unicode;
