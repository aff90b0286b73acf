//! What the Secrets of all clients hold, and whether it works.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::ListParams;
use reqwest::StatusCode;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::test_namespace::{entries, http};

/// Objects in one page of a list.
const PAGE: u32 = 5000;
/// Token requests at a time.
const AT_ONCE: usize = 32;

/// By namespace and name of the Secret.
#[derive(Default, PartialEq)]
pub struct Credentials(BTreeMap<String, BTreeMap<String, String>>);

impl Credentials {
    /// Those of every client.
    pub async fn read(cluster: &Cluster) -> Self {
        Self::list(&Api::all(cluster.kube().await)).await
    }

    /// Those of one namespace.
    pub async fn read_in(cluster: &Cluster, space: &str) -> Self {
        Self::list(&Api::namespaced(cluster.kube().await, space)).await
    }

    async fn list(api: &Api<Secret>) -> Self {
        let mut params = ListParams::default()
            .labels("clientele.dev/oauthclient")
            // The installation may have a client of its own.
            .fields("metadata.namespace!=clientele-system")
            .limit(PAGE);
        let mut all = BTreeMap::new();
        loop {
            let page = api.list(&params).await.unwrap();
            for secret in &page.items {
                let meta = &secret.metadata;
                let (space, name) = (meta.namespace.as_ref(), meta.name.as_ref());
                let key = format!("{}/{}", space.unwrap(), name.unwrap());
                all.insert(key, entries(secret));
            }
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Self(all),
            }
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What this reading has of one namespace.
    pub fn of(&self, space: &str) -> Self {
        let prefix = format!("{space}/");
        let own = self.0.iter().filter(|(key, _)| key.starts_with(&prefix));
        Self(own.map(|(key, held)| (key.clone(), held.clone())).collect())
    }

    /// Those outside of one namespace that another reading lacks or has otherwise.
    pub fn changed_outside(&self, space: &str, later: &Self) -> Vec<&String> {
        let prefix = format!("{space}/");
        let others = self.0.iter().filter(|(key, _)| !key.starts_with(&prefix));
        others
            .filter(|(key, held)| later.0.get(*key) != Some(held))
            .map(|(key, _)| key)
            .collect()
    }

    /// How many of these another reading has with another secret.
    pub fn with_another_secret(&self, later: &Self) -> usize {
        let secret = |held: &BTreeMap<String, String>| held.get("CLIENT_SECRET").cloned();
        let differs = |key: &String, held| {
            let later = later.0.get(key).and_then(secret);
            later.is_some() && later != secret(held)
        };
        self.0
            .iter()
            .filter(|(key, held)| differs(key, held))
            .count()
    }

    /// Asks for a token with each; how many got one for their own client ID, and how many were refused as unknown or wrong.
    pub async fn try_all(&self) -> Tried {
        let http = http();
        futures::stream::iter(self.0.values())
            .map(|held| ask(&http, held))
            .buffer_unordered(AT_ONCE)
            .fold(Tried::default(), async |mut tried, answer| {
                match answer {
                    Answer::Own => tried.own += 1,
                    Answer::Refused => tried.refused += 1,
                    Answer::Wrong(why) => tried.wrong.push(why),
                }
                tried
            })
            .await
    }
}

/// What became of token requests.
#[derive(Debug, Default)]
pub struct Tried {
    pub own: usize,
    pub refused: usize,
    /// Tokens of another client, and answers that are neither.
    pub wrong: Vec<String>,
}

enum Answer {
    Own,
    Refused,
    Wrong(String),
}

async fn ask(http: &reqwest::Client, held: &BTreeMap<String, String>) -> Answer {
    let id = &held["CLIENT_ID"];
    let answer = token(http, held).await;
    let status = answer.status();
    if status == StatusCode::UNAUTHORIZED {
        return Answer::Refused;
    }
    let body: Value = answer.json().await.unwrap();
    let claims = body["access_token"].as_str().and_then(claims);
    match claims {
        Some(claims) if claims["client_id"] == **id => Answer::Own,
        _ => Answer::Wrong(format!("{id}: {status}")),
    }
}

/// The seconds for which a token that is issued now lives.
pub async fn lifetime(held: &BTreeMap<String, String>) -> Option<u64> {
    token(&http(), held).await.json::<Value>().await.unwrap()["expires_in"].as_u64()
}

/// The answer to a request for a token, with what a Secret holds.
pub async fn token(http: &reqwest::Client, held: &BTreeMap<String, String>) -> reqwest::Response {
    let request = http
        .post(&held["TOKEN_ENDPOINT"])
        .basic_auth(&held["CLIENT_ID"], Some(&held["CLIENT_SECRET"]))
        .form(&[("grant_type", "client_credentials")]);
    request.send().await.unwrap()
}

/// The claims of a JWT, without looking at its signature.
fn claims(token: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}
