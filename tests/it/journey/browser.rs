//! Scripts of `tests/journey` that drive Debian's Chromium.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journey");

/// Where the pictures go.
pub const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/screenshots");

/// Runs a script with these environment variables, and returns the JSON that it prints.
pub async fn run(script: &str, variables: &[(&str, &str)]) -> Value {
    for (path, remedy) in [
        (
            "/usr/bin/chromium",
            "install it, for example `apt-get install chromium`",
        ),
        (
            &format!("{FOLDER}/node_modules/playwright-core"),
            "run `npm --prefix tests/journey ci`, as `make test` does",
        ),
    ] {
        assert!(Path::new(path).exists(), "{path} is missing: {remedy}");
    }
    let mut node = Command::new("node");
    node.arg(script)
        .current_dir(FOLDER)
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    let run = tokio::task::spawn_blocking(move || {
        node.output()
            .expect("node is needed: install Node.js 20 or newer")
    });
    let output = tokio::time::timeout(Duration::from_mins(5), run)
        .await
        .expect("the browser ends within five minutes")
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}
