//! The end of a client: its credentials stop at once, and nothing of it stands in anybody's way.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PropagationPolicy};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::load::{Entries, all_work, ask};
use crate::support::operator::{OPERATOR_USER, Options, RunningOperator};
use crate::support::snapshot::credentials_in;
use crate::support::test_namespace::{TestNamespace, eventually, http, promptly, when};

/// How long a credential may go on working after the API server has answered the deletion.
const STOPS_WITHIN: Duration = Duration::from_secs(2);

/// Waits until the credentials are refused; panics if that takes longer than promised.
async fn stop_in_time(entries: &Entries) {
    let http = http();
    promptly(STOPS_WITHIN, "they are refused", || async {
        match ask(&http, entries).await {
            Ok(_) => Err("issued".to_owned()),
            Err(refused) if refused.starts_with("401 ") => Ok(()),
            Err(other) => panic!("{other}"),
        }
    })
    .await;
}

/// A client, and what its Secret holds.
async fn with_client(spec: Value) -> (TestNamespace, Entries) {
    let space = TestNamespace::new("delete").await;
    space.ready("web", spec).await;
    let entries = space.entries("web-oauth").await;
    (space, entries)
}

async fn start_delete(space: &TestNamespace, name: &str, how: &DeleteParams) {
    let _ = space.clients().delete(name, how).await.unwrap();
}

async fn wait_no_secret(space: &TestNamespace, name: &str) {
    eventually("the Secret was deleted", || async {
        let secret = space.secrets().get_opt(name).await.unwrap();
        when(secret.is_none(), (), || {
            format!("{:?}", secret.map(|s| s.metadata))
        })
    })
    .await;
}

#[tokio::test]
async fn f22_a_deleted_client_is_refused_in_two_seconds() {
    let (space, entries) = with_client(json!({})).await;
    start_delete(&space, "web", &DeleteParams::default()).await;
    stop_in_time(&entries).await;
    wait_no_secret(&space, "web-oauth").await;
}

#[tokio::test]
async fn a_retained_secret_stays_and_its_credentials_stop() {
    let (space, entries) = with_client(json!({ "deletionPolicy": "Retain" })).await;
    start_delete(&space, "web", &DeleteParams::default()).await;
    stop_in_time(&entries).await;
    // A second client with the default policy: when its Secret is collected, this one would be, too.
    space.ready("other", json!({})).await;
    space.delete("other").await;
    wait_no_secret(&space, "other-oauth").await;
    assert_eq!(space.entries("web-oauth").await, entries);
}

/// K16 is the same row in the table of attacks.
#[tokio::test]
async fn f18_k16_a_client_recreated_at_once_inherits_nothing() {
    let (space, old) = with_client(json!({})).await;
    start_delete(&space, "web", &DeleteParams::default()).await;
    space.create("web", json!({})).await;
    let new = eventually("new credentials that work", || async {
        let secret = space.secrets().get_opt("web-oauth").await.unwrap();
        let entries = secret
            .map(|s| crate::support::test_namespace::entries(&s))
            .unwrap_or_default();
        let works = entries != old && !entries.is_empty() && ask(&http(), &entries).await.is_ok();
        when(works, entries, || format!("{works}"))
    })
    .await;
    assert_eq!(new["CLIENT_ID"], old["CLIENT_ID"]);
    let refused = ask(&http(), &old).await.unwrap_err();
    assert!(refused.starts_with("401 "), "{refused}");
    space.wait_ready("web").await;
    assert_eq!(space.entries("web-oauth").await, new);
}

#[tokio::test]
async fn f32_a_foreign_finalizer_does_not_keep_credentials_alive() {
    let (space, entries) = with_client(json!({})).await;
    let hold = |finalizers| json!({ "metadata": { "finalizers": finalizers } });
    space.patch("web", hold(json!(["example.com/hold"]))).await;
    ask(&http(), &entries).await.unwrap();
    start_delete(&space, "web", &DeleteParams::default()).await;
    stop_in_time(&entries).await;
    let object = space.clients().get("web").await.unwrap();
    assert!(
        object.metadata.deletion_timestamp.is_some(),
        "it is still there"
    );
    // Whatever is written to it now, it stays dead.
    space
        .patch("web", json!({ "spec": { "displayName": "undead" } }))
        .await;
    space.ready("other", json!({})).await;
    ask(&http(), &entries).await.unwrap_err();
    space.patch("web", hold(json!(null))).await;
    wait_no_secret(&space, "web-oauth").await;
}

