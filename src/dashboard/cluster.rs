//! The API server, with the rights of one person: reads and writes of single objects, lists as tables, access reviews.

mod path;
mod refusal;
pub mod table;

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, Request};
use kube::Client;
use serde_json::{Value, json};

use crate::problem::Problem;
use path::Path;
use refusal::{problem, silent, untrusted};

pub use refusal::Trusted;

/// An API server gives up after 60 seconds. A connection that was cut without a word never answers, and the client of
/// Kubernetes waits for it without end.
const PATIENCE: Duration = Duration::from_secs(65);

/// The most pages of 500 objects that [`Cluster::each`] reads.
const MOST_PAGES: usize = 100;

/// The manager of fields that the dashboard writes.
pub const MANAGER: &str = "clientele-dashboard";

/// A kind of object that the dashboard reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `OAuthClient`
    Client,
    /// `OAuthTenant`, which has no namespace.
    Tenant,
    /// `OAuthUser`
    User,
    /// `Secret`
    Secret,
    /// `Event`
    Event,
    /// `Pod`
    Pod,
    /// `Namespace`
    Namespace,
    /// `ConfigMap`
    ConfigMap,
}

impl Kind {
    /// The kind as paths and access reviews write it.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Client => "oauthclients",
            Self::Tenant => "oauthtenants",
            Self::User => "oauthusers",
            Self::Secret => "secrets",
            Self::Event => "events",
            Self::Pod => "pods",
            Self::Namespace => "namespaces",
            Self::ConfigMap => "configmaps",
        }
    }

    /// The API group; empty for the core group.
    pub const fn group(self) -> &'static str {
        match self {
            Self::Client | Self::Tenant | Self::User => clientele_api::GROUP,
            Self::Secret | Self::Event | Self::Pod | Self::Namespace | Self::ConfigMap => "",
        }
    }

    /// Whether its objects are in namespaces.
    pub const fn namespaced(self) -> bool {
        !matches!(self, Self::Tenant | Self::Namespace)
    }
}

/// Whether a write is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is stored.
    Store,
    /// The API server judges it (admission included) and stores nothing.
    DryRun,
}

/// A connection to the API server as one person.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    server: String,
    patience: Duration,
    /// Whose ID token the credentials are.
    trusted: Option<Arc<Trusted>>,
}

impl Cluster {
    /// `server` is the address of the API server, for messages.
    pub fn new(client: Client, server: impl Into<String>) -> Self {
        Self {
            client,
            server: server.into(),
            patience: PATIENCE,
            trusted: None,
        }
    }

    /// The same by an ID token, so that its refusal is explained.
    pub fn trusting(mut self, trusted: Trusted) -> Self {
        self.trusted = Some(Arc::new(trusted));
        self
    }

    /// One object. `namespace` is ignored for kinds without namespaces, here and below.
    pub async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Value, Problem> {
        let path = Path::object(kind, namespace, name)?;
        let doing = format!("get {}", path.what());
        self.send(Method::GET, &path.to_string(), None, &doing)
            .await
    }

    /// Every object of a kind in a namespace, or in all.
    ///
    /// `select` is appended to the query, such as `fieldSelector=involvedObject.uid%3D…`; the caller encodes it.
    pub async fn list(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        select: &str,
    ) -> Result<Vec<Value>, Problem> {
        let (items, _) = self.first(kind, namespace, select).await?;
        Ok(items)
    }

    /// The same where `select` has a limit: the first objects, and whether there are more.
    pub async fn first(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        select: &str,
    ) -> Result<(Vec<Value>, bool), Problem> {
        let path = Path::collection(kind, namespace)?;
        let doing = format!("list {}", path.what());
        let uri = format!("{path}?{select}");
        Ok(items(self.send(Method::GET, &uri, None, &doing).await?))
    }

    /// Looks at every object of a kind in all namespaces, a page of them at a time. Whether there are no more.
    pub async fn each(&self, kind: Kind, mut look: impl FnMut(&Value)) -> Result<bool, Problem> {
        let path = Path::collection(kind, None)?;
        let doing = format!("list {}", path.what());
        let mut next = String::new();
        for _ in 0..MOST_PAGES {
            let uri = format!("{path}?limit=500&continue={next}");
            let list = self.send(Method::GET, &uri, None, &doing).await?;
            list["items"]
                .as_array()
                .into_iter()
                .flatten()
                .for_each(&mut look);
            let more = list["metadata"]["continue"].as_str().unwrap_or_default();
            if more.is_empty() {
                return Ok(true);
            }
            next = url::form_urlencoded::byte_serialize(more.as_bytes()).collect();
        }
        Ok(false)
    }

    /// Creates an object. A field that the schema does not know is a 400.
    pub async fn create(
        &self,
        kind: Kind,
        namespace: &str,
        object: &Value,
        mode: Mode,
    ) -> Result<Value, Problem> {
        let path = Path::collection(kind, Some(namespace))?;
        let doing = format!("create {}", path.what());
        let uri = format!("{path}?{}", write(mode));
        self.send(Method::POST, &uri, Some((JSON, object)), &doing)
            .await
    }

