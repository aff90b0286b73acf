//! An API server with as many OAuthClients as a test asks for, which it answers from memory: lists as tables, and a watch. It can be out of
//! reach, cut its watches, refuse, and be of an older version.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, Response, StatusCode, Uri};
use axum::routing::post;
use futures::StreamExt;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::{AbortHandle, JoinSet};
use tower::Service;

const LIST: &str = "/apis/clientele.dev/v1alpha1/oauthclients";
const COLUMNS: [&str; 17] = [
    "Name",
    "Client ID",
    "Type",
    "Tenant",
    "Ready",
    "Reason",
    "Secret",
    "Age",
    "Secret age",
    "Old secret until",
    "Next rotation",
    "Last use",
    "Display name",
    "First-party",
    "Issuer",
    "Message",
    "Client namespace",
];
/// How many columns of them the definitions of the first version had.
const OLDER: usize = 9;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Fine,
    /// 401 for everything.
    Expired,
    /// 403 for everything.
    Forbidden,
    /// With the definitions of an older version.
    Older,
}

/// What was asked of it.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests, watches among them.
    pub requests: AtomicUsize,
    /// Watches that are open.
    pub watches: AtomicUsize,
}

struct Content {
    clients: usize,
    /// The reason of those that do not work.
    broken: Mutex<BTreeMap<usize, String>>,
    version: AtomicU32,
    events: broadcast::Sender<Option<String>>,
    mood: Mutex<Mood>,
    counts: Counts,
}

/// An API server.
pub struct TableServer {
    content: Arc<Content>,
    address: SocketAddr,
    serving: Mutex<Option<AbortHandle>>,
}

impl TableServer {
    /// Starts one with this many OAuthClients, one in a hundred of which does not work.
    pub async fn start(clients: usize) -> Arc<Self> {
        clientele_kubectl::connect::install_crypto_provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let broken = (0..clients).skip(7).step_by(100);
        let server = Arc::new(Self {
            content: Arc::new(Content {
                clients,
                broken: Mutex::new(broken.map(|at| (at, "ScopeNotFound".to_owned())).collect()),
                version: AtomicU32::new(1),
                events: broadcast::Sender::new(64),
                mood: Mutex::new(Mood::Fine),
                counts: Counts::default(),
            }),
            address: listener.local_addr().unwrap(),
            serving: Mutex::default(),
        });
        server.serve(listener);
        server
    }

    fn serve(&self, listener: TcpListener) {
        let content = self.content.clone();
        let service = tower::service_fn(move |request: Request<Incoming>| {
            let accepts = request.headers().get("accept");
            let as_table =
                accepts.is_some_and(|value| value.to_str().unwrap().contains("as=Table"));
            let answer = content.answer(request.method().as_str(), request.uri(), as_table);
            async move { Ok::<_, Infallible>(answer) }
        });
        let serving = tokio::spawn(accept(listener, service)).abort_handle();
        *self.serving.lock().unwrap() = Some(serving);
    }

    /// A kubeconfig that leads here.
    pub fn kubeconfig(&self) -> String {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "many",
            "clusters": [{ "name": "many", "cluster": { "server": format!("http://{}", self.address) } }],
            "users": [{ "name": "many", "user": {} }],
            "contexts": [{ "name": "many", "context": { "cluster": "many", "user": "many" } }],
        })
        .to_string()
    }

    /// A connection to it.
    pub fn client(&self) -> kube::Client {
        let uri = format!("http://{}", self.address).parse().unwrap();
        kube::Client::try_from(kube::Config::new(uri)).unwrap()
    }

    /// From now on it answers like this.
    pub fn be(&self, mood: Mood) {
        *self.content.mood.lock().unwrap() = mood;
    }

    /// What was asked.
    pub fn counts(&self) -> &Counts {
        &self.content.counts
    }

    /// The client of this number stops working, or works again.
    pub fn toggle(&self, at: usize) {
        let content = &self.content;
        let version = content.version.fetch_add(1, Ordering::SeqCst) + 1;
        {
            let mut broken = content.broken.lock().unwrap();
            if broken.remove(&at).is_none() {
                broken.insert(at, "ClientIdConflict".to_owned());
            }
        }
        let table = json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1",
            "metadata": { "resourceVersion": version.to_string() }, "columnDefinitions": null, "rows": [content.row(at)] });
        let event = json!({ "type": "MODIFIED", "object": table });
        let _ = content.events.send(Some(format!("{event}\n")));
    }

    /// Ends every watch.
    pub fn cut(&self) {
        let _ = self.content.events.send(None);
    }

    /// Ends every connection and accepts no other.
    pub fn stop(&self) {
        if let Some(serving) = self.serving.lock().unwrap().take() {
            serving.abort();
        }
    }

    /// Is there again, at the same address.
    pub async fn start_again(&self) {
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        self.serve(listener);
    }

    /// Where a program of tests/journey changes it: `POST /toggle/N`, `/cut`, `/stop`, `/start`, and `/counts`.
    pub async fn control(self: &Arc<Self>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route(
                "/toggle/{at}",
                post(
                    async |State(server): State<Arc<Self>>, Path(at): Path<usize>| {
                        server.toggle(at);
                    },
                ),
            )
            .route(
                "/cut",
                post(async |State(server): State<Arc<Self>>| server.cut()),
            )
            .route(
                "/stop",
                post(async |State(server): State<Arc<Self>>| server.stop()),
            )
            .route(
                "/start",
                post(async |State(server): State<Arc<Self>>| server.start_again().await),
            )
            .route(
                "/counts",
                post(async |State(server): State<Arc<Self>>| {
                    let counts = server.counts();
                    let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
                    json!({ "requests": of(&counts.requests), "watches": of(&counts.watches) })
                        .to_string()
                }),
            )
            .with_state(self.clone());
        tokio::spawn(accept(listener, router));
        format!("http://{address}")
    }
}

