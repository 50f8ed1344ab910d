//! The terminal client: the screen, line mode and the shell commands.

pub mod announcer;
pub mod api;
pub mod cache;
pub mod clock;
pub mod command;
pub mod command_line;
pub mod config;
pub mod drafts;
pub mod effect;
pub mod event_text;
pub mod export;
pub mod journal;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod link;
pub mod model;
pub mod msg;
pub mod net;
pub mod notify_file;
pub mod notify_level;

pub mod pipe;
pub mod private_file;
pub mod runtime;
pub mod sent;
pub mod server_url;
pub mod session;
pub mod shell;
pub mod term;
pub mod text;
pub mod theme;
pub mod update;
pub mod view;
pub mod widget;

#[cfg(test)]
mod tests;
