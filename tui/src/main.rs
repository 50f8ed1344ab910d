//! Starts the terminal client.

fn main() {}
