//! A Rust application by the `openidconnect` crate (tests/relying-party), and a person at its browser.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::node::Node;
use super::people::{Someone, with};
use super::secure::{Secure, secure};
use crate::support::machine;
use crate::support::test_namespace::TestNamespace;

const REDIRECT_URI: &str = "https://app.example.com/callback";
const SIGNED_OUT: &str = "https://app.example.com/signed-out";

#[tokio::test]
async fn a_rust_application_signs_people_in_with_a_secret() {
    let seen = journey(json!({})).await;
    judge(&seen, &json!(true), &json!(false));
}

#[tokio::test]
async fn a_rust_application_signs_people_in_without_a_secret() {
    let seen = journey(json!({ "type": "Public" })).await;
    judge(&seen, &json!(null), &json!(null));
}

async fn journey(client: Value) -> Value {
    // The library refuses a revocation endpoint that is not https.
    let secure: &'static Secure = tokio::task::spawn_blocking(secure).await.unwrap();
    let space = TestNamespace::within(&secure.cluster, &secure.operator.issuer, "rust").await;
    let tenant = space.tenant_with_people(json!({})).await;
    let spec = json!({
        "tenant": tenant,
        "redirectUris": [REDIRECT_URI],
        "postLogoutRedirectUris": [SIGNED_OUT],
    });
    space.ready("app", with(spec, &client)).await;
    let ada = Someone::new(&space, &tenant, "ada", &[]).await;
    let entries = space.entries("app-oauth").await;
    let ca = secure.authority.ca();
    let person = ada
        .at(Node::new("person.mjs"))
        .with("NODE_EXTRA_CA_CERTS", &ca);
    let person = person.into_command();
    tokio::task::spawn_blocking(move || converse(application(&entries, &ca), person))
        .await
        .unwrap()
}

/// `active` is what introspection says of what lives and of what was ended; a public client may not ask.
fn judge(seen: &Value, active: &Value, inactive: &Value) {
    let first = &seen["first"];
    assert_eq!(first["algorithm"], "RS256");
    assert_eq!(&first["active"], active);
    assert_eq!(first["userinfo"]["name"], "Ada Example");
    assert_eq!(first["userinfo"]["email"], "ada@example.com");
    let ended = json!({ "active": inactive, "refresh": "invalid_grant" });
    assert_eq!(seen["codeAgain"], "invalid_grant");
    assert_eq!(seen["afterCodeAgain"], ended);
    let rotation = json!({
        "subject": first["userinfo"]["sub"], "different": true, "reused": "invalid_grant", "after": ended,
    });
    assert_eq!(seen["rotation"], rotation);
    assert_eq!(seen["revocation"], ended);
    assert_eq!(seen["logout"], json!({ "state": true, "after": ended }));
}

/// Built where our own things are, so that it is kept as they are.
fn application(entries: &BTreeMap<String, String>, ca: &Path) -> Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("relying-party");
    let mut cargo =
        machine::build_tool(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["run", "--quiet", "--locked", "--manifest-path"])
        .arg("tests/relying-party/Cargo.toml")
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CA", ca)
        // A proxy of this machine is for what `cargo` downloads.
        .env("NO_PROXY", "127.0.0.1,localhost")
        .env("REDIRECT_URI", REDIRECT_URI)
        .env("POST_LOGOUT_REDIRECT_URI", SIGNED_OUT);
    for name in ["ISSUER", "CLIENT_ID", "CLIENT_SECRET"] {
        if let Some(value) = entries.get(name) {
            cargo.env(name, value);
        }
    }
    cargo
}

/// Takes the application's addresses to the person and the person's whereabouts back, until the application has seen
/// everything.
fn converse(application: Command, person: Command) -> Value {
    let (mut application, mut person) = (
        Conversation::begin(application),
        Conversation::begin(person),
    );
    loop {
        let line = application.hear();
        if let Some(seen) = line.strip_prefix("seen ") {
            return serde_json::from_str(seen).unwrap();
        }
        person.say(&line);
        let arrived: Value = serde_json::from_str(&person.hear()).unwrap();
        let until = line.split(' ').next_back().unwrap_or_default();
        let url = arrived["url"].as_str().unwrap();
        assert!(url.starts_with(until), "the person ended at {arrived}");
        application.say(url);
    }
}

/// A program that is talked with line by line; it ends with this value, and at the end of its input.
struct Conversation {
    program: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Conversation {
    fn begin(mut command: Command) -> Self {
        let mut program = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: program.stdin.take().unwrap(),
            output: BufReader::new(program.stdout.take().unwrap()),
            program,
        }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "it ended early; its words are above");
        line.trim_end().to_owned()
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
