//! The terminal client: the screen, and the same for scripts.

pub mod net;
