//! Reads lists of the API server object by object while they arrive, within bounds of time and memory.
//!
//! It knows no kind and no cache: text comes in, objects come out. The watches and the second list of a doubt use it.

pub mod cutter;
pub mod decode;
pub mod pages;
pub mod read;
pub mod retry;
