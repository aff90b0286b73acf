//! People who stay signed in: families of refresh tokens that go on through every drill, and a session without a page.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use url::form_urlencoded::Serializer;

use super::installation::{Installation, TEAM};
use super::load::Destination;
use crate::node::tally::{Failure, Tally};
use crate::support::ask::VERIFIER;
use crate::support::browser::{Answer, Browser, Server};
use crate::support::load::Entries;
use crate::support::people::{APP, PASSWORD};
use crate::support::reply::Reply;
use crate::support::signed_in::request;
use crate::support::test_namespace::TestNamespace;

/// How many families there are; each is refreshed twice a second.
const FAMILIES: usize = 3;

/// What an application does for people, again and again.
#[derive(Clone)]
pub struct SignedInUsers {
    destination: Destination,
    application: Entries,
    /// The newest token of each family.
    families: Vec<Arc<Mutex<String>>>,
    /// The cookies of the session.
    cookies: String,
}

impl SignedInUsers {
    /// Makes a person and an application, where they are not there yet, and signs in.
    pub async fn sign_in(on: &Installation) -> Self {
        let space = TestNamespace {
            kube: on.kube.clone(),
            name: TEAM.to_owned(),
            issuer: String::new(),
        };
        if space.users().get_opt("alice").await.unwrap().is_none() {
            space.label_for_people().await;
            space.person("default", "alice", PASSWORD).await;
            space.ready("shop", json!({ "redirectUris": [APP] })).await;
        }
        let application = space.entries("shop-oauth").await;
        let mut people = Self {
            destination: on.destination.clone(),
            application,
            families: Vec::new(),
            cookies: String::new(),
        };
        for _ in 0..FAMILIES {
            let mut browser = Browser::before(Door {
                destination: on.destination.clone(),
                issuer: people.application["ISSUER"].clone(),
            });
            let told = browser
                .allow(&request(&people.application).url(), "alice")
                .await;
            let answer = people.exchange(&told["code"]).await.unwrap();
            people
                .families
                .push(Arc::new(Mutex::new(refresh_token(&answer).unwrap())));
            let cookies = browser
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            people.cookies = cookies.collect::<Vec<_>>().join("; ");
        }
        people
    }

    /// Refreshes this family until it is stopped. A request that failed is repeated with the same token, as applications do.
    pub async fn refresh(
        self,
        family: usize,
        began: Instant,
        tally: Arc<Mutex<Tally>>,
        stop: CancellationToken,
    ) {
        let mut pace = twice_a_second();
        while stop.run_until_cancelled(pace.tick()).await.is_some() {
            let at = began.elapsed();
            let outcome = self.refresh_once(family).await;
            tally.lock().unwrap().record("refresh", at, outcome);
        }
    }

    /// How many tries it takes to refresh this family; more than `most` is one more.
    pub async fn tries_to_refresh(&self, family: usize, most: usize) -> usize {
        for tried in 1..=most {
            if self.refresh_once(family).await.is_ok() {
                return tried;
            }
        }
        most + 1
    }

    async fn refresh_once(&self, family: usize) -> Result<(), Failure> {
        let token = self.families[family].lock().unwrap().clone();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &*token)];
        let answer = self.call(&fields).await?;
        let token = refresh_token(&answer).ok_or(Failure::Nonsense)?;
        *self.families[family].lock().unwrap() = token;
        Ok(())
    }

    /// Opens the application without a page (`prompt=none`) and exchanges the code, until it is stopped.
    pub async fn visit(self, began: Instant, tally: Arc<Mutex<Tally>>, stop: CancellationToken) {
        let mut pace = twice_a_second();
        while stop.run_until_cancelled(pace.tick()).await.is_some() {
            let at = began.elapsed();
            let outcome = self.visit_once().await;
            tally.lock().unwrap().record("session", at, outcome);
        }
    }

    async fn visit_once(&self) -> Result<(), Failure> {
        let path = request(&self.application).with("prompt", "none").url();
        let host = self.host();
        let text = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nCookie: {}\r\n\r\n",
            self.cookies
        );
        let answer = self.destination.ask(&text).await?;
        Failure::of_answer(&answer, 303)?;
        let reply = reply(&answer).ok_or(Failure::Nonsense)?;
        let location = url::Url::parse(reply.header("location")).map_err(|_| Failure::Nonsense)?;
        let code = location.query_pairs().find(|(name, _)| name == "code");
        let code =
            code.ok_or_else(|| Failure::Lost(location.query().unwrap_or_default().to_owned()))?;
        self.exchange(&code.1).await.map(drop)
    }

    async fn exchange(&self, code: &str) -> Result<Reply, Failure> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", APP),
            ("code_verifier", VERIFIER),
        ];
        self.call(&fields).await
    }

    /// A request of the application to the token endpoint.
    async fn call(&self, fields: &[(&str, &str)]) -> Result<Reply, Failure> {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let (id, secret) = (
            &self.application["CLIENT_ID"],
            &self.application["CLIENT_SECRET"],
        );
        let basic = STANDARD.encode(format!("{id}:{secret}"));
        let text = format!(
            "POST /token HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Basic {basic}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.host(),
            body.len()
        );
        let answer = self.destination.ask(&text).await?;
        let outcome = Failure::of_answer(&answer, 200);
        let answer = reply(&answer).ok_or(Failure::Broken);
        match outcome {
            // The server took the credentials of the client, and does not take the token or code.
            Err(Failure::Status(400)) => Err(Failure::Lost(answer?.body)),
            outcome => outcome.and(answer),
        }
    }

    fn host(&self) -> &str {
        self.application["ISSUER"].trim_start_matches("https://")
    }

    /// How many families there are.
    pub fn families(&self) -> usize {
        self.families.len()
    }
}

/// Also after an answer that took long: an application does not make up for what it missed.
fn twice_a_second() -> Interval {
    let mut pace = interval(Duration::from_millis(500));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

fn refresh_token(answer: &Reply) -> Option<String> {
    let token: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
    Some(token["refresh_token"].as_str()?.to_owned())
}

/// The public Service, as a browser meets it.
struct Door {
    destination: Destination,
    issuer: String,
}

impl Server for Door {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn send(&self, request: Request<Body>) -> Answer<'_> {
        Box::pin(async {
            let (mut parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let host = self.issuer.trim_start_matches("https://");
            parts
                .headers
                .insert(HOST, HeaderValue::from_str(host).unwrap());
            parts
                .headers
                .insert(CONNECTION, HeaderValue::from_static("close"));
            parts.headers.insert(CONTENT_LENGTH, body.len().into());
            let mut text = format!("{} {} HTTP/1.1\r\n", parts.method, parts.uri);
            for (name, value) in &parts.headers {
                text.extend([name.as_str(), ": ", value.to_str().unwrap(), "\r\n"]);
            }
            text += "\r\n";
            text += std::str::from_utf8(&body).unwrap();
            reply(&self.destination.ask(&text).await.unwrap()).unwrap()
        })
    }
}

/// An answer with `Connection: close`, whose body ends with it.
fn reply(answer: &[u8]) -> Option<Reply> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).ok()?,
            HeaderValue::from_str(value).ok()?,
        );
    }
    Some(Reply {
        status,
        headers,
        body: body.to_owned(),
    })
}
