//! State, keys and what the server says in; requests and screens out.

mod hostile;
mod keys;
mod outbox;
mod recovery;
mod screens;
mod stage;
mod talking;
