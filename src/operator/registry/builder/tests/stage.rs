//! A builder without a cluster: events go in by hand, and what it makes is read.

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use clientele_api::allowed_keys::AllowedKeys;
use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_telemetry::audit::Audit;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Resource;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::Event;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::RegistryBuilder;
use crate::cache::namespace_access::Access;
use crate::cache::place::Place;
use crate::cache::root_keys::KnownRootKeys;
use crate::context;
use crate::parts::Parts;
use crate::registry::{Inputs, Outputs};
use crate::settings::{SecretsScope, Settings};
use crate::tests::keyring;
use crate::watch::objects::WatchEvent;

/// A connection that is never used, and the runtime that it wants.
pub struct Connection {
    runtime: tokio::runtime::Runtime,
    kube: kube::Client,
}

impl Connection {
    pub fn nowhere() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        let guard = runtime.enter();
        let config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
        let kube = kube::Client::try_from(config).unwrap();
        drop(guard);
        Self { runtime, kube }
    }
}

pub struct Stage {
    pub inputs: Inputs,
    pub outputs: Outputs,
    pub builder: RegistryBuilder,
    clients_asked: UnboundedReceiver<Place>,
    users_asked: UnboundedReceiver<Place>,
    /// Versions rise with each event.
    version: u64,
    /// What was asked for since the last comparison, and what was known by then: see `oracle`.
    pub known: HashMap<String, super::oracle::Known>,
    pub enqueued: Vec<String>,
    pub known_people: HashMap<String, super::oracle::KnownPerson>,
    pub enqueued_people: BTreeSet<String>,
    /// Whether the root keys changed since: then every client is enqueued.
    pub asked_all: bool,
}

fn settings() -> Settings {
    Settings {
        shares_store: true,
        namespace: "own".into(),
        service_account: "clientele".into(),
        public_url: "https://id.example".into(),
        secrets_scope: SecretsScope::Cluster,
        root_key_secret: "clientele-root-key".into(),
        root_key_grace: Duration::from_hours(24),
        workers: 1,
        write_burst: 1,
        publish_ahead: Duration::from_mins(15),
        lease: None,
        allowed_keys: Arc::new(AllowedKeys::default()),
        bootstrap: false,
        dashboard_url: None,
    }
}

impl Stage {
    /// Everything is listed: the tenant `default` and one namespace.
    pub fn new(connection: &Connection) -> Self {
        let _entered = connection.runtime.enter();
        let (metrics, audit) = (Arc::default(), Arc::new(Audit::new(false)));
        let (context, _) =
            context::Context::new(connection.kube.clone(), settings(), metrics, audit);
        let (parts, work) = Parts::new(Arc::new(context), Arc::default(), Arc::default());
        let (inputs, outputs) = parts.observed();
        let cache = &inputs.cache;
        cache.client_secrets.set_access(None, Access::Granted);
        cache.passwords.set_access(None, Access::Granted);
        cache.credentials.set_access(None, Access::Granted);
        let (clients, tenants, users) = work.stores;
        let builder = RegistryBuilder::new(&inputs, clients, tenants, users);
        let (clients_asked, _, users_asked) = work.requests;
        let mut stage = Self {
            inputs,
            outputs,
            builder,
            clients_asked,
            users_asked,
            version: 0,
            known: HashMap::new(),
            enqueued: Vec::new(),
            known_people: HashMap::new(),
            enqueued_people: BTreeSet::new(),
            asked_all: false,
        };
        stage.new_root_key();
        stage.list_all();
        stage
    }

    fn list_all(&mut self) {
        self.see(WatchEvent::Namespace(Event::Init));
        self.see(WatchEvent::Namespace(Event::InitDone));
        self.see(WatchEvent::OwnSecret(Event::InitDone));
        self.see(WatchEvent::Client(Box::new(Event::InitDone)));
        self.see(WatchEvent::Tenant(Box::new(Event::InitDone)));
        self.see(WatchEvent::User(Box::new(Event::InitDone)));
        self.namespace("ns0", "a");
        self.tenant("default", 1, &serde_json::json!({}));
    }

    pub fn see(&mut self, event: WatchEvent) {
        self.builder.apply(&self.inputs, &self.outputs, event);
    }

    pub fn rebuild(&mut self) {
        self.rebuild_in_slices(|_| ());
    }

