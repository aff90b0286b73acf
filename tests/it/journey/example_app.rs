//! The example application, running with what its Secret says, as `envFrom` gives it to a container.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::support::machine;
use crate::support::operator::GUARD;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/web-app");

/// A running application; ends with this value, and also when this process dies.
pub struct ExampleApp {
    guard: Child,
}

impl ExampleApp {
    /// Starts it at this URL and waits until it listens. `ca` signed the issuer's certificate.
    pub fn start(url: &str, entries: &BTreeMap<String, String>, ca: &Path) -> Self {
        assert!(
            Path::new(FOLDER)
                .join("node_modules/openid-client")
                .exists(),
            "the library of the example application is missing: run `npm --prefix examples/web-app ci`, as `make test` does"
        );
        let mut guard = machine::program("sh")
            .args(["-c", GUARD, "sh", "node", "server.mjs"])
            .current_dir(FOLDER)
            .envs(entries)
            .env("APP_URL", url)
            .env("NODE_EXTRA_CA_CERTS", ca)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(guard.stdout.take().unwrap()).lines();
        let said = lines.find(|line| !line.as_ref().unwrap().chars().all(char::is_numeric));
        assert_eq!(said.unwrap().unwrap(), format!("Open {url}"));
        Self { guard }
    }
}

impl Drop for ExampleApp {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}
