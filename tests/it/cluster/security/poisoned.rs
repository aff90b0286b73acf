//! Objects that cannot be read, and Secrets with anything in them: refused, named, and without effect on others.

mod bodies;
mod large;
mod many_large;
mod secrets;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionSpec, JSONSchemaProps,
};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::load::{all_work, ask};
use crate::support::operator::{Options, RunningOperator, free_address};
use crate::support::proxy::{CLIENTS as OAUTHCLIENTS, Proxy};
use crate::support::snapshot::{Credentials, credentials};
use crate::support::test_namespace::{
    TestNamespace, create_raw, eventually, eventually_within, http, when,
};
use bodies::{CLIENTS, DEEP, TENANTS, USERS, body};

/// Time for what waits for watches that are restarted, on a machine that does other things as well.
const BACKOFF: std::time::Duration = std::time::Duration::from_secs(90);

const ALICE: &str = "correct horse battery staple";

/// The definitions of our kinds, without their schemas as long as this is not put right.
struct Loosened(Vec<(String, CustomResourceDefinitionSpec)>);

impl Loosened {
    async fn new(kube: &kube::Client) -> Self {
        let definitions: Api<CustomResourceDefinition> = Api::all(kube.clone());
        let mut before = Vec::new();
        for plural in ["oauthclients", "oauthtenants", "oauthusers"] {
            let name = format!("{plural}.clientele.dev");
            let mut definition = definitions.get(&name).await.unwrap();
            before.push((name.clone(), definition.spec.clone()));
            for version in &mut definition.spec.versions {
                let schema = version.schema.as_mut().unwrap();
                schema.open_api_v3_schema = Some(JSONSchemaProps {
                    type_: Some("object".to_owned()),
                    x_kubernetes_preserve_unknown_fields: Some(true),
                    ..JSONSchemaProps::default()
                });
            }
            let params = PostParams::default();
            definitions
                .replace(&name, &params, &definition)
                .await
                .unwrap();
        }
        Self(before)
    }

    async fn put_right(self, kube: &kube::Client) {
        let definitions: Api<CustomResourceDefinition> = Api::all(kube.clone());
        for (name, spec) in self.0 {
            let mut definition = definitions.get(&name).await.unwrap();
            definition.spec = spec;
            let params = PostParams::default();
            definitions
                .replace(&name, &params, &definition)
                .await
                .unwrap();
        }
    }
}

/// Sends an object, or says why it was refused.
async fn send(space: &TestNamespace, kind: &str, name: &str, rest: Value) -> Result<Value, String> {
    let (plural, place) = match kind {
        "OAuthTenant" => ("oauthtenants", String::new()),
        "OAuthUser" => ("oauthusers", format!("/namespaces/{}", space.name)),
        _ => ("oauthclients", format!("/namespaces/{}", space.name)),
    };
    let path = format!("/apis/clientele.dev/v1alpha1{place}/{plural}");
    let mut object = rest;
    object["apiVersion"] = json!("clientele.dev/v1alpha1");
    object["kind"] = json!(kind);
    object["metadata"]["name"] = json!(name);
    create_raw::<Value>(&space.kube, &path, &object).await
}

/// All that the table has, as kind and name.
async fn poison(space: &TestNamespace) -> Vec<(&'static str, String)> {
    let mut sent = Vec::new();
    for (kind, bodies) in [
        ("OAuthClient", CLIENTS),
        ("OAuthTenant", TENANTS),
        ("OAuthUser", USERS),
    ] {
        for (what, text) in bodies {
            let name = format!("{}-{what}", kind.to_lowercase());
            // The definition takes a moment to be what it is now.
            eventually(&name, || send(space, kind, &name, body(text))).await;
            sent.push((kind, name));
        }
    }
    sent
}

