//! The tests that see the whole: one binary, so that it links once.

#![allow(
    clippy::unwrap_used,
    reason = "in a test a panic is a failure with a line number"
)]
#![allow(
    clippy::assigning_clones,
    clippy::items_after_statements,
    clippy::needless_for_each,
    clippy::needless_pass_by_value,
    clippy::struct_field_names,
    clippy::too_many_lines,
    clippy::unused_async,
    reason = "a test reads from top to bottom, tables included"
)]

mod cluster;
mod faults;
mod journey;
mod node;
mod protocol;
mod store;
mod support;
mod tidy;
mod upgrade;
