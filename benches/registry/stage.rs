//! A builder that hears of synthetic objects.

use std::sync::Arc;
use std::time::Duration;

use clientele_api::allowed_keys::AllowedKeys;
use clientele_api::{OAuthClient, OAuthTenant};
use clientele_operator::cache::namespace_access::Access;
use clientele_operator::cache::place::Place;
use clientele_operator::context::Context;
use clientele_operator::parts::Parts;
use clientele_operator::registry::builder::RegistryBuilder;
use clientele_operator::registry::{Inputs, Outputs};
use clientele_operator::settings::{SecretsScope, Settings};
use clientele_operator::watch::objects::WatchEvent;
use clientele_telemetry::audit::Audit;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::Event;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;

/// In how many namespaces the clients lie.
const NAMESPACES: usize = 1000;

/// A builder, what it reads and what it makes.
pub struct Stage {
    inputs: Inputs,
    outputs: Outputs,
    builder: RegistryBuilder,
    asked: UnboundedReceiver<Place>,
    clients: usize,
    version: u64,
    /// How often the policy of the tenant changed.
    policies: i64,
}

fn settings() -> Settings {
    Settings {
        shares_store: true,
        namespace: "clientele".into(),
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
    /// This number of clients of one tenant are listed and served.
    pub fn new(clients: usize) -> Result<Self, Box<dyn std::error::Error>> {
        // No server answers there, and none is asked.
        let config = kube::Config::new("http://127.0.0.1:1".parse()?);
        let kube = kube::Client::try_from(config)?;
        let (metrics, audit) = (Arc::default(), Arc::new(Audit::new(false)));
        let (context, _) = Context::new(kube, settings(), metrics, audit);
        let (parts, work) = Parts::new(Arc::new(context), Arc::default(), Arc::default());
        let (inputs, outputs) = parts.observed();
        inputs
            .cache
            .client_secrets
            .set_access(None, Access::Granted);
        inputs.cache.credentials.set_access(None, Access::Granted);
        let ((of_clients, tenants, users), (asked, ..)) = (work.stores, work.requests);
        let builder = RegistryBuilder::new(&inputs, of_clients, tenants, users);
        let mut stage = Self {
            inputs,
            outputs,
            builder,
            asked,
            clients,
            version: 0,
            policies: 0,
        };
        stage.list_all();
        Ok(stage)
    }

    fn list_all(&mut self) {
        for n in 0..NAMESPACES {
            let mut namespace = PartialObjectMeta::<Namespace>::default();
            namespace.metadata.name = Some(format!("team-{n}"));
            self.see(WatchEvent::Namespace(Event::InitApply(namespace)));
        }
        self.see(WatchEvent::Namespace(Event::InitDone));
        self.see(WatchEvent::OwnSecret(Event::InitDone));
        self.see(WatchEvent::User(Box::new(Event::InitDone)));
        let tenant = self.tenant();
        self.see(WatchEvent::Tenant(Box::new(Event::InitApply(tenant))));
        self.see(WatchEvent::Tenant(Box::new(Event::InitDone)));
        self.relist();
    }

    fn see(&mut self, event: WatchEvent) {
        self.builder.apply(&self.inputs, &self.outputs, event);
    }

    fn rebuild(&mut self) {
        let rebuild = self.builder.rebuild(&self.inputs, &self.outputs);
        Handle::current().block_on(rebuild);
        drop(self.builder.sweep());
        while self.asked.try_recv().is_ok() {}
    }

    fn tenant(&mut self) -> OAuthTenant {
        self.version += 1;
        let minutes = 5 + self.policies % 50;
        let spec = json!({ "lifetimes": { "default": { "accessToken": format!("{minutes}m") } } });
        let spec = serde_json::from_value(spec).expect("it is a spec");
        let mut tenant = OAuthTenant::new("default", spec);
        tenant.metadata.uid = Some("uid-of-the-tenant".into());
        tenant.metadata.generation = Some(1 + self.policies);
        tenant.metadata.resource_version = Some(self.version.to_string());
        tenant
    }

    fn client(&mut self, n: usize, generation: i64) -> OAuthClient {
        self.version += 1;
        let (name, host) = (format!("client-{n}"), format!("https://{n}.apps.example"));
        let spec = json!({
            "displayName": format!("Client {n}, version {generation}"),
            "redirectUris": [format!("{host}/callback")],
            "allowedOrigins": [host],
        });
        let spec = serde_json::from_value(spec).expect("it is a spec");
        let mut client = OAuthClient::new(&name, spec);
        client.metadata.namespace = Some(format!("team-{}", n % NAMESPACES));
        client.metadata.uid = Some(format!("0f8fad5b-d9cb-469f-a165-{n:012}"));
        client.metadata.generation = Some(generation);
        client.metadata.resource_version = Some(self.version.to_string());
        client
    }

    /// Another spec.
    pub fn edit(&mut self, n: usize, time: usize) {
        let generation = i64::try_from(time).unwrap_or(i64::MAX).saturating_add(2);
        let client = self.client(n, generation);
        self.see(WatchEvent::Client(Box::new(Event::Apply(client))));
        self.rebuild();
    }

    /// Another version of the same spec.
    pub fn write_status(&mut self, n: usize) {
        let client = self.client(n, 1);
        self.see(WatchEvent::Client(Box::new(Event::Apply(client))));
        self.rebuild();
    }

    /// A client that is new.
    pub fn make(&mut self, n: usize) {
        self.write_status(n);
    }

    /// A client that goes.
    pub fn delete(&mut self, n: usize) {
        let client = self.client(n, 1);
        self.see(WatchEvent::Client(Box::new(Event::Delete(client))));
        self.rebuild();
    }

    /// Another version of the same tenant.
    pub fn write_tenant_status(&mut self) {
        let tenant = self.tenant();
        self.see(WatchEvent::Tenant(Box::new(Event::Apply(tenant))));
        self.rebuild();
    }

    /// Another lifetime for every client. Returns how long the longest step was.
    pub fn change_policy(&mut self) -> Duration {
        self.policies += 1;
        let tenant = self.tenant();
        self.see(WatchEvent::Tenant(Box::new(Event::Apply(tenant))));
        self.rebuild();
        self.builder.longest_step()
    }

    /// A list of all, each in another version.
    pub fn relist(&mut self) {
        self.see(WatchEvent::Client(Box::new(Event::Init)));
        for n in 0..self.clients {
            let client = self.client(n, 1);
            self.see(WatchEvent::Client(Box::new(Event::InitApply(client))));
        }
        self.see(WatchEvent::Client(Box::new(Event::InitDone)));
        self.rebuild();
    }
}
