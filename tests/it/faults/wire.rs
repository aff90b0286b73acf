//! The connection to the API server beneath everything: one for each run, so that a run costs one handshake.

use axum::body::Body as AnyBody;
use axum::http::{Request, Response};
use futures::future::BoxFuture;
use kube::client::Body;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What came back, or that nothing did.
pub type Answer = Result<Response<AnyBody>, BoxError>;

/// A connection that speaks with whatever token it is told.
#[derive(Clone)]
pub struct Wire {
    http: reqwest::Client,
    server: String,
}

impl Wire {
    /// Connects to a server whose certificate this authority (PEM) signed.
    pub fn new(server: &str, authority: &[u8]) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let authority = reqwest::Certificate::from_pem(authority).unwrap();
        let http = reqwest::Client::builder()
            .tls_certs_only([authority])
            .no_proxy()
            .build()
            .unwrap();
        Self {
            http,
            server: server.trim_end_matches('/').to_owned(),
        }
    }

    /// Sends a request of kube's.
    pub async fn send(&self, token: &str, request: Request<Body>) -> Answer {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("{}{path}", self.server).parse()?;
        let bearer = format!("Bearer {token}");
        parts.headers.insert("authorization", bearer.parse()?);
        let body = body.collect_bytes().await?;
        let request = reqwest::Request::try_from(Request::from_parts(parts, body))?;
        let response: Response<reqwest::Body> = self.http.execute(request).await?.into();
        Ok(response.map(AnyBody::new))
    }

    /// A client with this token.
    pub fn client(&self, token: &str) -> kube::Client {
        let (wire, token) = (self.clone(), token.to_owned());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (wire, token) = (wire.clone(), token.clone());
            let sent: BoxFuture<'static, Answer> =
                Box::pin(async move { wire.send(&token, request).await });
            sent
        });
        kube::Client::new(service, "default")
    }
}