/// Waits until the log has named each of them, in a line that can be read.
async fn are_named(operator: &RunningOperator, poisoned: &[(&str, String)]) {
    eventually_within(BACKOFF, "all are named", || async {
        let log = operator.log();
        let lines: Vec<&str> = log
            .lines()
            .filter(|l| l.contains("cannot decode an object"))
            .collect();
        assert!(
            lines
                .iter()
                .all(|line| line.len() < 2_000 && !line.contains('\u{7}'))
        );
        let is_named = |kind: &str, name: &str| {
            let name = format!("{name:?}");
            lines
                .iter()
                .any(|line| line.contains(kind) && line.contains(&name))
        };
        let unnamed: Vec<_> = poisoned
            .iter()
            .filter(|(kind, name)| !is_named(kind, name))
            .collect();
        when(unnamed.is_empty(), (), || format!("{unnamed:?}"))
    })
    .await;
}

/// What is made now works: a client, and a person.
async fn newcomers_work(space: &TestNamespace, name: &str) {
    space.create(name, json!({})).await;
    let user = format!("user-{name}");
    let spec = json!({ "username": user, "passwordSecretRef": { "name": "alice" } });
    space.create_user(&user, spec).await;
    eventually_within(BACKOFF, "a new client works", || async {
        let secret = space.secrets().get_opt(&format!("{name}-oauth")).await;
        when(secret.unwrap().is_some(), (), || "no Secret".to_owned())
    })
    .await;
    space.wait_ready(name).await;
    assert_eq!(space.token(&format!("{name}-oauth")).await.0, 200);
    space.enrolled(&user).await;
}

async fn served_people(operator: &RunningOperator, count: f64) {
    eventually_within(BACKOFF, "this many users are served", || async {
        let people = operator.metric("clientele_registry_users");
        when(people == Some(count), (), || format!("{people:?}"))
    })
    .await;
}

