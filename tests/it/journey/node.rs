//! Programs of tests/journey, run by node: openid-client, jose, Chromium, and a person without a screen.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::fonts::{DEJAVU_SANS, Family};

use crate::support::machine;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journey");

/// A program that has not begun. What it must know comes by the environment, as with `envFrom`; arguments can be
/// read by everybody.
pub struct Node(Command);

impl Node {
    /// A program of tests/journey.
    pub fn new(program: &str) -> Self {
        assert!(
            Path::new(FOLDER)
                .join("node_modules/openid-client")
                .exists(),
            "the client libraries of this test are missing: run `npm --prefix tests/journey ci` (Node.js 20 or newer), as `make test` does"
        );
        let mut node = machine::program("node");
        node.arg(program).current_dir(FOLDER).stdin(Stdio::null());
        Self(node).shown_in(&DEJAVU_SANS)
    }

    /// The same with a browser that has this font and no other. Without it the program fails, and names the package.
    pub fn shown_in(self, family: &Family) -> Self {
        self.with("FONTCONFIG_FILE", family.configuration)
            .with("FONT_FAMILY", family.name)
            .with("FONT_PACKAGE", family.package)
    }

    /// The same with one more environment variable.
    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// The same with what an application needs to know of its Secret. A public client's has no client secret.
    pub fn with_entries(mut self, entries: &BTreeMap<String, String>) -> Self {
        for name in ["ISSUER", "CLIENT_ID", "CLIENT_SECRET"] {
            if let Some(value) = entries.get(name) {
                self.0.env(name, value);
            }
        }
        self
    }

    /// The command, for those who talk with the program while it runs.
    pub fn into_command(self) -> Command {
        self.0
    }

    /// Runs it to its end; returns what it saw.
    pub async fn run(self) -> Value {
        self.run_within(Duration::from_mins(3)).await
    }

    /// The same, for what takes longer on a busy machine.
    pub async fn run_within(self, patience: Duration) -> Value {
        let mut node = self.0;
        let run = tokio::task::spawn_blocking(move || {
            node.output()
                .expect("node is needed: install Node.js 20 or newer")
        });
        let output = tokio::time::timeout(patience, run)
            .await
            .expect("node ends in time")
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        eprint!("{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A machine that has nothing but the entries of its Secret: it discovers, asks for tokens, verifies them.
pub fn machine(entries: &BTreeMap<String, String>) -> Node {
    Node::new("machine.mjs").with_entries(entries)
}
