//! What the server and the clients have in common: identifiers, limits, text and time at the door,
//! the domain, the wire and the replica. No socket, no terminal, no database, no runtime.

pub mod domain;
pub mod ids;
pub mod limits;
pub mod protocol;
pub mod replica;
pub mod search;
pub mod text;
pub mod time;
