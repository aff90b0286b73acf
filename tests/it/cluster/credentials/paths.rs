//! Where a client stands does not depend on how it came there: after any edit it is as if it had just been created so.
//! The oracle of Acto (SOSP'23), for every ordered pair of a list of manifests.

use std::collections::{BTreeMap, BTreeSet};

use clientele_api::OAuthClient;
use clientele_operator::domain::client::secret::{CLIENT_LABEL, PROOF_ANNOTATION};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{ListParams, PostParams};
use serde_json::{Value, json};

use super::brought::{ONE, provide};
use super::secretless::keys::keys;
use crate::support::assertions::key;
use crate::support::test_namespace::{TestNamespace, entries};

const WALKER: &str = "walker";

/// What a client can become. Each differs from the others in a field that matters to its Secret or its status.
fn manifests(space: &TestNamespace, name: &str) -> Vec<Value> {
    let secret = |secret: Value| json!({ "secret": secret });
    let callback = json!(["https://app.example/callback"]);
    vec![
        json!({}),
        json!({ "displayName": "An app", "redirectUris": callback, "requirePkce": false, "allowedGroups": ["staff"] }),
        json!({ "type": "Public", "redirectUris": callback, "allowedOrigins": ["https://app.example"] }),
        json!({ "suspended": true, "deletionPolicy": "Retain" }),
        secret(json!({ "name": format!("{name}-elsewhere") })),
        secret(
            json!({ "entries": { "clientSecret": "PASSWORD" }, "labels": { "reloader.stakater.com/tier": "one" }, "annotations": { "reloader.stakater.com/match": "yes" } }),
        ),
        secret(
            json!({ "template": { "config.json": r#"{"id":{{ clientId | json }},"secret":{{ clientSecret | json }}}"# } }),
        ),
        secret(json!({ "format": "Grafana" })),
        json!({ "secretRef": { "name": "mine" } }),
        json!({ "tokenEndpointAuthMethod": "private_key_jwt", "jwks": keys(&[key()]) }),
        json!({ "serviceAccounts": [{ "name": "default" }], "lifetimes": { "accessToken": "5m" } }),
        json!({ "tokenEndpointAuthMethod": "client_secret_post", "rotation": { "quietPeriod": "1h" } }),
        // Refused, each for another reason.
        json!({ "scopes": ["no-such-scope"] }),
        json!({ "secretRef": { "name": "missing" } }),
        json!({ "audiences": [format!("https://{}.example", space.name)] }),
    ]
}

/// Every step from one of `count` places to another, as one walk.
fn walk(count: usize) -> Vec<usize> {
    let mut walk = vec![0];
    for here in 0..count {
        for there in here + 1..count {
            walk.extend([there, here]);
        }
        walk.extend((here + 1 < count).then_some(here + 1));
    }
    walk
}

#[test]
fn the_walk_has_every_step() {
    let steps: BTreeSet<(usize, usize)> = walk(4).windows(2).map(|w| (w[0], w[1])).collect();
    assert_eq!(steps.len(), 4 * 3);
}

/// What a manifest comes to, without what differs between any two objects.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    conditions: Vec<(String, String, String, String)>,
    /// By name. What a refused client has beside it is from before, and stays.
    secrets: Option<BTreeMap<String, Value>>,
}

async fn place(space: &TestNamespace, name: &str) -> Place {
    let object = space
        .wait_client(name, "at rest", |object| {
            let reconciling = conditions(object, name).into_iter();
            let mut reconciling = reconciling.filter(|(kind, ..)| kind == "Reconciling");
            reconciling
                .next()
                .is_some_and(|(_, status, ..)| status == "False")
        })
        .await;
    let conditions = conditions(&object, name);
    let is_refused = |(kind, status, reason, _): &(String, String, String, String)| {
        kind == "Ready" && status == "False" && reason != "Suspended"
    };
    let secrets = if conditions.iter().any(is_refused) {
        None
    } else {
        Some(secrets(space, name).await)
    };
    Place {
        conditions,
        secrets,
    }
}

fn conditions(object: &OAuthClient, name: &str) -> Vec<(String, String, String, String)> {
    let conditions = object.status.iter().flat_map(|status| &status.conditions);
    conditions
        .map(|c| {
            let message = c.message.replace(name, "NAME");
            let [kind, status, reason] = [&c.type_, &c.status, &c.reason].map(ToString::to_string);
            (kind, status, reason, message)
        })
        .collect()
}

/// The Secrets of a client, in which SECRET stands for a derived secret.
async fn secrets(space: &TestNamespace, name: &str) -> BTreeMap<String, Value> {
    let params = ListParams::default().labels(&format!("{CLIENT_LABEL}={name}"));
    let list = space.secrets().list(&params).await.unwrap();
    let shape = |secret: &Secret| {
        let mut annotations = secret.annotations().clone();
        annotations.remove(PROOF_ANNOTATION);
        let shape = json!({
            "type": secret.type_,
            "entries": entries(secret),
            "labels": secret.labels(),
            "annotations": annotations,
            "owned": secret.owner_references().len(),
        });
        let text = shape.to_string();
        let text = derived(&text).fold(text.clone(), |text, secret| text.replace(secret, "SECRET"));
        let shape = serde_json::from_str(&text.replace(name, "NAME")).unwrap();
        (secret.name_any().replace(name, "NAME"), shape)
    };
    list.iter().map(shape).collect()
}

/// The derived secrets in a text.
fn derived(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("clt_").map(|(at, _)| &text[at..at + 70])
}

/// Replaces the whole spec, as `kubectl replace` does.
async fn turn_into(space: &TestNamespace, name: &str, spec: Value) {
    let mut object = space.clients().get(name).await.unwrap();
    object.spec = serde_json::from_value(spec).unwrap();
    let (clients, params) = (space.clients(), PostParams::default());
    clients.replace(name, &params, &object).await.unwrap();
}

/// No edit may change the secret that was derived first.
async fn still_holds(space: &TestNamespace, first: &str) {
    let params = ListParams::default().labels(&format!("{CLIENT_LABEL}={WALKER}"));
    for secret in space.secrets().list(&params).await.unwrap() {
        for value in entries(&secret).values() {
            assert!(
                derived(value).all(|secret| secret == first),
                "a credential changed without a request"
            );
        }
    }
}

#[tokio::test]
async fn f66_after_any_edit_a_client_is_as_if_created_so() {
    let space = TestNamespace::new("paths").await;
    provide(&space, ONE).await;
    let mut fresh = Vec::new();
    for (number, _) in manifests(&space, "").iter().enumerate() {
        let name = format!("fresh{number:02}");
        space
            .create(&name, manifests(&space, &name)[number].clone())
            .await;
        let place = place(&space, &name).await;
        assert!(
            place
                .secrets
                .as_ref()
                .is_none_or(|secrets| secrets.len() == 1)
        );
        fresh.push(place);
    }
    let refused = fresh.iter().filter(|place| place.secrets.is_none());
    assert_eq!(refused.count(), 3);
    space.ready(WALKER, json!({})).await;
    let first = space.entries("walker-oauth").await["CLIENT_SECRET"].clone();
    let manifests = manifests(&space, WALKER);
    for step in walk(manifests.len()).windows(2) {
        turn_into(&space, WALKER, manifests[step[1]].clone()).await;
        let there = place(&space, WALKER).await;
        assert_eq!(
            there.conditions, fresh[step[1]].conditions,
            "{} after {}",
            manifests[step[1]], manifests[step[0]]
        );
        if there.secrets.is_some() {
            assert_eq!(
                there.secrets, fresh[step[1]].secrets,
                "{} after {}",
                manifests[step[1]], manifests[step[0]]
            );
        }
        still_holds(&space, &first).await;
    }
}
