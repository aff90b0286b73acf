//! What is done to the API server and to the operator.

use std::time::Instant;

use clientele::api::OAuthClient;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Api;
use kube::api::{
    DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;

use crate::cluster::Cluster;
use crate::operator::OPERATOR_USER;
use crate::space::http;

/// As many as the operator makes.
const AT_ONCE: usize = 16;

async fn namespace(kube: &kube::Client, name: &str) {
    let api: Api<Namespace> = Api::all(kube.clone());
    let namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    api.create(&PostParams::default(), &namespace)
        .await
        .unwrap();
}

fn client(name: &str) -> OAuthClient {
    OAuthClient::new(name, serde_json::from_value(json!({})).unwrap())
}

/// Creates OAuthClients; returns their UIDs.
pub async fn create_clients(cluster: &Cluster, space: &str, count: usize) -> Vec<String> {
    let kube = cluster.kube().await;
    namespace(&kube, space).await;
    let api: Api<OAuthClient> = Api::namespaced(kube, space);
    futures::stream::iter(0..count)
        .map(|n| {
            let api = api.clone();
            async move {
                let client = client(&format!("client-{n:05}"));
                let created = api.create(&PostParams::default(), &client).await.unwrap();
                created.metadata.uid.unwrap()
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await
}

/// The same two writes that the operator makes, with the same library: clients per second.
pub async fn raw_writes(cluster: &Cluster, space: &str, count: usize) -> f64 {
    let uids = create_clients(cluster, space, count).await;
    // As the operator, so that the same admission policies judge the same writes.
    let kube = as_operator(cluster).await;
    let clients: Api<OAuthClient> = Api::namespaced(kube.clone(), space);
    let secrets: Api<Secret> = Api::namespaced(kube, space);
    let started = Instant::now();
    futures::stream::iter(uids.iter().enumerate())
        .for_each_concurrent(AT_ONCE, |(n, uid)| {
            let (clients, secrets) = (clients.clone(), secrets.clone());
            async move {
                let name = format!("client-{n:05}");
                secrets
                    .create(&PostParams::default(), &like_ours(space, &name, uid))
                    .await
                    .unwrap();
                let params = PatchParams::apply("bench").force();
                clients
                    .patch_status(
                        &name,
                        &params,
                        &Patch::Apply(status_like_ours(space, &name)),
                    )
                    .await
                    .unwrap();
            }
        })
        .await;
    let rate = count as f64 / started.elapsed().as_secs_f64();
    let clients: Api<OAuthClient> = Api::namespaced(cluster.kube().await, space);
    clients
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await
        .unwrap();
    rate
}

async fn as_operator(cluster: &Cluster) -> kube::Client {
    let config = Kubeconfig::read_from(&cluster.kubeconfig).unwrap();
    let mut config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default())
        .await
        .unwrap();
    config.auth_info.impersonate = Some(OPERATOR_USER.to_owned());
    clientele::run::connect::client(config).unwrap()
}

fn like_ours(space: &str, name: &str, uid: &str) -> Secret {
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("{name}-oauth"),
            "labels": { "app.kubernetes.io/managed-by": "clientele", "clientele.dev/oauthclient": name },
            "annotations": { "example.com/proof": "x".repeat(73), "example.com/ours": "x".repeat(160) },
            "ownerReferences": [{
                "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthClient", "name": name, "uid": uid,
                "controller": true, "blockOwnerDeletion": false,
            }],
        },
        "stringData": {
            "CLIENT_ID": format!("{space}.{name}"),
            "CLIENT_SECRET": "x".repeat(70),
            "ISSUER": "http://127.0.0.1:8080",
            "TOKEN_ENDPOINT": "http://127.0.0.1:8080/token",
            "JWKS_URI": "http://127.0.0.1:8080/jwks",
        },
    }))
    .unwrap()
}

fn status_like_ours(space: &str, name: &str) -> serde_json::Value {
    let condition = |kind: &str, status: &str| {
        json!({
            "type": kind, "status": status, "reason": "Registered",
            "message": format!("client {space}.{name} is registered; its credentials are in Secret {space}/{name}-oauth"),
            "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    json!({
        "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthClient",
        "metadata": { "name": name },
        "status": {
            "observedGeneration": 1, "clientId": format!("{space}.{name}"), "issuer": "http://127.0.0.1:8080",
            "secretName": format!("{name}-oauth"), "secretUid": "00000000-0000-0000-0000-000000000000",
            "secretGeneration": { "requested": 1, "published": 1, "oldestAccepted": 1, "publishedAt": "2026-01-01T00:00:00Z" },
            "conditions": [condition("Ready", "True"), condition("Reconciling", "False"), condition("Stalled", "False")],
        },
    })
}

/// Seconds from the create of an OAuthClient until a token was issued with what its Secret holds.
pub async fn apply_to_usable(cluster: &Cluster, count: usize) -> Vec<f64> {
    let kube = cluster.kube().await;
    namespace(&kube, "latency").await;
    let clients: Api<OAuthClient> = Api::namespaced(kube.clone(), "latency");
    let secrets: Api<Secret> = Api::namespaced(kube, "latency");
    let http = http();
    let mut latencies = Vec::with_capacity(count);
    for n in 0..count {
        let name = format!("client-{n:05}");
        let params = WatchParams::default().fields(&format!("metadata.name={name}-oauth"));
        let mut watch = secrets.watch(&params, "0").await.unwrap().boxed();
        let started = Instant::now();
        clients
            .create(&PostParams::default(), &client(&name))
            .await
            .unwrap();
        let secret = loop {
            if let Some(WatchEvent::Added(secret)) = watch.try_next().await.unwrap() {
                break secret;
            }
        };
        let entries = crate::space::entries(&secret);
        let answer = http
            .post(&entries["TOKEN_ENDPOINT"])
            .basic_auth(&entries["CLIENT_ID"], Some(&entries["CLIENT_SECRET"]))
            .form(&[("grant_type", "client_credentials")])
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "a published credential was refused");
        latencies.push(started.elapsed().as_secs_f64());
    }
    latencies
}

/// How many OAuthClients of a namespace are ready.
pub async fn ready(cluster: &Cluster, space: &str) -> usize {
    let api: Api<OAuthClient> = Api::namespaced(cluster.kube().await, space);
    let list = api.list(&ListParams::default()).await.unwrap();
    let ready = list.iter().filter(|object| {
        let conditions = object.status.iter().flat_map(|status| &status.conditions);
        conditions
            .into_iter()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True")
    });
    ready.count()
}
