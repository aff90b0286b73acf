//! The cluster at a moment, to be compared with a later one.

use std::collections::BTreeMap;
use std::fmt::Debug;

use clientele_api::{OAuthClient, OAuthTenant};
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::load::Entries;
use super::test_namespace::entries;

/// The entries of every credentials Secret, by `namespace/name`.
pub type Credentials = BTreeMap<String, Entries>;

/// The credentials Secrets of all namespaces.
pub async fn credentials(kube: &kube::Client) -> Credentials {
    of(Api::all(kube.clone())).await
}

/// The credentials Secrets of one namespace.
pub async fn credentials_in(kube: &kube::Client, namespace: &str) -> Credentials {
    of(Api::namespaced(kube.clone(), namespace)).await
}

async fn of(api: Api<Secret>) -> Credentials {
    let ours = ListParams::default().labels("clientele.dev/oauthclient");
    let secrets = api.list(&ours).await.unwrap();
    secrets
        .iter()
        .map(|secret| (place(secret), entries(secret)))
        .collect()
}

/// Everything of ours, resource versions included: equal only if nothing at all was written in between.
pub async fn everything(kube: &kube::Client) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let ours = ListParams::default().labels("app.kubernetes.io/managed-by=clientele");
    put::<Secret>(&mut all, kube, &ours).await;
    put::<OAuthClient>(&mut all, kube, &ListParams::default()).await;
    put::<OAuthTenant>(&mut all, kube, &ListParams::default()).await;
    all
}

async fn put<K>(all: &mut BTreeMap<String, Value>, kube: &kube::Client, which: &ListParams)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize,
{
    for object in Api::<K>::all(kube.clone()).list(which).await.unwrap() {
        let name = format!("{} {}", K::kind(&()), place(&object));
        all.insert(name, serde_json::to_value(&object).unwrap());
    }
}

fn place<K: Resource>(object: &K) -> String {
    let namespace = object.namespace().unwrap_or_default();
    format!("{namespace}/{}", object.name_any())
}

/// The names of what differs, for a message without secrets.
pub fn differences<V: PartialEq>(
    before: &BTreeMap<String, V>,
    after: &BTreeMap<String, V>,
) -> Vec<String> {
    let names = before.keys().chain(after.keys());
    let mut differ: Vec<String> = names
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect();
    differ.sort();
    differ.dedup();
    differ
}
