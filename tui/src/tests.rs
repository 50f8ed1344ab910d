//! State, keys and what the server says in; requests and screens out.

mod account;
mod anchoring;
mod cache;
mod chat;
mod dashboard;
mod editing;
pub mod fixture;
mod hostile;
mod keys;
mod meeting_detail;
mod message_actions;
mod moderation;
mod notifications;
mod outbox;
mod presence;
mod read_position;
mod recovery;
mod schedule;
mod screens;
mod seeking;
mod selecting;
mod sizes;
mod states;
mod waiting_room;
