//! Applications that ask for tokens: once each, or without a pause until they are told to stop.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::Value;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use super::snapshot::Credentials;
use super::test_namespace::{entries, http};

/// The entries of one credentials Secret.
pub type Entries = BTreeMap<String, String>;

/// Asks the token endpoint that the entries name; the error is what was answered.
pub async fn ask(http: &reqwest::Client, entries: &Entries) -> Result<String, String> {
    ask_at(http, &entries["TOKEN_ENDPOINT"], entries).await
}

/// Asks this token endpoint.
pub async fn ask_at(
    http: &reqwest::Client,
    endpoint: &str,
    entries: &Entries,
) -> Result<String, String> {
    let answer = http
        .post(endpoint)
        .basic_auth(&entries["CLIENT_ID"], entries.get("CLIENT_SECRET"))
        .form(&[("grant_type", "client_credentials")])
        .send()
        .await
        .map_err(|error| format!("{error:?}"))?;
    let code = answer.status().as_u16();
    let body: Value = answer.json().await.map_err(|error| format!("{error:?}"))?;
    match (code, body["access_token"].as_str()) {
        (200, Some(token)) => Ok(token.to_owned()),
        _ => Err(format!("{code} {body}")),
    }
}

/// Every one of these credentials is good for a token.
pub async fn all_work(credentials: &Credentials) {
    let http = http();
    let refused: Vec<(&String, String)> = stream::iter(credentials)
        .map(|(name, entries)| {
            let http = &http;
            async move { (name, ask(http, entries).await) }
        })
        .buffer_unordered(32)
        .filter_map(|(name, answer)| async move { Some((name, answer.err()?)) })
        .collect()
        .await;
    assert!(
        refused.is_empty(),
        "{} of {} refused: {refused:?}",
        refused.len(),
        credentials.len()
    );
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Tally {
    pub issued: usize,
    pub refused: Vec<String>,
}

impl Tally {
    /// Not one request failed, and there were some.
    #[track_caller]
    pub fn is_flawless(&self) {
        assert!(
            self.refused.is_empty(),
            "{} of {} failed, such as {:?}",
            self.refused.len(),
            self.issued + self.refused.len(),
            self.refused.first()
        );
        assert!(self.issued > 0, "nothing was asked");
    }
}

/// Asks without a pause, one request after the other.
pub struct Load {
    stop: CancellationToken,
    task: JoinHandle<Tally>,
}

impl Load {
    /// Starts to ask with these credentials.
    pub fn start(entries: Entries) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let (http, mut tally) = (http(), Tally::default());
            while !stopped.is_cancelled() {
                match ask(&http, &entries).await {
                    Ok(_) => tally.issued += 1,
                    Err(answer) => tally.refused.push(answer),
                }
                // An application among others: it must not starve the one that it measures.
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tally
        });
        Self { stop, task }
    }

    /// An application that reads its Secret before every request, this many times a second.
    pub fn reading(secrets: Api<Secret>, name: &'static str, per_second: u32) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let (http, mut requests) = (http(), JoinSet::new());
            let mut pace = interval(Duration::from_secs(1) / per_second);
            while stopped.run_until_cancelled(pace.tick()).await.is_some() {
                let (secrets, http) = (secrets.clone(), http.clone());
                requests.spawn(async move {
                    let secret = secrets.get(name).await.unwrap();
                    ask(&http, &entries(&secret)).await
                });
            }
            let mut tally = Tally::default();
            for answer in requests.join_all().await {
                match answer {
                    Ok(_) => tally.issued += 1,
                    Err(answer) => tally.refused.push(answer),
                }
            }
            tally
        });
        Self { stop, task }
    }

    /// Ends after the request in flight.
    pub async fn stop(self) -> Tally {
        self.stop.cancel();
        self.task.await.unwrap()
    }
}
