//! The verbs of the product: what WebSocket, HTTP and command line share.

pub mod account;
pub mod chat;
pub mod meeting;
pub mod moderation;
pub mod people;
pub mod schedule;
pub mod search;
