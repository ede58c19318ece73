//! The `snapdeck` program.
fn main() {}
