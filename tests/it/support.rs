//! What the tests share: a registry with real keys, and a client for its endpoints.

pub mod ask;
pub mod assertions;
pub mod browser;
pub mod clock;
pub mod cluster;
pub mod form;
pub mod grants;
pub mod issued;
pub mod keys;
pub mod load;
pub mod logs;
pub mod operator;
pub mod people;
pub mod person;
pub mod postgres;
pub mod proxy;
pub mod replica;
pub mod reply;
pub mod running;
pub mod running_server;
pub mod signed_in;
pub mod snapshot;
pub mod test_namespace;
pub mod test_server;
pub mod users;
pub mod verdict;
pub mod verifier;

use std::time::Duration;

/// A condition that does not come true within this has failed. Long enough for a machine that does ten things at once.
pub const DEADLINE: Duration = Duration::from_mins(1);
