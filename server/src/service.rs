//! The operations of the product, shared by WebSocket, HTTP and command line.

pub mod account;
pub mod chat;
pub mod meeting;
pub mod moderation;

pub mod schedule;
pub mod search;
pub mod user_admin;
