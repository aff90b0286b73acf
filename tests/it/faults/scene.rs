//! The stage of one run: a namespace, perhaps a tenant, things of other people beside it, and a witness.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use axum::http::Request;
use bytes::Bytes;
use clientele::api::{OAuthClient, OAuthTenant};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{ApiResource, DynamicObject, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::act::Act;
use super::call::Call;
use super::ground::{Ground, OWN};
use super::wire::Wire;
use super::witness::Witness;
use crate::support::space::eventually;

/// The stage of one run.
pub struct Scene {
    pub ground: &'static Ground,
    pub wire: Wire,
    /// A connection as administrator.
    pub kube: kube::Client,
    pub namespace: String,
    pub tenant: String,
    pub witness: Witness,
    /// Every write of every operator, and what was answered.
    pub journal: Mutex<Vec<(Call, u16)>>,
    /// What an oracle saw while it ran.
    pub objections: Mutex<Vec<String>>,
    own_versions: Mutex<HashSet<String>>,
    own_deletions: Mutex<HashSet<String>>,
    terminating: AtomicBool,
    stash: Mutex<Option<(Call, Request<Bytes>)>>,
}

impl Scene {
    /// Sets the stage. With a tenant of one's own, or with the first one.
    pub async fn new(ground: &'static Ground, tenant: Option<&Value>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let namespace = format!("run-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let wire = ground.wire();
        let kube = wire.client(&ground.administrator);
        let namespaces: Api<Namespace> = Api::all(kube.clone());
        let object = serde_json::from_value(json!({ "metadata": { "name": namespace } })).unwrap();
        namespaces
            .create(&PostParams::default(), &object)
            .await
            .unwrap();
        let own = format!("t-{namespace}");
        let tenant_name = if tenant.is_some() { &own } else { "default" };
        let scene = Self {
            witness: Witness::start(&kube, &namespace, tenant_name),
            tenant: tenant_name.to_owned(),
            ground,
            wire,
            kube,
            namespace,
            journal: Mutex::default(),
            objections: Mutex::default(),
            own_versions: Mutex::default(),
            own_deletions: Mutex::default(),
            terminating: AtomicBool::new(false),
            stash: Mutex::default(),
        };
        if let Some(spec) = tenant {
            scene.make_tenant(spec).await;
        }
        let theirs = json!({ "stringData": { "PASSWORD": "theirs" } });
        Act::CreateSecret("of-others", theirs).perform(&scene).await;
        scene
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
        let mut keys = self.ground.signing.clone();
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

    pub fn clients(&self) -> Api<DynamicObject> {
        let kind = ApiResource::erase::<OAuthClient>(&());
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

    /// Waits until the witness has seen a version: what it shows then is not older than what was done.
    pub async fn until_seen(&self, object: &DynamicObject) {
        let version = object.resource_version().unwrap_or_default();
        let uid = object.uid().unwrap_or_default();
        eventually("the witness sees what was written", || async {
            let seen = self.witness.saw(&uid, &version);
            seen.then_some(()).ok_or(format!("not {version}"))
        })
        .await;
    }

    /// Waits until the witness has seen that an object is gone, or going.
    pub async fn until_deletion_is_seen(&self, object: Option<&DynamicObject>) {
        let Some(object) = object else { return };
        let uid = object.uid().unwrap_or_default();
        eventually("the witness sees what was deleted", || async {
            let live = self.witness.live();
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

    /// Remembers that the namespace goes.
    pub fn note_terminating(&self) {
        self.terminating.store(true, Ordering::SeqCst);
    }

    /// Whether the namespace goes.
    pub fn is_terminating(&self) -> bool {
        self.terminating.load(Ordering::SeqCst)
    }

    /// What a workload says, with the names of this stage.
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