    /// Rebuilds, and looks at what is there whenever other tasks have a turn. Returns how often they have.
    pub fn rebuild_in_slices(&mut self, look: impl Fn(&Outputs)) -> usize {
        let mut turns = 0;
        let mut context = Context::from_waker(Waker::noop());
        {
            let mut rebuild = pin!(self.builder.rebuild(&self.inputs, &self.outputs));
            while rebuild.as_mut().poll(&mut context).is_pending() {
                look(&self.outputs);
                turns += 1;
            }
        }
        self.read_requests();
        turns
    }

    fn read_requests(&mut self) {
        drop(self.builder.sweep());
        while let Ok(object) = self.clients_asked.try_recv() {
            self.enqueued.push(object.to_string());
        }
        while let Ok(object) = self.users_asked.try_recv() {
            self.enqueued_people.insert(object.name.to_string());
        }
    }

    /// The clients that were enqueued since this was asked last.
    pub fn asked(&mut self) -> Vec<String> {
        let mut asked = std::mem::take(&mut self.enqueued);
        asked.sort_unstable();
        asked
    }

    pub fn new_root_key(&mut self) {
        self.asked_all = true;
        self.inputs.root_keys.store(KnownRootKeys {
            verifying: Some(Arc::new(keyring())),
            ..KnownRootKeys::default()
        });
    }

    /// Fills in what the API server does. The UID follows from the place, unless there is one.
    pub fn stored<K: Resource>(&mut self, mut object: K, generation: i64) -> K {
        self.version += 1;
        let meta = object.meta_mut();
        let place = format!("{:?}/{:?}", meta.namespace, meta.name);
        meta.uid.get_or_insert(place);
        meta.generation = Some(generation);
        meta.resource_version = Some(self.version.to_string());
        let created = Time(jiff::Timestamp::UNIX_EPOCH);
        meta.creation_timestamp.get_or_insert(created);
        object
    }

    pub fn client(&mut self, namespace: &str, name: &str, generation: i64, spec: &Value) {
        let mut client = OAuthClient::new(name, serde_json::from_value(spec.clone()).unwrap());
        client.metadata.namespace = Some(namespace.into());
        let client = self.stored(client, generation);
        self.see(WatchEvent::Client(Box::new(Event::Apply(client))));
    }

    pub fn delete_client(&mut self, namespace: &str, name: &str) {
        let spec = serde_json::from_value(serde_json::json!({})).unwrap();
        let mut client = OAuthClient::new(name, spec);
        client.metadata.namespace = Some(namespace.into());
        let client = self.stored(client, 1);
        self.see(WatchEvent::Client(Box::new(Event::Delete(client))));
    }

    pub fn tenant(&mut self, name: &str, generation: i64, spec: &Value) {
        self.tenant_with_status(name, generation, spec, &Value::Null);
    }

    pub fn tenant_with_status(
        &mut self,
        name: &str,
        generation: i64,
        spec: &Value,
        status: &Value,
    ) {
        let mut tenant = OAuthTenant::new(name, serde_json::from_value(spec.clone()).unwrap());
        tenant.status = serde_json::from_value(status.clone()).unwrap();
        let tenant = self.stored(tenant, generation);
        self.see(WatchEvent::Tenant(Box::new(Event::Apply(tenant))));
    }

    pub fn namespace(&mut self, name: &str, team: &str) {
        let labels = [("kubernetes.io/metadata.name", name), ("team", team)];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut namespace = namespace(name);
        namespace.metadata.labels = Some(labels.into());
        self.see(WatchEvent::Namespace(Event::Apply(namespace)));
    }

    pub fn delete_namespace(&mut self, name: &str) {
        self.see(WatchEvent::Namespace(Event::Delete(namespace(name))));
    }

    pub fn user(&mut self, user: OAuthUser) {
        self.see(WatchEvent::User(Box::new(Event::Apply(user))));
    }

    /// A person as the API server stores it.
    pub fn put_user(&mut self, user: OAuthUser) {
        let user = self.stored(user, 1);
        self.user(user);
    }

    pub fn delete_user(&mut self, user: OAuthUser) {
        let user = self.stored(user, 1);
        self.see(WatchEvent::User(Box::new(Event::Delete(user))));
    }

    pub fn own_secret(&mut self, secret: Secret, there: bool) {
        let event = if there {
            Event::Apply(secret)
        } else {
            Event::Delete(secret)
        };
        self.see(WatchEvent::OwnSecret(event));
    }
}

fn namespace(name: &str) -> PartialObjectMeta<Namespace> {
    let mut namespace = PartialObjectMeta::<Namespace>::default();
    namespace.metadata.name = Some(name.into());
    namespace
}
