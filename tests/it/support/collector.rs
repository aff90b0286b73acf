//! A collector of traces on loopback, which takes OTLP over HTTP as a real one does, and misbehaves as it is told.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::http::{Response, StatusCode};
use clientele_http::server::Limits;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::running::Running;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// As it shall.
    Accepts,
    /// With 500.
    Refuses,
    /// Never.
    Stalls,
    /// With a body that does not end.
    Babbles,
}

struct Received {
    conduct: Conduct,
    bodies: Vec<Bytes>,
}

/// A collector; it ends with this value.
pub struct Collector {
    running: Running,
    received: Arc<Mutex<Received>>,
}

impl Collector {
    /// Listens on a free port.
    pub async fn start(conduct: Conduct) -> Self {
        let bodies = Vec::new();
        let received = Arc::new(Mutex::new(Received { conduct, bodies }));
        let shared = received.clone();
        let service = tower::service_fn(move |request: Request<Incoming>| {
            let shared = shared.clone();
            async move { Ok::<_, Infallible>(answer(&shared, request).await) }
        });
        Self {
            running: Running::start(service, None, Limits::default()).await,
            received,
        }
    }

    /// What `--otlp-endpoint` says.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.running.address)
    }

    /// From now on it answers like this.
    pub fn turn(&self, conduct: Conduct) {
        self.received.lock().unwrap().conduct = conduct;
    }

    /// How many exchanges there were.
    pub fn exchanges(&self) -> usize {
        self.received.lock().unwrap().bodies.len()
    }

    /// Everything that was sent, as it was sent.
    pub fn bytes(&self) -> Vec<u8> {
        self.received.lock().unwrap().bodies.concat()
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let received = self.received.lock().unwrap();
        let bodies = received.bodies.iter();
        bodies
            .map(|body| ExportTraceServiceRequest::decode(&**body).expect("it is OTLP"))
            .collect()
    }

    /// The spans, in the order of their ends.
    pub fn spans(&self) -> Vec<Span> {
        let resources = self.requests().into_iter();
        let resources = resources.flat_map(|request| request.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    /// The only span of this name.
    pub fn span(&self, name: &str) -> Span {
        let (mut named, others): (Vec<_>, Vec<_>) =
            self.spans().into_iter().partition(|span| span.name == name);
        let others: Vec<_> = others.into_iter().map(|span| span.name).collect();
        assert_eq!(named.len(), 1, "{name} beside {others:?}");
        named.remove(0)
    }

    /// An attribute of the process that sent.
    pub fn about_the_process(&self, key: &str) -> Option<String> {
        let request = self.requests().into_iter().next()?;
        let resource = request.resource_spans.into_iter().next()?.resource?;
        find(&resource.attributes, key)
    }
}

/// An attribute of a span, as text.
pub fn attribute(span: &Span, key: &str) -> Option<String> {
    find(&span.attributes, key)
}

fn find(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{key}: {other:?}"),
    }
}

async fn answer(received: &Mutex<Received>, request: Request<Incoming>) -> Response<Body> {
    assert_eq!(request.uri().path(), "/v1/traces");
    assert_eq!(request.headers()["content-type"], "application/x-protobuf");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let conduct = {
        let mut received = received.lock().unwrap();
        received.bodies.push(body);
        received.conduct
    };
    match conduct {
        Conduct::Accepts => Response::new(Body::empty()),
        Conduct::Refuses => {
            let mut response = Response::new(Body::from("no"));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
        Conduct::Stalls => std::future::pending().await,
        Conduct::Babbles => {
            let part = Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 8192]));
            Response::new(Body::from_stream(futures::stream::repeat(part)))
        }
    }
}
