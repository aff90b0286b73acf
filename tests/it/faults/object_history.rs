//! Sees every version of every object of a run, in the order in which the API server stored them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{ApiResource, DynamicObject, WatchEvent, WatchParams};
use kube::{Api, Resource};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::fault_cluster::OWN;
use super::root_keys::CURRENT;

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    Created,
    Changed,
    Deleted,
}

/// One version of one object.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The revision of the whole cluster; orders objects of all kinds.
    pub revision: u64,
    /// `Kind/name`.
    pub key: String,
    pub change: Change,
    pub object: Arc<Value>,
}

#[derive(Default)]
struct State {
    events: Vec<Seen>,
    live: BTreeMap<String, Arc<Value>>,
    /// How often an object of the key was created, and which of them each UID is.
    incarnations: HashMap<String, usize>,
    labels: HashMap<String, String>,
    /// Every root key that there ever was, by ID.
    root_keys: BTreeMap<String, Vec<u8>>,
}

/// The watches of one run.
pub struct ObjectHistory {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
    _watches: JoinSet<()>,
}

impl ObjectHistory {
    /// Watches what is in a namespace, one tenant, and perhaps a Secret with root keys and the marks that go with it.
    pub fn start(
        kube: &kube::Client,
        namespace: &str,
        tenant: &str,
        keys: Option<(&str, &str)>,
    ) -> Self {
        let (state, changed) = (Arc::<Mutex<State>>::default(), Arc::new(Notify::new()));
        let clients = ApiResource::erase::<OAuthClient>(&());
        let secrets = ApiResource::erase::<Secret>(&());
        let tenants = ApiResource::erase::<OAuthTenant>(&());
        let users = ApiResource::erase::<OAuthUser>(&());
        let marks = ApiResource::erase::<ConfigMap>(&());
        let all = WatchParams::default();
        let named = |name: &str| WatchParams::default().fields(&format!("metadata.name={name}"));
        let within = |namespace: &str, kind| Api::namespaced_with(kube.clone(), namespace, kind);
        let mut kinds = vec![
            ("OAuthClient", within(namespace, &clients), all.clone()),
            ("OAuthUser", within(namespace, &users), all.clone()),
            ("Secret", within(namespace, &secrets), all),
            (
                "OAuthTenant",
                Api::all_with(kube.clone(), &tenants),
                named(tenant),
            ),
        ];
        if let Some((root_keys, installation)) = keys {
            kinds.extend([
                ("RootKeys", within(OWN, &secrets), named(root_keys)),
                ("Marks", within(OWN, &marks), named(installation)),
            ]);
        }
        let mut watches = JoinSet::new();
        for (kind, api, params) in kinds {
            watches.spawn(watch(kind, api, params, state.clone(), changed.clone()));
        }
        Self {
            state,
            changed,
            _watches: watches,
        }
    }

    /// Everything so far, in order.
    pub fn events(&self) -> Vec<Seen> {
        let mut events = self.state.lock().unwrap().events.clone();
        events.sort_by_key(|seen| seen.revision);
        events
    }

    /// Whether this version of an object has been seen, or a later one: a watch that begins late begins with the latest.
    pub fn saw(&self, uid: &str, version: &str) -> bool {
        let state = self.state.lock().unwrap();
        let version = version.parse().unwrap_or(0);
        let is_it = |seen: &Seen| seen.object["metadata"]["uid"] == uid;
        let mut events = state.events.iter();
        events.any(|seen| seen.revision >= version && is_it(seen))
    }

    /// How much has been seen so far.
    pub fn count(&self) -> usize {
        self.state.lock().unwrap().events.len()
    }

    /// The objects as they are, by `Kind/name`.
    pub fn live(&self) -> BTreeMap<String, Arc<Value>> {
        self.state.lock().unwrap().live.clone()
    }

    /// What each UID is: `Kind/name`, and the how-manieth of the name.
    pub fn labels(&self) -> HashMap<String, String> {
        self.state.lock().unwrap().labels.clone()
    }

    /// Every root key that there ever was, by ID.
    pub fn root_keys(&self) -> BTreeMap<String, Vec<u8>> {
        self.state.lock().unwrap().root_keys.clone()
    }

    /// Until something happens.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

async fn watch(
    kind: &'static str,
    api: Api<DynamicObject>,
    params: WatchParams,
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
) {
    let mut events = api.watch(&params, "0").await.unwrap().boxed();
    while let Some(event) = events.next().await {
        let (change, object) = match event.expect("the history is not cut off") {
            WatchEvent::Added(object) => (Change::Created, object),
            WatchEvent::Modified(object) => (Change::Changed, object),
            WatchEvent::Deleted(object) => (Change::Deleted, object),
            WatchEvent::Bookmark(_) => continue,
            WatchEvent::Error(error) => panic!("the history is not cut off: {error:?}"),
        };
        state.lock().unwrap().note(kind, change, &object);
        changed.notify_one();
    }
}

impl State {
    fn note(&mut self, kind: &str, change: Change, object: &DynamicObject) {
        let value = Arc::new(serde_json::to_value(object).unwrap());
        let meta = object.meta();
        let key = format!("{kind}/{}", meta.name.as_deref().unwrap_or_default());
        let revision = meta.resource_version.as_deref().unwrap_or_default();
        let uid = meta.uid.clone().unwrap_or_default();
        if !self.labels.contains_key(&uid) {
            let count = self.incarnations.entry(key.clone()).or_default();
            *count += 1;
            self.labels.insert(uid, format!("{key}#{count}"));
        }
        if kind == "RootKeys" {
            let secret: Secret = serde_json::from_value((*value).clone()).unwrap();
            let entries = secret.data.unwrap_or_default().into_iter();
            let keys = entries.filter(|(name, _)| name != CURRENT);
            self.root_keys.extend(keys.map(|(id, bytes)| (id, bytes.0)));
        }
        match change {
            Change::Deleted => self.live.remove(&key),
            _ => self.live.insert(key.clone(), value.clone()),
        };
        self.events.push(Seen {
            revision: revision.parse().unwrap(),
            key,
            change,
            object: value,
        });
    }
}
