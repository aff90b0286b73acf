//! A namespace of one's own, and what tests do in it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use clientele_api::{OAuthClient, OAuthTenant};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Resource, ResourceExt};
use serde_json::{Value, json};

use super::cluster::{Cluster, SharedCluster, shared};

/// A condition in a cluster that does not come true within this has failed. Long enough for a machine that does ten things
/// at once.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Between two looks at a condition.
pub const BREATH: Duration = Duration::from_millis(20);

/// A namespace of one test.
pub struct TestNamespace {
    /// A connection as administrator.
    pub kube: kube::Client,
    /// The name of the namespace.
    pub name: String,
    /// The issuer of the tenant `default`.
    pub issuer: String,
}

impl TestNamespace {
    /// A new namespace in the shared cluster.
    pub async fn new(prefix: &str) -> Self {
        // Starting the cluster blocks; a runtime must not.
        let shared: &'static SharedCluster = tokio::task::spawn_blocking(shared).await.unwrap();
        Self::within(&shared.cluster, &shared.operator.issuer, prefix).await
    }

    /// A new namespace in a cluster of one's own.
    pub async fn within(cluster: &Cluster, issuer: &str, prefix: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let kube = cluster.kube().await;
        let name = format!("{prefix}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let namespaces: Api<Namespace> = Api::all(kube.clone());
        let namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
        namespaces
            .create(&PostParams::default(), &namespace)
            .await
            .unwrap();
        Self {
            kube,
            name,
            issuer: issuer.to_owned(),
        }
    }

    /// The OAuthClients of the namespace.
    pub fn clients(&self) -> Api<OAuthClient> {
        Api::namespaced(self.kube.clone(), &self.name)
    }

    /// The Secrets of the namespace.
    pub fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.kube.clone(), &self.name)
    }

    /// All tenants.
    pub fn tenants(&self) -> Api<OAuthTenant> {
        Api::all(self.kube.clone())
    }

    /// Creates an OAuthClient.
    pub async fn create(&self, name: &str, spec: Value) -> OAuthClient {
        self.try_create(name, spec).await.unwrap()
    }

    /// Creates an OAuthClient, or says why the API server refused it.
    pub async fn try_create(&self, name: &str, spec: Value) -> Result<OAuthClient, String> {
        let object = json!({
            "apiVersion": "clientele.dev/v1alpha1",
            "kind": "OAuthClient",
            "metadata": { "name": name, "namespace": self.name },
            "spec": spec,
        });
        create_raw::<OAuthClient>(
            &self.kube,
            &format!(
                "/apis/clientele.dev/v1alpha1/namespaces/{}/oauthclients",
                self.name
            ),
            &object,
        )
        .await
    }

    /// Creates an OAuthTenant, or says why the API server refused it.
    pub async fn try_create_tenant(&self, name: &str, spec: Value) -> Result<OAuthTenant, String> {
        let object = json!({
            "apiVersion": "clientele.dev/v1alpha1",
            "kind": "OAuthTenant",
            "metadata": { "name": name },
            "spec": spec,
        });
        create_raw::<OAuthTenant>(
            &self.kube,
            "/apis/clientele.dev/v1alpha1/oauthtenants",
            &object,
        )
        .await
    }

    /// Changes an OAuthClient by a merge patch.
    pub async fn patch(&self, name: &str, patch: Value) -> OAuthClient {
        self.clients()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap()
    }

    /// Creates an OAuthClient and waits until it is ready.
    pub async fn ready(&self, name: &str, spec: Value) -> OAuthClient {
        self.create(name, spec).await;
        self.wait_ready(name).await
    }

    /// Waits until the client that every installation comes with is ready: then nothing of the first start is to come.
    pub async fn is_settled(&self) {
        let own = Self {
            kube: self.kube.clone(),
            name: "clientele-system".to_owned(),
            issuer: self.issuer.clone(),
        };
        own.wait_ready("clientele").await;
    }

    /// Waits until an OAuthClient is ready in its present generation.
    pub async fn wait_ready(&self, name: &str) -> OAuthClient {
        self.wait_client(name, "Ready=True", is_ready).await
    }

    /// The OAuthClient, if it is ready in its present generation.
    pub async fn is_ready(&self, name: &str) -> Result<OAuthClient, String> {
        self.look(name, is_ready).await
    }

    /// Waits until an OAuthClient is refused for this reason in its present generation; returns the message.
    pub async fn wait_refused(&self, name: &str, reason: &str) -> String {
        let object = eventually(reason, || self.is_refused(name, reason)).await;
        message(&object)
    }

    /// The OAuthClient, if it is refused for this reason in its present generation.
    pub async fn is_refused(&self, name: &str, reason: &str) -> Result<OAuthClient, String> {
        let refused = ("False".into(), reason.into());
        self.look(name, |object| {
            condition(object, "Ready").as_ref() == Some(&refused)
        })
        .await
    }

    /// Waits until an OAuthClient, in its present generation, is as wanted.
    pub async fn wait_client(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&OAuthClient) -> bool,
    ) -> OAuthClient {
        eventually(what, || self.look(name, &wanted)).await
    }

    /// The OAuthClient, if it is as wanted in its present generation.
    async fn look(
        &self,
        name: &str,
        wanted: impl Fn(&OAuthClient) -> bool,
    ) -> Result<OAuthClient, String> {
        let object = self
            .clients()
            .get(name)
            .await
            .map_err(|error| error.to_string())?;
        let observed = object
            .status
            .as_ref()
            .and_then(|status| status.observed_generation);
        if observed == object.meta().generation && wanted(&object) {
            return Ok(object);
        }
        Err(format!("{:?}", object.status))
    }

    /// The entries of a Secret as text.
    pub async fn entries(&self, name: &str) -> BTreeMap<String, String> {
        entries(&self.secrets().get(name).await.unwrap())
    }

    /// Whether there is a Secret of this name.
    pub async fn has_secret(&self, name: &str) -> bool {
        self.secrets().get_opt(name).await.unwrap().is_some()
    }

    /// Waits until a Secret is as wanted.
    pub async fn wait_secret(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&Secret) -> bool,
    ) -> Secret {
        eventually(what, || async {
            match self
                .secrets()
                .get_opt(name)
                .await
                .map_err(|error| error.to_string())?
            {
                Some(secret) if wanted(&secret) => Ok(secret),
                other => Err(format!("{:?}", other.map(|secret| secret.metadata))),
            }
        })
        .await
    }

    /// Asks the token endpoint of an issuer for a token; returns status code and body.
    pub async fn token_from(
        &self,
        issuer: &str,
        id: &str,
        secret: &str,
        parameters: &[(&str, &str)],
    ) -> (u16, Value) {
        let form: Vec<(&str, &str)> = [("grant_type", "client_credentials")]
            .into_iter()
            .chain(parameters.iter().copied())
            .collect();
        let answer = http()
            .post(format!("{issuer}/token"))
            .basic_auth(id, Some(secret))
            .form(&form)
            .send()
            .await
            .unwrap();
        (
            answer.status().as_u16(),
            answer.json().await.unwrap_or_default(),
        )
    }

    /// Asks for a token with the credentials of a Secret.
    pub async fn token(&self, secret: &str) -> (u16, Value) {
        let entries = self.entries(secret).await;
        self.token_from(
            &entries["ISSUER"],
            &entries["CLIENT_ID"],
            &entries["CLIENT_SECRET"],
            &[],
        )
        .await
    }

    /// Deletes an OAuthClient and waits for the end of it.
    pub async fn delete(&self, name: &str) {
        self.clients()
            .delete(name, &DeleteParams::default())
            .await
            .unwrap();
        eventually("the OAuthClient was deleted", || async {
            match self.clients().get_opt(name).await {
                Ok(None) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
}

/// An HTTP client that others wrote.
pub fn http() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(DEADLINE)
        .build()
        .unwrap()
}

/// The same, and it goes nowhere by itself.
pub fn http_without_redirects() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(DEADLINE)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// Sends an object as it is, unknown fields and all, as kubectl does with strict validation.
pub async fn create_raw<K: serde::de::DeserializeOwned>(
    kube: &kube::Client,
    path: &str,
    object: &Value,
) -> Result<K, String> {
    post_raw(kube, path, "", object).await
}

/// Says whether the API server would create the object, and why not.
pub async fn dry_run_raw(kube: &kube::Client, path: &str, object: &Value) -> Result<(), String> {
    let created = post_raw::<Value>(kube, path, "&dryRun=All", object).await;
    created.map(drop)
}

async fn post_raw<K: serde::de::DeserializeOwned>(
    kube: &kube::Client,
    path: &str,
    more: &str,
    object: &Value,
) -> Result<K, String> {
    let request = http_request(
        &format!("{path}?fieldValidation=Strict&fieldManager=tests{more}"),
        object,
    );
    kube.request(request).await.map_err(|error| match error {
        kube::Error::Api(status) => status.message.clone(),
        other => panic!("the API server did not answer: {other}"),
    })
}

fn http_request(path: &str, object: &Value) -> axum::http::Request<Vec<u8>> {
    axum::http::Request::post(path)
        .header("content-type", "application/json")
        .body(serde_json::to_vec(object).unwrap())
        .unwrap()
}

/// Looks until it succeeds; after the deadline says what it last saw.
pub async fn eventually<T, F>(what: &str, look: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, String>>,
{
    eventually_within(DEADLINE, what, look).await
}

/// The same with a deadline of one's own, for what waits for a backoff.
pub async fn eventually_within<T, F>(within: Duration, what: &str, look: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, String>>,
{
    let deadline = Instant::now() + within;
    loop {
        match look().await {
            Ok(seen) => return seen,
            Err(last) => assert!(
                Instant::now() < deadline,
                "never came true: {what}; last seen: {last}"
            ),
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// The same for what is promised within a time. It is promised of a machine that does nothing else: the promise is broken
/// when the time is over, and it was looked as often as such a machine would have.
pub async fn promptly<T, F>(within: Duration, what: &str, look: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, String>>,
{
    let (began, most) = (Instant::now(), within.div_duration_f64(BREATH));
    let mut looks = 0.0;
    loop {
        match look().await {
            Ok(seen) => return seen,
            Err(last) => assert!(
                began.elapsed() < within || looks < most,
                "not within {within:?}: {what}; last seen: {last}"
            ),
        }
        looks += 1.0;
        tokio::time::sleep(BREATH).await;
    }
}

/// `Ok` when it is so, otherwise what was seen.
pub fn when<T>(so: bool, value: T, seen: impl FnOnce() -> String) -> Result<T, String> {
    if so { Ok(value) } else { Err(seen()) }
}

/// Status and reason of a condition.
pub fn condition(object: &OAuthClient, kind: &str) -> Option<(String, String)> {
    let conditions = &object.status.as_ref()?.conditions;
    conditions
        .iter()
        .find(|c| c.type_ == kind)
        .map(|c| (c.status.to_string(), c.reason.to_string()))
}

/// Whether it works as it is registered.
fn is_ready(object: &OAuthClient) -> bool {
    condition(object, "Ready") == Some(("True".into(), "Registered".into()))
}

/// The message of Ready.
pub fn message(object: &OAuthClient) -> String {
    let conditions = object.status.iter().flat_map(|status| &status.conditions);
    conditions
        .into_iter()
        .find(|c| c.type_ == "Ready")
        .map(|c| c.message.to_string())
        .unwrap_or_default()
}

/// The entries of a Secret as text.
pub fn entries(secret: &Secret) -> BTreeMap<String, String> {
    let data = secret.data.clone().unwrap_or_default();
    data.into_iter()
        .map(|(name, value)| (name, String::from_utf8(value.0).unwrap()))
        .collect()
}

/// A Secret without what the API server counts: what must stay byte-equal.
pub fn content<K: Resource + Clone + Debug>(object: &K) -> K {
    let mut content = object.clone();
    content.meta_mut().managed_fields = None;
    content.meta_mut().resource_version = None;
    let _ = content.name_any();
    content
}
