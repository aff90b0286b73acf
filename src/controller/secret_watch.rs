//! Watches of Secrets, of credentials and of passwords: one for the cluster, or one for each namespace where
//! somebody needs it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use tokio::task::JoinHandle;

use super::access::Access;
use super::credentials_secret::CLIENT_LABEL;
use super::observe::PAGE;
use super::settings::SecretsScope;
use super::shared::Shared;

/// How soon a namespace without rights is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// The names of the Secrets that a list has brought so far.
pub type Listed = HashSet<(String, String)>;

/// A kind of Secrets that is watched.
pub struct Watched {
    /// For people.
    pub what: &'static str,
    /// Which Secrets are of the kind.
    pub selected: fn(watcher::Config) -> watcher::Config,
    /// Where somebody needs them.
    pub namespaces: fn(&Shared) -> HashSet<String>,
    /// Takes in what a watch said; the namespace is the watch's.
    pub observe: fn(&Shared, Option<&str>, watcher::Event<Secret>, &mut Listed),
    /// Records whether they are within reach; tells whom it concerns if that changed. Whether it did.
    pub set_access: fn(&Shared, Option<&str>, Access) -> bool,
}

/// The credentials Secrets.
pub const CREDENTIALS: Watched = Watched {
    what: "credentials Secrets",
    selected: |config| config.labels(CLIENT_LABEL),
    namespaces: |shared| {
        let objects = shared.clients.state();
        objects
            .iter()
            .filter_map(|object| object.namespace())
            .collect()
    },
    observe,
    set_access: |shared, namespace, access| {
        let changed = shared.secrets.set_access(namespace, access);
        if changed {
            shared.enqueue_all(namespace);
        }
        changed
    },
};

/// Keeps the index of Secrets true, for ever.
pub async fn watch(shared: Arc<Shared>, watched: &'static Watched) {
    match shared.settings.secrets_scope {
        SecretsScope::Cluster => watch_in(shared, watched, None).await,
        SecretsScope::Namespaces => watch_each(shared, watched).await,
    }
}

/// One watch for each namespace in which somebody needs it.
async fn watch_each(shared: Arc<Shared>, watched: &'static Watched) {
    let mut running: HashMap<String, JoinHandle<()>> = HashMap::new();
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    loop {
        tick.tick().await;
        for namespace in (watched.namespaces)(&shared) {
            running.entry(namespace.clone()).or_insert_with(|| {
                tokio::spawn(watch_in(shared.clone(), watched, Some(namespace)))
            });
        }
    }
}

async fn watch_in(shared: Arc<Shared>, watched: &'static Watched, namespace: Option<String>) {
    let mut listed = HashSet::new();
    let mut events = secrets(&shared, watched, namespace.as_deref());
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => (watched.observe)(&shared, namespace.as_deref(), event, &mut listed),
            Err(error) => {
                failed(&shared, watched, namespace.as_deref(), &error);
                if is_forbidden(&error) {
                    // The stream's own backoff grows to a minute; enabling shall take effect sooner.
                    tokio::time::sleep(RETRY).await;
                    events = secrets(&shared, watched, namespace.as_deref());
                }
            }
        }
    }
}

type Events = BoxStream<'static, Result<watcher::Event<Secret>, Box<watcher::Error>>>;

fn secrets(shared: &Shared, watched: &Watched, namespace: Option<&str>) -> Events {
    let api: Api<Secret> = match namespace {
        Some(namespace) => Api::namespaced(shared.kube.clone(), namespace),
        None => Api::all(shared.kube.clone()),
    };
    let config = (watched.selected)(watcher::Config::default().page_size(PAGE));
    watcher(api, config)
        .default_backoff()
        .map_err(Box::new)
        .boxed()
}

/// Keeps digests only: a Secret is forgotten as soon as it was looked at, also while a list comes in.
fn observe(
    shared: &Shared,
    namespace: Option<&str>,
    event: watcher::Event<Secret>,
    listed: &mut Listed,
) {
    match event {
        watcher::Event::Init => listed.clear(),
        watcher::Event::InitApply(secret) => {
            listed.insert((secret.namespace().unwrap_or_default(), secret.name_any()));
            let changed = shared.secrets.put(&secret, &shared.digests);
            enqueue(shared, &secret, changed);
        }
        watcher::Event::InitDone => {
            let gone = shared.secrets.retain(namespace, listed);
            *listed = HashSet::new();
            (CREDENTIALS.set_access)(shared, namespace, Access::Granted);
            for (namespace, client) in gone {
                shared.enqueue(ObjectRef::new(&client).within(&namespace));
            }
        }
        watcher::Event::Apply(secret) => {
            enqueue(
                shared,
                &secret,
                shared.secrets.put(&secret, &shared.digests),
            );
        }
        watcher::Event::Delete(secret) => {
            enqueue(shared, &secret, shared.secrets.forget(&secret));
        }
    }
}

fn enqueue(shared: &Shared, secret: &Secret, clients: impl IntoIterator<Item = Box<str>>) {
    let namespace = secret.namespace().unwrap_or_default();
    for client in clients {
        shared.enqueue(ObjectRef::new(&client).within(&namespace));
    }
}

fn failed(shared: &Shared, watched: &Watched, namespace: Option<&str>, error: &watcher::Error) {
    shared.metrics.watch_errors.inc();
    let what = watched.what;
    if !is_forbidden(error) {
        tracing::warn!(%error, namespace, "the watch of {what} failed and is started again");
        return;
    }
    let sentence = denied(&shared.settings, namespace.unwrap_or("<namespace>"));
    if (watched.set_access)(shared, namespace, Access::Denied(sentence.clone())) {
        tracing::warn!(namespace, "{sentence}");
    }
}

/// The sentence that names the commands.
pub fn denied(settings: &super::settings::Settings, namespace: &str) -> String {
    let (own, account) = (&settings.namespace, &settings.service_account);
    format!(
        "the operator may not write Secrets in namespace {namespace}; an administrator enables it with `kubectl -n {namespace} create role clientele-secrets --verb=get,list,watch,create,update,delete --resource=secrets` and `kubectl -n {namespace} create rolebinding clientele-secrets --role=clientele-secrets --serviceaccount={own}:{account}`, or by adding the namespace to secrets.namespaces of the Helm chart"
    )
}

fn is_forbidden(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status.is_forbidden(),
        _ => false,
    }
}
