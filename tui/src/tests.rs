//! State, keys and what the server says in; requests and screens out.

mod editing;
mod hostile;
mod keys;
mod recovery;
mod screens;
mod selecting;
mod stage;
mod talking;
