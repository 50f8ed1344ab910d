//! State, keys and what the server says in; requests and screens out.

mod anchoring;
mod answering;
mod attending;
mod boarding;
mod caching;
mod calling;
mod drilling;
mod editing;
mod hostile;
mod keys;
mod moderation;
mod outbox;
mod planning;
mod reading;
mod recovery;
mod screens;
mod seeking;
mod selecting;
mod sizes;
pub mod stage;
mod states;
mod talking;
mod waiting;
