//! The proxy between one operator and the API server: the one place that numbers every write, and where faults happen.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::body::Body as AnyBody;
use axum::http::{Method, Request, Response, StatusCode, Uri};
use bytes::Bytes;
use clientele_oauth::Registry;
use clientele_operator::settings::INSTALLATION;
use futures::future::BoxFuture;
use futures::{AsyncBufReadExt, StreamExt, TryStreamExt, stream};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::act::Action;
use super::bug::Bug;
use super::call::Call;
use super::fault_cluster::OWN;
use super::oracles;
use super::run::Run;
use super::wire::Answer;

/// What an API server says when a watch must be restarted (410 Gone).
const EXPIRED: &str = r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}}"#;

/// What happens at a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The operator ends before it is sent.
    Before,
    /// It is done, and the operator ends before it can do anything else.
    After,
    /// It is done, the answer is lost, and the operator lives on.
    Lost,
    /// It is not done: the API server fails, and the operator lives on.
    Failed,
    /// Just before it arrives another writer changes the same object.
    Outrun,
}

/// Whether an operator writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stand {
    /// It writes.
    #[default]
    Free,
    /// Another one is faster every time: whatever it tries is a conflict.
    Beaten,
    /// What it tries waits until it is free, however old the plan has become by then.
    Held,
}

/// A fault at one write, counted from 1 when the proxy is armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub write: usize,
    pub mode: Mode,
}

/// An interval in which the operator hears nothing of what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The first event that it does not hear of, counted from 1 when the proxy is armed.
    pub event: usize,
    /// How many steps people go on within the interval.
    pub steps: usize,
    /// Whether it is because the operator is down, and not the watches.
    pub down: bool,
}

/// How the API server is to everybody, reads and watches included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    #[default]
    Fair,
    /// It answers everything with this code.
    Answers(u16),
    /// It takes so long.
    Slow(Duration),
    /// Connections are reset.
    Resets,
    /// Everything that watches say is said twice.
    Echoes,
}

/// Whether watches say what happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Hearing {
    #[default]
    Whole,
    Cut,
    /// What was missed has expired: every watch must be restarted.
    Expired,
}

#[derive(Default)]
struct Counts {
    armed: bool,
    cut: Option<Cut>,
    heard: usize,
    fault: Option<Fault>,
    writes: Vec<Call>,
    in_flight: usize,
    last: Option<Instant>,
}

/// One operator's connection.
pub struct FaultProxy {
    pub run: Arc<Run>,
    /// What this operator would serve.
    pub registry: Arc<ArcSwap<Registry>>,
    /// The operator has ended; nothing leaves any more.
    pub died: CancellationToken,
    /// The fault has happened.
    pub fired: CancellationToken,
    stand: watch::Sender<Stand>,
    hearing: watch::Sender<Hearing>,
    weather: Mutex<Weather>,
    /// A writer of this object panics.
    doomed: Mutex<Option<String>>,
    /// How many requests were made, events included.
    pub requests: AtomicUsize,
    /// What is wrong with this operator.
    bug: Option<Bug>,
    /// Whether an administrator is at the end of it, and not an operator.
    administers: bool,
    counts: Mutex<Counts>,
}

impl FaultProxy {
    /// The proxy of an operator.
    pub fn new(run: &Arc<Run>, stand: Stand, bug: Option<Bug>) -> Arc<Self> {
        Self::of(run, stand, bug, false)
    }

    /// The proxy of a command that an administrator says.
    pub fn of_administrator(run: &Arc<Run>) -> Arc<Self> {
        Self::of(run, Stand::Free, None, true)
    }

    fn of(run: &Arc<Run>, stand: Stand, bug: Option<Bug>, administers: bool) -> Arc<Self> {
        Arc::new(Self {
            administers,
            run: run.clone(),
            registry: Arc::default(),
            died: CancellationToken::new(),
            fired: CancellationToken::new(),
            stand: watch::Sender::new(stand),
            hearing: watch::Sender::default(),
            weather: Mutex::default(),
            doomed: Mutex::default(),
            requests: AtomicUsize::new(0),
            bug,
            counts: Mutex::default(),
        })
    }