    /// Replaces an object. `metadata.resourceVersion` of `object` is the precondition: 409 if it changed meanwhile.
    pub async fn replace(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        object: &Value,
        mode: Mode,
    ) -> Result<Value, Problem> {
        let path = Path::object(kind, namespace, name)?;
        let doing = format!("update {}", path.what());
        let uri = format!("{path}?{}", write(mode));
        self.send(Method::PUT, &uri, Some((JSON, object)), &doing)
            .await
    }

    /// Changes an object by a JSON merge patch. With `metadata.resourceVersion` in it the patch has a precondition.
    pub async fn patch(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        change: &Value,
        mode: Mode,
    ) -> Result<Value, Problem> {
        let path = Path::object(kind, namespace, name)?;
        let doing = format!("patch {}", path.what());
        let uri = format!("{path}?{}", write(mode));
        self.send(Method::PATCH, &uri, Some((MERGE, change)), &doing)
            .await
    }

    /// Deletes the object of this UID: one that was created meanwhile under the same name stays (409).
    pub async fn delete(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        uid: &str,
        mode: Mode,
    ) -> Result<(), Problem> {
        let path = Path::object(kind, namespace, name)?;
        let doing = format!("delete {}", path.what());
        let mut options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid },
        });
        if mode == Mode::DryRun {
            options["dryRun"] = json!(["All"]);
        }
        let path = path.to_string();
        self.send(Method::DELETE, &path, Some((JSON, &options)), &doing)
            .await
            .map(drop)
    }

    /// Whether the person may do this: `verb` as in RBAC; `namespace` `None` means in all namespaces.
    /// An API server that does not answer means no.
    pub async fn may(&self, verb: &str, kind: Kind, namespace: Option<&str>, name: &str) -> bool {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": {
                "verb": verb, "group": kind.group(), "resource": kind.plural(),
                "namespace": namespace.unwrap_or_default(), "name": name,
            } },
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let answer = self
            .send(Method::POST, path, Some((JSON, &review)), "review access")
            .await;
        answer.is_ok_and(|answer| answer["status"]["allowed"] == true)
    }

    async fn send(
        &self,
        method: Method,
        uri: &str,
        body: Option<(&str, &Value)>,
        doing: &str,
    ) -> Result<Value, Problem> {
        let mut request = Request::builder().method(method).uri(uri);
        let mut bytes = Vec::new();
        if let Some((kind, value)) = body {
            request = request.header("content-type", kind);
            bytes = value.to_string().into_bytes();
        }
        let request = request.body(bytes).map_err(|error| {
            Problem::bad_request(
                format!("The address {uri} cannot be requested: {error}."),
                "Correct the name.",
            )
        })?;
        self.in_time(self.client.request(request), doing).await
    }

    /// The answer, or why there is none.
    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, kube::Error>>,
        doing: &str,
    ) -> Result<T, Problem> {
        match tokio::time::timeout(self.patience, answer).await {
            Ok(answer) => answer.map_err(|error| {
                let problem = problem(&error, doing, &self.server);
                match &self.trusted {
                    Some(trusted) => untrusted(problem, &self.server, trusted),
                    None => problem,
                }
            }),
            Err(_) => Err(silent(doing, &self.server)),
        }
    }
}

/// The objects of a list, and whether there are more.
fn items(mut list: Value) -> (Vec<Value>, bool) {
    let metadata = &list["metadata"];
    let more = metadata["remainingItemCount"].as_i64().unwrap_or(0) > 0
        || metadata["continue"]
            .as_str()
            .is_some_and(|more| !more.is_empty());
    match list["items"].take() {
        Value::Array(items) => (items, more),
        _ => (Vec::new(), more),
    }
}

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";

/// The query of every write.
fn write(mode: Mode) -> String {
    let dry = match mode {
        Mode::Store => "",
        Mode::DryRun => "&dryRun=All",
    };
    format!("fieldManager={MANAGER}&fieldValidation=Strict{dry}")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_list_with_a_limit_says_whether_there_is_more() {
        for (metadata, expected) in [
            (json!({}), false),
            (json!({ "continue": "", "remainingItemCount": null }), false),
            (json!({ "continue": "next" }), true),
            (json!({ "remainingItemCount": 3 }), true),
        ] {
            let (items, more) = items(json!({ "metadata": metadata, "items": [{}] }));
            assert_eq!((items.len(), more), (1, expected), "{metadata}");
        }
        assert_eq!(items(json!({})), (Vec::new(), false));
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_not_waited_for() {
        clientele_kubectl::connect::install_crypto_provider();
        // The kernel takes connections, and no program reads from them.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", silent.local_addr().unwrap());
        let config = kube::Config::new(address.parse().unwrap());
        let client = Client::try_from(config).unwrap();
        let mut cluster = Cluster::new(client, "https://k8s");
        cluster.patience = Duration::from_millis(10);
        let got = cluster.get(Kind::Client, "apps", "web").await.unwrap_err();
        assert_eq!(got.status.as_u16(), 502);
        assert!(got.message.contains("get oauthclients web"), "{got:?}");
        assert!(cluster.table(None).await.is_err());
        assert!(!cluster.may("get", Kind::Client, None, "").await);
    }
}
