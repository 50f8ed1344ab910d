//! The question before quitting.

mod update;
pub mod view;

/// The question whether to leave the running meetings before quitting.
#[derive(Clone, Copy, Debug)]
pub struct Quit;
