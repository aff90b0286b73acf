//! Helm and kustomize: what an administrator does with the chart, and what of it the clients notice. Nothing.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::load::all_work;
use crate::support::operator::{OPERATOR_USER, Options, RunningOperator};
use crate::support::snapshot::{credentials, differences, everything};
use crate::support::test_namespace::{TestNamespace, eventually, when};

const NAMESPACE: &str = "clientele-system";

/// The operator as it is restarted after each step, in the same place.
fn started(cluster: &Cluster, listen: &str) -> RunningOperator {
    RunningOperator::start(cluster, &Options::flags(&[]).at(listen))
}

/// A client of the operator's own namespace.
async fn own_client(kube: &kube::Client, name: &str) -> Option<clientele_api::OAuthClient> {
    let clients: Api<clientele_api::OAuthClient> = Api::namespaced(kube.clone(), NAMESPACE);
    clients.get_opt(name).await.unwrap()
}

/// The client that every installation comes with.
async fn first_client(kube: &kube::Client) -> Option<clientele_api::OAuthClient> {
    own_client(kube, "clientele").await
}

/// The operator of an installation with a dashboard.
fn with_dashboard(cluster: &Cluster, listen: Option<&str>, url: &str) -> RunningOperator {
    let options = Options::flags(&["--dashboard-url", url]);
    let options = match listen {
        Some(listen) => options.at(listen),
        None => options,
    };
    RunningOperator::start(cluster, &options)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upgrade_uninstall_and_reinstall_keep_every_id_and_secret() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let listen = operator.listen.clone();
    let space = TestNamespace::within(&cluster, &operator.issuer, "installed").await;
    for name in ["a", "b", "c"] {
        space.ready(name, json!({})).await;
    }
    space.is_settled().await;
    let issued = credentials(&space.kube).await;
    assert_eq!(issued.len(), 4, "with the first client");
    let before = everything(&space.kube).await;
    let same = async |step: &str| {
        let after = everything(&space.kube).await;
        assert_eq!(differences(&before, &after), Vec::<String>::new(), "{step}");
        all_work(&issued).await;
    };

    cluster.install_chart(&["commonLabels.team=platform", "log.level=debug"]);
    same("upgrade while it runs").await;
    operator.stop();
    let operator = started(&cluster, &listen);
    same("upgrade and restart").await;

    cluster.helm(&["uninstall", "clientele", "--namespace", NAMESPACE]);
    same("uninstall, while the operator still runs").await;
    operator.stop();
    let after = everything(&space.kube).await;
    assert_eq!(
        differences(&before, &after),
        Vec::<String>::new(),
        "uninstalled"
    );

    cluster.install_chart(&[]);
    let operator = started(&cluster, &listen);
    same("reinstalled").await;
    space.ready("d", json!({})).await;
    assert_eq!(space.token("d-oauth").await.0, 200);
    operator.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_default_tenant_and_the_own_clients_are_made_once() {
    const URL: &str = "https://dashboard.example.com";
    let cluster = Cluster::with_chart(&[]);
    let operator = with_dashboard(&cluster, None, URL);
    let listen = operator.listen.clone();
    let space = TestNamespace::within(&cluster, &operator.issuer, "first").await;
    let client = eventually("the first client is there", || async {
        first_client(&space.kube).await.ok_or("nothing".to_owned())
    })
    .await;
    assert!(client.spec.first_party && client.spec.tenant == "default");
    let made = |kind: &str| {
        let all = cluster.writes_by(OPERATOR_USER).into_iter();
        all.filter(|write| write.0 == "create" && write.1 == kind)
            .count()
    };
    let marks: Api<ConfigMap> = Api::namespaced(space.kube.clone(), NAMESPACE);
    eventually("it is recorded", || async {
        let marks = marks.get_opt("clientele-installation").await.unwrap();
        let data = marks.and_then(|marks| marks.data).unwrap_or_default();
        let recorded = ["bootstrapped", "dashboard-client"].map(|mark| data.contains_key(mark));
        when(recorded == [true; 2], (), || format!("{data:?}"))
    })
    .await;
    let own = TestNamespace {
        kube: space.kube.clone(),
        name: NAMESPACE.to_owned(),
        issuer: operator.issuer.clone(),
    };
    let dashboard = own.wait_ready("clientele-dashboard").await;
    let uris = &dashboard.spec.redirect_uris;
    assert_eq!(*uris, ["https://dashboard.example.com/callback"]);
    operator.stop();
    // The URL has changed, and the client belongs to those who may change it: it is reported.
    let operator = with_dashboard(&cluster, Some(&listen), "https://other.example.com");
    eventually("the missing redirect URI is reported", || async {
        let log = operator.log();
        when(
            log.contains("https://other.example.com/callback"),
            (),
            || log.clone(),
        )
    })
    .await;
    let after = own_client(&space.kube, "clientele-dashboard").await;
    assert_eq!(after.unwrap().spec, dashboard.spec);
    let now = DeleteParams::default();
    let _ = space.tenants().delete("default", &now).await.unwrap();
    let clients: Api<clientele_api::OAuthClient> = Api::namespaced(space.kube.clone(), NAMESPACE);
    for name in ["clientele", "clientele-dashboard"] {
        let _ = clients.delete(name, &now).await.unwrap();
    }
    let before = [made("oauthtenants"), made("oauthclients")];
    assert_eq!(before, [1, 2], "made once");
    operator.stop();

    let operator = with_dashboard(&cluster, Some(&listen), URL);
    // A client that is refused shows that the operator is at work.
    space.create("web", json!({})).await;
    space.wait_refused("web", "TenantNotFound").await;
    assert_eq!(
        [made("oauthtenants"), made("oauthclients")],
        before,
        "deleting them sticks"
    );
    assert!(first_client(&space.kube).await.is_none());
    let dashboard = own_client(&space.kube, "clientele-dashboard").await;
    assert!(dashboard.is_none());

    // What people create under that name is theirs, and works.
    space.try_create_tenant("default", json!({})).await.unwrap();
    space.wait_ready("web").await;
    assert_eq!(space.token("web-oauth").await.0, 200);
    operator.stop();
}

#[tokio::test]
async fn without_bootstrap_nothing_is_made() {
    let cluster = Cluster::with_chart(&["bootstrap=false"]);
    let flags = Options::flags(&["--bootstrap", "false"]);
    let operator = RunningOperator::start(&cluster, &flags);
    let space = TestNamespace::within(&cluster, &operator.issuer, "bare").await;
    space.create("web", json!({})).await;
    space.wait_refused("web", "TenantNotFound").await;
    assert!(first_client(&space.kube).await.is_none());
    let tenants = space.tenants().list(&ListParams::default()).await.unwrap();
    assert!(tenants.items.is_empty());
}

#[tokio::test]
async fn the_kustomization_is_accepted_by_a_fresh_cluster_and_works() {
    let cluster = Cluster::start();
    let printed = cluster
        .kubectl(&["apply", "--server-side", "-k", "deploy"])
        .unwrap();
    assert!(
        printed.contains("deployment.apps/clientele serverside-applied"),
        "{printed}"
    );
    cluster
        .kubectl(&["apply", "--server-side", "-k", "deploy"])
        .unwrap();
    cluster.control("restart kube-controller-manager");
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "kustomized").await;
    space.ready("web", json!({})).await;
    assert_eq!(space.token("web-oauth").await.0, 200);
    let secret = space.secrets().get("web-oauth").await.unwrap();
    eventually("the policies are in force", || async {
        let account = ["--as", OPERATOR_USER, "delete", "secret", "foreign"];
        let foreign = [
            "create",
            "secret",
            "generic",
            "foreign",
            "--namespace",
            &space.name,
        ];
        let _ = cluster.kubectl(&foreign);
        let refused = cluster.kubectl(&[&account[..], &["--namespace", &space.name]].concat());
        let message = refused.err().unwrap_or_default();
        when(message.contains("Clientele does not delete"), (), || {
            message
        })
    })
    .await;
    assert!(secret.finalizers().is_empty());
}
