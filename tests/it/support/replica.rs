//! The Kubernetes side in this process, beside the operator: a second replica whose registry can be looked into.

use std::sync::Arc;

use arc_swap::ArcSwap;
use clientele_oauth::{Registry, Tenant, User};
use clientele_operator::Operator;
use clientele_operator::metrics::OperatorMetrics;
use clientele_operator::settings::{SecretsScope, Settings};
use clientele_telemetry::supervisor::Supervisor;
use tokio_util::sync::CancellationToken;

use super::cluster::shared;
use super::person;
use super::test_namespace::eventually;

/// A replica that runs on the runtime of the test.
pub struct Replica {
    registry: Arc<ArcSwap<Registry>>,
    operator: Operator,
}

impl Replica {
    /// Starts it beside the shared operator and waits until it could serve.
    pub async fn start() -> Self {
        let shared = tokio::task::spawn_blocking(shared).await.unwrap();
        let registry: Arc<ArcSwap<Registry>> = Arc::default();
        let settings = Settings {
            namespace: "clientele-system".into(),
            service_account: "clientele".into(),
            public_url: shared.operator.issuer.clone(),
            secrets_scope: SecretsScope::Cluster,
            root_key_secret: "clientele-root-key".into(),
            root_key_grace: std::time::Duration::from_hours(24),
            workers: 4,
            write_burst: 20,
            publish_ahead: std::time::Duration::from_mins(15),
            lease: None,
            shares_store: false,
            allowed_keys: Arc::default(),
            bootstrap: true,
            dashboard_url: None,
        };
        // It only observes: if it wrote as well, an object could be Ready before the shared operator has seen it.
        let no_passes = CancellationToken::new();
        no_passes.cancel();
        let operator = Operator::start(
            person::operator(&shared.cluster).await,
            settings,
            registry.clone(),
            Arc::default(),
            Arc::new(OperatorMetrics::default()),
            Arc::default(),
            &Supervisor::new(&no_passes),
        );
        let ready = operator.readiness();
        eventually("the replica is ready", || async { ready() }).await;
        Self { registry, operator }
    }

    /// A tenant as this replica serves it.
    pub fn tenant(&self, name: &str) -> Arc<Tenant> {
        self.registry.load().tenants[name].clone()
    }

    /// A person as this replica serves them.
    pub fn person(&self, tenant: &str, username: &str) -> Option<Arc<User>> {
        let registry = self.registry.load();
        let tenant = registry.tenants.get(tenant)?;
        tenant.users.by_username(username).cloned()
    }

    /// Waits until this replica serves a person as wanted.
    pub async fn wait_person(
        &self,
        tenant: &str,
        username: &str,
        what: &str,
        wanted: impl Fn(Option<&User>) -> bool,
    ) -> Option<Arc<User>> {
        eventually(what, || async {
            let person = self.person(tenant, username);
            if wanted(person.as_deref()) {
                Ok(person)
            } else {
                Err(format!("{person:?}"))
            }
        })
        .await
    }

    /// Ends it.
    pub async fn stop(self) {
        self.operator.stop().await;
    }
}