/// Serves connections until it is aborted, and ends them with it.
async fn accept<S>(listener: TcpListener, service: S)
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let service = TowerToHyperService::new(service.clone());
        connections.spawn(async move {
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Content {
    fn answer(self: &Arc<Self>, method: &str, uri: &Uri, as_table: bool) -> Response<Body> {
        self.counts.requests.fetch_add(1, Ordering::SeqCst);
        let query = |name: &str| {
            let pairs = uri.query().unwrap_or_default().split('&');
            let found = pairs.filter_map(|pair| pair.split_once('='));
            let mut found = found.filter(|(known, _)| *known == name);
            found.next().map_or("", |(_, value)| value).to_owned()
        };
        match *self.mood.lock().unwrap() {
            Mood::Expired => return status(401, "Unauthorized"),
            Mood::Forbidden => return status(403, "Forbidden"),
            Mood::Fine | Mood::Older => {}
        }
        match (method, uri.path()) {
            ("POST", path) if path.contains("accessreviews") => {
                text(json!({ "status": { "allowed": true } }).to_string())
            }
            ("GET", LIST) if query("watch") == "1" => self.watch(),
            ("GET", LIST) if !as_table => text(self.objects()),
            ("GET", LIST) => {
                let from = query("continue").parse().unwrap_or(0);
                let limit = query("limit").parse().unwrap_or(self.clients);
                text(self.table(from, limit))
            }
            ("GET", path) if path.ends_with("/configmaps") => text(r#"{"items":[]}"#.to_owned()),
            ("GET", path) if path.ends_with("/oauthtenants") || path.ends_with("/oauthusers") => {
                text(list(&[]))
            }
            _ => status(404, "NotFound"),
        }
    }

    fn columns(&self) -> usize {
        match *self.mood.lock().unwrap() {
            Mood::Older => OLDER,
            _ => COLUMNS.len(),
        }
    }

    fn row(&self, at: usize) -> Value {
        let (namespace, name) = (format!("team-{:02}", at % 50), format!("client-{at:05}"));
        let broken = self.broken.lock().unwrap();
        let reason = broken.get(&at).map_or("Registered", String::as_str);
        let ready = if reason == "Registered" {
            "True"
        } else {
            "False"
        };
        let message = format!(
            "client {namespace}.{name} is registered; its credentials are in Secret {namespace}/{name}-oauth"
        );
        let mut cells = json!([
            name,
            format!("{namespace}.{name}"),
            "Confidential",
            "default",
            ready,
            reason,
            format!("{name}-oauth"),
            "5d12h",
            "5d12h",
            null,
            null,
            "2d",
            format!("Application {at}"),
            at.is_multiple_of(10),
            "https://login.example.com",
            message,
            namespace,
        ]);
        cells.as_array_mut().unwrap().truncate(self.columns());
        if self.columns() == COLUMNS.len() {
            return json!({ "cells": cells, "object": null });
        }
        // The dashboard asks for the metadata where a column is missing.
        let metadata = json!({ "name": name, "namespace": namespace, "creationTimestamp": "2026-11-25T00:00:00Z" });
        json!({ "cells": cells, "object": { "kind": "PartialObjectMetadata", "metadata": metadata } })
    }

    /// The clients as objects, all of which work.
    fn objects(&self) -> String {
        let object = |at: usize| {
            let ready = json!({ "type": "Ready", "status": "True", "reason": "Registered", "message": "as it is" });
            json!({
                "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthClient",
                "metadata": { "name": format!("client-{at:05}"), "namespace": "apps", "generation": 1 },
                "spec": {}, "status": { "observedGeneration": 1, "conditions": [ready] },
            })
        };
        let objects: Vec<Value> = (0..self.clients).map(object).collect();
        list(&objects)
    }

    fn table(&self, from: usize, limit: usize) -> String {
        let end = (from + limit).min(self.clients);
        let more = if end < self.clients {
            end.to_string()
        } else {
            String::new()
        };
        let columns = COLUMNS.iter().take(self.columns());
        let columns: Vec<Value> = columns.map(|name| json!({ "name": name })).collect();
        let version = self.version.load(Ordering::SeqCst).to_string();
        let head = json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1",
            "metadata": { "resourceVersion": version, "continue": more }, "columnDefinitions": columns,
        });
        let mut text = head.to_string();
        text.pop();
        text.push_str(",\"rows\":[");
        for at in from..end {
            let comma = if at > from { "," } else { "" };
            let _ = write!(text, "{comma}{}", self.row(at));
        }
        text.push_str("]}");
        text
    }

    fn watch(self: &Arc<Self>) -> Response<Body> {
        self.counts.watches.fetch_add(1, Ordering::SeqCst);
        let open = Open(self.clone());
        let events = self.events.subscribe();
        let lines = futures::stream::unfold((events, open), |(mut events, open)| async move {
            match events.recv().await {
                Ok(Some(line)) => Some((Ok::<_, Infallible>(line), (events, open))),
                _ => None,
            }
        });
        Response::new(Body::from_stream(lines.boxed()))
    }
}

/// A watch that is open.
struct Open(Arc<Content>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.counts.watches.fetch_sub(1, Ordering::SeqCst);
    }
}

fn list(items: &[Value]) -> String {
    let metadata = json!({ "resourceVersion": "1" });
    json!({ "apiVersion": "clientele.dev/v1alpha1", "kind": "List", "metadata": metadata, "items": items }).to_string()
}

fn text(body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert("content-type", "application/json".parse().unwrap());
    response
}

fn status(code: u16, reason: &str) -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("{reason} by the test"), "reason": reason, "code": code,
    });
    let mut response = text(status.to_string());
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}