#[tokio::test]
async fn f34_an_orphaned_secret_stays_useless_and_nobody_adopts_it() {
    let (space, entries) = with_client(json!({})).await;
    let orphan = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Orphan),
        ..DeleteParams::default()
    };
    start_delete(&space, "web", &orphan).await;
    stop_in_time(&entries).await;
    eventually("the OAuthClient was deleted", || async {
        let object = space.clients().get_opt("web").await.unwrap();
        when(object.is_none(), (), || format!("{object:?}"))
    })
    .await;
    let secret = space.secrets().get("web-oauth").await.unwrap();
    assert!(secret.owner_references().is_empty());

    space.create("web", json!({})).await;
    space.wait_refused("web", "SecretNotOwned").await;
    assert_eq!(space.secrets().get("web-oauth").await.unwrap(), secret);
    ask(&http(), &entries).await.unwrap_err();
    // The remedy of the message.
    let now = DeleteParams::default();
    space.secrets().delete("web-oauth", &now).await.unwrap();
    eventually("the new client has its own Secret", || async {
        let is_there = space.has_secret("web-oauth").await;
        when(is_there, (), || "nothing".to_owned())
    })
    .await;
    space.wait_ready("web").await;
    assert_eq!(space.token("web-oauth").await.0, 200);
}

async fn a_hundred_clients(space: &TestNamespace) {
    let names: Vec<String> = (0..100).map(|n| format!("web-{n}")).collect();
    let creations = names.iter().map(|name| space.create(name, json!({})));
    futures::future::join_all(creations).await;
    for name in &names {
        space.wait_ready(name).await;
    }
    all_work(&credentials_in(&space.kube, &space.name).await).await;
}

async fn delete_namespace(space: &TestNamespace) {
    let namespaces: Api<Namespace> = Api::all(space.kube.clone());
    let now = DeleteParams::default();
    let _ = namespaces.delete(&space.name, &now).await.unwrap();
}

async fn wait_no_namespace(space: &TestNamespace) {
    let namespaces: Api<Namespace> = Api::all(space.kube.clone());
    eventually("the namespace was deleted", || async {
        let namespace = namespaces.get_opt(&space.name).await.unwrap();
        when(namespace.is_none(), (), || {
            format!("{:?}", namespace.and_then(|n| n.status))
        })
    })
    .await;
}

#[tokio::test]
async fn f30_a_namespace_with_a_hundred_clients_goes_without_a_fight() {
    let space = TestNamespace::new("delete").await;
    a_hundred_clients(&space).await;
    let some = space.entries("web-0-oauth").await;
    delete_namespace(&space).await;
    wait_no_namespace(&space).await;
    ask(&http(), &some).await.unwrap_err();
    let tries = crate::cluster::credentials::reshape::writes(&space, "secrets");
    let creations = tries
        .iter()
        .filter(|write| write.starts_with("create "))
        .count();
    assert!(
        creations <= 300,
        "100 first, then a try or two each: {creations}"
    );
}

#[tokio::test]
async fn f30_a_namespace_goes_without_an_operator_and_without_a_chart() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let [down, uninstalled] = ["down", "uninstalled"];
    let down = TestNamespace::within(&cluster, &operator.issuer, down).await;
    let uninstalled = TestNamespace::within(&cluster, &operator.issuer, uninstalled).await;
    a_hundred_clients(&down).await;
    a_hundred_clients(&uninstalled).await;
    operator.stop();
    delete_namespace(&down).await;
    wait_no_namespace(&down).await;

    cluster.helm(&["uninstall", "clientele", "--namespace", "clientele-system"]);
    let left = uninstalled
        .clients()
        .list(&ListParams::default())
        .await
        .unwrap();
    assert_eq!(
        left.items.len(),
        100,
        "the definitions and what is of them stay"
    );
    delete_namespace(&uninstalled).await;
    wait_no_namespace(&uninstalled).await;
}

