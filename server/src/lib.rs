//! The server of Plenary: the schedule, the meetings, the record. `ARCHITECTURE.md` has the map.

pub mod ctx;
pub mod error;
pub mod store;
