//! A server that runs, as a browser meets it.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;

use super::browser::{Answer, Browser, Server};
use super::reply::Reply;
use super::test_namespace::http_without_redirects;

struct RunningServer {
    http: reqwest::Client,
    issuer: String,
}

/// A browser without cookies in front of the server of this issuer.
pub fn browser_at(issuer: &str) -> Browser<'static> {
    Browser::before(RunningServer {
        http: http_without_redirects(),
        issuer: issuer.to_owned(),
    })
}

impl Server for RunningServer {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn send(&self, request: Request<Body>) -> Answer<'_> {
        Box::pin(async {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let url = format!("{}{}", self.issuer, parts.uri);
            let request = self.http.request(parts.method, url);
            let answer = request.headers(parts.headers).body(body).send();
            let answer = answer.await.unwrap();
            Reply {
                status: answer.status().as_u16(),
                headers: answer.headers().clone(),
                body: answer.text().await.unwrap(),
            }
        })
    }
}
