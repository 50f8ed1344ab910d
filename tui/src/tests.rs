//! State, keys and what the server says in; requests and screens out.

mod anchoring;
mod answering;
mod attending;
mod caching;
mod dashboard;
mod editing;
mod hostile;
mod keys;
mod meeting_detail;
mod moderation;
mod notifications;
mod outbox;
mod reading;
mod recovery;
mod schedule;
mod screens;
mod seeking;
mod selecting;
mod sizes;
pub mod stage;
mod states;
mod talking;
mod waiting;
