//! What admins who watch are pushed: every meeting, and one of them in detail.

mod detail;
mod rows;
mod servers;
mod storm;
mod watched;
