//! A proxy between a program and the API server that can lie: lists come back empty, watches are cut as expired, and
//! Secrets come back garbled. It can also be gone, and it counts requests.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Response};
use futures::StreamExt;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use kube::config::Kubeconfig;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::cluster::{Cluster, kube_config};
use super::operator::{Options, service_account_kubeconfig};

/// What an API server says when a watch must be restarted (410 Gone).
const EXPIRED: &str = r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}}"#;

/// What is in the requests of OAuthClients, to lie about them.
pub const CLIENTS: &str = "/oauthclients?";
/// The same of OAuthTenants.
const TENANTS: &str = "/oauthtenants?";
/// The same of the Secrets that opt in by their type: client secrets and passwords.
pub const OPTED_IN: &str = "fieldSelector=type";

/// How it behaves.
#[derive(Default)]
struct Behavior {
    lies: Mutex<Option<&'static str>>,
    garbles: AtomicBool,
    forbids: AtomicBool,
    other_key: AtomicBool,
    key_reads: AtomicU32,
    mark_reads: AtomicU32,
    empty_lists: AtomicU32,
    cut: Notify,
    holds: watch::Sender<bool>,
    silent: watch::Sender<bool>,
    mute: watch::Sender<bool>,
    /// What was held and sent later: method, path and status code.
    late: Mutex<Vec<(String, String, u16)>>,
    held: AtomicU32,
    lag: Mutex<Duration>,
    requests: AtomicU32,
    watches: AtomicU32,
    writes: AtomicU32,
    secret_reads: AtomicU32,
}

/// A proxy that answers with the rights of a kubeconfig.
pub struct Proxy {
    /// A kubeconfig that leads here, without credentials of its own.
    pub kubeconfig: String,
    behavior: Arc<Behavior>,
    address: SocketAddr,
    upstream: kube::Client,
    serving: Mutex<AbortHandle>,
}

impl Proxy {
    /// Starts one for the operator of a cluster; it ends with the runtime of the test.
    pub async fn before(cluster: &Cluster) -> Self {
        let config = serde_yaml::from_str(&service_account_kubeconfig(cluster));
        Self::start(connect(config.unwrap()).await).await
    }

    /// Starts one with the rights of the administrator.
    pub async fn of_administrator(cluster: &Cluster) -> Self {
        Self::with_rights_of(Kubeconfig::read_from(&cluster.kubeconfig).unwrap()).await
    }

    /// Starts one with the rights of this kubeconfig.
    pub async fn with_rights_of(config: Kubeconfig) -> Self {
        Self::start(connect(config).await).await
    }

