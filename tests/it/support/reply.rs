//! A response, read whole.

use axum::body::Body;
use axum::http::{HeaderMap, Response};
use http_body_util::BodyExt;
use serde_json::Value;

/// A response of the server.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    pub async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// A header, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub fn access_token(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Status and error code, as a table shows them.
    pub fn outcome(&self) -> String {
        if self.status == 200 {
            return "200 issued".to_owned();
        }
        format!("{} {}", self.status, self.json()["error"].as_str().unwrap())
    }

    /// The row's "JSON n e": status, error, media type, caching, challenge (RFC 6749 §5.2).
    #[track_caller]
    pub fn refuses(&self, status: u16, error: &str) {
        assert_eq!(self.outcome(), format!("{status} {error}"), "{}", self.body);
        self.is_a_refusal();
    }

    /// The form that every refusal of a token endpoint has.
    #[track_caller]
    pub fn is_a_refusal(&self) {
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("pragma"), "no-cache");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert_eq!(self.header("access-control-allow-origin"), "");
        let challenge = self.header("www-authenticate");
        assert_eq!(
            challenge.starts_with("Basic realm=\"https://id.example"),
            self.status == 401
        );
        let body = self.json();
        let members: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["error", "error_description"]);
        let description = body["error_description"].as_str().unwrap();
        let allowed = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(description.bytes().all(allowed), "{description}");
    }
}
