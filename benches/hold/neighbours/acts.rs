//! What a neighbour does, in a process of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};
use url::form_urlencoded::Serializer;

use super::town::{create_user, label};
use super::{LARGEST, NEIGHBOURS};
use crate::attacks::until_told;
use crate::support::cluster::kube_client;
use crate::support::people::APP;
use crate::support::test_namespace::TestNamespace;

/// Passwords and edits in a second.
const RATE: usize = 100;
/// Requests at once, as many as the operator makes.
const AT_ONCE: usize = 16;
/// Tokens that the neighbour has of the API server. Answers about them are kept for ten seconds.
const TOKENS: usize = 1_000;

/// Is the neighbour, until standard input closes.
pub async fn run(name: &str, kubeconfig: &str, issuer: &str, hostile: usize) {
    let kube = kube_client(Path::new(kubeconfig)).await;
    let hog = TestNamespace {
        kube,
        name: format!("hog-{}", std::process::id()),
        issuer: issuer.to_owned(),
    };
    let namespaces: Api<Namespace> = Api::all(hog.kube.clone());
    let namespace = json!({ "metadata": { "name": hog.name } });
    let namespace = serde_json::from_value(namespace).unwrap();
    namespaces
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
    let (hog, done) = (Arc::new(hog), Arc::new(AtomicU64::new(0)));
    let tasks = match name {
        _ if name == NEIGHBOURS[1] => passwords(hog, done.clone()).await,
        _ if name == NEIGHBOURS[2] => edits(hog, done.clone()).await,
        _ if name == NEIGHBOURS[3] => tokens(hog, done.clone()).await,
        LARGEST => largest(&hog, &done, hostile),
        _ => Vec::new(),
    };
    until_told(tasks, &done).await;
}

async fn passwords(hog: Arc<TestNamespace>, done: Arc<AtomicU64>) -> Vec<JoinHandle<()>> {
    label(&hog).await;
    let keys: Vec<String> = (0..RATE).map(|number| format!("of-{number}")).collect();
    for key in &keys {
        create_user(&hog, key, json!({ "name": "people", "key": key })).await;
    }
    vec![tokio::spawn(async move {
        let mut every = interval(Duration::from_secs(1));
        loop {
            every.tick().await;
            let words = format!("words {}", done.load(Relaxed));
            let entries: Vec<_> = keys.iter().map(|key| (&**key, &*words)).collect();
            write_secret(&hog, "people", &entries).await;
            done.fetch_add(RATE as u64, Relaxed);
        }
    })]
}

async fn edits(hog: Arc<TestNamespace>, done: Arc<AtomicU64>) -> Vec<JoinHandle<()>> {
    const CLIENTS: u64 = 200;
    for number in 0..CLIENTS {
        hog.create(&format!("client-{number}"), json!({})).await;
    }
    let tasks = (0..AT_ONCE).map(|_| {
        let (hog, done) = (hog.clone(), done.clone());
        tokio::spawn(async move {
            let pace = Duration::from_secs(1) * AT_ONCE as u32 / RATE as u32;
            let mut due = interval(pace);
            loop {
                due.tick().await;
                let edit = done.fetch_add(1, Relaxed);
                // Each is wrong in one round, and right in the next.
                let scopes = match edit / CLIENTS % 2 {
                    0 => json!(["nobody.has.this"]),
                    _ => json!(null),
                };
                let spec =
                    json!({ "spec": { "scopes": scopes, "displayName": format!("edit {edit}") } });
                let name = format!("client-{}", edit % CLIENTS);
                let params = PatchParams::default();
                let _ = hog
                    .clients()
                    .patch(&name, &params, &Patch::Merge(spec))
                    .await;
            }
        })
    });
    tasks.collect()
}

