//! The fixtures of the tests.

#[path = "../../tests/it/support/ask.rs"]
pub mod ask;
#[path = "../../tests/it/support/clock.rs"]
pub mod clock;
#[path = "../../tests/it/support/cluster.rs"]
pub mod cluster;
#[path = "../../tests/it/support/keys.rs"]
pub mod keys;
#[path = "../../tests/it/support/machine.rs"]
pub mod machine;
#[path = "../../tests/it/support/operator.rs"]
pub mod operator;
#[path = "../../tests/it/support/people.rs"]
pub mod people;
#[path = "../../tests/it/support/reply.rs"]
pub mod reply;
#[path = "../../tests/it/support/test_namespace.rs"]
pub mod test_namespace;
#[path = "../../tests/it/support/test_server.rs"]
pub mod test_server;
