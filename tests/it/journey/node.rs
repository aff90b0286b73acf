//! openid-client and jose, run by node.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journey");

/// A machine that has nothing but the entries of its Secret.
pub struct Machine(Command);

impl Machine {
    /// One with these credentials.
    pub fn new(entries: &BTreeMap<String, String>) -> Self {
        assert!(
            Path::new(FOLDER)
                .join("node_modules/openid-client")
                .exists(),
            "the client libraries of this test are missing: run `npm --prefix tests/journey ci` (Node.js 20 or newer), as `make test` does"
        );
        let mut node = Command::new("node");
        // By the environment, as with `envFrom`; arguments can be read by everybody.
        node.arg("journey.mjs")
            .current_dir(FOLDER)
            .envs(["ISSUER", "CLIENT_ID", "CLIENT_SECRET"].map(|name| (name, &entries[name])))
            .stdin(Stdio::null());
        Self(node)
    }

    /// The same with one more environment variable.
    pub fn with(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Discovers, asks for tokens, verifies them; returns what it saw.
    pub async fn run(self) -> Value {
        let mut node = self.0;
        let run = tokio::task::spawn_blocking(move || {
            node.output()
                .expect("node is needed: install Node.js 20 or newer")
        });
        let output = tokio::time::timeout(Duration::from_mins(1), run)
            .await
            .expect("node ends within a minute")
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
