//! The tasks that fill the cache from watches.

pub mod catch_up;
pub mod client_secrets;
pub mod credentials;
pub mod definitions;
pub mod events;
pub mod lines;
pub mod objects;
pub mod passwords;
pub mod secrets;
