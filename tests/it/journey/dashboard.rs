//! The dashboard as a person uses it: the binary, a browser, and a real API server.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::json;

use super::fonts::DEJAVU_SANS;
use super::gallery::PICTURES;
use super::node::Node;
use crate::support::cluster::shared;
use crate::support::machine;
use crate::support::test_namespace::TestNamespace;

/// `kubectl clientele dashboard`, until it is dropped.
pub struct Program {
    child: Child,
    /// Its address, without a slash at its end.
    pub origin: String,
    /// The one-time token.
    pub token: String,
}

impl Program {
    /// Blocks until it prints its address and the one-time token.
    fn start(namespace: &str) -> Self {
        let path = env!("CARGO_BIN_EXE_kubectl-clientele");
        Self::start_at(path, namespace, &shared().cluster.kubeconfig)
    }

    /// The same of another build, at the cluster of this kubeconfig.
    pub fn start_at(path: &str, namespace: &str, kubeconfig: &Path) -> Self {
        let mut program = machine::program(path);
        program
            .args(["dashboard", "--namespace", namespace, "--kubeconfig"])
            .arg(kubeconfig)
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut after = |start: &str| {
            let line = lines.next().expect("it says where it is").unwrap();
            let rest = line.strip_prefix(start);
            rest.unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let origin = after("The dashboard is at ");
        let token = after("One-time token (60 seconds): ");
        Self {
            origin: origin.trim_end_matches('/').to_owned(),
            token,
            child,
        }
    }

    /// Its process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_is_accessible_and_works_by_keyboard() {
    let space = TestNamespace::new("dashboard").await;
    let callback = ["https://shop.example.com/callback"];
    let shop = json!({ "displayName": "Zebra Shop", "redirectUris": callback, "grantTypes": ["authorization_code", "refresh_token"] });
    space.ready("shop", shop).await;
    space.ready("machine", json!({})).await;
    space.create("odd", json!({ "scopes": ["unheard"] })).await;
    space.wait_refused("odd", "ScopeNotFound").await;
    space.create("off", json!({ "suspended": true })).await;
    let name = space.name.clone();
    let program = tokio::task::spawn_blocking(move || Program::start(&name))
        .await
        .unwrap();
    let of = |path: &str| format!("/clients/{}/{path}", space.name);
    space.create_user("zoe", json!({ "username": "zoe-of-the-dashboard", "name": "Zoe Example", "groups": ["staff"] })).await;
    let pages = json!({
        "home": "/",
        "import": "/import",
        "tenants": "/tenants",
        "tenant": "/tenants/default",
        "tenant-use": "/tenants/default/use",
        "resources": "/resources",
        "users": format!("/users?ns={}", space.name),
        "user": format!("/users/{}/zoe", space.name),
        "no-users": "/users?q=absent",
        "test": of("machine/test"),
        "clients": format!("/clients?ns={}", space.name),
        "nothing-found": "/clients?q=absent",
        "problem": of("absent"),
        "create": "/clients/new",
        "overview": of("shop"),
        "broken": of("odd"),
        "suspended": of("off"),
        "credentials": of("shop/credentials"),
        "lifetimes": of("shop/lifetimes"),
        "snippets": of("shop/snippets"),
        "yaml": of("shop/yaml"),
        "events": of("shop/events"),
        "edit": of("shop/edit"),
        "delete": of("shop/delete"),
    });
    let node = Node::new("dashboard.mjs")
        .with("ORIGIN", &program.origin)
        .with("TOKEN", &program.token)
        .with("NAMESPACE", &space.name)
        .with("PAGES", pages.to_string())
        .with("FOLDER", format!("{PICTURES}/dashboard"))
        .shown_in(&DEJAVU_SANS);
    let wrong = node.run_within(Duration::from_mins(5)).await;
    assert_eq!(wrong, json!({}), "{wrong:#}");
}
