//! The rules of the operator: objects in, values out. No task, no clock, no connection.

pub mod advice;
pub mod client;
pub mod definitions;
pub mod kept;
pub mod large;
pub mod names;
pub mod reason;
pub mod secret_entry;
pub mod structure;
pub mod tenant;
pub mod uid;
pub mod unique_names;
pub mod user;
pub mod verdict;
