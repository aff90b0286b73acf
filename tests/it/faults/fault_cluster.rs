//! The control plane under all exhaustive runs: the chart installed, root key and first tenant made, and at rest.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use clientele_api::OAuthClient;
use clientele_oauth::Keyring;
use clientele_operator::Operator;
use clientele_operator::metrics::OperatorMetrics;
use clientele_operator::root_key::judge::{RootKeyJudgement, judge};
use clientele_operator::root_key::rotate::Place;
use clientele_operator::settings::{SecretsScope, Settings};
use clientele_telemetry::supervisor::Supervisor;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::config::Kubeconfig;

use super::wire::Wire;
use crate::support::cluster::Cluster;
use crate::support::test_namespace::{condition, eventually};

/// The namespace of the operator.
pub const OWN: &str = "clientele-system";
/// The Secret with the root keys of all runs that have none of their own.
pub const ROOT_KEY: &str = "clientele-root-key";

/// The control plane.
pub struct FaultCluster {
    _cluster: Cluster,
    /// The token of the chart's ServiceAccount.
    pub operator: String,
    /// The token of an administrator.
    pub administrator: String,
    /// The root key, to judge with.
    pub keyring: Keyring,
    /// The private values that no log may have: the root key.
    pub root_key: Secret,
    /// The signing keys of the tenant `default`, to save other tenants the search for primes.
    pub signing: Secret,
    server: String,
    authority: Vec<u8>,
}

impl FaultCluster {
    /// The one of these runs; the first test that asks starts it.
    pub async fn shared() -> &'static Self {
        static CLUSTER: OnceLock<FaultCluster> = OnceLock::new();
        let start = || CLUSTER.get_or_init(|| Self::start(Cluster::with_chart(&[])));
        tokio::task::spawn_blocking(start).await.unwrap()
    }

    fn start(cluster: Cluster) -> Self {
        let config = Kubeconfig::read_from(&cluster.kubeconfig).unwrap();
        let server = config.clusters[0].cluster.clone().unwrap();
        let authority = server.certificate_authority_data.clone();
        let authority = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            authority.expect("the kubeconfig has the authority in it"),
        );
        let (server, authority) = (server.server.unwrap(), authority.unwrap());
        let (operator, administrator) = (token(&cluster, "clientele"), administrator(&cluster));
        let wire = Wire::new(&server, &authority);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let kube = || wire.client(&administrator);
        let (root_key, signing) = runtime.block_on(async {
            first_start(wire.client(&operator), kube()).await;
            let secrets: Api<Secret> = Api::namespaced(kube(), OWN);
            (
                secrets.get(ROOT_KEY).await.unwrap(),
                secrets.get("clientele-signing-default").await.unwrap(),
            )
        });
        let place = Place {
            namespace: OWN,
            name: ROOT_KEY,
        };
        let judged = judge(place, Some(&root_key), &[].into(), true);
        let RootKeyJudgement::Usable(keyring, _) = judged else {
            panic!("the root key is not usable");
        };
        Self {
            _cluster: cluster,
            operator,
            administrator,
            keyring,
            root_key,
            signing,
            server,
            authority,
        }
    }

    /// A connection of one's own.
    pub fn wire(&self) -> Wire {
        Wire::new(&self.server, &self.authority)
    }
}

fn token(cluster: &Cluster, account: &str) -> String {
    let arguments = ["create", "token", account, "-n", OWN, "--duration", "10h"];
    let token = cluster.kubectl(&arguments).unwrap();
    token.trim().to_owned()
}

fn administrator(cluster: &Cluster) -> String {
    let account = ["create", "serviceaccount", "administrator", "-n", OWN];
    cluster.kubectl(&account).unwrap();
    let subject = format!("--serviceaccount={OWN}:administrator");
    let role = "--clusterrole=cluster-admin";
    let binding = [
        "create",
        "clusterrolebinding",
        "administrator",
        role,
        &subject,
    ];
    cluster.kubectl(&binding).unwrap();
    token(cluster, "administrator")
}

/// The settings of every operator of the exhaustive runs.
pub fn settings(bootstrap: bool, root_key: &str) -> Settings {
    Settings {
        namespace: OWN.into(),
        service_account: "clientele".into(),
        public_url: "http://127.0.0.1:1".into(),
        secrets_scope: SecretsScope::Cluster,
        root_key_secret: root_key.into(),
        workers: 4,
        // Who never comes to rest shall be seen.
        write_burst: 10_000,
        publish_ahead: Duration::from_mins(15),
        lease: None,
        shares_store: false,
        root_key_grace: Duration::from_secs(1),
        allowed_keys: Arc::default(),
        bootstrap,
        dashboard_url: None,
    }
}

/// Makes what is made once per installation.
async fn first_start(operator: kube::Client, administrator: kube::Client) {
    let operator = Operator::start(
        operator,
        settings(true, ROOT_KEY),
        Arc::<ArcSwap<_>>::default(),
        Arc::default(),
        Arc::new(OperatorMetrics::default()),
        Arc::default(),
        &Supervisor::default(),
    );
    let ready = operator.readiness();
    eventually("the first operator is ready", || async { ready() }).await;
    let clients: Api<OAuthClient> = Api::namespaced(administrator, OWN);
    eventually("the first client is ready", || async {
        let client = clients.get("clientele").await.map_err(|e| e.to_string())?;
        let ready = condition(&client, "Ready").is_some_and(|(status, _)| status == "True");
        ready.then_some(()).ok_or(format!("{:?}", client.status))
    })
    .await;
    operator.stop().await;
}
