//! The server of Plenary: schedule, meetings and event log. `ARCHITECTURE.md` is the map.

pub mod app;
pub mod archiver;
pub mod auth;
pub mod clock;
pub mod command_line;
pub mod config;
pub mod ctx;
pub mod dashboard;
pub mod error;
pub mod http;
pub mod hub;
pub mod json;
pub mod listener;
pub mod metrics;
pub mod peer;
pub mod presence;
pub mod rate_limits;
pub mod read_positions;
pub mod request_limits;
pub mod rules;
pub mod scheduler;
pub mod service;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod ws;
