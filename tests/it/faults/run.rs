//! One run: a namespace, perhaps a tenant, things of other people beside it, and a history of its objects.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::Request;
use bytes::Bytes;
use clientele_api::{DEFAULT_TENANT, OAuthClient, OAuthTenant, OAuthUser};
use clientele_operator::bootstrap::USERS_LABEL;
use clientele_operator::settings::INSTALLATION;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::act::Action;
use super::call::Call;
use super::command::Command;
use super::fault_cluster::{FaultCluster, OWN, ROOT_KEY};
use super::object_history::ObjectHistory;
use super::wire::Wire;
use crate::support::test_namespace::eventually;

/// What one run happens in.
pub struct Run {
    pub cluster: &'static FaultCluster,
    pub wire: Wire,
    /// A connection as administrator.
    pub kube: kube::Client,
    pub namespace: String,
    pub tenant: String,
    /// The name of the Secret with the root keys, and of the marks that go with it.
    pub root_key: String,
    pub marks: String,
    /// What is to happen to the next command of an administrator.
    pub command: Mutex<Command>,
    pub history: ObjectHistory,
    /// Every write of every operator, and what was answered.
    pub journal: Mutex<Vec<(Call, u16)>>,
    /// What an oracle saw while it ran.
    pub objections: Mutex<Vec<String>>,
    own_versions: Mutex<HashSet<String>>,
    own_deletions: Mutex<HashSet<String>>,
    terminating: AtomicBool,
    emergency: AtomicBool,
    stash: Mutex<Option<(Call, Request<Bytes>)>>,
}

impl Run {
    /// Prepares the run with the first tenant.
    pub async fn new(cluster: &'static FaultCluster) -> Arc<Self> {
        Self::set(cluster, None, false).await
    }

    /// Prepares the run. With a tenant of one's own, or with the first one; with root keys of one's own, which begin with
    /// the one of the cluster, or with those of everybody.
    pub async fn set(
        cluster: &'static FaultCluster,
        tenant: Option<&Value>,
        own_keys: bool,
    ) -> Arc<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let namespace = format!("run-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let wire = cluster.wire();
        let kube = wire.client(&cluster.administrator);
        let namespaces: Api<Namespace> = Api::all(kube.clone());
        let labels = json!({ USERS_LABEL: DEFAULT_TENANT });
        let object = json!({ "metadata": { "name": namespace, "labels": labels } });
        let object = serde_json::from_value(object).unwrap();
        namespaces
            .create(&PostParams::default(), &object)
            .await
            .unwrap();
        let own = format!("t-{namespace}");
        let tenant_name = if tenant.is_some() { &own } else { "default" };
        let suffix = if own_keys {
            format!("-{namespace}")
        } else {
            String::new()
        };
        let (root_key, marks) = (
            format!("{ROOT_KEY}{suffix}"),
            format!("{INSTALLATION}{suffix}"),
        );
        let keys = own_keys.then_some((&*root_key, &*marks));
        let run = Self {
            history: ObjectHistory::start(&kube, &namespace, tenant_name, keys),
            root_key,
            marks,
            command: Mutex::default(),
            tenant: tenant_name.to_owned(),
            cluster,
            wire,
            kube,
            namespace,
            journal: Mutex::default(),
            objections: Mutex::default(),
            own_versions: Mutex::default(),
            own_deletions: Mutex::default(),
            terminating: AtomicBool::new(false),
            emergency: AtomicBool::new(false),
            stash: Mutex::default(),
        };
        if let Some(spec) = tenant {
            run.make_tenant(spec).await;
        }
        if own_keys {
            run.make_root_keys().await;
        }
        let theirs = json!({ "stringData": { "PASSWORD": "theirs" } });
        let run = Arc::new(run);
        Action::CreateSecret("of-others", theirs)
            .perform(&run)
            .await;
        run
    }

    /// A tenant with keys that are there already: finding primes is not what is tested.
    async fn make_tenant(&self, spec: &Value) {
        let tenant = json!({
            "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthTenant",
            "metadata": { "name": self.tenant }, "spec": spec,
        });
        let tenant: DynamicObject = serde_json::from_value(tenant).unwrap();
        let made = self
            .tenants()
            .create(&PostParams::default(), &tenant)
            .await
            .unwrap();
        let mut keys = self.cluster.signing.clone();
        keys.metadata.name = Some(format!("clientele-signing-{}", self.tenant));
        keys.metadata.resource_version = None;
        keys.metadata.uid = None;
        keys.labels_mut()
            .insert("clientele.dev/signing-keys".into(), self.tenant.clone());
        let owner = &mut keys.owner_references_mut()[0];
        owner.name.clone_from(&self.tenant);
        owner.uid = made.uid().unwrap();
        let secrets: Api<Secret> = Api::namespaced(self.kube.clone(), OWN);
        secrets.create(&PostParams::default(), &keys).await.unwrap();
    }

    /// The root key of the cluster under a name of one's own, so that it is known what no log may have.
    async fn make_root_keys(&self) {
        let mut keys = self.cluster.root_key.clone();
        keys.metadata.name = Some(self.root_key.clone());
        keys.metadata.resource_version = None;
        keys.metadata.uid = None;
        let secrets: Api<Secret> = Api::namespaced(self.kube.clone(), OWN);
        secrets.create(&PostParams::default(), &keys).await.unwrap();
    }