/// A list that lacks everything is doubted, and the list that settles the doubt has in it what cannot be read.
async fn a_doubt_is_settled(operator: &RunningOperator, proxy: &Proxy, good: &Credentials) {
    proxy.lie(OAUTHCLIENTS);
    eventually_within(BACKOFF, "the brake holds", || async {
        let held = operator.metric("clientele_relist_guard_held_objects");
        when(held > Some(0.0), (), || format!("{held:?}"))
    })
    .await;
    proxy.be_honest();
    eventually_within(BACKOFF, "the second list settles the doubt", || async {
        let held = operator.metric("clientele_relist_guard_held_objects");
        let settled = operator.log().contains("confirmed which objects exist");
        when(settled && held == Some(0.0), (), || format!("{held:?}"))
    })
    .await;
    all_work(good).await;
    assert!(!operator.log().contains("the confirming list failed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f91_k13_objects_that_cannot_be_read_stop_nobody_else() {
    let cluster = Cluster::with_chart(&[]);
    let proxy = Proxy::before(&cluster).await;
    let listen = free_address();
    let options = || Options::flags(&[]).at(&listen).through(&proxy);
    let operator = RunningOperator::start(&cluster, &options());
    let space = TestNamespace::within(&cluster, &operator.issuer, "poisoned").await;
    space.label_for_people().await;
    space.person("default", "alice", ALICE).await;
    space.person("default", "turned", ALICE).await;
    for number in 0..12 {
        space.ready(&format!("web-{number}"), json!({})).await;
    }
    let good = credentials(&space.kube).await;
    space.ready("turned", json!({})).await;
    let turned = space.entries("turned-oauth").await;
    ask(&http(), &turned).await.unwrap();

    // While it runs.
    let loosened = Loosened::new(&space.kube).await;
    let mut poisoned = poison(&space).await;
    for (kind, spec) in [
        ("oauthclient", r#"{"spec":{"type":"Secret"}}"#),
        ("oauthuser", r#"{"spec":{"username":["turned"]}}"#),
    ] {
        let patch = ["patch", kind, "turned", "--type=merge", "--patch", spec];
        let namespaced = ["--namespace", &space.name];
        cluster
            .kubectl(&[&patch[..], &namespaced].concat())
            .unwrap();
    }
    poisoned.extend(["OAuthClient", "OAuthUser"].map(|kind| (kind, "turned".to_owned())));
    // An earlier watch goes on under the earlier schema, to which null is nothing.
    let mut unread = poisoned.clone();
    unread.retain(|(_, name)| !name.contains("null"));
    are_named(&operator, &unread).await;
    eventually_within(BACKOFF, "refused, because it cannot be read", || async {
        let answer = ask(&http(), &turned).await;
        when(answer.is_err(), (), || "issued".to_owned())
    })
    .await;
    served_people(&operator, 1.0).await;
    all_work(&good).await;
    newcomers_work(&space, "while").await;
    a_doubt_is_settled(&operator, &proxy, &good).await;
    let counted = operator.metric("clientele_invalid_objects_total");
    assert!(counted >= Some(20.0), "{counted:?}");
    for (_, name) in unread
        .iter()
        .filter(|(_, name)| name.starts_with("oauthclient-"))
    {
        let secret = space.secrets().get_opt(&format!("{name}-oauth")).await;
        assert!(secret.unwrap().is_none(), "{name}");
    }

    // Started afterwards, first without the schema, then with it.
    operator.stop();
    let operator = RunningOperator::start(&cluster, &options());
    are_named(&operator, &poisoned).await;
    all_work(&good).await;
    newcomers_work(&space, "afterwards").await;
    loosened.put_right(&space.kube).await;
    eventually("the schema is in force", || async {
        let refused = send(
            &space,
            "OAuthClient",
            "late",
            json!({ "spec": { "type": "Secret" } }),
        );
        refused.await.err().map(drop).ok_or("accepted".to_owned())
    })
    .await;
    operator.stop();
    let operator = RunningOperator::start(&cluster, &options());
    all_work(&good).await;
    newcomers_work(&space, "in-force").await;
    ask(&http(), &turned).await.unwrap_err();

    // Put right, it is what it was.
    space
        .patch("turned", json!({ "spec": { "type": "Confidential" } }))
        .await;
    space.wait_ready("turned").await;
    assert_eq!(space.entries("turned-oauth").await, turned);
    ask(&http(), &turned).await.unwrap();
    operator.stop();
}

/// Who describes a person writes free JSON; this one needs no schema to be loosened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f91_k13_claims_nested_a_thousand_deep_stop_nobody_else() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let listen = operator.listen.clone();
    let space = TestNamespace::within(&cluster, &operator.issuer, "deep").await;
    space.label_for_people().await;
    space.person("default", "alice", ALICE).await;
    for (name, open, close) in DEEP {
        let claim = format!("{}1{}", open.repeat(1000), close.repeat(1000));
        let text = format!(r#"{{"spec":{{"username":"{name}","claims":{{"tree":{claim}}}}}}}"#);
        write_deep(&space, name, &text).await;
        let said = space.not_enrolled(name, "InvalidSpec").await;
        assert!(said.contains("nested more than 16 deep"), "{said}");
    }
    newcomers_work(&space, "while").await;
    operator.stop();
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]).at(&listen));
    served_people(&operator, 2.0).await;
    newcomers_work(&space, "afterwards").await;
}

/// As text: nothing here could build it as a value.
async fn write_deep(space: &TestNamespace, name: &str, text: &str) {
    let metadata = format!(
        r#","metadata":{{"name":"{name}"}},"apiVersion":"clientele.dev/v1alpha1","kind":"OAuthUser"}}"#
    );
    let object = text.strip_suffix('}').unwrap().to_owned() + &metadata;
    let path = format!(
        "/apis/clientele.dev/v1alpha1/namespaces/{}/oauthusers",
        space.name
    );
    let request = axum::http::Request::post(path)
        .header("content-type", "application/json")
        .body(object.into_bytes())
        .unwrap();
    let _: Value = space.kube.request(request).await.unwrap();
}
