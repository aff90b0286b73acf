//! The dashboard and the plugin at an API server that refuses, is away, or is of another version: what people are told, and what stays.

use std::process::Output;
use std::sync::atomic::Ordering;

use crate::support::dashboard::Dashboard;
use crate::support::machine;
use crate::support::table_server::{Mood, TableServer};

/// `kubectl clientele` with this kubeconfig and these files, each named as in the arguments.
async fn plugin(kubeconfig: &str, arguments: &[&str], files: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("kubeconfig");
    std::fs::write(&config, kubeconfig).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut program = machine::program(env!("CARGO_BIN_EXE_kubectl-clientele"));
    program.args(arguments).current_dir(folder.path());
    program.arg("--kubeconfig").arg(&config);
    let output = tokio::task::spawn_blocking(move || program.output().unwrap());
    output.await.unwrap()
}

#[tokio::test]
async fn bad_input_of_the_plugin_gets_a_sentence_with_a_remedy() {
    let server = TableServer::start(3).await;
    let masked = r#"{"realm":"shop","clients":[{"clientId":"web","secret":"**********","serviceAccountsEnabled":true,"standardFlowEnabled":false}]}"#;
    let files = [
        ("masked.json", masked),
        ("broken.yaml", "clients: [unclosed\n  : {"),
    ];
    let keycloak = |file: &'static str| ["import", "keycloak", "-f", file, "--out", "out"];
    for (mood, arguments, code, what, remedy) in [
        (
            Mood::Expired,
            &["status"][..],
            1,
            "may have expired",
            "sign in to the cluster again",
        ),
        (
            Mood::Forbidden,
            &["status"],
            1,
            "you may not list oauthclients",
            "ask for a Role with that right",
        ),
        (
            Mood::Fine,
            &["why", "--reason", "NoSuchReason"],
            1,
            "NoSuchReason",
            "",
        ),
        (
            Mood::Fine,
            &keycloak("masked.json"),
            2,
            "admin console",
            "kc.sh export",
        ),
        (
            Mood::Fine,
            &keycloak("broken.yaml"),
            1,
            "broken.yaml is neither YAML nor JSON",
            "line",
        ),
        (
            Mood::Fine,
            &keycloak("absent.json"),
            1,
            "absent.json cannot be read",
            "",
        ),
    ] {
        server.be(mood);
        let output = plugin(&server.kubeconfig(), arguments, &files).await;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(
            said.contains(what) && said.contains(remedy),
            "{arguments:?}: {said}"
        );
    }
    let nowhere = plugin("apiVersion: v1\nkind: Config\n", &["status"], &[]).await;
    let said = String::from_utf8(nowhere.stderr).unwrap();
    assert!(said.contains("kubectl config use-context"), "{said}");
}

#[tokio::test]
async fn a_status_takes_at_most_four_requests() {
    let server = TableServer::start(3).await;
    let status = ["status", "--all-namespaces", "-o", "name"];
    let output = plugin(&server.kubeconfig(), &status, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout.split(|byte| *byte == b'\n').count(), 4);
    assert!(server.counts().requests.load(Ordering::SeqCst) <= 4);
}

#[tokio::test]
async fn bad_answers_to_the_dashboard_come_with_a_remedy() {
    let server = TableServer::start(3).await;
    for (mood, status, what, remedy) in [
        (
            Mood::Expired,
            401,
            "does not accept the credentials",
            "kubectl auth whoami",
        ),
        (
            Mood::Older,
            200,
            "older than this dashboard",
            "upgrades the chart",
        ),
    ] {
        server.be(mood);
        let dashboard = Dashboard::start(server.client(), "apps", false).await;
        let page = dashboard.get("/clients").await;
        assert_eq!(page.status, status, "{mood:?}: {}", page.text);
        assert!(
            page.text.contains(what) && page.text.contains(remedy),
            "{mood:?}: {}",
            page.text
        );
    }
    server.be(Mood::Forbidden);
    let dashboard = Dashboard::start(server.client(), "apps", false).await;
    let page = dashboard.get("/clients").await;
    assert!(
        page.text
            .contains("You may not list oauthclients in namespace apps")
            && page.text.contains("RoleBinding"),
        "{}",
        page.text
    );
    server.stop();
    let dashboard = Dashboard::start(server.client(), "apps", false).await;
    let page = dashboard.get("/clients").await;
    assert_eq!(page.status, 502);
    assert!(
        page.text.contains("cannot be reached") && page.text.contains("kubectl cluster-info"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn ten_thousand_clients_are_one_watch_and_no_poll() {
    let server = TableServer::start(10_000).await;
    let dashboard = Dashboard::start(server.client(), "apps", false).await;
    let page = dashboard.get("/clients").await;
    assert!(page.text.contains("1–50 of 10000 clients"), "{}", page.text);
    let found = dashboard.fragment("/clients?q=client-04242").await;
    assert!(found.text.contains("Application 4242"), "{}", found.text);
    let counts = server.counts();
    let asked = counts.requests.load(Ordering::SeqCst);
    for number in 0..20 {
        let address = format!("/clients?q=client-{number:02}&sort=-name");
        assert_eq!(dashboard.fragment(&address).await.status, 200);
    }
    assert_eq!(counts.requests.load(Ordering::SeqCst), asked, "from memory");
    assert_eq!(counts.watches.load(Ordering::SeqCst), 1);
}