/// Without its controller manager a namespace stays Terminating, so that what happens in it can be seen.
#[tokio::test]
async fn f31_in_a_terminating_namespace_the_operator_gives_up_quietly() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "terminating").await;
    space.ready("web", json!({})).await;
    let entries = space.entries("web-oauth").await;
    cluster.control("stop kube-controller-manager");
    // At the start an API server may not have read the roles of the chart yet, and that is logged.
    let said = operator.log().len();
    delete_namespace(&space).await;
    let now = DeleteParams::default();
    space.secrets().delete("web-oauth", &now).await.unwrap();
    // Something else must be looked at before and after: the tries in between are all there are.
    let tries = || {
        let all = cluster.writes_by(OPERATOR_USER).into_iter();
        let of_web = |write: &(String, String, String)| {
            write.0 == "create" && write.1 == "secrets" && write.2.starts_with("terminating")
        };
        all.filter(of_web).count()
    };
    eventually("the operator tried to restore it", || async {
        when(tries() >= 2, (), || format!("{} writes", tries()))
    })
    .await;
    for turn in 0..10 {
        let label = Patch::Merge(json!({ "metadata": { "labels": { "turn": turn.to_string() } } }));
        let params = PatchParams::default();
        space.clients().patch("web", &params, &label).await.unwrap();
    }
    let other = TestNamespace::within(&cluster, &operator.issuer, "other").await;
    other.ready("web", json!({})).await;
    assert!(
        tries() <= 13,
        "one try for each look, and no loop: {}",
        tries()
    );
    let log = operator.log().split_off(said);
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    assert!(
        space
            .clients()
            .get("web")
            .await
            .unwrap()
            .finalizers()
            .is_empty()
    );
    ask(&http(), &entries).await.unwrap();
    assert!(!space.has_secret("web-oauth").await);
}

/// Its credentials stopped with the client that it belonged to; a client of the same name is another one.
#[tokio::test]
async fn f36_a_retained_secret_is_not_adopted_by_a_later_client() {
    let space = TestNamespace::new("delete").await;
    let retain = json!({ "deletionPolicy": "Retain" });
    space.ready("web", retain.clone()).await;
    let old = space.secrets().get("web-oauth").await.unwrap();
    space.delete("web").await;
    space.create("web", retain).await;
    let command = format!("kubectl -n {} delete secret web-oauth", space.name);
    let said = space.refused("web", "SecretNotOwned", &command).await;
    assert!(said.contains("spec.secret.name"), "{said}");
    assert_eq!(space.secrets().get("web-oauth").await.unwrap(), old);
    ask(&http(), &crate::support::test_namespace::entries(&old))
        .await
        .unwrap_err();

    space.delete_secret("web-oauth").await;
    space.wait_ready("web").await;
    let new = space.entries("web-oauth").await;
    assert_ne!(
        new["CLIENT_SECRET"],
        crate::support::test_namespace::entries(&old)["CLIENT_SECRET"]
    );
    ask(&http(), &new).await.unwrap();
}

#[tokio::test]
async fn a_retained_secret_that_is_taken_back_goes_with_its_client() {
    let (space, entries) = with_client(json!({ "deletionPolicy": "Retain" })).await;
    space
        .patch("web", json!({ "spec": { "deletionPolicy": "Delete" } }))
        .await;
    space.wait_ready("web").await;
    assert_eq!(space.entries("web-oauth").await, entries);
    start_delete(&space, "web", &DeleteParams::default()).await;
    stop_in_time(&entries).await;
    wait_no_secret(&space, "web-oauth").await;
}

/// `Retain` is about the end of the client, not about a name that it no longer has.
#[tokio::test]
async fn f41_a_rename_removes_the_old_secret_even_with_retain() {
    let (space, entries) = with_client(json!({ "deletionPolicy": "Retain" })).await;
    space
        .patch("web", json!({ "spec": { "secret": { "name": "login" } } }))
        .await;
    space.wait_ready("web").await;
    assert_eq!(space.entries("login").await, entries);
    assert!(!space.has_secret("web-oauth").await);
    space
        .patch("web", json!({ "spec": { "secret": null } }))
        .await;
    space.wait_ready("web").await;
    assert_eq!(space.entries("web-oauth").await, entries);
    assert!(!space.has_secret("login").await);
}
