//! The pages, at an API server that is a function.

mod actions;
mod create;
mod edit;
mod overview;
mod secret;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clientele_kubectl::args::TestFlags;
use clientele_kubectl::shared::IssuerClient;
use http_body_util::BodyExt;
use kube::client::Body as KubeBody;
use serde_json::{Value, json};
use tower::{ServiceExt, service_fn};

use crate::cluster::Cluster;
use crate::form::{Fields, Form};
use crate::person::Caller;
use crate::rows::Rows;

/// A client secret of the right form.
const CANARY: &str = "clt_rootkey100000001.canarycanarycanarycanarycanarycanarycanaABC0a1B2c";

/// An API server with one client, and with what it was asked.
#[derive(Clone)]
struct Server {
    client: Arc<Mutex<Value>>,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    /// What a write is answered with instead of being stored.
    refusal: Option<Value>,
    /// Whether access reviews say no.
    denied: bool,
    read_only: bool,
}

fn web() -> Value {
    json!({
        "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthClient",
        "metadata": { "name": "web", "namespace": "apps", "uid": "u1", "generation": 1, "resourceVersion": "7" },
        "spec": { "type": "Confidential", "tenant": "default", "firstParty": true, "displayName": "Orders <b>",
                  "redirectUris": ["https://orders.example/cb"], "requirePkce": true },
        "status": { "observedGeneration": 1, "clientId": "apps.web", "issuer": "https://id.example", "secretName": "web-oauth",
                    "secretGeneration": { "requested": 1, "published": 1, "oldestAccepted": 1 },
                    "conditions": [{ "type": "Ready", "status": "True", "reason": "Registered", "message": "works", "lastTransitionTime": "2026-11-30T00:00:00Z" }] },
    })
}

impl Server {
    fn new() -> Self {
        assert_eq!(CANARY.len(), clientele_oauth::client::secret::SECRET_LEN);
        Self {
            client: Arc::new(Mutex::new(web())),
            asked: Arc::default(),
            refusal: None,
            denied: false,
            read_only: false,
        }
    }

    fn answer(&self, method: &Method, uri: &str, body: Value) -> (u16, Value) {
        self.asked
            .lock()
            .unwrap()
            .push((format!("{method} {uri}"), body.clone()));
        let path = uri.split('?').next().unwrap();
        let write = matches!(
            *method,
            Method::POST | Method::PUT | Method::PATCH | Method::DELETE
        );
        if path.ends_with("selfsubjectaccessreviews") {
            return (201, json!({ "status": { "allowed": !self.denied } }));
        }
        if let (true, Some(refusal)) = (write, &self.refusal) {
            return (
                u16::try_from(refusal["code"].as_u64().unwrap()).unwrap(),
                refusal.clone(),
            );
        }
        let data = json!({ "CLIENT_ID": STANDARD.encode("apps.web"), "CLIENT_SECRET": STANDARD.encode(CANARY) });
        match path {
            _ if path.ends_with("/secrets/web-oauth") => (200, json!({ "data": data })),
            _ if path.ends_with("/oauthclients/web") => {
                if *method == Method::PUT && !uri.contains("dryRun") {
                    *self.client.lock().unwrap() = body;
                }
                (200, self.client.lock().unwrap().clone())
            }
            _ if path.ends_with("/oauthtenants/default") => (200, json!({ "spec": {} })),
            _ if write => (201, body),
            _ => (200, json!({ "items": [] })),
        }
    }

    fn person(&self, fragment: bool) -> Caller {
        let server = self.clone();
        let service = service_fn(move |request: Request<KubeBody>| {
            let server = server.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                let (code, value) = server.answer(&parts.method, &parts.uri.to_string(), body);
                let response = Response::builder().status(code);
                let body = KubeBody::from(value.to_string().into_bytes());
                Ok::<_, Infallible>(response.body(body).unwrap())
            }
        });
        Caller {
            cluster: Cluster::new(kube::Client::new(service, "apps"), "https://k8s"),
            namespace: "apps".to_owned(),
            place: "test".to_owned(),
            read_only: self.read_only,
            form_token: "token".into(),
            fragment,
            version: "1".into(),
            rows: Rows::new(),
            who: None,
            issuer: IssuerClient::new(&TestFlags::default()).unwrap(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: &str, fragment: bool) -> Shown {
        let mut request = Request::builder().method(method).uri(path);
        let extensions = request.extensions_mut().unwrap();
        extensions.insert(self.person(fragment));
        extensions.insert(Form(Fields::parse(body.as_bytes())));
        let request = request.body(Body::empty()).unwrap();
        let response = super::routes().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        Shown {
            status: parts.status,
            location: parts
                .headers
                .get("location")
                .map_or_else(String::new, |value| value.to_str().unwrap().to_owned()),
            unstored: parts
                .headers
                .get("cache-control")
                .is_some_and(|value| value == "no-store"),
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Shown {
        self.send(Method::GET, path, "", false).await
    }

    async fn post(&self, path: &str, body: &str) -> Shown {
        self.send(Method::POST, path, body, false).await
    }

    /// The writes that were stored, or would have been.
    fn writes(&self) -> Vec<(String, Value)> {
        let asked = self.asked.lock().unwrap();
        let writes = asked.iter().filter(|(line, _)| {
            !line.starts_with("GET") && !line.contains("dryRun") && !line.contains("accessreviews")
        });
        writes.cloned().collect()
    }
}

struct Shown {
    status: StatusCode,
    location: String,
    unstored: bool,
    text: String,
}

const PAGES: [&str; 10] = [
    "",
    "/credentials",
    "/lifetimes",
    "/snippets",
    "/test",
    "/yaml",
    "/events",
    "/edit",
    "/delete",
    "/secret",
];

/// The fields of the form to edit, as its page has them.
async fn edit_fields(server: &Server, changed: &[(&str, &str)]) -> String {
    let page = server.get("/clients/apps/web/edit").await.text;
    let value = |name: &str| {
        let field = format!("name=\"{name}\" value=\"");
        let rest = page
            .split_once(&field)
            .unwrap_or_else(|| panic!("{name}: {page}"))
            .1;
        rest.split('"')
            .next()
            .unwrap()
            .replace("&#38;", "&")
            .replace("&amp;", "&")
    };
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    for name in ["version", "was"] {
        body.append_pair(name, &value(name));
    }
    let shown = [
        ("display-name", "Orders <b>"),
        ("type", "Confidential"),
        ("redirect-uris", "https://orders.example/cb"),
        ("first-party", "on"),
    ];
    for (name, value) in shown {
        let new = changed.iter().find(|(changed, _)| *changed == name);
        match new.map(|(_, new)| *new) {
            Some("") if name == "first-party" => {}
            new => {
                body.append_pair(name, new.unwrap_or(value));
            }
        }
    }
    for (name, value) in changed
        .iter()
        .filter(|(name, _)| *name == "anyway" || *name == "check")
    {
        body.append_pair(name, value);
    }
    body.finish()
}
