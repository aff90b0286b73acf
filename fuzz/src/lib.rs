//! What the fuzz targets share: the server of the protocol tests, everything that it has issued to somebody, and placeholders
//! through which an input can use it. Without them no input would come further than the first signature.

#![allow(dead_code, reason = "the tests use the rest")]

#[path = "../../tests/it/support/ask.rs"]
pub mod ask;
#[path = "../../tests/it/support/browser.rs"]
pub mod browser;
#[path = "../../tests/it/support/clock.rs"]
pub mod clock;
#[path = "../../tests/it/support/form.rs"]
pub mod form;
mod issued;
#[path = "../../tests/it/support/keys.rs"]
pub mod keys;
#[path = "../../tests/it/support/people.rs"]
pub mod people;
#[path = "../../tests/it/support/reply.rs"]
pub mod reply;
#[path = "../../tests/it/support/test_server.rs"]
pub mod test_server;

pub use issued::{CLIENT, Issued, filled};