    /// A client for the operator.
    pub fn client(self: &Arc<Self>) -> kube::Client {
        let proxy = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let carried: BoxFuture<'static, Answer> = Box::pin(proxy.clone().carry(request));
            carried
        });
        kube::Client::new(service, "default")
    }

    /// From now on writes and events are counted, and one of them may be faulty.
    pub fn arm(&self, fault: Option<Fault>, cut: Option<Cut>) {
        let mut counts = self.counts.lock().unwrap();
        counts.armed = true;
        counts.fault = fault;
        counts.cut = cut;
    }

    /// How many events it heard of since it was armed.
    pub fn heard(&self) -> usize {
        self.counts.lock().unwrap().heard
    }

    /// The interval is over: watches must be restarted.
    pub fn mend(&self) {
        self.hearing.send_replace(Hearing::Expired);
    }

    /// From now on the operator writes, or not.
    pub fn stand(&self, stand: Stand) {
        self.stand.send_replace(stand);
    }

    /// The writes since it was armed.
    pub fn writes(&self) -> Vec<Call> {
        self.counts.lock().unwrap().writes.clone()
    }

    /// For how long nothing was written; nothing while a write is under way.
    pub fn quiet(&self) -> Duration {
        let counts = self.counts.lock().unwrap();
        match (counts.in_flight, counts.last) {
            (0, Some(last)) => last.elapsed(),
            (0, None) => Duration::MAX,
            _ => Duration::ZERO,
        }
    }

    /// Ends the operator as a kill would: what is under way is not heard of any more.
    pub fn die(&self) {
        self.died.cancel();
    }

    async fn carry(self: Arc<Self>, request: Request<Body>) -> Answer {
        let proxy = self.clone();
        tokio::select! {
            biased;
            () = self.died.cancelled() => std::future::pending().await,
            answer = proxy.pass(request) => answer,
        }
    }

    /// From now on the API server is like this.
    pub fn set_weather(&self, weather: Weather) {
        *self.weather.lock().unwrap() = weather;
        if !matches!(weather, Weather::Fair | Weather::Echoes) {
            // No watch survives it.
            self.hearing.send_replace(Hearing::Expired);
        }
    }

    async fn pass(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let weather = *self.weather.lock().unwrap();
        match weather {
            Weather::Answers(code) => return Ok(failure(code, reason(code), "the weather is bad")),
            Weather::Slow(so_long) => tokio::time::sleep(so_long).await,
            Weather::Resets => return Err("connection reset by peer".into()),
            Weather::Fair | Weather::Echoes => {}
        }
        let (mut parts, body) = request.into_parts();
        let mut body = body.collect_bytes().await?;
        parts.uri = self.narrowed(&parts.uri);
        if parts.uri.path().contains("/configmaps") {
            body = self.own_marks(std::str::from_utf8(&body)?).into();
        }
        let call = Call::of(&parts.method, &parts.uri, &body);
        if call.is_write() {
            let request = Request::from_parts(parts, body);
            return match self.bug {
                Some(bug) => bug.write(&self, call, request).await,
                None => self.numbered(&call, request).await,
            };
        }
        if call.verb == "read" && call.name.is_empty() {
            let hears = |hearing: &Hearing| *hearing != Hearing::Cut;
            self.hearing.subscribe().wait_for(hears).await?;
        }
        let is_watch = parts
            .uri
            .query()
            .is_some_and(|query| query.contains("watch=true"));
        let response = self.send(Request::from_parts(parts, body)).await?;
        let response = match self.bug {
            Some(bug) if !is_watch => bug.read(response).await?,
            _ => response,
        };
        Ok(if is_watch {
            self.listen(response)
        } else {
            response
        })
    }

    /// From now on a writer of this object panics, or none does.
    pub fn doom(&self, name: Option<&str>) {
        *self.doomed.lock().unwrap() = name.map(str::to_owned);
    }

    /// A write of the operator, with its number.
    pub async fn numbered(&self, call: &Call, request: Request<Bytes>) -> Answer {
        let doomed = self.doomed.lock().unwrap().as_deref() == Some(&*call.name);
        assert!(!doomed, "planted: a panic at {call}");
        if *self.stand.borrow() == Stand::Beaten {
            self.counts.lock().unwrap().last = Some(Instant::now());
            return Ok(failure(409, "Conflict", "another replica was faster"));
        }
        let free = |stand: &Stand| *stand == Stand::Free;
        self.stand.subscribe().wait_for(free).await?;
        let fault = self.begin(call);
        let answer = self.write(call, fault, request).await;
        let mut counts = self.counts.lock().unwrap();
        counts.in_flight -= 1;
        counts.last = Some(Instant::now());
        answer
    }

    /// A watch, event by event: what is not heard is lost, and afterwards every watch must be restarted.
    fn listen(self: Arc<Self>, response: Response<AnyBody>) -> Response<AnyBody> {
        if !response.status().is_success() {
            return response;
        }
        let mut hearing = self.hearing.subscribe();
        // A watch that begins after an interval is not ended by it.
        let over_already = *hearing.borrow() == Hearing::Expired;
        let expired = async move {
            if over_already {
                std::future::pending::<()>().await;
            }
            hearing
                .wait_for(|now| *now == Hearing::Expired)
                .await
                .is_ok()
        };
        let proxy = self.clone();
        response.map(|body| {
            let bytes = TryStreamExt::map_err(body.into_data_stream(), std::io::Error::other);
            let events = bytes
                .into_async_read()
                .lines()
                .try_filter_map(move |event| std::future::ready(Ok(proxy.hear(event))));
            let whole = events.take_until(Box::pin(expired));
            let end = stream::once(async move {
                let expired = *self.hearing.borrow() == Hearing::Expired && !over_already;
                Ok(if expired {
                    EXPIRED.to_owned()
                } else {
                    String::new()
                })
            });
            AnyBody::from_stream(whole.chain(end).map_ok(|event| event + "\n"))
        })
    }

    /// An event that arrives, or not.
    fn hear(&self, event: String) -> Option<String> {
        let concerns = self.concerns_this_run(&event);
        let mut counts = self.counts.lock().unwrap();
        if *self.hearing.borrow() == Hearing::Cut {
            return None;
        }
        if concerns && counts.armed {
            counts.heard += 1;
            if let Some(cut) = counts.cut.filter(|cut| cut.event == counts.heard) {
                self.fired.cancel();
                if cut.down {
                    self.die();
                } else {
                    self.hearing.send_replace(Hearing::Cut);
                }
                return None;
            }
        }
        let event = self.bug.map_or(event.clone(), |bug| bug.hear(event));
        let twice = *self.weather.lock().unwrap() == Weather::Echoes;
        Some(if twice {
            format!("{event}\n{event}")
        } else {
            event
        })
    }

    fn concerns_this_run(&self, event: &str) -> bool {
        let event: Value = serde_json::from_str(event).unwrap_or_default();
        let (meta, run) = (&event["object"]["metadata"], &self.run);
        let named = [&run.tenant, &run.namespace, &run.root_key, &run.marks];
        let named = named.into_iter().any(|name| meta["name"] == **name);
        event["type"] != "BOOKMARK" && (named || meta["namespace"] == *run.namespace)
    }

    /// Numbers a write. Says whether a fault is due.
    fn begin(&self, call: &Call) -> Option<Mode> {
        let mut counts = self.counts.lock().unwrap();
        counts.in_flight += 1;
        if !counts.armed {
            return None;
        }
        counts.writes.push(call.clone());
        let due = counts
            .fault
            .filter(|fault| fault.write == counts.writes.len());
        due.map(|fault| fault.mode)
    }

    async fn write(&self, call: &Call, fault: Option<Mode>, request: Request<Bytes>) -> Answer {
        oracles::before_write(self, call, request.body());
        if fault.is_some() {
            self.fired.cancel();
        }
        match fault {
            None => self.written(call, request).await,
            Some(Mode::Before) => {
                self.die();
                std::future::pending().await
            }
            Some(Mode::After) => {
                self.written(call, request).await?;
                self.die();
                std::future::pending().await
            }
            Some(Mode::Lost) => {
                self.written(call, request).await?;
                Err("connection reset by peer".into())
            }
            Some(Mode::Failed) => {
                let timeout = failure(500, "InternalError", "etcdserver: request timed out");
                self.note(call, 500);
                Ok(timeout)
            }
            Some(Mode::Outrun) => {
                self.outrun(call).await;
                self.written(call, request).await
            }
        }
    }

    /// Sends a write, and remembers what was answered.
    pub async fn written(&self, call: &Call, request: Request<Bytes>) -> Answer {
        let mut response = self.send(request).await?;
        self.note(call, response.status().as_u16());
        if self.administers && response.status().is_success() {
            let (parts, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            self.run.note_own(&serde_json::from_slice(&body)?);
            response = Response::from_parts(parts, AnyBody::from(body));
        }
        Ok(response)
    }

    fn note(&self, call: &Call, code: u16) {
        self.run.journal.lock().unwrap().push((call.clone(), code));
    }

    /// Sends a request with the operator's own rights; with all rights if it is a bug that the chart's policies would stop.
    pub async fn send(&self, request: Request<Bytes>) -> Answer {
        let (cluster, bug) = (self.run.cluster, self.bug);
        let writes_secret =
            request.method() != Method::GET && request.uri().path().contains("/secrets");
        let all_rights = writes_secret && bug.is_some_and(Bug::needs_all_rights);
        let token = if self.administers || all_rights {
            &cluster.administrator
        } else {
            &cluster.operator
        };
        let response = self.run.wire.send(token, request.map(Body::from)).await?;
        if response.status().is_success() || response.status() == StatusCode::NOT_FOUND {
            return Ok(response);
        }
        // A refusal is short; read to its end, so that it arrives before what is done about it.
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Response::from_parts(parts, AnyBody::from(body)))
    }

    /// This run's part of the cluster: many runs share one control plane and do not see each other.
    fn narrowed(&self, uri: &Uri) -> Uri {
        let (namespace, tenant) = (&self.run.namespace, &self.run.tenant);
        let (path, query) = (uri.path(), uri.query().unwrap_or_default());
        let own = format!("/api/v1/namespaces/{OWN}/secrets");
        let ours = "/apis/clientele.dev/v1alpha1";
        let only = |name: &str| format!("{path}?{query}&fieldSelector=metadata.name%3D{name}");
        let narrowed =
            if path == format!("{ours}/oauthclients") || path == format!("{ours}/oauthusers") {
                let kind = path.rsplit('/').next().unwrap_or_default();
                format!("{ours}/namespaces/{namespace}/{kind}?{query}")
            } else if path == "/api/v1/secrets" {
                format!("/api/v1/namespaces/{namespace}/secrets?{query}")
            } else if path == format!("{ours}/oauthtenants") {
                only(tenant)
            } else if path == "/api/v1/namespaces" {
                only(namespace)
            } else if path == own && !query.contains("fieldSelector") {
                only(&format!("clientele-signing-{tenant}"))
            } else if path.contains("/configmaps") {
                self.own_marks(&format!("{path}?{query}"))
            } else {
                format!("{path}?{query}")
            };
        narrowed.parse().unwrap()
    }

    /// Names the marks of this run where those of the installation are named.
    fn own_marks(&self, said: &str) -> String {
        let marks = &self.run.marks;
        if said.contains(&**marks) {
            return said.to_owned();
        }
        said.replace(INSTALLATION, marks)
    }

    /// Another writer is faster: adds to what is about to be replaced, or puts their own in the place of what is about
    /// to be deleted.
    async fn outrun(&self, call: &Call) {
        let name: &'static str = call.name.clone().leak();
        let added = json!({ "metadata": { "annotations": { "example.com/outran": "yes" } } });
        if call.namespace == OWN {
            return self.run.outrun_own(call).await;
        }
        let acts = if call.is_secret("replace") {
            vec![Action::EditSecret(
                name,
                json!({ "stringData": { "ADDED": "by others" } }),
            )]
        } else if call.is_secret("delete") {
            let theirs = json!({ "stringData": { "PASSWORD": "theirs" } });
            vec![
                Action::DeleteSecret(name),
                Action::CreateSecret(name, theirs),
            ]
        } else if call.is_status() && call.kind == "oauthclients" {
            vec![Action::Edit(name, added)]
        } else {
            vec![]
        };
        for act in acts {
            act.perform(&self.run).await;
        }
    }
}

fn reason(code: u16) -> &'static str {
    match code {
        403 => "Forbidden",
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        _ => "InternalError",
    }
}

/// What an API server says when it cannot.
pub fn failure(code: u16, reason: &str, message: &str) -> Response<AnyBody> {
    let status: Value = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    let mut response = Response::new(AnyBody::from(status.to_string()));
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}
