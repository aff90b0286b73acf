//! What the fuzz targets share: the server of the protocol tests, everything that it has issued, and placeholders
//! through which an input can use it. Without them no input would come further than the first signature.

#![allow(dead_code, reason = "the tests use the rest")]

pub mod admission;
#[path = "../../tests/it/support/ask.rs"]
pub mod ask;
#[path = "../../tests/it/support/browser.rs"]
pub mod browser;
mod cel;
#[path = "../../tests/it/support/clock.rs"]
pub mod clock;
#[path = "../../tests/it/support/form.rs"]
pub mod form;
mod issued;
#[path = "../../tests/it/support/judge.rs"]
pub mod judge;
#[path = "../../tests/it/support/keys.rs"]
pub mod keys;
#[path = "../../tests/it/support/people.rs"]
pub mod people;
#[path = "../../tests/it/support/reply.rs"]
pub mod reply;
#[path = "../../tests/it/support/test_server.rs"]
pub mod test_server;

pub use issued::{CLIENT, Issued, filled};

/// Reads a file as one of a source. What comes out can be written as a folder, and its report holds no secret.
pub fn import(source: clientele_kubectl::args::Source, bytes: &[u8]) {
    use clientele_kubectl::import::{Settings, documents::Documents, read};
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut documents = Documents::default();
    if documents.add("input", text).is_err() {
        return;
    }
    let settings = Settings {
        namespace: "apps".to_owned(),
        tenant: "default".to_owned(),
        client_id_key: None,
        client_secret_key: None,
    };
    if let Ok(import) = read(source, &documents, &settings) {
        for client in import.clients {
            assert!(client.name.len() <= 63 && !client.name.is_empty());
            assert!(client.secret.is_none() || client.spec.is_some());
        }
    }
}
