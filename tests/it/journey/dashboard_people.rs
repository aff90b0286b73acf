//! The dashboard in the cluster: people sign in at the issuer in Chromium, and the API server knows them by their own ID tokens.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::fonts::DEJAVU_SANS;
use super::gallery::PICTURES;
use super::node::Node;
use super::people::Someone;
use super::secure::{Secure, secure};
use crate::support::machine;
use crate::support::people_dashboard::ApiServer;
use crate::support::test_namespace::TestNamespace;

/// `clientele dashboard --url`, as the chart runs it, until it is dropped.
struct Service {
    child: Child,
    _files: TempDir,
}

impl Service {
    /// With the Secret that the operator made for it, mounted.
    async fn start(secure: &Secure) -> Self {
        let own = TestNamespace {
            kube: secure.cluster.kube().await,
            name: "clientele-system".to_owned(),
            issuer: secure.operator.issuer.clone(),
        };
        own.wait_ready("clientele-dashboard").await;
        let entries = own.entries("clientele-dashboard-oauth").await;
        let files = tempfile::tempdir().unwrap();
        for entry in ["ISSUER", "CLIENT_ID", "CLIENT_SECRET"] {
            std::fs::write(files.path().join(entry), &entries[entry]).unwrap();
        }
        let api_server = ApiServer::of(&secure.cluster, files.path());
        let mut program = machine::program(env!("CARGO_BIN_EXE_clientele"));
        program
            .args([
                "dashboard",
                "--url",
                &format!("http://{}", secure.dashboard),
            ])
            .args(["--listen", &secure.dashboard, "--credentials"])
            .arg(files.path())
            .args(["--api-server", &api_server.address, "--api-server-ca-file"])
            .arg(api_server.authority.unwrap())
            .arg("--issuer-ca-file")
            .arg(secure.authority.ca())
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let mut first = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        lines.read_line(&mut first).unwrap();
        assert!(first.starts_with("The dashboard of http://"), "{first}");
        Self {
            child,
            _files: files,
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o15_people_sign_in_to_the_dashboard_by_their_own_rights() {
    let secure: &'static Secure = tokio::task::spawn_blocking(secure).await.unwrap();
    let issuer = &secure.operator.issuer;
    let ours = TestNamespace::within(&secure.cluster, issuer, "ours").await;
    let theirs = TestNamespace::within(&secure.cluster, issuer, "theirs").await;
    ours.label_for_people().await;
    let (rosa, otto) = ("rosa", "otto");
    let password = Someone::new(&ours, "default", rosa, &["team"])
        .await
        .password;
    let other = Someone::new(&ours, "default", otto, &[]).await.password;
    ours.ready("mine", json!({ "displayName": "Mine alone" }))
        .await;
    theirs
        .ready("other", json!({ "displayName": "Other thing" }))
        .await;
    let bind = |space: &TestNamespace, role: &str, user: &str| {
        let (role, user) = (
            format!("--clusterrole={role}"),
            format!("--user=clientele:{user}"),
        );
        let line = [
            "create",
            "rolebinding",
            "dashboard",
            &role,
            &user,
            "--namespace",
            &space.name,
        ];
        secure.cluster.kubectl(&line).unwrap();
    };
    bind(&ours, "clientele-edit", rosa);
    bind(&theirs, "clientele-view", otto);
    let service = Service::start(secure).await;
    let people = json!([
        { "username": rosa, "password": password, "namespace": ours.name, "sees": "Mine alone", "client": "mine" },
        { "username": otto, "password": other, "namespace": theirs.name, "sees": "Other thing", "client": "other" },
    ]);
    let wrong = Node::new("dashboard_people.mjs")
        .with("ORIGIN", format!("http://{}", secure.dashboard))
        .with("ISSUER", issuer)
        .with("CERTIFICATE", secure.authority.server().0)
        .with("PEOPLE", people.to_string())
        .with("FOLDER", format!("{PICTURES}/dashboard"))
        .shown_in(&DEJAVU_SANS);
    let wrong = wrong.run_within(Duration::from_mins(5)).await;
    drop(service);
    assert_eq!(wrong, json!({}), "{wrong:#}");
}