    async fn start(upstream: kube::Client) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let behavior = Arc::new(Behavior::default());
        let accepting = accept(listener, upstream.clone(), behavior.clone());
        let serving = Mutex::new(tokio::spawn(accepting).abort_handle());
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
            "clusters": [{ "name": "proxy", "cluster": { "server": format!("http://{address}") } }],
            "users": [{ "name": "proxy", "user": {} }],
            "contexts": [{ "name": "proxy", "context": { "cluster": "proxy", "user": "proxy" } }],
        });
        Self {
            kubeconfig: kubeconfig.to_string(),
            behavior,
            address,
            upstream,
            serving,
        }
    }

    /// A connection through it.
    pub fn client(&self) -> kube::Client {
        let uri = format!("http://{}", self.address).parse().unwrap();
        let mut config = kube::Config::new(uri);
        config.read_timeout = None;
        kube::Client::try_from(config).unwrap()
    }

    /// Ends every connection and accepts no other, as an API server that was stopped.
    pub fn stop(&self) {
        self.serving.lock().unwrap().abort();
    }

    /// Is there again, at the same address.
    pub async fn start_again(&self) {
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                // The one before ends with its task, in a moment.
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let accepting = accept(listener, self.upstream.clone(), self.behavior.clone());
        *self.serving.lock().unwrap() = tokio::spawn(accepting).abort_handle();
    }

    /// Ends every watch of OAuthClients, OAuthTenants and Secrets that opt in, as expired.
    pub fn cut_watches(&self) {
        self.behavior.cut.notify_waiters();
    }

    /// How many requests came, watches among them.
    pub fn requests(&self) -> u32 {
        self.behavior.requests.load(Ordering::SeqCst)
    }

    /// How many writes came, dry runs among them; a review of access is none.
    pub fn writes(&self) -> u32 {
        self.behavior.writes.load(Ordering::SeqCst)
    }

    /// How many single Secrets were read.
    pub fn secret_reads(&self) -> u32 {
        self.behavior.secret_reads.load(Ordering::SeqCst)
    }

    /// How many watches of OAuthClients, OAuthTenants and Secrets that opt in are open.
    pub fn watches(&self) -> u32 {
        self.behavior.watches.load(Ordering::SeqCst)
    }

    /// From now on lists of these are empty, and every watch of them expires.
    pub fn lie(&self, about: &'static str) {
        *self.behavior.lies.lock().unwrap() = Some(about);
        self.behavior.cut.notify_waiters();
    }

    /// From now on Secrets that are read or listed are followed by something that is no JSON.
    pub fn garble(&self) {
        self.behavior.garbles.store(true, Ordering::SeqCst);
    }

    /// From now on all credentials Secrets are out of reach, as they are for a moment to a restarted API server.
    pub fn forbid(&self) {
        self.behavior.forbids.store(true, Ordering::SeqCst);
    }

    /// From now on the cluster's public keys are others than those that sign.
    pub fn publish_another_key(&self) {
        self.behavior.other_key.store(true, Ordering::SeqCst);
    }

    /// How often the cluster's public keys were read.
    pub fn key_reads(&self) -> u32 {
        self.behavior.key_reads.load(Ordering::SeqCst)
    }

    /// How often the marks of the installation were read: a replica that checks whether a root key can leave does so.
    pub fn mark_reads(&self) -> u32 {
        self.behavior.mark_reads.load(Ordering::SeqCst)
    }

    /// From now on it tells the truth.
    pub fn be_honest(&self) {
        *self.behavior.lies.lock().unwrap() = None;
        self.behavior.garbles.store(false, Ordering::SeqCst);
        self.behavior.forbids.store(false, Ordering::SeqCst);
        self.behavior.other_key.store(false, Ordering::SeqCst);
    }

    /// From now on every event of a watch of OAuthClients or OAuthTenants comes so much later.
    pub fn tell_late(&self, lag: Duration) {
        *self.behavior.lag.lock().unwrap() = lag;
    }

    /// From now on writes do not arrive, but those of the Lease, and events, which are told at some time or other.
    pub fn hold_writes(&self) {
        self.behavior.holds.send_replace(true);
    }

    /// From now on watches of OAuthClients and OAuthTenants say nothing.
    pub fn hold_watches(&self) {
        self.behavior.silent.send_replace(true);
    }

    /// What watches had to say, they say now.
    pub fn release_watches(&self) {
        self.behavior.silent.send_replace(false);
    }

    /// From now on writes of Secrets arrive, and their results are lost.
    pub fn hold_answers(&self) {
        self.behavior.mute.send_replace(true);
    }

    /// What became of them is told now.
    pub fn release_answers(&self) {
        self.behavior.mute.send_replace(false);
    }

    /// How many writes are held.
    pub fn held_writes(&self) -> u32 {
        self.behavior.held.load(Ordering::SeqCst)
    }

    /// What was held arrives now, also what no request waits for any more.
    pub fn release_writes(&self) {
        self.behavior.holds.send_replace(false);
    }

    /// What became of the writes that were held: method, path and status code.
    pub fn late_writes(&self) -> Vec<(String, String, u16)> {
        self.behavior.late.lock().unwrap().clone()
    }

    /// How many empty lists were answered.
    pub fn empty_lists(&self) -> u32 {
        self.behavior.empty_lists.load(Ordering::SeqCst)
    }
}

impl Options {
    /// With a proxy between operator and API server.
    pub fn through(mut self, proxy: &Proxy) -> Self {
        self.kubeconfig = Some(proxy.kubeconfig.clone());
        self
    }
}

/// A connection whose watches may be silent for as long as they like.
async fn connect(config: Kubeconfig) -> kube::Client {
    let mut config = kube_config(config).await;
    config.read_timeout = None;
    kube::Client::try_from(config).unwrap()
}

