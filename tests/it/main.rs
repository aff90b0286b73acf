//! The tests that see the whole: one binary, so that it links once.

mod protocol;
mod support;
