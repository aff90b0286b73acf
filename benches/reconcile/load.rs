//! What is done to the API server and to the operator.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clientele_api::OAuthClient;
use futures::{AsyncReadExt, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{
    DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::wait::await_condition;
use kube::{Api, Resource};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::credentials::token;
use crate::operator::OPERATOR_USER;
use crate::test_namespace::http;

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

/// Creates OAuthClients in a new namespace; returns their UIDs.
pub async fn create_clients(cluster: &Cluster, space: &str, count: usize) -> Vec<String> {
    namespace(&cluster.kube().await, space).await;
    fill(cluster, space, count).await
}

/// Creates OAuthClients; returns their UIDs.
pub async fn fill(cluster: &Cluster, space: &str, count: usize) -> Vec<String> {
    let api: Api<OAuthClient> = Api::namespaced(cluster.kube().await, space);
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

/// What the operator wrote for one client, to be written again for others.
pub struct Written {
    client: OAuthClient,
    secret: Secret,
}

impl Written {
    /// The first of those that [`apply_to_usable`] made in this namespace.
    pub async fn read(cluster: &Cluster, space: &str) -> Self {
        let kube = cluster.kube().await;
        let clients: Api<OAuthClient> = Api::namespaced(kube.clone(), space);
        let secrets: Api<Secret> = Api::namespaced(kube, space);
        let ready = |client: Option<&OAuthClient>| {
            let status = client.and_then(|client| client.status.as_ref());
            status.is_some_and(|status| status.secret_name.is_some())
        };
        let client = await_condition(clients, "client-00000", ready).await;
        Self {
            client: client.unwrap().unwrap(),
            secret: secrets.get("client-00000-oauth").await.unwrap(),
        }
    }

    fn secret_of(&self, name: &str, uid: &str) -> Secret {
        let mut secret = self.secret.clone();
        let metadata = &self.secret.metadata;
        let mut owners = metadata.owner_references.clone().unwrap();
        (owners[0].name, owners[0].uid) = (name.to_owned(), uid.to_owned());
        let mut labels = metadata.labels.clone().unwrap();
        labels.insert("clientele.dev/oauthclient".to_owned(), name.to_owned());
        secret.metadata = ObjectMeta {
            name: Some(format!("{name}-oauth")),
            labels: Some(labels),
            annotations: metadata.annotations.clone(),
            owner_references: Some(owners),
            ..ObjectMeta::default()
        };
        secret
    }

    fn status_of(&self, name: &str) -> Value {
        json!({
            "apiVersion": OAuthClient::api_version(&()), "kind": OAuthClient::kind(&()),
            "metadata": { "name": name },
            "status": self.client.status,
        })
    }
}

/// The same two writes that the operator makes, with the same library: clients per second.
pub async fn raw_writes(cluster: &Cluster, written: &Written, space: &str, count: usize) -> f64 {
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
                let secret = written.secret_of(&name, uid);
                let created = secrets.create(&PostParams::default(), &secret).await;
                created.unwrap();
                let params = PatchParams::apply("bench").force();
                let status = Patch::Apply(written.status_of(&name));
                let patched = clients.patch_status(&name, &params, &status).await;
                patched.unwrap();
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
    clientele::run::connect::client(config, None).unwrap()
}

/// A client with which a token was issued.
pub struct Usable {
    /// Seconds from the create of the OAuthClient until then.
    pub took: f64,
    /// Seconds that the create itself took.
    pub created: f64,
    /// What its Secret holds.
    pub entries: BTreeMap<String, String>,
}

/// Who creates one OAuthClient after the other and uses it.
struct Newcomer {
    clients: Api<OAuthClient>,
    secrets: Api<Secret>,
    http: reqwest::Client,
    count: usize,
}

impl Newcomer {
    async fn new(cluster: &Cluster, space: &str) -> Self {
        let kube = cluster.kube().await;
        let spaces: Api<Namespace> = Api::all(kube.clone());
        if spaces.get_opt(space).await.unwrap().is_none() {
            namespace(&kube, space).await;
        }
        let clients: Api<OAuthClient> = Api::namespaced(kube.clone(), space);
        let known = clients.list_metadata(&ListParams::default()).await.unwrap();
        Self {
            clients,
            secrets: Api::namespaced(kube, space),
            http: http(),
            count: known.items.len(),
        }
    }

    async fn next(&mut self) -> Usable {
        let name = format!("client-{:05}", self.count);
        self.count += 1;
        let params = WatchParams::default().fields(&format!("metadata.name={name}-oauth"));
        let mut watch = self.secrets.watch(&params, "0").await.unwrap().boxed();
        let started = Instant::now();
        let (client, params) = (client(&name), PostParams::default());
        self.clients.create(&params, &client).await.unwrap();
        let created = started.elapsed().as_secs_f64();
        let secret = loop {
            if let Some(WatchEvent::Added(secret)) = watch.try_next().await.unwrap() {
                break secret;
            }
        };
        let entries = crate::test_namespace::entries(&secret);
        let status = token(&self.http, &entries).await.status();
        assert_eq!(status, 200, "a published credential was refused");
        let took = started.elapsed().as_secs_f64();
        Usable {
            took,
            created,
            entries,
        }
    }
}

/// Creates OAuthClients, one after the other, and uses each.
pub async fn apply_to_usable(cluster: &Cluster, space: &str, count: usize) -> Vec<Usable> {
    let mut newcomer = Newcomer::new(cluster, space).await;
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        all.push(newcomer.next().await);
    }
    all
}

/// The same until told to stop, with a pause after each.
pub async fn newcomers(cluster: &Cluster, space: &str, stop: CancellationToken) -> Vec<Usable> {
    let mut newcomer = Newcomer::new(cluster, space).await;
    let mut all = Vec::new();
    while !stop.is_cancelled() {
        all.push(newcomer.next().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    all
}

/// What an operator lists before it serves, read as bytes and thrown away, all at once: the limit of a restart. The
/// seconds that it takes, and the bytes.
pub async fn read_lists(cluster: &Cluster) -> (f64, usize) {
    const KINDS: &str = "/apis/clientele.dev/v1alpha1";
    const TYPED: &str = "/api/v1/secrets?limit=10000&fieldSelector=type%3Dclientele.dev%2F";
    let kube = as_operator(cluster).await;
    let mut paths = vec![
        "/api/v1/namespaces?limit=10000".to_owned(),
        "/api/v1/namespaces/clientele-system/secrets?limit=10000".to_owned(),
        format!("{TYPED}password"),
        format!("{TYPED}client-secret"),
    ];
    let kinds = ["oauthclients", "oauthtenants", "oauthusers"];
    paths.extend(kinds.map(|kind| format!("{KINDS}/{kind}?limit=10000")));
    let started = Instant::now();
    let read = futures::future::join_all(paths.iter().map(|path| read_list(&kube, path))).await;
    (started.elapsed().as_secs_f64(), read.iter().sum())
}

/// A list in pages; how many bytes.
async fn read_list(kube: &kube::Client, path: &str) -> usize {
    let (mut size, mut token) = (0, String::new());
    loop {
        let page = if token.is_empty() {
            path.to_owned()
        } else {
            format!("{path}&continue={token}")
        };
        let request = axum::http::Request::get(page).body(Vec::new()).unwrap();
        let mut text = Vec::new();
        let mut body = Box::pin(kube.request_stream(request).await.unwrap());
        body.read_to_end(&mut text).await.unwrap();
        size += text.len();
        // Where the token stands, whatever the order of the fields.
        let text = String::from_utf8(text).unwrap();
        let rest = text.split_once("\"continue\":\"").map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split('"').next())
            .unwrap_or_default()
            .clone_into(&mut token);
        if token.is_empty() {
            return size;
        }
    }
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
