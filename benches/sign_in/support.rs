//! The fixtures of the protocol tests.

#[path = "../../tests/it/support/ask.rs"]
pub mod ask;
#[path = "../../tests/it/support/clock.rs"]
pub mod clock;
#[path = "../../tests/it/support/issued.rs"]
pub mod issued;
#[path = "../../tests/it/support/keys.rs"]
pub mod keys;
#[path = "../../tests/it/support/machine.rs"]
pub mod machine;
#[path = "../../tests/it/support/people.rs"]
pub mod people;
#[path = "../../tests/it/support/postgres.rs"]
pub mod postgres;
#[path = "../../tests/it/support/reply.rs"]
pub mod reply;
#[path = "../../tests/it/support/test_server.rs"]
pub mod test_server;
#[path = "../../tests/it/support/verifier.rs"]
pub mod verifier;
