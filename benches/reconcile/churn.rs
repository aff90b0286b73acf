//! One namespace whose thousands of clients change without a pause: what a new client of another namespace waits until
//! it can be used, and what everybody's token requests take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use clientele_api::OAuthClient;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::load;
use crate::measure::{Report, quantile};
use crate::open_loop;
use crate::operator::RunningOperator;
use crate::tokens::Tokens;

/// Who churns.
const HOG: &str = "hog";
/// Edits at a time at the most, as many as the operator makes writes.
const AT_ONCE: usize = 16;
/// Edits per second.
const EDITS: u32 = 100;
/// Token requests per second.
const RATE: u32 = 200;
/// A backlog is watched for no longer.
const LONGEST: Duration = Duration::from_secs(90);

pub fn measure(
    runtime: &Runtime,
    cluster: &Cluster,
    operator: &RunningOperator,
    (clients, seconds): (usize, u32),
    report: &mut Report,
) {
    runtime.block_on(async {
        let credentials = load::apply_to_usable(cluster, "newcomers", 1).await;
        let tokens = Tokens::new(&[credentials[0].entries.clone()]);
        eprintln!("bench: {seconds} s in which nothing else happens");
        let during = Duration::from_secs(seconds.into());
        let quiet = watch(cluster, &tokens, async { tokio::time::sleep(during).await }).await;
        quiet.report("nothing else happens", report);
        eprintln!("bench: one namespace creates {clients} OAuthClients");
        let begun = Instant::now();
        let created = async {
            load::create_clients(cluster, HOG, clients).await;
            let mut every = tokio::time::interval(Duration::from_secs(2));
            while begun.elapsed() < LONGEST && load::ready(cluster, HOG).await < clients {
                every.tick().await;
            }
        };
        let burst = watch(cluster, &tokens, created).await;
        burst.report(&format!("one creates {clients}"), report);
        eprintln!("bench: it edits them without a pause");
        let edits = Arc::new(AtomicUsize::new(0));
        let churned = watch(cluster, &tokens, churn(cluster, clients, during, &edits)).await;
        let rate = edits.load(Relaxed) as f64 / during.as_secs_f64();
        churned.report(&format!("it edits {rate:.0} a second"), report);
        propagation(&operator.metrics(), report);
    });
}

/// How long what the watch brought waited for a registry, at the operator's own word.
fn propagation(metrics: &str, report: &mut Report) {
    let value = |name: &str| {
        let rest = metrics.lines().find_map(|line| line.strip_prefix(name));
        rest.map_or(0.0, |rest| rest.trim().parse::<f64>().unwrap())
    };
    let count = value("clientele_propagation_seconds_count");
    let mean = value("clientele_propagation_seconds_sum") / count;
    let within = |seconds: &str| {
        let bucket = format!("clientele_propagation_seconds_bucket{{le=\"{seconds}\"}}");
        value(&bucket) / count * 100.0
    };
    report.row(
        "from the watch to the registry, all changes of this run: mean, within 50 ms, 250 ms, 1 s",
        format!(
            "{:.0} ms, {:.1}, {:.1}, {:.1} %",
            mean * 1e3,
            within("0.05"),
            within("0.25"),
            within("1.0")
        ),
    );
    report.row(
        "the last rebuild of the registry",
        format!(
            "{:.1} ms",
            value("clientele_registry_rebuild_seconds") * 1e3
        ),
    );
}

/// What others see meanwhile.
struct Seen {
    /// Seconds that the API server took to create the object, a part of the next.
    created: Vec<f64>,
    usable: Vec<f64>,
    tokens: Vec<f64>,
}

impl Seen {
    fn report(&self, when: &str, report: &mut Report) {
        let worst = quantile(&self.usable, 1.0);
        let created = quantile(&self.created, 0.5) * 1e3;
        let [p50, p99] = [0.5, 0.99].map(|q| quantile(&self.usable, q) * 1e3);
        report.row(
            &format!(
                "new client of another namespace usable while {when}: p50, p99, longest of {}",
                self.usable.len()
            ),
            format!(
                "{p50:.0}, {p99:.0}, {:.0} ms; the create alone {created:.0} ms",
                worst * 1e3
            ),
        );
        let [p50, p99] = [0.5, 0.99].map(|q| open_loop::quantile(&self.tokens, q));
        report.row(
            &format!("token requests ({RATE}/s) while {when}: p50, p99"),
            format!("{p50:.1}, {p99:.1} ms"),
        );
    }
}

/// Creates clients one after the other, and asks for tokens, as long as this goes on.
async fn watch(cluster: &Cluster, tokens: &Tokens, act: impl Future<Output = ()>) -> Seen {
    let stop = CancellationToken::new();
    let usable = load::newcomers(cluster, "newcomers", stop.clone());
    let asked = tokens.ask_until(RATE, stop.clone());
    let act = async {
        act.await;
        stop.cancel();
    };
    let ((), usable, tokens) = tokio::join!(act, usable, asked);
    Seen {
        created: usable.iter().map(|usable| usable.created).collect(),
        usable: usable.iter().map(|usable| usable.took).collect(),
        tokens,
    }
}

/// Changes one client after the other, some at a time.
async fn churn(cluster: &Cluster, clients: usize, during: Duration, edits: &Arc<AtomicUsize>) {
    let until = Instant::now() + during;
    // At a pace: one who takes all that the API server has delays others there, and that is not for us to prevent.
    let pace = Duration::from_secs(1) * u32::try_from(AT_ONCE).unwrap() / EDITS;
    let api: Api<OAuthClient> = Api::namespaced(cluster.kube().await, HOG);
    let tasks = (0..AT_ONCE).map(|_| {
        let (api, edits) = (api.clone(), edits.clone());
        tokio::spawn(async move {
            let mut due = tokio::time::interval(pace);
            while Instant::now() < until {
                due.tick().await;
                let edit = edits.fetch_add(1, Relaxed);
                let name = format!("client-{:05}", edit % clients);
                let patch = json!({ "spec": { "displayName": format!("edit {edit}") } });
                let (patch, params) = (Patch::Merge(patch), PatchParams::default());
                api.patch(&name, &params, &patch).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}
