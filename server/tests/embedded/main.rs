//! The store of one machine, by the real server: everything in one file, the same promises.

mod backup;
mod beside;
mod crowd;
mod functions;
mod life;
mod moving;
mod outage;
mod schema;
mod stage;
mod survival;
