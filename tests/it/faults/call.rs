//! What a request to the API server is about.

use axum::http::{Method, Uri};
use serde_json::Value;

/// A request, as far as it can be told from method, path and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `create`, `replace`, `patch`, `delete` or `read`.
    pub verb: &'static str,
    /// Where; empty for what belongs to no namespace.
    pub namespace: String,
    /// The plural of the kind.
    pub kind: String,
    /// The name, as far as one is given.
    pub name: String,
    /// Such as `status`.
    pub subresource: String,
}

impl Call {
    /// Reads a request.
    pub fn of(method: &Method, uri: &Uri, body: &[u8]) -> Self {
        let verb = match *method {
            Method::POST => "create",
            Method::PUT => "replace",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ => "read",
        };
        let mut words = uri.path().trim_matches('/').split('/');
        let skipped = if words.next() == Some("api") { 1 } else { 2 };
        let words: Vec<&str> = words.skip(skipped).collect();
        let (namespace, rest) = match &words[..] {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
            rest => ("", rest),
        };
        let word = |at: usize| (*rest.get(at).unwrap_or(&"")).to_owned();
        let mut name = word(1);
        if name.is_empty() && verb == "create" {
            let object: Value = serde_json::from_slice(body).unwrap_or_default();
            name = object["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
        }
        Self {
            verb,
            namespace: namespace.to_owned(),
            kind: word(0),
            name,
            subresource: word(2),
        }
    }

    /// Whether it changes something. Events are told, not decided: they are not numbered.
    pub fn is_write(&self) -> bool {
        self.verb != "read" && self.kind != "events"
    }

    /// Whether it writes a Secret in this way.
    pub fn is_secret(&self, verb: &str) -> bool {
        self.kind == "secrets" && self.verb == verb
    }

    /// Whether it writes a status.
    pub fn is_status(&self) -> bool {
        self.verb == "patch" && self.subresource == "status"
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.verb, self.kind, self.name)?;
        match &*self.subresource {
            "" => Ok(()),
            subresource => write!(f, "/{subresource}"),
        }
    }
}

#[test]
fn a_request_is_told_by_its_path() {
    let table = [
        (
            Method::POST,
            "/api/v1/namespaces/a/secrets?x",
            "create secrets/b",
        ),
        (
            Method::PUT,
            "/api/v1/namespaces/a/secrets/c",
            "replace secrets/c",
        ),
        (
            Method::PATCH,
            "/apis/clientele.dev/v1alpha1/namespaces/a/oauthclients/c/status",
            "patch oauthclients/c/status",
        ),
        (
            Method::DELETE,
            "/apis/clientele.dev/v1alpha1/oauthtenants/t",
            "delete oauthtenants/t",
        ),
        (Method::GET, "/api/v1/namespaces", "read namespaces/"),
    ];
    for (method, uri, said) in table {
        let call = Call::of(
            &method,
            &uri.parse().unwrap(),
            br#"{"metadata":{"name":"b"}}"#,
        );
        assert_eq!(call.to_string(), said);
    }
}
