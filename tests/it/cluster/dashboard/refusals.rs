//! The dashboard and the plugin at an API server that refuses or is away: what people are told. And how often they ask it.

use std::process::Output;

use kube::config::Kubeconfig;
use serde_json::json;

use crate::support::cluster::shared;
use crate::support::dashboard::Dashboard;
use crate::support::machine;
use crate::support::person::{bearer, bearer_kubeconfig};
use crate::support::proxy::Proxy;
use crate::support::test_namespace::{TestNamespace, eventually, when};

/// The API server knows no such token, as after a sign-in that expired.
const EXPIRED: &str = "not-a-token-of-this-cluster";

/// The token of a ServiceAccount that has no role.
fn without_rights(space: &TestNamespace) -> String {
    let create = ["create", "token", "default", "--namespace", &space.name];
    let token = shared().cluster.kubectl(&create).unwrap();
    token.trim().to_owned()
}

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

fn text(kubeconfig: &Kubeconfig) -> String {
    serde_yaml::to_string(kubeconfig).unwrap()
}

#[tokio::test]
async fn bad_input_of_the_plugin_gets_a_sentence_with_a_remedy() {
    let space = TestNamespace::new("refusals").await;
    let cluster = &shared().cluster;
    let expired = text(&bearer_kubeconfig(cluster, EXPIRED));
    let stranger = text(&bearer_kubeconfig(cluster, &without_rights(&space)));
    let fine = text(&Kubeconfig::read_from(&cluster.kubeconfig).unwrap());
    let nowhere = "apiVersion: v1\nkind: Config\n".to_owned();
    let masked = r#"{"realm":"shop","clients":[{"clientId":"web","secret":"**********","serviceAccountsEnabled":true,"standardFlowEnabled":false}]}"#;
    let files = [
        ("masked.json", masked),
        ("broken.yaml", "clients: [unclosed\n  : {"),
    ];
    let keycloak = |file: &'static str| ["import", "keycloak", "-f", file, "--out", "out"];
    for (kubeconfig, arguments, code, what, remedy) in [
        (
            &expired,
            &["status"][..],
            1,
            "may have expired",
            "sign in to the cluster again",
        ),
        (
            &stranger,
            &["status"],
            1,
            "you may not list oauthclients",
            "ask for a Role with that right",
        ),
        (&nowhere, &["status"], 1, "kubectl config use-context", ""),
        (
            &fine,
            &["why", "--reason", "NoSuchReason"],
            1,
            "NoSuchReason",
            "",
        ),
        (
            &fine,
            &keycloak("masked.json"),
            2,
            "admin console",
            "kc.sh export",
        ),
        (
            &fine,
            &keycloak("broken.yaml"),
            1,
            "broken.yaml is neither YAML nor JSON",
            "line",
        ),
        (
            &fine,
            &keycloak("absent.json"),
            1,
            "absent.json cannot be read",
            "",
        ),
    ] {
        let output = plugin(kubeconfig, arguments, &files).await;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(
            said.contains(what) && said.contains(remedy),
            "{arguments:?}: {said}"
        );
    }
}

#[tokio::test]
async fn a_status_takes_at_most_four_requests() {
    let space = TestNamespace::new("refusals").await;
    for name in ["one", "two", "three"] {
        space.ready(name, json!({})).await;
    }
    let proxy = Proxy::of_administrator(&shared().cluster).await;
    let status = ["status", "--namespace", &space.name, "-o", "name"];
    let output = plugin(&proxy.kubeconfig, &status, &[]).await;
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    let names = ["oauthclient/one", "oauthclient/three", "oauthclient/two"];
    // A tenant of another test that is not ready is told as well.
    assert!(names.iter().all(|name| said.contains(name)), "{output:?}");
    assert!((1..=4).contains(&proxy.requests()), "{}", proxy.requests());
}

#[tokio::test]
async fn bad_answers_to_the_dashboard_come_with_a_remedy() {
    let space = TestNamespace::new("refusals").await;
    let cluster = &shared().cluster;
    let away = Proxy::of_administrator(cluster).await;
    away.stop();
    let may_not = format!("You may not list oauthclients in namespace {}", space.name);
    for (client, status, what, remedy) in [
        (
            bearer(cluster, EXPIRED).await,
            401,
            "does not accept the credentials",
            "kubectl auth whoami",
        ),
        (
            bearer(cluster, &without_rights(&space)).await,
            200,
            may_not.as_str(),
            "RoleBinding",
        ),
        (
            away.client(),
            502,
            "cannot be reached",
            "kubectl cluster-info",
        ),
    ] {
        let dashboard = Dashboard::start(client, &space.name, false).await;
        let page = dashboard.get("/clients").await;
        assert_eq!(page.status, status, "{what}: {}", page.text);
        assert!(
            page.text.contains(what) && page.text.contains(remedy),
            "{what}: {}",
            page.text
        );
    }
}

#[tokio::test]
async fn who_may_list_nothing_is_not_listed_for_without_a_pause() {
    let space = TestNamespace::new("refusals").await;
    let rights = bearer_kubeconfig(&shared().cluster, &without_rights(&space));
    let proxy = Proxy::with_rights_of(rights).await;
    let dashboard = Dashboard::start(proxy.client(), &space.name, false).await;
    let here = format!("/clients?ns={}", space.name);
    let first = dashboard.fragment(&here).await.text;
    assert!(first.contains("You may not list oauthclients"), "{first}");
    let asked = proxy.requests();
    assert!(asked > 0);
    for _ in 0..20 {
        dashboard.fragment(&here).await;
    }
    assert_eq!(proxy.requests(), asked, "within the pause");
    assert_eq!(proxy.watches(), 0);
}

#[tokio::test]
async fn the_list_is_one_watch_and_searches_ask_nothing() {
    let space = TestNamespace::new("refusals").await;
    for name in ["one", "two"] {
        let spec = json!({ "displayName": format!("Application {name}") });
        space.ready(name, spec).await;
    }
    let proxy = Proxy::of_administrator(&shared().cluster).await;
    let dashboard = Dashboard::start(proxy.client(), &space.name, false).await;
    let here = format!("/clients?ns={}", space.name);
    let page = dashboard.get(&here).await;
    assert!(page.text.contains("Application one"), "{}", page.text);
    eventually("a watch is open", || async {
        when(proxy.watches() == 1, (), || proxy.watches().to_string())
    })
    .await;
    let asked = proxy.requests();
    for word in ["one", "two"].iter().cycle().take(20) {
        let found = dashboard
            .fragment(&format!("{here}&q={word}&sort=-name"))
            .await;
        let name = format!("Application {word}");
        assert!(found.text.contains(&name), "{}", found.text);
    }
    assert_eq!(proxy.requests(), asked, "from memory");
    assert_eq!(proxy.watches(), 1);

    // What the watch does not tell is listed again afterwards.
    proxy.cut_watches();
    space.create("three", json!({})).await;
    eventually("the list follows again", || async {
        let page = dashboard.get(&here).await.text;
        when(page.contains("/three\""), (), || page)
    })
    .await;
}