async fn tokens(hog: Arc<TestNamespace>, done: Arc<AtomicU64>) -> Vec<JoinHandle<()>> {
    let accounts: Api<ServiceAccount> = Api::namespaced(hog.kube.clone(), &hog.name);
    let account = serde_json::from_value(json!({ "metadata": { "name": "pod" } })).unwrap();
    accounts
        .create(&PostParams::default(), &account)
        .await
        .unwrap();
    let pod = json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": [{ "name": "pod" }] });
    hog.ready("pod", pod).await;
    let id = format!("{}.pod", hog.name);
    let bodies: Vec<String> = futures::stream::iter(0..TOKENS)
        .map(|_| service_account_token(&hog, "pod"))
        .buffer_unordered(AT_ONCE)
        .map(|token| assertion(&id, &token))
        .collect()
        .await;
    let (bodies, http) = (Arc::new(bodies), reqwest::Client::new());
    let url = format!("{}/token", hog.issuer);
    let tasks = (0..256).map(|_| {
        let (bodies, http, url, done) = (bodies.clone(), http.clone(), url.clone(), done.clone());
        tokio::spawn(async move {
            loop {
                let next = done.fetch_add(1, Relaxed) as usize % TOKENS;
                let request = http.post(&url).body(bodies[next].clone());
                let form = "application/x-www-form-urlencoded";
                let answer = request.header("content-type", form).send().await;
                match answer.map(|answer| answer.status().as_u16()) {
                    Ok(200 | 503) => (),
                    Ok(status) => return eprintln!("a genuine token was answered with {status}"),
                    Err(_) => sleep(Duration::from_millis(50)).await,
                }
            }
        })
    });
    tasks.collect()
}

/// As many as are wanted, each as large as the API server admits.
fn largest(hog: &Arc<TestNamespace>, done: &Arc<AtomicU64>, wanted: usize) -> Vec<JoinHandle<()>> {
    let uris = |path: &str| -> Vec<String> {
        let uri = |number| {
            let begin = format!("{APP}/{path}/{number:02}/");
            format!("{begin}{}", "x".repeat(512 - begin.len()))
        };
        (0..64).map(uri).collect()
    };
    let template: serde_json::Map<String, Value> = (0..16)
        .map(|number| (format!("entry-{number}"), json!("x".repeat(4096))))
        .collect();
    let spec = json!({
        "displayName": "x".repeat(100), "grantTypes": ["authorization_code", "refresh_token", "client_credentials"],
        "redirectUris": uris("cb"), "postLogoutRedirectUris": uris("bye"), "secret": { "template": template },
    });
    let next = Arc::new(AtomicU64::new(0));
    let tasks = (0..AT_ONCE).map(|_| {
        let (hog, done, next, spec) = (hog.clone(), done.clone(), next.clone(), spec.clone());
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Relaxed);
                if number as usize >= wanted {
                    return;
                }
                match hog
                    .try_create(&format!("client-{number}"), spec.clone())
                    .await
                {
                    Ok(_) => done.fetch_add(1, Relaxed),
                    Err(error) => return eprintln!("no more are admitted: {error:.300}"),
                };
            }
        })
    });
    tasks.collect()
}

/// Writes a Secret with passwords, in place of an earlier one.
pub async fn write_secret(space: &TestNamespace, name: &str, entries: &[(&str, &str)]) {
    let entries = entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)));
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name },
        "type": "clientele.dev/password", "stringData": entries.collect::<serde_json::Map<_, _>>(),
    });
    let params = PatchParams::apply("hold").force();
    space
        .secrets()
        .patch(name, &params, &Patch::Apply(secret))
        .await
        .unwrap();
}

/// A token of a ServiceAccount for the issuer.
pub async fn service_account_token(space: &TestNamespace, name: &str) -> String {
    let accounts: Api<ServiceAccount> = Api::namespaced(space.kube.clone(), &space.name);
    let request = json!({ "spec": { "audiences": [space.issuer], "expirationSeconds": 3600 } });
    let request: TokenRequest = serde_json::from_value(request).unwrap();
    let params = PostParams::default();
    let made = accounts
        .create_token_request(name, &params, &request)
        .await
        .unwrap();
    made.status.unwrap().token
}

/// The form of a token request that is proved by an assertion.
pub fn assertion(client_id: &str, token: &str) -> String {
    let fields = [
        ("client_id", client_id),
        ("grant_type", "client_credentials"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", token),
    ];
    Serializer::new(String::new()).extend_pairs(fields).finish()
}
