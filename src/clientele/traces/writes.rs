//! The span of each write to the API server. It is made around the connection, so that it does not matter which part of the program
//! writes; a request that only reads has none. Of the request it has method and path: what is written is in the body.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::{Method, Request, Response};
use tower::{Layer, Service};
use tracing::{Instrument, Span};

use clientele_telemetry::trace;

/// Makes a span of each write over a connection.
#[derive(Clone, Copy, Debug)]
pub struct WriteSpans;

impl<S> Layer<S> for WriteSpans {
    type Service = TracedWrites<S>;

    fn layer(&self, service: S) -> TracedWrites<S> {
        TracedWrites(service)
    }
}

/// A connection whose writes are spans. A write that is tried again is one.
#[derive(Clone, Debug)]
pub struct TracedWrites<S>(S);

impl<S, B, R> Service<Request<B>> for TracedWrites<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send + 'static>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let span = span(request.method(), request.uri().path());
        let answer = self.0.call(request);
        let Some(span) = span else {
            return Box::pin(answer);
        };
        Box::pin(async move {
            let answered = answer.instrument(span.clone()).await;
            let response = answered.as_ref().ok();
            trace::written(&span, response.map(|it| it.status().as_u16()));
            answered
        })
    }
}

/// The span of a request, if it writes.
fn span(method: &Method, path: &str) -> Option<Span> {
    let verb = match *method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => return None,
    };
    let ResourcePath {
        resource,
        namespace,
        name,
    } = ResourcePath::read(path)?;
    Some(trace::kubernetes_write(verb, &resource, namespace, name))
}

/// What a path of the API server names.
#[derive(Debug, PartialEq, Eq)]
struct ResourcePath<'p> {
    /// With its subresource, such as `oauthclients/status`.
    resource: String,
    namespace: Option<&'p str>,
    name: Option<&'p str>,
}

impl<'p> ResourcePath<'p> {
    /// Reads `/api/v1/…` and `/apis/<group>/<version>/…`. `None` for what is no resource.
    fn read(path: &'p str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        let (["", "api", _, parts @ ..] | ["", "apis", _, _, parts @ ..]) = &*parts else {
            return None;
        };
        let (namespace, parts) = match parts {
            ["namespaces", namespace, parts @ ..] if !parts.is_empty() => (Some(*namespace), parts),
            parts => (None, parts),
        };
        let (resource, name) = match parts {
            [resource] => ((*resource).to_owned(), None),
            [resource, name] => ((*resource).to_owned(), Some(*name)),
            [resource, name, subresource @ ..] => {
                let subresource = subresource.join("/");
                (format!("{resource}/{subresource}"), Some(*name))
            }
            [] => return None,
        };
        Some(Self {
            resource,
            namespace,
            name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names<'p>(
        resource: &str,
        namespace: Option<&'p str>,
        name: Option<&'p str>,
    ) -> ResourcePath<'p> {
        ResourcePath {
            resource: resource.to_owned(),
            namespace,
            name,
        }
    }

    #[test]
    fn o17_a_path_names_resource_namespace_and_object() {
        for (path, expected) in [
            (
                "/api/v1/namespaces/apps/secrets",
                Some(names("secrets", Some("apps"), None)),
            ),
            (
                "/api/v1/namespaces/apps/secrets/web-oauth",
                Some(names("secrets", Some("apps"), Some("web-oauth"))),
            ),
            (
                "/apis/clientele.dev/v1alpha1/namespaces/apps/oauthclients/web/status",
                Some(names("oauthclients/status", Some("apps"), Some("web"))),
            ),
            (
                "/apis/clientele.dev/v1alpha1/oauthtenants",
                Some(names("oauthtenants", None, None)),
            ),
            ("/api/v1/namespaces", Some(names("namespaces", None, None))),
            (
                "/api/v1/namespaces/apps",
                Some(names("namespaces", None, Some("apps"))),
            ),
            ("/version", None),
            ("/api/v1", None),
            ("/apis/clientele.dev/v1alpha1", None),
            ("api/v1/secrets", None),
            ("", None),
        ] {
            assert_eq!(ResourcePath::read(path), expected, "{path}");
        }
    }

    proptest! {
        #[test]
        fn o17_any_path_is_read_or_no_write(path: String, nearly in "/apis?(/[a-z0-9%]{0,4}){0,8}") {
            for path in [path, nearly] {
                if let Some(target) = ResourcePath::read(&path) {
                    prop_assert!(path.contains(&target.resource) || target.name.is_some());
                }
                prop_assert!(span(&Method::GET, &path).is_none());
            }
        }
    }
}
