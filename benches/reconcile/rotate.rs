//! What token requests take while secrets rotate, beside when none does, and beside when another client makes as many
//! writes on the same machine: what that costs is the API server's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clientele_api::OAuthClient;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::cluster::Cluster;
use crate::load;
use crate::measure::{Report, quantile};
use crate::tokens::Tokens;

/// Where the clients live.
const SPACE: &str = "rotating";
/// All of them rotate once in a round, and ask for tokens with what their Secrets held when it began.
const CLIENTS: usize = 200;
/// Seconds of a round's part.
const SECONDS: u32 = 10;
/// Token requests per second.
const RATE: u32 = 500;
/// Writes that a rotation costs: the request, the ledger twice, the Secret.
const WRITES: u32 = 4;
/// A round of rotations is waited for no longer.
const LONGEST: Duration = Duration::from_mins(1);

/// What happens meanwhile.
const PARTS: [&str; 3] = ["no secret rotates", "secrets rotate", "others write"];

pub fn measure(runtime: &Runtime, cluster: &Cluster, rounds: usize, report: &mut Report) {
    runtime.block_on(async {
        let rotations = Rotations::begin(cluster).await;
        let mut taken = [const { Vec::new() }; PARTS.len()];
        for round in 0..rounds {
            let tokens = Tokens::new(&rotations.credentials().await);
            // Each part comes first, second and last equally often.
            for part in (0..PARTS.len()).map(|n| (n + round) % PARTS.len()) {
                eprintln!("bench: round {} of {rounds}: {}", round + 1, PARTS[part]);
                let asked = tokens.ask(RATE, SECONDS);
                let (asked, ()) = tokio::join!(asked, rotations.meanwhile(part, round));
                taken[part].push(asked);
                rotations.wait().await;
            }
        }
        let rotated = CLIENTS * rounds;
        for (part, rounds) in PARTS.iter().zip(taken) {
            let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|q| {
                let each: Vec<f64> = rounds.iter().map(|round| quantile(round, q)).collect();
                quantile(&each, 0.5)
            });
            report.row(
                &format!(
                    "token requests ({RATE}/s) while {part}: p50, p99, p99.9, medians of the rounds"
                ),
                format!("{p50:.1}, {p99:.1}, {p999:.1} ms"),
            );
        }
        report.row(
            &format!(
                "rotations meanwhile, {} in a second",
                CLIENTS as u32 / SECONDS
            ),
            format!("{rotated}; no request failed"),
        );
    });
}

struct Rotations {
    clients: Api<OAuthClient>,
    secrets: Api<Secret>,
    others: Api<ConfigMap>,
}

impl Rotations {
    async fn begin(cluster: &Cluster) -> Self {
        eprintln!("bench: {CLIENTS} OAuthClients whose secrets will rotate");
        load::create_clients(cluster, SPACE, CLIENTS).await;
        let kube = cluster.kube().await;
        let rotations = Self {
            clients: Api::namespaced(kube.clone(), SPACE),
            secrets: Api::namespaced(kube.clone(), SPACE),
            others: Api::namespaced(kube, SPACE),
        };
        let other = serde_json::from_value(json!({ "metadata": { "name": "other" } })).unwrap();
        let params = PostParams::default();
        rotations.others.create(&params, &other).await.unwrap();
        rotations.wait().await;
        rotations
    }

    /// What the Secrets hold now.
    async fn credentials(&self) -> Vec<BTreeMap<String, String>> {
        let params = ListParams::default().labels("clientele.dev/oauthclient");
        let list = self.secrets.list(&params).await.unwrap();
        assert_eq!(list.items.len(), CLIENTS);
        list.iter().map(crate::test_namespace::entries).collect()
    }

    async fn meanwhile(&self, part: usize, round: usize) {
        match part {
            1 => self.rotate(round).await,
            2 => self.write_something_else(round).await,
            _ => {}
        }
    }

    /// Asks for all rotations, evenly over the time.
    async fn rotate(&self, round: usize) {
        let mut due = tokio::time::interval(Duration::from_secs(SECONDS.into()) / CLIENTS as u32);
        for client in 0..CLIENTS {
            due.tick().await;
            let name = format!("client-{client:05}");
            let patch =
                json!({ "spec": { "rotation": { "requestId": format!("round-{round}") } } });
            let (patch, params) = (Patch::Merge(patch), PatchParams::default());
            self.clients.patch(&name, &params, &patch).await.unwrap();
        }
    }

    /// As many writes to an object that no watch observes.
    async fn write_something_else(&self, round: usize) {
        let writes = CLIENTS as u32 * WRITES;
        let mut due = tokio::time::interval(Duration::from_secs(SECONDS.into()) / writes);
        for write in 0..writes {
            due.tick().await;
            let patch =
                json!({ "data": { "write": format!("{round} {write} {}", "x".repeat(1000)) } });
            let (patch, params) = (Patch::Merge(patch), PatchParams::default());
            self.others.patch("other", &params, &patch).await.unwrap();
        }
    }

    /// Until every secret that was asked for is published.
    async fn wait(&self) {
        let begun = Instant::now();
        loop {
            let list = self.clients.list(&ListParams::default()).await.unwrap();
            if list.iter().all(is_published) {
                return;
            }
            assert!(begun.elapsed() < LONGEST, "not every rotation is published");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

fn is_published(client: &OAuthClient) -> bool {
    let Some(status) = &client.status else {
        return false;
    };
    let wanted = client
        .spec
        .rotation
        .as_ref()
        .and_then(|rotation| rotation.request_id.as_ref());
    let handled = status
        .rotation
        .as_ref()
        .and_then(|rotation| rotation.last_handled_request_id.as_ref());
    let ledger = status.secret_generation.as_ref();
    wanted == handled && ledger.is_some_and(|ledger| ledger.published == ledger.requested)
}