    /// Another writer puts something into an object of the operator's own namespace.
    pub async fn outrun_own(&self, call: &Call) {
        let kind = match &*call.kind {
            "configmaps" => ApiResource::erase::<ConfigMap>(&()),
            _ => ApiResource::erase::<Secret>(&()),
        };
        let api: Api<DynamicObject> = Api::namespaced_with(self.kube.clone(), OWN, &kind);
        let added = json!({ "metadata": { "annotations": { "example.com/outran": "yes" } } });
        let patch = Patch::Merge(added);
        if let Ok(written) = api.patch(&call.name, &PatchParams::default(), &patch).await {
            self.note_own(&written);
        }
    }

    pub fn clients(&self) -> Api<DynamicObject> {
        let kind = ApiResource::erase::<OAuthClient>(&());
        Api::namespaced_with(self.kube.clone(), &self.namespace, &kind)
    }

    pub fn users(&self) -> Api<DynamicObject> {
        let kind = ApiResource::erase::<OAuthUser>(&());
        Api::namespaced_with(self.kube.clone(), &self.namespace, &kind)
    }

    pub fn secrets(&self) -> Api<DynamicObject> {
        let kind = ApiResource::erase::<Secret>(&());
        Api::namespaced_with(self.kube.clone(), &self.namespace, &kind)
    }

    pub fn tenants(&self) -> Api<DynamicObject> {
        Api::all_with(self.kube.clone(), &ApiResource::erase::<OAuthTenant>(&()))
    }

    pub fn namespaces(&self) -> Api<Namespace> {
        Api::all(self.kube.clone())
    }

    /// Remembers a version that a person wrote.
    pub fn note_own(&self, object: &DynamicObject) {
        let version = object.resource_version().unwrap_or_default();
        self.own_versions.lock().unwrap().insert(version);
    }

    /// Waits until the history has seen a version: what it shows then is not older than what was done.
    pub async fn until_seen(&self, object: &DynamicObject) {
        let version = object.resource_version().unwrap_or_default();
        let uid = object.uid().unwrap_or_default();
        eventually("the history sees what was written", || async {
            let seen = self.history.saw(&uid, &version);
            seen.then_some(()).ok_or(format!("not {version}"))
        })
        .await;
    }

    /// Waits until the history has seen that an object was deleted, or is being deleted.
    pub async fn until_deletion_is_seen(&self, object: Option<&DynamicObject>) {
        let Some(object) = object else { return };
        let uid = object.uid().unwrap_or_default();
        eventually("the history sees what was deleted", || async {
            let live = self.history.live();
            let meta = live
                .values()
                .map(|object| &object["metadata"])
                .find(|meta| meta["uid"] == uid);
            let going = meta.is_none_or(|meta| meta["deletionTimestamp"].is_string());
            going.then_some(()).ok_or(format!("{uid} is there"))
        })
        .await;
    }

    /// Remembers that a person deletes it.
    pub fn note_deleted(&self, object: &DynamicObject) {
        let uid = object.uid().unwrap_or_default();
        self.own_deletions.lock().unwrap().insert(uid);
    }

    /// Remembers that an administrator has withdrawn root keys: what they made stops under a status that says Ready,
    /// until the operator has had its turn.
    pub fn note_emergency(&self) {
        self.emergency.store(true, Ordering::SeqCst);
    }

    /// Whether root keys were withdrawn.
    pub fn is_emergency(&self) -> bool {
        self.emergency.load(Ordering::SeqCst)
    }

    /// Remembers that the namespace goes.
    pub fn note_terminating(&self) {
        self.terminating.store(true, Ordering::SeqCst);
    }

    /// Whether the namespace goes.
    pub fn is_terminating(&self) -> bool {
        self.terminating.load(Ordering::SeqCst)
    }

    /// What a workload says, with the names of this run.
    pub fn placed(&self, said: &Value) -> Value {
        let text = said.to_string();
        let text = text
            .replace("TENANT", &self.tenant)
            .replace("NAMESPACE", &self.namespace);
        serde_json::from_str(&text).unwrap()
    }

    /// Whether a person wrote this version, or deleted the object.
    pub fn is_by_a_person(&self, object: &Value, deleted: bool) -> bool {
        let meta = &object["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if deleted {
            return self
                .own_deletions
                .lock()
                .unwrap()
                .contains(&text(&meta["uid"]));
        }
        let version = text(&meta["resourceVersion"]);
        self.own_versions.lock().unwrap().contains(&version)
    }

    /// Keeps a request for later.
    pub fn stash(&self, request: (Call, Request<Bytes>)) {
        *self.stash.lock().unwrap() = Some(request);
    }

    /// The request that was kept.
    pub fn stashed(&self) -> Option<(Call, Request<Bytes>)> {
        self.stash.lock().unwrap().take()
    }

    /// An oracle objects.
    pub fn object(&self, objection: String) {
        self.objections.lock().unwrap().push(objection);
    }
}
