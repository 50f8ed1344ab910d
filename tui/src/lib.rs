//! The terminal client: the screen, and the same for scripts.

pub mod address;
pub mod api;
pub mod command_line;
pub mod config;
pub mod net;
pub mod session;
pub mod shell;
