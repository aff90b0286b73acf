//! The tests that see the whole: one binary, so that it links once.

#![allow(
    clippy::unwrap_used,
    reason = "in a test a panic is a failure with a line number"
)]

mod cluster;
mod journey;
mod protocol;
mod store;
mod support;
mod tidy;
