//! The credentials of a client, from its manifest to its end.

mod answers;
pub mod brought;
mod delete;
mod issue;
mod paths;
mod repair;
pub mod reshape;
pub mod secretless;
