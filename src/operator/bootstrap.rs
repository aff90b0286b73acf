//! The tenant `default`, its first client, and the client of the dashboard: made once per installation. Deleting them sticks.

pub mod dashboard_client;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use clientele_api::tenant::{NamespacePolicy, Users};
use clientele_api::{DEFAULT_TENANT, OAuthClient, OAuthClientSpec, OAuthTenant, OAuthTenantSpec};
use clientele_oauth::Registry;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::Api;

use super::error::Error;
use super::root_key::installation::{read_marks, write_marks};
use crate::apply::params;
use crate::cache::Cache;
use crate::cache::leadership::Leader;
use crate::cache::place::Place;
use crate::cache::progress::Readiness;
use crate::cache::verdicts::Verdicts;
use crate::cache::work_queues::WorkQueues;
use crate::context::Context;
use crate::root_key::installation::MARK;

/// The label by which the tenant `default` selects the namespaces of its people; the value is the tenant's name.
pub const USERS_LABEL: &str = "clientele.dev/users";
/// The name of the first client, in the operator's namespace.
pub const FIRST_CLIENT: &str = "clientele";

/// The longest wait for the keys of the tenant `default`.
const FIRST_KEYS: Duration = Duration::from_secs(30);

/// How soon a failed try is repeated.
const RETRY: Duration = Duration::from_secs(3);
/// How often it is looked whether another replica is done.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What the bootstrap needs.
pub struct Bootstrap {
    /// The connection and the settings.
    pub context: Arc<Context>,
    /// What is known of the cluster.
    pub cache: Arc<Cache>,
    /// Whether this replica writes.
    pub leader: Arc<Leader>,
    /// Where it is recorded.
    pub readiness: Arc<Readiness>,
    /// Where what waited for the tenant is reconciled again.
    pub queues: Arc<WorkQueues>,
    /// What the registry says about each object.
    pub verdicts: Arc<Verdicts>,
    /// The registry that the server reads.
    pub registry: Arc<ArcSwap<Registry>>,
}

/// Makes them, unless the mark says that it was done before. Tries until it is done.
pub async fn bootstrap(shared: Bootstrap) {
    if shared.context.settings.bootstrap {
        loop {
            let pause = match try_bootstrap(&shared).await {
                Ok(true) => break,
                Ok(false) => LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(%error, "could not create the tenant `default`, will retry");
                    RETRY
                }
            };
            tokio::time::sleep(pause).await;
        }
        // Keys take a while to find; a client that is judged before would be written twice.
        let _ = tokio::time::timeout(FIRST_KEYS, served(&shared)).await;
    }
    shared.readiness.note(|progress| progress.bootstrap = true);
    enqueue_those_without_tenant(&shared);
    dashboard_client::bootstrap(&shared).await;
}

/// Those whose tenant does not exist were not told so before. All others were reconciled.
fn enqueue_those_without_tenant(shared: &Bootstrap) {
    let Verdicts { clients, users, .. } = &*shared.verdicts;
    for verdict in clients.all().iter().filter(|it| it.tenant.is_none()) {
        shared
            .queues
            .clients
            .enqueue(Place::of_kept(&verdict.object));
    }
    for verdict in users.all().iter().filter(|it| it.tenant.is_none()) {
        shared.queues.users.enqueue(Place::of_kept(&verdict.object));
    }
}

/// Until the tenant `default` can issue tokens, or is known not to be there any more.
async fn served(shared: &Bootstrap) {
    let waits = || {
        let registry = shared.registry.load();
        let tenant = registry.tenants.get(DEFAULT_TENANT);
        let made_now = shared
            .cache
            .tenants
            .get(&Place::of_cluster(DEFAULT_TENANT))
            .is_some();
        match tenant {
            Some(tenant) => tenant.signing_keys.is_none(),
            None => made_now || !shared.readiness.progress().registry,
        }
    };
    while waits() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether it is done. It is not where another replica is to do it.
async fn try_bootstrap(shared: &Bootstrap) -> Result<bool, Error> {
    const DOING: &str = "create the tenant `default` and its first client";
    if read_marks(&shared.context).await?.contains_key(MARK.0) {
        shared.readiness.set_bootstrapped();
        return Ok(true);
    }
    if !shared.leader.is_ours() {
        return Ok(false);
    }
    let namespace = &shared.context.settings.namespace;
    let tenants: Api<OAuthTenant> = Api::all(shared.context.kube.clone());
    create(&tenants, &default_tenant(namespace), DOING).await?;
    let clients: Api<OAuthClient> = Api::namespaced(shared.context.kube.clone(), namespace);
    create(&clients, &first_client(), DOING).await?;
    // After a crash before this mark both are tried again, and a create that finds them is no harm.
    write_marks(
        &shared.context,
        [(MARK.0.to_owned(), MARK.1.to_owned())].into(),
    )
    .await?;
    shared.readiness.set_bootstrapped();
    Ok(true)
}

/// Creates an object, unless there is one of its name, which stays as it is.
async fn create<K>(api: &Api<K>, object: &K, doing: &'static str) -> Result<(), Error>
where
    K: kube::Resource + Clone + serde::Serialize + serde::de::DeserializeOwned + std::fmt::Debug,
{
    match api.create(&params(), object).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        Err(error) => Err(Error::api(doing)(error)),
    }
}

/// The default tenant admits every namespace; only the operator's own may have first-party clients. Its people are
/// those of namespaces that an administrator labels so.
fn default_tenant(namespace: &str) -> OAuthTenant {
    let own = labelled("kubernetes.io/metadata.name", namespace);
    OAuthTenant::new(
        DEFAULT_TENANT,
        OAuthTenantSpec {
            first_party: Some(NamespacePolicy { namespaces: own }),
            users: Some(Users {
                namespaces: Some(labelled(USERS_LABEL, DEFAULT_TENANT)),
                ..Users::default()
            }),
            ..OAuthTenantSpec::default()
        },
    )
}

fn labelled(label: &str, value: &str) -> LabelSelector {
    LabelSelector {
        match_labels: Some([(label.to_owned(), value.to_owned())].into()),
        match_expressions: None,
    }
}

fn first_client() -> OAuthClient {
    OAuthClient::new(
        FIRST_CLIENT,
        OAuthClientSpec {
            display_name: Some("Clientele".to_owned()),
            tenant: DEFAULT_TENANT.to_owned(),
            first_party: true,
            ..OAuthClientSpec::default()
        },
    )
}