/// Serves connections until it is aborted, and ends them with it.
async fn accept(listener: TcpListener, upstream: kube::Client, behavior: Arc<Behavior>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let (upstream, behavior) = (upstream.clone(), behavior.clone());
        connections.spawn(async move {
            let service = hyper::service::service_fn(move |request| {
                answer(request, upstream.clone(), behavior.clone())
            });
            let builder = Builder::new(TokioExecutor::new());
            // A connection that ends early is the business of who ended it.
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    upstream: kube::Client,
    behavior: Arc<Behavior>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default();
    let url = format!("{path}?{query}");
    let watch = query.contains("watch=true") || query.contains("watch=1");
    behavior.requests.fetch_add(1, Ordering::SeqCst);
    let get = request.method() == Method::GET;
    if is_write(request.method()) && !path.ends_with("accessreviews") {
        behavior.writes.fetch_add(1, Ordering::SeqCst);
    }
    if get && path.contains("/secrets/") {
        behavior.secret_reads.fetch_add(1, Ordering::SeqCst);
    }
    if *behavior.holds.borrow()
        && is_write(request.method())
        && !path.ends_with("/leases/clientele")
        && !path.contains("/events")
    {
        return Ok(tokio::spawn(late(request, upstream, behavior))
            .await
            .unwrap());
    }
    if *behavior.mute.borrow() && is_write(request.method()) && path.contains("/secrets") {
        let response = forward(request, upstream).await;
        let mut mute = behavior.mute.subscribe();
        mute.wait_for(|mute| !mute).await.unwrap();
        return Ok(response);
    }
    let cut = [CLIENTS, TENANTS, OPTED_IN]
        .iter()
        .any(|what| url.contains(what));
    let about = *behavior.lies.lock().unwrap();
    let lies = about.is_some_and(|about| url.contains(about));
    if behavior.forbids.load(Ordering::SeqCst) && path == "/api/v1/secrets" {
        return Ok(forbidden());
    }
    if get && path.ends_with("/configmaps/clientele-installation") {
        behavior.mark_reads.fetch_add(1, Ordering::SeqCst);
    }
    if path == "/openid/v1/jwks" {
        behavior.key_reads.fetch_add(1, Ordering::SeqCst);
        if behavior.other_key.load(Ordering::SeqCst) {
            return Ok(another_key());
        }
    }
    let garbles = behavior.garbles.load(Ordering::SeqCst);
    if garbles && get && !watch && path.contains("/secrets") {
        return Ok(garbled(forward(request, upstream).await).await);
    }
    Ok(match (get && cut, watch, lies) {
        (true, true, true) => Response::new(Body::from(format!("{EXPIRED}\n"))),
        (true, true, false) => cuttable(forward(request, upstream).await, behavior),
        (true, false, true) => {
            behavior.empty_lists.fetch_add(1, Ordering::SeqCst);
            emptied(forward(request, upstream).await).await
        }
        _ => forward(request, upstream).await,
    })
}

fn is_write(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(method)
}

/// A write that arrives when it is let go.
async fn late(
    request: Request<Incoming>,
    upstream: kube::Client,
    behavior: Arc<Behavior>,
) -> Response<Body> {
    let (method, path) = (
        request.method().to_string(),
        request.uri().path().to_owned(),
    );
    // The body comes first: later its sender may be gone.
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    behavior.held.fetch_add(1, Ordering::SeqCst);
    let mut holds = behavior.holds.subscribe();
    holds.wait_for(|holds| !holds).await.unwrap();
    let response = forward(Request::from_parts(parts, Full::new(body)), upstream).await;
    let code = response.status().as_u16();
    behavior.late.lock().unwrap().push((method, path, code));
    response
}

async fn forward<B>(request: Request<B>, upstream: kube::Client) -> Response<Body>
where
    B: hyper::body::Body<Error: std::fmt::Debug>,
{
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().unwrap().to_string();
    parts.uri = path.parse().unwrap();
    parts.headers.remove("host");
    parts.headers.remove("accept-encoding");
    let body = body.collect().await.unwrap().to_bytes();
    let request = Request::from_parts(parts, kube::client::Body::from(body.to_vec()));
    match upstream.send(request).await {
        Ok(response) => {
            let mut response = response.map(Body::new);
            response.headers_mut().remove("transfer-encoding");
            response
        }
        Err(error) => {
            let mut response = Response::new(Body::from(error.to_string()));
            *response.status_mut() = axum::http::StatusCode::BAD_GATEWAY;
            response
        }
    }
}

/// The same list without its items.
async fn emptied(response: Response<Body>) -> Response<Body> {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let mut list: Value = serde_json::from_slice(&body).unwrap();
    list["items"] = json!([]);
    let mut response = Response::new(Body::from(list.to_string()));
    let headers = response.headers_mut();
    headers.insert("content-type", "application/json".parse().unwrap());
    response
}

/// What an API server says to who has no right, and to everybody until it has read its roles.
fn forbidden() -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "secrets is forbidden", "reason": "Forbidden", "code": 403,
    });
    let mut response = Response::new(Body::from(status.to_string()));
    *response.status_mut() = axum::http::StatusCode::FORBIDDEN;
    response
}

/// A key set with a key that signs nothing.
fn another_key() -> Response<Body> {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "another", "x": x });
    Response::new(Body::from(json!({ "keys": [key] }).to_string()))
}

/// The same with something behind it.
async fn garbled(response: Response<Body>) -> Response<Body> {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Response::new(Body::from([&body[..], b"<html>"].concat()))
}

/// A watch that is open.
struct Open(Arc<Behavior>);

impl Open {
    fn new(behavior: Arc<Behavior>) -> Self {
        behavior.watches.fetch_add(1, Ordering::SeqCst);
        Self(behavior)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.watches.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A watch whose events may come late or not until they are let go, and that ends with an error when lying begins.
fn cuttable(response: Response<Body>, behavior: Arc<Behavior>) -> Response<Body> {
    let silent = behavior.silent.subscribe();
    let open = Open::new(behavior.clone());
    response.map(|body| {
        let late = behavior.clone();
        let cut = async move { behavior.cut.notified().await };
        let expired = async { Ok(format!("{EXPIRED}\n").into()) };
        let events = body.into_data_stream().then(move |event| {
            let lag = *late.lag.lock().unwrap();
            let mut silent = silent.clone();
            async move {
                tokio::time::sleep(lag).await;
                let _ = silent.wait_for(|silent| !silent).await;
                event
            }
        });
        let events = events.take_until(Box::pin(cut));
        let events = events.chain(futures::stream::once(expired));
        let watched = (Box::pin(events), open);
        Body::from_stream(futures::stream::unfold(
            watched,
            |(mut events, open)| async move { Some((events.next().await?, (events, open))) },
        ))
    })
}
