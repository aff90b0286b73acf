//! The API server fails, lies or refuses; tokens are issued all the same.

use std::time::Duration;

use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::load::{Load, all_work, ask};
use crate::support::operator::{
    Options, RunningOperator, free_address, service_account_kubeconfig,
};
use crate::support::people::{APP, PASSWORD};
use crate::support::proxy::{CLIENTS, OPTED_IN, Proxy};
use crate::support::signed_in::{SignedIn, call};
use crate::support::snapshot::{credentials, differences, everything};
use crate::support::test_namespace::{TestNamespace, eventually_within, http, promptly, when};

/// Time for what waits for watches that are restarted, on a machine that does other things as well.
const BACKOFF: Duration = Duration::from_secs(90);
/// So soon after the API server is back it is seen what happens.
const SEEN: Duration = Duration::from_secs(2);

/// A client secret that an application team provides, and the type by which its Secret opts in.
const BROUGHT: &str = "one-0123456789abcdef0123456789abcdef";
const BROUGHT_TYPE: &str = "clientele.dev/client-secret";

/// Waits until a new client works: the operator sees and writes again.
async fn works_again(space: &TestNamespace, name: &str) {
    space.create(name, json!({})).await;
    let secret = format!("{name}-oauth");
    eventually_within(BACKOFF, "a new client works", || async {
        match space.secrets().get_opt(&secret).await {
            Ok(Some(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    space.wait_ready(name).await;
    assert_eq!(space.token(&secret).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f23_f24_no_api_server_tokens_go_on_a_new_operator_waits() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let listen = operator.listen.clone();
    let space = TestNamespace::within(&cluster, &operator.issuer, "outage").await;
    space.ready("web", json!({})).await;
    space.ready("gone", json!({})).await;
    let entries = space.entries("web-oauth").await;
    let load = Load::start(entries.clone());
    for turn in 0..3 {
        cluster.control("kill kube-apiserver");
        ask(&http(), &entries).await.unwrap();
        assert_eq!(operator.readyz(), Some(200), "it serves, so it is ready");
        cluster.control("start kube-apiserver");
        works_again(&space, &format!("after-{turn}")).await;
    }
    let gone = space.entries("gone-oauth").await;
    let failures = || {
        operator
            .metric("clientele_watch_errors_total")
            .unwrap_or_default()
    };
    let before = failures();
    cluster.control("kill kube-apiserver");
    eventually_within(BACKOFF, "the pauses are the longest", || async {
        let failed = failures() - before;
        when(failed > 50.0, (), || format!("{failed}"))
    })
    .await;
    cluster.control("start kube-apiserver");
    space.delete("gone").await;
    promptly(SEEN, "a deletion is seen", || async {
        let answer = ask(&http(), &gone).await;
        when(answer.is_err(), (), || "issued".to_owned())
    })
    .await;
    let aged = operator
        .metrics()
        .contains("clientele_watch_age_seconds{kind=\"OAuthClient\"}");
    assert!(aged, "{}", operator.metrics());
    load.stop().await.is_flawless();
    eventually_within(BACKOFF, "its Secret goes", || async {
        let secret = space.secrets().get_opt("gone-oauth").await.unwrap();
        when(secret.is_none(), (), || "there".to_owned())
    })
    .await;

    // F23: started without an API server.
    let before = everything(&space.kube).await;
    let issued = credentials(&space.kube).await;
    let kubeconfig = Some(service_account_kubeconfig(&cluster));
    operator.stop();
    cluster.control("kill kube-apiserver");
    let options = Options {
        kubeconfig,
        ..Options::flags(&[]).at(&listen)
    };
    let operator = RunningOperator::start_unready(&cluster, &options);
    eventually_within(BACKOFF, "it has noticed", || async {
        let told = operator.log().contains("WARN");
        when(told && operator.readyz() == Some(503), (), || {
            operator.log()
        })
    })
    .await;
    cluster.control("start kube-apiserver");
    operator.wait_ready();
    all_work(&issued).await;
    assert_eq!(
        differences(&before, &everything(&space.kube).await),
        Vec::<String>::new()
    );
}

/// The store answers for people, and the API server for no person who is known already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn k22_users_sign_in_and_out_without_an_api_server() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "people").await;
    space.label_for_people().await;
    for name in ["alice", "bob", "dora"] {
        space.person("default", name, PASSWORD).await;
    }
    space.ready("shop", json!({ "redirectUris": [APP] })).await;
    let shop = space.entries("shop-oauth").await;
    let mut alice = SignedIn::new(&shop, "alice").await;
    let mut dora = SignedIn::new(&shop, "dora").await;
    cluster.control("kill kube-apiserver");
    eventually_within(BACKOFF, "it has noticed", || async {
        when(operator.log().contains("WARN"), (), || operator.log())
    })
    .await;

    let mut bob = SignedIn::new(&shop, "bob").await;
    for person in [&mut alice, &mut bob] {
        assert_eq!(person.refresh().await.0, 200);
        assert_eq!(person.userinfo().await, 200);
        let told = person.again().await.told();
        assert!(told.contains_key("code"), "without signing in: {told:?}");
    }
    // What ends, ends.
    let token = dora.refresh_token.clone();
    let (code, answer) = call(&shop, "revoke", &[("token", &token)]).await;
    assert_eq!(code, 200, "{answer}");
    let (code, answer) = dora.refresh().await;
    assert_eq!((code, &answer["error"]), (400, &json!("invalid_grant")));
    assert_eq!(dora.userinfo().await, 401);
    assert_eq!(operator.readyz(), Some(200));

    cluster.control("start kube-apiserver");
    works_again(&space, "after").await;
    for person in [&mut alice, &mut bob] {
        assert_eq!(person.refresh().await.0, 200);
    }
    assert_eq!(dora.refresh().await.0, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_without_rights_it_serves_what_it_knows() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "rights").await;
    space.ready("web", json!({})).await;
    space.is_settled().await;
    let load = Load::start(space.entries("web-oauth").await);
    let bindings: Api<ClusterRoleBinding> = Api::all(space.kube.clone());
    let mut binding = bindings.get("clientele").await.unwrap();
    let now = DeleteParams::default();
    let _ = bindings.delete("clientele", &now).await.unwrap();
    // A watch that is open stays open; a new API server knows none.
    cluster.control("restart kube-apiserver");
    eventually_within(BACKOFF, "its watches are refused", || async {
        let refused =
            operator.log().matches("403").count() + operator.log().matches("forbidden").count();
        when(refused >= 3, (), || operator.log())
    })
    .await;
    assert_eq!(operator.readyz(), Some(200));
    let served = operator.metric("clientele_registry_clients");
    assert_eq!(served, Some(2.0), "the first client and ours");

    binding.metadata.resource_version = None;
    bindings
        .create(&PostParams::default(), &binding)
        .await
        .unwrap();
    works_again(&space, "after").await;
    space.wait_ready("web").await;
    load.stop().await.is_flawless();
}

/// An API server that has just started refuses everybody until it has read its roles.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_a_refusal_at_startup_rewrites_nothing() {
    let cluster = Cluster::with_chart(&[]);
    let proxy = Proxy::before(&cluster).await;
    let listen = free_address();
    let options = || Options::flags(&[]).at(&listen).through(&proxy);
    let operator = RunningOperator::start(&cluster, &options());
    let space = TestNamespace::within(&cluster, &operator.issuer, "refused").await;
    space.ready("web", json!({})).await;
    space.ready("first-party", json!({})).await;
    space.is_settled().await;
    let (before, issued) = (
        everything(&space.kube).await,
        credentials(&space.kube).await,
    );
    operator.stop();

    proxy.forbid();
    let operator = RunningOperator::start(&cluster, &options());
    space.create("new", json!({})).await;
    space.wait_refused("new", "NamespaceNotEnabled").await;
    all_work(&issued).await;
    let new = vec![format!("OAuthClient {}/new", space.name)];
    assert_eq!(differences(&before, &everything(&space.kube).await), new);

    proxy.be_honest();
    works_again(&space, "after").await;
    space.wait_ready("new").await;
    let after = everything(&space.kube).await;
    let changed = before
        .iter()
        .filter(|(name, object)| after.get(*name) != Some(object));
    assert_eq!(changed.count(), 0);
    assert!(operator.log().contains("may not write Secrets"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f16_a_deleted_definition_ends_all_restored_clients_are_new() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "definition").await;
    let object = space.ready("web", json!({})).await;
    let entries = space.entries("web-oauth").await;
    let definitions: Api<CustomResourceDefinition> = Api::all(space.kube.clone());
    let name = "oauthclients.clientele.dev";
    let now = DeleteParams::default();
    let _ = definitions.delete(name, &now).await.unwrap();
    promptly(
        Duration::from_secs(10),
        "every client has ended",
        || async {
            let answer = ask(&http(), &entries).await;
            when(answer.is_err(), (), || "issued".to_owned())
        },
    )
    .await;
    eventually_within(BACKOFF, "the definition was deleted", || async {
        let definition = definitions.get_opt(name).await.unwrap().is_some();
        when(!definition, (), || "it is there".to_owned())
    })
    .await;

    let apply = [
        "apply",
        "--server-side",
        "-f",
        "crds/oauthclients.clientele.dev.yaml",
    ];
    cluster.kubectl(&apply).unwrap();
    eventually_within(BACKOFF, "the definition is served", || async {
        let list = space
            .clients()
            .list(&kube::api::ListParams::default())
            .await;
        list.map(drop).map_err(|error| error.to_string())
    })
    .await;
    // Kubernetes may have lost its watch of the kind before the clients went. Then it collects what was theirs when there
    // is such a kind again, for which it looks every 30 s.
    eventually_within(2 * BACKOFF, "the earlier Secret was deleted", || async {
        let secret = space.secrets().get_opt("web-oauth").await.unwrap();
        when(secret.is_none(), (), || "it is there".to_owned())
    })
    .await;
    works_again(&space, "web").await;
    assert_ne!(
        space.clients().get("web").await.unwrap().uid(),
        object.uid()
    );
    let refused = ask(&http(), &entries).await.unwrap_err();
    assert!(refused.starts_with("401 "), "the old secret: {refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_an_empty_list_counts_only_when_a_second_confirms_it() {
    let cluster = Cluster::with_chart(&[]);
    let proxy = Proxy::before(&cluster).await;
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]).through(&proxy));
    let space = TestNamespace::within(&cluster, &operator.issuer, "brake").await;
    for number in 0..12 {
        space.ready(&format!("web-{number}"), json!({})).await;
    }
    space.is_settled().await;
    let issued = credentials(&space.kube).await;
    let before = everything(&space.kube).await;
    let load = Load::start(space.entries("web-0-oauth").await);
    let held = || {
        operator
            .metric("clientele_relist_guard_held_objects")
            .unwrap_or_default()
    };

    proxy.lie(CLIENTS);
    eventually_within(BACKOFF, "the brake holds", || async {
        when(held() > 0.0 && proxy.empty_lists() > 0, (), || {
            format!("{}", held())
        })
    })
    .await;
    all_work(&issued).await;
    proxy.be_honest();
    eventually_within(BACKOFF, "the second list settles the doubt", || async {
        let settled = operator.log().contains("confirmed which objects exist");
        when(settled && held() == 0.0, (), || format!("{}", held()))
    })
    .await;
    load.stop().await.is_flawless();
    all_work(&issued).await;
    assert_eq!(
        differences(&before, &everything(&space.kube).await),
        Vec::<String>::new()
    );

    // A deletion is believed at once, also one that came just before.
    let gone = space.entries("web-1-oauth").await;
    space.delete("web-1").await;
    promptly(Duration::from_secs(5), "a deletion is believed", || async {
        when(ask(&http(), &gone).await.is_err(), (), || {
            "issued".to_owned()
        })
    })
    .await;
    works_again(&space, "after").await;
}

/// The Secrets that serve: client secrets that an application team provides, and passwords.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_an_empty_list_of_external_secrets_is_not_believed() {
    let cluster = Cluster::with_chart(&[]);
    let proxy = Proxy::before(&cluster).await;
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]).through(&proxy));
    let space = TestNamespace::within(&cluster, &operator.issuer, "doubt").await;
    let brought = [("client-secret", BROUGHT)];
    space.write_secret("mine", BROUGHT_TYPE, &brought).await;
    let spec = json!({ "secretRef": { "name": "mine" } });
    space.ready("web", spec).await;
    space.label_for_people().await;
    let ada = space.person("default", "ada", "hunter22").await;
    space.is_settled().await;
    let before = everything(&space.kube).await;
    let mut entries = space.entries("web-oauth").await;
    entries.insert("CLIENT_SECRET".into(), BROUGHT.into());
    let load = Load::start(entries.clone());
    let held = || operator.metric("clientele_relist_guard_held_objects");

    proxy.lie(OPTED_IN);
    eventually_within(BACKOFF, "the brake holds both", || async {
        when(held() == Some(2.0), (), || format!("{:?}", held()))
    })
    .await;
    proxy.be_honest();
    eventually_within(BACKOFF, "second lists settle both doubts", || async {
        let settled = operator
            .log()
            .matches("confirmed which objects exist")
            .count();
        when(settled >= 2 && held() == Some(0.0), (), || {
            format!("{settled} {:?}", held())
        })
    })
    .await;
    load.stop().await.is_flawless();
    let after = everything(&space.kube).await;
    assert_eq!(differences(&before, &after), Vec::<String>::new());
    let still = space.users().get("ada").await.unwrap();
    assert_eq!(still.resource_version(), ada.resource_version());

    // A deletion is believed at once.
    space.delete_secret("mine").await;
    promptly(Duration::from_secs(5), "a deletion is believed", || async {
        when(ask(&http(), &entries).await.is_err(), (), || {
            "issued".to_owned()
        })
    })
    .await;
}
